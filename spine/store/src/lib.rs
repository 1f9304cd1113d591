//! The truth: sealed rows in one global order, their history, unique claims, the outbox, the audit streams and the keys
//! (architecture §4, §5, §6). The only crate that names a database driver.
//!
//! Reads run on the calling thread over a pool of read-only connections. Writes are built as a [`Tx`] without touching the
//! database and committed by one writer thread, many at a time.

mod audit;
mod backend;
mod config;
mod copy;
mod error;
mod figures;
mod journal;
mod keys;
mod lock;
pub mod migrations;
mod reads;
mod row;
mod scrub;
mod store;
mod tail;
mod tx;
mod writer;

pub mod keyfile;
#[cfg(feature = "testing")]
pub mod testing;

pub use audit::{AuditRow, Checkpoint, LogRound, Span, Stream, Tile};
pub use config::{CacheConfig, Database, PostgresConfig, Server, StoreConfig};
pub use copy::{Copied, CopyError, CopyReport, Going, copy};
pub use error::{CommitError, Conflict, OpenError, StoreError};
pub use figures::{CacheState, Connections, KeyCounts};
pub use journal::JournalError;
pub use keyfile::LocalKey;
pub use keys::{KeyError, KeyId, KeyLabel, KeyProvider};
pub use lock::FolderLock;
pub use reads::Journal;
pub use row::Row;
pub use scrub::{Damage, ScrubReport, Scrubbed, Scrubbing};
pub use store::{Changes, OutboxEvent, Store};
pub use tx::{
    Change, ClaimExpect, ClaimScope, Committed, Expect, Follower, HEAD_BYTES_MAX, KeyOwner, Put, Shadow, TX_BYTES_MAX,
    TX_PUTS_MAX, Tx,
};
