//! What a database must be able to do for the store. Everything above speaks to these two traits; SQL and drivers stay below.

mod check;
pub(crate) mod postgres;
pub(crate) mod sqlite;

use std::sync::Arc;
use std::time::Duration;

use iris_kernel::{Kind, RecordId, Seq, Tenant, Timestamp, Version};

use crate::audit::{AuditRow, Checkpoint, LogRound, Span, Stream};
use crate::error::{Conflict, StoreError};
use crate::figures::{CacheState, Connections};
use crate::keys::{FreshKey, KeyId};
use crate::tx::{ClaimExpect, ClaimScope, Expect, Shadow};

/// One version as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RawRow {
    pub(crate) seq: Seq,
    pub(crate) tenant: Tenant,
    pub(crate) kind: Kind,
    pub(crate) record: RecordId,
    pub(crate) version: Version,
    pub(crate) at: Timestamp,
    pub(crate) born: Seq,
    pub(crate) prev: Option<Seq>,
    pub(crate) deleted: bool,
    pub(crate) key: KeyId,
    pub(crate) body: Vec<u8>,
}

impl RawRow {
    /// A pointer that leads to another record or version is damage and never "not found".
    fn belongs(
        &self,
        tenant: Tenant,
        kind: Kind,
        record: RecordId,
        version: Option<Version>,
    ) -> Result<(), StoreError> {
        let same = self.tenant == tenant && self.kind == kind && self.record == record;
        if same && version.is_none_or(|version| version == self.version) {
            return Ok(());
        }
        Err(StoreError::damaged(Some(self.seq), "a pointer leads to a row of another record or version"))
    }
}

/// A wrapped key as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RawKey {
    pub(crate) key: KeyId,
    pub(crate) tenant: Tenant,
    pub(crate) owner: [u8; 16],
    /// The key that wraps this one; `None`: the provider does.
    pub(crate) kek: Option<KeyId>,
    pub(crate) wrapped: Vec<u8>,
}

/// A claim as it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RawClaim {
    pub(crate) tenant: Tenant,
    pub(crate) scope: ClaimScope,
    pub(crate) token: [u8; 16],
    pub(crate) holder: RecordId,
}

/// An event, sealed.
pub(crate) struct SealedEvent {
    /// Drawn for this event, and what its body is bound to.
    pub(crate) event: [u8; 16],
    pub(crate) key: KeyId,
    pub(crate) body: Vec<u8>,
}

/// An event as it is stored.
pub(crate) struct RawEvent {
    pub(crate) number: u64,
    pub(crate) event: [u8; 16],
    pub(crate) tenant: Tenant,
    pub(crate) key: KeyId,
    pub(crate) body: Vec<u8>,
}

/// Which row is the newest of its record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pointer {
    pub(crate) seq: Seq,
    pub(crate) version: Version,
}

/// A put, sealed.
pub(crate) struct SealedPut {
    pub(crate) kind: Kind,
    pub(crate) record: RecordId,
    pub(crate) expect: Expect,
    pub(crate) version: Version,
    pub(crate) at: Timestamp,
    pub(crate) born: Option<Seq>,
    pub(crate) deleted: bool,
    pub(crate) key: KeyId,
    pub(crate) body: Vec<u8>,
}

/// A state that must hold.
#[derive(Clone)]
pub(crate) struct Requirement {
    pub(crate) kind: Kind,
    pub(crate) record: RecordId,
    pub(crate) expect: Expect,
}

/// Taking or giving back a claim.
#[derive(Clone)]
pub(crate) struct ClaimChange {
    pub(crate) scope: ClaimScope,
    pub(crate) token: [u8; 16],
    pub(crate) holder: RecordId,
    /// `None`: give it back, if this holder has it.
    pub(crate) take: Option<ClaimExpect>,
}

/// A write set, sealed and ready.
#[derive(Default)]
pub(crate) struct WriteSet {
    pub(crate) tenant: Option<Tenant>,
    /// [`Backend::lives`] before the first key was looked up that something of it is sealed with.
    pub(crate) lives: Option<u64>,
    pub(crate) fresh: Vec<Arc<FreshKey>>,
    pub(crate) requirements: Vec<Requirement>,
    pub(crate) claims: Vec<ClaimChange>,
    pub(crate) puts: Vec<SealedPut>,
    /// One for each put.
    pub(crate) shadows: Vec<Shadow>,
    pub(crate) events: Vec<SealedEvent>,
    pub(crate) audit: Vec<AuditRow>,
    pub(crate) log: Option<LogRound>,
    pub(crate) outbox_forget: Option<u64>,
    /// Rough size, for bounding a group.
    pub(crate) bytes: usize,
}

/// What became of one write set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SetDone {
    /// Sequence of the first put; the others follow without a gap.
    pub(crate) first: Seq,
    /// For each put, the row that it replaces.
    pub(crate) superseded: Vec<Option<Seq>>,
    pub(crate) audit_first: u64,
}

/// Why one write set of a group was left out. The others are not touched by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SetRefused {
    Conflict(Conflict),
    /// A key that it brings along was stored by somebody else under another number, or one that it goes by may be lost.
    Raced,
    Invalid(&'static str),
    Damaged(String),
    Unavailable(String),
}

/// Why a whole group was not stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum GroupFailed {
    /// No room. It may be tried again later.
    Full,
    /// A write or flush failed, of a statement, a commit or a checkpoint. What the disk holds is uncertain; the writer stops.
    Broken(String),
}

pub(crate) type Verdict = Result<SetDone, SetRefused>;

/// The codes of a kind, or of all of FHIR's: from the first up to and without the second.
pub(crate) fn kind_codes(kind: Option<Kind>) -> (i32, i32) {
    kind.map_or((0, i32::from(Kind::INTERNAL)), |kind| (i32::from(kind.0), i32::from(kind.0) + 1))
}

/// Whose rows a statement may see. PostgreSQL enforces it; SQLite belongs to one process, which checks by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    Tenant(Tenant),
    All,
}

/// Reading. Every call sees one consistent state.
pub(crate) trait Backend: Send + Sync {
    fn head(&self) -> Result<Seq, StoreError>;
    fn current(&self, tenant: Tenant, kind: Kind, record: RecordId) -> Result<Option<RawRow>, StoreError>;
    /// The newest rows of the records of a kind behind the one named, in the order of their tokens; read where they are written.
    fn current_of_kind(
        &self,
        tenant: Tenant,
        kind: Kind,
        after: Option<RecordId>,
        limit: usize,
    ) -> Result<Vec<RawRow>, StoreError>;
    /// The versions of a record below `before`, newest first.
    fn chain(
        &self,
        tenant: Tenant,
        kind: Kind,
        record: RecordId,
        before: Option<Version>,
        limit: usize,
    ) -> Result<Vec<RawRow>, StoreError>;
    fn rows(&self, scope: Scope, seqs: &[Seq]) -> Result<Vec<Option<RawRow>>, StoreError>;
    /// Rows that [`Backend::rows`] gave did not open: none of them may come from what was kept of an earlier answer again.
    fn forget(&self, _: &[Seq]) {}
    fn feed(&self, after: Seq, limit: usize) -> Result<Vec<RawRow>, StoreError>;
    /// A tenant's rows of FHIR records, of one kind or of all, newest first, within a span: from its first up to and without its second.
    fn changes(
        &self,
        tenant: Tenant,
        kind: Option<Kind>,
        span: (Seq, Seq),
        limit: usize,
    ) -> Result<Vec<RawRow>, StoreError>;
    fn pointer(&self, tenant: Tenant, kind: Kind, record: RecordId) -> Result<Option<Pointer>, StoreError>;
    /// As [`Backend::pointer`] of several records at once, of any tenant.
    fn pointers(&self, records: &[(Tenant, Kind, RecordId)]) -> Result<Vec<Option<Pointer>>, StoreError> {
        records.iter().map(|(tenant, kind, record)| self.pointer(*tenant, *kind, *record)).collect()
    }
    fn claim(&self, tenant: Tenant, scope: ClaimScope, token: &[u8; 16]) -> Result<Option<RecordId>, StoreError>;
    /// Claims behind the one named, in the order of their keys.
    fn claims(&self, after: Option<RawClaim>, limit: usize) -> Result<Vec<RawClaim>, StoreError>;
    /// The kinds of which a tenant has records, ascending.
    fn kinds(&self, tenant: Tenant) -> Result<Vec<Kind>, StoreError>;
    fn key(&self, key: KeyId) -> Result<Option<RawKey>, StoreError>;
    fn key_of_owner(&self, owner: &[u8; 16]) -> Result<Option<RawKey>, StoreError>;
    /// How many wrapped keys there are: in all, those that the root wraps, and those of one tenant.
    fn key_counts(&self, tenant: Tenant) -> Result<[u64; 3], StoreError>;
    /// The highest key number in use.
    fn key_last(&self) -> Result<KeyId, StoreError>;
    /// A key number that nobody was given before.
    fn key_next(&self) -> Result<KeyId, StoreError>;
    /// Bytes of the database on its disk.
    fn bytes(&self) -> Result<u64, StoreError>;
    fn outbox(&self, after: u64, limit: usize) -> Result<Vec<RawEvent>, StoreError>;
    /// Entries in the stream of writes.
    fn audit_head(&self) -> Result<u64, StoreError>;
    fn audit_rows(&self, from: u64, limit: usize) -> Result<Vec<(u64, AuditRow)>, StoreError>;
    fn log_size(&self) -> Result<u64, StoreError>;
    fn log_tile(&self, level: u8, index: u64) -> Result<Option<Vec<u8>>, StoreError>;
    fn log_spans(&self, position: u64, limit: usize) -> Result<Vec<Span>, StoreError>;
    fn log_span_of(&self, stream: Stream, ordinal: u64) -> Result<Option<Span>, StoreError>;
    fn log_checkpoints(&self, after: u64, limit: usize) -> Result<Vec<Checkpoint>, StoreError>;
    fn log_checkpoint_last(&self) -> Result<Option<Checkpoint>, StoreError>;
    /// What an operator should know about the database: names and values.
    fn report(&self) -> Result<Vec<(String, String)>, StoreError>;
    /// The connections of this process to a server; `None` where there is none.
    fn connections(&self) -> Option<Connections> {
        None
    }
    /// What rows are kept in near at hand, and how each is.
    fn caches(&self) -> Vec<(&'static str, CacheState)> {
        Vec::new()
    }
    /// What the database itself finds wrong with its files.
    fn self_check(&self) -> Result<Vec<String>, StoreError>;
    /// How often the database has turned out to be another one than before, so that writes may have been lost: what was found out
    /// of it under another number counts for nothing.
    fn lives(&self) -> u64 {
        0
    }
    /// Told of the newest change that the followers know of: what is read must not be older.
    fn knows(&self, head: Seq);
    /// The newest change that each server that follows has; 0 for one that does not answer.
    fn replicas(&self) -> Vec<Seq>;
    /// Nothing more is asked of the database until the next start: it is not the one that was written to.
    fn refuse(&self, why: &str);
    /// Whether other processes may write into the same database.
    fn is_shared(&self) -> bool;
    /// Takes or renews a lease for `holder`: true if it has it for that long now.
    fn lease(&self, name: &str, holder: &[u8; 16], span: Duration) -> Result<bool, StoreError>;
}

/// Writing. There is one of these, on the writer thread.
pub(crate) trait GroupWriter: Send {
    /// Stores a group of write sets in one durable transaction; sets that are refused are left out.
    fn commit(&mut self, sets: &[&WriteSet]) -> Result<Vec<Verdict>, GroupFailed>;
    /// Called when the callers have their answers: time for upkeep. What was committed is safe whatever this returns.
    fn rest(&mut self) -> Result<(), GroupFailed>;
    /// Called once, at the end.
    fn finish(&mut self);
}
