//! A look at every row: it can be stopped, and asks a server for many at a time.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on ends")]

mod common;

use iris_kernel::{Kind, Tenant};
use iris_store::testing::simple;
use iris_store::{AuditRow, ClaimExpect, ClaimScope, Expect, Scrubbed, Store};
use iris_testkit::ManualClock;
use iris_testkit::postgres::Server as Own;

const KIND: Kind = Kind(3);
const OTHER: Kind = Kind(4);
const ROWS: u64 = 600;

/// Records of two kinds and tenants, each with a claim, each in two versions, and some entries of reads.
fn fill(store: &Store) {
    for half in 0..2_u32 {
        let tenant = Tenant(1 + half);
        let mut first = store.begin(tenant);
        let mut second = store.begin(tenant);
        let mut seqs = Vec::new();
        for at in 0..ROWS / 4 {
            let (id, kind) = (at.to_string(), if at % 2 == 0 { KIND } else { OTHER });
            let record = store.record_id(tenant, kind, &id);
            first.put(simple(kind, &id, Expect::Absent, 1, b"first"));
            first.claim(ClaimScope(1), &[id.as_bytes()], ClaimExpect::Absent, record);
            seqs.push((id, kind));
        }
        let stored = first.commit_blocking().unwrap().first;
        for ((id, kind), seq) in seqs.iter().zip(stored.0..) {
            let seq = iris_kernel::Seq(seq);
            second.put(iris_store::Put { born: Some(seq), ..simple(*kind, id, Expect::Current(seq), 2, b"second") });
        }
        second.commit_blocking().unwrap();
    }
    let entry = AuditRow { header: b"read".to_vec(), details: Vec::new() };
    store.journal().append_blocking(vec![entry; 300]).unwrap();
}

#[test]
fn a_scrub_says_how_far_it_is_and_stops_when_told() {
    let folder = tempfile::tempdir().unwrap();
    let store = common::open(folder.path());
    fill(&store);
    let mut told = Vec::new();
    let report = store.scrub_while(&mut |scrubbed| {
        told.push(scrubbed);
        true
    });
    assert_eq!(report.unwrap().unwrap(), store.scrub().unwrap());
    let total = ROWS + 300;
    assert!(told.iter().all(|scrubbed| scrubbed.total == total) && told.is_sorted_by_key(|scrubbed| scrubbed.done));
    assert_eq!(told.last(), Some(&Scrubbed { done: total, total }));
    for stop in 1..=told.len() {
        let mut times = 0;
        let stopped = store.scrub_while(&mut |_| {
            times += 1;
            times < stop
        });
        assert_eq!((stopped.unwrap(), times), (None, stop), "what was not looked at is not called good");
    }
}

#[test]
fn a_server_is_asked_for_many_rows_at_a_time() {
    let Some(server) = Own::start(&["log_statement = 'all'"]) else { return };
    let database = server.database();
    iris_store::migrations::apply(&common::postgres_config(&database), &ManualClock::default()).unwrap();
    let base = tempfile::tempdir().unwrap();
    let store = common::node(base.path(), "a", common::postgres_config(&database));
    fill(&store);
    let asked = || server.log().matches("FROM current c").count() + server.log().matches("JOIN current c").count();
    let rows = || server.log().matches("LEFT JOIN version v").count();
    let before = (asked(), rows());
    let report = store.scrub().unwrap();
    assert!(report.is_good() && report.rows == ROWS && report.entries == 300, "{report:?}");
    assert!(asked() - before.0 < 24, "{} questions for pointers", asked() - before.0);
    assert!(rows() - before.1 < 12, "{} questions for rows", rows() - before.1);
    // What does not fit is named row by row all the same.
    database.sql("set iris.tenant = '*'; update current set seq = seq - 1 where seq in (200, 590); delete from version where seq = 7");
    let found: Vec<Option<u64>> =
        store.scrub().unwrap().damage.iter().map(|damage| damage.seq.map(|seq| seq.0)).collect();
    assert!([7, 200, 590].iter().all(|seq| found.contains(&Some(*seq))), "{found:?}");
}
