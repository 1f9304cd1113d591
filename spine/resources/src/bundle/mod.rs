//! Batches and transactions (R4 http.html#transaction).

mod batch;
mod input;
mod names;
mod overlap;
mod resolve;
mod steps;
mod transaction;

pub use batch::{Batched, EntryOutcome};
pub use input::{BundleInput, BundleKind, EntryInput, Part, Request, Whose, parse_etag};
pub(crate) use resolve::Ids;
pub(crate) use transaction::{Done, Worked};
