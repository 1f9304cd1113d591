//! The store.

use std::sync::Arc;

use iris_crypto::SealingKey;
use iris_kernel::{Clock, Entropy, Kind, RecordId, Seq, Tenant, Timestamp, Version};

use crate::audit::{AuditRow, Checkpoint, LogRound, Span, Stream};
use crate::config::StoreConfig;
use crate::error::{CommitError, OpenError, StoreError};
use crate::journal::Journal;
use crate::keys::{KeyId, KeyLabel, KeyProvider};
use crate::row::Row;
use crate::scrub::ScrubReport;
use crate::tx::{ClaimScope, Follower, Tx};

/// The store of one data folder. Clones share it.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {}

/// An event that waits for its subscribers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxEvent {
    /// Position in the outbox.
    pub number: u64,
    /// Whose it is.
    pub tenant: Tenant,
    /// Its bytes as given to [`Tx::event`].
    pub body: Vec<u8>,
}

#[allow(unused_variables, clippy::todo, missing_docs)]
impl Store {
    /// Whether `folder` holds a database already.
    pub fn exists(folder: &std::path::Path) -> bool { todo!() }
    pub fn open(config: StoreConfig, keys: Arc<dyn KeyProvider>, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Result<Store, OpenError> { todo!() }
    pub fn record_id(&self, tenant: Tenant, kind: Kind, id: &str) -> RecordId { todo!() }
    pub fn current(&self, tenant: Tenant, kind: Kind, id: &str) -> Result<Option<Row>, StoreError> { todo!() }
    /// As `current`, by the token of the id.
    pub fn current_by_record(&self, tenant: Tenant, kind: Kind, record: RecordId) -> Result<Option<Row>, StoreError> { todo!() }
    pub fn version(&self, tenant: Tenant, kind: Kind, id: &str, version: Version) -> Result<Option<Row>, StoreError> { todo!() }
    pub fn history(&self, tenant: Tenant, kind: Kind, id: &str, before: Option<Version>, limit: usize) -> Result<Vec<Row>, StoreError> { todo!() }
    pub fn rows(&self, tenant: Tenant, seqs: &[Seq]) -> Result<Vec<Option<Row>>, StoreError> { todo!() }
    pub fn feed(&self, after: Seq, limit: usize) -> Result<Vec<Row>, StoreError> { todo!() }
    pub fn head(&self) -> Seq { todo!() }
    pub fn claim_holder(&self, tenant: Tenant, scope: ClaimScope, value: &[&[u8]]) -> Result<Option<RecordId>, StoreError> { todo!() }
    pub fn begin(&self, tenant: Tenant) -> Tx { todo!() }
    pub fn set_follower(&self, follower: Arc<dyn Follower>) { todo!() }
    pub fn journal(&self) -> &Journal { todo!() }
    pub fn outbox(&self, after: u64, limit: usize) -> Result<Vec<OutboxEvent>, StoreError> { todo!() }
    pub fn outbox_forget(&self, through: u64) -> Result<(), CommitError> { todo!() }
    pub fn derive(&self, label: &str) -> [u8; 32] { todo!() }
    pub fn data_key(&self, tenant: Tenant, label: &KeyLabel) -> Result<(KeyId, Arc<SealingKey>), StoreError> { todo!() }
    pub fn data_key_by_id(&self, key: KeyId) -> Result<Arc<SealingKey>, StoreError> { todo!() }
    /// Number of entries of a stream: the ordinal that the next one gets.
    pub fn audit_head(&self, stream: Stream) -> Result<u64, StoreError> { todo!() }
    /// Entries with their ordinals, ascending from `from`; a row that somebody deleted is simply absent, the ordinals show it.
    pub fn audit_rows(&self, stream: Stream, from: u64, limit: usize) -> Result<Vec<(u64, AuditRow)>, StoreError> { todo!() }
    pub fn log_write(&self, round: LogRound) -> Result<(), CommitError> { todo!() }
    pub fn log_tile(&self, level: u8, index: u64) -> Result<Option<Vec<u8>>, StoreError> { todo!() }
    /// Spans, ascending by position, from the one that holds `position` on.
    pub fn log_spans(&self, position: u64, limit: usize) -> Result<Vec<Span>, StoreError> { todo!() }
    /// The span that holds this entry of a stream.
    pub fn log_span_of(&self, stream: Stream, ordinal: u64) -> Result<Option<Span>, StoreError> { todo!() }
    /// Checkpoints with a number above `after`, ascending.
    pub fn log_checkpoints(&self, after: u64, limit: usize) -> Result<Vec<Checkpoint>, StoreError> { todo!() }
    /// The newest checkpoint.
    pub fn log_checkpoint_last(&self) -> Result<Option<Checkpoint>, StoreError> { todo!() }
    /// Entries in the log.
    pub fn log_size(&self) -> Result<u64, StoreError> { todo!() }
    pub fn scrub(&self) -> Result<ScrubReport, StoreError> { todo!() }
    pub fn now(&self) -> Timestamp { todo!() }
    pub fn close(self) { todo!() }
}
