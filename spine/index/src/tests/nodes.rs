//! Over a store that other nodes write into: their changes, changes that nobody told of, and a store that went back.

use std::sync::atomic::Ordering;
use std::time::Duration;

use iris_kernel::{Seq, Tenant};
use iris_search::Query;
use parking_lot::{Condvar, Mutex};

use super::{Shadow, World, kind};
use crate::{IndexError, Phase, Restriction};

const TENANT: Tenant = Tenant(1);

fn patient(id: &str, family: &str) -> String {
    format!(r#"{{"resourceType":"Patient","id":"{id}","name":[{{"family":"{family}"}}]}}"#)
}

impl World {
    fn shared() -> Self {
        let world = Self::new();
        world.store.shared.store(true, Ordering::Relaxed);
        // The index thread asks whether the store is shared when it next wakes.
        world.index().flush().unwrap();
        world
    }

    fn patients(&mut self, numbers: std::ops::Range<u32>, family: &str, shadow: Shadow) {
        for number in numbers {
            let id = format!("p{number}");
            self.write(TENANT, kind("Patient"), &id, Some(&patient(&id, family)), shadow);
        }
    }

    fn check_everything(&self) {
        self.check(TENANT, &Query::everything(kind("Patient")), &Restriction::NONE, 7);
    }

    /// A replica took over without the newest writes.
    fn goes_back(&mut self, to: u64) {
        let mut rows = self.store.rows.lock();
        rows.truncate(usize::try_from(to).unwrap());
        self.current.clear();
        for row in rows.iter() {
            let id = format!("{:?}", row.record);
            self.current.insert((row.tenant, row.kind, id), row.clone());
        }
    }

    /// Waits until the index has noticed something, five seconds at most.
    fn until(&self, noticed: impl Fn(&Self) -> bool) {
        let (lock, never) = (Mutex::new(()), Condvar::new());
        for _ in 0..500 {
            if noticed(self) {
                return;
            }
            never.wait_for(&mut lock.lock(), Duration::from_millis(10));
        }
        panic!("not noticed: {:?}", self.index().status());
    }
}

#[test]
fn changes_of_other_nodes_are_found_like_our_own() {
    let mut world = World::shared();
    world.patients(0..10, "First", Shadow::Sent);
    world.patients(5..15, "Second", Shadow::Row);
    world.check_everything();
    world.index().flush().unwrap();
    world.check_everything();
    world.patients(8..12, "Third", Shadow::Row);
    world.write(TENANT, kind("Patient"), "p3", None, Shadow::Row);
    world.check_everything();
    world.restart();
    world.check_everything();
    world.check_verified();
}

#[test]
fn changes_that_nobody_told_of_are_brought_in_from_the_feed() {
    let mut world = World::shared();
    world.patients(0..10, "First", Shadow::Sent);
    for number in 10..14 {
        let id = format!("p{number}");
        world.store(TENANT, kind("Patient"), &id, Some(&patient(&id, "Untold")), Shadow::Row);
    }
    world.patients(14..16, "After", Shadow::Row);
    world.index().ready().unwrap();
    world.check_everything();
    world.check_verified();
}

#[test]
fn a_store_that_went_back_is_noticed_by_what_it_tells_next() {
    for committed in [true, false] {
        let mut world = World::shared();
        world.patients(0..20, "First", Shadow::Sent);
        if committed {
            world.index().flush().unwrap();
        }
        world.goes_back(12);
        let change = world.store(TENANT, kind("Patient"), "new", Some(&patient("new", "Other")), Shadow::Row);
        assert_eq!(change.seq, Seq(13));
        world.tell(change);
        world.index().ready().unwrap();
        world.check_everything();
        world.patients(30..40, "Further", Shadow::Row);
        world.check_everything();
        world.check_verified();
    }
}

#[test]
fn a_store_that_went_back_in_silence_is_noticed_within_seconds() {
    let mut world = World::shared();
    world.patients(0..20, "First", Shadow::Sent);
    world.index().flush().unwrap();
    // It is behind; then as far as before, with other rows.
    world.goes_back(15);
    world.until(|world| world.index().applied() == Seq(15) && world.index().status().phase == Phase::Ready);
    world.check_everything();
    world.goes_back(10);
    for number in 40..50 {
        let id = format!("p{number}");
        world.store(TENANT, kind("Patient"), &id, Some(&patient(&id, "Other")), Shadow::Row);
    }
    let other = |world: &World| world.index().applied() == Seq(20) && world.index().status().phase == Phase::Ready;
    world.until(other);
    world.check_everything();
    world.check_verified();
}

#[test]
fn who_doubts_has_it_looked_at_at_once() {
    let mut world = World::shared();
    world.patients(0..5, "First", Shadow::Sent);
    world.goes_back(3);
    world.index().doubt();
    world.until(|world| world.index().applied() == Seq(3) && world.index().status().phase == Phase::Ready);
    world.check_everything();
    world.patients(3..6, "Again", Shadow::Sent);
    world.check_verified();
}

#[test]
fn a_store_that_is_away_stops_nothing_that_is_ready() {
    let mut world = World::shared();
    world.patients(0..5, "First", Shadow::Sent);
    world.store.away.store(true, Ordering::Relaxed);
    // Its changes are in memory with all that a commit needs.
    world.index().flush().unwrap();
    assert_eq!(world.index().status().committed, Seq(5));
    world.check_everything();
    // A build has to wait for it, and goes on soon after it is back.
    assert!(world.index().rebuild().is_err());
    let query = Query::everything(kind("Patient"));
    assert!(matches!(world.index().count(TENANT, &query, &Restriction::NONE), Err(IndexError::Unavailable)));
    world.store.away.store(false, Ordering::Relaxed);
    world.until(|world| world.index().status().phase == Phase::Ready);
    world.check_everything();
    world.check_verified();
}
