//! The tests of access over PostgreSQL.
#![allow(clippy::duplicate_mod, reason = "each of the files is a test by itself and has what they share")]

#[path = "accounts.rs"]
mod accounts;
#[path = "elevation.rs"]
mod elevation;
#[path = "factors.rs"]
mod factors;
#[path = "lockout.rs"]
mod lockout;
#[path = "messages.rs"]
mod messages;
#[path = "nodes.rs"]
mod nodes;
#[path = "notices.rs"]
mod notices;
#[path = "own_account.rs"]
mod own_account;
#[path = "page_sessions.rs"]
mod page_sessions;
#[path = "passkeys.rs"]
mod passkeys;
#[path = "reviews.rs"]
mod reviews;
#[path = "sessions.rs"]
mod sessions;
#[path = "sign_in.rs"]
mod sign_in;
#[path = "sweep.rs"]
mod sweep;
#[path = "tenants.rs"]
mod tenants;
