//! The audit log: what happened, who did it, and the proof that nobody changed it afterwards (architecture §6, ADR 0005).
//!
//! An entry is durable before the answer that it describes leaves ([`Sealed`], [`Receipt`]). A follower thread puts the
//! entries of both streams, writes and reads, into one Merkle log and signs a checkpoint within a second; from then on an
//! entry that is changed, dropped, inserted or moved is found and located, online by [`Audit::verify`] and offline from an
//! exported file by [`verify_file`]. Of several nodes over one store, one at a time signs (ADR 0011).

mod audit;
pub mod catalogue;
mod checkpoints;
mod entry;
mod error;
mod event;
pub mod file;
mod follower;
mod gap;
mod key;
mod keys;
mod log;
#[cfg(test)]
mod nodes_tests;
pub mod note;
mod offline;
pub mod proof;
pub mod query;
mod recent;
mod report;
mod round;
mod sealed;
mod signed;
mod text;
mod turn;
mod verify;

pub use audit::{Audit, PHI_ACCESSES};
pub use catalogue::{Action, DataClass, Outcome};
pub use checkpoints::{Checkpoints, SignedCheckpoint, Standing};
pub use entry::{EntryFault, HEADER_BYTES, Header};
pub use error::{AuditError, Unavailable, Unsigned};
pub use event::{Actor, Details, Event, QUERY_BYTES_MAX, WORD_BYTES_MAX};
pub use file::Opening;
pub use follower::{LogStatus, ROUND_REST, SETTLE_MAX};
pub use note::{Checkpoint, Verifier};
pub use offline::verify_file;
pub use proof::{ConsistencyProof, InclusionProof, ProofFault};
pub use query::{ActorFilter, Content, Entries, Entry, Filter, Page, ProofState, QUERY_POSITIONS_MAX};
pub use report::{FAULTS_MAX, FaultKind, LogFault, Report};
pub use round::ROUND_ENTRIES_MAX;
pub use sealed::{Receipt, Sealed};
pub use turn::LEASE_SPAN;
