//! Authenticator apps and recovery codes, and every way around them that an attacker tries. Each `attack_` names one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

mod common;

use std::sync::Arc;

use common::factor_refused as refused;
use common::{PASSWORD, World, origin, secret};
use iris_access::{AccessError, Caller, Factor, Limit, Origin, Role};
use iris_audit::{Action, Outcome};
use iris_identity::factors::{
    CODE_FAILURES_FREE, Challenge, Code, FactorKind, RECOVERY_CODES, TICKET_FAILURES_MAX, TICKET_LIFE,
};
use iris_identity::{Identity, Keeping, Login, Tokens};
use iris_kernel::{Clock, Tenant};
use iris_testkit::{totp_code, wrong_totp_code};

/// An account with an app, and what its owner has.
struct Owner {
    secret: String,
    codes: Vec<String>,
    /// Of the session in which it was set up.
    tokens: Tokens,
}

async fn caller(identity: &Identity, tokens: &Tokens) -> Arc<Caller> {
    identity.authenticate(tokens.access.expose(), Origin::default()).await.unwrap()
}

/// Makes an account and sets an app up for it.
async fn owner(world: &World, name: &str) -> Owner {
    world.user(Tenant::DEFAULT, name, &[Role::Nurse]).await;
    let given = world.login(name).await;
    let me = caller(&world.identity, &given).await;
    let setup = world.identity.totp_setup(&me).await.unwrap();
    let secret = setup.secret.expose().clone();
    let code = totp_code(&secret, world.clock.now());
    let codes = world.identity.totp_confirm(&me, &code).await.unwrap();
    // The next code is another one.
    world.advance(30);
    Owner { secret, codes: codes.iter().map(|code| code.expose().clone()).collect(), tokens: given }
}

impl Owner {
    fn code(&self, world: &World) -> String {
        totp_code(&self.secret, world.clock.now())
    }

    fn wrong(&self, world: &World) -> String {
        wrong_totp_code(&self.secret, world.clock.now())
    }
}

async fn password(identity: &Identity, name: &str) -> Challenge {
    let login =
        identity.login(Tenant::DEFAULT, name, &secret(PASSWORD), Keeping::Program, &origin("10.0.0.1")).await.unwrap();
    match login {
        Login::Challenge(challenge) => challenge,
        Login::Done(_) => panic!("signed in by a password alone"),
    }
}

async fn verify(identity: &Identity, challenge: &Challenge, code: Code<'_>) -> Result<Tokens, AccessError> {
    identity.login_verify(challenge.token.expose(), code, Keeping::Program, &origin("10.0.0.1")).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_app_is_set_up_and_asked_for_from_then_on() {
    let world = World::new();
    let owner = owner(&world, "nora").await;
    assert_eq!(owner.codes.len(), RECOVERY_CODES);
    let me = caller(&world.identity, &owner.tokens).await;
    assert_eq!(me.factor, Some(Factor::Two), "the session in which it was set up has both factors");
    let mine = world.identity.factors_mine(&me).await.unwrap();
    assert!(mine.totp && mine.recovery_codes_left == 10 && mine.passkeys.is_empty());
    let challenge = password(&world.identity, "nora").await;
    assert_eq!(challenge.factors, [FactorKind::Totp, FactorKind::RecoveryCode]);
    assert_eq!(challenge.expires_in, TICKET_LIFE.as_secs());
    let given = verify(&world.identity, &challenge, Code::App(&owner.code(&world))).await.unwrap();
    assert_eq!(caller(&world.identity, &given).await.factor, Some(Factor::Two));
    world.advance(30);
    let challenge = password(&world.identity, "nora").await;
    verify(&world.identity, &challenge, Code::Recovery(&owner.codes[0])).await.unwrap();
    // Writes and everything else come from two streams, whose order among each other is that of the log.
    let mut actions: Vec<_> =
        world.entries(Tenant::DEFAULT).await.into_iter().map(|(action, outcome, _)| (action, outcome)).collect();
    actions.sort_unstable();
    let expected = [
        Action::LoginSuccess,
        Action::LoginSuccess,
        Action::LoginSuccess,
        Action::FactorAdd,
        Action::FactorAdd,
        Action::LoginChallenge,
        Action::LoginChallenge,
        Action::UserCreate,
        Action::UserRead,
    ];
    assert_eq!(actions, expected.map(|action| (action, Outcome::Success)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attack_replay_a_code_or_challenge_counts_once_on_every_node() {
    let world = World::new();
    let owner = owner(&world, "nora").await;
    let another = world.another();
    let (one, two) = (password(&world.identity, "nora").await, password(&world.identity, "nora").await);
    let code = owner.code(&world);
    verify(&world.identity, &one, Code::App(&code)).await.unwrap();
    refused(verify(&another.identity, &two, Code::App(&code)).await);
    refused(verify(&another.identity, &one, Code::Recovery(&owner.codes[0])).await);
    world.advance(30);
    refused(verify(&world.identity, &one, Code::App(&owner.code(&world))).await);
    let fresh = password(&another.identity, "nora").await;
    verify(&another.identity, &fresh, Code::Recovery(&owner.codes[0])).await.unwrap();
    let fresh = password(&world.identity, "nora").await;
    refused(verify(&world.identity, &fresh, Code::Recovery(&owner.codes[0])).await);
    // A code that set the app up is spent as well, and so is what step-up used.
    let me = caller(&world.identity, &owner.tokens).await;
    world.advance(30);
    let code = owner.code(&world);
    world.identity.step_up_by_code(&me, Code::App(&code)).await.unwrap();
    assert!(world.identity.step_up_by_code(&me, Code::App(&code)).await.is_err());
    refused(verify(&world.identity, &fresh, Code::App(&code)).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn attack_race_one_code_opens_one_session() {
    let world = World::new();
    let owner = owner(&world, "nora").await;
    let another = world.another();
    let code = owner.code(&world);
    let recovery = owner.codes[3].clone();
    for code in [Ok(code), Err(recovery)] {
        let mut tasks = Vec::new();
        for n in 0..12 {
            let identity = Arc::clone(if n % 2 == 0 { &world.identity } else { &another.identity });
            let code = code.clone();
            // Half with challenges of their own: the code decides, not the challenge.
            let challenge = password(&identity, "nora").await;
            tasks.push(tokio::spawn(async move {
                let code = match &code {
                    Ok(code) => Code::App(code),
                    Err(code) => Code::Recovery(code),
                };
                verify(&identity, &challenge, code).await.is_ok()
            }));
        }
        let mut opened = 0;
        for task in tasks {
            opened += usize::from(task.await.unwrap());
        }
        assert_eq!(opened, 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attack_challenge_of_another_user_tenant_or_time() {
    let world = World::new();
    let owner = owner(&world, "nora").await;
    let _mallory = self::owner(&world, "mallory").await;
    let theirs = password(&world.identity, "mallory").await;
    refused(verify(&world.identity, &theirs, Code::App(&owner.code(&world))).await);
    refused(verify(&world.identity, &theirs, Code::Recovery(&owner.codes[0])).await);
    // Rewritten to another tenant or account: the code of the challenge no longer fits.
    let challenge = password(&world.identity, "nora").await;
    for (at, letter) in [(8, 'B'), (12, 'x'), (40, 'Q')] {
        let mut text: Vec<char> = challenge.token.expose().chars().collect();
        text[at] = if text[at] == letter { 'A' } else { letter };
        let forged = Challenge {
            token: iris_kernel::Secret::new(text.into_iter().collect()),
            factors: Vec::new(),
            expires_in: 0,
        };
        refused(verify(&world.identity, &forged, Code::Recovery(&owner.codes[0])).await);
    }
    for text in ["", "ift1_", "ift1_AAAA", &"x".repeat(10_000)] {
        let none = Challenge { token: secret(text), factors: Vec::new(), expires_in: 0 };
        refused(verify(&world.identity, &none, Code::Recovery(&owner.codes[0])).await);
    }
    world.advance(TICKET_LIFE.as_secs());
    refused(verify(&world.identity, &challenge, Code::Recovery(&owner.codes[0])).await);
    let fresh = password(&world.identity, "nora").await;
    verify(&world.identity, &fresh, Code::Recovery(&owner.codes[0])).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attack_challenge_of_before_the_account_changed() {
    let world = World::new();
    let owner = owner(&world, "nora").await;
    let me = caller(&world.identity, &owner.tokens).await;
    // The owner changes the password after somebody else has used the old one.
    let stolen = password(&world.identity, "nora").await;
    let new = secret("another long enough passphrase");
    world.identity.password_change(&me, (&secret(PASSWORD), &new), &origin("10.0.0.1")).await.unwrap();
    refused(verify(&world.identity, &stolen, Code::App(&owner.code(&world))).await);
    // The account is locked.
    let login = world.identity.login(Tenant::DEFAULT, "nora", &new, Keeping::Program, &origin("10.0.0.1")).await;
    let Login::Challenge(open) = login.unwrap() else { panic!("no challenge") };
    let lock = iris_identity::Enabled::No;
    world.identity.user_enable(&World::update(Tenant::DEFAULT), me.subject.id, lock).await.unwrap();
    refused(verify(&world.identity, &open, Code::App(&owner.code(&world))).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attack_brute_force_is_slowed_and_neither_restart_nor_node_forgets() {
    let world = World::new();
    let owner = owner(&world, "nora").await;
    let wrong = owner.wrong(&world);
    let challenge = password(&world.identity, "nora").await;
    for _ in 0..TICKET_FAILURES_MAX.min(CODE_FAILURES_FREE) {
        refused(verify(&world.identity, &challenge, Code::App(&wrong)).await);
    }
    let waits = async |identity: &Identity, code: &str| {
        let challenge = password(identity, "nora").await;
        matches!(verify(identity, &challenge, Code::App(code)).await, Err(AccessError::TooMany { .. }))
    };
    let right = owner.code(&world);
    assert!(waits(&world.identity, &right).await, "even the right code waits");
    assert!(waits(&world.another().identity, &right).await);
    let world = world.restarted();
    assert!(waits(&world.identity, &right).await);
    // The challenge is used up, whatever it is tried with.
    refused(verify(&world.identity, &challenge, Code::Recovery(&owner.codes[0])).await);
    // The owner has another way in, which ends the wait.
    let fresh = password(&world.identity, "nora").await;
    verify(&world.identity, &fresh, Code::Recovery(&owner.codes[0])).await.unwrap();
    world.advance(30);
    let fresh = password(&world.identity, "nora").await;
    verify(&world.identity, &fresh, Code::App(&owner.code(&world))).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn attack_parallel_guesses_are_counted_one_by_one() {
    let world = World::new();
    let owner = owner(&world, "nora").await;
    let wrong = owner.wrong(&world);
    let challenge = Arc::new(password(&world.identity, "nora").await);
    let tasks: Vec<_> = (0..40)
        .map(|_| {
            let (identity, challenge) = (Arc::clone(&world.identity), Arc::clone(&challenge));
            let wrong = wrong.clone();
            tokio::spawn(async move { verify(&identity, &challenge, Code::App(&wrong)).await.is_ok() })
        })
        .collect();
    for task in tasks {
        assert!(!task.await.unwrap());
    }
    let judged = world.entries(Tenant::DEFAULT).await;
    let judged = judged.iter().filter(|(_, _, detail)| detail.contains("the code is wrong")).count();
    assert!(judged <= CODE_FAILURES_FREE as usize, "{judged}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attack_downgrade_a_session_neither_replaces_nor_drops_a_factor_without_its_code() {
    let world = World::new();
    let owner = owner(&world, "nora").await;
    let me = caller(&world.identity, &owner.tokens).await;
    assert!(matches!(world.identity.totp_setup(&me).await, Err(AccessError::Refused(_))));
    let wrong = owner.wrong(&world);
    assert!(matches!(world.identity.totp_confirm(&me, &wrong).await, Err(AccessError::Invalid(_))));
    assert!(matches!(world.identity.totp_disable(&me, Code::App(&wrong)).await, Err(AccessError::Invalid(_))));
    password(&world.identity, "nora").await;
    world.identity.totp_disable(&me, Code::App(&owner.code(&world))).await.unwrap();
    // Its codes open nothing any more, old recovery codes neither.
    world.advance(30);
    assert!(world.identity.step_up_by_code(&me, Code::App(&owner.code(&world))).await.is_err());
    assert!(world.identity.step_up_by_code(&me, Code::Recovery(&owner.codes[0])).await.is_err());
    let mine = world.identity.factors_mine(&me).await.unwrap();
    assert!(!mine.totp && mine.recovery_codes_left == 0);
    world.login("nora").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attack_a_set_up_that_nobody_confirmed_opens_nothing_and_runs_out() {
    let world = World::new();
    world.user(Tenant::DEFAULT, "nora", &[Role::Nurse]).await;
    let given = world.login("nora").await;
    let me = caller(&world.identity, &given).await;
    let setup = world.identity.totp_setup(&me).await.unwrap();
    let secret = setup.secret.expose().clone();
    world.login("nora").await;
    assert!(world.identity.step_up_by_code(&me, Code::App(&totp_code(&secret, world.clock.now()))).await.is_err());
    world.advance(600);
    assert!(world.identity.totp_confirm(&me, &totp_code(&secret, world.clock.now())).await.is_err());
    // Another set-up makes the first one's secret worthless.
    let again = world.identity.totp_setup(&me).await.unwrap();
    assert_ne!(again.secret.expose(), &secret);
    assert!(world.identity.totp_confirm(&me, &totp_code(&secret, world.clock.now())).await.is_err());
    world.identity.totp_confirm(&me, &totp_code(again.secret.expose(), world.clock.now())).await.unwrap();
    password(&world.identity, "nora").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_administrator_resets_the_factors_of_others_and_the_sessions_end() {
    let world = World::new();
    let owner = owner(&world, "nora").await;
    let me = caller(&world.identity, &owner.tokens).await;
    let open = password(&world.identity, "nora").await;
    world.identity.user_factors_reset(&World::update(Tenant::DEFAULT), me.subject.id).await.unwrap();
    assert!(world.identity.authenticate(owner.tokens.access.expose(), Origin::default()).await.is_err());
    refused(verify(&world.identity, &open, Code::Recovery(&owner.codes[0])).await);
    let given = world.login("nora").await;
    assert_eq!(caller(&world.identity, &given).await.factor, Some(Factor::Password));
    let nobody = world.identity.user_factors_reset(&World::update(Tenant::DEFAULT), uuid::Uuid::nil()).await;
    assert!(matches!(nobody, Err(AccessError::Refused(_) | AccessError::NotFound(_))));
    let entries = world.entries(Tenant::DEFAULT).await;
    assert!(entries.iter().any(|(action, outcome, _)| (*action, *outcome) == (Action::FactorRemove, Outcome::Success)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_a_role_asks_for_a_second_factor_a_session_without_one_is_limited() {
    let world = World::new();
    world.user(Tenant::DEFAULT, "nora", &[Role::Nurse]).await;
    let before = world.login("nora").await;
    assert_eq!(before.must, None);
    world.mfa_roles(&["nurse"]).await;
    let given = world.login("nora").await;
    assert_eq!(given.must, Some(Limit::MfaSetup));
    let me = caller(&world.identity, &given).await;
    assert_eq!(me.limited, Some(Limit::MfaSetup));
    // A session of before is limited too, as soon as anybody looks again.
    world.advance(31);
    assert_eq!(caller(&world.identity, &before).await.limited, Some(Limit::MfaSetup));
    let setup = world.identity.totp_setup(&me).await.unwrap();
    let secret = setup.secret.expose().clone();
    world.identity.totp_confirm(&me, &totp_code(&secret, world.clock.now())).await.unwrap();
    assert_eq!(caller(&world.identity, &given).await.limited, None);
    assert_eq!(
        caller(&world.identity, &before).await.limited,
        Some(Limit::MfaSetup),
        "that one proved no second factor"
    );
    world.advance(30);
    let challenge = password(&world.identity, "nora").await;
    let given = verify(&world.identity, &challenge, Code::App(&totp_code(&secret, world.clock.now()))).await.unwrap();
    assert_eq!(given.must, None);
    // The last factor of somebody who must have one stays.
    world.advance(30);
    let code = totp_code(&secret, world.clock.now());
    assert!(matches!(world.identity.totp_disable(&me, Code::App(&code)).await, Err(AccessError::Refused(_))));
    password(&world.identity, "nora").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_stands_in_the_log_or_in_clear_on_the_disk() {
    let world = World::new();
    let owner = owner(&world, "nora").await;
    let challenge = password(&world.identity, "nora").await;
    let (wrong, right) = (owner.wrong(&world), owner.code(&world));
    refused(verify(&world.identity, &challenge, Code::App(&wrong)).await);
    verify(&world.identity, &challenge, Code::App(&right)).await.unwrap();
    let told: String = world.entries(Tenant::DEFAULT).await.into_iter().map(|(_, _, detail)| detail).collect();
    let mut secrets = vec![owner.secret.clone(), challenge.token.expose().clone()];
    secrets.extend(owner.codes.iter().cloned());
    for secret in &secrets {
        assert!(!told.contains(secret.as_str()));
    }
    let mut files = vec![world.folder().to_path_buf()];
    while let Some(path) = files.pop() {
        if path.is_dir() {
            files.extend(std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        } else {
            let bytes = std::fs::read(&path).unwrap_or_default();
            for secret in &secrets {
                assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "{}", path.display());
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attack_pre_hijack_who_knows_a_password_that_is_to_be_changed_sets_up_nothing_that_outlives_it() {
    let world = World::new();
    let account = iris_identity::NewAccount {
        name: "nora".to_owned(),
        password: iris_identity::FirstPassword::Made(secret(PASSWORD)),
        roles: vec!["nurse".to_owned()],
        ..iris_identity::NewAccount::default()
    };
    world.identity.account_create(&World::create(Tenant::DEFAULT), account).await.unwrap();
    let given = world.login("nora").await;
    let me = caller(&world.identity, &given).await;
    assert_eq!(me.limited, Some(Limit::PasswordChange));
    let held_back =
        |result: Result<(), AccessError>| assert!(matches!(result, Err(AccessError::Denied(_))), "{result:?}");
    let site = iris_identity::factors::Site::of("https://iris.test").unwrap();
    held_back(world.identity.totp_setup(&me).await.map(drop));
    held_back(world.identity.totp_confirm(&me, "123456").await.map(drop));
    held_back(world.identity.passkey_register_begin(&me, &site).await.map(drop));
    let email = iris_identity::ProfileChange {
        email: Some(Some("thief@evil.example".to_owned())),
        ..iris_identity::ProfileChange::default()
    };
    held_back(world.identity.profile_change(&me, &email).await.map(drop));
    let new = secret("a lamp under the willow tree");
    world.identity.password_change(&me, (&secret(PASSWORD), &new), &origin("1")).await.unwrap();
    let me = caller(&world.identity, &given).await;
    world.identity.totp_setup(&me).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_machine_has_no_factors_and_makes_no_record_of_any() {
    let world = World::new();
    let made = world.identity.client_create(&World::create(Tenant::DEFAULT), "lab", "system/*.rs").await.unwrap();
    let token = world.identity.client_token(&made.client.client_id, &made.secret, None, &origin("1")).await.unwrap();
    let machine = caller(&world.identity, &token).await;
    assert!(world.identity.totp_setup(&machine).await.is_err());
    assert!(world.identity.totp_confirm(&machine, "123456").await.is_err());
    assert!(world.identity.totp_disable(&machine, Code::App("123456")).await.is_err());
    assert!(world.identity.step_up_by_code(&machine, Code::App("123456")).await.is_err());
    let rows = world.store.current_of_kind(Tenant::DEFAULT, iris_identity::kinds::FACTORS, None, 10).unwrap();
    assert!(rows.is_empty());
}
