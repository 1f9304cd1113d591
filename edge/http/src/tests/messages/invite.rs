//! Whoever runs the accounts makes those of clinicians, without being able to become one.

use iris_access::Role;
use serde_json::{Value, json};

use crate::tests::{PASSWORD, World};

const USERS: &str = "/api/v1/admin/users";

async fn world() -> (World, std::sync::Arc<super::Letters>, String) {
    let world = World::new();
    let letters = world.boxed();
    let adam = world.user("adam@example.org", Role::Administrator, None).await;
    (world, letters, adam)
}

fn invitation(name: &str, email: &str, roles: &[&str]) -> Value {
    json!({"username": name, "email": email, "roles": roles})
}

#[tokio::test]
async fn an_administrator_who_sees_no_health_data_invites_those_who_treat() {
    let (world, letters, adam) = world().await;
    world.get("/api/v1/patients", &adam).await.expect(403);
    for role in Role::INVITABLE {
        let name = role.name();
        world.post(USERS, &adam, invitation(name, &format!("{name}@example.org"), &[name])).await.expect(201);
    }
    let both = invitation("both", "both@example.org", &["nurse", "registrar"]);
    let made = world.post(USERS, &adam, both).await.expect(201).json();
    let came = letters.came(&world).await;
    let token = came.iter().find(|got| got.to == "nurse@example.org").unwrap().token();
    world.post("/auth/verify-reset", "", json!({"token": token, "new_password": PASSWORD})).await.expect(204);
    let tokens = world.login("nurse", PASSWORD).await.expect(200).json();
    world.get("/api/v1/patients", tokens["access_token"].as_str().unwrap()).await.expect(200);
    // From the first moment on the account is out of the administrator's hands, but for being stopped.
    let path = format!("{USERS}/{}", made["id"].as_str().unwrap());
    world.call("PATCH", &path, &adam, &[], Some(json!({"email": "other@example.org"}))).await.expect(403);
    world.call("PATCH", &path, &adam, &[], Some(json!({"roles": ["physician"]}))).await.expect(403);
    world.call("POST", &format!("{path}/reset-mfa"), &adam, &[], None).await.expect(403);
    world.call("POST", &format!("{path}/lock"), &adam, &[], None).await.expect(200);
}

/// Attack: an administrator makes a clinician of themselves: by an account whose password they know, one that writes to them, one with
/// more than a clinician has, or by a grant.
#[tokio::test]
async fn attack_an_administrator_makes_no_clinician_of_themselves() {
    let (world, letters, adam) = world().await;
    let password = json!({"username": "eve", "email": "eve@example.org", "roles": ["nurse"], "password": PASSWORD});
    world.post(USERS, &adam, password).await.expect(403);
    for own in ["adam@example.org", "ADAM@Example.org", "adam+nurse@example.org"] {
        world.post(USERS, &adam, invitation("eve", own, &["nurse"])).await.expect(403);
    }
    for role in ["admin", "clinical_admin", "auditor"] {
        world.post(USERS, &adam, invitation("eve", "eve@example.org", &[role])).await.expect(403);
        world.post(USERS, &adam, invitation("eve", "eve@example.org", &["nurse", role])).await.expect(403);
    }
    let mut more = invitation("eve", "eve@example.org", &["nurse"]);
    more["permissions"] = json!(["healthcare:very_restricted"]);
    world.post(USERS, &adam, more).await.expect(403);
    assert!(letters.came(&world).await.is_empty(), "nobody was written to");
    let me = world.get("/api/v1/auth/me", &adam).await.expect(200).json();
    let other = world.user("olga", Role::Administrator, None).await;
    let friend = world.get("/api/v1/auth/me", &other).await.expect(200).json();
    for (id, status) in [(&me["id"], 409), (&friend["id"], 403)] {
        let path = format!("/api/v1/auth/users/{}/roles", id.as_str().unwrap());
        world.post(&path, &adam, json!({"role": "nurse", "reason": "a colleague"})).await.expect(status);
    }
    // Nor does anybody else who runs no accounts invite anybody.
    let nurse = world.user("joy", Role::Nurse, None).await;
    world.post(USERS, &nurse, invitation("eve", "eve@example.org", &["nurse"])).await.expect(403);
}
