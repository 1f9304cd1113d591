//! Bodies that take their time.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::Request;
use serde_json::json;

use super::{Ward, observation};
use crate::tests::Reply;

/// Sends the head of a request, lets `meanwhile` happen, then sends the body.
async fn slowly(ward: &Ward, token: &str, wait: Duration, meanwhile: impl AsyncFnOnce(&Ward)) -> Reply {
    let (first, rest) = tokio::sync::oneshot::channel::<()>();
    let text = observation(&ward.patient).to_string();
    let chunks = futures_util::stream::once(async move {
        let _ = rest.await;
        Ok::<_, std::convert::Infallible>(Bytes::from(text))
    });
    let request = Request::builder()
        .method("POST")
        .uri("/fhir/Observation")
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/fhir+json")
        .body(Body::from_stream(chunks))
        .unwrap();
    let mut sending = std::pin::pin!(ward.world.send(request));
    // The request is decided about, and waits for its body.
    for _ in 0..10 {
        let waited = tokio::time::timeout(Duration::from_millis(5), &mut sending).await;
        assert!(waited.is_err(), "it waits for its body");
    }
    meanwhile(ward).await;
    ward.world.clock.advance(wait);
    first.send(()).unwrap();
    sending.await
}

/// Attack: somebody who is being locked out begins a request, and sends its body when they are.
#[tokio::test]
async fn attack_a_slow_body_does_not_outlive_the_right_to_send_it() {
    let ward = Ward::new().await;
    slowly(&ward, &ward.physician, Duration::from_millis(500), async |_: &Ward| {}).await.expect(201);
    slowly(&ward, &ward.physician, Duration::from_secs(60), async |_: &Ward| {}).await.expect(201);
    let denied = async |ward: &Ward| {
        ward.consent(json!({"decision": "permit", "provisions": [{"decision": "deny", "classes": ["Observation"]}]}))
            .await;
    };
    slowly(&ward, &ward.physician, Duration::from_secs(60), denied).await.expect(409);
    let me = ward.account(&ward.physician).await;
    let locked = async |ward: &Ward| {
        let path = format!("/api/v1/admin/users/{me}/lock");
        ward.world.call("POST", &path, &ward.admin, &[], None).await.expect(200);
    };
    slowly(&ward, &ward.physician, Duration::from_secs(60), locked).await.expect(401);
}
