//! Several nodes over PostgreSQL behind HAProxy: what dies, what is restarted and what is cut off loses nothing that was
//! acknowledged and shows nothing that the log does not know.
//!
//! In `make test` the rate is what a binary without optimisation bears beside a database, a balancer and the load itself on two
//! cores; with `IRIS_SOAK` set it is 500 requests a second for five minutes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test ends where something is not as it must be"
)]

mod cut;
mod failover;
mod mix;
mod once;
mod proof;
mod rolling;
mod tenants;
mod truth;

const BINARY: &str = env!("CARGO_BIN_EXE_iris");

/// Whether this is the long run.
fn soak() -> bool {
    std::env::var_os("IRIS_SOAK").is_some()
}
