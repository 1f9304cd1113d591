//! Two nodes over one PostgreSQL database: one log, whoever signs it.

use std::sync::Arc;
use std::time::Duration;

use iris_kernel::{Clock as _, Entropy, Tenant};
use iris_store::{Database, PostgresConfig, Store, StoreConfig, keyfile, testing};
use iris_testkit::{ManualClock, SeededEntropy, postgres};
use parking_lot::{Condvar, Mutex};

use crate::{Action, Actor, Audit, Event, Outcome};

/// Whether something comes to hold within so many looks, ten milliseconds apart.
fn within(looks: usize, holds: impl Fn() -> bool) -> bool {
    let (lock, never) = (Mutex::new(()), Condvar::new());
    (0..looks).any(|_| {
        never.wait_for(&mut lock.lock(), Duration::from_millis(10));
        holds()
    })
}

struct Nodes {
    folder: tempfile::TempDir,
    clock: Arc<ManualClock>,
    database: postgres::Database,
}

fn config(database: &postgres::Database) -> PostgresConfig {
    testing::postgres_config(database.url(), database.owner_url())
}

impl Nodes {
    /// `None` where PostgreSQL is not installed.
    fn new() -> Option<Self> {
        let fill = |empty: &postgres::Database| testing::make_schema(&config(empty));
        let database = postgres::Database::from_template(&testing::schema_name(), fill)?;
        Some(Self { folder: tempfile::tempdir().unwrap(), clock: Arc::default(), database })
    }

    fn store(&self, number: u64) -> (Store, Arc<dyn Entropy>) {
        let entropy: Arc<dyn Entropy> = Arc::new(SeededEntropy::new(number));
        let one: Arc<dyn Entropy> = Arc::new(SeededEntropy::new(0));
        let path = self.folder.path().join(number.to_string());
        std::fs::create_dir_all(&path).unwrap();
        // Every node has its copy of the one key.
        let key = keyfile::open_or_create(&path.join("key"), None, one, true).unwrap();
        let config = StoreConfig::new(path).with_database(Database::Postgres(config(&self.database)));
        (Store::open(config, Arc::new(key), self.clock.clone(), Arc::clone(&entropy)).unwrap(), entropy)
    }

    fn audit(&self, number: u64) -> Audit {
        let (store, entropy) = self.store(number);
        Audit::open(store, self.clock.clone(), entropy).unwrap()
    }

    fn record(&self, audit: &Audit, count: usize) {
        for _ in 0..count {
            let event =
                Event::new(Tenant::DEFAULT, Actor::system(), Action::PhiRead, Outcome::Success, self.clock.now());
            audit.record_blocking(&event).unwrap();
        }
    }
}

#[test]
fn nodes_that_start_at_once_have_one_key_and_one_log() {
    let Some(nodes) = Nodes::new() else { return };
    let audits: Vec<Audit> = std::thread::scope(|scope| {
        let starting: Vec<_> = (1..4)
            .map(|number| {
                scope.spawn({
                    let nodes = &nodes;
                    move || nodes.audit(number)
                })
            })
            .collect();
        starting.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let [first, second, third] = audits.as_slice() else { panic!("three nodes") };
    assert_eq!(first.public_key(), second.public_key());
    assert_eq!(first.public_key(), third.public_key());
    std::thread::scope(|scope| {
        for audit in &audits {
            scope.spawn(|| nodes.record(audit, 30));
        }
    });
    for audit in &audits {
        let status = audit.settle();
        assert_eq!((status.size, status.fault), (90, None));
    }
    let report = second.verify(|_, _| {}).unwrap();
    assert!(report.good(), "{report:#?}");
    assert_eq!((report.size, report.opened), (90, 90));
}

#[test]
fn an_entry_of_any_node_is_signed_within_a_second() {
    let Some(nodes) = Nodes::new() else { return };
    let (signs, other) = (nodes.audit(1), nodes.audit(2));
    nodes.record(&signs, 1);
    signs.settle();
    // The machine that runs the tests does much else: most of them is what is asked.
    let in_time = (0..5).filter(|_| {
        nodes.record(&other, 1);
        let size = other.status().size;
        within(100, || signs.status().size > size)
    });
    assert!(in_time.count() >= 3);
}

#[test]
fn a_killed_node_is_followed_within_seconds_on_the_same_log() {
    let Some(nodes) = Nodes::new() else { return };
    let (first, second) = (nodes.audit(1), nodes.audit(2));
    nodes.record(&first, 5);
    assert_eq!(first.settle().fault, None);
    assert_eq!(second.settle().size, 5);
    let kept = second.public_key().open(&second.checkpoint().unwrap()).unwrap();
    first.kill();
    nodes.record(&second, 4);
    assert!(within(500, || second.store.log_size().unwrap() == 9), "another one signs");
    let status = second.settle();
    assert_eq!((status.size, status.fault), (9, None));
    let proof = second.consistency(kept.size).unwrap().unwrap();
    assert_eq!(proof.verify(&kept, &second.public_key()).unwrap().size, 9);
    let third = nodes.audit(3);
    assert!(third.verify(|_, _| {}).unwrap().good());
}

#[test]
fn a_clean_end_hands_over_at_once() {
    let Some(nodes) = Nodes::new() else { return };
    let (first, second) = (nodes.audit(1), nodes.audit(2));
    nodes.record(&first, 3);
    // As at a shutdown: others still hold the log, and the store closes before it goes.
    first.close();
    first.store.clone().close();
    nodes.record(&second, 3);
    assert!(within(200, || second.store.log_size().unwrap() == 6), "nobody waits for a lease that was given back");
    let status = second.settle();
    assert_eq!((status.size, status.fault), (6, None));
}

#[test]
fn connections_that_are_cut_leave_the_log_whole() {
    let Some(nodes) = Nodes::new() else { return };
    let (first, second) = (nodes.audit(1), nodes.audit(2));
    for round in 1..4 {
        nodes.record(&first, 2);
        nodes.record(&second, 2);
        nodes.database.disconnect();
        // Whoever meets a connection that was cut may have to ask again.
        let settled = (0..10).find_map(|_| {
            let status = second.settle();
            (status.fault.is_none() && status.size == round * 4).then_some(status)
        });
        assert!(settled.is_some(), "round {round}: {:?}", second.status());
    }
    assert!(first.verify(|_, _| {}).unwrap().good());
}
