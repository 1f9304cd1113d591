//! Many entries.

use iris_audit::Action;
use iris_audit::ROUND_ENTRIES_MAX;

use crate::house::Folder;

#[test]
fn two_hundred_thousand_entries_are_merged_and_verified() {
    const COUNT: u64 = 200_000;
    let folder = Folder::new();
    let house = folder.open();
    let event = folder.event(Action::PhiRead, "p");
    for _ in 0..COUNT / 2_000 {
        let rows = (0..2_000).map(|_| house.audit.row(&event).unwrap()).collect();
        house.store.journal().append_blocking(rows).unwrap();
    }
    let status = house.audit.settle();
    assert_eq!((status.size, status.fault), (COUNT, None));
    let rounds = house.store.log_checkpoints(0, usize::MAX >> 1).unwrap().len() as u64;
    assert!(rounds >= COUNT / ROUND_ENTRIES_MAX, "no round is larger than its limit");
    let report = house.audit.verify(|_, _| {}).unwrap();
    assert!(report.good(), "{:#?}", &report.faults[..report.faults.len().min(5)]);
    assert_eq!((report.size, report.opened), (COUNT, COUNT));
}
