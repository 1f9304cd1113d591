//! Why the log took nothing in or gave nothing out.

use iris_crypto::sign::SignError;
use iris_kernel::ErrorKind;
use iris_store::{CommitError, JournalError, StoreError, Stream};

use crate::entry::EntryFault;

/// Entries could not be made durable, so nothing may be shown or done (503).
#[derive(Debug, thiserror::Error)]
pub enum Unavailable {
    /// The journal of reads takes nothing in.
    #[error("the audit journal takes no entries: {0}")]
    Journal(#[from] JournalError),
    /// The key that seals the details cannot be had.
    #[error("the key for audit entries cannot be had: {0}")]
    Key(#[from] StoreError),
    /// The details cannot be written down.
    #[error("the audit entry cannot be written down: {0}")]
    Details(#[from] serde_json::Error),
    /// A sealed value without any entry: its handler would show PHI without a trace.
    #[error("nothing was recorded for this answer")]
    NothingRecorded,
    /// The thread that signs entries ended in a panic. Entries are still taken in, and a restart signs them.
    #[error("the audit follower has ended; entries are not signed until a restart")]
    FollowerEnded,
}

/// Why an entry gets no place in the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsigned {
    /// Its parts do not fit together: this log did not write it, or somebody changed it since.
    #[error(transparent)]
    Entry(#[from] EntryFault),
    /// Its details are under a key that the store does not have. Apart from the others, because the key of a month may be
    /// destroyed on purpose one day.
    #[error("its key {key} cannot be had")]
    KeyGone {
        /// The number of the key.
        key: u64,
    },
}

impl Unavailable {
    /// The row of the table of error kinds that this belongs to.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::Journal(JournalError::StorageFull) => ErrorKind::StorageFull,
            Self::Journal(_) | Self::Key(_) | Self::FollowerEnded => ErrorKind::Unavailable,
            Self::Details(_) | Self::NothingRecorded => ErrorKind::Internal,
        }
    }
}

/// The log could not be opened, read or extended.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The store gave no answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store took no change.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// The log does not fit together; verification locates the fault.
    #[error("the audit log is damaged: {0}")]
    Damaged(String),
    /// An entry waits that must not be signed, and so does everything behind it.
    #[error("entry {ordinal} of {stream:?} is not signed: {why}")]
    Unsigned {
        /// Its stream.
        stream: Stream,
        /// Its ordinal there.
        ordinal: u64,
        /// What is wrong.
        why: Unsigned,
    },
    /// The signing library failed.
    #[error("a checkpoint could not be signed: {0}")]
    Sign(#[from] SignError),
    /// The file could not be read or written.
    #[error("the audit file could not be read or written: {0}")]
    File(#[from] std::io::Error),
    /// Entries could not be made durable.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// A thread could not be started.
    #[error("the audit follower could not be started: {0}")]
    Thread(std::io::Error),
}

impl AuditError {
    /// The row of the table of error kinds that this belongs to.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::Store(error) => error.kind(),
            Self::Commit(error) => error.kind(),
            Self::Damaged(_) | Self::Unsigned { .. } => ErrorKind::Damaged,
            Self::Sign(_) | Self::Thread(_) => ErrorKind::Internal,
            Self::File(_) => ErrorKind::Unavailable,
            Self::Unavailable(error) => error.kind(),
        }
    }
}
