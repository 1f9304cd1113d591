use std::time::Duration;

use iris_access::Role;
use iris_identity::{PageSessions, REFRESH_RETRY};
use serde_json::{Value, json};

use super::{PASSWORD, Reply, World};

const LOGIN: &str = "/api/v1/auth/login";
const REFRESH: &str = "/api/v1/auth/refresh";
const LOGOUT: &str = "/api/v1/auth/logout";

/// What a browser has of us: the cookie's value.
fn cookie(reply: &Reply) -> String {
    let line = reply.header("set-cookie");
    line.strip_prefix("iris_session=").unwrap().split(';').next().unwrap().to_owned()
}

async fn sign_in(world: &World, name: &str) -> Reply {
    let body = json!({"username": name, "password": PASSWORD, "session": "cookie"});
    world.call("POST", LOGIN, "", &[("sec-fetch-site", "same-origin")], Some(body)).await
}

async fn refresh(world: &World, cookie: &str) -> Reply {
    let line = format!("other=1; iris_session={cookie}");
    let headers = [("cookie", line.as_str()), ("x-iris-session", "cookie"), ("sec-fetch-site", "same-origin")];
    world.call("POST", REFRESH, "", &headers, Some(json!({}))).await
}

fn bearer(reply: &Reply) -> String {
    reply.json()["access_token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_refresh_token_of_a_page_is_in_a_cookie_that_no_script_reads() {
    let world = World::new();
    world.user("nora", Role::Nurse, None).await;
    let signed = sign_in(&world, "nora").await.expect(200);
    let line = signed.header("set-cookie").to_owned();
    let (_, flags) = line.split_once("; ").unwrap();
    assert_eq!(flags, "Path=/api/v1/auth; Max-Age=900; HttpOnly; SameSite=Strict");
    let body = signed.json();
    assert!(body.get("refresh_token").is_none() && !String::from_utf8_lossy(&signed.body).contains("irt1_"));
    let pages = PageSessions::default();
    assert_eq!(body["session"]["idle_seconds"], pages.idle.as_secs());
    let ends = iris_kernel::Timestamp::parse(body["session"]["expires_at"].as_str().unwrap()).unwrap();
    assert_eq!(ends.since(iris_kernel::Clock::now(&*world.clock)), pages.life);
    assert_eq!(body["expires_in"], pages.idle.as_secs(), "no access token outlives the idle time");
    let me = world.get("/api/v1/auth/me", &bearer(&signed)).await.expect(200).json();
    assert_eq!(me["session_id"], body["session"]["id"]);
    let fresh = refresh(&world, &cookie(&signed)).await.expect(200);
    assert_ne!(cookie(&fresh), cookie(&signed));
    assert!(fresh.json().get("refresh_token").is_none());
    assert_eq!(fresh.json()["session"], body["session"]);
    // A program's session says how long it lasts as well.
    let body = json!({"username": "nora", "password": PASSWORD});
    let program = world.post(LOGIN, "", body).await.expect(200);
    assert_eq!(program.header("set-cookie"), "");
    assert_eq!(program.json()["session"]["idle_seconds"], 30 * 86_400);
}

#[tokio::test]
async fn behind_tls_the_cookie_is_secure() {
    let world = World::at("https://iris.test");
    world.user("nora", Role::Nurse, None).await;
    let signed = sign_in(&world, "nora").await.expect(200);
    assert!(signed.header("set-cookie").ends_with("; HttpOnly; SameSite=Strict; Secure"));
    let fresh = refresh(&world, &cookie(&signed)).await.expect(200);
    assert!(fresh.header("set-cookie").ends_with("; Secure"));
}

#[tokio::test]
async fn another_site_uses_no_cookie() {
    let world = World::new();
    world.user("nora", Role::Nurse, None).await;
    let held = cookie(&sign_in(&world, "nora").await.expect(200));
    let line = format!("iris_session={held}");
    let base = [("cookie", line.as_str()), ("x-iris-session", "cookie"), ("host", "iris.test")];
    let refused: [&[(&str, &str)]; 5] = [
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
        &[("sec-fetch-site", "cross-site"), ("origin", "http://iris.test")],
        &[("origin", "http://evil.test")],
        &[("origin", "null")],
    ];
    let login = json!({"username": "nora", "password": PASSWORD, "session": "cookie"});
    for more in refused {
        let headers = [&base[..], more].concat();
        let reply = world.call("POST", REFRESH, "", &headers, Some(json!({}))).await.expect(403);
        assert_eq!(reply.header("set-cookie"), "", "what is refused for its origin changes nothing in the browser");
        let reply = world.call("POST", LOGIN, "", &headers, Some(login.clone())).await.expect(403);
        assert_eq!(reply.header("set-cookie"), "");
    }
    // Without the header that only our pages send, the cookie counts for nothing.
    let reply = world.call("POST", REFRESH, "", &[("cookie", &line)], Some(json!({}))).await.expect(422);
    assert_eq!(reply.json()["errors"][0]["pointer"], "/refresh_token");
    let mut held = held;
    let good: [&[(&str, &str)]; 4] =
        [&[], &[("sec-fetch-site", "none")], &[("origin", "http://iris.test")], &[("sec-fetch-site", "same-origin")]];
    for more in good {
        let line = format!("iris_session={held}");
        let mut headers = vec![("cookie", line.as_str()), ("x-iris-session", "cookie"), ("host", "iris.test")];
        headers.extend(more);
        held = cookie(&world.call("POST", REFRESH, "", &headers, Some(json!({}))).await.expect(200));
    }
}

#[tokio::test]
async fn a_page_that_reloads_amid_a_refresh_goes_on_and_a_thief_does_not() {
    let world = World::new();
    world.user("nora", Role::Nurse, None).await;
    let first = cookie(&sign_in(&world, "nora").await.expect(200));
    let second = refresh(&world, &first).await.expect(200);
    world.clock.advance(REFRESH_RETRY - Duration::from_secs(1));
    let again = refresh(&world, &first).await.expect(200);
    assert_eq!(cookie(&again), cookie(&second), "the same successor");
    let third = refresh(&world, &cookie(&again)).await.expect(200);
    world.clock.advance(REFRESH_RETRY);
    let stolen = refresh(&world, &cookie(&again)).await.expect(401);
    assert!(stolen.header("set-cookie").starts_with("iris_session=; Path=/api/v1/auth; Max-Age=0; HttpOnly"));
    refresh(&world, &cookie(&third)).await.expect(401);
    world.get("/api/v1/auth/me", &bearer(&third)).await.expect(401);
}

#[tokio::test]
async fn an_idle_session_is_over_and_a_used_one_is_over_in_the_end() {
    let world = World::new();
    let admin = world.admin().await;
    world.user("nora", Role::Nurse, None).await;
    let PageSessions { idle, life } = PageSessions::default();
    let second = Duration::from_secs(1);
    let signed = sign_in(&world, "nora").await.expect(200);
    world.clock.advance(idle);
    world.get("/api/v1/auth/me", &bearer(&signed)).await.expect(401);
    let late = refresh(&world, &cookie(&signed)).await.expect(401);
    assert!(late.header("set-cookie").contains("Max-Age=0"));
    refresh(&world, &cookie(&signed)).await.expect(401);
    let log = world.get("/audit/logs?action=session.expire", &admin).await.expect(200).json();
    assert_eq!(log["items"].as_array().unwrap().len(), 1, "said once");
    assert_eq!(log["items"][0]["detail"], "the session was idle for too long");

    let mut reply = sign_in(&world, "nora").await.expect(200);
    let mut lived = Duration::ZERO;
    while lived + idle - second < life {
        world.clock.advance(idle - second);
        lived += idle - second;
        reply = refresh(&world, &cookie(&reply)).await.expect(200);
        let left = (life - lived).min(idle).as_secs();
        assert_eq!(reply.json()["expires_in"], left);
        assert!(reply.header("set-cookie").contains(&format!("; Max-Age={left};")));
    }
    world.clock.advance(life - lived);
    refresh(&world, &cookie(&reply)).await.expect(401);
    world.get("/api/v1/auth/me", &bearer(&reply)).await.expect(401);
}

#[tokio::test]
async fn signing_out_ends_the_session_and_clears_the_cookie() {
    let world = World::new();
    world.user("nora", Role::Nurse, None).await;
    let signed = sign_in(&world, "nora").await.expect(200);
    let headers = [("x-iris-session", "cookie")];
    let out = world.call("POST", LOGOUT, &bearer(&signed), &headers, Some(json!({}))).await.expect(204);
    assert_eq!(out.header("set-cookie"), "iris_session=; Path=/api/v1/auth; Max-Age=0; HttpOnly; SameSite=Strict");
    refresh(&world, &cookie(&signed)).await.expect(401);
    world.get("/api/v1/auth/me", &bearer(&signed)).await.expect(401);
}

/// The page's access token may have run out, or never have been there: a reload begins with the cookie alone.
#[tokio::test]
async fn signing_out_needs_no_token_where_the_cookie_is() {
    let world = World::new();
    let admin = world.admin().await;
    world.user("nora", Role::Nurse, None).await;
    for token in ["", "not.a.token"] {
        let signed = sign_in(&world, "nora").await.expect(200);
        let line = format!("iris_session={}", cookie(&signed));
        world.call("POST", LOGOUT, token, &[("cookie", &line)], None).await.expect(401);
        let foreign = [("cookie", line.as_str()), ("x-iris-session", "cookie"), ("sec-fetch-site", "cross-site")];
        world.call("POST", LOGOUT, token, &foreign, None).await.expect(403);
        world.get("/api/v1/auth/me", &bearer(&signed)).await.expect(200);
        let headers = [("cookie", line.as_str()), ("x-iris-session", "cookie"), ("sec-fetch-site", "same-origin")];
        let out = world.call("POST", LOGOUT, token, &headers, Some(json!({}))).await.expect(204);
        assert!(out.header("set-cookie").starts_with("iris_session=; "));
        world.get("/api/v1/auth/me", &bearer(&signed)).await.expect(401);
        refresh(&world, &cookie(&signed)).await.expect(401);
        // Once more, and with nothing at all: the browser has no session afterwards, which is what was asked for.
        world.call("POST", LOGOUT, token, &headers, None).await.expect(204);
        world.call("POST", LOGOUT, token, &headers[1..], None).await.expect(204);
    }
    let log = world.get("/audit/logs?action=logout", &admin).await.expect(200).json();
    assert_eq!(log["items"].as_array().unwrap().len(), 2, "each end is said once: {log}");
    assert_eq!(log["items"][0]["user_name"], "nora");
    world.call("POST", LOGOUT, "", &[], None).await.expect(401);
}

#[tokio::test]
async fn a_program_s_session_is_not_ended_by_a_cookie() {
    let world = World::new();
    world.user("nora", Role::Nurse, None).await;
    let program = world.post(LOGIN, "", json!({"username": "nora", "password": PASSWORD})).await.expect(200).json();
    let line = format!("iris_session={}", program["refresh_token"].as_str().unwrap());
    let headers = [("cookie", line.as_str()), ("x-iris-session", "cookie")];
    world.call("POST", LOGOUT, "", &headers, None).await.expect(204);
    world.post(REFRESH, "", json!({"refresh_token": program["refresh_token"]})).await.expect(200);
}

/// One browser, one session: nobody could ever end the one that the new cookie hides.
#[tokio::test]
async fn signing_in_ends_the_session_that_the_browser_had() {
    let world = World::new();
    let admin = world.admin().await;
    world.user("nora", Role::Nurse, None).await;
    world.user("paul", Role::Physician, None).await;
    let nora = sign_in(&world, "nora").await.expect(200);
    let line = format!("iris_session={}", cookie(&nora));
    let headers = [("sec-fetch-site", "same-origin"), ("cookie", line.as_str())];
    let mut body = json!({"username": "paul", "password": "wrong and wrong", "session": "cookie"});
    let refused = world.call("POST", LOGIN, "", &headers, Some(body.clone())).await.expect(401);
    assert_eq!(refused.header("set-cookie"), "");
    world.get("/api/v1/auth/me", &bearer(&nora)).await.expect(200);
    body["password"] = json!(PASSWORD);
    let paul = world.call("POST", LOGIN, "", &headers, Some(body)).await.expect(200);
    world.get("/api/v1/auth/me", &bearer(&nora)).await.expect(401);
    refresh(&world, &cookie(&nora)).await.expect(401);
    refresh(&world, &cookie(&paul)).await.expect(200);
    let log = world.get("/audit/logs?action=logout", &admin).await.expect(200).json();
    assert_eq!(log["items"][0]["user_name"], "nora");
    assert!(log["items"][0]["detail"].as_str().unwrap().contains("another sign-in"), "{log}");
}

/// The address that callers use is a setting that may be missing; what the browser says of itself is enough.
#[tokio::test]
async fn the_cookie_of_a_page_that_came_over_tls_is_secure() {
    let world = World::new();
    world.user("nora", Role::Nurse, None).await;
    let body = json!({"username": "nora", "password": PASSWORD, "session": "cookie"});
    let over_tls: [&[(&str, &str)]; 2] = [
        &[("origin", "https://iris.test"), ("host", "iris.test")],
        &[("sec-fetch-site", "same-origin"), ("x-forwarded-proto", "https")],
    ];
    for headers in over_tls {
        let signed = world.call("POST", LOGIN, "", headers, Some(body.clone())).await.expect(200);
        assert!(signed.header("set-cookie").ends_with("; Secure"), "{headers:?}");
    }
    let headers = [("origin", "http://iris.test"), ("host", "iris.test"), ("x-forwarded-proto", "http")];
    let signed = world.call("POST", LOGIN, "", &headers, Some(body)).await.expect(200);
    assert!(signed.header("set-cookie").ends_with("; SameSite=Strict"));
}

#[tokio::test]
async fn what_is_neither_cookie_nor_body_is_refused() {
    let world = World::new();
    world.user("nora", Role::Nurse, None).await;
    let held = cookie(&sign_in(&world, "nora").await.expect(200));
    let program = world.post(LOGIN, "", json!({"username": "nora", "password": PASSWORD})).await.expect(200).json();
    let line = format!("iris_session={held}");
    let two = format!("iris_session={held}; iris_session=x");
    let theirs = format!("iris_session={}", program["refresh_token"].as_str().unwrap());
    type Case<'a> = (&'a [(&'a str, &'a str)], Value, u16);
    let cases: [Case<'_>; 11] = [
        (&[("x-iris-session", "body"), ("cookie", &line)], json!({}), 400),
        (&[("x-iris-session", "cookie"), ("cookie", &line)], json!({"refresh_token": "x"}), 422),
        (&[("x-iris-session", "cookie"), ("cookie", &line)], json!({"more": 1}), 422),
        (&[("x-iris-session", "cookie"), ("cookie", &line)], json!([]), 422),
        (&[("x-iris-session", "cookie"), ("cookie", &two)], json!({}), 401),
        (&[("x-iris-session", "cookie"), ("cookie", "iris_session=")], json!({}), 401),
        (&[("x-iris-session", "cookie")], json!({}), 204),
        (&[("x-iris-session", "cookie"), ("cookie", "other=1")], json!({}), 204),
        (&[("x-iris-session", "cookie"), ("cookie", "iris_session=irt1_x")], json!({}), 401),
        // What was given to a program is not taken from a browser, and the reverse; neither session ends for it.
        (&[("x-iris-session", "cookie"), ("cookie", &theirs)], json!({}), 401),
        (&[], json!({"refresh_token": held}), 401),
    ];
    for (headers, body, status) in cases {
        world.call("POST", REFRESH, "", headers, Some(body)).await.expect(status);
    }
    refresh(&world, &held).await.expect(200);
    world.post(REFRESH, "", json!({"refresh_token": program["refresh_token"]})).await.expect(200);
    for session in [json!("body"), json!(true), json!("")] {
        let body = json!({"username": "nora", "password": PASSWORD, "session": session});
        let reply = world.post(LOGIN, "", body).await.expect(422);
        assert_eq!(reply.json()["errors"][0]["pointer"], "/session");
    }
}
