use iris_kernel::Clock as _;
use iris_testkit::{Authenticator, totp_code};

use super::*;

const PATH: &str = "/api/v1/auth/patient-login";
const BORN: &str = "1985-05-15";

/// A patient with a telephone and an address, and the token of who made them.
async fn patient(world: &World) -> (String, String) {
    let token = world.admin().await;
    let body = json!({"first_name": "Jane", "last_name": "Doe", "date_of_birth": BORN, "phone": "(202) 555-0143",
        "email": "jane@home.example"});
    let made = world.post("/api/v1/patients", &token, body).await.expect(201);
    (made.json()["id"].as_str().unwrap().to_owned(), token)
}

fn who(id: &str, born: &str) -> Value {
    json!({"patient_id": id, "date_of_birth": born})
}

fn with_code(id: &str, born: &str, code: &str, challenge: Option<&str>) -> Value {
    let mut body = who(id, born);
    body["verification_code"] = json!(code);
    if let Some(challenge) = challenge {
        body["challenge"] = json!(challenge);
    }
    body
}

fn wrong(code: &str) -> String {
    let number: u64 = code.parse().unwrap();
    format!("{:08}", (number + 1) % 100_000_000)
}

#[tokio::test]
async fn a_patient_signs_in_by_a_code_to_their_own_record_for_a_short_time() {
    let world = World::new();
    let letters = world.boxed();
    let (id, admin) = patient(&world).await;
    let other = world.patient(&admin, "John", "Roe").await;
    let asked = world.post(PATH, "", who(&id, BORN)).await.expect(202).json();
    assert_eq!(asked["expires_in"], 600);
    let text = letters.one(&world).await;
    assert_eq!(text.to, "+12025550143");
    assert!(!text.text.contains("Jane") && !text.text.contains("Doe"), "{}", text.text);
    let code = text.code();
    let body = with_code(&id, BORN, &code, asked["challenge"].as_str());
    let tokens = world.post(PATH, "", body.clone()).await.expect(200).json();
    assert_eq!((&tokens["passkey_offer"], &tokens["user"]["roles"]), (&json!(true), &json!(["patient"])));
    assert_eq!(tokens["session"]["idle_seconds"], 1_800);
    let access = tokens["access_token"].as_str().unwrap();
    world.get(&format!("/api/v1/patients/{id}"), access).await.expect(200);
    world.get(&format!("/api/v1/patients/{other}"), access).await.expect(404);
    world.get("/api/v1/audit/logs", access).await.expect(403);
    // A code is good once.
    world.post(PATH, "", body).await.expect(401);
    // The next time it is the same account, whether the question is named or not.
    world.clock.advance(LATER);
    world.post(PATH, "", who(&id, BORN)).await.expect(202);
    let code = letters.one(&world).await.code();
    let again = world.post(PATH, "", with_code(&id, BORN, &code, None)).await.expect(200).json();
    assert_eq!(again["user"]["id"], tokens["user"]["id"]);
    // Two hours and it is over, however it is used.
    let mut refresh = again["refresh_token"].clone();
    for _ in 0..5 {
        world.clock.advance(Duration::from_secs(1_500));
        let reply = world.post("/api/v1/auth/refresh", "", json!({"refresh_token": refresh})).await;
        refresh = if reply.status == 200 { reply.json()["refresh_token"].clone() } else { Value::Null };
    }
    assert!(refresh.is_null(), "a portal session outlived two hours");
    log_is_clean(&world, &world.user("ada", Role::Auditor, None).await, &[code]).await;
}

#[tokio::test]
async fn attack_enumeration_nobody_learns_who_is_a_patient_or_when_they_were_born() {
    let world = World::new();
    let letters = world.boxed();
    let (id, _) = patient(&world).await;
    let mut answers = Vec::new();
    for (id, born) in [(id.as_str(), BORN), (id.as_str(), "1985-05-16"), ("nobody", BORN), ("x.y-z", "1900-01-01")] {
        answers.push(seen(&world.post(PATH, "", who(id, born)).await));
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]) && answers[0].0 == 202, "{answers:#?}");
    // A wrong date of birth costs the patient no message.
    let code = letters.one(&world).await.code();
    let mut refusals = Vec::new();
    for (id, born, code) in
        [(id.as_str(), "1985-05-16", code.clone()), (id.as_str(), BORN, wrong(&code)), ("nobody", BORN, code.clone())]
    {
        let reply = world.post(PATH, "", with_code(id, born, &code, None)).await.expect(401);
        refusals.push((seen(&reply), reply.json()["detail"].clone()));
    }
    assert!(refusals.windows(2).all(|pair| pair[0] == pair[1]), "{refusals:#?}");
    // In the same time, whether there is a code to be guessed or not.
    let mut times = Vec::new();
    for id in [id.as_str(), "nobody"] {
        world.clock.advance(LATER);
        world.post(PATH, "", who(id, BORN)).await.expect(202);
        world.deliver().await;
        times.push(
            median(4, async |_| {
                world.post(PATH, "", with_code(id, BORN, "00000000", None)).await.expect(401);
            })
            .await,
        );
    }
    alike(times[0], times[1]);
}

#[tokio::test]
async fn attack_brute_force_a_code_dies_after_five_tries_and_the_right_one_is_too_late() {
    let world = World::new();
    let letters = world.boxed();
    let (id, _) = patient(&world).await;
    let asked = world.post(PATH, "", who(&id, BORN)).await.expect(202).json();
    let challenge = asked["challenge"].as_str().unwrap();
    let code = letters.one(&world).await.code();
    // All at once: no more than five are compared.
    let guesses = (0..20).map(|_| world.post(PATH, "", with_code(&id, BORN, &wrong(&code), Some(challenge))));
    let replies = futures_util::future::join_all(guesses).await;
    assert!(replies.iter().all(|reply| [401, 409, 429].contains(&reply.status.as_u16())));
    world.clock.advance(Duration::from_secs(301));
    world.post(PATH, "", with_code(&id, BORN, &code, Some(challenge))).await.expect(401);
    // The patient asks anew, and nothing of the attack is in the way.
    world.clock.advance(LATER);
    let asked = world.post(PATH, "", who(&id, BORN)).await.expect(202).json();
    let code = letters.one(&world).await.code();
    world.post(PATH, "", with_code(&id, BORN, &code, asked["challenge"].as_str())).await.expect(200);
}

#[tokio::test]
async fn attack_old_codes_and_codes_of_another_question_are_refused() {
    let world = World::new();
    let letters = world.boxed();
    let (id, _) = patient(&world).await;
    let first = world.post(PATH, "", who(&id, BORN)).await.expect(202).json();
    let of_first = letters.one(&world).await.code();
    let second = world.post(PATH, "", who(&id, BORN)).await.expect(202).json();
    let of_second = letters.one(&world).await.code();
    assert_ne!(of_first, of_second);
    let (first, second) = (first["challenge"].as_str(), second["challenge"].as_str());
    world.post(PATH, "", with_code(&id, BORN, &of_first, second)).await.expect(401);
    // Whoever asked in the patient's name has not spoiled the code that the patient got before.
    world.post(PATH, "", with_code(&id, BORN, &of_first, first)).await.expect(200);
    world.clock.advance(Duration::from_secs(601));
    world.post(PATH, "", with_code(&id, BORN, &of_second, second)).await.expect(401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn attack_race_of_two_with_the_same_code_one_gets_in() {
    let world = World::new();
    let letters = world.boxed();
    let (id, _) = patient(&world).await;
    let asked = world.post(PATH, "", who(&id, BORN)).await.expect(202).json();
    let code = letters.one(&world).await.code();
    let body = with_code(&id, BORN, &code, asked["challenge"].as_str());
    let replies = futures_util::future::join_all((0..4).map(|_| world.post(PATH, "", body.clone()))).await;
    assert_eq!(replies.iter().filter(|reply| reply.status == 200).count(), 1);
}

#[tokio::test]
async fn attack_flooding_a_patient_gets_few_texts_and_faults_come_all_at_once() {
    let world = World::new();
    let letters = world.boxed();
    let (id, _) = patient(&world).await;
    for _ in 0..10 {
        world.post(PATH, "", who(&id, BORN)).await.expect(202);
        world.deliver().await;
        world.clock.advance(Duration::from_secs(120));
    }
    assert_eq!(letters.all().len(), 3);
    let reply =
        world.post(PATH, "", json!({"patient_id": 1, "date_of_birth": "1985", "challenge": "x", "pin": 1})).await;
    assert_eq!(problem_pointers(&reply.expect(422)).len(), 4);
}

/// Asks for a code and shows it.
async fn enter(world: &World, letters: &Letters, id: &str) -> Reply {
    let asked = world.post(PATH, "", who(id, BORN)).await.expect(202).json();
    let code = letters.one(world).await.code();
    world.post(PATH, "", with_code(id, BORN, &code, asked["challenge"].as_str())).await
}

/// Makes a passkey for the bearer; gives its recovery codes.
async fn passkey(world: &World, token: &str) -> Value {
    let begun = world.post("/api/v1/auth/passkeys/register", token, json!({})).await.expect(200).json();
    let credential = Authenticator::new("phone").make(&begun["public_key"], BASE);
    let body = json!({"ceremony": begun["ceremony"], "credential": credential, "name": "phone"});
    world.post("/api/v1/auth/passkeys/register", token, body).await.expect(201).json()["recovery_codes"].clone()
}

#[tokio::test]
async fn attack_sim_swap_a_portal_with_a_passkey_is_not_opened_by_a_code_alone() {
    let world = World::new();
    let letters = world.boxed();
    let (id, _) = patient(&world).await;
    let first = enter(&world, &letters, &id).await.expect(200).json();
    let codes = passkey(&world, first["access_token"].as_str().unwrap()).await;
    let told = letters.one(&world).await;
    assert_eq!(told.to, "+12025550143", "the patient hears of it where codes go");
    assert!(told.text.contains("was added") && told.text.len() < 200, "{}", told.text);
    world.clock.advance(LATER);
    let asked = enter(&world, &letters, &id).await.expect(200).json();
    assert_eq!(
        (&asked["mfa_required"], &asked["factors"], &asked["access_token"]),
        (&json!(true), &json!(["recovery_code", "passkey"]), &Value::Null)
    );
    let body = json!({"challenge": asked["challenge"], "recovery_code": codes[0]});
    let given = world.post("/api/v1/auth/mfa/verify", "", body).await.expect(200).json();
    let access = given["access_token"].as_str().unwrap();
    world.get(&format!("/api/v1/patients/{id}"), access).await.expect(200);
    assert_eq!(given["user"]["id"], first["user"]["id"]);
}

#[tokio::test]
async fn where_patients_need_a_second_factor_a_code_alone_opens_the_own_account_and_no_record() {
    let world = World::new();
    let letters = world.boxed();
    let (id, _) = patient(&world).await;
    let stored = world.identity.policies().policy_read(&world.on_accounts(Read, Tenant::DEFAULT)).unwrap();
    let policy = iris_access::TenantPolicy { mfa_roles: vec!["patient".to_owned()], ..stored.policy };
    let permit = world.on_accounts(Update, Tenant::DEFAULT);
    world.identity.policies().policy_change(&permit, stored.version, policy).await.unwrap().unwrap();
    let given = enter(&world, &letters, &id).await.expect(200).json();
    assert_eq!(given["must"], json!(["mfa_setup"]));
    let access = given["access_token"].as_str().unwrap();
    let record = format!("/api/v1/patients/{id}");
    world.get(&record, access).await.expect(403);
    passkey(&world, access).await;
    world.get(&record, access).await.expect(200);
}

#[tokio::test]
async fn attack_around_the_side_a_code_opens_no_record_whose_patient_has_an_account_with_a_second_factor() {
    let world = World::new();
    let letters = world.boxed();
    let (id, _) = patient(&world).await;
    let token = world.user("jane", Role::Patient, Some(&id)).await;
    enter(&world, &letters, &id).await.expect(200);
    let setup = world.post("/api/v1/auth/mfa/setup", &token, json!({})).await.expect(200).json();
    let code = totp_code(setup["secret"].as_str().unwrap(), world.clock.now());
    world.post("/api/v1/auth/mfa/verify", &token, json!({"code": code})).await.expect(200);
    letters.came(&world).await;
    world.clock.advance(LATER);
    let refused = enter(&world, &letters, &id).await.expect(409).json();
    assert!(refused["detail"].as_str().unwrap().contains("second factor"), "{refused}");
    // Who has shown nothing learns nothing of it.
    world.clock.advance(LATER);
    world.post(PATH, "", with_code(&id, BORN, "00000000", None)).await.expect(401);
    // The factor is lost, and the administrator takes it away.
    let jane = world.get("/api/v1/auth/me", &token).await.expect(200).json()["id"].as_str().unwrap().parse().unwrap();
    let permit = world.on_accounts(Update, Tenant::DEFAULT);
    world.identity.user_factors_reset(&permit, jane).await.unwrap();
    letters.came(&world).await;
    world.clock.advance(Duration::from_secs(7_200));
    enter(&world, &letters, &id).await.expect(200);
}

#[tokio::test]
async fn attack_persistence_a_portal_session_gives_its_account_no_address_and_so_no_password() {
    let world = World::new();
    let letters = world.boxed();
    let (id, _) = patient(&world).await;
    let given = enter(&world, &letters, &id).await.expect(200).json();
    let access = given["access_token"].as_str().unwrap();
    for body in [json!({"email": "thief@evil.example"}), json!({"phone": "+12025550199"})] {
        world.call("PUT", "/api/v1/auth/profile", access, &[], Some(body)).await.expect(409);
    }
    world.call("PUT", "/api/v1/auth/profile", access, &[], Some(json!({"language": "es"}))).await.expect(200);
    assert!(letters.came(&world).await.is_empty());
}
