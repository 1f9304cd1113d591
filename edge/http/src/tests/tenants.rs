//! What people of one tenant see of another: nothing.

use std::sync::Arc;

use iris_access::{Caller, Create, Facts, Named, Role, RoleSet, decide};
use iris_identity::NewUser;
use iris_kernel::{Secret, Tenant};
use serde_json::{Value, json};

use super::{PASSWORD, World};

const USERS: &str = "/api/v1/admin/users";

/// Makes a second tenant with an administrator of its own, and gives the administrator's token.
pub(super) async fn elsewhere(world: &World) -> String {
    let permit = |tenant| {
        let system = Arc::new(Caller::system(tenant, "test", "c-1"));
        decide(&system, Create, &Facts::named(Named::Accounts)).unwrap()
    };
    let made = world.identity.tenant_create(&permit(Tenant::PLATFORM), "elsewhere").await.unwrap();
    let user = NewUser {
        name: "theirs".to_owned(),
        password: Secret::new(PASSWORD.to_owned()),
        roles: RoleSet::of(&[Role::Admin]),
        patient: None,
    };
    world.identity.user_create(&permit(Tenant(made.number)), user).await.unwrap();
    let body = json!({"username": "theirs", "password": PASSWORD, "tenant": "elsewhere"});
    let signed = world.post("/api/v1/auth/login", "", body).await.expect(200).json();
    signed["access_token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn accounts_of_another_tenant_are_not_there() {
    let world = World::new();
    let admin = world.admin().await;
    let theirs = elsewhere(&world).await;
    let root = world.get("/api/v1/auth/me", &admin).await.expect(200).json()["id"].as_str().unwrap().to_owned();
    let list = world.get(USERS, &theirs).await.expect(200).json();
    assert_eq!((&list["total"], &list["items"][0]["username"]), (&json!(1), &json!("theirs")));
    world.get(&format!("{USERS}/{root}"), &theirs).await.expect(404);
    let body = json!({"roles": ["nurse"]});
    world.call("PATCH", &format!("{USERS}/{root}"), &theirs, &[], Some(body)).await.expect(404);
    for what in ["lock", "unlock"] {
        world.call("POST", &format!("{USERS}/{root}/{what}"), &theirs, &[], None).await.expect(404);
    }
    // A name is taken in its own tenant only, so that nobody learns of others' names.
    let body = json!({"username": "root", "roles": ["nurse"], "password": PASSWORD});
    world.post(USERS, &theirs, body).await.expect(201);
    let cursor = world.get(&format!("{USERS}?limit=1"), &theirs).await.expect(200).json()["next_cursor"].clone();
    let next = world.get(&format!("{USERS}?cursor={}", cursor.as_str().unwrap()), &admin).await.expect(200).json();
    assert_eq!(next["items"], json!([]), "another tenant's cursor leads nowhere: {next}");
}

#[tokio::test]
async fn figures_of_a_tenant_do_not_count_another() {
    let world = World::new();
    let admin = world.admin().await;
    for n in 0..3 {
        world.patient(&admin, "Jane", &format!("Doe{n}")).await;
        world.user(&format!("u{n}"), Role::Nurse, None).await;
    }
    let theirs = elsewhere(&world).await;
    let told = world.get("/api/v1/admin/dashboard", &theirs).await.expect(200).json();
    assert_eq!((&told["users"], &told["sessions"]), (&json!({"total": 1, "locked": 0}), &json!({"active": 1})));
    let keys = world.get("/api/v1/keys", &theirs).await.expect(200).json();
    assert_eq!(keys["root"]["wraps"], Value::Null, "the number of tenants is nothing for one of them");
    assert_eq!(keys["data_keys"]["total"], Value::Null, "all keys less one's own are others' patients");
    assert!(keys["data_keys"]["of_tenant"].as_u64().unwrap() >= 1);
    let ours = world.get("/api/v1/keys", &admin).await.expect(200).json();
    assert!(ours["data_keys"]["total"].is_u64() && ours["root"]["wraps"].is_u64(), "{ours}");
}

#[tokio::test]
async fn the_log_of_another_tenant_is_not_there() {
    let world = World::new();
    let admin = world.admin().await;
    let jane = world.patient(&admin, "Jane", "Doe").await;
    let theirs = elsewhere(&world).await;
    for path in [format!("/api/v1/audit/patients/{jane}/disclosures"), format!("/api/v1/audit/logs?patient_id={jane}")]
    {
        let list = world.get(&path, &theirs).await.expect(200).json();
        let seen = list["items"].as_array().unwrap();
        assert!(seen.iter().all(|entry| entry["user_name"] == "theirs"), "only their own looks: {path}: {list}");
    }
    let all = world.get("/api/v1/audit/logs", &theirs).await.expect(200).json();
    assert!(all["items"].as_array().unwrap().iter().all(|entry| entry["user_name"] != "root"), "{all}");
    let ours = world.get("/api/v1/audit/logs?action=phi.create", &admin).await.expect(200).json();
    let id = ours["items"][0]["id"].as_str().unwrap();
    for path in [format!("/api/v1/audit/logs/{id}"), format!("/api/v1/audit/logs/{id}/proof")] {
        world.get(&path, &theirs).await.expect(404);
    }
    let export = world.get("/api/v1/audit/export", &theirs).await.expect(200);
    let text = String::from_utf8(export.body).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let mut opened = lines.filter(|line| line["entry"]["opened"].is_object()).peekable();
    assert!(opened.peek().is_some());
    for line in opened {
        let entry = &line["entry"];
        assert!(entry["tenant"] == 2 && entry["opened"]["name"] != "root", "{entry}");
    }
}
