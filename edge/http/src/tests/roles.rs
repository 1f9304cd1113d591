//! Roles of the tenant's own, grants, the matrix, colleagues, and what administrators change of accounts, over HTTP.

use iris_access::Role;
use serde_json::{Value, json};

use super::{PASSWORD, Reply, World};

const USERS: &str = "/api/v1/admin/users";
const ROLES: &str = "/api/v1/auth/roles";

fn grants(id: &str) -> String {
    format!("/api/v1/auth/users/{id}/roles")
}

async fn made(world: &World, token: &str, name: &str, roles: &[&str]) -> String {
    let body = json!({"username": name, "roles": roles, "password": PASSWORD});
    world.post(USERS, token, body).await.expect(201).json()["id"].as_str().unwrap().to_owned()
}

async fn signed_in(world: &World, name: &str) -> String {
    let body = json!({"username": name, "password": PASSWORD});
    let reply = world.post("/api/v1/auth/login", "", body).await.expect(200);
    reply.json()["access_token"].as_str().unwrap().to_owned()
}

fn pointers(reply: &Reply) -> Vec<String> {
    let errors = reply.json()["errors"].as_array().unwrap().clone();
    errors.iter().map(|error| error["pointer"].as_str().unwrap().trim_start_matches('/').to_owned()).collect()
}

#[tokio::test]
async fn a_role_is_made_given_changed_and_taken_away() {
    let world = World::new();
    let admin = world.admin().await;
    let body = json!({"name": "front-desk", "description": "Phones", "permissions": ["clinical:read"]});
    let role = world.post(ROLES, &admin, body).await.expect(201).json();
    assert_eq!((&role["built_in"], &role["permissions"]), (&json!(false), &json!(["clinical:read"])));
    let one = format!("{ROLES}/{}", role["id"].as_str().unwrap());
    let id = made(&world, &admin, "fay", &["front-desk"]).await;
    let fay = signed_in(&world, "fay").await;
    world.get("/api/v1/patients", &fay).await.expect(403);
    world.get("/fhir/Appointment", &fay).await.expect(200);
    let wider = json!({"name": "front-desk", "permissions": ["clinical:read"], "based_on": "registrar"});
    world.put(&one, &admin, wider).await.expect(200);
    world.get("/api/v1/patients", &fay).await.expect(200);
    let listed = world.get(ROLES, &admin).await.expect(200).json();
    let own = listed["items"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((&own["name"], &own["based_on"]), (&json!("front-desk"), &json!("registrar")));
    assert!(listed["items"][0]["built_in"] == true && listed["items"][0]["name"] == "admin");

    let used = world.call("DELETE", &one, &admin, &[], None).await.expect(409).json();
    assert!(used["detail"].as_str().unwrap().contains("somebody has this role"), "{used}");
    let taken = json!({"role": "front-desk", "reason": "moved on"});
    let left = world.call("DELETE", &grants(&id), &admin, &[], Some(taken)).await.expect(200).json();
    assert_eq!((&left["roles"], &left["grants"]), (&json!([]), &json!([])));
    world.get("/api/v1/patients", &fay).await.expect(403);
    world.call("DELETE", &one, &admin, &[], None).await.expect(204);
    world.call("DELETE", &one, &admin, &[], None).await.expect(404);
    world.call("DELETE", &format!("{ROLES}/admin"), &admin, &[], None).await.expect(404);
}

#[tokio::test]
async fn bad_roles_and_grants_are_refused_with_every_fault() {
    let world = World::new();
    let admin = world.admin().await;
    let nora = made(&world, &admin, "nora", &["nurse"]).await;
    let cases = [
        (json!({}), vec!["name"]),
        (json!({"name": "Front Desk"}), vec!["name", "permissions"]),
        (json!({"name": "nurse", "permissions": ["clinical:read"]}), vec!["name"]),
        (
            json!({"name": "x", "permissions": ["all:all", "clinical:read"], "families": ["pets"], "based_on": "boss"}),
            vec!["name", "based_on", "permissions/0", "families/0"],
        ),
        (json!({"name": "own", "based_on": "patient"}), vec!["based_on"]),
        (json!({"name": "front", "permission": "clinical:read"}), vec!["permission"]),
        (json!({"name": "front", "permissions": "clinical:read"}), vec!["permissions"]),
    ];
    for (body, expected) in cases {
        let reply = world.post(ROLES, &admin, body.clone()).await.expect(422);
        assert_eq!(pointers(&reply), expected, "{body}");
    }
    let cases = [
        (json!({}), vec!["reason"]),
        (json!({"reason": "x"}), vec!["role"]),
        (json!({"role": "boss", "reason": "x"}), vec!["role"]),
        (json!({"role": "nurse", "valid_until": "tomorrow", "because": "x"}), vec!["because", "reason", "valid_until"]),
        (json!({"role": "nurse", "valid_until": "1999-01-01T00:00:00Z", "reason": "x"}), vec!["valid_until"]),
        (json!({"role": "nurse", "permission": "audit:read", "reason": "x"}), vec!["permission"]),
    ];
    for (body, expected) in cases {
        let reply = world.post(&grants(&nora), &admin, body.clone()).await.expect(422);
        assert_eq!(pointers(&reply), expected, "{body}");
    }
    world.post(&grants("nobody"), &admin, json!({"role": "nurse", "reason": "x"})).await.expect(404);
    let absent = json!({"permission": "audit:read", "reason": "x"});
    world.call("DELETE", &grants(&nora), &admin, &[], Some(absent)).await.expect(404);
}

#[tokio::test]
async fn a_grant_for_a_time_is_shown_counts_and_runs_out() {
    let world = World::new();
    let admin = world.admin().await;
    let otto = made(&world, &admin, "otto", &["user"]).await;
    let token = signed_in(&world, "otto").await;
    world.get("/api/v1/audit/logs", &token).await.expect(403);
    let until = iris_kernel::Clock::now(&*world.clock).plus(std::time::Duration::from_secs(300));
    let body = json!({"permission": "audit:read", "valid_until": until.rfc3339(), "reason": "the audit of May"});
    let told = world.post(&grants(&otto), &admin, body).await.expect(200).json();
    assert_eq!(told["grants"][0]["permission"], "audit:read");
    assert_eq!((&told["grants"][0]["valid_until"], &told["roles"]), (&json!(until.rfc3339()), &json!(["user"])));
    world.get("/api/v1/audit/logs", &token).await.expect(200);
    world.clock.advance(std::time::Duration::from_secs(301));
    world.get("/api/v1/audit/logs", &token).await.expect(403);
    let told = world.get(&format!("{USERS}/{otto}"), &admin).await.expect(200).json();
    assert_eq!(told["grants"][0]["counts"], false);
    let log = world.get("/audit/logs?action=role.grant&limit=1", &admin).await.expect(200).json();
    let detail = log["items"][0]["detail"].as_str().unwrap();
    assert!(detail.contains("before: user; after: user, audit:read until"), "{detail}");
}

#[tokio::test]
async fn an_administrator_elevates_nobody_over_http() {
    let world = World::new();
    let admin = world.admin().await;
    let clerk = world.user("clerk", Role::Administrator, None).await;
    let nora = made(&world, &admin, "nora", &["nurse"]).await;
    let user = made(&world, &clerk, "ulla", &["user"]).await;
    let change =
        async |id: &str, body: Value| world.call("PATCH", &format!("{USERS}/{id}"), &clerk, &[], Some(body)).await;
    for body in [json!({"role": "admin", "reason": "x"}), json!({"permission": "healthcare:read", "reason": "x"})] {
        let reply = world.post(&grants(&user), &clerk, body).await.expect(403).json();
        assert!(reply["detail"].as_str().unwrap().contains("permission"), "names it: {reply}");
    }
    world.post(ROLES, &clerk, json!({"name": "door", "based_on": "physician"})).await.expect(403);
    world.post(USERS, &clerk, json!({"username": "puppet", "role": "admin", "password": PASSWORD})).await.expect(403);
    world
        .post(USERS, &clerk, json!({"username": "puppet", "role": "admin", "email": "p@example.org"}))
        .await
        .expect(403);
    change(&user, json!({"roles": ["physician"]})).await.expect(403);
    change(&nora, json!({"email": "clerk@example.org"})).await.expect(403);
    world.call("POST", &format!("{USERS}/{nora}/reset-mfa"), &clerk, &[], None).await.expect(403);
    let tenant = json!({"name": "mine", "admin": {"username": "boss", "password": PASSWORD}});
    world.post("/api/v1/admin/tenants", &clerk, tenant).await.expect(403);
    world.get("/api/v1/admin/tenants", &clerk).await.expect(403);
    let denied = world.get("/audit/logs?outcome=denied&limit=100", &admin).await.expect(200).json();
    let of = |name: &str| {
        denied["items"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|entry| entry["action"] == name && entry["user_name"] == "clerk")
            .count()
    };
    assert_eq!((of("role.grant"), of("role.define"), of("user.create"), of("user.update")), (2, 1, 2, 2), "{denied}");
    assert_eq!((of("factor.remove"), of("access.denied")), (1, 2));
}

#[tokio::test]
async fn an_account_is_made_as_the_first_system_did_and_changed_field_by_field() {
    let world = World::new();
    let admin = world.admin().await;
    let clinic = json!({"resourceType": "Organization", "name": "Clinic"});
    let clinic = world.post("/fhir/Organization", &admin, clinic).await.expect(201).json();
    let clinic = clinic["id"].as_str().unwrap();
    let body = json!({
        "username": "nora", "password": PASSWORD, "email": "nora@example.org", "role": "nurse", "department": clinic,
        "permissions": ["document:share"]
    });
    let nora = world.post(USERS, &admin, body).await.expect(201).json();
    assert_eq!((&nora["roles"], &nora["departments"]), (&json!(["nurse"]), &json!([clinic])));
    assert_eq!((&nora["grants"][0]["permission"], &nora["email_verified"]), (&json!("document:share"), &json!(false)));
    let one = format!("{USERS}/{}", nora["id"].as_str().unwrap());
    let patch = async |body: Value| world.call("PATCH", &one, &admin, &[], Some(body)).await;
    let told = patch(json!({"display_name": "Nora N.", "departments": [], "email": null})).await.expect(200).json();
    assert_eq!((&told["display_name"], &told["departments"], told.get("email")), (&json!("Nora N."), &json!([]), None));
    assert_eq!(told["roles"], json!(["nurse"]), "what is not named stays");
    let bad = json!({"email": "nobody", "phone": "12", "departments": ["nowhere"], "practitioner_id": "nobody"});
    assert_eq!(pointers(&patch(bad).await.expect(422)), ["email", "phone", "departments/0", "practitioner_id"]);
    for (body, status) in [
        (json!({"username": "x", "roles": ["nurse"], "role": "nurse", "password": PASSWORD}), 422),
        (json!({"username": "x", "roles": ["nurse"], "email": "x@example.org"}), 503),
        (json!({"username": "x", "roles": ["nurse"], "permissions": ["all:all"], "password": PASSWORD}), 422),
    ] {
        let reply = world.post(USERS, &admin, body.clone()).await.expect(status).json();
        assert!(status != 503 || reply["detail"].as_str().unwrap().contains("no mail"), "{reply}");
    }
    let log = world.get("/audit/logs?action=user.update&outcome=success&limit=1", &admin).await.expect(200).json();
    assert!(log["items"][0]["detail"].as_str().unwrap().contains("changed email display_name departments"), "{log}");
}

#[tokio::test]
async fn the_matrix_is_what_the_decision_says_and_colleagues_know_each_other() {
    let world = World::new();
    let admin = world.admin().await;
    let matrix = world.get("/api/v1/auth/permissions", &admin).await.expect(200).json();
    let cell = |role: &str, family: &str, action: &str| {
        let cells = matrix["cells"].as_array().unwrap();
        let found = cells.iter().find(|cell| cell["role"] == role && cell["family"] == family).unwrap();
        found.get(action).map(|cell| cell.as_str().unwrap().to_owned())
    };
    assert_eq!(cell("nurse", "clinical", "read").as_deref(), Some("yes"));
    assert_eq!(cell("registrar", "clinical", "read").as_deref(), Some("no"));
    assert_eq!(cell("patient", "clinical", "read").as_deref(), Some("own"));
    assert_eq!(cell("admin", "audit-log", "delete"), None, "nobody may");
    assert_eq!(matrix["items"].as_array().unwrap().len(), iris_access::Permission::ALL.len());
    let nurse = world.user("nora", Role::Nurse, None).await;
    let jane = world.patient(&admin, "Jane", "Doe").await;
    let patient = world.user("jane", Role::Patient, Some(&jane)).await;
    let known = world.get("/api/v1/auth/users?limit=1", &nurse).await.expect(200).json();
    assert_eq!((&known["items"][0]["username"], known["items"][0].get("roles")), (&json!("root"), None));
    let cursor = known["next_cursor"].as_str().unwrap();
    let rest = world.get(&format!("/api/v1/auth/users?cursor={cursor}"), &nurse).await.expect(200).json();
    assert_eq!(rest["items"].as_array().unwrap().len(), 1, "a patient is nobody's colleague: {rest}");
    world.get("/api/v1/auth/users", &patient).await.expect(404);
    world.get("/api/v1/auth/users?cursor=x", &nurse).await.expect(400);
    for path in ["/api/v1/auth/permissions", ROLES] {
        world.get(path, &nurse).await.expect(403);
    }
}
