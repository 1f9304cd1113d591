//! One's own sessions, password and profile; a fresh proof; devices that are known; keys that change.

use axum::http::StatusCode;
use iris_access::Role;
use iris_identity::step_up::STEP_UP_LIFE;
use serde_json::{Value, json};

use super::{PASSWORD, Reply, World};

const NEW: &str = "a different horse altogether";
const COOKIE: (&str, &str) = ("x-iris-session", "cookie");

async fn sign_in(world: &World, name: &str, headers: &[(&str, &str)]) -> Reply {
    let body = json!({"username": name, "password": PASSWORD});
    world.call("POST", "/api/v1/auth/login", "", headers, Some(body)).await
}

fn access(reply: &Reply) -> String {
    reply.json()["access_token"].as_str().unwrap().to_owned()
}

async fn nora() -> (World, String, String) {
    let world = World::new();
    let here = world.user("nora", Role::Nurse, None).await;
    let there = access(&sign_in(&world, "nora", &[]).await.expect(200));
    (world, here, there)
}

#[tokio::test]
async fn people_list_and_end_their_sessions() {
    let (world, here, there) = nora().await;
    let listed = world.get("/api/v1/auth/sessions", &here).await.expect(200).json();
    let items = listed["items"].as_array().unwrap();
    assert_eq!(items.len(), 2);
    let other = items.iter().find(|item| item["current"] == json!(false)).unwrap();
    assert_eq!(other["factor"], "password");
    let path = format!("/api/v1/auth/sessions/{}", other["id"].as_str().unwrap());
    let stranger = world.user("eve", Role::Nurse, None).await;
    world.call("DELETE", &path, &stranger, &[], None).await.expect(404);
    world.call("DELETE", "/api/v1/auth/sessions/none", &here, &[], None).await.expect(404);
    world.call("DELETE", &path, &here, &[], None).await.expect(204);
    world.get("/api/v1/auth/me", &there).await.expect(401);
    let third = access(&sign_in(&world, "nora", &[]).await.expect(200));
    world.call("DELETE", "/api/v1/auth/sessions", &here, &[], None).await.expect(204);
    world.get("/api/v1/auth/me", &third).await.expect(401);
    world.get("/api/v1/auth/me", &here).await.expect(200);
}

#[tokio::test]
async fn a_password_is_changed_and_what_is_wrong_with_it_is_told() {
    let (world, here, there) = nora().await;
    let change = async |body: Value| world.post("/api/v1/auth/change-password", &here, body).await;
    let faults = |reply: Reply| -> Vec<String> {
        let errors = reply.json()["errors"].as_array().unwrap().clone();
        errors.iter().map(|error| error["pointer"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(faults(change(json!({"new": "x"})).await.expect(422)).len(), 3, "all at once");
    let wrong = change(json!({"current_password": "x", "new_password": NEW})).await.expect(422);
    assert_eq!(faults(wrong), ["/current_password"]);
    let common = change(json!({"current_password": PASSWORD, "new_password": "iloveyou1"})).await.expect(422);
    assert_eq!(faults(common), ["/new_password"]);
    change(json!({"current_password": PASSWORD, "new_password": NEW})).await.expect(204);
    world.get("/api/v1/auth/me", &there).await.expect(401);
    world.get("/api/v1/auth/me", &here).await.expect(200);
    sign_in(&world, "nora", &[]).await.expect(401);
    // A machine has no password, and no sessions.
    let admin = world.admin().await;
    world.get("/api/v1/auth/sessions", &admin).await.expect(200);
}

#[tokio::test]
async fn what_is_dangerous_asks_for_a_fresh_proof() {
    let (world, here, _) = nora().await;
    let rename = async || {
        let body = Some(json!({"display_name": "Nora Berg"}));
        world.call("PUT", "/api/v1/auth/profile", &here, &[], body).await
    };
    let renamed = rename().await.expect(200).json();
    assert_eq!(renamed["display_name"], "Nora Berg");
    world.clock.advance(STEP_UP_LIFE);
    let held = rename().await.expect(403).json();
    assert_eq!(held["error_type"], "step_up_required");
    world.get("/api/v1/auth/sessions", &here).await.expect(200);
    world.call("DELETE", "/api/v1/auth/sessions", &here, &[], None).await.expect(403);
    world.post("/api/v1/auth/step-up", &here, json!({})).await.expect(422);
    world.post("/api/v1/auth/step-up", &here, json!({"password": "wrong"})).await.expect(422);
    rename().await.expect(403);
    world.post("/api/v1/auth/step-up", &here, json!({"password": PASSWORD})).await.expect(204);
    rename().await.expect(200);
    let odd = json!({"email": "no address", "admin": true});
    let refused = world.call("PUT", "/api/v1/auth/profile", &here, &[], Some(odd)).await.expect(422).json();
    assert_eq!(refused["errors"][0]["pointer"], "/admin", "{refused}");
}

#[tokio::test]
async fn a_key_is_replaced_and_nobody_is_signed_out() {
    let world = World::new();
    let admin = world.admin().await;
    let nurse = world.user("nora", Role::Nurse, None).await;
    let before = world.get("/.well-known/jwks.json", "").await.expect(200).json();
    assert_eq!(before["keys"].as_array().unwrap().len(), 1);
    world.call("POST", "/api/v1/keys/rotate", &nurse, &[], None).await.expect(403);
    let made = world.call("POST", "/api/v1/keys/rotate", &admin, &[], None).await.expect(200).json();
    assert_eq!((&made["signing_keys"][0]["active"], &made["signing_keys"][1]["active"]), (&json!(false), &json!(true)));
    assert!(made["signing_keys"][0]["retired_at"].is_string());
    let after = world.get("/.well-known/jwks.json", "").await.expect(200).json();
    assert_eq!(after["keys"].as_array().unwrap().len(), 2);
    assert_eq!(after["keys"][0], before["keys"][0]);
    world.get("/api/v1/auth/me", &nurse).await.expect(200);
    let fresh = access(&sign_in(&world, "nora", &[]).await.expect(200));
    world.get("/api/v1/auth/me", &fresh).await.expect(200);
    world.clock.advance(std::time::Duration::from_secs(2 * 3_600));
    let later = world.get("/.well-known/jwks.json", "").await.expect(200).json();
    assert_eq!(later["keys"].as_array().unwrap().len(), 1, "its last token has run out");
    world.clock.advance(STEP_UP_LIFE);
    let late = world.call("POST", "/api/v1/keys/rotate", &access(&sign_in(&world, "root", &[]).await), &[], None).await;
    late.expect(200);
}

#[tokio::test]
async fn a_known_device_comes_in_while_its_network_is_throttled() {
    let (world, _, _) = nora().await;
    let program = sign_in(&world, "nora", &[]).await.expect(200).json();
    let token = program["device_token"].as_str().unwrap().to_owned();
    let body = json!({"username": "nora", "password": PASSWORD, "session": "cookie"});
    let browser = world.call("POST", "/api/v1/auth/login", "", &[COOKIE], Some(body)).await.expect(200);
    assert!(browser.json().get("device_token").is_none(), "scripts do not see it");
    let cookies: Vec<_> = browser.headers.get_all("set-cookie").iter().map(|c| c.to_str().unwrap()).collect();
    let cookie = cookies.iter().find(|cookie| cookie.starts_with("iris_device=")).unwrap();
    assert!(cookie.contains("HttpOnly; SameSite=Strict") && cookie.contains("Path=/api/v1/auth"), "{cookie}");
    let cookie = cookie.split(';').next().unwrap();
    for _ in 0..8 {
        let body = json!({"username": "nora", "password": "guess"});
        world.post("/api/v1/auth/login", "", body).await;
    }
    sign_in(&world, "nora", &[]).await.expect(429);
    sign_in(&world, "nora", &[("x-iris-device", &token)]).await.expect(200);
    sign_in(&world, "nora", &[("cookie", cookie)]).await.expect(200);
    for forged in ["idv1_AAAA", "idv1_", "x", &"A".repeat(9_000)] {
        assert_eq!(sign_in(&world, "nora", &[("x-iris-device", forged)]).await.status, StatusCode::TOO_MANY_REQUESTS);
    }
}

/// The attack is session fixation: a session that an attacker has put into the browser is not the one that the victim works with
/// after signing in, and what the attacker knows of it is good for nothing.
#[tokio::test]
async fn attack_session_fixation() {
    let (world, _, _) = nora().await;
    world.user("eve", Role::Nurse, None).await;
    let body = |name: &str| Some(json!({"username": name, "password": PASSWORD, "session": "cookie"}));
    let session_of = |reply: &Reply| {
        let all = reply.headers.get_all("set-cookie");
        let found = all.iter().map(|c| c.to_str().unwrap()).find(|c| c.starts_with("iris_session=")).unwrap();
        found.split(';').next().unwrap().to_owned()
    };
    let planted = world.call("POST", "/api/v1/auth/login", "", &[COOKIE], body("eve")).await.expect(200);
    let planted = session_of(&planted);
    let headers = [COOKIE, ("cookie", planted.as_str())];
    let victim = world.call("POST", "/api/v1/auth/login", "", &headers, body("nora")).await.expect(200);
    let own = session_of(&victim);
    assert_ne!(own, planted, "a sign-in takes no session over");
    assert_eq!(victim.json()["user"]["username"], "nora");
    let refreshed = world.call("POST", "/api/v1/auth/refresh", "", &headers, Some(json!({}))).await;
    refreshed.expect(401);
    let headers = [COOKIE, ("cookie", own.as_str())];
    world.call("POST", "/api/v1/auth/refresh", "", &headers, Some(json!({}))).await.expect(200);
}
