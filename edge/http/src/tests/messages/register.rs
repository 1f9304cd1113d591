use super::*;

const REGISTER: &str = "/api/v1/auth/register";
const VERIFY: &str = "/api/v1/auth/verify-email";

fn wish(name: &str, email: &str) -> Value {
    json!({"username": name, "email": email, "password": NEW_PASSWORD, "display_name": "Otto O."})
}

#[tokio::test]
async fn somebody_registers_where_the_tenant_lets_them_and_gets_the_role_user() {
    let world = World::new();
    let letters = world.boxed();
    let closed = world.post(REGISTER, "", wish("otto", "otto@home.example")).await.expect(403);
    let elsewhere =
        json!({"username": "otto", "email": "otto@home.example", "password": NEW_PASSWORD, "tenant": "elsewhere"});
    let nowhere = world.post(REGISTER, "", elsewhere).await.expect(403);
    assert_eq!(closed.json()["detail"], nowhere.json()["detail"]);
    world.open_registration().await;
    let reply =
        world.call("POST", REGISTER, "", &[("accept-language", "es")], Some(wish("otto", "otto@home.example"))).await;
    assert_eq!(reply.expect(202).json(), json!({"accepted": true}));
    let mail = letters.one(&world).await;
    assert_eq!((mail.to.as_str(), mail.subject.as_str()), ("otto@home.example", "Confirme su dirección de correo"));
    assert!(
        mail.text.contains(&format!("{BASE}/app/verify-email#token=")) && !mail.text.contains("Otto"),
        "{}",
        mail.text
    );
    // Nothing is made before the link is used.
    world.login("otto", NEW_PASSWORD).await.expect(401);
    world.post(VERIFY, "", json!({"token": mail.token()})).await.expect(204);
    world.post(VERIFY, "", json!({"token": mail.token()})).await.expect(422);
    let tokens = world.login("Otto", NEW_PASSWORD).await.expect(200).json();
    assert_eq!(tokens["user"]["roles"], json!(["user"]));
    let access = tokens["access_token"].as_str().unwrap();
    world.get("/api/v1/patients", access).await.expect(403);
    let me = world.get("/api/v1/auth/me", access).await.expect(200).json();
    assert_eq!((&me["email_verified"], &me["display_name"]), (&json!(true), &json!("Otto O.")));
    // Messages go on in the language in which the account was asked for.
    world.post("/api/v1/auth/reset-password", "", json!({"username": "otto", "language": "en"})).await.expect(202);
    assert_eq!(letters.one(&world).await.subject, "Establezca una contraseña nueva");
}

#[tokio::test]
async fn attack_enumeration_a_registration_says_nothing_about_names_and_addresses_in_use() {
    let world = World::new();
    let letters = world.boxed();
    world.invited(&letters, "nora", "nora@clinic.example").await;
    world.open_registration().await;
    let wishes =
        [wish("otto", "otto@home.example"), wish("nora", "other@home.example"), wish("third", "Nora@clinic.example")];
    let mut answers = Vec::new();
    for body in wishes {
        answers.push(seen(&world.post(REGISTER, "", body).await));
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]) && answers[0].0 == 202, "{answers:#?}");
    let came = letters.came(&world).await;
    let of = |to: &str| came.iter().find(|mail| mail.to.eq_ignore_ascii_case(to)).unwrap().clone();
    assert_eq!(came.len(), 3);
    assert!(of("otto@home.example").text.contains("#token="));
    // Only who reads the mail learns it, and gets no link.
    assert!(of("other@home.example").text.contains("user name that is in use"));
    assert!(of("nora@clinic.example").text.contains("has one already"));
    assert!(!of("other@home.example").text.contains("#token=") && !of("nora@clinic.example").text.contains("#token="));
    let mut times = Vec::new();
    for name in ["nora", "nobody"] {
        times.push(
            median(5, async |number| {
                world.post(REGISTER, "", wish(name, &format!("{name}{number}@home.example"))).await.expect(202);
            })
            .await,
        );
    }
    alike(times[0], times[1]);
}

#[tokio::test]
async fn attack_two_who_want_one_name_the_first_to_prove_an_address_gets_it() {
    let world = World::new();
    let letters = world.boxed();
    world.open_registration().await;
    world.post(REGISTER, "", wish("otto", "one@home.example")).await.expect(202);
    world.post(REGISTER, "", wish("OTTO", "two@home.example")).await.expect(202);
    let came = letters.came(&world).await;
    let token = |to: &str| came.iter().find(|mail| mail.to == to).unwrap().token();
    world.post(VERIFY, "", json!({"token": token("two@home.example")})).await.expect(204);
    world.post(VERIFY, "", json!({"token": token("one@home.example")})).await.expect(409);
    world.login("otto", NEW_PASSWORD).await.expect(200);
}

#[tokio::test]
async fn what_is_wrong_with_a_registration_comes_all_at_once_and_costs_no_mail() {
    let world = World::new();
    let letters = world.boxed();
    world.open_registration().await;
    let reply = world.post(REGISTER, "", json!({"username": "o", "email": "x", "role": "admin"})).await.expect(422);
    let mut pointers = problem_pointers(&reply);
    pointers.sort();
    assert_eq!(pointers, ["/email", "/password", "/role"]);
    // A name that is somebody else's address would catch what is meant for them; a password of one's own name is none.
    let body =
        json!({"username": "nora@clinic.example", "email": "otto@home.example", "password": "otto@home.example"});
    let reply = world.post(REGISTER, "", body).await.expect(422);
    assert_eq!(problem_pointers(&reply), ["/username", "/password"]);
    assert!(letters.came(&world).await.is_empty());
}

#[tokio::test]
async fn attack_flooding_the_log_a_closed_door_answers_a_source_so_often_and_writes_no_more() {
    let world = World::new();
    let mut answers = Vec::new();
    for number in 0..40 {
        answers
            .push(world.post(REGISTER, "", wish("otto", &format!("otto{number}@home.example"))).await.status.as_u16());
    }
    assert_eq!(answers.iter().filter(|status| **status == 403).count(), 30);
    assert!(answers[30..].iter().all(|status| *status == 429), "{answers:?}");
}

#[tokio::test]
async fn a_registration_that_was_asked_for_in_time_comes_to_nothing_once_the_door_is_closed() {
    let world = World::new();
    let letters = world.boxed();
    world.open_registration().await;
    world.post(REGISTER, "", wish("otto", "otto@home.example")).await.expect(202);
    let token = letters.one(&world).await.token();
    let stored = world.identity.policies().policy_read(&world.on_accounts(Read, Tenant::DEFAULT)).unwrap();
    let closed = iris_access::TenantPolicy { self_registration: false, ..stored.policy };
    let permit = world.on_accounts(Update, Tenant::DEFAULT);
    world.identity.policies().policy_change(&permit, stored.version, closed).await.unwrap().unwrap();
    world.post(VERIFY, "", json!({"token": token})).await.expect(422);
    world.login("otto", NEW_PASSWORD).await.expect(401);
}
