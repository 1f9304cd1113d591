use super::*;

const ASK: &str = "/api/v1/auth/reset-password";
const SET: &str = "/api/v1/auth/verify-reset";

async fn ask(world: &World, body: Value) -> Reply {
    world.post(ASK, "", body).await
}

#[tokio::test]
async fn somebody_invited_sets_a_password_and_later_another_one() {
    let world = World::new();
    let letters = world.boxed();
    world.invite("nora", "nora@clinic.example").await;
    // An account without a password: nothing fits.
    for password in ["", PASSWORD] {
        assert_ne!(world.login("nora", password).await.status, 200);
    }
    let invitation = letters.one(&world).await;
    assert_eq!((invitation.to.as_str(), invitation.subject.as_str()), ("nora@clinic.example", "Your account is ready"));
    assert!(invitation.text.contains(&format!("{BASE}/app/invitation#token=imt1_")), "{}", invitation.text);
    let set = json!({"token": invitation.token(), "new_password": PASSWORD});
    world.post(SET, "", set).await.expect(204);
    let tokens = world.login("nora", PASSWORD).await.expect(200).json();
    let access = tokens["access_token"].as_str().unwrap();
    let me = world.get("/api/v1/auth/me", access).await.expect(200).json();
    assert_eq!((&me["email"], &me["email_verified"]), (&json!("nora@clinic.example"), &json!(true)));

    for (body, language, subject) in [
        (json!({"username": "NORA"}), "en", "Set a new password"),
        (json!({"email": "Nora@Clinic.example"}), "es-MX", "Establezca una contraseña nueva"),
    ] {
        let reply = world.call("POST", ASK, "", &[("accept-language", language)], Some(body)).await.expect(202);
        assert_eq!(reply.json(), json!({"accepted": true}));
        let mail = letters.one(&world).await;
        assert_eq!((mail.to.as_str(), mail.subject.as_str()), ("nora@clinic.example", subject));
        assert!(!mail.text.contains("nora"), "a mail names nobody: {}", mail.text);
        // A password that is refused spends no link.
        let weak = world.post(SET, "", json!({"token": mail.token(), "new_password": "short"})).await.expect(422);
        assert_eq!(problem_pointers(&weak), ["/new_password"]);
        let password = format!("{NEW_PASSWORD} {language}");
        world.post(SET, "", json!({"token": mail.token(), "new_password": password})).await.expect(204);
        world.login("nora", &password).await.expect(200);
        // She hears of it, in case that it was not her.
        let told = letters.came(&world).await;
        assert!(told.iter().any(|mail| mail.subject == "Your account was changed"), "{told:?}");
    }
    world.login("nora", PASSWORD).await.expect(401);
    // Every session from before is over.
    world.get("/api/v1/auth/me", access).await.expect(401);
    let refresh = json!({"refresh_token": tokens["refresh_token"]});
    world.post("/api/v1/auth/refresh", "", refresh).await.expect(401);
}

#[tokio::test]
async fn attack_enumeration_the_answer_says_nothing_about_who_has_an_account() {
    let world = World::new();
    let letters = world.boxed();
    world.invited(&letters, "nora", "nora@clinic.example").await;
    world.user("otto", Role::Nurse, None).await;
    let bodies = [
        json!({"username": "nora"}),
        json!({"username": "otto"}),
        json!({"username": "nobody"}),
        json!({"email": "nora@clinic.example"}),
        json!({"email": "nobody@clinic.example"}),
        json!({"username": "nora", "tenant": "elsewhere"}),
        json!({"username": "x".repeat(256)}),
    ];
    let mut answers = Vec::new();
    for body in bodies {
        answers.push(seen(&ask(&world, body).await));
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:#?}");
    assert_eq!(answers[0].0, 202);
    // One mail each for the two questions that meant her; nobody else gets any.
    let came = letters.came(&world).await;
    assert!(came.len() == 2 && came.iter().all(|mail| mail.to == "nora@clinic.example"), "{came:?}");
    let mut times = Vec::new();
    for name in ["nora", "nobody"] {
        times.push(
            median(25, async |number| {
                if number % 5 == 0 {
                    world.clock.advance(LATER);
                }
                ask(&world, json!({"username": name})).await.expect(202);
            })
            .await,
        );
    }
    alike(times[0], times[1]);
}

#[tokio::test]
async fn attack_token_guessing_reuse_age_and_another_purpose_are_all_the_same_refusal() {
    let world = World::new();
    let letters = world.boxed();
    world.invited(&letters, "nora", "nora@clinic.example").await;
    world.open_registration().await;
    ask(&world, json!({"username": "nora"})).await.expect(202);
    let (good, too_old) = (letters.one(&world).await.token(), {
        ask(&world, json!({"username": "nora"})).await.expect(202);
        letters.one(&world).await.token()
    });
    let registration = json!({"username": "otto", "email": "otto@home.example", "password": NEW_PASSWORD});
    world.post("/api/v1/auth/register", "", registration).await.expect(202);
    let registered = letters.one(&world).await.token();
    let mut flipped = good.clone().into_bytes();
    flipped[40] = if flipped[40] == b'A' { b'B' } else { b'A' };
    let flipped = String::from_utf8(flipped).unwrap();

    let set = async |token: &str| world.post(SET, "", json!({"token": token, "new_password": NEW_PASSWORD})).await;
    let mut refusals = Vec::new();
    for bad in ["x", "imt1_", flipped.as_str(), registered.as_str()] {
        refusals.push(set(bad).await.expect(422));
    }
    // A link for a password proves no address at the other endpoint.
    refusals.push(world.post("/api/v1/auth/verify-email", "", json!({"token": good})).await.expect(422));
    // After so many the source has to wait; even a good link does then.
    world.post(SET, "", json!({"token": good, "new_password": NEW_PASSWORD})).await.expect(429);
    world.clock.advance(LATER);
    set(&good).await.expect(204);
    letters.came(&world).await;
    refusals.push(set(&good).await.expect(422));
    // The other link of the same account died with the change.
    refusals.push(set(&too_old).await.expect(422));
    ask(&world, json!({"username": "nora"})).await.expect(202);
    let aged = letters.one(&world).await.token();
    world.clock.advance(iris_identity::messages::RESET_LIFE);
    refusals.push(set(&aged).await.expect(422));
    let texts: Vec<Value> = refusals.iter().map(|reply| reply.json()["errors"].clone()).collect();
    assert!(texts.windows(2).all(|pair| pair[0] == pair[1]), "{texts:?}");
    assert_eq!(problem_pointers(&refusals[0]), ["/token"]);
    let secrets = [good, too_old, registered, aged].map(|token| token[10..].to_owned());
    log_is_clean(&world, &world.admin().await, &secrets).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn attack_race_of_redemptions_one_wins() {
    let world = World::new();
    let letters = world.boxed();
    world.invited(&letters, "nora", "nora@clinic.example").await;
    ask(&world, json!({"username": "nora"})).await.expect(202);
    let token = letters.one(&world).await.token();
    let passwords: Vec<String> = (0..10).map(|number| format!("{NEW_PASSWORD} {number}")).collect();
    let tries = passwords.iter().map(|password| world.post(SET, "", json!({"token": token, "new_password": password})));
    let replies = futures_util::future::join_all(tries).await;
    let winners: Vec<usize> =
        replies.iter().enumerate().filter(|(_, reply)| reply.status == 204).map(|(number, _)| number).collect();
    assert_eq!(winners.len(), 1, "{:?}", replies.iter().map(|reply| reply.status).collect::<Vec<_>>());
    assert!(replies.iter().all(|reply| [204, 422, 429].contains(&reply.status.as_u16())));
    world.clock.advance(LATER);
    world.login("nora", &passwords[winners[0]]).await.expect(200);
    world.login("nora", &passwords[(winners[0] + 1) % 10]).await.expect(401);
}

#[tokio::test]
async fn attack_another_tenant_a_link_reaches_only_its_own_account() {
    let world = World::new();
    let letters = world.boxed();
    world.invited(&letters, "nora", "nora@clinic.example").await;
    let permit = world.on_accounts(Create, Tenant::PLATFORM);
    let number = world.identity.tenant_create(&permit, "elsewhere").await.unwrap().number;
    let account = NewAccount {
        name: "nora".to_owned(),
        password: FirstPassword::Invited,
        roles: vec![Role::Nurse.name().to_owned()],
        email: Some("nora@clinic.example".to_owned()),
        ..NewAccount::default()
    };
    world.identity.account_create(&world.on_accounts(Create, Tenant(number)), account).await.unwrap();
    let there = letters.one(&world).await.token();
    world.post(SET, "", json!({"token": there, "new_password": NEW_PASSWORD})).await.expect(204);
    // The namesake here has the password from before, and the one there the new one.
    world.login("nora", NEW_PASSWORD).await.expect(401);
    world.login("nora", PASSWORD).await.expect(200);
    let login = json!({"username": "nora", "password": NEW_PASSWORD, "tenant": "elsewhere"});
    world.post("/auth/login", "", login).await.expect(200);
}

#[tokio::test]
async fn attack_host_header_injection_links_lead_where_the_settings_say() {
    let world = World::new();
    let letters = world.boxed();
    world.invited(&letters, "nora", "nora@clinic.example").await;
    for headers in [
        [("host", "evil.example"), ("x-forwarded-host", "evil.example")],
        [("forwarded", "host=evil.example"), ("x-forwarded-proto", "gopher")],
        [("origin", "https://evil.example"), ("x-original-url", "https://evil.example/")],
    ] {
        world.call("POST", ASK, "", &headers, Some(json!({"username": "nora"}))).await.expect(202);
        let mail = letters.one(&world).await;
        assert!(
            !mail.text.contains("evil") && mail.text.contains(&format!("{BASE}/app/reset#token=")),
            "{}",
            mail.text
        );
    }
}

#[tokio::test]
async fn attack_header_injection_an_address_that_is_more_than_one_is_refused() {
    let world = World::new();
    let letters = world.boxed();
    for email in [
        "a@b.example\r\nBcc: c@d.example",
        "a@b.example,c@d.example",
        "A <a@b.example>",
        "a@b.example\nX: y",
        "a b@c.example",
    ] {
        let reply = ask(&world, json!({"email": email})).await.expect(422);
        assert_eq!(problem_pointers(&reply), ["/email"], "{email:?}");
    }
    let both = ask(&world, json!({"email": "a@b.example", "username": "a", "user": 1})).await.expect(422);
    assert_eq!(both.json()["errors"].as_array().unwrap().len(), 2);
    ask(&world, json!({})).await.expect(422);
    assert!(letters.came(&world).await.is_empty());
}

#[tokio::test]
async fn attack_flooding_a_victim_gets_a_few_mails_and_keeps_a_link_that_works() {
    let world = World::new();
    let letters = world.boxed();
    world.invited(&letters, "nora", "nora@clinic.example").await;
    world.clock.advance(Duration::from_secs(86_400));
    let mut came = Vec::new();
    // One question a minute for an hour, by name and by address in turn.
    for minute in 0..60 {
        let body = if minute % 2 == 0 { json!({"username": "nora"}) } else { json!({"email": "nora@clinic.example"}) };
        ask(&world, body).await.expect(202);
        came.extend(letters.came(&world).await);
        world.clock.advance(Duration::from_secs(59));
    }
    assert_eq!(came.len(), 3, "{came:?}");
    let token = came.last().unwrap().token();
    world.post(SET, "", json!({"token": token, "new_password": NEW_PASSWORD})).await.expect(204);
    // One source asking about everybody is told to wait, whoever it asks about.
    world.clock.advance(LATER);
    let mut statuses = Vec::new();
    for number in 0..40 {
        statuses.push(ask(&world, json!({"username": format!("somebody{number}")})).await.status.as_u16());
    }
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 10, "{statuses:?}");
}

#[tokio::test]
async fn without_a_mail_server_the_public_answer_is_the_same_and_an_invitation_is_refused_loudly() {
    let world = World::new();
    ask(&world, json!({"username": "nora"})).await.expect(202);
    world.deliver().await;
    let account = NewAccount {
        name: "nora".to_owned(),
        roles: vec![Role::Nurse.name().to_owned()],
        email: Some("nora@clinic.example".to_owned()),
        ..NewAccount::default()
    };
    let refused =
        world.identity.account_create(&world.on_accounts(Create, Tenant::DEFAULT), account).await.unwrap_err();
    assert_eq!(refused.kind(), iris_kernel::ErrorKind::MailNotConfigured);
    let row = crate::table(refused.kind());
    assert_eq!((row.status.as_u16(), row.error_type), (503, "mail_not_configured"));
    let admin = world.admin().await;
    world.app.audit.settle();
    let log = world.get("/api/v1/audit/logs?action=message.drop", &admin).await.expect(200).json();
    assert_eq!(log["items"][0]["detail"], "no mail server is set");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_one_node_took_in_another_one_sends_and_a_link_is_redeemed_once_among_them() {
    let Some(nodes) = World::two() else { return };
    let boxes = [nodes[0].boxed(), nodes[1].boxed()];
    nodes[0].invite("nora", "nora@clinic.example").await;
    // The second node knows of it although nobody told it: it looks, or follows the changes.
    nodes[1].identity.messages_find().await.unwrap();
    let mail = boxes[1].one(&nodes[1]).await;
    assert!(boxes[0].came(&nodes[0]).await.is_empty(), "it was sent already");
    let body = json!({"token": mail.token(), "new_password": PASSWORD});
    let (one, other) = tokio::join!(nodes[0].post(SET, "", body.clone()), nodes[1].post(SET, "", body));
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [204, 422]);
    nodes[1].login("nora", PASSWORD).await.expect(200);
}

#[tokio::test]
async fn an_invitation_is_in_the_language_of_the_page_or_of_the_person() {
    let world = World::new();
    let letters = world.boxed();
    let admin = world.admin().await;
    let account = |name: &str| json!({"username": name, "roles": ["nurse"], "email": format!("{name}@clinic.example")});
    let spanish = [("accept-language", "es-MX,es;q=0.9")];
    for (name, language, subject) in [
        ("one", None, "Su cuenta está lista"),
        ("two", Some("en"), "Your account is ready"),
        ("three", Some("es"), "Su cuenta está lista"),
    ] {
        let mut body = account(name);
        if let Some(language) = language {
            body["language"] = json!(language);
        }
        world.call("POST", "/api/v1/admin/users", &admin, &spanish, Some(body)).await.expect(201);
        assert_eq!(letters.one(&world).await.subject, subject, "{name}");
    }
    world.post("/api/v1/admin/users", &admin, account("four")).await.expect(201);
    assert_eq!(letters.one(&world).await.subject, "Your account is ready");
    let mut wrong = account("five");
    wrong["language"] = json!("de");
    let reply = world.post("/api/v1/admin/users", &admin, wrong).await.expect(422);
    assert_eq!(problem_pointers(&reply), ["/language"]);
    // People choose for themselves, too.
    let me = json!({"language": "es"});
    let profile = world.call("PUT", "/api/v1/auth/profile", &admin, &[], Some(me)).await.expect(200).json();
    assert_eq!(profile["language"], "es");
}
