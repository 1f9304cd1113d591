//! The audit streams and the Merkle log as the store keeps them. What the bytes mean is known to the `audit` crate.

use crate::backend::WriteSet;
use crate::error::{CommitError, StoreError};
use crate::store::Store;

/// One audit entry as it is stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditRow {
    /// The canonical header: pseudonymous, in clear, and forever.
    pub header: Vec<u8>,
    /// The details, sealed by the caller under a key that can be destroyed.
    pub details: Vec<u8>,
}

/// The two streams of entries. Each counts its entries from 0 without a gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stream {
    /// Entries written in the transaction of the change that they describe.
    Writes,
    /// Entries of reads, in the journal.
    Reads,
}

impl Stream {
    /// The number that stands for this stream in the database.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Writes => 0,
            Self::Reads => 1,
        }
    }

    /// The stream with this number.
    #[must_use]
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::Writes),
            1 => Some(Self::Reads),
            _ => None,
        }
    }
}

/// Where a run of entries of one stream stands in the Merkle log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Log position of the first one.
    pub position: u64,
    /// Their stream.
    pub stream: Stream,
    /// Ordinal of the first one in its stream.
    pub ordinal: u64,
    /// How many.
    pub count: u64,
}

/// One tile of the Merkle log: up to 256 hashes of one level (C2SP tlog-tiles).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tile {
    /// Level, 0 for leaf hashes.
    pub level: u8,
    /// Position among the tiles of the level.
    pub index: u64,
    /// The hashes, one after another.
    pub bytes: Vec<u8>,
}

/// What one round of the audit follower adds to the log, in one transaction.
#[derive(Clone, Debug, Default)]
pub struct LogRound {
    /// New runs, in order of position, the first at the log's present size and each at the end of the one before.
    pub spans: Vec<Span>,
    /// Tiles that are new or have grown.
    pub tiles: Vec<Tile>,
    /// The signed checkpoint after this round; empty for none.
    pub checkpoint: Vec<u8>,
}

/// A signed checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Its number, from 1, in the order in which checkpoints were written.
    pub number: u64,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl Store {
    /// Number of durable entries of a stream: the ordinal that its next one gets.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn audit_head(&self, stream: Stream) -> Result<u64, StoreError> {
        match stream {
            Stream::Writes => self.inner.backend.audit_head(),
            Stream::Reads => self.inner.journal.head(),
        }
    }

    /// Entries of a stream with their ordinals, ascending, from `from` on. A row that somebody deleted from the database is
    /// simply not there; the gap in the ordinals shows it.
    ///
    /// # Errors
    /// [`StoreError`]; a damaged record of the journal is named by its ordinal.
    pub fn audit_rows(&self, stream: Stream, from: u64, limit: usize) -> Result<Vec<(u64, AuditRow)>, StoreError> {
        match stream {
            Stream::Writes => self.inner.backend.audit_rows(from, limit),
            Stream::Reads => self.inner.journal.rows(from, limit),
        }
    }

    /// Adds a round to the Merkle log, in one transaction. Waits for the writer.
    ///
    /// # Errors
    /// [`CommitError`]; [`CommitError::Invalid`] if the spans do not begin where the log ends.
    pub fn log_write(&self, round: LogRound) -> Result<(), CommitError> {
        self.inner.write(WriteSet { log: Some(round), ..WriteSet::default() })
    }

    /// A tile of the Merkle log.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn log_tile(&self, level: u8, index: u64) -> Result<Option<Vec<u8>>, StoreError> {
        self.inner.backend.log_tile(level, index)
    }

    /// Spans of the log, ascending, from the one that holds `position` on.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn log_spans(&self, position: u64, limit: usize) -> Result<Vec<Span>, StoreError> {
        self.inner.backend.log_spans(position, limit)
    }

    /// The span that holds an entry, if it is in the log already.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn log_span_of(&self, stream: Stream, ordinal: u64) -> Result<Option<Span>, StoreError> {
        self.inner.backend.log_span_of(stream, ordinal)
    }

    /// Checkpoints with a number above `after`, ascending.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn log_checkpoints(&self, after: u64, limit: usize) -> Result<Vec<Checkpoint>, StoreError> {
        self.inner.backend.log_checkpoints(after, limit)
    }

    /// The newest checkpoint.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn log_checkpoint_last(&self) -> Result<Option<Checkpoint>, StoreError> {
        self.inner.backend.log_checkpoint_last()
    }

    /// Entries in the Merkle log.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn log_size(&self) -> Result<u64, StoreError> {
        self.inner.backend.log_size()
    }
}
