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
