//! Tenants are made, named and switched by the operator, and by nobody else.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

mod common;

use std::time::Duration;

use common::clinic::{account, clinic, denied, grant, permit, refused, role, signed_in};
use common::{World, secret};
use iris_access::{AccessError, Create, Origin, Role, Update};
use iris_audit::Action as Logged;
use iris_identity::{FirstPassword, NewAccount, NewGrant, TenantChange};
use iris_kernel::{Clock, Tenant};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn escalation_by_making_a_tenant() {
    let world = World::new();
    let (_, by_root, _, by_clerk) = clinic(&world).await;
    denied(world.identity.tenant_create(&permit(&by_clerk, Create), "mine").await);
    denied(world.identity.tenant_create_with(&permit(&by_clerk, Create), "mine", account("boss", &[])).await);
    let (theirs, boss) =
        world.identity.tenant_create_with(&permit(&by_root, Create), "theirs", account("boss", &[])).await.unwrap();
    assert_eq!(boss.roles, ["admin"]);
    // The administrator of a tenant is nobody outside of it.
    let system = World::system(Tenant(theirs.number));
    denied(world.identity.tenant_create(&permit(&system, Create), "more").await);
    let off = TenantChange { on: Some(false), ..TenantChange::default() };
    denied(world.identity.tenant_change(&permit(&system, Update), theirs.number, off.clone()).await);
    denied(world.identity.tenant_change(&permit(&by_clerk, Update), theirs.number, off.clone()).await);
    refused(world.identity.tenant_change(&permit(&by_root, Update), Tenant::DEFAULT.0, off).await);
    // An administrator for an hour makes no tenant that stays.
    let nora = world.user(Tenant::DEFAULT, "nora", &[Role::User]).await;
    let hour = world.clock.now().plus(Duration::from_secs(3_600));
    let timed = NewGrant { until: Some(hour), ..grant(role("admin")) };
    world.identity.grant(&permit(&by_root, Update), nora.id, timed).await.unwrap();
    denied(world.identity.tenant_create(&permit(&signed_in(&world, "nora").await, Create), "mine").await);
    let names = world.identity.tenant_list(&permit(&by_root, iris_access::Search)).unwrap();
    assert_eq!(names.iter().map(|tenant| tenant.name.as_str()).collect::<Vec<_>>(), ["default", "theirs"]);
    // A name is taken once, in any case, and every fault is told at once.
    let again = world.identity.tenant_create(&permit(&by_root, Create), "THEIRS").await;
    assert!(matches!(again, Err(AccessError::Taken(_))));
    let bad = NewAccount { password: FirstPassword::Chosen(secret("short")), ..account("", &[]) };
    match world.identity.tenant_create_with(&permit(&by_root, Create), "", bad).await {
        Err(AccessError::Invalid(faults)) => {
            let at: Vec<&str> = faults.iter().map(|fault| fault.at.as_str()).collect();
            assert_eq!(at, ["name", "admin/username", "admin/password"]);
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_that_is_switched_off_lets_nobody_in_and_ends_all_sessions_for_good() {
    let world = World::new();
    let (_, by_root, _, _) = clinic(&world).await;
    let (theirs, _) =
        world.identity.tenant_create_with(&permit(&by_root, Create), "theirs", account("boss", &[])).await.unwrap();
    let tenant = Tenant(theirs.number);
    let login = async || {
        let origin = common::origin("10.0.0.1");
        let keeping = iris_identity::Keeping::Program;
        world.identity.login(tenant, "boss", &secret(common::PASSWORD), keeping, &origin).await
    };
    let Ok(iris_identity::Login::Done(session)) = login().await else { panic!("a password is enough here") };
    let client = World::create(tenant);
    let client = world.identity.client_create(&client, "machine", "system/Patient.rs").await.unwrap();
    let machine = async || {
        let id = client.client.client_id.clone();
        world.identity.client_token(&id, &client.secret, None, &common::origin("10.0.0.2")).await
    };
    let token = machine().await.unwrap();
    let other = world.another();
    let good = async || {
        let mut good = Vec::new();
        for identity in [&world.identity, &other.identity] {
            for tokens in [&*session, &token] {
                good.push(identity.authenticate(tokens.access.expose(), Origin::default()).await.is_ok());
            }
        }
        good
    };
    assert_eq!(good().await, [true; 4]);
    world.advance(10);
    let change = |on| TenantChange { on: Some(on), ..TenantChange::default() };
    assert!(world.identity.tenant_change(&permit(&by_root, Update), theirs.number, change(false)).await.unwrap().off);
    other.caught_up();
    assert_eq!(good().await, [false; 4]);
    world.advance(10);
    assert!(login().await.is_err() && machine().await.is_err());
    let origin = common::origin("10.0.0.1");
    let refresh = common::refresh_of(&session);
    assert!(world.identity.refresh(&refresh, iris_identity::Keeping::Program, &origin).await.is_err());
    let named = TenantChange { name: Some("ours".to_owned()), on: Some(true) };
    assert_eq!(
        world.identity.tenant_change(&permit(&by_root, Update), theirs.number, named).await.unwrap().name,
        "ours"
    );
    world.advance(10);
    other.caught_up();
    assert_eq!(good().await, [false; 4]);
    assert!(world.identity.refresh(&refresh, iris_identity::Keeping::Program, &origin).await.is_err());
    assert!(login().await.is_ok() && machine().await.is_ok());
    let told = world.entries(Tenant::DEFAULT).await;
    let told: Vec<&String> =
        told.iter().filter(|(action, _, _)| *action == Logged::TenantUpdate).map(|(_, _, detail)| detail).collect();
    assert!(told[0].contains("before: theirs on; after: theirs off") && told[1].contains("after: ours on"), "{told:?}");
}
