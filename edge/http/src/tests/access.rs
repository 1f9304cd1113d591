use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use iris_access::{Caller, Create, Facts, Named, Role, RoleSet, decide};
use iris_identity::NewUser;
use iris_kernel::{Secret, Tenant};
use serde_json::json;

use super::{PASSWORD, Reply, World};
use crate::auth::FORM_PAIRS_MAX;
use crate::body::OPEN_BODY_BYTES_MAX;

#[tokio::test]
async fn sign_in_refresh_and_sign_out() {
    let world = World::new();
    world.user("nora", Role::Nurse, None).await;
    let tokens =
        world.post("/auth/login", "", json!({"username": "nora", "password": PASSWORD})).await.expect(200).json();
    assert_eq!(tokens["token_type"], "Bearer");
    assert!(tokens["expires_in"].as_u64().unwrap() > 0);
    assert_eq!(tokens["user"]["username"], "nora");
    assert_eq!(tokens["user"]["roles"], json!(["nurse"]));
    let access = tokens["access_token"].as_str().unwrap();
    let me = world.get("/api/v1/auth/me", access).await.expect(200).json();
    assert_eq!(me["username"], "nora");
    let refresh = json!({"refresh_token": tokens["refresh_token"]});
    let fresh = world.post("/api/v1/auth/refresh", "", refresh).await.expect(200).json();
    let access = fresh["access_token"].as_str().unwrap();
    world.call("POST", "/api/v1/auth/logout", access, &[], None).await.expect(204);
    world.get("/api/v1/auth/me", access).await.expect(401);
}

#[tokio::test]
async fn wrong_sign_ins_tell_nothing() {
    let world = World::new();
    world.user("nora", Role::Nurse, None).await;
    let wrong = world.post("/auth/login", "", json!({"username": "nora", "password": "x"})).await.expect(401).json();
    let nobody = world.post("/auth/login", "", json!({"username": "nobody", "password": "x"})).await.expect(401).json();
    let tenant = json!({"username": "nora", "password": PASSWORD, "tenant": "elsewhere"});
    let elsewhere = world.post("/auth/login", "", tenant).await.expect(401).json();
    assert_eq!(wrong["detail"], nobody["detail"]);
    assert_eq!(wrong["detail"], elsewhere["detail"]);
    let empty = world.post("/auth/login", "", json!({"user": "nora"})).await.expect(422).json();
    assert_eq!(empty["errors"].as_array().unwrap().len(), 3);
    for token in ["x", "a.b.c", "eyJhbGciOiJub25lIn0.e30."] {
        world.get("/api/v1/auth/me", token).await.expect(401);
    }
}

#[tokio::test]
async fn an_expired_token_is_no_token() {
    let world = World::new();
    let token = world.user("nora", Role::Nurse, None).await;
    world.get("/api/v1/auth/me", &token).await.expect(200);
    world.clock.advance(Duration::from_secs(
        iris_identity::ACCESS_SECONDS + iris_identity::CLOCK_SKEW_SECONDS.unsigned_abs() + 1,
    ));
    world.get("/api/v1/auth/me", &token).await.expect(401);
}

#[tokio::test]
async fn another_tenant_sees_and_changes_nothing() {
    let world = World::new();
    let here = world.admin().await;
    let id = world.patient(&here, "Jane", "Doe").await;
    let system = |tenant| Arc::new(Caller::system(tenant, "test", "c-1"));
    let permit = decide(&system(Tenant::PLATFORM), Create, &Facts::named(Named::Accounts)).unwrap();
    let tenant = Tenant(world.identity.tenant_create(&permit, "elsewhere").await.unwrap().number);
    let permit = decide(&system(tenant), Create, &Facts::named(Named::Accounts)).unwrap();
    let roles = RoleSet::of(&[Role::Admin]);
    let user = NewUser { name: "root".into(), password: Secret::new(PASSWORD.into()), roles, patient: None };
    world.identity.user_create(&permit, user).await.unwrap();
    let login = json!({"username": "root", "password": PASSWORD, "tenant": "elsewhere"});
    let reply = world.post("/auth/login", "", login).await.expect(200).json();
    let there = reply["access_token"].as_str().unwrap();
    for path in
        [format!("/api/v1/patients/{id}"), format!("/fhir/Patient/{id}"), format!("/fhir/Patient/{id}/_history")]
    {
        world.get(&path, there).await.expect(404);
        world.get(&path, &here).await.expect(200);
    }
    world.put(&format!("/api/v1/patients/{id}"), there, json!({"phone": "1"})).await.expect(404);
    world.call("DELETE", &format!("/fhir/Patient/{id}"), there, &[], None).await.expect(404);
    let list = world.get("/api/v1/patients?total=true", there).await.expect(200).json();
    assert_eq!((&list["items"], &list["total"]), (&json!([]), &json!(0)));
    let log = world.get(&format!("/audit/logs?patient_id={id}&outcome=success"), there).await.expect(200).json();
    assert_eq!(log["items"], json!([]));
}

pub(super) async fn token(world: &World, form: &str, authorization: Option<&str>) -> Reply {
    let mut request = Request::post("/oauth2/token").header("content-type", "application/x-www-form-urlencoded");
    if let Some(value) = authorization {
        request = request.header("authorization", value);
    }
    world.send(request.body(Body::from(form.to_owned())).unwrap()).await
}

#[tokio::test]
async fn machines_get_tokens_by_client_credentials() {
    use base64::Engine as _;
    let world = World::new();
    let system = Arc::new(Caller::system(Tenant::DEFAULT, "test", "c-1"));
    let permit = decide(&system, Create, &Facts::named(Named::Accounts)).unwrap();
    let made = world.identity.client_create(&permit, "lab", "system/Patient.rs").await.unwrap();
    let (id, secret) = (made.client.client_id, made.secret.expose().clone());
    let form = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
    let given = token(&world, &form, None).await.expect(200).json();
    assert_eq!(given["scope"], "system/Patient.rs");
    let bearer = given["access_token"].as_str().unwrap();
    world.get("/fhir/Patient", bearer).await.expect(200);
    world.get("/api/v1/patients", bearer).await.expect(200);
    let denied = world.get("/fhir/Observation", bearer).await.expect(403).json();
    assert!(denied["issue"][0]["diagnostics"].as_str().unwrap().contains("system/Observation.s"));
    world.get("/api/v1/audit/logs", bearer).await.expect(403);

    let basic = base64::engine::general_purpose::STANDARD.encode(format!("{id}:{secret}"));
    token(&world, "grant_type=client_credentials", Some(&format!("Basic {basic}"))).await.expect(200);
    let cases = [
        ("grant_type=password", 400, "unsupported_grant_type"),
        ("x=y", 400, "invalid_request"),
        ("grant_type=client_credentials", 401, "invalid_client"),
        ("grant_type=client_credentials&client_id=a&client_secret=b", 401, "invalid_client"),
        ("grant_type=client_credentials&grant_type=x", 400, "invalid_request"),
    ];
    for (form, status, error) in cases {
        assert_eq!(token(&world, form, None).await.expect(status).json()["error"], error);
    }
    let wide = format!("{form}&scope=system/*.cruds");
    assert_eq!(token(&world, &wide, None).await.expect(400).json()["error"], "invalid_scope");
    let keys = world.get("/.well-known/jwks.json", "").await.expect(200).json();
    assert_eq!(keys["keys"][0]["alg"], "RS256");
    assert!(keys["keys"][0].get("d").is_none());
}

#[tokio::test]
async fn who_needs_no_token_sends_little() {
    let world = World::new();
    let refresh = |bytes: usize| {
        let shell = r#"{"refresh_token":""}"#.len();
        Body::from(format!(r#"{{"refresh_token":"{}"}}"#, "x".repeat(bytes - shell)))
    };
    let send = |path: &str, kind: &str, body: Body| {
        let request = Request::post(path).header("content-type", kind).body(body).unwrap();
        world.send(request)
    };
    send("/api/v1/auth/refresh", "application/json", refresh(OPEN_BODY_BYTES_MAX)).await.expect(422);
    send("/api/v1/auth/refresh", "application/json", refresh(OPEN_BODY_BYTES_MAX + 1)).await.expect(413);
    let form = "application/x-www-form-urlencoded";
    send("/oauth2/token", form, Body::from("x".repeat(OPEN_BODY_BYTES_MAX + 1))).await.expect(413);
    let pairs = |count: usize| (0..count).map(|n| format!("n{n}=")).collect::<Vec<_>>().join("&");
    let few = send("/oauth2/token", form, Body::from(pairs(FORM_PAIRS_MAX))).await.expect(400).json();
    assert_eq!(few["error_description"], "grant_type is needed");
    let many = send("/oauth2/token", form, Body::from(pairs(FORM_PAIRS_MAX + 1))).await.expect(400).json();
    assert_eq!(many["error_description"], "more than 20 parameters");
}

#[tokio::test]
async fn the_access_log_shows_who_saw_what_and_proves_it() {
    let world = World::new();
    let admin = world.admin().await;
    let nurse = world.user("nora", Role::Nurse, None).await;
    let auditor = world.user("ada", Role::Auditor, None).await;
    let id = world.patient(&nurse, "Jane", "Doe").await;
    world.get(&format!("/api/v1/patients/{id}?access_purpose=TREAT"), &nurse).await.expect(200);
    world.get(&format!("/api/v1/patients/{id}"), &auditor).await.expect(403);

    let path = format!("/api/v1/audit/logs?patient_id={id}&action=phi.read,phi.create");
    let found = world.get(&path, &auditor).await.expect(200).json();
    let items = found["items"].as_array().unwrap();
    assert_eq!(items.len(), 2, "{found}");
    assert_eq!((&items[0]["action"], &items[0]["user_name"]), (&json!("phi.read"), &json!("nora")));
    assert_eq!(items[0]["access_purpose"], "TREAT");
    assert_eq!(items[0]["resources"], json!([format!("Patient/{id}/_history/1")]));
    let denials = world.get("/api/v1/audit/logs?outcome=denied", &auditor).await.expect(200).json();
    assert_eq!(denials["items"][0]["user_name"], "ada");

    let position = items[1]["id"].as_str().unwrap();
    let entry = world.get(&format!("/api/v1/audit/logs/{position}"), &auditor).await.expect(200).json();
    assert_eq!(entry["action"], "phi.create");
    let proof = world.get(&format!("/api/v1/audit/logs/{position}/proof"), &auditor).await.expect(200).json();
    assert!(proof["checkpoint"].as_str().unwrap().contains('\n') && proof["path"].is_array());
    world.get("/api/v1/audit/logs/99999999/proof", &auditor).await.expect(404);
    let report = world.call("POST", "/api/v1/audit/verify-integrity", &auditor, &[], None).await.expect(200).json();
    assert_eq!((&report["valid"], &report["faults"]), (&json!(true), &json!([])));
    world.call("POST", "/api/v1/audit/verify-integrity", &nurse, &[], None).await.expect(403);
    let page = world.get("/audit/logs?limit=1", &admin).await.expect(200).json();
    let cursor = page["next_cursor"].as_str().unwrap();
    let next = world.get(&format!("/audit/logs?limit=1&cursor={cursor}"), &admin).await.expect(200).json();
    assert_ne!(page["items"][0]["id"], next["items"][0]["id"]);
    let wrong = world.get("/audit/logs?action=nonsense&outcome=odd&date_from=soon", &admin).await.expect(422).json();
    assert_eq!(wrong["errors"].as_array().unwrap().len(), 3);
}
