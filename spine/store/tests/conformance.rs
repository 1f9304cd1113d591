//! The conformance suite on SQLite.

mod common;

#[test]
fn sqlite_obeys_every_law() {
    let base = tempfile::tempdir().unwrap();
    let mut count = 0;
    iris_store::testing::exercise(|| {
        count += 1;
        common::open(&base.path().join(count.to_string()))
    });
}
