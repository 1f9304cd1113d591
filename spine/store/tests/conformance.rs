//! The conformance suite on both databases.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod common;

use iris_kernel::Secret;
use iris_store::{PostgresConfig, Server};
use iris_testkit::postgres::Bouncer;

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
            let (name, database) = (databases.len().to_string(), databases.last().unwrap());
            common::node(base.path(), &name, common::postgres_config(database))
        });
    }
}

#[test]
fn postgres_behind_a_pooler_of_transactions_obeys_every_law() {
    let base = tempfile::tempdir().unwrap();
    let mut behind = Vec::new();
    let before = || {
        let database = common::database()?;
        Some((Bouncer::before(&database, 3)?, database))
    };
    if let Some(first) = before() {
        behind.push(first);
        iris_store::testing::exercise(|| {
            behind.push(before().unwrap());
            let (name, (bouncer, database)) = (behind.len().to_string(), behind.last().unwrap());
            let server = Server::here(Secret::new(bouncer.url()));
            let config = PostgresConfig { server, pooler: true, ..common::postgres_config(database) };
            common::node(base.path(), &name, config)
        });
    }
}
