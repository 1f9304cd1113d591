//! Batches and transactions (R4 http.html#transaction).

mod batch;
mod called;
mod input;
mod names;
mod overlap;
mod resolve;
mod steps;
mod transaction;

pub use batch::{BUNDLE_READ_BYTES_MAX, BUNDLE_READ_MAX, Batched, EntryOutcome};
pub use input::{BundleInput, BundleKind, EntryInput, Part, Request, Whose, parse_etag};
pub(crate) use resolve::Ids;
pub(crate) use transaction::{Done, Worked};
