//! Several followers over one log.

use std::sync::atomic::AtomicU32;

use iris_kernel::{Clock as _, Entropy, Tenant};
use iris_store::{StoreConfig, StoreError, keyfile};
use iris_testkit::{ManualClock, SeededEntropy, tamper};

use super::*;
use crate::turn::Lease;
use crate::{Action, Actor, Audit, Event, Outcome};

#[test]
fn nobody_waits_for_a_thread_that_panicked() {
    let shared = Arc::new(Shared::default());
    let guard = EndGuard(Arc::clone(&shared));
    let thread = std::thread::spawn(move || {
        let _guard = guard;
        std::panic::resume_unwind(Box::new("as a panic in a round"));
    });
    let follower = Follower { shared, thread: Some(thread) };
    assert!(matches!(follower.settle(), Err(Unavailable::FollowerEnded)));
    assert!(follower.status().fault.is_some(), "health shows it");
}

/// A database's table of leases: who has the one, if anybody.
#[derive(Default)]
struct Leases {
    holder: Mutex<Option<u32>>,
    nodes: AtomicU32,
}

impl Leases {
    fn node(self: &Arc<Self>) -> Arc<Node> {
        let number = self.nodes.fetch_add(1, Ordering::Relaxed);
        Arc::new(Node { number, leases: Arc::clone(self), away: AtomicBool::new(false) })
    }

    /// The time of the lease is over.
    fn lapse(&self) {
        *self.holder.lock() = None;
    }
}

struct Node {
    number: u32,
    leases: Arc<Leases>,
    /// The database does not answer this node.
    away: AtomicBool,
}

impl Lease for Node {
    fn hold(&self, span: Duration) -> Result<bool, StoreError> {
        if self.away.load(Ordering::Relaxed) {
            return Err(StoreError::Unavailable("on purpose".to_owned()));
        }
        let mut holder = self.leases.holder.lock();
        let mine = holder.is_none_or(|holder| holder == self.number);
        if mine {
            *holder = (!span.is_zero()).then_some(self.number);
        }
        Ok(mine)
    }
}

/// Several at once believe that it is their turn, as after a pause that was longer than the lease.
struct Everybody;

impl Lease for Everybody {
    fn hold(&self, _span: Duration) -> Result<bool, StoreError> {
        Ok(true)
    }
}

struct House {
    folder: tempfile::TempDir,
    store: Store,
    clock: Arc<ManualClock>,
}

impl House {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (clock, entropy) = (Arc::new(ManualClock::default()), Arc::new(SeededEntropy::new(5)));
        let data = folder.path().join("data");
        std::fs::create_dir_all(&data).unwrap();
        let keys = keyfile::open_or_create(&folder.path().join("key"), None, entropy.clone(), true).unwrap();
        let store = Store::open(StoreConfig::new(data), Arc::new(keys), clock.clone(), entropy).unwrap();
        Self { folder, store, clock }
    }

    fn node(&self, seed: u64, lease: Arc<dyn Lease>) -> Audit {
        let entropy: Arc<dyn Entropy> = Arc::new(SeededEntropy::new(seed));
        Audit::open_in_turn(self.store.clone(), self.clock.clone(), entropy, Turn::Shared(lease)).unwrap()
    }

    fn record(&self, audit: &Audit, count: usize) {
        for _ in 0..count {
            let now = self.clock.now();
            let event = Event::new(Tenant::DEFAULT, Actor::system(), Action::PhiRead, Outcome::Success, now);
            audit.record_blocking(&event).unwrap();
        }
    }
}

#[test]
fn one_of_two_nodes_signs_and_the_other_knows() {
    let (house, leases) = (House::new(), Arc::new(Leases::default()));
    let first = house.node(1, leases.node());
    let second = house.node(2, leases.node());
    house.record(&first, 3);
    house.record(&second, 4);
    for audit in [&second, &first] {
        let status = audit.settle();
        assert_eq!((status.size, status.fault), (7, None));
        assert_eq!(audit.standing().unwrap().pending, 0);
    }
    assert_eq!(first.checkpoint(), second.checkpoint());
    assert_eq!(*leases.holder.lock(), Some(0), "the first one signs");
    assert!(second.verify(|_, _| {}).unwrap().good());
    // A clean end signs what is there and lets the other one begin at once.
    house.record(&first, 2);
    drop(first);
    assert_eq!(house.store.log_size().unwrap(), 9);
    house.record(&second, 1);
    assert_eq!(second.settle().size, 10);
    assert_eq!(*leases.holder.lock(), Some(1));
    assert!(second.verify(|_, _| {}).unwrap().good());
}

#[test]
fn a_node_that_is_killed_is_followed_by_another_on_the_same_log() {
    let (house, leases) = (House::new(), Arc::new(Leases::default()));
    let (first, second, third) =
        (house.node(1, leases.node()), house.node(2, leases.node()), house.node(3, leases.node()));
    house.record(&first, 5);
    assert_eq!(second.settle().size, 5);
    let kept = second.public_key().open(&second.checkpoint().unwrap()).unwrap();
    first.kill();
    house.record(&third, 3);
    assert_eq!(house.store.log_size().unwrap(), 5, "nobody signs while the lease lasts");
    leases.lapse();
    for audit in [&second, &third] {
        let status = audit.settle();
        assert_eq!((status.size, status.fault), (8, None));
        let proof = audit.consistency(kept.size).unwrap().unwrap();
        assert_eq!(proof.verify(&kept, &audit.public_key()).unwrap().size, 8);
    }
    assert!(third.verify(|_, _| {}).unwrap().good());
}

#[test]
fn two_that_sign_at_once_make_one_log() {
    let house = House::new();
    let audits = [house.node(1, Arc::new(Everybody)), house.node(2, Arc::new(Everybody))];
    std::thread::scope(|scope| {
        for audit in &audits {
            scope.spawn(|| {
                for _ in 0..40 {
                    house.record(audit, 3);
                    assert_eq!(audit.settle().fault, None, "the slower one is no damage");
                }
            });
        }
    });
    for audit in &audits {
        let status = audit.settle();
        assert_eq!((status.size, status.fault), (240, None));
    }
    let report = audits[0].verify(|_, _| {}).unwrap();
    assert!(report.good(), "{report:#?}");
    assert_eq!((report.size, report.opened), (240, 240));
}

#[test]
fn a_log_that_was_set_back_is_refused_by_who_saw_it() {
    let (house, leases) = (House::new(), Arc::new(Leases::default()));
    let (first, second) = (house.node(1, leases.node()), house.node(2, leases.node()));
    for _ in 0..2 {
        house.record(&second, 1);
        assert_eq!((first.settle().fault, second.settle().fault), (None, None));
    }
    first.kill();
    tamper::sql(
        &house.folder.path().join("data/iris.db"),
        "DELETE FROM log_checkpoint WHERE number = 2; DELETE FROM log_span WHERE position = 1; \
         UPDATE log_tile SET bytes = CAST(substr(bytes, 1, 32) AS BLOB)",
    );
    let looked = second.settle();
    assert!(looked.fault.unwrap().contains("was set back"));
    leases.lapse();
    let led = second.settle();
    assert!(led.fault.unwrap().contains("was set back"));
    assert_eq!(house.store.log_size().unwrap(), 1, "and nothing is signed on top of it");
}

#[test]
fn a_database_that_is_away_is_neither_damage_nor_the_end() {
    let (house, leases) = (House::new(), Arc::new(Leases::default()));
    let node = leases.node();
    let audit = house.node(1, Arc::clone(&node) as _);
    house.record(&audit, 2);
    assert_eq!(audit.settle().fault, None);
    node.away.store(true, Ordering::Relaxed);
    house.record(&audit, 2);
    let away = audit.settle();
    assert!(away.fault.unwrap().contains("not available"), "told as what it is");
    assert_eq!(away.size, 2);
    node.away.store(false, Ordering::Relaxed);
    let back = audit.settle();
    assert_eq!((back.size, back.fault), (4, None));
}

#[test]
fn nobody_waits_for_ever_for_a_node_that_does_not_sign() {
    let (house, leases) = (House::new(), Arc::new(Leases::default()));
    let signs = leases.node();
    assert!(signs.hold(crate::LEASE_SPAN).unwrap(), "somebody who has the right and does not use it");
    let audit = house.node(2, leases.node());
    house.record(&audit, 1);
    let status = audit.settle();
    assert!(status.fault.unwrap().contains("no node signs"));
    assert_eq!(status.size, 0);
    leases.lapse();
    let status = audit.settle();
    assert_eq!((status.size, status.fault), (1, None));
}
