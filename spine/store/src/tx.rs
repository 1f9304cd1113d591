//! Write sets: what is to be stored together, and what must hold for it.

use std::any::Any;
use std::sync::Arc;

use iris_kernel::{Kind, RecordId, Seq, Tenant, Timestamp, Version};

use crate::audit::AuditRow;
use crate::error::CommitError;
use crate::store::Inner;

/// Most puts in one write set.
pub const TX_PUTS_MAX: usize = 20_000;
/// Most bytes of bodies in one write set, before compression.
pub const TX_BYTES_MAX: usize = 128 << 20;

/// What travels beside a put to the follower, so that it need not be worked out again from the body: for the index, the
/// search document.
pub type Shadow = Option<Box<dyn Any + Send>>;

/// What must be true of a record before it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// There is no row of it, not even a deleted one.
    Absent,
    /// Its newest row (deleted or not) is this one.
    Current(Seq),
}

/// Whose key seals a body (architecture §5, ADR 0007).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyOwner {
    /// The tenant's key: in no patient's compartment, or in several.
    Tenant,
    /// The key of this patient, who is the only one concerned. Made if there is none yet.
    Patient(RecordId),
}

/// One version of one record.
pub struct Put<'a> {
    /// What sort of record.
    pub kind: Kind,
    /// Its public id; kept only as a keyed token, see [`crate::Store::record_id`].
    pub id: &'a str,
    /// What must be stored at present.
    pub expect: Expect,
    /// The new version: [`Version::FIRST`] for an absent record, the current one's next otherwise.
    pub version: Version,
    /// The first row of this record's present life, as its rows carry it; `None` if this row begins one.
    pub born: Option<Seq>,
    /// Time of the write, as the record shows it.
    pub at: Timestamp,
    /// Who writes: a UUID, kept sealed.
    pub author: [u8; 16],
    /// The body; empty for a deletion.
    pub body: &'a [u8],
    /// Whose key seals it.
    pub owner: KeyOwner,
    /// Whether this version says that the record is deleted.
    pub deleted: bool,
    /// Handed to the follower.
    pub shadow: Shadow,
}

/// A name space of unique claims. The numbers stand in the database and never change their meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClaimScope(pub u16);

/// What must be true of a claim before it is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClaimExpect {
    /// Nobody holds it.
    Absent,
    /// This record holds it.
    HeldBy(RecordId),
    /// Whoever holds it loses it.
    Any,
}

/// A write set was stored and is durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// Sequence of the first put; the store's head if there was none.
    pub first: Seq,
    /// Sequence of each put, in the order in which they were added.
    pub seqs: Vec<Seq>,
    /// Ordinal, in [`crate::Stream::Writes`], of the first audit entry of the set (meaningless if it had none).
    pub audit_first: u64,
    /// When it was committed.
    pub at: Timestamp,
}

/// A row that was just committed.
pub struct Change {
    /// Its sequence.
    pub seq: Seq,
    /// Its tenant.
    pub tenant: Tenant,
    /// Its kind.
    pub kind: Kind,
    /// Its record.
    pub record: RecordId,
    /// Its version.
    pub version: Version,
    /// Its time.
    pub at: Timestamp,
    /// First row of the record's present life.
    pub born: Seq,
    /// Whether it says that the record is deleted.
    pub deleted: bool,
    /// The row that it replaces as the current one.
    pub superseded: Option<Seq>,
    /// What the writer handed over.
    pub shadow: Shadow,
}

/// Somebody who must know of every change before its writer gets an answer, so that a search sees its own node's writes.
pub trait Follower: Send + Sync {
    /// Called on the writer thread after each commit, in order of sequence. Must be quick and must not write to the store.
    fn committed(&self, changes: Vec<Change>);
}

/// A write set.
pub struct Tx { _inner: Arc<Inner> }

#[allow(unused_variables, clippy::todo, missing_docs)]
impl Tx {
    pub fn put(&mut self, put: Put<'_>) { todo!() }
    /// Demands that a record is in the named state, without writing it.
    pub fn require(&mut self, kind: Kind, id: &str, expect: Expect) { todo!() }
    pub fn claim(&mut self, scope: ClaimScope, value: &[&[u8]], expect: ClaimExpect, holder: RecordId) { todo!() }
    pub fn release(&mut self, scope: ClaimScope, value: &[&[u8]], holder: RecordId) { todo!() }
    pub fn event(&mut self, body: &[u8]) { todo!() }
    pub fn audit(&mut self, entry: AuditRow) { todo!() }
    pub async fn commit(self) -> Result<Committed, CommitError> { todo!() }
    pub fn commit_blocking(self) -> Result<Committed, CommitError> { todo!() }
}
