//! The shadow: this node's sealed search index over the store's change feed (architecture §4, ADR 0003).
//!
//! The store is the truth; the index can be dropped and rebuilt from it at any time and is never asked for anything but
//! sequence numbers. It is tantivy over a sealed folder, committed every second or few thousand changes, plus an in-memory
//! tail of what is newer, so that a search on this node sees what was written before it.
//!
//! Correct or loud: a damaged file is an error for the search that meets it, never a smaller answer; searches then answer
//! [`IndexError::Unavailable`] until the index has been rebuilt in the background. Over a store that several nodes write into, the
//! index of each follows the changes of all (ADR 0011).

mod docs;
mod effort;
mod engine;
mod error;
mod follower;
mod history;
mod index;
mod kept;
mod limits;
mod lists;
mod matches;
mod near;
mod order;
mod ordinals;
mod refers;
mod scan;
mod schema;
mod sealed;
mod search;
mod segment;
mod set;
mod sorted;
mod source;
mod tail;
mod targets;
mod tree;
mod values;
mod verify;
mod wide;
mod worker;

#[cfg(test)]
mod tests;

pub use error::IndexError;
pub use index::{Hits, Index, IndexConfig, Page, Phase, Status};
pub use limits::Restriction;
pub use order::Position;
pub use source::Source;
pub use targets::{CHAIN_TARGETS_MAX, Wanted};
pub use verify::VerifyReport;
