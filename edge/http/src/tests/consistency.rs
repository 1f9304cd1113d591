//! The header that asks for what all nodes have stored, and what a part that is away says.

use std::sync::Arc;

use axum::http::{Method, StatusCode};

use super::World;
use crate::answer::Answer;
use crate::app::router_of;
use crate::endpoint::{Endpoint, Needs};
use crate::pages;

const NAME: &str = "x-iris-consistency";

#[tokio::test]
async fn strong_is_the_one_word_that_the_header_may_say() {
    let world = World::new();
    let token = world.admin().await;
    world.patient(&token, "Ann", "Abbott").await;
    for path in ["/fhir/Patient?family=Abbott", "/api/v1/patients", "/api/v1/auth/me", "/health"] {
        world.call("GET", path, &token, &[(NAME, "strong")], None).await.expect(200);
        for other in ["", "Strong", "eventual", "strong, strong"] {
            let reply = world.call("GET", path, &token, &[(NAME, other)], None).await.expect(400);
            let text = String::from_utf8(reply.body).unwrap();
            assert!(text.contains("X-IRIS-Consistency") && text.contains("must be strong"), "{path} {other}: {text}");
        }
        world.call("GET", path, &token, &[(NAME, "strong"), (NAME, "strong")], None).await.expect(400);
    }
    let outcome = world.call("GET", "/fhir/Patient", &token, &[(NAME, "weak")], None).await.expect(400);
    assert_eq!(outcome.json()["resourceType"], "OperationOutcome");
    world.call("GET", "/api/v1/patients", "", &[(NAME, "strong")], None).await.expect(401);
    let statement = world.get("/fhir/metadata", "").await.expect(200).json();
    assert!(statement["rest"][0]["documentation"].as_str().unwrap().contains("X-IRIS-Consistency"));
}

#[tokio::test]
async fn whatever_is_away_says_when_to_try_again() {
    let world = World::new();
    let away = Endpoint::new(Method::GET, "/away", "As health answers", |_| async {
        Ok(Answer::json(StatusCode::SERVICE_UNAVAILABLE, "{}"))
    })
    .needs(Needs::Nothing);
    let files: Arc<dyn pages::Files> = Arc::new(pages::Built);
    let router = router_of(&world.app, vec![away], &files);
    let world = World { router, ..world };
    assert!(world.get("/away", "").await.expect(503).header("retry-after").parse::<u64>().is_ok());
}

#[tokio::test]
async fn a_store_that_is_away_is_503_in_every_dialect() {
    let world = World::new();
    let token = world.admin().await;
    let patient = world.patient(&token, "Ann", "Abbott").await;
    world.app.store.clone().close();
    let body = serde_json::json!({"first_name": "Bob", "last_name": "Bell", "date_of_birth": "1985-05-15"});
    let resource = serde_json::json!({"resourceType": "Patient", "name": [{"family": "Bell"}]});
    let read = format!("/fhir/Patient/{patient}");
    let plain = format!("/api/v1/patients/{patient}");
    let asked = [
        ("POST", "/api/v1/patients", Some(body)),
        ("POST", "/fhir/Patient", Some(resource)),
        ("GET", read.as_str(), None),
        ("GET", plain.as_str(), None),
        ("GET", "/fhir/Patient?family=Abbott", None),
        ("GET", "/api/v1/patients", None),
        ("GET", "/health/ready", None),
    ];
    for (method, path, body) in asked {
        let reply = world.call(method, path, &token, &[], body).await.expect(503);
        assert!(reply.header("retry-after").parse::<u64>().is_ok(), "{method} {path}");
    }
    let login = serde_json::json!({"username": "root", "password": super::PASSWORD});
    let reply = world.post("/api/v1/auth/login", "", login).await.expect(503);
    assert!(reply.header("retry-after").parse::<u64>().is_ok());
}
