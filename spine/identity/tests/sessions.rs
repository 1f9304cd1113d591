//! Refresh tokens: rotation, theft, races; and machines with client credentials.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

mod common;

use std::collections::HashSet;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use common::{World, origin, refresh_of, secret};
use iris_access::{AccessError, Origin, Role, SubjectKind};
use iris_audit::Action;
use iris_identity::{Enabled, Keeping, REFRESH_LIFE, REFRESH_RETRY, SESSION_LIFE};
use iris_kernel::{ErrorKind, Tenant};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_used_refresh_token_ends_the_whole_session() {
    let world = World::new();
    world.user(Tenant::DEFAULT, "alice", &[Role::Nurse]).await;
    let first = world.login("alice").await;
    let other = world.login("alice").await;
    world.advance(60);
    let second = world.identity.refresh(&refresh_of(&first), Keeping::Program, &origin("1")).await.unwrap();
    assert_ne!(refresh_of(&first), refresh_of(&second));
    world.identity.authenticate(second.access.expose(), Origin::default()).await.unwrap();
    world.identity.authenticate(first.access.expose(), Origin::default()).await.unwrap();
    world.advance(REFRESH_RETRY.as_secs());
    let stolen = world.identity.refresh(&refresh_of(&first), Keeping::Program, &origin("66")).await.unwrap_err();
    assert!(matches!(stolen, AccessError::Refresh));
    for dead in [&first, &second] {
        assert!(world.identity.authenticate(dead.access.expose(), Origin::default()).await.is_err());
        assert!(world.identity.refresh(&refresh_of(dead), Keeping::Program, &origin("1")).await.is_err());
    }
    world.identity.authenticate(other.access.expose(), Origin::default()).await.unwrap();
    world.identity.refresh(&refresh_of(&other), Keeping::Program, &origin("1")).await.unwrap();
    let reuse = world.actions(Tenant::DEFAULT).await.into_iter().filter(|action| *action == Action::TokenReuse);
    assert_eq!(reuse.count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeated_exchange_gets_the_same_successor_for_a_moment() {
    let world = World::new();
    world.user(Tenant::DEFAULT, "alice", &[Role::Nurse]).await;
    let first = world.login("alice").await;
    let second = world.identity.refresh(&refresh_of(&first), Keeping::Program, &origin("1")).await.unwrap();
    let again = world.identity.refresh(&refresh_of(&first), Keeping::Program, &origin("1")).await.unwrap();
    assert_eq!(refresh_of(&second), refresh_of(&again));
    let third = world.identity.refresh(&refresh_of(&again), Keeping::Program, &origin("1")).await.unwrap();
    // The grandparent is no retry, however quick it comes.
    assert!(world.identity.refresh(&refresh_of(&first), Keeping::Program, &origin("1")).await.is_err());
    assert!(world.identity.refresh(&refresh_of(&third), Keeping::Program, &origin("1")).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hundred_exchanges_at_once_have_one_successor() {
    let world = World::new();
    world.user(Tenant::DEFAULT, "alice", &[Role::Nurse]).await;
    let first = refresh_of(&world.login("alice").await);
    let tasks: Vec<_> = (0..100)
        .map(|_| {
            let (identity, token) = (Arc::clone(&world.identity), first.clone());
            tokio::spawn(
                async move { refresh_of(&identity.refresh(&token, Keeping::Program, &origin("1")).await.unwrap()) },
            )
        })
        .collect();
    let mut successors = HashSet::new();
    for task in tasks {
        successors.insert(task.await.unwrap());
    }
    assert_eq!(successors.len(), 1);
    let successor = successors.into_iter().next().unwrap();
    world.identity.refresh(&successor, Keeping::Program, &origin("1")).await.unwrap();
}

/// Attack: a denial of service from behind the address of a whole clinic.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attack_junk_from_the_same_address_keeps_no_good_token_from_its_exchange() {
    let world = World::new();
    world.user(Tenant::DEFAULT, "alice", &[Role::Nurse]).await;
    let good = refresh_of(&world.login("alice").await);
    let mut last = None;
    for number in 0..=u8::MAX {
        let mut bytes = URL_SAFE_NO_PAD.decode(&good[5..]).unwrap();
        (bytes[4], bytes[5]) = (bytes[4] ^ 1, number);
        let junk = format!("irt1_{}", URL_SAFE_NO_PAD.encode(bytes));
        last = world.identity.refresh(&junk, Keeping::Program, &origin("1")).await.err();
    }
    assert_eq!(last.unwrap().kind(), ErrorKind::TooMany);
    world.identity.refresh(&good, Keeping::Program, &origin("1")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_end_in_time_and_by_nobody_elses_guess() {
    let world = World::new();
    world.user(Tenant::DEFAULT, "alice", &[Role::Nurse]).await;
    let tokens = world.login("alice").await;
    let token = refresh_of(&tokens);
    // Who knows only the session's id, which stands in access tokens, ends nothing.
    for at in (0..20).chain(24..40) {
        let from = origin(&format!("10.9.0.{at}"));
        assert!(world.identity.refresh(&flipped(&token, at), Keeping::Program, &from).await.is_err());
    }
    world.identity.authenticate(tokens.access.expose(), Origin::default()).await.unwrap();
    let tokens = world.identity.refresh(&token, Keeping::Program, &origin("1")).await.unwrap();
    // Who knows the family's secret has held one of its tokens.
    assert!(world.identity.refresh(&flipped(&refresh_of(&tokens), 71), Keeping::Program, &origin("1")).await.is_err());
    assert!(world.identity.authenticate(tokens.access.expose(), Origin::default()).await.is_err());
    assert!(world.identity.refresh(&token[..token.len() - 1], Keeping::Program, &origin("1")).await.is_err());
    let tokens = world.login("alice").await;
    world.advance(REFRESH_LIFE.as_secs() - 1);
    let mut tokens = world.identity.refresh(&refresh_of(&tokens), Keeping::Program, &origin("1")).await.unwrap();
    let mut lived = REFRESH_LIFE.as_secs() - 1;
    let day = 86_400;
    while lived + 20 * day < SESSION_LIFE.as_secs() {
        world.advance(20 * day);
        lived += 20 * day;
        tokens = world.identity.refresh(&refresh_of(&tokens), Keeping::Program, &origin("1")).await.unwrap();
    }
    world.advance(20 * day);
    let late = world.identity.refresh(&refresh_of(&tokens), Keeping::Program, &origin("1")).await.unwrap_err();
    assert!(matches!(late, AccessError::Refresh), "the session's own end");
    let tokens = world.login("alice").await;
    world.advance(REFRESH_LIFE.as_secs());
    assert!(world.identity.refresh(&refresh_of(&tokens), Keeping::Program, &origin("1")).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_machine_gets_what_it_was_given_and_no_more() {
    let world = World::new();
    let permit = World::create(Tenant::DEFAULT);
    let made =
        world.identity.client_create(&permit, "lab", "system/Patient.read system/Observation.cruds").await.unwrap();
    assert_eq!(made.client.scope, "system/Observation.cruds system/Patient.rs");
    let id = &made.client.client_id;
    let token = |scope: Option<&'static str>| {
        let (identity, secret) = (&world.identity, &made.secret);
        async move { identity.client_token(id, secret, scope, &origin("1")).await }
    };
    let all = token(None).await.unwrap();
    assert_eq!((all.scope.as_deref(), all.refresh.is_none()), (Some(made.client.scope.as_str()), true));
    let caller = world.identity.authenticate(all.access.expose(), Origin::default()).await.unwrap();
    assert_eq!((caller.subject.kind, &*caller.subject.name), (SubjectKind::Client, "lab"));
    assert!(caller.permissions.names().is_empty() && caller.session.is_none());
    let narrow = token(Some("system/Patient.r")).await.unwrap();
    let caller = world.identity.authenticate(narrow.access.expose(), Origin::default()).await.unwrap();
    assert_eq!(world.identity.me(&caller).unwrap().scope.as_deref(), Some("system/Patient.r"));
    for wide in
        ["system/*.cruds", "system/Patient.cruds", "system/Patient.r system/Encounter.r", "openid", "system/X.r"]
    {
        let AccessError::Scope(faults) = token(Some(wide)).await.unwrap_err() else { panic!("{wide}") };
        assert_eq!(faults.len(), 1, "{wide}: {faults:?}");
    }
    // Revoking one token leaves the other.
    world.identity.logout(&caller).await.unwrap();
    assert!(world.identity.authenticate(narrow.access.expose(), Origin::default()).await.is_err());
    world.identity.authenticate(all.access.expose(), Origin::default()).await.unwrap();
    world.identity.logout(&caller).await.unwrap();
    let world = world.restarted();
    assert!(world.identity.authenticate(narrow.access.expose(), Origin::default()).await.is_err());
    let update = World::update(Tenant::DEFAULT);
    world.identity.client_enable(&update, id, Enabled::No).await.unwrap();
    assert!(world.identity.authenticate(all.access.expose(), Origin::default()).await.is_err());
    let off = world.identity.client_token(id, &made.secret, None, &origin("1")).await.unwrap_err();
    assert!(matches!(off, AccessError::Client));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn client_authentication_tells_nothing_and_crosses_no_tenant() {
    let world = World::new();
    let other = world.identity.tenant_create(&World::create(Tenant::PLATFORM), "Other").await.unwrap();
    assert_eq!(world.identity.tenant_by_name("OTHER").unwrap(), Some(Tenant(other.number)));
    assert_eq!(world.identity.tenant_by_name("default").unwrap(), Some(Tenant::DEFAULT));
    assert_eq!(world.identity.tenant_list(&World::search(Tenant::PLATFORM)).unwrap().len(), 2);
    let ours = world.identity.client_create(&World::create(Tenant::DEFAULT), "a", "system/*.rs").await.unwrap();
    let theirs = world.identity.client_create(&World::create(Tenant(other.number)), "a", "system/*.rs").await.unwrap();
    let (_, uuid) = ours.client.client_id.split_once('-').unwrap();
    let moved = format!("{}-{uuid}", other.number);
    let tries = [
        (ours.client.client_id.as_str(), theirs.secret.expose().as_str()),
        (&moved, ours.secret.expose()),
        (&format!("01-{uuid}"), ours.secret.expose()),
        ("nobody", ours.secret.expose()),
        ("", ""),
        (&ours.client.client_id, ""),
        (&ours.client.client_id, "ics1_"),
    ];
    for (number, (id, key)) in tries.into_iter().enumerate() {
        let from = origin(&format!("10.0.2.{number}"));
        let error = world.identity.client_token(id, &secret(key), None, &from).await.unwrap_err();
        assert!(matches!(error, AccessError::Client), "{id}: {error}");
        assert_eq!(error.to_string(), "client authentication failed");
    }
    let listed = world.identity.client_list(&World::search(Tenant(other.number)), None, 10).await.unwrap();
    assert_eq!(listed.items, [theirs.client]);
    let update = World::update(Tenant::DEFAULT);
    let foreign = world.identity.client_enable(&update, &listed.items[0].client_id, Enabled::No).await.unwrap_err();
    assert_eq!(foreign.kind(), ErrorKind::NotFound);
    let guess = origin("192.0.2.1");
    for _ in 0..6 {
        world.identity.client_token(&ours.client.client_id, &secret("guess"), None, &guess).await.unwrap_err();
    }
    let waits = world.identity.client_token(&ours.client.client_id, &ours.secret, None, &guess).await.unwrap_err();
    assert_eq!(waits.kind(), ErrorKind::TooMany);
    let bad = world.identity.client_create(&World::create(Tenant::DEFAULT), "", "user/*.rs system/Nope.r").await;
    let AccessError::Invalid(faults) = bad.unwrap_err() else { panic!() };
    assert_eq!(faults.len(), 3, "{faults:?}");
}

/// The refresh token with one byte changed: tenant 0..4, session ..20, generation ..24, family ..40, secret ..72.
fn flipped(token: &str, at: usize) -> String {
    let mut bytes = URL_SAFE_NO_PAD.decode(&token[5..]).unwrap();
    bytes[at] ^= 1;
    format!("irt1_{}", URL_SAFE_NO_PAD.encode(bytes))
}
