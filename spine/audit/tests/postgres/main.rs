//! The audit log over PostgreSQL: the tests of `tests/log` that do not reach behind the store.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on says why and ends"
)]

#[path = "../log/entries.rs"]
mod entries;
#[path = "../log/export.rs"]
mod export;
#[path = "../log/house.rs"]
mod house;
#[path = "../log/proofs.rs"]
mod proofs;
#[path = "../log/query.rs"]
mod query;
