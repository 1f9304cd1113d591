//! The journal.
use std::future::Future;

use crate::audit::AuditRow;

/// Why entries are not durable.
#[derive(Clone, Debug, thiserror::Error)]
pub enum JournalError {
    /// An earlier write or flush failed; what the disk holds is uncertain until the next start.
    #[error("the journal has failed: {0}")]
    Failed(String),
    /// There is no room for another segment.
    #[error("the disk is full")]
    StorageFull,
    /// More is waiting than may wait.
    #[error("the journal is overloaded")]
    Overloaded,
    /// An entry above the limit.
    #[error("an audit entry is too large")]
    TooLarge,
    /// What is stored does not fit.
    #[error("the journal is damaged: {0}")]
    Damaged(String),
    /// The files cannot be used.
    #[error("the journal's files cannot be used: {0}")]
    Files(String),
}

/// The journal of reads.
pub struct Journal {}

#[allow(unused_variables, clippy::todo, missing_docs)]
impl Journal {
    pub fn append(&self, rows: Vec<AuditRow>) -> impl Future<Output = Result<(), JournalError>> + Send + 'static + use<> { async { todo!() } }
    pub fn append_blocking(&self, rows: Vec<AuditRow>) -> Result<(), JournalError> { todo!() }
    pub fn head(&self) -> u64 { todo!() }
}
