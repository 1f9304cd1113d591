//! Passkeys, made and shown by an authenticator in software, and every way around them that an attacker tries. Each `attack_` names
//! one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

mod common;

use std::sync::Arc;

use common::factor_refused as refused;
use common::{PASSWORD, World, origin, secret};
use iris_access::{AccessError, Caller, Factor, Origin, Role};
use iris_audit::{Action, Outcome};
use iris_identity::factors::{Ceremony, FactorKind, NewPasskeyView, PASSKEYS_MAX, Site, TICKET_LIFE};
use iris_identity::{Identity, Keeping, Login, Tokens};
use iris_kernel::Tenant;
use iris_testkit::Authenticator;
use serde_json::{Value, json};

const ORIGIN: &str = "https://iris.test";

fn site() -> Site {
    Site::of(ORIGIN).unwrap()
}

async fn caller(identity: &Identity, tokens: &Tokens) -> Arc<Caller> {
    identity.authenticate(tokens.access.expose(), Origin::default()).await.unwrap()
}

/// Makes an account and signs it in by its password.
async fn person(world: &World, name: &str) -> Arc<Caller> {
    world.user(Tenant::DEFAULT, name, &[Role::Nurse]).await;
    let given = world.login(name).await;
    caller(&world.identity, &given).await
}

fn json_of(value: &Value) -> Vec<u8> {
    value.to_string().into_bytes()
}

async fn take(world: &World, me: &Caller, begun: &Ceremony, made: &Value) -> Result<NewPasskeyView, AccessError> {
    let end = (begun.token.expose().as_str(), &*json_of(made));
    world.identity.passkey_register(me, &site(), end, "phone").await
}

/// Makes a passkey for somebody.
async fn passkey(world: &World, me: &Caller, name: &str) -> (Authenticator, NewPasskeyView) {
    let mut authenticator = Authenticator::new(name);
    let begun = world.identity.passkey_register_begin(me, &site()).await.unwrap();
    let made = authenticator.make(&begun.options, ORIGIN);
    let view = take(world, me, &begun, &made).await.unwrap();
    (authenticator, view)
}

async fn finish(identity: &Identity, begun: &Ceremony, shown: &Value) -> Result<Tokens, AccessError> {
    let end = (begun.token.expose().as_str(), &*json_of(shown));
    identity.passkey_login(&site(), end, Keeping::Program, &origin("10.0.0.1")).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_passkey_is_made_shown_named_and_taken_away() {
    let world = World::new();
    let me = person(&world, "nora").await;
    let begun = world.identity.passkey_register_begin(&me, &site()).await.unwrap();
    let options = &begun.options;
    assert_eq!(options["rp"]["id"], "iris.test");
    assert_eq!(options["authenticatorSelection"]["userVerification"], "required");
    assert_eq!(options["authenticatorSelection"]["residentKey"], "required");
    assert_eq!(options["attestation"], "none");
    let (mut authenticator, view) = passkey(&world, &me, "phone").await;
    assert_eq!(view.recovery_codes.len(), 10, "the first factor comes with a way back in");
    let (_, second) = passkey(&world, &me, "laptop").await;
    assert!(second.recovery_codes.is_empty());
    let options = world.identity.passkey_register_begin(&me, &site()).await.unwrap().options;
    assert_eq!(options["excludeCredentials"].as_array().unwrap().len(), 2);
    // Of anybody, and of one who is named; on another node than where it began.
    let another = world.another();
    for name in [None, Some("NORA")] {
        let begun = world.identity.passkey_ask(Tenant::DEFAULT, name, &site());
        assert_eq!(begun.options["allowCredentials"], json!([]));
        let shown = authenticator.show(&begun.options, ORIGIN);
        let given = finish(&another.identity, &begun, &shown).await.unwrap();
        assert_eq!(given.profile.name, "nora");
        assert_eq!(caller(&world.identity, &given).await.factor, Some(Factor::Passkey));
    }
    // The password alone no longer does.
    let from = origin("10.0.0.1");
    let login =
        world.identity.login(Tenant::DEFAULT, "nora", &secret(PASSWORD), Keeping::Program, &from).await.unwrap();
    let Login::Challenge(challenge) = login else { panic!("signed in by a password alone") };
    assert_eq!(challenge.factors, [FactorKind::RecoveryCode, FactorKind::Passkey]);
    let renamed = world.identity.passkey_rename(&me, view.passkey.id, "old phone").await.unwrap();
    assert_eq!(renamed.name, "old phone");
    assert!(renamed.used.is_some());
    world.identity.passkey_remove(&me, view.passkey.id).await.unwrap();
    assert!(matches!(world.identity.passkey_remove(&me, view.passkey.id).await, Err(AccessError::NotFound(_))));
    let begun = world.identity.passkey_ask(Tenant::DEFAULT, None, &site());
    let shown = authenticator.show(&begun.options, ORIGIN);
    refused(finish(&world.identity, &begun, &shown).await);
    world.identity.passkey_remove(&me, second.passkey.id).await.unwrap();
    assert_eq!(world.identity.factors_mine(&me).await.unwrap().recovery_codes_left, 0);
    world.login("nora").await;
    let entries = world.entries(Tenant::DEFAULT).await;
    let count = |action| {
        entries.iter().filter(|(happened, outcome, _)| (*happened, *outcome) == (action, Outcome::Success)).count()
    };
    assert_eq!((count(Action::FactorAdd), count(Action::FactorRemove)), (2, 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attack_replay_of_a_ceremony() {
    let world = World::new();
    let me = person(&world, "nora").await;
    let (mut authenticator, _) = passkey(&world, &me, "phone").await;
    authenticator.step = 0;
    authenticator.counter = 0;
    let begun = world.identity.passkey_ask(Tenant::DEFAULT, None, &site());
    let shown = authenticator.show(&begun.options, ORIGIN);
    finish(&world.identity, &begun, &shown).await.unwrap();
    refused(finish(&world.identity, &begun, &shown).await);
    refused(finish(&world.another().identity, &begun, &shown).await);
    let again = authenticator.show(&begun.options, ORIGIN);
    refused(finish(&world.identity, &begun, &again).await);
    // The answer to one challenge for another.
    let other = world.identity.passkey_ask(Tenant::DEFAULT, None, &site());
    refused(finish(&world.identity, &other, &shown).await);
    // Too late.
    let late = world.identity.passkey_ask(Tenant::DEFAULT, None, &site());
    let shown = authenticator.show(&late.options, ORIGIN);
    world.advance(TICKET_LIFE.as_secs());
    refused(finish(&world.identity, &late, &shown).await);
    // A ceremony that made a passkey makes no second one.
    let begun = world.identity.passkey_register_begin(&me, &site()).await.unwrap();
    let made = Authenticator::new("one").make(&begun.options, ORIGIN);
    take(&world, &me, &begun, &made).await.unwrap();
    let made = Authenticator::new("two").make(&begun.options, ORIGIN);
    assert!(take(&world, &me, &begun, &made).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn attack_race_one_ceremony_opens_one_session() {
    let world = World::new();
    let me = person(&world, "nora").await;
    let (mut authenticator, _) = passkey(&world, &me, "phone").await;
    let another = world.another();
    let begun = Arc::new(world.identity.passkey_ask(Tenant::DEFAULT, None, &site()));
    let shown = authenticator.show(&begun.options, ORIGIN);
    let tasks: Vec<_> = (0..12)
        .map(|n| {
            let identity = Arc::clone(if n % 2 == 0 { &world.identity } else { &another.identity });
            let (begun, shown) = (Arc::clone(&begun), shown.clone());
            tokio::spawn(async move { finish(&identity, &begun, &shown).await.is_ok() })
        })
        .collect();
    let mut opened = 0;
    for task in tasks {
        opened += usize::from(task.await.unwrap());
    }
    assert_eq!(opened, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attack_phishing_another_site_origin_or_frame() {
    let world = World::new();
    let me = person(&world, "nora").await;
    let (mut authenticator, _) = passkey(&world, &me, "phone").await;
    let ask = || world.identity.passkey_ask(Tenant::DEFAULT, None, &site());
    for evil in
        ["https://evil.test", "https://iris.test.evil.test", "http://iris.test", "https://iris.test:8443", "null"]
    {
        let begun = ask();
        let shown = authenticator.show(&begun.options, evil);
        refused(finish(&world.identity, &begun, &shown).await);
        let begun = world.identity.passkey_register_begin(&me, &site()).await.unwrap();
        let made = Authenticator::new(evil).make(&begun.options, evil);
        assert!(take(&world, &me, &begun, &made).await.is_err());
    }
    authenticator.site = Some("evil.test".to_owned());
    let begun = ask();
    let shown = authenticator.show(&begun.options, ORIGIN);
    refused(finish(&world.identity, &begun, &shown).await);
    authenticator.site = None;
    for said in
        [("crossOrigin", json!(true)), ("topOrigin", json!("https://evil.test")), ("type", json!("webauthn.create"))]
    {
        authenticator.said = vec![said];
        let begun = ask();
        let shown = authenticator.show(&begun.options, ORIGIN);
        refused(finish(&world.identity, &begun, &shown).await);
    }
    authenticator.said.clear();
    // A ceremony that began at another address of the installation.
    let elsewhere = Site::of("https://other.test").unwrap();
    let begun = world.identity.passkey_ask(Tenant::DEFAULT, None, &elsewhere);
    let mut options = begun.options.clone();
    options["rpId"] = json!("iris.test");
    let shown = authenticator.show(&options, ORIGIN);
    refused(finish(&world.identity, &begun, &shown).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attack_no_person_a_copy_or_a_forged_signature() {
    let world = World::new();
    let me = person(&world, "nora").await;
    let (mut authenticator, _) = passkey(&world, &me, "phone").await;
    let ask = || world.identity.passkey_ask(Tenant::DEFAULT, None, &site());
    // Nobody was verified.
    authenticator.verifies = false;
    let begun = ask();
    let shown = authenticator.show(&begun.options, ORIGIN);
    refused(finish(&world.identity, &begun, &shown).await);
    let begun = world.identity.passkey_register_begin(&me, &site()).await.unwrap();
    let mut careless = Authenticator::new("careless");
    careless.verifies = false;
    let made = careless.make(&begun.options, ORIGIN);
    assert!(matches!(take(&world, &me, &begun, &made).await, Err(AccessError::Invalid(_))));
    authenticator.verifies = true;
    // A copy counts on its own: whichever comes second is refused.
    let begun = ask();
    let shown = authenticator.show(&begun.options, ORIGIN);
    finish(&world.identity, &begun, &shown).await.unwrap();
    authenticator.counter -= 1;
    let begun = ask();
    let shown = authenticator.show(&begun.options, ORIGIN);
    refused(finish(&world.identity, &begun, &shown).await);
    // Another key under the same id.
    let mut forger = Authenticator::new("phone");
    (forger.user_handle, forger.counter) = (authenticator.user_handle.clone(), 1_000);
    let begun = ask();
    let shown = forger.show(&begun.options, ORIGIN);
    refused(finish(&world.identity, &begun, &shown).await);
    // A flag that says it has become one that may be copied.
    authenticator.counter = 2_000;
    authenticator.flags = 1 << 3;
    let begun = ask();
    let shown = authenticator.show(&begun.options, ORIGIN);
    refused(finish(&world.identity, &begun, &shown).await);
    authenticator.flags = 0;
    // Any changed byte of what was signed.
    let begun = ask();
    let shown = authenticator.show(&begun.options, ORIGIN);
    for member in ["clientDataJSON", "authenticatorData", "signature"] {
        let mut changed = shown.clone();
        let mut text: Vec<char> = changed["response"][member].as_str().unwrap().chars().collect();
        text[20] = if text[20] == 'A' { 'B' } else { 'A' };
        changed["response"][member] = json!(text.into_iter().collect::<String>());
        refused(finish(&world.identity, &begun, &changed).await);
    }
    let entries = world.entries(Tenant::DEFAULT).await;
    assert!(entries.iter().any(|(action, _, told)| *action == Action::LoginFailure && told.contains("a copy")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attack_passkey_or_ceremony_of_another_user_or_tenant() {
    let world = World::new();
    let (nora, mallory) = (person(&world, "nora").await, person(&world, "mallory").await);
    let (mut theirs, _) = passkey(&world, &mallory, "mallory's").await;
    let (mut noras, _) = passkey(&world, &nora, "nora's").await;
    // A ceremony for nora, answered by mallory's passkey, also when it says it is nora's.
    let begun = world.identity.passkey_ask(Tenant::DEFAULT, Some("nora"), &site());
    let shown = theirs.show(&begun.options, ORIGIN);
    refused(finish(&world.identity, &begun, &shown).await);
    let own = std::mem::replace(&mut theirs.user_handle, noras.user_handle.clone());
    let shown = theirs.show(&begun.options, ORIGIN);
    refused(finish(&world.identity, &begun, &shown).await);
    theirs.user_handle = own;
    // A ceremony to make a passkey for nora, ended by mallory, and the passkey of nora once more for mallory.
    let begun = world.identity.passkey_register_begin(&nora, &site()).await.unwrap();
    let made = Authenticator::new("evil").make(&begun.options, ORIGIN);
    assert!(take(&world, &mallory, &begun, &made).await.is_err());
    let begun = world.identity.passkey_register_begin(&mallory, &site()).await.unwrap();
    let made = Authenticator::new("nora's").make(&begun.options, ORIGIN);
    assert!(matches!(take(&world, &mallory, &begun, &made).await, Err(AccessError::Taken(_))));
    // Another session of nora's.
    let begun = world.identity.passkey_register_begin(&nora, &site()).await.unwrap();
    let mut elsewhere = (*nora).clone();
    elsewhere.session = mallory.session;
    let made = Authenticator::new("elsewhere").make(&begun.options, ORIGIN);
    assert!(take(&world, &elsewhere, &begun, &made).await.is_err());
    // A ceremony of one purpose for the other.
    let making = world.identity.passkey_register_begin(&nora, &site()).await.unwrap();
    let mut options = making.options.clone();
    options["rpId"] = json!("iris.test");
    let shown = noras.show(&options, ORIGIN);
    refused(finish(&world.identity, &making, &shown).await);
    // Another tenant.
    let other = world.identity.tenant_create(&World::create(Tenant::PLATFORM), "other").await.unwrap();
    let begun = world.identity.passkey_ask(Tenant(other.number), None, &site());
    let shown = noras.show(&begun.options, ORIGIN);
    refused(finish(&world.identity, &begun, &shown).await);
    let begun = world.identity.passkey_ask(Tenant(77), None, &site());
    let shown = noras.show(&begun.options, ORIGIN);
    refused(finish(&world.identity, &begun, &shown).await);
    // Step-up with somebody else's.
    let begun = world.identity.passkey_ask(Tenant::DEFAULT, None, &site());
    let shown = json_of(&theirs.show(&begun.options, ORIGIN));
    let end = (begun.token.expose().as_str(), shown.as_slice());
    assert!(matches!(world.identity.step_up_by_passkey(&nora, &site(), end).await, Err(AccessError::Invalid(_))));
    let begun = world.identity.passkey_ask(Tenant::DEFAULT, None, &site());
    let shown = json_of(&noras.show(&begun.options, ORIGIN));
    let end = (begun.token.expose().as_str(), shown.as_slice());
    world.identity.step_up_by_passkey(&nora, &site(), end).await.unwrap();
    assert!(world.identity.step_up_by_passkey(&nora, &site(), end).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attack_enumeration_a_ceremony_for_nobody_looks_like_any_other() {
    let world = World::new();
    let nora = person(&world, "nora").await;
    passkey(&world, &nora, "phone").await;
    let begun = |name: &str| world.identity.passkey_ask(Tenant::DEFAULT, Some(name), &site());
    let (there, nobody) = (begun("nora"), begun("nobody"));
    assert_eq!(there.token.expose().len(), nobody.token.expose().len());
    let shape = |ceremony: &Ceremony| {
        let mut options = ceremony.options.clone();
        options["challenge"] = Value::Null;
        options
    };
    assert_eq!(shape(&there), shape(&nobody));
    // What stands for the name is the same each time for both, so that asking twice tells nothing either.
    let about = |ceremony: &Ceremony| ceremony.token.expose()[..30].to_owned();
    assert_eq!(about(&begun("nora")), about(&there));
    assert_eq!(about(&begun("nobody")), about(&nobody));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn passkeys_are_bounded_and_what_is_no_answer_is_refused() {
    let world = World::new();
    let me = person(&world, "nora").await;
    for bad in ["", "{}", "[]", "null", "{\"type\":\"public-key\"}", &"[".repeat(10_000)] {
        let begun = world.identity.passkey_register_begin(&me, &site()).await.unwrap();
        let end = (begun.token.expose().as_str(), bad.as_bytes());
        let made = world.identity.passkey_register(&me, &site(), end, "phone").await;
        assert!(matches!(made, Err(AccessError::Invalid(_))), "{bad:.20}");
        let begun = world.identity.passkey_ask(Tenant::DEFAULT, None, &site());
        let end = (begun.token.expose().as_str(), bad.as_bytes());
        let from = origin("10.0.0.7");
        refused(world.identity.passkey_login(&site(), end, Keeping::Program, &from).await);
    }
    let begun = world.identity.passkey_register_begin(&me, &site()).await.unwrap();
    let made = json_of(&Authenticator::new("named").make(&begun.options, ORIGIN));
    for name in ["", "  ", "a\nb", &"x".repeat(101)] {
        let end = (begun.token.expose().as_str(), made.as_slice());
        let result = world.identity.passkey_register(&me, &site(), end, name).await;
        assert!(matches!(result, Err(AccessError::Invalid(_))), "{name:?}");
    }
    for number in 0..PASSKEYS_MAX {
        passkey(&world, &me, &number.to_string()).await;
    }
    assert!(matches!(world.identity.passkey_register_begin(&me, &site()).await, Err(AccessError::Refused(_))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_a_role_asks_for_a_second_factor_a_passkey_is_one_and_the_last_one_stays() {
    let world = World::new();
    world.mfa_roles(&["nurse"]).await;
    let me = person(&world, "nora").await;
    assert!(me.limited.is_some());
    let (mut authenticator, view) = passkey(&world, &me, "phone").await;
    let begun = world.identity.passkey_ask(Tenant::DEFAULT, None, &site());
    let shown = authenticator.show(&begun.options, ORIGIN);
    let given = finish(&world.identity, &begun, &shown).await.unwrap();
    assert_eq!(given.must, None);
    let result = world.identity.passkey_remove(&me, view.passkey.id).await;
    assert!(matches!(result, Err(AccessError::Refused(_))));
}
