//! Somebody who may do everything and somebody who looks after accounts, and what they give to others.

use std::sync::Arc;

use iris_access::{AccessError, Action, Caller, Facts, Named, Origin, Permit, Role, decide};
use iris_identity::{FirstPassword, GrantWords, NewAccount, NewGrant, NewRole, Taken, UserView};
use iris_kernel::Tenant;

use super::{PASSWORD, World, secret};

pub async fn signed_in(world: &World, name: &str) -> Arc<Caller> {
    let tokens = world.login(name).await;
    world.identity.authenticate(tokens.access.expose(), Origin::default()).await.unwrap()
}

pub fn permit<A: Action>(caller: &Arc<Caller>, action: A) -> Permit<A> {
    decide(caller, action, &Facts::named(Named::Accounts)).unwrap()
}

pub fn role(name: &str) -> GrantWords {
    GrantWords { role: Some(name.to_owned()), permission: None }
}

pub fn single(name: &str) -> GrantWords {
    GrantWords { role: None, permission: Some(name.to_owned()) }
}

pub fn grant(what: GrantWords) -> NewGrant {
    NewGrant { what, reason: "a test".to_owned(), ..NewGrant::default() }
}

pub fn taken(what: GrantWords) -> Taken {
    Taken { what, reason: "a test".to_owned(), ..Taken::default() }
}

pub fn custom(name: &str, permissions: &[&str]) -> NewRole {
    let permissions = permissions.iter().map(|name| (*name).to_owned()).collect();
    NewRole { name: name.to_owned(), permissions, ..NewRole::default() }
}

pub fn account(name: &str, roles: &[&str]) -> NewAccount {
    NewAccount {
        name: name.to_owned(),
        password: FirstPassword::Chosen(secret(PASSWORD)),
        roles: roles.iter().map(|name| (*name).to_owned()).collect(),
        ..NewAccount::default()
    }
}

#[track_caller]
pub fn denied<T>(result: Result<T, AccessError>) {
    match result {
        Err(AccessError::Denied(_)) => {}
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it was done"),
    }
}

#[track_caller]
pub fn refused<T>(result: Result<T, AccessError>) {
    match result {
        Err(AccessError::Refused(_)) => {}
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it was done"),
    }
}

/// An admin, and an administrator who looks after accounts and may see no patient.
pub async fn clinic(world: &World) -> (UserView, Arc<Caller>, UserView, Arc<Caller>) {
    let root = world.user(Tenant::DEFAULT, "root", &[Role::Admin]).await;
    let clerk = world.user(Tenant::DEFAULT, "clerk", &[Role::Administrator]).await;
    let (by_root, by_clerk) = (signed_in(world, "root").await, signed_in(world, "clerk").await);
    (root, by_root, clerk, by_clerk)
}
