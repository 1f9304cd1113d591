//! Reviews of who has access, the report, and tenants, over HTTP.

use iris_access::Role;
use serde_json::{Value, json};

use super::{PASSWORD, World};

const REVIEWS: &str = "/api/v1/admin/access-reviews";
const TENANTS: &str = "/api/v1/admin/tenants";

#[tokio::test]
async fn a_review_is_begun_decided_and_closed() {
    let world = World::new();
    let admin = world.admin().await;
    let auditor = world.user("ada", Role::Auditor, None).await;
    let nurse = world.user("nora", Role::Nurse, None).await;
    for body in [
        json!({"scope": "role"}),
        json!({"role": "nurse"}),
        json!({"scope": "some"}),
        json!({"due": "1999-01-01T00:00:00Z"}),
        json!({"what": 1}),
    ] {
        let reply = world.post(REVIEWS, &auditor, body.clone()).await.expect(422).json();
        assert_eq!(reply["errors"].as_array().unwrap().len(), 1, "{body}: {reply}");
    }
    world.post(REVIEWS, &nurse, json!({})).await.expect(403);
    let review = world.post(REVIEWS, &auditor, json!({"scope": "role", "role": "nurse"})).await.expect(201).json();
    assert_eq!((&review["total"], &review["decided"], &review["started_by"]), (&json!(1), &json!(0), &json!("ada")));
    let one = format!("{REVIEWS}/{}", review["id"].as_str().unwrap());
    let read = world.get(&one, &auditor).await.expect(200).json();
    let item = &read["items"][0];
    assert_eq!((&item["username"], &item["roles"], item.get("verdict")), (&json!("nora"), &json!(["nurse"]), None));
    assert!(item["last_login"].is_string() && read["next_cursor"].is_null());
    let decide = format!("{one}/decide");
    let user = item["user_id"].clone();
    for body in [json!({}), json!({"user_id": "x", "verdict": "maybe", "reason": ""})] {
        let reply = world.post(&decide, &auditor, body).await.expect(422).json();
        assert_eq!(reply["errors"].as_array().unwrap().len(), 3, "{reply}");
    }
    let verdict = json!({"user_id": user, "verdict": "revoke", "reason": "left"});
    let closed = world.post(&decide, &auditor, verdict.clone()).await.expect(200).json();
    assert!(closed["closed_at"].is_string() && closed["decided"] == 1);
    world.get("/api/v1/auth/me", &nurse).await.expect(401);
    world.post(&decide, &auditor, verdict).await.expect(409);
    let listed = world.get(&format!("{REVIEWS}?limit=1"), &admin).await.expect(200).json();
    assert_eq!((&listed["total"], &listed["next_cursor"]), (&json!(1), &Value::Null));
    for path in [format!("{REVIEWS}/none"), format!("{REVIEWS}/00000000-0000-0000-0000-000000000009")] {
        world.get(&path, &auditor).await.expect(404);
    }
    let log = world.get("/audit/logs?action=review.decide", &admin).await.expect(200).json();
    let outcomes = log["items"].as_array().unwrap().iter();
    let done: Vec<&Value> = outcomes.filter(|entry| entry["outcome"] == "success").collect();
    assert!(done.len() == 1 && done[0]["detail"].as_str().unwrap().contains("revoke nora"), "{log}");
}

#[tokio::test]
async fn the_report_is_for_reviewers_and_names_what_is_amiss() {
    let world = World::new();
    let admin = world.admin().await;
    let auditor = world.user("ada", Role::Auditor, None).await;
    let nurse = world.user("nora", Role::Nurse, None).await;
    world.post("/api/v1/auth/login", "", json!({"username": "nora", "password": "not that one"})).await.expect(401);
    world.app.audit.settle();
    const REPORT: &str = "/api/v1/admin/access-report";
    let report = world.get(REPORT, &auditor).await.expect(200).json();
    let names = |list: &str| -> Vec<String> {
        let items = report[list].as_array().unwrap();
        items.iter().map(|item| item["username"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!((names("privileged"), names("dormant")), (vec!["root".to_owned(), "ada".to_owned()], vec![]));
    assert_eq!(names("orphans").len(), 3, "no address: {report}");
    assert_eq!(report["failed_sign_ins"][0]["username"], "nora");
    let page = world.get(&format!("{REPORT}?limit=1&dormant_days=1"), &admin).await.expect(200).json();
    let cursor = page["next_cursor"].as_str().unwrap();
    let next = world.get(&format!("{REPORT}?cursor={cursor}"), &admin).await.expect(200).json();
    assert!(next.get("failed_sign_ins").is_none() && next["orphans"].as_array().unwrap().len() == 2, "{next}");
    world.get(REPORT, &nurse).await.expect(403);
    for (query, status) in [("dormant_days=0", 422), ("limit=101", 422), ("cursor=x", 400), ("kind=dormant", 400)] {
        world.get(&format!("{REPORT}?{query}"), &admin).await.expect(status);
    }
}

/// A tenant made over HTTP with its first administrator, and the token of that one.
async fn elsewhere(world: &World, admin: &str) -> (u64, String) {
    let body = json!({"name": "elsewhere", "admin": {"username": "theirs", "password": PASSWORD}});
    let made = world.post(TENANTS, admin, body).await.expect(201).json();
    assert_eq!((&made["active"], &made["admin"]["roles"]), (&json!(true), &json!(["admin"])));
    (made["number"].as_u64().unwrap(), sign_in(world).await)
}

async fn sign_in(world: &World) -> String {
    let body = json!({"username": "theirs", "password": PASSWORD, "tenant": "elsewhere"});
    let signed = world.post("/api/v1/auth/login", "", body).await.expect(200).json();
    signed["access_token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_operator_makes_names_and_switches_tenants() {
    let world = World::new();
    let admin = world.admin().await;
    let (number, theirs) = elsewhere(&world, &admin).await;
    let one = format!("{TENANTS}/{number}");
    let patch = async |token: &str, body: Value| world.call("PATCH", &one, token, &[], Some(body)).await;
    let bad = json!({"name": "", "admin": {"username": "", "password": 1, "role": "admin"}});
    let reply = world.post(TENANTS, &admin, bad).await.expect(422).json();
    assert_eq!(reply["errors"].as_array().unwrap().len(), 4, "{reply}");
    world
        .post(TENANTS, &admin, json!({"name": "ELSEWHERE", "admin": {"username": "x", "password": PASSWORD}}))
        .await
        .expect(409);
    let made =
        world.post(TENANTS, &admin, json!({"name": "third", "admin": {"username": "x"}})).await.expect(201).json();
    assert!(made["initial_password"].is_string() && made["admin"].get("initial_password").is_none(), "{made}");
    let page = world.get(&format!("{TENANTS}?limit=2"), &admin).await.expect(200).json();
    assert_eq!((page["items"].as_array().unwrap().len(), &page["total"]), (2, &json!(3)));
    let cursor = page["next_cursor"].as_str().unwrap();
    let rest = world.get(&format!("{TENANTS}?cursor={cursor}"), &admin).await.expect(200).json();
    assert_eq!((&rest["items"][0]["name"], &rest["next_cursor"]), (&json!("third"), &Value::Null));
    // A tenant's own administrator is no operator.
    world.get(TENANTS, &theirs).await.expect(403);
    patch(&theirs, json!({"name": "mine"})).await.expect(403);
    world
        .post(TENANTS, &theirs, json!({"name": "more", "admin": {"username": "x", "password": PASSWORD}}))
        .await
        .expect(403);

    world.clock.advance(std::time::Duration::from_secs(1));
    assert_eq!(patch(&admin, json!({"active": false})).await.expect(200).json()["active"], false);
    world.get("/api/v1/auth/me", &theirs).await.expect(401);
    let body = json!({"username": "theirs", "password": PASSWORD, "tenant": "elsewhere"});
    world.post("/api/v1/auth/login", "", body).await.expect(401);
    patch(&admin, json!({"active": true})).await.expect(200);
    world.get("/api/v1/auth/me", &theirs).await.expect(401);
    world.clock.advance(std::time::Duration::from_secs(1));
    sign_in(&world).await;
    for (number, status) in [("77", 404), ("none", 404), ("1", 409)] {
        let body = Some(json!({"active": false}));
        world.call("PATCH", &format!("{TENANTS}/{number}"), &admin, &[], body).await.expect(status);
    }
    patch(&admin, json!({})).await.expect(422);
}

#[tokio::test]
async fn nothing_of_one_tenant_is_there_for_another() {
    let world = World::new();
    let admin = world.admin().await;
    let (_, theirs) = elsewhere(&world, &admin).await;
    let jane = world.patient(&admin, "Jane", "Canary").await;
    let shot = json!({"resourceType": "Observation", "status": "final", "code": {"text": "canary"},
        "subject": {"reference": format!("Patient/{jane}")}});
    let seen = world.post("/fhir/Observation", &admin, shot).await.expect(201).json();
    let seen = seen["id"].as_str().unwrap().to_owned();
    let role =
        world.post("/api/v1/auth/roles", &admin, json!({"name": "desk", "permissions": ["clinical:read"]})).await;
    let role = role.expect(201).json()["id"].as_str().unwrap().to_owned();
    let review = world.post(REVIEWS, &admin, json!({})).await.expect(201).json()["id"].as_str().unwrap().to_owned();
    // Ids that are there in one tenant are absent in another, by every door.
    for path in [
        format!("/fhir/Patient/{jane}"),
        format!("/fhir/Patient/{jane}/_history"),
        format!("/fhir/Observation/{seen}"),
        format!("/api/v1/patients/{jane}"),
        format!("/api/v1/patients/{jane}/summary"),
        format!("{REVIEWS}/{review}"),
    ] {
        world.get(&path, &theirs).await.expect(404);
    }
    world.call("DELETE", &format!("/api/v1/auth/roles/{role}"), &theirs, &[], None).await.expect(404);
    world
        .put(&format!("/api/v1/auth/roles/{role}"), &theirs, json!({"name": "desk", "permissions": ["clinical:read"]}))
        .await
        .expect(404);
    // The index: no search and no count finds them.
    for path in ["/fhir/Patient?family=Canary", "/fhir/Observation", "/fhir/Patient"] {
        let found = world.get(path, &theirs).await.expect(200);
        assert!(found.json()["entry"].as_array().is_none_or(Vec::is_empty), "{path}");
    }
    let roles = world.get("/api/v1/auth/roles", &theirs).await.expect(200).json();
    assert!(roles["items"].as_array().unwrap().iter().all(|role| role["built_in"] == true), "{roles}");
    assert_eq!(world.get(REVIEWS, &theirs).await.expect(200).json()["total"], 0);
    let report = world.get("/api/v1/admin/access-report", &theirs).await.expect(200).json();
    assert_eq!(report["privileged"].as_array().unwrap().len(), 1, "{report}");
    // The same id can be made there, under another key, and neither touches the other.
    let own = json!({"resourceType": "Patient", "id": jane, "name": [{"family": "Other"}]});
    world.put(&format!("/fhir/Patient/{jane}"), &theirs, own).await.expect(201);
    let ours = world.get(&format!("/fhir/Patient/{jane}"), &admin).await.expect(200).json();
    assert_eq!(ours["name"][0]["family"], "Canary");
    let keys = |told: Value| told["data_keys"]["of_tenant"].as_u64().unwrap();
    let theirs_keys = keys(world.get("/api/v1/keys", &theirs).await.expect(200).json());
    world.patient(&admin, "Joan", "Canary").await;
    assert_eq!(keys(world.get("/api/v1/keys", &theirs).await.expect(200).json()), theirs_keys);
    // The cache: each token goes on meaning its own tenant, in turns.
    for _ in 0..2 {
        let (a, b) =
            (world.get("/api/v1/auth/me", &admin).await.json(), world.get("/api/v1/auth/me", &theirs).await.json());
        assert!(a["tenant"] != b["tenant"], "{a} {b}");
    }
    let log = world.get("/api/v1/audit/logs?limit=100", &theirs).await.expect(200).json();
    let entries = log["items"].as_array().unwrap();
    let foreign: Vec<&Value> = entries.iter().filter(|entry| entry["user_name"] != "theirs").collect();
    assert!(foreign.len() == 1 && foreign[0]["action"] == "user.create", "who made their administrator: {foreign:?}");
}
