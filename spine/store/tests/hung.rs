//! A database that is there and says nothing: whoever asks is told so in time.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on ends")]

mod common;

use std::time::Duration;

use iris_kernel::{Kind, Secret, Tenant};
use iris_store::testing::simple;
use iris_store::{CommitError, Expect, PostgresConfig, Server, Store, StoreError};
use iris_testkit::postgres::{RUNTIME, Server as Own};
use iris_testkit::{FaultProxy, wait};

const KIND: Kind = Kind(3);
const ONE: Tenant = Tenant(1);
/// Longest wait for a refusal; the API promises ten seconds, and a busy machine has its share.
const REFUSED_WITHIN: Duration = Duration::from_secs(11);

fn write(store: &Store, id: &str) -> Result<(), CommitError> {
    let mut tx = store.begin(ONE);
    tx.put(simple(KIND, id, Expect::Absent, 1, id.as_bytes()));
    tx.commit_blocking().map(drop)
}

/// Writers and readers that come at different moments; each must be told in time. `read`: whether reading fails too.
fn all_are_refused_in_time(node: &Store, round: &str, reads_fail: bool) {
    let clock = wait::Clock::start();
    std::thread::scope(|scope| {
        for at in 0..8_u32 {
            scope.spawn(move || {
                clock.until(Duration::from_millis(700) * at);
                let (answer, took) = wait::timed(|| write(node, &format!("{round}{at}")));
                assert!(matches!(answer, Err(CommitError::Unavailable(_))), "write {at}: {answer:?}");
                assert!(took < REFUSED_WITHIN, "write {at}: {took:?}");
            });
            scope.spawn(move || {
                clock.until(Duration::from_millis(700) * at);
                let (answer, took) = wait::timed(|| node.current(ONE, KIND, "x"));
                assert_eq!(matches!(answer, Err(StoreError::Unavailable(_))), reads_fail, "read {at}: {answer:?}");
                assert!(took < REFUSED_WITHIN, "read {at}: {took:?}");
            });
        }
    });
}

#[test]
fn a_server_that_hangs_is_told_of_in_time() {
    let Some(database) = common::database() else { return };
    let base = tempfile::tempdir().unwrap();
    let proxy = FaultProxy::to(database.endpoint().port);
    let url = database.endpoint().behind(proxy.port()).url(RUNTIME, database.name());
    let config = PostgresConfig { server: Server::here(Secret::new(url)), ..common::postgres_config(&database) };
    let node = common::node(base.path(), "a", config);
    write(&node, "x").unwrap();
    proxy.stall();
    all_are_refused_in_time(&node, "a", true);
    proxy.heal();
    wait::until(20, "the store to answer again", || write(&node, "back").ok());
    assert!(node.current(ONE, KIND, "x").unwrap().is_some());
}

#[test]
fn a_standby_that_every_commit_waits_for_and_is_gone_is_told_of_in_time() {
    let Some(primary) = Own::start(&[]) else { return };
    let standby = primary.standby("follower");
    let database = primary.database();
    iris_store::migrations::apply(&common::postgres_config(&database), &iris_testkit::ManualClock::default()).unwrap();
    let base = tempfile::tempdir().unwrap();
    let node = common::node(base.path(), "a", common::postgres_config(&database));
    primary.synchronous(Some("follower"));
    write(&node, "x").unwrap();
    drop(standby);
    all_are_refused_in_time(&node, "a", false);
    primary.synchronous(None);
    wait::until(20, "the store to take writes again", || write(&node, "back").ok());
    assert!(node.writing());
}

/// Slow is not hung: a server that answers others is waited for.
#[test]
fn a_long_statement_of_a_server_that_is_well_is_waited_for() {
    let Some(database) = common::database() else { return };
    let base = tempfile::tempdir().unwrap();
    let node = common::node(base.path(), "a", common::postgres_config(&database));
    write(&node, "x").unwrap();
    std::thread::scope(|scope| {
        let locked = wait::Clock::start();
        scope.spawn(|| database.sql("begin; select 1 from head for update; select pg_sleep(4); commit"));
        let locks = "select 1 from pg_locks where mode = 'RowShareLock' and relation = 'head'::regclass";
        wait::until(20, "the lock", || (!database.sql(locks).is_empty()).then_some(()));
        write(&node, "y").unwrap();
        assert!(locked.now() > Duration::from_millis(3_500), "it waited");
    });
}

/// Connections to the old server are there and silent, and another one takes writes: they are given up for it.
#[test]
fn another_server_takes_over_from_one_that_hangs() {
    let Some(primary) = Own::start(&[]) else { return };
    let database = primary.database();
    iris_store::migrations::apply(&common::postgres_config(&database), &iris_testkit::ManualClock::default()).unwrap();
    let standby = primary.standby("follower");
    let proxy = FaultProxy::to(primary.endpoint().port);
    let first = database.endpoint().behind(proxy.port()).url(RUNTIME, "").replace(&format!(":{}/", proxy.port()), "");
    let url = format!(
        "{first}:{},127.0.0.1:{}/{}?target_session_attrs=read-write",
        proxy.port(),
        standby.endpoint().port,
        database.name()
    );
    let base = tempfile::tempdir().unwrap();
    let config = PostgresConfig { server: Server::here(Secret::new(url)), ..common::postgres_config(&database) };
    let node = common::node(base.path(), "a", config);
    write(&node, "x").unwrap();
    primary.await_streaming("follower");
    proxy.stall();
    let (_, took) = wait::timed(|| {
        standby.promote();
        wait::until(20, "the other server to be written to", || write(&node, "y").ok());
    });
    assert!(took < Duration::from_secs(15), "{took:?}");
    assert_eq!(node.current(ONE, KIND, "x").unwrap().map(|row| row.body.to_vec()), Some(b"x".to_vec()));
}
