//! Attacks on signing in and on tokens, as they come over HTTP; each test names one. What is below HTTP is attacked where it stands:
//! tokens in `iris-identity` (`token_tests.rs`), guessing in its `tests/lockout.rs`, factors in its `tests/factors.rs`.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::future::join_all;
use iris_access::{Caller, Create, Facts, Named, Role, decide};
use iris_identity::{FirstPassword, NewAccount};
use iris_kernel::{Clock, Tenant};
use iris_testkit::totp_code;
use serde_json::{Value, json};

use super::{BASE, PASSWORD, Reply, World};

const LOGIN: &str = "/api/v1/auth/login";
const REFRESH: &str = "/api/v1/auth/refresh";
const VERIFY: &str = "/api/v1/auth/mfa/verify";

/// What somebody sees of an answer who compares it with another: all of it but the marks of the request.
fn seen(reply: &Reply) -> (u16, Vec<(String, String)>, String) {
    let passing = ["x-correlation-id", "x-process-time", "date"];
    let headers = reply.headers.iter().filter(|(name, _)| !passing.contains(&name.as_str()));
    let headers = headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
    let mut body = reply.json();
    body.as_object_mut().unwrap().remove("correlation_id");
    (reply.status.as_u16(), headers, body.to_string())
}

async fn sign_in(world: &World, name: &str, password: &str) -> Reply {
    world.post(LOGIN, "", json!({"username": name, "password": password})).await
}

fn encode(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

/// Tokens made from an honest one, as somebody makes them who has no key.
fn forged(token: &str, public: &Value) -> Vec<(&'static str, String)> {
    let parts: Vec<&str> = token.split('.').collect();
    let read = |part: &str| serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
    let (header, claims) = (read(parts[0]), read(parts[1]));
    let with = |of: &Value, name: &str, value: Value| {
        let mut changed = of.clone();
        changed[name] = value;
        encode(&changed)
    };
    let none = with(&header, "alg", json!("none"));
    let keyed = with(&with_value(&header, "alg", json!("HS256")), "jwk", public.clone());
    let doubled = claims.to_string().replacen('{', "{\"tenant\":2,", 1);
    let late = with(&claims, "exp", json!(9_999_999_999_i64));
    vec![
        ("none", format!("{none}.{}.", parts[1])),
        ("none, signed all the same", format!("{none}.{}.{}", parts[1], parts[2])),
        ("confusion", format!("{}.{}.{}", with(&header, "alg", json!("HS256")), parts[1], parts[2])),
        ("a key that comes along", format!("{keyed}.{}.{}", parts[1], parts[2])),
        (
            "an address of keys",
            format!("{}.{}.{}", with(&header, "jku", json!("https://evil.test/k")), parts[1], parts[2]),
        ),
        ("a critical header", format!("{}.{}.{}", with(&header, "crit", json!(["exp"])), parts[1], parts[2])),
        (
            "a kid that is a path",
            format!("{}.{}.{}", with(&header, "kid", json!("../../dev/null")), parts[1], parts[2]),
        ),
        ("another role", format!("{}.{}.{}", parts[0], with(&claims, "roles", json!(["admin"])), parts[2])),
        ("another tenant", format!("{}.{}.{}", parts[0], with(&claims, "tenant", json!(2)), parts[2])),
        ("a claim twice", format!("{}.{}.{}", parts[0], URL_SAFE_NO_PAD.encode(doubled), parts[2])),
        ("a later end", format!("{}.{late}.{}", parts[0], parts[2])),
        ("no signature", format!("{}.{}.", parts[0], parts[1])),
        ("two parts", format!("{}.{}", parts[0], parts[1])),
        ("four parts", format!("{token}.{}", parts[2])),
        ("padding", format!("{token}=")),
        ("oversized", format!("{token}{}", "A".repeat(iris_identity::ACCESS_BYTES_MAX))),
    ]
}

fn with_value(of: &Value, name: &str, value: Value) -> Value {
    let mut changed = of.clone();
    changed[name] = value;
    changed
}

#[tokio::test]
async fn attack_forged_tokens_are_all_refused_alike() {
    let world = World::new();
    let token = world.admin().await;
    let public = world.get("/.well-known/jwks.json", "").await.expect(200).json()["keys"][0].clone();
    let garbage = seen(&world.get("/api/v1/patients", "garbage").await.expect(401));
    for (attack, forged) in forged(&token, &public) {
        let refused = world.get("/api/v1/patients", &forged).await;
        assert_eq!(seen(&refused), garbage, "{attack}");
        assert_eq!(world.get("/fhir/Patient", &forged).await.status, 401, "{attack}");
    }
    world.get("/api/v1/patients", &token).await.expect(200);
}

/// The attack is confusion of what a token is for: everything else that the server gives out, shown as an access token, and an access
/// token shown where something else is asked for.
#[tokio::test]
async fn attack_a_token_of_another_kind_or_in_another_place_opens_nothing() {
    let world = World::new();
    world.user("nora", Role::Nurse, None).await;
    let tokens = sign_in(&world, "nora", PASSWORD).await.expect(200).json();
    let text = |name: &str| tokens[name].as_str().unwrap().to_owned();
    let access = text("access_token");
    let setup = world.post("/api/v1/auth/mfa/setup", &access, json!({})).await.expect(200).json();
    let code = totp_code(setup["secret"].as_str().unwrap(), world.clock.now());
    world.post(VERIFY, &access, json!({"code": code})).await.expect(200);
    let challenge = sign_in(&world, "nora", PASSWORD).await.expect(200).json();
    let ceremony = world.post("/api/v1/auth/passkeys/login", "", json!({})).await.expect(200).json();
    let others = [
        text("refresh_token"),
        text("device_token"),
        challenge["challenge"].as_str().unwrap().to_owned(),
        ceremony["ceremony"].as_str().unwrap().to_owned(),
        tokens["session"]["id"].as_str().unwrap().to_owned(),
    ];
    for other in &others {
        world.get("/api/v1/auth/me", other).await.expect(401);
    }
    for wrong in [&access, &others[1], &others[2], &others[3]] {
        let reply = world.post(REFRESH, "", json!({"refresh_token": wrong})).await;
        // What is longer than a refresh token can be is refused by its length.
        assert!([401, 422].contains(&reply.status.as_u16()) && reply.header("set-cookie").is_empty(), "{wrong}");
    }
    for wrong in [&access, &others[0], &others[1], &others[3]] {
        let reply = world.post(VERIFY, "", json!({"challenge": wrong, "code": "123456"})).await;
        assert!([401, 422].contains(&reply.status.as_u16()) && reply.json().get("access_token").is_none(), "{wrong}");
    }
    let places: [(&str, &[(&str, &str)]); 6] = [
        (&format!("/api/v1/auth/me?access_token={access}"), &[]),
        ("/api/v1/auth/me", &[("cookie", &format!("access_token={access}; iris_session={access}"))]),
        ("/api/v1/auth/me", &[("x-access-token", &access)]),
        ("/api/v1/auth/me", &[("authorization", &access)]),
        ("/api/v1/auth/me", &[("authorization", &format!("Token {access}"))]),
        ("/api/v1/auth/me", &[("proxy-authorization", &format!("Bearer {access}"))]),
    ];
    for (path, headers) in places {
        let reply = world.call("GET", path, "", headers, None).await;
        assert!([400, 401].contains(&reply.status.as_u16()), "{path} {headers:?}: {}", reply.status);
    }
    world.get("/api/v1/auth/me", &access).await.expect(200);
}

/// The attack: what stands in front looks at one of two tokens, and the server at the other.
#[tokio::test]
async fn attack_two_authorization_headers_are_none() {
    let world = World::new();
    let (one, two) = (world.user("nora", Role::Nurse, None).await, world.admin().await);
    for pair in [[&one, &two], [&two, &one], [&one, &one]] {
        let mut request = Request::get("/api/v1/auth/me");
        for token in pair {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        world.send(request.body(Body::empty()).unwrap()).await.expect(401);
    }
}

/// Accounts in each state that there is, and names of nobody: who knows no password learns from no answer which is which.
#[tokio::test]
async fn attack_enumeration_a_sign_in_tells_nothing_of_who_has_an_account() {
    let world = World::new();
    let admin = world.admin().await;
    for name in ["plain", "locked", "careful"] {
        world.user(name, Role::Nurse, None).await;
    }
    let system = Arc::new(Caller::system(Tenant::DEFAULT, "test", "c-1"));
    let permit = decide(&system, Create, &Facts::named(Named::Accounts)).unwrap();
    let account = NewAccount {
        name: "old".to_owned(),
        password: FirstPassword::Imported(imported()),
        roles: vec![Role::Nurse.name().to_owned()],
        ..NewAccount::default()
    };
    world.identity.account_create(&permit, account).await.unwrap();
    let users = world.get("/api/v1/admin/users", &admin).await.expect(200).json();
    let locked = users["items"].as_array().unwrap().iter().find(|user| user["username"] == "locked").unwrap();
    let path = format!("/api/v1/admin/users/{}/lock", locked["id"].as_str().unwrap());
    world.call("POST", &path, &admin, &[], None).await.expect(200);
    let careful = sign_in(&world, "careful", PASSWORD).await.expect(200).json()["access_token"].clone();
    let careful = careful.as_str().unwrap();
    let setup = world.post("/api/v1/auth/mfa/setup", careful, json!({})).await.expect(200).json();
    let code = totp_code(setup["secret"].as_str().unwrap(), world.clock.now());
    world.post(VERIFY, careful, json!({"code": code})).await.expect(200);

    let of_tenant =
        |name: &str, tenant: &str| json!({"username": name, "password": "wrong and wrong", "tenant": tenant});
    let mut bodies = ["plain", "locked", "careful", "old", "nobody", "no body\u{202e}"]
        .map(|name| json!({"username": name, "password": "wrong and wrong"}))
        .to_vec();
    bodies.extend([of_tenant("plain", "elsewhere"), of_tenant("stranger", "default")]);
    // From the first try to those that have to wait.
    for round in 0..8 {
        let mut answers = Vec::new();
        for body in &bodies {
            answers.push(seen(&world.post(LOGIN, "", body.clone()).await));
        }
        assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{round}: {answers:#?}");
        assert_eq!(answers[0].0, if round < 5 { 401 } else { 429 }, "{round}");
    }
    // The right password of a locked account is as wrong as any.
    world.clock.advance(Duration::from_secs(3_600));
    let right = seen(&sign_in(&world, "locked", PASSWORD).await);
    assert_eq!(right, seen(&sign_in(&world, "nobody at all", PASSWORD).await));
}

/// A hash of another system that no password here fits.
fn imported() -> iris_identity::imported::Imported {
    const BCRYPT: &str = "$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
    iris_identity::imported::Imported::parse(BCRYPT, "password").unwrap()
}

/// A list of names and leaked passwords, of which the last pair is right, tried from one address.
#[tokio::test]
async fn attack_credential_stuffing_over_http_ends_in_429_before_the_pair_that_fits() {
    let world = World::made(BASE, true);
    world.user("nora", Role::Nurse, None).await;
    world.clock.advance(Duration::from_secs(3_600));
    let stuff = async |name: &str, password: &str, address: &str| {
        let body = json!({"username": name, "password": password});
        world.call("POST", LOGIN, "", &[("x-forwarded-for", address)], Some(body)).await
    };
    let mut checked = 0;
    for number in 0..150 {
        // What the attacker writes in front of the proxy's own word changes nothing.
        let address = format!("10.0.0.{}, 203.0.113.7", number % 250);
        let reply = stuff(&format!("name{number}"), "leaked password", &address).await;
        assert!([401, 429].contains(&reply.status.as_u16()));
        checked += u32::from(reply.status == 401);
    }
    assert!(checked <= 101, "{checked}");
    let refused = stuff("nora", PASSWORD, "10.0.0.1, 203.0.113.7").await.expect(429);
    assert!(refused.header("retry-after").parse::<u64>().unwrap() >= 1);
    stuff("nora", PASSWORD, "198.51.100.1").await.expect(200);
}

/// Names and passwords that products come with. A fresh installation has no account, so none of them opens it.
#[tokio::test]
async fn attack_default_accounts_a_fresh_installation_lets_nobody_in() {
    let world = World::new();
    for name in ["admin", "root", "administrator", "sa", "iris", "system", "test", "demo", "guest", ""] {
        for password in ["admin", "password", "changeme", "iris", name, ""] {
            let reply = sign_in(&world, name, password).await;
            assert!([401, 422, 429].contains(&reply.status.as_u16()), "{name} {password}: {}", reply.status);
            world.clock.advance(Duration::from_secs(600));
        }
    }
    let admin = world.admin().await;
    let users = world.get("/api/v1/admin/users", &admin).await.expect(200).json();
    assert_eq!(users["total"], 1, "nobody but who was just made");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn attack_race_of_a_hundred_refreshes_has_one_successor() {
    let world = World::new();
    world.user("nora", Role::Nurse, None).await;
    let tokens = sign_in(&world, "nora", PASSWORD).await.expect(200).json();
    let body = json!({"refresh_token": tokens["refresh_token"]});
    let replies = join_all((0..100).map(|_| world.post(REFRESH, "", body.clone()))).await;
    let successors: HashSet<String> =
        replies.into_iter().map(|reply| reply.expect(200).json()["refresh_token"].to_string()).collect();
    assert_eq!(successors.len(), 1);
    let successor: Value = serde_json::from_str(successors.iter().next().unwrap()).unwrap();
    let next = world.post(REFRESH, "", json!({"refresh_token": successor})).await.expect(200).json();
    // Whoever comes later with the token that all of them had is a thief, and the session ends.
    world.clock.advance(iris_identity::REFRESH_RETRY);
    world.post(REFRESH, "", body).await.expect(401);
    world.get("/api/v1/auth/me", next["access_token"].as_str().unwrap()).await.expect(401);
}

/// The attack is bypass of the second factor: whoever knows the password alone, and tries every door.
#[tokio::test]
async fn attack_mfa_bypass_no_door_opens_to_the_password_alone() {
    let world = World::new();
    let token = world.user("nora", Role::Nurse, None).await;
    let device = sign_in(&world, "nora", PASSWORD).await.expect(200).json()["device_token"].clone();
    let device = device.as_str().unwrap();
    let setup = world.post("/api/v1/auth/mfa/setup", &token, json!({})).await.expect(200).json();
    let secret = setup["secret"].as_str().unwrap().to_owned();
    let now = json!({"code": totp_code(&secret, world.clock.now())});
    world.post(VERIFY, &token, now).await.expect(200);
    world.clock.advance(Duration::from_secs(30));

    let body = Some(json!({"username": "nora", "password": PASSWORD}));
    for headers in
        [&[][..], &[("x-iris-device", device)], &[("cookie", "mfa=done; iris_device=x")], &[("x-iris-mfa", "ok")]]
    {
        let given = world.call("POST", LOGIN, "", headers, body.clone()).await.expect(200);
        assert!(given.json().get("access_token").is_none() && given.json()["challenge"].is_string());
        assert!(
            given
                .headers
                .get_all("set-cookie")
                .iter()
                .all(|line| !line.to_str().unwrap().starts_with("iris_session=i"))
        );
    }
    // A known device that knows the code says so by being one; what else a sign-in is told to do is refused by name.
    for more in ["code", "mfa", "factor", "remember", "must", "skip_mfa"] {
        let mut body = json!({"username": "nora", "password": PASSWORD});
        body[more] = json!("000000");
        world.post(LOGIN, "", body).await.expect(422);
    }
    let challenge = sign_in(&world, "nora", PASSWORD).await.json()["challenge"].clone();
    let typed = [
        json!(""),
        json!(null),
        json!(true),
        json!(0),
        json!([]),
        json!({"$ne": ""}),
        json!("000000 OR 1=1"),
        json!("%"),
    ];
    for code in typed {
        let reply = world.post(VERIFY, "", json!({"challenge": challenge, "code": code})).await;
        assert!([401, 422, 429].contains(&reply.status.as_u16()), "{code}: {}", reply.status);
    }
    for body in [
        json!({"challenge": challenge}),
        json!({"challenge": challenge, "recovery_code": ""}),
        json!({"code": "000000"}),
    ] {
        let reply = world.post(VERIFY, "", body).await;
        assert!([401, 422, 429].contains(&reply.status.as_u16()), "{}", reply.status);
    }
    for form in
        ["grant_type=password&username=nora&password=x", "grant_type=urn:ietf:params:oauth:grant-type:token-exchange"]
    {
        super::access::token(&world, form, None).await.expect(400);
    }
    // The owner, who has both, comes in.
    world.clock.advance(Duration::from_secs(3_600));
    let fresh = sign_in(&world, "nora", PASSWORD).await.expect(200).json();
    let both = json!({"challenge": fresh["challenge"], "code": totp_code(&secret, world.clock.now())});
    let tokens = world.post(VERIFY, "", both).await.expect(200).json();
    world.get("/api/v1/patients", tokens["access_token"].as_str().unwrap()).await.expect(200);
}

/// What changes something of the own account and asks for a proof of its own in the same request, or is nothing that a thief wants.
const PROVES_ITSELF: [&str; 5] = [
    "POST /api/v1/auth/logout",
    "POST /api/v1/auth/change-password",
    "POST /api/v1/auth/step-up",
    "DELETE /api/v1/auth/mfa/disable",
    "PATCH /api/v1/auth/passkeys/{id}",
];

/// The attack: somebody else's access token, an open screen, with nothing besides.
#[tokio::test]
async fn attack_a_stolen_token_alone_does_nothing_dangerous() {
    let world = World::new();
    let token = world.admin().await;
    world.clock.advance(iris_identity::step_up::STEP_UP_LIFE);
    let mut tried = 0;
    for endpoint in crate::endpoints() {
        let route = format!("{} {}", endpoint.method, endpoint.path);
        let signed_in = !matches!(endpoint.needs, crate::Needs::Nothing);
        if endpoint.path.starts_with("/api/v1/auth/") && endpoint.method != "GET" && signed_in {
            assert_ne!(endpoint.step_up, PROVES_ITSELF.contains(&route.as_str()), "{route}");
        }
        if endpoint.step_up {
            let path = endpoint.path.replace("{id}", "00000000-0000-4000-8000-000000000000").replace("{number}", "1");
            let refused = world.call(endpoint.method.as_str(), &path, &token, &[], Some(json!({}))).await;
            assert_eq!(refused.status, 403, "{route}: {}", String::from_utf8_lossy(&refused.body));
            assert_eq!(refused.json()["error_type"], "step_up_required", "{route}");
            tried += 1;
        }
    }
    assert!(tried >= 20, "{tried}");
    // Nor does it set another password, or take the second factor away, without what it does not have.
    let other = json!({"current_password": "a guess, and wrong", "new_password": "a different horse altogether"});
    world.post("/api/v1/auth/change-password", &token, other).await.expect(422);
    sign_in(&world, "root", PASSWORD).await.expect(200);
}

/// The attack: the slip of paper with the first password, found later, or used by who made the account.
#[tokio::test]
async fn attack_a_first_password_opens_nothing_and_does_not_last() {
    let world = World::new();
    let admin = world.admin().await;
    let made = world.post("/api/v1/admin/users", &admin, json!({"username": "nora", "roles": ["nurse"]})).await;
    let first = made.expect(201).json()["initial_password"].as_str().unwrap().to_owned();
    let given = sign_in(&world, "nora", &first).await.expect(200).json();
    assert_eq!(given["must"], json!(["password_change"]));
    let token = given["access_token"].as_str().unwrap();
    for path in ["/api/v1/patients", "/fhir/Patient", "/api/v1/auth/users", "/api/v1/audit/actions"] {
        let refused = world.get(path, token).await.expect(403);
        let told = String::from_utf8_lossy(&refused.body).to_lowercase();
        assert!(told.contains("password"), "{path}: {told}");
    }
    let same = json!({"current_password": first, "new_password": first});
    world.post("/api/v1/auth/change-password", token, same).await.expect(422);
    let own = json!({"current_password": first, "new_password": "a different horse altogether"});
    world.post("/api/v1/auth/change-password", token, own).await.expect(204);
    world.get("/api/v1/patients", token).await.expect(200);
    sign_in(&world, "nora", &first).await.expect(401);
}
