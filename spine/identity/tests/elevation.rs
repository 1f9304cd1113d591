//! How somebody could come by more than they have, each way an attack with a name: roles, roles of the tenant, grants, changes of accounts,
//! invitations, tenants, time. And what must hold of an administrator who stays.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

mod common;

use std::time::Duration;

use common::World;
use common::clinic::{account, clinic, custom, denied, grant, permit, refused, role, signed_in, single, taken};
use iris_access::{AccessError, Create, Delete, Origin, Role, Update};
use iris_audit::{Action as Logged, Outcome};
use iris_identity::{Enabled, FirstPassword, GrantWords, NewAccount, NewGrant, NewRole, UserChange, UserView};
use iris_kernel::{Clock, Tenant};
use uuid::Uuid;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn escalation_by_granting_a_role_or_permission_that_one_does_not_hold() {
    let world = World::new();
    let (_, by_root, _, by_clerk) = clinic(&world).await;
    let nora = world.user(Tenant::DEFAULT, "nora", &[Role::User]).await;
    for what in [role("admin"), role("physician"), role("nurse"), role("auditor"), single("healthcare:read")] {
        denied(world.identity.grant(&permit(&by_clerk, Update), nora.id, grant(what)).await);
    }
    for what in [single("healthcare:very_restricted"), single("audit:admin"), single("healthcare:identifiers")] {
        denied(world.identity.grant(&permit(&by_clerk, Update), nora.id, grant(what)).await);
    }
    let view = world.identity.grant(&permit(&by_root, Update), nora.id, grant(role("physician"))).await.unwrap();
    assert_eq!(view.roles, ["user", "physician"]);
    // What was tried is on the log, with the permission that was missing.
    let entries = world.entries(Tenant::DEFAULT).await;
    let tried =
        entries.iter().filter(|(action, outcome, _)| *action == Logged::RoleGrant && *outcome == Outcome::Denied);
    assert_eq!(tried.count(), 8);
    let done = entries.iter().find(|(action, outcome, _)| *action == Logged::RoleGrant && *outcome == Outcome::Success);
    let detail = &done.unwrap().2;
    assert!(detail.contains("before: user; after: user, physician") && detail.contains("a test"), "{detail}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn escalation_by_a_role_of_ones_own_making() {
    let world = World::new();
    let (_, by_root, _, by_clerk) = clinic(&world).await;
    let make = permit(&by_clerk, Create);
    for one in [
        custom("front", &["healthcare:read"]),
        custom("front", &["system:admin", "audit:admin"]),
        NewRole { based_on: Some("physician".to_owned()), ..custom("front", &[]) },
        NewRole { based_on: Some("admin".to_owned()), ..custom("front", &[]) },
        NewRole { families: vec!["knowledge".to_owned()], ..custom("front", &["system:admin"]) },
    ] {
        denied(world.identity.role_create(&make, one).await);
    }
    // What the administrator holds can be a role, and it is no more than that; raising it later is the same attack.
    let held = NewRole { families: vec!["accounts".to_owned()], ..custom("desk", &["system:admin"]) };
    let desk = world.identity.role_create(&make, held).await.unwrap();
    let change = permit(&by_clerk, Update);
    denied(world.identity.role_update(&change, desk.id, custom("desk", &["healthcare:read"])).await);
    denied(world.identity.role_update(&change, desk.id, custom("desk", &["system:admin"])).await);
    // Nor does anybody change or take away what they do not hold.
    let reader =
        world.identity.role_create(&permit(&by_root, Create), custom("reader", &["healthcare:read"])).await.unwrap();
    denied(world.identity.role_update(&change, reader.id, custom("reader", &["system:admin"])).await);
    denied(world.identity.role_delete(&permit(&by_clerk, Delete), reader.id).await);
    let nora = world.user(Tenant::DEFAULT, "nora", &[Role::User]).await;
    denied(world.identity.grant(&change, nora.id, grant(role("reader"))).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn escalation_by_changing_ones_own_account() {
    let world = World::new();
    let (root, by_root, clerk, by_clerk) = clinic(&world).await;
    for (id, by) in [(root.id, &by_root), (clerk.id, &by_clerk)] {
        let own = permit(by, Update);
        refused(world.identity.grant(&own, id, grant(role("administrator"))).await);
        refused(world.identity.grant_take(&own, id, taken(role("admin"))).await);
        let roles = Some(vec!["administrator".to_owned()]);
        refused(world.identity.user_change(&own, id, UserChange { roles, ..UserChange::default() }).await);
        let practitioner = UserChange { display_name: Some(Some("Dr. Who".to_owned())), ..UserChange::default() };
        refused(world.identity.user_change(&own, id, practitioner).await);
        refused(world.identity.user_factors_reset(&own, id).await);
        refused(world.identity.user_enable(&own, id, Enabled::Yes).await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn takeover_of_an_account_that_holds_more_by_its_address_or_factors() {
    let world = World::new();
    let (root, _, _, by_clerk) = clinic(&world).await;
    let paul = world.user(Tenant::DEFAULT, "paul", &[Role::Physician]).await;
    let change = permit(&by_clerk, Update);
    for id in [root.id, paul.id] {
        let email = UserChange { email: Some(Some("clerk@example.org".to_owned())), ..UserChange::default() };
        denied(world.identity.user_change(&change, id, email).await);
        denied(world.identity.user_factors_reset(&change, id).await);
        denied(world.identity.grant_take(&change, id, taken(role("physician"))).await);
        let roles = Some(vec!["administrator".to_owned()]);
        denied(world.identity.user_change(&change, id, UserChange { roles, ..UserChange::default() }).await);
    }
    // Stopping a physician gives nobody anything; stopping an administrator is for administrators.
    world.identity.user_enable(&change, paul.id, Enabled::No).await.unwrap();
    denied(world.identity.user_enable(&change, root.id, Enabled::No).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn escalation_by_an_account_or_invitation_that_holds_more_than_its_maker() {
    let world = World::new();
    let (_, by_root, _, by_clerk) = clinic(&world).await;
    world.patient(Tenant::DEFAULT, "p1").await;
    let make = permit(&by_clerk, Create);
    for roles in [&["admin"][..], &["physician"], &["administrator", "nurse"], &["auditor"]] {
        denied(world.identity.account_create(&make, account("puppet", roles)).await);
        let invited = NewAccount {
            password: FirstPassword::Invited,
            email: Some("puppet@example.org".to_owned()),
            ..account("puppet", roles)
        };
        let invited = world.identity.account_create(&make, invited).await;
        match roles {
            // Whoever runs the accounts may invite who treats, to an address that is not theirs (ADR 0018); here no mail goes out.
            ["physician"] => assert!(matches!(invited, Err(AccessError::MailNotConfigured)), "{invited:?}"),
            _ => denied(invited),
        }
    }
    let single = NewAccount { permissions: vec!["healthcare:read".to_owned()], ..account("puppet", &["user"]) };
    denied(world.identity.account_create(&make, single).await);
    // An account for somebody's own record, with a password that its maker knows, is a way into the record.
    let patient = NewAccount { patient: Some("p1".to_owned()), ..account("puppet", &["patient"]) };
    denied(world.identity.account_create(&make, patient).await);
    world.identity.account_create(&make, account("colleague", &["administrator"])).await.unwrap();
    // Without mail an invitation reaches nobody, and says so.
    let invited = NewAccount {
        password: FirstPassword::Invited,
        email: Some("nina@example.org".to_owned()),
        ..account("nina", &["nurse"])
    };
    let unreachable = world.identity.account_create(&permit(&by_root, Create), invited).await;
    assert!(matches!(unreachable, Err(AccessError::MailNotConfigured)), "{unreachable:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_role_of_machines_is_for_nobody_with_an_account() {
    let world = World::new();
    let (_, by_root, _, _) = clinic(&world).await;
    let nora = world.user(Tenant::DEFAULT, "nora", &[Role::User]).await;
    let invalid = |result: Result<UserView, AccessError>| assert!(matches!(result, Err(AccessError::Invalid(_))));
    invalid(world.identity.account_create(&permit(&by_root, Create), account("robot", &["system"])).await);
    let roles = Some(vec!["system".to_owned()]);
    invalid(
        world
            .identity
            .user_change(&permit(&by_root, Update), nora.id, UserChange { roles, ..UserChange::default() })
            .await,
    );
    invalid(world.identity.grant(&permit(&by_root, Update), nora.id, grant(role("system"))).await);
    let based = NewRole { based_on: Some("system".to_owned()), ..custom("robot", &[]) };
    assert!(matches!(world.identity.role_create(&permit(&by_root, Create), based).await, Err(AccessError::Invalid(_))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_administers_for_an_hour_makes_nobody_an_administrator_for_longer() {
    let world = World::new();
    let (_, by_root, _, _) = clinic(&world).await;
    let nora = world.user(Tenant::DEFAULT, "nora", &[Role::User]).await;
    let friend = world.user(Tenant::DEFAULT, "friend", &[Role::User]).await;
    let hour = world.clock.now().plus(Duration::from_secs(3_600));
    let timed = NewGrant { until: Some(hour), ..grant(role("admin")) };
    world.identity.grant(&permit(&by_root, Update), nora.id, timed.clone()).await.unwrap();
    let by_nora = signed_in(&world, "nora").await;
    let change = permit(&by_nora, Update);
    denied(world.identity.grant(&change, friend.id, grant(role("admin"))).await);
    let longer = NewGrant { until: Some(hour.plus(Duration::from_secs(1))), ..timed.clone() };
    denied(world.identity.grant(&change, friend.id, longer).await);
    denied(world.identity.account_create(&permit(&by_nora, Create), account("puppet", &["admin"])).await);
    denied(world.identity.role_create(&permit(&by_nora, Create), custom("door", &["system:admin"])).await);
    let roles = Some(vec!["admin".to_owned()]);
    denied(world.identity.user_change(&change, friend.id, UserChange { roles, ..UserChange::default() }).await);
    // As long as they hold it themselves they may.
    world.identity.grant(&change, friend.id, timed).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_grant_counts_from_its_beginning_until_its_end_without_a_new_sign_in() {
    let world = World::new();
    let (_, by_root, _, _) = clinic(&world).await;
    let nora = world.user(Tenant::DEFAULT, "nora", &[Role::User]).await;
    let token = world.login("nora").await.access;
    let now = world.clock.now();
    let (from, until) = (now.plus(Duration::from_secs(10)), now.plus(Duration::from_secs(20)));
    let timed = NewGrant { from: Some(from), until: Some(until), ..grant(role("nurse")) };
    let view = world.identity.grant(&permit(&by_root, Update), nora.id, timed).await.unwrap();
    assert_eq!((view.roles, view.grants[0].counts), (vec!["user".to_owned()], false));
    let nurse = async || {
        let caller = world.identity.authenticate(token.expose(), Origin::default()).await.unwrap();
        assert_eq!(caller.roles.has(Role::Nurse), !caller.rules.is_empty());
        caller.roles.has(Role::Nurse)
    };
    assert!(!nurse().await);
    for (wait, is) in [(9, false), (1, true), (9, true), (1, false)] {
        world.advance(wait);
        assert_eq!(nurse().await, is);
    }
    // A single permission counts where it is asked for, and goes when it is taken.
    world.identity.grant(&permit(&by_root, Update), nora.id, grant(single("audit:read"))).await.unwrap();
    let caller = world.identity.authenticate(token.expose(), Origin::default()).await.unwrap();
    assert!(
        caller.rules.iter().any(|rule| rule.gives(iris_access::Permission::AuditRead, iris_access::Family::AuditLog))
    );
    world.identity.grant_take(&permit(&by_root, Update), nora.id, taken(single("audit:read"))).await.unwrap();
    let caller = world.identity.authenticate(token.expose(), Origin::default()).await.unwrap();
    assert!(caller.rules.is_empty());
    let again = world.identity.grant_take(&permit(&by_root, Update), nora.id, taken(single("audit:read"))).await;
    assert!(matches!(again, Err(AccessError::NotFound(_))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_of_the_tenant_counts_at_the_next_request_on_every_node_and_stays_while_it_is_used() {
    let world = World::new();
    let (_, by_root, _, _) = clinic(&world).await;
    let nora = world.user(Tenant::DEFAULT, "nora", &[Role::User]).await;
    let token = world.login("nora").await.access;
    let front =
        world.identity.role_create(&permit(&by_root, Create), custom("front", &["clinical:read"])).await.unwrap();
    let view = world.identity.grant(&permit(&by_root, Update), nora.id, grant(role("front"))).await.unwrap();
    assert_eq!(view.roles, ["user", "front"]);
    let other = world.another();
    other.caught_up();
    let may = async |wanted: &str| {
        let mut found = Vec::new();
        for identity in [&world.identity, &other.identity] {
            let caller = identity.authenticate(token.expose(), Origin::default()).await.unwrap();
            found.push(caller.permissions.names().contains(&wanted));
        }
        assert_eq!(found[0], found[1]);
        found[0]
    };
    assert!(may("clinical:read").await && !may("healthcare:read").await);
    let wider = custom("front", &["clinical:read", "healthcare:read"]);
    world.identity.role_update(&permit(&by_root, Update), front.id, wider).await.unwrap();
    other.caught_up();
    assert!(may("healthcare:read").await);
    refused(world.identity.role_delete(&permit(&by_root, Delete), front.id).await);
    world.identity.grant_take(&permit(&by_root, Update), nora.id, taken(role("front"))).await.unwrap();
    other.caught_up();
    assert!(!may("clinical:read").await);
    world.identity.role_delete(&permit(&by_root, Delete), front.id).await.unwrap();
    let gone = world.identity.grant(&permit(&by_root, Update), nora.id, grant(role("front"))).await;
    assert!(matches!(gone, Err(AccessError::Invalid(_))));
    let defined =
        world.entries(Tenant::DEFAULT).await.into_iter().filter(|(action, _, _)| *action == Logged::RoleDefine);
    let told: Vec<String> = defined.map(|(_, _, detail)| detail).collect();
    assert!(
        told[0].contains("before: nothing; after: front") && told[1].contains("clinical:read healthcare:read"),
        "{told:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_role_that_is_granted_and_taken_away_at_once_is_one_or_the_other() {
    let world = World::new();
    let (_, by_root, _, _) = clinic(&world).await;
    let other = world.another();
    for n in 0..6 {
        let nora = world.user(Tenant::DEFAULT, &format!("nora{n}"), &[Role::User]).await;
        let name = format!("front{n}");
        let front =
            world.identity.role_create(&permit(&by_root, Create), custom(&name, &["clinical:read"])).await.unwrap();
        other.caught_up();
        let (update, delete) = (World::update(Tenant::DEFAULT), permit(&by_root, Delete));
        let (granted, deleted) = tokio::join!(
            world.identity.grant(&update, nora.id, grant(role(&name))),
            other.identity.role_delete(&delete, front.id)
        );
        assert!(granted.is_ok() != deleted.is_ok(), "{granted:?} {deleted:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_administrator_is_one_who_stays_one() {
    let world = World::new();
    let (root, by_root, _, _) = clinic(&world).await;
    let nora = world.user(Tenant::DEFAULT, "nora", &[Role::User]).await;
    let hour = world.clock.now().plus(Duration::from_secs(3_600));
    let timed = NewGrant { until: Some(hour), ..grant(role("admin")) };
    world.identity.grant(&permit(&by_root, Update), nora.id, timed).await.unwrap();
    // There are two administrators, of whom one is gone in an hour without anybody's doing.
    let by_nora = signed_in(&world, "nora").await;
    refused(world.identity.user_enable(&permit(&by_nora, Update), root.id, Enabled::No).await);
    refused(world.identity.grant_take(&permit(&by_nora, Update), root.id, taken(role("admin"))).await);
    let roles = Some(vec!["nurse".to_owned()]);
    let change = UserChange { roles, ..UserChange::default() };
    denied(world.identity.user_change(&permit(&by_nora, Update), root.id, change.clone()).await);
    refused(world.identity.user_change(&World::update(Tenant::DEFAULT), root.id, change.clone()).await);
    assert_eq!(world.identity.administrators(&World::search(Tenant::DEFAULT)).unwrap(), Some(1));
    world.advance(3_601);
    assert!(signed_in(&world, "nora").await.rules.is_empty());
    // One for good is enough.
    let by_root = signed_in(&world, "root").await;
    world.identity.grant(&permit(&by_root, Update), nora.id, grant(role("admin"))).await.unwrap();
    assert_eq!(world.identity.administrators(&World::search(Tenant::DEFAULT)).unwrap(), Some(2));
    world.identity.user_change(&World::update(Tenant::DEFAULT), root.id, change).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_administrators_who_take_each_others_role_on_two_nodes_do_not_both_succeed() {
    let world = World::new();
    let other = world.another();
    for n in 0..4 {
        let (one, two) = (format!("one{n}"), format!("two{n}"));
        let tenant = world.identity.tenant_create(&World::create(Tenant::PLATFORM), &format!("t{n}")).await.unwrap();
        let tenant = Tenant(tenant.number);
        let (one, two) =
            (world.user(tenant, &one, &[Role::Admin]).await, world.user(tenant, &two, &[Role::Admin]).await);
        other.caught_up();
        let update = World::update(tenant);
        let (a, b) = tokio::join!(
            world.identity.grant_take(&update, two.id, taken(role("admin"))),
            other.identity.user_enable(&update, one.id, Enabled::No)
        );
        assert!(a.is_ok() != b.is_ok(), "{a:?} {b:?}");
        assert_eq!(world.identity.administrators(&World::search(tenant)).unwrap(), Some(1));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_grants_are_refused_with_every_fault() {
    let world = World::new();
    let (_, by_root, _, _) = clinic(&world).await;
    let nora = world.user(Tenant::DEFAULT, "nora", &[Role::User]).await;
    let now = world.clock.now();
    let faults = async |grant: NewGrant| match world.identity.grant(&permit(&by_root, Update), nora.id, grant).await {
        Err(AccessError::Invalid(faults)) => faults.into_iter().map(|fault| fault.at).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    assert_eq!(faults(NewGrant::default()).await, ["role", "reason"]);
    let both = GrantWords { role: Some("nurse".to_owned()), permission: Some("audit:read".to_owned()) };
    assert_eq!(faults(grant(both)).await, ["permission"]);
    let over = NewGrant { until: Some(now), reason: "x".repeat(501), ..grant(role("boss")) };
    assert_eq!(faults(over).await, ["role", "valid_until", "reason"]);
    let later = now.plus(Duration::from_secs(60));
    let backwards = NewGrant { from: Some(later), until: Some(later), ..grant(single("all:all")) };
    assert_eq!(faults(backwards).await, ["permission", "valid_until"]);
    assert_eq!(faults(grant(role("patient"))).await, ["role"]);
    let nobody = world.identity.grant(&permit(&by_root, Update), Uuid::from_u128(9), grant(role("nurse"))).await;
    assert!(matches!(nobody, Err(AccessError::NotFound(_))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn escalation_by_a_machine_that_reaches_more_than_its_maker() {
    let world = World::new();
    let (_, by_root, _, by_clerk) = clinic(&world).await;
    let nora = world.user(Tenant::DEFAULT, "nora", &[Role::Physician]).await;
    let clerks = single("system:admin");
    world.identity.grant(&permit(&by_root, Update), nora.id, grant(clerks)).await.unwrap();
    let by_nora = signed_in(&world, "nora").await;
    for scope in ["system/*.rs", "system/Patient.r", "system/*.cruds", "system/Organization.s"] {
        denied(world.identity.client_create(&permit(&by_clerk, Create), "mine", scope).await);
        // A physician reads patients, and a machine would read what is labelled and masked, too.
        denied(world.identity.client_create(&permit(&by_nora, Create), "mine", scope).await);
    }
    let made = world.identity.client_create(&permit(&by_root, Create), "lab", "system/*.cruds").await.unwrap();
    let id = &made.client.client_id;
    world.identity.client_enable(&permit(&by_clerk, Update), id, Enabled::No).await.unwrap();
    denied(world.identity.client_enable(&permit(&by_clerk, Update), id, Enabled::Yes).await);
    world.identity.client_enable(&permit(&by_root, Update), id, Enabled::Yes).await.unwrap();
    let entries = world.entries(Tenant::DEFAULT).await;
    let tried = |action| entries.iter().filter(|entry| (entry.0, entry.1) == (action, Outcome::Denied)).count();
    assert_eq!((tried(Logged::ClientCreate), tried(Logged::ClientUpdate)), (8, 1));
}

/// A request that was let in before its caller lost what it rests on, and goes on after.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attack_toctou_what_was_taken_between_the_decision_and_the_write_is_not_used() {
    let world = World::new();
    let (_, by_root, clerk, by_clerk) = clinic(&world).await;
    let nora = world.user(Tenant::DEFAULT, "nora", &[Role::User]).await;
    let late = |result: Result<(), AccessError>| match result {
        Err(AccessError::Conflict | AccessError::Token) => {}
        other => panic!("{other:?}"),
    };
    let everything = async |by: &std::sync::Arc<iris_access::Caller>| {
        let (update, create) = (permit(by, Update), permit(by, Create));
        let email = UserChange { email: Some(Some("clerk@example.org".to_owned())), ..UserChange::default() };
        late(world.identity.user_change(&update, nora.id, email).await.map(drop));
        late(world.identity.user_factors_reset(&update, nora.id).await);
        late(world.identity.user_enable(&update, nora.id, Enabled::No).await.map(drop));
        late(world.identity.grant_take(&update, nora.id, taken(role("user"))).await.map(drop));
        late(world.identity.account_create(&create, account("puppet", &["user"])).await.map(drop));
        late(world.identity.client_create(&create, "mine", "system/Patient.r").await.map(drop));
        let held = NewRole { families: vec!["accounts".to_owned()], ..custom("desk", &["system:admin"]) };
        late(world.identity.role_create(&create, held).await.map(drop));
    };
    // The role is gone.
    let other = UserChange { roles: Some(vec!["user".to_owned()]), ..UserChange::default() };
    world.identity.user_change(&permit(&by_root, Update), clerk.id, other).await.unwrap();
    everything(&by_clerk).await;
    // The session is over.
    let back = UserChange { roles: Some(vec!["administrator".to_owned()]), ..UserChange::default() };
    world.identity.user_change(&permit(&by_root, Update), clerk.id, back).await.unwrap();
    let by_clerk = signed_in(&world, "clerk").await;
    world.identity.logout(&by_clerk).await.unwrap();
    everything(&by_clerk).await;
    // The account is locked.
    let by_clerk = signed_in(&world, "clerk").await;
    world.identity.user_enable(&permit(&by_root, Update), clerk.id, Enabled::No).await.unwrap();
    everything(&by_clerk).await;
    let nora = world.identity.user_read(&permit(&by_root, iris_access::Read), nora.id).await.unwrap();
    assert_eq!((nora.enabled, nora.email, nora.roles), (true, None, vec!["user".to_owned()]));
}
