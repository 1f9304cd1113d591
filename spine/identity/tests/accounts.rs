//! What administrators do to accounts: roles, locks, and the rules that keep them from shutting everybody out.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::{World, origin, refresh_of};
use iris_access::{AccessError, Caller, Facts, Named, Origin, Permit, Read, Role, RoleSet, Search, Update, decide};
use iris_audit::Action;
use iris_identity::{Enabled, Keeping, password};
use iris_kernel::{ErrorKind, Tenant};
use iris_testkit::SeededEntropy;
use uuid::Uuid;

fn roles(roles: &[Role]) -> RoleSet {
    RoleSet::of(roles)
}

fn read(tenant: Tenant) -> Permit<Read> {
    decide(&World::system(tenant), Read, &Facts::named(Named::Accounts)).unwrap()
}

async fn signed_in(world: &World, name: &str) -> Arc<Caller> {
    let tokens = world.login(name).await;
    world.identity.authenticate(tokens.access.expose(), Origin::default()).await.unwrap()
}

fn update(caller: &Arc<Caller>) -> Permit<Update> {
    decide(caller, Update, &Facts::named(Named::Accounts)).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn roles_count_from_the_next_request_on_and_the_log_names_them() {
    let world = World::new();
    world.user(Tenant::DEFAULT, "root", &[Role::Admin]).await;
    let nora = world.user(Tenant::DEFAULT, "nora", &[Role::Nurse]).await;
    let root = signed_in(&world, "root").await;
    let token = world.login("nora").await.access;
    let changed = world.identity.user_roles(&update(&root), nora.id, roles(&[Role::Registrar]), None).await.unwrap();
    assert_eq!(changed.roles, ["registrar"]);
    let caller = world.identity.authenticate(token.expose(), Origin::default()).await.unwrap();
    assert!(caller.roles.has(Role::Registrar) && !caller.roles.has(Role::Nurse));
    assert_eq!(world.identity.user_read(&read(Tenant::DEFAULT), nora.id).await.unwrap(), changed);
    // The same again is no change and no entry.
    world.identity.user_roles(&update(&root), nora.id, roles(&[Role::Registrar]), None).await.unwrap();
    let entries = world.entries(Tenant::DEFAULT).await;
    let of = |wanted| entries.iter().filter(|(action, _, _)| *action == wanted).collect::<Vec<_>>();
    let (granted, revoked) = (of(Action::RoleGrant), of(Action::RoleRevoke));
    assert_eq!((granted.len(), revoked.len()), (1, 1));
    assert!(granted[0].2.contains("registrar") && revoked[0].2.contains("nurse"));
    assert!(granted[0].2.contains(&nora.id.to_string()) && granted[0].2.contains("root"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_roles_are_refused_with_every_fault() {
    let world = World::new();
    let nora = world.user(Tenant::DEFAULT, "nora", &[Role::Nurse]).await;
    world.patient(Tenant::DEFAULT, "p1").await;
    let permit = World::update(Tenant::DEFAULT);
    for (set, patient, faults) in [
        (roles(&[]), None, 1),
        (roles(&[]), Some("p1"), 2),
        (roles(&[Role::Patient]), None, 1),
        (roles(&[Role::Patient]), Some("nobody"), 1),
        (roles(&[Role::Nurse]), Some("p1"), 1),
    ] {
        let refused = world.identity.user_roles(&permit, nora.id, set, patient.map(str::to_owned)).await.unwrap_err();
        let AccessError::Invalid(found) = refused else { panic!("{refused}") };
        assert_eq!(found.len(), faults, "{found:?}");
    }
    let own = Some("p1".to_owned());
    let both = roles(&[Role::Nurse, Role::Patient]);
    assert_eq!(world.identity.user_roles(&permit, nora.id, both, own).await.unwrap().patient_id.as_deref(), Some("p1"));
    let nobody = world.identity.user_roles(&permit, Uuid::from_u128(9), roles(&[Role::Nurse]), None).await.unwrap_err();
    assert!(matches!(nobody, AccessError::NotFound(_)));
    // Another tenant's account is not there.
    let elsewhere = World::create(Tenant::PLATFORM);
    let tenant = Tenant(world.identity.tenant_create(&elsewhere, "elsewhere").await.unwrap().number);
    let theirs = world.identity.user_roles(&World::update(tenant), nora.id, roles(&[Role::Admin]), None).await;
    assert!(matches!(theirs, Err(AccessError::NotFound(_))));
    assert!(world.identity.user_read(&read(tenant), nora.id).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_changes_their_own_account_and_the_last_administrator_stays() {
    let world = World::new();
    let root = world.user(Tenant::DEFAULT, "root", &[Role::Admin]).await;
    let second = world.user(Tenant::DEFAULT, "second", &[Role::Admin]).await;
    let own = update(&signed_in(&world, "root").await);
    let refused = |result: Result<_, AccessError>| {
        let error: AccessError = Result::<iris_identity::UserView, _>::unwrap_err(result);
        assert!(matches!(error, AccessError::Refused(_)) && error.kind() == ErrorKind::Conflict, "{error}");
    };
    refused(world.identity.user_roles(&own, root.id, roles(&[Role::Admin, Role::Physician]), None).await);
    refused(world.identity.user_enable(&own, root.id, Enabled::No).await);
    refused(world.identity.user_enable(&own, root.id, Enabled::Yes).await);
    world.identity.user_enable(&own, second.id, Enabled::No).await.unwrap();
    // A locked administrator is none.
    let system = World::update(Tenant::DEFAULT);
    refused(world.identity.user_enable(&system, root.id, Enabled::No).await);
    refused(world.identity.user_roles(&system, root.id, roles(&[Role::Nurse]), None).await);
    // What was locked may lose the role, and get it back only by somebody else.
    world.identity.user_roles(&system, second.id, roles(&[Role::Nurse]), None).await.unwrap();
    refused(world.identity.user_enable(&system, root.id, Enabled::No).await);
    world.identity.user_roles(&system, second.id, roles(&[Role::Admin]), None).await.unwrap();
    world.identity.user_enable(&system, second.id, Enabled::Yes).await.unwrap();
    world.identity.user_enable(&system, root.id, Enabled::No).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_administrators_who_lock_each_other_do_not_both_succeed() {
    let world = World::new();
    let one = world.user(Tenant::DEFAULT, "one", &[Role::Admin]).await;
    let two = world.user(Tenant::DEFAULT, "two", &[Role::Admin]).await;
    let (by_one, by_two) = (update(&signed_in(&world, "one").await), update(&signed_in(&world, "two").await));
    let (a, b) = tokio::join!(
        world.identity.user_enable(&by_one, two.id, Enabled::No),
        world.identity.user_enable(&by_two, one.id, Enabled::No)
    );
    assert!(a.is_ok() != b.is_ok(), "{a:?} {b:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_ends_every_session_and_unlocking_brings_none_back() {
    let world = World::new();
    let nora = world.user(Tenant::DEFAULT, "nora", &[Role::Nurse]).await;
    let (one, two) = (world.login("nora").await, world.login("nora").await);
    let permit = World::update(Tenant::DEFAULT);
    assert!(!world.identity.user_enable(&permit, nora.id, Enabled::No).await.unwrap().enabled);
    assert!(world.identity.user_enable(&permit, nora.id, Enabled::Yes).await.unwrap().enabled);
    for tokens in [&one, &two] {
        assert!(world.identity.authenticate(tokens.access.expose(), Origin::default()).await.is_err());
        assert!(world.identity.refresh(&refresh_of(tokens), Keeping::Program, &origin("1")).await.is_err());
    }
    let fresh = world.login("nora").await;
    world.identity.refresh(&refresh_of(&fresh), Keeping::Program, &origin("1")).await.unwrap();
    let actions = world.actions(Tenant::DEFAULT).await;
    assert!(actions.contains(&Action::UserDisable) && actions.contains(&Action::UserUnlock));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn users_and_active_sessions_are_counted() {
    let world = World::new();
    let search: Permit<Search> = World::search(Tenant::DEFAULT);
    assert_eq!(world.identity.user_counts(&search).unwrap(), (0, Some(0)));
    for name in ["a", "b", "c"] {
        world.user(Tenant::DEFAULT, name, &[Role::Nurse]).await;
    }
    let page = world.identity.user_list(&search, None, 2).await.unwrap();
    assert_eq!((page.items.len(), page.total, page.next), (2, 3, Some(2)));
    world.identity.user_enable(&World::update(Tenant::DEFAULT), page.items[0].id, Enabled::No).await.unwrap();
    assert_eq!(world.identity.user_counts(&search).unwrap(), (3, Some(1)));
    let quarter = Duration::from_secs(900);
    assert_eq!(world.identity.sessions_active(Tenant::DEFAULT, quarter), 0);
    let (b, c) = (world.login("b").await, signed_in(&world, "c").await);
    for _ in 0..2 {
        world.identity.authenticate(b.access.expose(), Origin::default()).await.unwrap();
    }
    assert_eq!(world.identity.sessions_active(Tenant::DEFAULT, quarter), 2);
    world.advance(600);
    world.identity.authenticate(b.access.expose(), Origin::default()).await.unwrap();
    world.advance(301);
    assert_eq!(
        world.identity.sessions_active(Tenant::DEFAULT, quarter),
        1,
        "one was not seen for a quarter of an hour"
    );
    world.identity.logout(&c).await.unwrap();
    world
        .identity
        .logout(&world.identity.authenticate(b.access.expose(), Origin::default()).await.unwrap())
        .await
        .unwrap();
    assert_eq!(world.identity.sessions_active(Tenant::DEFAULT, quarter), 0);
}

#[test]
fn passwords_that_are_made_here_are_long_and_easy_to_copy() {
    let entropy = SeededEntropy::new(1);
    let (one, two) = (password::generate(&entropy), password::generate(&entropy));
    assert_ne!(one.expose(), two.expose());
    for made in [&one, &two] {
        assert_eq!(made.expose().len(), 27);
        assert!(made.expose().split('-').all(|group| group.len() == 6), "{}", made.expose());
        assert!(made.expose().chars().all(|c| c == '-' || (c.is_ascii_alphanumeric() && !"01loABC".contains(c))));
    }
}
