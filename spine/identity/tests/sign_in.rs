//! Signing in, and everything an attacker tries at that door.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

mod common;

use std::sync::Arc;

use common::{PASSWORD, World, new_user, origin, refresh_of, secret, tokens};
use iris_access::{AccessError, Origin, Role, decide};
use iris_audit::{Action, Outcome};
use iris_identity::{Enabled, Keeping};
use iris_kernel::{ErrorKind, Tenant};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_signs_in_is_known_and_leaves() {
    let world = World::new();
    let user = world.user(Tenant::DEFAULT, "Alice", &[Role::Physician]).await;
    let tokens = world.login("aLiCe").await;
    assert_eq!(tokens.expires_in, 3_600);
    assert_eq!(tokens.profile.id, user.id);
    let caller = world.identity.authenticate(tokens.access.expose(), origin("10.0.0.9")).await.unwrap();
    let me = world.identity.me(&caller).unwrap();
    assert_eq!((me.name.as_str(), me.kind, me.tenant), ("Alice", "user", 1));
    assert_eq!(me.roles, ["physician"]);
    assert!(me.permissions.contains(&"healthcare:write") && !me.permissions.contains(&"healthcare:admin"));
    assert_eq!(iris_identity::Profile { factors: None, ..me }, tokens.profile);
    assert_eq!(caller.address.as_deref(), Some("10.0.0.9"));
    // From the cache, for another request.
    let again = world.identity.authenticate(tokens.access.expose(), Origin::default()).await.unwrap();
    assert_eq!((again.subject.id, again.address.clone()), (user.id, None));
    world.identity.logout(&caller).await.unwrap();
    let gone = world.identity.authenticate(tokens.access.expose(), origin("10.0.0.9")).await.unwrap_err();
    assert_eq!(gone.kind(), ErrorKind::Unauthenticated);
    assert!(
        world.identity.authenticate(tokens.access.expose(), origin("10.0.0.9")).await.is_err(),
        "recorded only once"
    );
    let gone = world.identity.refresh(&refresh_of(&tokens), Keeping::Program, &origin("10.0.0.9")).await.unwrap_err();
    assert!(matches!(gone, AccessError::Refresh));
    world.identity.logout(&caller).await.unwrap();
    let entries = world.entries(Tenant::DEFAULT).await;
    let actions: Vec<_> = entries.iter().map(|(action, outcome, _)| (*action, *outcome)).collect();
    assert_eq!(
        actions,
        [
            (Action::UserCreate, Outcome::Success),
            (Action::LoginSuccess, Outcome::Success),
            (Action::Logout, Outcome::Success),
            (Action::TokenRefused, Outcome::Denied),
            (Action::TokenRefused, Outcome::Denied),
        ]
    );
    assert!(entries[1].2.contains(&user.id.to_string()) && entries[1].2.contains("Alice"), "{}", entries[1].2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_says_nothing_about_the_account() {
    let world = World::new();
    let user = world.user(Tenant::DEFAULT, "alice", &[Role::Nurse]).await;
    world.user(Tenant::DEFAULT, "bob", &[Role::Nurse]).await;
    let bob = world.identity.user_by_name(&read(), "BOB").await.unwrap();
    world.identity.user_enable(&World::update(Tenant::DEFAULT), bob.id, Enabled::No).await.unwrap();
    let long = "x".repeat(10_000);
    let tries = [
        ("alice", "wrong password"),
        ("nobody", PASSWORD),
        ("bob", PASSWORD),
        ("alice\0", PASSWORD),
        ("' OR '1'='1' --", PASSWORD),
        ("", ""),
        ("alice", ""),
        ("alice", &long),
        (&long, PASSWORD),
    ];
    for (number, (name, password)) in tries.into_iter().enumerate() {
        let from = origin(&format!("10.0.1.{number}"));
        let error =
            world.identity.login(Tenant::DEFAULT, name, &secret(password), Keeping::Program, &from).await.unwrap_err();
        assert!(matches!(error, AccessError::Credentials), "{name:?}: {error}");
        assert_eq!(error.to_string(), "user name or password is wrong");
    }
    let entries = world.entries(Tenant::DEFAULT).await;
    let failures: Vec<_> = entries.iter().filter(|entry| entry.0 == Action::LoginFailure).collect();
    assert_eq!(failures.len(), tries.len());
    assert!(failures[0].2.contains(&user.id.to_string()), "whose password was tried: {}", failures[0].2);
    assert!(entries.iter().all(|entry| !entry.2.contains(PASSWORD) && !entry.2.contains("wrong password")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guessing_is_slowed_down_for_one_source_and_not_for_the_owner() {
    let world = World::new();
    world.user(Tenant::DEFAULT, "alice", &[Role::Nurse]).await;
    let mallory = origin("192.0.2.66");
    let mut waited = None;
    for _ in 0..7 {
        match world
            .identity
            .login(Tenant::DEFAULT, "alice", &secret("guess"), Keeping::Program, &mallory)
            .await
            .unwrap_err()
        {
            AccessError::Credentials => {}
            AccessError::TooMany { retry } => waited = Some(retry),
            other => panic!("{other}"),
        }
    }
    let retry = waited.expect("the sixth guess has to wait");
    let right = world
        .identity
        .login(Tenant::DEFAULT, "alice", &secret(PASSWORD), Keeping::Program, &mallory)
        .await
        .unwrap_err();
    assert_eq!((right.kind(), right.retry_after()), (ErrorKind::TooMany, Some(retry)), "even the right one");
    let folded = world
        .identity
        .login(Tenant::DEFAULT, "ＡＬＩＣＥ", &secret("guess"), Keeping::Program, &mallory)
        .await
        .unwrap_err();
    assert_eq!(folded.kind(), ErrorKind::TooMany, "another spelling is the same account");
    world.login("alice").await;
    world.clock.advance(retry);
    world.identity.login(Tenant::DEFAULT, "alice", &secret(PASSWORD), Keeping::Program, &mallory).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn guesses_sent_all_at_once_do_not_slip_through() {
    let world = World::new();
    world.user(Tenant::DEFAULT, "alice", &[Role::Nurse]).await;
    let guesses: Vec<_> = (0..40)
        .map(|n| {
            let identity = Arc::clone(&world.identity);
            tokio::spawn(async move {
                let from = origin("192.0.2.67");
                identity
                    .login(Tenant::DEFAULT, "alice", &secret(&format!("guess {n}")), Keeping::Program, &from)
                    .await
                    .unwrap_err()
            })
        })
        .collect();
    let mut tried = 0;
    for guess in guesses {
        tried += u32::from(matches!(guess.await.unwrap(), AccessError::Credentials));
    }
    let most = iris_identity::throttle::FAILURES_FREE + u32::try_from(iris_identity::password::HASHES_AT_ONCE).unwrap();
    assert!(tried <= most, "{tried} of 40 were tried");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_are_unique_by_look_and_hostile_ones_are_refused_or_stored_as_they_are() {
    let world = World::new();
    let permit = World::create(Tenant::DEFAULT);
    world.user(Tenant::DEFAULT, "Straße", &[Role::Nurse]).await;
    for twin in ["STRASSE", "ｓｔｒａｓｓｅ", "straße"] {
        let error = world.identity.user_create(&permit, new_user(twin, &[Role::Nurse])).await.unwrap_err();
        assert!(matches!(error, AccessError::Taken(_)), "{twin}");
        assert_eq!(error.kind(), ErrorKind::Conflict);
    }
    let bad = iris_identity::NewUser { password: secret("short"), ..new_user("a\0b", &[]) };
    let AccessError::Invalid(faults) = world.identity.user_create(&permit, bad).await.unwrap_err() else { panic!() };
    let at: Vec<_> = faults.iter().map(|fault| fault.at.as_str()).collect();
    assert_eq!(at, ["username", "password", "roles"], "every fault at once");
    for name in ["Robert'); DROP TABLE user;--", "<script>alert(1)</script>", "Łukasz Żółw", "王小明"] {
        let user = world.user(Tenant::DEFAULT, name, &[Role::Nurse]).await;
        assert_eq!(user.name, name);
        assert_eq!(world.login(name).await.profile.name, name);
    }
    // The same name in another tenant is another account, and its password opens nothing here.
    let other = world.identity.tenant_create(&World::create(Tenant::PLATFORM), "other").await.unwrap();
    let other = Tenant(other.number);
    let twin = iris_identity::NewUser { password: secret("another password"), ..new_user("Straße", &[Role::Admin]) };
    world.identity.user_create(&World::create(other), twin).await.unwrap();
    let error = world
        .identity
        .login(Tenant::DEFAULT, "straße", &secret("another password"), Keeping::Program, &origin("1"))
        .await;
    assert!(matches!(error, Err(AccessError::Credentials)));
    let theirs = world
        .identity
        .login(other, "straße", &secret("another password"), Keeping::Program, &origin("1"))
        .await
        .unwrap();
    let theirs = tokens(theirs);
    let caller = world.identity.authenticate(theirs.access.expose(), Origin::default()).await.unwrap();
    assert_eq!(caller.tenant, other);
    let page = world.identity.user_list(&World::search(other), None, 100).await.unwrap();
    assert_eq!(page.items.len(), 1, "an administrator lists only the own tenant");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disabled_users_tokens_stop_working_and_a_restart_forgets_no_revocation() {
    let world = World::new();
    let alice = world.user(Tenant::DEFAULT, "alice", &[Role::Nurse]).await;
    world.user(Tenant::DEFAULT, "bob", &[Role::Nurse]).await;
    let (one, two, bobs) = (world.login("alice").await, world.login("alice").await, world.login("bob").await);
    for tokens in [&one, &two, &bobs] {
        world.identity.authenticate(tokens.access.expose(), Origin::default()).await.unwrap();
    }
    let caller = world.identity.authenticate(one.access.expose(), Origin::default()).await.unwrap();
    world.identity.logout(&caller).await.unwrap();
    world.identity.authenticate(two.access.expose(), Origin::default()).await.unwrap();
    world.identity.user_enable(&World::update(Tenant::DEFAULT), alice.id, Enabled::No).await.unwrap();
    assert!(world.identity.authenticate(two.access.expose(), Origin::default()).await.is_err());
    assert!(matches!(
        world.identity.refresh(&refresh_of(&two), Keeping::Program, &origin("1")).await,
        Err(AccessError::Refresh)
    ));
    world.identity.authenticate(bobs.access.expose(), Origin::default()).await.unwrap();
    let world = world.restarted();
    assert!(world.identity.authenticate(one.access.expose(), Origin::default()).await.is_err());
    assert!(world.identity.authenticate(two.access.expose(), Origin::default()).await.is_err());
    let caller = world.identity.authenticate(bobs.access.expose(), Origin::default()).await.unwrap();
    assert_eq!(&*caller.subject.name, "bob", "the signing key survives the restart");
    world.identity.user_enable(&World::update(Tenant::DEFAULT), alice.id, Enabled::Yes).await.unwrap();
    for tokens in [&one, &two] {
        let ended = world.identity.authenticate(tokens.access.expose(), Origin::default()).await;
        assert!(ended.is_err(), "signed out stays out, and so does what a lock has ended");
        assert!(world.identity.refresh(&refresh_of(tokens), Keeping::Program, &origin("1")).await.is_err());
    }
    world.login("alice").await;
    world.advance(3_600);
    assert!(
        world.identity.authenticate(bobs.access.expose(), Origin::default()).await.is_err(),
        "expired in the cache"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn garbage_fills_no_log_and_permits_on_other_things_open_no_accounts() {
    let world = World::new();
    let before = world.actions(Tenant::DEFAULT).await.len();
    for bad in ["", "x", "a.b.c", "Bearer x", "\u{0}", &"x".repeat(100_000)] {
        let error = world.identity.authenticate(bad, Origin::default()).await.unwrap_err();
        assert!(matches!(error, AccessError::Token));
        assert!(matches!(world.identity.refresh(bad, Keeping::Program, &origin("1")).await, Err(AccessError::Refresh)));
    }
    let system = World::system(Tenant::DEFAULT);
    let patient = iris_fhir::definitions::kind_of("Patient").unwrap();
    let wrong = decide(&system, iris_access::Create, &iris_access::Facts::kind(patient)).unwrap();
    let denied = world.identity.user_create(&wrong, new_user("eve", &[Role::Admin])).await.unwrap_err();
    assert_eq!(denied.kind(), ErrorKind::Forbidden);
    let denied = world.identity.tenant_create(&World::create(Tenant(7)), "mine").await.unwrap_err();
    assert_eq!(denied.kind(), ErrorKind::Forbidden, "a tenant's administrator makes no tenants");
    let after = world.actions(Tenant::DEFAULT).await.len();
    assert_eq!(after, before + 1, "only the look at the log itself");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_patient_account_needs_a_patient() {
    let world = World::new();
    let permit = World::create(Tenant::DEFAULT);
    for (roles, patient) in [(&[Role::Patient], None), (&[Role::Patient], Some("nobody")), (&[Role::Nurse], Some("p"))]
    {
        let user = iris_identity::NewUser { patient: patient.map(str::to_owned), ..new_user("jane", roles) };
        let AccessError::Invalid(faults) = world.identity.user_create(&permit, user).await.unwrap_err() else {
            panic!()
        };
        assert_eq!((faults.len(), faults[0].at.as_str()), (1, "patient_id"));
    }
    world.patient(Tenant(1), "jane-1").await;
    let jane = iris_identity::NewUser { patient: Some("jane-1".to_owned()), ..new_user("jane", &[Role::Patient]) };
    world.identity.user_create(&permit, jane).await.unwrap();
    let tokens = world.login("jane").await;
    let caller = world.identity.authenticate(tokens.access.expose(), Origin::default()).await.unwrap();
    let kind = iris_fhir::definitions::kind_of("Observation").unwrap();
    let permit = decide(&caller, iris_access::Search, &iris_access::Facts::kind(kind)).unwrap();
    assert_eq!((permit.own(), permit.tenant()), (Some("jane-1"), Tenant::DEFAULT));
    assert_eq!(world.identity.me(&caller).unwrap().patient_id.as_deref(), Some("jane-1"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_users_at_once_get_numbers_of_their_own_and_one_name_has_one_owner() {
    let world = World::new();
    let make = |name: String| {
        let identity = Arc::clone(&world.identity);
        tokio::spawn(async move {
            identity.user_create(&World::create(Tenant::DEFAULT), new_user(&name, &[Role::Nurse])).await
        })
    };
    let made: Vec<_> = (0..6).map(|n| make(format!("user {n}"))).collect();
    let twins: Vec<_> = ["twin", "TWIN", "Twin", "tWin"].map(|name| make(name.to_owned())).into();
    for task in made {
        task.await.unwrap().unwrap();
    }
    let mut won = 0;
    for task in twins {
        match task.await.unwrap() {
            Ok(_) => won += 1,
            Err(AccessError::Taken(_)) => {}
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!(won, 1);
    let first = world.identity.user_list(&World::search(Tenant::DEFAULT), None, 4).await.unwrap();
    let second = world.identity.user_list(&World::search(Tenant::DEFAULT), first.next, 4).await.unwrap();
    assert_eq!((first.items.len(), second.items.len(), second.next), (4, 3, None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_name_password_token_or_secret_stands_on_the_disk() {
    let world = World::new();
    world.user(Tenant::DEFAULT, "canary-name-9f3a", &[Role::Nurse]).await;
    let tokens = world.login("canary-name-9f3a").await;
    let client =
        world.identity.client_create(&World::create(Tenant::DEFAULT), "canary-client-77", "system/*.rs").await.unwrap();
    let refresh = refresh_of(&tokens);
    let secrets = [
        "canary-name-9f3a",
        "canary-client-77",
        PASSWORD,
        &refresh[40..],
        &client.secret.expose()[5..],
        &tokens.access.expose()[600..],
        "$argon2id$",
    ];
    for entry in walk(world.folder()) {
        let bytes = std::fs::read(&entry).unwrap();
        for secret in secrets {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{secret} in {}", entry.display());
        }
    }
    assert!(format!("{tokens:?} {client:?}").matches("***").count() >= 3, "and none prints");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_of_another_installation_or_of_a_number_that_is_no_tenants_opens_nothing() {
    let (ours, theirs) = (World::new(), World::new());
    for world in [&ours, &theirs] {
        world.user(Tenant::DEFAULT, "alice", &[Role::Admin]).await;
    }
    let tokens = theirs.login("alice").await;
    assert!(ours.identity.authenticate(tokens.access.expose(), Origin::default()).await.is_err());
    assert!(ours.identity.refresh(&refresh_of(&tokens), Keeping::Program, &origin("1")).await.is_err());
    let error =
        ours.identity.login(Tenant(77), "alice", &secret(PASSWORD), Keeping::Program, &origin("1")).await.unwrap_err();
    assert!(matches!(error, AccessError::Credentials));
    let id = format!("78-{}", uuid::Uuid::from_u128(5));
    assert!(ours.identity.client_token(&id, &secret("x"), None, &origin("1")).await.is_err());
    assert!(ours.actions(Tenant(77)).await.is_empty() && ours.actions(Tenant(78)).await.is_empty());
    let platform = ours.actions(Tenant::PLATFORM).await;
    assert!(platform.contains(&Action::LoginFailure) && platform.contains(&Action::TokenRefused));
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(walk(&path)) } else { found.push(path) }
    }
    found
}

fn read() -> iris_access::Permit<iris_access::Read> {
    let facts = iris_access::Facts::named(iris_access::Named::Accounts);
    decide(&World::system(Tenant::DEFAULT), iris_access::Read, &facts).unwrap()
}
