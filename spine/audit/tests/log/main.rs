//! The audit log over a real store in a temporary folder.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on says why and ends"
)]

mod bulk;
mod entries;
mod export;
mod house;
mod proofs;
mod query;
mod rate;
mod tamper;
