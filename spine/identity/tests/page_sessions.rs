//! The sessions of pages: idle time, absolute end, repeated exchanges.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

mod common;

use std::time::Duration;

use common::{PASSWORD, World, origin, refresh_of, secret, tokens};
use iris_access::{AccessError, Origin, Role};
use iris_audit::Action;
use iris_identity::{Keeping, PageSessions, REFRESH_RETRY, Tokens};
use iris_kernel::{Clock, Tenant};

async fn sign_in(world: &World) -> Tokens {
    let from = origin("10.0.0.1");
    tokens(world.identity.login(Tenant::DEFAULT, "nora", &secret(PASSWORD), Keeping::Browser, &from).await.unwrap())
}

async fn refresh(world: &World, tokens: &Tokens) -> Result<Tokens, AccessError> {
    world.identity.refresh(&refresh_of(tokens), Keeping::Browser, &origin("10.0.0.1")).await
}

async fn works(world: &World, tokens: &Tokens) -> bool {
    world.identity.authenticate(tokens.access.expose(), Origin::default()).await.is_ok()
}

async fn nora() -> World {
    let world = World::new();
    world.user(Tenant::DEFAULT, "nora", &[Role::Nurse]).await;
    world
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_nobody_uses_is_over_to_the_second() {
    let world = nora().await;
    let idle = PageSessions::default().idle.as_secs();
    let one = sign_in(&world).await;
    let session = one.session.unwrap();
    assert_eq!((session.idle.as_secs(), one.expires_in), (idle, idle));
    world.advance(idle - 1);
    assert!(works(&world, &one).await);
    let two = refresh(&world, &one).await.unwrap();
    assert_eq!(two.session.unwrap().ends, session.ends, "refreshing moves the idle time and not the end");
    world.advance(idle);
    assert!(!works(&world, &two).await, "no access token outlives its session");
    assert!(matches!(refresh(&world, &two).await, Err(AccessError::Refresh)));
    let entries = world.entries(Tenant::DEFAULT).await;
    let (_, _, said) = entries.iter().rfind(|(action, _, _)| *action == Action::SessionExpire).unwrap();
    assert!(said.contains("idle for too long"), "{said}");
    // The record says so too, so it holds even for a clock that is set back.
    let world = world.restarted();
    assert!(matches!(refresh(&world, &two).await, Err(AccessError::Refresh)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_in_use_ends_with_the_shift() {
    let world = nora().await;
    let PageSessions { idle, life } = PageSessions::default();
    let mut tokens = sign_in(&world).await;
    let ends = tokens.session.unwrap().ends;
    assert_eq!(ends.since(world.clock.now()), life);
    let step = idle / 2;
    while world.clock.now().plus(step) < ends {
        world.advance(step.as_secs());
        tokens = refresh(&world, &tokens).await.unwrap();
        let left = ends.since(world.clock.now());
        assert_eq!(Duration::from_secs(tokens.expires_in), left.min(idle));
        assert_eq!(tokens.session.unwrap().refresh_until, world.clock.now().plus(left.min(idle)));
    }
    world.advance(ends.since(world.clock.now()).as_secs());
    assert!(!works(&world, &tokens).await);
    assert!(matches!(refresh(&world, &tokens).await, Err(AccessError::Refresh)));
    let entries = world.entries(Tenant::DEFAULT).await;
    let (_, _, said) = entries.iter().rfind(|(action, _, _)| *action == Action::SessionExpire).unwrap();
    assert!(said.contains("time was over"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_exchange_at_once_gets_the_same_successor_and_later_ends_the_session() {
    let world = nora().await;
    let one = sign_in(&world).await;
    let two = refresh(&world, &one).await.unwrap();
    world.advance(REFRESH_RETRY.as_secs() - 1);
    let again = refresh(&world, &one).await.unwrap();
    assert_eq!(refresh_of(&two), refresh_of(&again));
    assert!(works(&world, &two).await && works(&world, &again).await);
    assert!(again.session.unwrap().refresh_until == two.session.unwrap().refresh_until, "a repetition is no use");
    world.advance(1);
    assert!(matches!(refresh(&world, &one).await, Err(AccessError::Refresh)));
    assert!(!works(&world, &two).await && refresh(&world, &two).await.is_err());
    assert!(world.actions(Tenant::DEFAULT).await.contains(&Action::TokenReuse));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_is_taken_only_the_way_it_was_given() {
    let world = nora().await;
    let (page, program) = (sign_in(&world).await, world.login("nora").await);
    for (tokens, keeping) in [(&page, Keeping::Program), (&program, Keeping::Browser)] {
        let refused = world.identity.refresh(&refresh_of(tokens), keeping, &origin("1")).await;
        assert!(matches!(refused, Err(AccessError::Refresh)));
    }
    refresh(&world, &page).await.unwrap();
    world.identity.refresh(&refresh_of(&program), Keeping::Program, &origin("2")).await.unwrap();
}
