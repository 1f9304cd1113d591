//! What one node does to accounts, sessions and tokens holds on the others.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

mod common;

use std::time::Duration;

use common::{World, new_user, origin, refresh_of};
use iris_access::{Origin, Role, RoleSet};
use iris_identity::{Enabled, Keeping, REFRESH_RETRY};
use iris_kernel::{Secret, Tenant};

async fn stands(identity: &iris_identity::Identity, token: &Secret<String>) -> bool {
    identity.authenticate(token.expose(), Origin::default()).await.is_ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_taken_away_on_one_node_is_taken_away_on_the_other() {
    let world = World::new();
    let other = world.another();
    let tenant = Tenant::DEFAULT;
    let user = world.user(tenant, "alice", &[Role::Nurse]).await;

    let tokens = world.login("alice").await;
    let caller = world.identity.authenticate(tokens.access.expose(), Origin::default()).await.unwrap();
    assert!(stands(&other.identity, &tokens.access).await);
    world.identity.logout(&caller).await.unwrap();
    other.caught_up();
    assert!(!stands(&other.identity, &tokens.access).await, "signed out elsewhere");

    let tokens = world.login("alice").await;
    assert!(stands(&other.identity, &tokens.access).await);
    let roles = RoleSet::of(&[Role::Physician]);
    world.identity.user_roles(&World::update(tenant), user.id, roles, None).await.unwrap();
    other.caught_up();
    let now = other.identity.authenticate(tokens.access.expose(), Origin::default()).await.unwrap();
    assert_eq!(now.roles, roles, "another role elsewhere");
    world.identity.user_enable(&World::update(tenant), user.id, Enabled::No).await.unwrap();
    other.caught_up();
    assert!(!stands(&other.identity, &tokens.access).await, "locked elsewhere");
    assert!(other.identity.refresh(&refresh_of(&tokens), Keeping::Program, &origin("1")).await.is_err());

    let client = world.identity.client_create(&World::create(tenant), "loader", "system/*.rs").await.unwrap();
    let id = client.client.client_id.clone();
    let token = world.identity.client_token(&id, &client.secret, None, &origin("1")).await.unwrap();
    let second = world.identity.client_token(&id, &client.secret, None, &origin("1")).await.unwrap();
    assert!(stands(&other.identity, &token.access).await && stands(&other.identity, &second.access).await);
    let caller = world.identity.authenticate(token.access.expose(), Origin::default()).await.unwrap();
    world.identity.logout(&caller).await.unwrap();
    other.caught_up();
    assert!(!stands(&other.identity, &token.access).await, "revoked elsewhere");
    assert!(stands(&other.identity, &second.access).await);
    world.identity.client_enable(&World::update(tenant), &id, Enabled::No).await.unwrap();
    other.caught_up();
    assert!(!stands(&other.identity, &second.access).await, "switched off elsewhere");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_is_heard_of_within_a_second_by_itself() {
    let world = World::new();
    let other = world.another();
    let user = world.user(Tenant::DEFAULT, "alice", &[Role::Nurse]).await;
    let tokens = world.login("alice").await;
    assert!(stands(&other.identity, &tokens.access).await);
    world.identity.user_enable(&World::update(Tenant::DEFAULT), user.id, Enabled::No).await.unwrap();
    let heard = async {
        while stands(&other.identity, &tokens.access).await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(1), heard).await.expect("within a second");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_refresh_token_that_is_shown_to_both_at_once_has_one_successor() {
    let world = World::new();
    let other = world.another();
    world.user(Tenant::DEFAULT, "alice", &[Role::Nurse]).await;
    let mut token = refresh_of(&world.login("alice").await);
    for _ in 0..20 {
        let from = origin("1");
        let (here, there) = tokio::join!(
            world.identity.refresh(&token, Keeping::Program, &from),
            other.identity.refresh(&token, Keeping::Program, &from)
        );
        let (here, there) = (refresh_of(&here.unwrap()), refresh_of(&there.unwrap()));
        assert_eq!(here, there);
        token = here;
    }
    // A spent one that comes later ends the session, wherever it is shown.
    let next = other.identity.refresh(&token, Keeping::Program, &origin("1")).await.unwrap();
    world.advance(REFRESH_RETRY.as_secs());
    assert!(world.identity.refresh(&token, Keeping::Program, &origin("66")).await.is_err());
    other.caught_up();
    assert!(!stands(&other.identity, &next.access).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_name_is_given_to_one_of_two_and_the_last_administrator_stays() {
    let world = World::new();
    let other = world.another();
    let tenant = Tenant::DEFAULT;
    for round in 0..5 {
        let name = format!("user-{round}");
        let (permit, again) = (World::create(tenant), World::create(tenant));
        let (here, there) = tokio::join!(
            world.identity.user_create(&permit, new_user(&name, &[Role::Admin])),
            other.identity.user_create(&again, new_user(&name, &[Role::Admin]))
        );
        assert!(here.is_ok() != there.is_ok(), "{here:?} {there:?}");
    }
    let users = world.identity.user_list(&World::search(tenant), None, 10).await.unwrap();
    assert_eq!(users.total, 5);
    let ids: Vec<_> = users.items.iter().map(|user| user.id).collect();
    for id in &ids[2..] {
        world.identity.user_enable(&World::update(tenant), *id, Enabled::No).await.unwrap();
    }
    let (permit, again) = (World::update(tenant), World::update(tenant));
    let (here, there) = tokio::join!(
        world.identity.user_enable(&permit, ids[0], Enabled::No),
        other.identity.user_enable(&again, ids[1], Enabled::No)
    );
    assert!(here.is_ok() != there.is_ok(), "two administrators who lock each other: {here:?} {there:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_that_start_at_once_sign_with_the_same_keys() {
    let world = World::new();
    let other = world.another();
    assert_eq!(world.identity.jwks().unwrap(), other.identity.jwks().unwrap());
    world.user(Tenant::DEFAULT, "alice", &[Role::Nurse]).await;
    let tokens = world.login("alice").await;
    assert!(stands(&other.identity, &tokens.access).await);
}
