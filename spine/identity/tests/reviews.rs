//! Reviews of who has access, and the report on accounts.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::{World, origin, secret};
use iris_access::{
    AccessError, Action, Caller, Create, Facts, Named, Origin, Permit, Read, Role, Search, Update, decide,
};
use iris_audit::Action as Logged;
use iris_identity::{
    Enabled, Finding, GrantWords, Keeping, NewGrant, ReportPage, ReviewScope, ReviewView, UserChange, Verdict,
};
use iris_kernel::{Clock, Tenant};
use uuid::Uuid;

const DAY: Duration = Duration::from_secs(86_400);

async fn signed_in(world: &World, name: &str) -> Arc<Caller> {
    let tokens = world.login(name).await;
    world.identity.authenticate(tokens.access.expose(), Origin::default()).await.unwrap()
}

fn reviews<A: Action>(caller: &Arc<Caller>, action: A) -> Permit<A> {
    decide(caller, action, &Facts::named(Named::Reviews)).unwrap()
}

fn keep(reason: &str) -> (Verdict, String) {
    (Verdict::Keep, reason.to_owned())
}

fn revoke(reason: &str) -> (Verdict, String) {
    (Verdict::Revoke, reason.to_owned())
}

async fn started(world: &World, caller: &Arc<Caller>, scope: ReviewScope) -> ReviewView {
    let due = world.clock.now().plus(DAY);
    world.identity.review_start(&reviews(caller, Create), scope, due).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_review_is_worked_off_with_reasons_and_closes_with_the_last_decision() {
    let world = World::new();
    let root = world.user(Tenant::DEFAULT, "root", &[Role::Admin]).await;
    let nora = world.user(Tenant::DEFAULT, "nora", &[Role::Nurse]).await;
    let ada = world.user(Tenant::DEFAULT, "ada", &[Role::Auditor]).await;
    let locked = world.user(Tenant::DEFAULT, "gone", &[Role::Nurse]).await;
    world.identity.user_enable(&World::update(Tenant::DEFAULT), locked.id, Enabled::No).await.unwrap();
    let what = GrantWords { role: None, permission: Some("document:share".to_owned()) };
    let granted = NewGrant { what, reason: "a study".to_owned(), ..NewGrant::default() };
    world.identity.grant(&World::update(Tenant::DEFAULT), nora.id, granted).await.unwrap();
    let (by_root, by_ada) = (signed_in(&world, "root").await, signed_in(&world, "ada").await);
    let token = world.login("nora").await.access;
    let review = started(&world, &by_ada, ReviewScope::All).await;
    assert_eq!((review.total, review.decided, review.overdue), (3, 0, false), "a locked account has no access");

    let read = reviews(&by_ada, Read);
    let (_, page) = world.identity.review_read(&read, review.id, None, 2).await.unwrap();
    assert_eq!((page.items.len(), page.next, page.total), (2, Some(2), 3));
    assert_eq!(page.items[1].user.grants[0].permission.as_deref(), Some("document:share"));
    assert!(page.items[1].user.last_login.is_some() && page.items[1].decision.is_none());
    let (_, rest) = world.identity.review_read(&read, review.id, page.next, 2).await.unwrap();
    assert_eq!((rest.items.len(), rest.next), (1, None));

    let (decide_ada, decide_root) = (reviews(&by_ada, Update), reviews(&by_root, Update));
    let after = world.identity.review_decide(&decide_ada, review.id, nora.id, revoke("left in May")).await.unwrap();
    assert_eq!((after.decided, after.closed), (1, None));
    // Revoked is revoked: sessions, roles, grants, signing in.
    assert!(world.identity.authenticate(token.expose(), Origin::default()).await.is_err());
    assert!(
        world
            .identity
            .login(Tenant::DEFAULT, "nora", &secret(common::PASSWORD), Keeping::Program, &origin("1"))
            .await
            .is_err()
    );
    let permit = decide(&by_root, Read, &Facts::named(Named::Accounts)).unwrap();
    let left = world.identity.user_read(&permit, nora.id).await.unwrap();
    assert!(left.roles.is_empty() && left.grants.is_empty() && !left.enabled);
    let kept = world.identity.review_decide(&decide_ada, review.id, root.id, keep("runs the clinic")).await.unwrap();
    assert_eq!((kept.decided, kept.closed), (2, None));
    let closed = world.identity.review_decide(&decide_root, review.id, ada.id, keep("audits")).await.unwrap();
    assert!(closed.decided == 3 && closed.closed.is_some());
    let listed = world.identity.review_list(&reviews(&by_ada, Search), None, 10).await.unwrap();
    assert_eq!((listed.items, listed.total), (vec![closed], 1));
    let (_, page) = world.identity.review_read(&read, review.id, None, 10).await.unwrap();
    let decision = page.items[1].decision.clone().unwrap();
    assert_eq!(
        (decision.verdict, decision.reason.as_str(), decision.by_name.as_str()),
        (Verdict::Revoke, "left in May", "ada")
    );
    assert_eq!(decision.held, "nurse, document:share");
    let told = world.entries(Tenant::DEFAULT).await;
    let told: Vec<&String> =
        told.iter().filter(|(action, _, _)| *action == Logged::ReviewDecide).map(|(_, _, detail)| detail).collect();
    assert!(told[0].contains("revoke nora") && told[2].contains("the review is closed"), "{told:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_decides_about_themselves_twice_or_beyond_what_they_may() {
    let world = World::new();
    let root = world.user(Tenant::DEFAULT, "root", &[Role::Admin]).await;
    let ada = world.user(Tenant::DEFAULT, "ada", &[Role::Auditor]).await;
    let nora = world.user(Tenant::DEFAULT, "nora", &[Role::Nurse]).await;
    let (by_ada, by_root) = (signed_in(&world, "ada").await, signed_in(&world, "root").await);
    let review = started(&world, &by_ada, ReviewScope::All).await;
    let permit = reviews(&by_ada, Update);
    let refused = |result: Result<ReviewView, AccessError>| assert!(matches!(result, Err(AccessError::Refused(_))));
    refused(world.identity.review_decide(&permit, review.id, ada.id, keep("it is me")).await);
    // An auditor stops no administrator, and nobody the last one.
    let denied = world.identity.review_decide(&permit, review.id, root.id, revoke("power")).await;
    assert!(matches!(denied, Err(AccessError::Denied(_))), "{denied:?}");
    let system = reviews(&World::system(Tenant::DEFAULT), Update);
    refused(world.identity.review_decide(&system, review.id, root.id, revoke("power")).await);
    world.identity.review_decide(&permit, review.id, nora.id, keep("works here")).await.unwrap();
    refused(world.identity.review_decide(&permit, review.id, nora.id, revoke("second thoughts")).await);
    let nobody = world.identity.review_decide(&permit, review.id, Uuid::from_u128(9), keep("x")).await;
    assert!(matches!(nobody, Err(AccessError::NotFound(_))));
    let nothing = world.identity.review_decide(&permit, Uuid::from_u128(9), nora.id, keep("x")).await;
    assert!(matches!(nothing, Err(AccessError::NotFound(_))));
    let unsaid = world.identity.review_decide(&permit, review.id, root.id, keep(" ")).await;
    assert!(matches!(unsaid, Err(AccessError::Invalid(_))));
    // Another tenant's review is not there, and a permit on accounts opens none.
    let made = world.identity.tenant_create(&World::create(Tenant::PLATFORM), "elsewhere").await.unwrap();
    let theirs = reviews(&World::system(Tenant(made.number)), Read);
    assert!(matches!(world.identity.review_read(&theirs, review.id, None, 10).await, Err(AccessError::NotFound(_))));
    let accounts = decide(&by_root, Read, &Facts::named(Named::Accounts)).unwrap();
    assert!(matches!(world.identity.review_read(&accounts, review.id, None, 10).await, Err(AccessError::Denied(_))));
    world.advance(86_400);
    let (late, _) =
        world.identity.review_read(&reviews(&World::system(Tenant::DEFAULT), Read), review.id, None, 1).await.unwrap();
    assert!(late.overdue);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_decisions_about_one_account_at_once_on_two_nodes_are_one() {
    let world = World::new();
    world.user(Tenant::DEFAULT, "root", &[Role::Admin]).await;
    let nora = world.user(Tenant::DEFAULT, "nora", &[Role::Nurse]).await;
    let system = World::system(Tenant::DEFAULT);
    let other = world.another();
    let review = started(&world, &system, ReviewScope::All).await;
    other.caught_up();
    let permit = reviews(&system, Update);
    let (a, b) = tokio::join!(
        world.identity.review_decide(&permit, review.id, nora.id, keep("one")),
        other.identity.review_decide(&permit, review.id, nora.id, revoke("two"))
    );
    assert!(a.is_ok() != b.is_ok(), "{a:?} {b:?}");
    let (after, _) = world.identity.review_read(&reviews(&system, Read), review.id, None, 10).await.unwrap();
    assert_eq!(after.decided, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_review_is_about_a_role_or_a_department_and_refused_with_every_fault() {
    let world = World::new();
    world.user(Tenant::DEFAULT, "root", &[Role::Admin]).await;
    let nora = world.user(Tenant::DEFAULT, "nora", &[Role::User]).await;
    let system = World::system(Tenant::DEFAULT);
    let words = GrantWords { role: Some("nurse".to_owned()), permission: None };
    let later = world.clock.now().plus(DAY);
    let timed = NewGrant { what: words, from: Some(later), reason: "from tomorrow".to_owned(), ..NewGrant::default() };
    world.identity.grant(&World::update(Tenant::DEFAULT), nora.id, timed).await.unwrap();
    let review = started(&world, &system, ReviewScope::Role("nurse".to_owned())).await;
    let (_, page) = world.identity.review_read(&reviews(&system, Read), review.id, None, 10).await.unwrap();
    assert_eq!(page.items.iter().map(|item| item.user.id).collect::<Vec<_>>(), [nora.id]);
    let faults = async |scope, due| match world.identity.review_start(&reviews(&system, Create), scope, due).await {
        Err(AccessError::Invalid(faults)) => faults.into_iter().map(|fault| fault.at).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    let (now, year) = (world.clock.now(), world.clock.now().plus(DAY * 367));
    assert_eq!(faults(ReviewScope::Role("boss".to_owned()), now).await, ["due", "role"]);
    assert_eq!(faults(ReviewScope::Department("nowhere".to_owned()), year).await, ["due", "department"]);
    assert_eq!(faults(ReviewScope::Role("radiologist".to_owned()), later).await, ["scope"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_report_names_privileged_dormant_and_orphan_accounts_and_failed_sign_ins() {
    let world = World::new();
    world.user(Tenant::DEFAULT, "root", &[Role::Admin]).await;
    let nora = world.user(Tenant::DEFAULT, "nora", &[Role::Nurse]).await;
    let rosa = world.user(Tenant::DEFAULT, "rosa", &[Role::Nurse]).await;
    let email = |name: &str| UserChange { email: Some(Some(format!("{name}@example.org"))), ..UserChange::default() };
    for (id, name) in [(nora.id, "nora"), (rosa.id, "rosa")] {
        world.identity.user_change(&World::update(Tenant::DEFAULT), id, email(name)).await.unwrap();
    }
    for name in ["root", "nora"] {
        world.login(name).await;
    }
    world.advance(89 * 86_400);
    world.login("root").await;
    let permit = reviews(&World::system(Tenant::DEFAULT), Search);
    let report = async |days: u32| world.identity.access_report(&permit, DAY * days, (None, 100)).await.unwrap();
    let said = |report: &ReportPage, name: &str| -> Vec<Finding> {
        let item = report.items.iter().find(|item| item.user.name == name);
        item.map(|item| item.findings.iter().copied().collect()).unwrap_or_default()
    };
    let now = report(90).await;
    assert_eq!(said(&now, "root"), [Finding::Privileged, Finding::NoEmail]);
    assert!(said(&now, "nora").is_empty());
    assert_eq!(said(&now, "rosa"), [Finding::NeverSignedIn]);
    let privileged = now.items.iter().find(|item| item.user.name == "root").unwrap();
    assert!(privileged.privileges.contains(&"system:admin"), "{privileged:?}");
    world.advance(86_400);
    assert_eq!(said(&report(90).await, "nora"), [Finding::Dormant]);
    assert_eq!(said(&report(90).await, "rosa"), [Finding::Dormant, Finding::NeverSignedIn]);
    let first = world.identity.access_report(&permit, DAY * 90, (None, 1)).await.unwrap();
    assert_eq!((first.items.len(), first.next), (1, Some(1)));
    let rest = world.identity.access_report(&permit, DAY * 90, (first.next, 100)).await.unwrap();
    assert_eq!((rest.items.len(), rest.next), (2, None));

    for (name, address) in [("nora", "1"), ("nora", "2"), ("somebody's password", "3")] {
        let wrong = secret("a wrong guess of it");
        assert!(world.identity.login(Tenant::DEFAULT, name, &wrong, Keeping::Program, &origin(address)).await.is_err());
    }
    world.audit.settle();
    let failed = world.identity.failed_sign_ins(&permit).await.unwrap();
    let told: Vec<_> = failed.iter().map(|one| (one.name.as_deref(), one.count, one.addresses)).collect();
    assert_eq!(told, [(Some("nora"), 2, 2), (None, 1, 1)], "what is no account's name may be a password");
}
