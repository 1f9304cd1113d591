//! What the database says of itself, for the operator.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod common;

use std::collections::BTreeMap;
use std::sync::Arc;

use iris_store::{Database, Store};
use iris_testkit::{ManualClock, SeededEntropy, postgres};

fn report(store: &Store) -> BTreeMap<String, String> {
    store.database_report().unwrap().into_iter().collect()
}

#[test]
fn sqlite_tells_how_it_flushes() {
    let folder = tempfile::tempdir().unwrap();
    let report = report(&common::open(folder.path()));
    let told = ["database", "journal_mode", "synchronous"].map(|name| report[name].as_str());
    assert_eq!(told, ["SQLite", "wal", "full"]);
}

#[test]
fn postgres_tells_what_it_may_lose_and_what_our_role_may_do() {
    let Some(database) = common::database() else { return };
    let folder = tempfile::tempdir().unwrap();
    let key = Arc::new(common::key(folder.path(), None).unwrap());
    let config = common::config(folder.path()).with_database(Database::Postgres(common::postgres_config(&database)));
    let store = Store::open(config, key, Arc::new(ManualClock::default()), Arc::new(SeededEntropy::new(1)));
    let report = report(&store.unwrap());
    let told = |name: &str| report[name].as_str();
    for (setting, own) in [("fsync", "fsync"), ("wal_level", "wal_level"), ("max_connections", "max_connections")] {
        assert_eq!(told(own), database.sql(&format!("show {setting}")));
    }
    assert!(told("server_version").starts_with("15"), "{}", told("server_version"));
    assert_eq!((told("role"), told("ssl")), (postgres::RUNTIME, "no"));
    let powers = ["role_is_superuser", "role_bypasses_row_security", "role_owns_tables"].map(told);
    assert_eq!(powers, ["no", "no", "no"]);
    assert_eq!(told("synchronous_standbys_streaming"), "unknown", "this role may not see it");
    let count = |name: &str| -> usize { told(&format!("connections_{name}")).parse().unwrap() };
    assert!(count("in_use") + count("idle") >= 1 && count("in_use") + count("idle") <= count("max"));
    assert_eq!((count("waiting"), count("max")), (0, 8 + 4), "readers, and the store's own");
    assert_eq!(told("cache_memory"), "answers");
    assert_eq!(report.len(), 21);
}
