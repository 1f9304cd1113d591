//! Several nodes over PostgreSQL behind HAProxy: what dies, what is restarted and what is cut off loses nothing that was
//! acknowledged and shows nothing that the log does not know.
//!
//! In `make test` the rate is what a binary without optimisation bears beside a database, a balancer and the load itself on two
//! cores: about half of them. With `IRIS_SOAK` set it is 500 requests a second for five minutes, with the optimised binary.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test ends where something is not as it must be"
)]

use std::sync::OnceLock;

mod cut;
mod failover;
mod mix;
mod once;
mod proof;
mod restore;
mod rolling;
mod tenants;
mod truth;

/// Whether this is the long run.
fn soak() -> bool {
    std::env::var_os("IRIS_SOAK").is_some()
}

/// The binary under test. The long run takes the optimised one that `IRIS_TEST_BINARY` names: another does not bear its rate.
fn binary() -> &'static str {
    static BINARY: OnceLock<String> = OnceLock::new();
    let named = || std::env::var_os("IRIS_TEST_BINARY")?.into_string().ok();
    BINARY.get_or_init(|| named().unwrap_or_else(|| env!("CARGO_BIN_EXE_iris").to_owned()))
}
