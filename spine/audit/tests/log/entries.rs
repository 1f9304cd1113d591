//! Taking entries in, signing them, and starting again.

use iris_audit::{Action, Checkpoint};
use iris_kernel::Tenant;
use iris_store::Stream;

use crate::house::{Folder, block_on};

#[test]
fn both_streams_end_up_under_one_signed_checkpoint() {
    let folder = Folder::new();
    let house = folder.open();
    assert_eq!(house.audit.checkpoint(), None);
    assert!(house.audit.verify(|_, _| {}).unwrap().good(), "an empty log is whole");
    folder.ten(&house);
    let note = house.audit.checkpoint().unwrap();
    let checkpoint = house.audit.public_key().open(&note).unwrap();
    assert_eq!(checkpoint.size, 10);
    let mut steps = Vec::new();
    let report = house.audit.verify(|done, of| steps.push((done, of))).unwrap();
    assert!(report.good(), "{report:#?}");
    assert_eq!((report.size, report.opened, steps), (10, 10, vec![(10, 10)]));
    assert_eq!(report.root.len(), 44);
}

#[test]
fn nothing_is_written_when_nothing_happened() {
    let folder = Folder::new();
    let house = folder.open();
    folder.ten(&house);
    let before = house.store.log_checkpoint_last().unwrap();
    for _ in 0..5 {
        house.audit.nudge();
        house.audit.settle();
    }
    assert_eq!(house.store.log_checkpoint_last().unwrap(), before);
}

#[test]
fn the_follower_signs_without_being_asked_to() {
    let folder = Folder::new();
    let house = folder.open();
    house.audit.record_blocking(&folder.event(Action::PhiRead, "p")).unwrap();
    let mut turns = 0_u64;
    while house.audit.status().size == 0 {
        std::thread::yield_now();
        turns += 1;
        assert!(turns < 1_000_000_000, "no checkpoint");
    }
}

#[test]
fn a_start_takes_the_log_up_where_it_was_signed() {
    let folder = Folder::new();
    let (key, old) = {
        let house = folder.open();
        folder.ten(&house);
        (house.audit.public_key(), house.audit.checkpoint().unwrap())
    };
    // Entries that became durable, but whose process died before the follower's next round.
    {
        let rows: Vec<_> = {
            let house = folder.open();
            (0..3).map(|n| house.audit.row(&folder.event(Action::PhiRead, &format!("q{n}"))).unwrap()).collect()
        };
        let store = folder.store();
        store.journal().append_blocking(rows[..2].to_vec()).unwrap();
        let mut tx = store.begin(Tenant::DEFAULT);
        tx.audit(rows[2].clone());
        tx.commit_blocking().unwrap();
        assert_eq!(store.log_size().unwrap(), 10, "nobody has signed them");
    }
    let house = folder.open();
    assert_eq!(house.audit.public_key(), key);
    let status = house.audit.settle();
    assert_eq!((status.size, status.fault), (13, None));
    assert!(house.audit.verify(|_, _| {}).unwrap().good());
    let old: Checkpoint = key.open(&old).unwrap();
    let proof = house.audit.consistency(old.size).unwrap().unwrap();
    assert_eq!(proof.verify(&old, &key).unwrap().size, 13, "the new tree begins with the signed one");
}

#[test]
fn a_value_is_released_once_its_entries_are_durable() {
    let folder = Folder::new();
    let house = folder.open();
    let sealed =
        house.audit.seal("Jane", vec![folder.event(Action::PhiRead, "p1"), folder.event(Action::PhiRead, "p2")]);
    assert_eq!(house.store.audit_head(Stream::Reads).unwrap(), 0);
    assert_eq!(block_on(house.audit.release(sealed.map(str::len))).unwrap(), 4);
    assert_eq!(house.store.audit_head(Stream::Reads).unwrap(), 2);

    let receipt = house.audit.receipt(&house.write(&folder.event(Action::PhiCreate, "p3")));
    assert_eq!(house.audit.seal("Jane", Vec::new()).open(&receipt).unwrap(), "Jane");
    let unrecorded = block_on(house.audit.release(house.audit.seal("Jane", Vec::new())));
    assert!(unrecorded.is_err(), "no value without an entry");
    assert!(block_on(house.audit.record_all(&[])).is_err());
    assert_eq!(house.audit.settle().size, 3);
}

#[test]
fn a_journal_that_takes_nothing_in_lets_nothing_out() {
    let folder = Folder::new();
    let house = folder.open();
    let sealed = house.audit.seal("Jane", vec![folder.event(Action::PhiRead, "p1")]);
    house.store.clone().close();
    let refused = block_on(house.audit.release(sealed)).unwrap_err();
    assert_eq!(refused.kind(), iris_kernel::ErrorKind::Unavailable);
    let refused = block_on(house.audit.record(folder.event(Action::PhiDenied, "p1"))).unwrap_err();
    assert_eq!(refused.kind(), iris_kernel::ErrorKind::Unavailable);
}
