use std::sync::Arc;

use axum::body::Body;
use axum::http::{Method, Request};

use super::{Reply, World};
use crate::app::router_of;
use crate::endpoint::{Endpoint, Needs};

#[tokio::test]
async fn every_answer_carries_what_every_answer_must() {
    let world = World::new();
    let reply = world.call("GET", "/health/live", "", &[("x-correlation-id", "abc.1_2-3")], None).await.expect(200);
    assert_eq!(reply.header("x-correlation-id"), "abc.1_2-3");
    assert!(reply.header("x-process-time").parse::<f64>().is_ok());
    assert_eq!(reply.header("x-content-type-options"), "nosniff");
    assert_eq!(reply.header("cache-control"), "no-store");
    assert!(reply.header("content-security-policy").starts_with("default-src 'none'"));
    let long = "x".repeat(65);
    for insane in ["a b", "", long.as_str(), "a\u{e9}"] {
        let reply = world.call("GET", "/nowhere", "", &[("x-correlation-id", insane)], None).await.expect(404);
        let made = reply.header("x-correlation-id");
        assert!(made != insane && made.len() == 36, "{made}");
        assert_eq!(reply.json()["correlation_id"], made);
    }
}

#[tokio::test]
async fn wrong_paths_methods_and_media_types_are_problems() {
    let world = World::new();
    type Case = (&'static str, &'static str, &'static [(&'static str, &'static str)], u16, &'static str);
    let cases: [Case; 8] = [
        ("GET", "/api/v1/nothing", &[], 404, "not_found"),
        ("PATCH", "/api/v1/patients", &[], 405, "method_not_allowed"),
        ("GET", "/health", &[("accept", "application/xml")], 406, "not_acceptable"),
        ("POST", "/api/v1/auth/login", &[("content-type", "text/plain")], 415, "unsupported_media_type"),
        ("POST", "/api/v1/auth/login", &[("content-encoding", "br")], 415, "unsupported_media_type"),
        ("GET", "/health?colour=red", &[], 400, "not_supported"),
        ("GET", "/api/v1/patients", &[], 401, "unauthenticated"),
        ("GET", "/api/v1/patients", &[("authorization", "Basic eDp5")], 401, "unauthenticated"),
    ];
    for (method, path, headers, status, word) in cases {
        let reply = world.call(method, path, "", headers, Some("{".into())).await.expect(status);
        assert_eq!(reply.header("content-type"), "application/problem+json");
        let problem = reply.json();
        assert_eq!(
            (problem["error_type"].as_str(), problem["status"].as_u64()),
            (Some(word), Some(status.into())),
            "{path}"
        );
    }
    let reply = world.call("PATCH", "/api/v1/patients", "", &[], None).await;
    assert_eq!(reply.header("allow"), "POST, GET");
    assert_eq!(world.get("/api/v1/patients", "").await.header("www-authenticate"), "Bearer realm=\"iris\"");
    let outcome =
        world.call("GET", "/fhir/Patient/1", "", &[("accept", "application/fhir+turtle")], None).await.expect(406);
    assert_eq!(outcome.json()["resourceType"], "OperationOutcome");
    assert_eq!(outcome.header("content-type"), "application/fhir+json; fhirVersion=4.0");
}

#[tokio::test]
async fn a_panic_is_a_500_and_the_server_goes_on() {
    let world = World::new();
    let broken = Endpoint::new(Method::GET, "/broken", "", |_call| async { panic!("a defect with PHI inside") });
    let files: Arc<dyn crate::pages::Files> = Arc::new(crate::pages::Built);
    let router = router_of(&world.app, vec![broken.needs(Needs::Nothing)], &files);
    for _ in 0..2 {
        let request = Request::get("/broken").body(Body::empty()).unwrap();
        let response = tower::ServiceExt::oneshot(router.clone(), request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = http_body_util::BodyExt::collect(body).await.unwrap().to_bytes().to_vec();
        let reply = Reply { status: parts.status, headers: parts.headers, body }.expect(500);
        assert_eq!(reply.json()["error_type"], "internal_error");
        assert!(!String::from_utf8_lossy(&reply.body).contains("PHI"));
    }
}

#[tokio::test]
async fn head_is_get_and_health_tells_each_part() {
    let world = World::new();
    world.call("HEAD", "/health", "", &[], None).await.expect(200);
    for path in ["/health", "/health/live", "/health/ready", "/health/detailed"] {
        let health = world.get(path, "").await.expect(200).json();
        assert_eq!(health["status"], "healthy", "{path}");
        assert_eq!(health["version"], "0.0.0-test");
    }
    let detailed = world.get("/health/detailed", "").await.json();
    for part in ["database", "index", "audit", "keys"] {
        assert_eq!(detailed["components"][part]["status"], "healthy", "{part}");
    }
    assert_eq!(world.get("/health", "").await.json()["checks"]["keys"], "healthy");
}

#[tokio::test]
async fn a_server_that_was_told_to_stop_serves_on_but_is_not_ready() {
    let world = World::new();
    assert_eq!(world.get("/health/ready", "").await.expect(200).header("connection"), "");
    world.app.settings.drain();
    let ready = world.get("/health/ready", "").await.expect(503);
    assert_eq!((ready.json()["status"].as_str(), ready.header("connection")), (Some("draining"), "close"));
    let live = world.get("/health/live", "").await.expect(200);
    assert_eq!(live.header("connection"), "close");
    world.get("/health", "").await.expect(200);
    world.admin().await;
}

#[tokio::test]
async fn every_part_says_since_when_it_is_as_it_is() {
    let world = World::new();
    let first = world.get("/health/detailed", "").await.expect(200).json();
    world.clock.advance(std::time::Duration::from_secs(60));
    let second = world.get("/health/detailed", "").await.expect(200).json();
    for part in ["database", "index", "audit", "keys"] {
        let (before, after) = (&first["components"][part], &second["components"][part]);
        assert_eq!(before["since"], after["since"], "{part}");
        assert_ne!(before["checked_at"], after["checked_at"], "{part}");
        assert!(after["took_us"].is_number(), "{part}");
    }
}
