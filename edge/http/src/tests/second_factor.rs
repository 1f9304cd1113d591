//! Second factors as programs and browsers meet them.

use std::sync::Arc;

use iris_access::{Caller, Facts, Named, Role, TenantPolicy, Update, decide};
use iris_kernel::{Clock, Tenant};
use iris_testkit::{Authenticator, totp_code, wrong_totp_code};
use serde_json::{Value, json};

use super::{BASE, PASSWORD, Reply, World};

const LOGIN: &str = "/api/v1/auth/login";
const SETUP: &str = "/api/v1/auth/mfa/setup";
const VERIFY: &str = "/api/v1/auth/mfa/verify";
const DISABLE: &str = "/api/v1/auth/mfa/disable";
const REGISTER: &str = "/api/v1/auth/passkeys/register";
const PASSKEY_LOGIN: &str = "/api/v1/auth/passkeys/login";
const STEP_UP: &str = "/api/v1/auth/step-up";

async fn sign_in(world: &World, name: &str) -> Value {
    world.post(LOGIN, "", json!({"username": name, "password": PASSWORD})).await.expect(200).json()
}

fn bearer(body: &Value) -> String {
    body["access_token"].as_str().unwrap_or_else(|| panic!("{body}")).to_owned()
}

fn pointers(reply: &Reply) -> Vec<String> {
    let body = reply.json();
    body["errors"].as_array().unwrap().iter().map(|fault| fault["pointer"].as_str().unwrap().to_owned()).collect()
}

/// Sets an app up for the bearer; gives its secret and the recovery codes.
async fn app(world: &World, token: &str) -> (String, Vec<String>) {
    let setup = world.post(SETUP, token, json!({})).await.expect(200).json();
    let secret = setup["secret"].as_str().unwrap().to_owned();
    assert!(setup["otpauth_uri"].as_str().unwrap().contains(&secret));
    let code = totp_code(&secret, world.clock.now());
    let codes = world.post(VERIFY, token, json!({"code": code})).await.expect(200).json();
    let codes = codes["recovery_codes"].as_array().unwrap().iter().map(|code| code.as_str().unwrap().to_owned());
    world.clock.advance(std::time::Duration::from_secs(30));
    (secret, codes.collect())
}

/// Makes a passkey for the bearer.
pub(super) async fn passkey(world: &World, token: &str, name: &str) -> (Authenticator, Value) {
    let begun = world.post(REGISTER, token, json!({})).await.expect(200).json();
    let mut authenticator = Authenticator::new(name);
    let credential = authenticator.make(&begun["public_key"], BASE);
    let body = json!({"ceremony": begun["ceremony"], "credential": credential, "name": name});
    let made = world.post(REGISTER, token, body).await.expect(201);
    assert!(made.header("location").ends_with(made.json()["id"].as_str().unwrap()));
    (authenticator, made.json())
}

async fn asked(world: &World, body: Value) -> Value {
    world.post(PASSKEY_LOGIN, "", body).await.expect(200).json()
}

#[tokio::test]
async fn the_second_step_of_a_sign_in_by_app_and_by_recovery_code() {
    let world = World::new();
    let token = world.user("nora", Role::Nurse, None).await;
    let (secret, codes) = app(&world, &token).await;
    assert_eq!(codes.len(), 10);
    let me = world.get("/api/v1/auth/me", &token).await.expect(200).json();
    assert_eq!(me["factors"], json!(["totp", "recovery_code"]));
    let challenge = sign_in(&world, "nora").await;
    assert_eq!(challenge["mfa_required"], true);
    assert_eq!(challenge["factors"], json!(["totp", "recovery_code"]));
    assert_eq!(challenge["expires_in"], 300);
    assert!(challenge.get("access_token").is_none() && challenge.get("user").is_none());
    let wrong = wrong_totp_code(&secret, world.clock.now());
    let body = json!({"challenge": challenge["challenge"], "code": wrong});
    world.post(VERIFY, "", body).await.expect(401);
    let body = json!({"challenge": challenge["challenge"], "code": totp_code(&secret, world.clock.now())});
    let given = world.post(VERIFY, "", body.clone()).await.expect(200).json();
    world.get("/api/v1/auth/me", &bearer(&given)).await.expect(200);
    world.post(VERIFY, "", body).await.expect(401);
    // A page gets its cookie at the second step and nothing at the first.
    let headers = [("sec-fetch-site", "same-origin")];
    let body = json!({"username": "nora", "password": PASSWORD, "session": "cookie"});
    let first = world.call("POST", LOGIN, "", &headers, Some(body)).await.expect(200);
    assert_eq!(first.header("set-cookie"), "");
    let body = json!({"challenge": first.json()["challenge"], "recovery_code": codes[0], "session": "cookie"});
    let cross = [("sec-fetch-site", "cross-site")];
    world.call("POST", VERIFY, "", &cross, Some(body.clone())).await.expect(403);
    let second = world.call("POST", VERIFY, "", &headers, Some(body)).await.expect(200);
    assert!(
        second.headers.get_all("set-cookie").iter().any(|line| line.to_str().unwrap().starts_with("iris_session="))
    );
    assert!(second.json().get("refresh_token").is_none());
    let left = world.get("/api/v1/auth/mfa", &token).await.expect(200).json();
    assert_eq!(left, json!({"totp": true, "recovery_codes_left": 9, "passkeys": 0}));
}

#[tokio::test]
async fn wrong_bodies_are_told_with_every_fault() {
    let world = World::new();
    let token = world.user("nora", Role::Nurse, None).await;
    let reply = world.post(SETUP, &token, json!({"x": 1, "y": 2})).await.expect(422);
    assert_eq!(pointers(&reply), ["/x", "/y"]);
    world.post(SETUP, "", json!({})).await.expect(401);
    let reply = world.post(VERIFY, &token, json!({"recovery_code": "a", "session": "cookie"})).await.expect(422);
    assert_eq!(pointers(&reply), ["/recovery_code", "/session"]);
    let reply = world.post(VERIFY, "", json!({"challenge": "x", "code": "1", "recovery_code": "2"})).await.expect(422);
    assert_eq!(pointers(&reply), ["/recovery_code"]);
    let reply = world.post(VERIFY, "", json!({"challenge": "x", "session": "jar", "z": 1})).await.expect(422);
    assert_eq!(pointers(&reply), ["/z", "/code", "/session"]);
    world.post(VERIFY, "", json!({"challenge": "x", "code": "123456"})).await.expect(401);
    // A confirmation without a token, and one without a set-up.
    world.post(VERIFY, "", json!({"code": "123456"})).await.expect(401);
    let reply = world.post(VERIFY, &token, json!({"code": "123456"})).await.expect(422);
    assert_eq!(pointers(&reply), ["/code"]);
    let reply = world.post(REGISTER, &token, json!({"name": "a"})).await.expect(422);
    assert_eq!(pointers(&reply), ["/name"]);
    let reply = world.post(REGISTER, &token, json!({"ceremony": "a", "name": "a"})).await.expect(422);
    assert_eq!(pointers(&reply), ["/credential"]);
    let reply = world.post(REGISTER, &token, json!({"ceremony": "a", "credential": {}})).await.expect(422);
    assert_eq!(pointers(&reply), ["/name"]);
    let body = json!({"ceremony": "a", "credential": {}, "username": "nora", "tenant": "t"});
    let reply = world.post(PASSKEY_LOGIN, "", body).await.expect(422);
    assert_eq!(pointers(&reply), ["/username", "/tenant"]);
    let reply = world.post(PASSKEY_LOGIN, "", json!({"session": "cookie"})).await.expect(422);
    assert_eq!(pointers(&reply), ["/session"]);
    world.post(PASSKEY_LOGIN, "", json!({"ceremony": "a", "credential": {}})).await.expect(401);
}

#[tokio::test]
async fn a_passkey_signs_in_is_listed_named_and_removed() {
    let world = World::new();
    let token = world.user("nora", Role::Nurse, None).await;
    let (mut authenticator, made) = passkey(&world, &token, "phone").await;
    assert_eq!(made["recovery_codes"].as_array().unwrap().len(), 10);
    let begun = asked(&world, json!({})).await;
    let credential = authenticator.show(&begun["public_key"], BASE);
    let body = json!({"ceremony": begun["ceremony"], "credential": credential});
    let given = world.post(PASSKEY_LOGIN, "", body.clone()).await.expect(200).json();
    assert_eq!(given["user"]["username"], "nora");
    world.post(PASSKEY_LOGIN, "", body).await.expect(401);
    let begun = asked(&world, json!({"username": "nora"})).await;
    let credential = authenticator.show(&begun["public_key"], BASE);
    let body = json!({"ceremony": begun["ceremony"], "credential": credential, "session": "cookie"});
    let headers = [("sec-fetch-site", "same-origin")];
    let page = world.call("POST", PASSKEY_LOGIN, "", &headers, Some(body)).await.expect(200);
    assert!(page.json().get("refresh_token").is_none());
    let token = bearer(&given);
    let listed = world.get("/api/v1/auth/passkeys", &token).await.expect(200).json();
    assert_eq!(listed["items"][0]["name"], "phone");
    assert!(listed["items"][0]["last_used_at"].is_string() && listed["items"][0].get("credential").is_none());
    let id = listed["items"][0]["id"].as_str().unwrap();
    let path = format!("/api/v1/auth/passkeys/{id}");
    let renamed = world.call("PATCH", &path, &token, &[], Some(json!({"name": "old phone"}))).await.expect(200).json();
    assert_eq!(renamed["name"], "old phone");
    let nobody = world.user("mallory", Role::Nurse, None).await;
    world.call("DELETE", &path, &nobody, &[], None).await.expect(404);
    world.call("PATCH", &path, &nobody, &[], Some(json!({"name": "mine"}))).await.expect(404);
    assert_eq!(sign_in(&world, "nora").await["factors"], json!(["recovery_code", "passkey"]));
    world.call("DELETE", &path, &token, &[], None).await.expect(204);
    world.call("DELETE", &path, &token, &[], None).await.expect(404);
    world.call("DELETE", "/api/v1/auth/passkeys/x", &token, &[], None).await.expect(404);
    sign_in(&world, "nora").await["access_token"].as_str().unwrap();
}

#[tokio::test]
async fn where_a_role_asks_for_it_nothing_but_the_own_account_is_open_until_it_is_set_up() {
    let world = World::new();
    world.user("nora", Role::Nurse, None).await;
    let system = Arc::new(Caller::system(Tenant::DEFAULT, "test", "c-1"));
    let permit = decide(&system, Update, &Facts::named(Named::Accounts)).unwrap();
    let policy = TenantPolicy { mfa_roles: vec!["nurse".to_owned()], ..TenantPolicy::default() };
    world.identity.policies().policy_change(&permit, None, policy).await.unwrap().unwrap();
    let given = sign_in(&world, "nora").await;
    assert_eq!(given["must"], json!(["mfa_setup"]));
    let token = bearer(&given);
    for path in ["/api/v1/patients", "/fhir/Patient", "/api/v1/iris/vaccines"] {
        let reply = world.get(path, &token).await;
        assert_eq!(reply.status, 403, "{path}");
    }
    let refused = world.get("/api/v1/patients", &token).await.expect(403).json();
    assert_eq!(refused["error_type"], "mfa_setup_required");
    world.get("/api/v1/auth/me", &token).await.expect(200);
    let (secret, _) = app(&world, &token).await;
    world.get("/api/v1/patients", &token).await.expect(200);
    let code = json!({"code": totp_code(&secret, world.clock.now())});
    world.call("DELETE", DISABLE, &token, &[], Some(code)).await.expect(409);
}

#[tokio::test]
async fn a_fresh_proof_by_code_or_passkey_opens_what_asks_for_one() {
    let world = World::new();
    let token = world.user("nora", Role::Nurse, None).await;
    let (secret, codes) = app(&world, &token).await;
    let (mut authenticator, _) = passkey(&world, &token, "phone").await;
    let stale = async || {
        world.clock.advance(std::time::Duration::from_secs(600));
        let refused = world.post(REGISTER, &token, json!({})).await.expect(403).json();
        assert_eq!(refused["error_type"], "step_up_required");
    };
    stale().await;
    let wrong = json!({"code": wrong_totp_code(&secret, world.clock.now())});
    let reply = world.post(STEP_UP, &token, wrong).await.expect(422);
    assert_eq!(pointers(&reply), ["/code"]);
    world.post(REGISTER, &token, json!({})).await.expect(403);
    let code = json!({"code": totp_code(&secret, world.clock.now())});
    world.post(STEP_UP, &token, code.clone()).await.expect(204);
    world.post(REGISTER, &token, json!({})).await.expect(200);
    world.post(STEP_UP, &token, code).await.expect(422);
    stale().await;
    world.post(STEP_UP, &token, json!({"recovery_code": codes[0]})).await.expect(204);
    world.post(REGISTER, &token, json!({})).await.expect(200);
    stale().await;
    let begun = asked(&world, json!({"username": "nora"})).await;
    let credential = authenticator.show(&begun["public_key"], BASE);
    let body = json!({"ceremony": begun["ceremony"], "credential": credential});
    world.post(STEP_UP, &token, body.clone()).await.expect(204);
    world.post(REGISTER, &token, json!({})).await.expect(200);
    let reply = world.post(STEP_UP, &token, body).await.expect(422);
    assert_eq!(pointers(&reply), ["/credential"]);
    for (body, at) in [
        (json!({}), "/code"),
        (json!({"password": "x", "code": "1"}), "/code"),
        (json!({"ceremony": "x"}), "/credential"),
        (json!({"password": PASSWORD, "ceremony": "x", "credential": {}}), "/ceremony"),
    ] {
        let reply = world.post(STEP_UP, &token, body.clone()).await.expect(422);
        assert_eq!(pointers(&reply), [at], "{body}");
    }
}

#[tokio::test]
async fn attack_brute_force_over_http_ends_in_429() {
    let world = World::new();
    let token = world.user("nora", Role::Nurse, None).await;
    let (secret, _) = app(&world, &token).await;
    let wrong = wrong_totp_code(&secret, world.clock.now());
    let challenge = sign_in(&world, "nora").await;
    for _ in 0..5 {
        let body = json!({"challenge": challenge["challenge"], "code": wrong});
        world.post(VERIFY, "", body).await.expect(401);
    }
    let fresh = sign_in(&world, "nora").await;
    let body = json!({"challenge": fresh["challenge"], "code": totp_code(&secret, world.clock.now())});
    let waits = world.post(VERIFY, "", body).await.expect(429);
    assert!(waits.header("retry-after").parse::<u64>().unwrap() > 1);
    // The set-up and the removal of the signed-in owner share the count.
    let body = json!({"code": wrong});
    world.call("DELETE", DISABLE, &token, &[], Some(body.clone())).await.expect(429);
    world.post(STEP_UP, &token, body).await.expect(429);
}

#[tokio::test]
async fn a_server_without_a_name_makes_no_passkeys_and_the_own_machine_is_localhost() {
    let world = World::at("https://192.0.2.7");
    let token = world.user("nora", Role::Nurse, None).await;
    world.post(REGISTER, &token, json!({})).await.expect(400);
    world.post(PASSKEY_LOGIN, "", json!({})).await.expect(400);
    let world = World::at("http://127.0.0.1:8080");
    let begun = world.post(PASSKEY_LOGIN, "", json!({})).await.expect(200).json();
    assert_eq!(begun["public_key"]["rpId"], "localhost");
}

#[tokio::test]
async fn who_looks_at_security_settings_stands_in_the_log() {
    let world = World::new();
    let token = world.user("nora", Role::Nurse, None).await;
    world.get("/api/v1/auth/mfa", &token).await.expect(200);
    world.get("/api/v1/auth/passkeys", &token).await.expect(200);
    let auditor = world.user("ada", Role::Auditor, None).await;
    world.app.audit.settle();
    let log = world.get("/api/v1/audit/logs?action=user.read", &auditor).await.expect(200).json();
    let told =
        log["items"].as_array().unwrap().iter().filter(|entry| entry["detail"] == "the own second factors were listed");
    assert_eq!(told.count(), 2, "{log}");
}
