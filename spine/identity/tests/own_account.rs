//! What people do with their own account: sessions, a fresh proof, the password, how they are called.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::{PASSWORD, World, origin, refresh_of, secret, signed_in};
use iris_access::{AccessError, Caller, Factor, Facts, Limit, Named, Origin, Role, Update, decide};
use iris_audit::{Action, Outcome};
use iris_identity::imported::Imported;
use iris_identity::open_sessions::SESSIONS_MAX;
use iris_identity::own_account::DISPLAY_NAME_CHARS_MAX;
use iris_identity::step_up::{STEP_UP_LIFE, step_up_due};
use iris_identity::{FirstPassword, Keeping, NewAccount, PasswordRules, ProfileChange, Tokens};
use iris_kernel::{Clock, Tenant};
use uuid::Uuid;

const NEW: &str = "a different horse altogether";

async fn caller(world: &World, tokens: &Tokens) -> Result<Arc<Caller>, AccessError> {
    world.identity.authenticate(tokens.access.expose(), Origin::default()).await
}

async fn nora() -> (World, Tokens, Tokens) {
    let world = World::new();
    world.user(Tenant::DEFAULT, "nora", &[Role::Nurse]).await;
    let here = signed_in(&world.identity, "nora", &origin("10.0.0.1")).await;
    let there = signed_in(&world.identity, "nora", &origin("10.0.0.2")).await;
    (world, here, there)
}

fn fields(error: AccessError) -> Vec<String> {
    match error {
        AccessError::Invalid(faults) => faults.into_iter().map(|fault| fault.at).collect(),
        other => panic!("{other}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_see_where_they_are_signed_in_and_end_what_they_do_not_know() {
    let (world, here, there) = nora().await;
    world.user(Tenant::DEFAULT, "eve", &[Role::Nurse]).await;
    let eve = signed_in(&world.identity, "eve", &origin("10.0.0.3")).await;
    let (me, eve) = (caller(&world, &here).await.unwrap(), caller(&world, &eve).await.unwrap());
    assert_eq!((me.factor, me.authenticated_at, me.limited), (Some(Factor::Password), Some(world.clock.now()), None));
    world.advance(60);
    caller(&world, &there).await.unwrap();
    let sessions = world.identity.sessions(&me).await.unwrap();
    assert_eq!(sessions.len(), 2);
    let current: Vec<_> = sessions.iter().filter(|session| session.current).collect();
    assert_eq!((current.len(), current[0].address.as_deref()), (1, Some("10.0.0.1")));
    let other = sessions.iter().find(|session| !session.current).unwrap();
    assert_eq!(
        (other.last_used, other.factor, other.agent.as_deref()),
        (world.clock.now(), Factor::Password, Some("test"))
    );
    assert!(other.created < other.last_used && other.ends > other.last_used);

    for wrong in [eve.session.unwrap(), Uuid::from_u128(9)] {
        let refused = world.identity.session_revoke(&me, wrong).await.unwrap_err();
        assert!(matches!(refused, AccessError::NotFound("session")), "attack: somebody else's session");
    }
    world.identity.session_revoke(&me, other.id).await.unwrap();
    assert!(caller(&world, &there).await.is_err() && caller(&world, &here).await.is_ok());
    assert!(world.identity.refresh(&refresh_of(&there), Keeping::Program, &origin("1")).await.is_err());
    assert!(matches!(world.identity.session_revoke(&me, other.id).await, Err(AccessError::NotFound(_))));
    assert_eq!(world.identity.sessions(&me).await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_others_end_at_once_and_the_one_that_asks_goes_on() {
    let (world, here, there) = nora().await;
    let third = signed_in(&world.identity, "nora", &origin("10.0.0.4")).await;
    let other_node = world.another();
    other_node.identity.authenticate(there.access.expose(), Origin::default()).await.unwrap();
    let me = caller(&world, &here).await.unwrap();
    world.identity.sessions_revoke(&me).await.unwrap();
    other_node.caught_up();
    for ended in [&there, &third] {
        assert!(caller(&world, ended).await.is_err());
        assert!(other_node.identity.authenticate(ended.access.expose(), Origin::default()).await.is_err());
        assert!(world.identity.refresh(&refresh_of(ended), Keeping::Program, &origin("1")).await.is_err());
    }
    caller(&world, &here).await.unwrap();
    world.identity.refresh(&refresh_of(&here), Keeping::Program, &origin("1")).await.unwrap();
    let entries = world.entries(Tenant::DEFAULT).await;
    assert!(
        entries.iter().any(|(action, outcome, _)| (*action, *outcome) == (Action::SessionRevoke, Outcome::Success))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_has_a_bounded_number_of_sessions() {
    let (world, first, second) = nora().await;
    for _ in 2..=SESSIONS_MAX {
        signed_in(&world.identity, "nora", &origin("10.0.0.5")).await;
    }
    assert!(caller(&world, &first).await.is_err(), "the oldest ended");
    let me = caller(&world, &second).await.unwrap();
    assert_eq!(world.identity.sessions(&me).await.unwrap().len(), SESSIONS_MAX);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fresh_proof_counts_for_ten_minutes_and_a_wrong_one_counts_as_a_guess() {
    let (world, here, _) = nora().await;
    let due = |caller: &Caller| step_up_due(caller, world.clock.now());
    assert!(!due(&caller(&world, &here).await.unwrap()));
    world.advance(STEP_UP_LIFE.as_secs());
    let me = caller(&world, &here).await.unwrap();
    assert!(due(&me));
    let wrong = world.identity.step_up_by_password(&me, &secret("wrong"), &origin("10.0.0.1")).await;
    assert_eq!(fields(wrong.unwrap_err()), ["/password"]);
    assert!(due(&caller(&world, &here).await.unwrap()));
    world.identity.step_up_by_password(&me, &secret(PASSWORD), &origin("10.0.0.1")).await.unwrap();
    let fresh = caller(&world, &here).await.unwrap();
    assert!(!due(&fresh) && fresh.authenticated_at == Some(world.clock.now()));
    let mut limited = false;
    for _ in 0..10 {
        let guess = world.identity.step_up_by_password(&me, &secret("guess"), &origin("10.0.0.1")).await;
        limited |= matches!(guess, Err(AccessError::TooMany { .. }));
    }
    assert!(limited, "attack: a stolen token guesses the password at this door");
    let system = World::system(Tenant::DEFAULT);
    assert!(matches!(
        world.identity.step_up_by_password(&system, &secret(PASSWORD), &origin("1")).await,
        Err(AccessError::Refused(_))
    ));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_password_ends_every_other_session() {
    let (world, here, there) = nora().await;
    let me = caller(&world, &here).await.unwrap();
    let change = async |current: &str, new: &str| {
        world.identity.password_change(&me, (&secret(current), &secret(new)), &origin("10.0.0.1")).await
    };
    assert_eq!(fields(change("wrong", NEW).await.unwrap_err()), ["/current_password"]);
    for bad in ["short", "password123", "nora-nora-1", PASSWORD, "Iris2026!", "QWERTYUIOP"] {
        assert_eq!(fields(change(PASSWORD, bad).await.unwrap_err()), ["/new_password"], "{bad}");
    }
    assert!(caller(&world, &there).await.is_ok(), "a refusal ends nothing");
    change(PASSWORD, NEW).await.unwrap();
    assert!(caller(&world, &there).await.is_err() && caller(&world, &here).await.is_ok());
    let login = async |password: &str| {
        let password = secret(password);
        world.identity.login(Tenant::DEFAULT, "nora", &password, Keeping::Program, &origin("10.0.0.9")).await
    };
    assert!(login(PASSWORD).await.is_err() && login(NEW).await.is_ok());
    let entries = world.entries(Tenant::DEFAULT).await;
    assert!(entries.iter().all(|entry| !entry.2.contains(NEW) && !entry.2.contains(PASSWORD)));
    let changes = entries.iter().filter(|entry| entry.0 == Action::PasswordChange).map(|entry| entry.1);
    let outcomes: Vec<_> = changes.collect();
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Outcome::Success).count(), 1);
    assert!(outcomes.contains(&Outcome::Denied) && outcomes.contains(&Outcome::Failure));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn passwords_change_by_the_calendar_only_where_the_operator_says_so() {
    let day = Duration::from_secs(86_400);
    let rules = PasswordRules { age: Some(10 * day), ..PasswordRules::default() };
    let world = World::new().with(|identity| identity.with_password_rules(rules).unwrap());
    world.user(Tenant::DEFAULT, "nora", &[Role::Nurse]).await;
    world.advance(10 * day.as_secs() - 1);
    let tokens = world.login("nora").await;
    assert_eq!(caller(&world, &tokens).await.unwrap().limited, None);
    world.advance(60);
    let me = caller(&world, &tokens).await.unwrap();
    assert_eq!(me.limited, Some(Limit::PasswordChange));
    world.identity.password_change(&me, (&secret(PASSWORD), &secret(NEW)), &origin("1")).await.unwrap();
    assert_eq!(caller(&world, &tokens).await.unwrap().limited, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_say_how_they_are_called() {
    let (world, here, _) = nora().await;
    let me = caller(&world, &here).await.unwrap();
    let long = "x".repeat(DISPLAY_NAME_CHARS_MAX + 1);
    let told = |text: &str| Some(Some(text.to_owned()));
    let bad = ProfileChange {
        display_name: told(&long),
        email: told("not an address"),
        phone: told("call me"),
        language: None,
    };
    let faults = fields(world.identity.profile_change(&me, &bad).await.unwrap_err());
    assert_eq!(faults, ["/display_name", "/email", "/phone"]);
    let good = ProfileChange {
        display_name: told("Nora Berg"),
        email: told("nora@clinic.example"),
        phone: told("+49 30 1234567"),
        language: None,
    };
    let profile = world.identity.profile_change(&me, &good).await.unwrap();
    assert_eq!(profile.display_name.as_deref(), Some("Nora Berg"));
    assert_eq!((profile.email.as_deref(), profile.email_verified), (Some("nora@clinic.example"), Some(false)));
    let less = ProfileChange { phone: Some(None), ..ProfileChange::default() };
    let profile = world.identity.profile_change(&me, &less).await.unwrap();
    assert_eq!((profile.phone, profile.display_name.as_deref()), (None, Some("Nora Berg")));
    assert_eq!(world.identity.me(&me).unwrap().email.as_deref(), Some("nora@clinic.example"));
}

/// `U*U` under bcrypt, from the test vectors of crypt_blowfish.
const BCRYPT: &str = "$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hash_of_another_system_is_good_for_one_sign_in_and_replaced_by_it() {
    let world = World::new();
    let account = NewAccount {
        name: "old".to_owned(),
        password: FirstPassword::Imported(Imported::parse(BCRYPT, "password").unwrap()),
        roles: vec!["nurse".to_owned()],
        ..NewAccount::default()
    };
    world.identity.account_create(&World::create(Tenant::DEFAULT), account).await.unwrap();
    let login = async |password: &str| {
        let password = secret(password);
        world.identity.login(Tenant::DEFAULT, "old", &password, Keeping::Program, &origin("10.0.0.9")).await
    };
    let upgrades = async || {
        let entries = world.entries(Tenant::DEFAULT).await;
        entries.iter().filter(|entry| entry.0 == Action::PasswordChange).count()
    };
    assert!(login("U*V").await.is_err());
    assert_eq!(upgrades().await, 0, "a wrong one replaces nothing");
    login("U*U").await.unwrap();
    assert_eq!(upgrades().await, 1);
    login("U*U").await.unwrap();
    assert!(login("U*V").await.is_err());
    assert_eq!(upgrades().await, 1, "once");
    assert!(world.entries(Tenant::DEFAULT).await.iter().all(|entry| !entry.2.contains("$2y$")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_one_node_makes_counts_on_the_other_at_once() {
    let world = World::new();
    let other = world.another();
    world.user(Tenant::DEFAULT, "nora", &[Role::Nurse]).await;
    let old = world.login("nora").await;
    let update = decide(&World::system(Tenant::PLATFORM), Update, &Facts::named(Named::Operation)).unwrap();
    let keys = world.identity.signing_key_rotate(&update).await.unwrap();
    assert_eq!(keys.iter().map(|key| key.active).collect::<Vec<_>>(), [false, true]);
    let new = world.login("nora").await;
    // Without waiting: a node that does not know the key looks again.
    for tokens in [&old, &new] {
        other.identity.authenticate(tokens.access.expose(), Origin::default()).await.unwrap();
    }
    assert_eq!(world.identity.jwks().unwrap(), other.identity.jwks().unwrap());
    assert!(world.entries(Tenant::PLATFORM).await.iter().any(|entry| entry.0 == Action::KeyRotate));
    // By age, of several nodes one does.
    assert!(!world.identity.signing_key_rotate_if_due().await.unwrap());
    world.advance(90 * 86_400);
    let both = tokio::join!(world.identity.signing_key_rotate_if_due(), other.identity.signing_key_rotate_if_due());
    let made = [both.0, both.1].into_iter().filter(|made| matches!(made, Ok(true))).count();
    assert_eq!(made, 1);
    // Whichever of the two it was.
    world.store.catch_up().unwrap();
    assert_eq!(world.identity.jwks().unwrap()["keys"].as_array().unwrap().len(), 2, "the first one is gone by then");
    let tenant = decide(&World::system(Tenant(7)), Update, &Facts::named(Named::Operation)).unwrap();
    assert!(world.identity.signing_key_rotate(&tenant).await.is_err(), "another tenant's administrator does not");
}
