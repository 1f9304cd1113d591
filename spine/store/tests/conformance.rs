//! The conformance suite on both databases.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends")]

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

#[test]
fn postgres_obeys_every_law() {
    let base = tempfile::tempdir().unwrap();
    let mut databases = Vec::new();
    if let Some(first) = common::database() {
        databases.push(first);
        iris_store::testing::exercise(|| {
            databases.push(common::database().unwrap());
            common::open_shared(&base.path().join(databases.len().to_string()), databases.last().unwrap())
        });
    }
}
