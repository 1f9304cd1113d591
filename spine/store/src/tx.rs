//! Write sets: what is to be stored together, and what must hold for it.

use std::any::Any;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use iris_crypto::Aad;
use iris_kernel::{Kind, RecordId, Seq, Tenant, Timestamp, Version};
use zeroize::Zeroizing;

use crate::audit::AuditRow;
use crate::backend::{ClaimChange, Requirement, SealedEvent, SealedPut, WriteSet};
use crate::error::CommitError;
use crate::keys::{FreshKey, KeyHandle, KeyId, KeyRole};
use crate::row::{Place, Row, pack};
use crate::store::Inner;
use crate::writer::Answer;

/// Most puts in one write set.
pub const TX_PUTS_MAX: usize = 20_000;
/// Most bytes of bodies in one write set, before compression.
pub const TX_BYTES_MAX: usize = 128 << 20;

/// Most bytes of a head.
pub const HEAD_BYTES_MAX: usize = 1 << 20;

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
    /// A few bytes of the upper layers' own, at most [`HEAD_BYTES_MAX`]: who writes, whose record it is. Sealed together with
    /// the body, but not compressed, so that it is readable without the body (clear text = format, length, head, zstd(body)).
    pub head: &'a [u8],
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
    /// The whole row, where another node wrote it; nobody handed over a shadow then.
    pub row: Option<Row>,
}

/// Somebody who must know of every change before its writer gets an answer, so that a search sees its own node's writes.
pub trait Follower: Send + Sync {
    /// Called after each commit of any node, in order of sequence and by one thread at a time: for this node's own changes on its
    /// writer thread, before the writer has its answer. Must be quick and must not write to the store. A shadow may be taken out.
    fn committed(&self, changes: &mut [Change]);
}

/// How often a set is sealed again because somebody else was faster in making a key that it needs.
const RACES_MAX: usize = 8;

/// A write set. Built without touching the database; compressed and sealed on the caller's thread; stored in one step by
/// [`Tx::commit`] or not at all. All its expectations are checked before any of it is written.
pub struct Tx {
    inner: Arc<Inner>,
    tenant: Tenant,
    puts: Vec<Waiting>,
    requirements: Vec<Requirement>,
    claims: Vec<ClaimChange>,
    events: Vec<Zeroizing<Vec<u8>>>,
    audit: Vec<AuditRow>,
    /// Bodies before compression.
    bytes: usize,
    head_longest: usize,
}

/// A put that is packed but not sealed yet.
struct Waiting {
    kind: Kind,
    record: RecordId,
    expect: Expect,
    version: Version,
    born: Option<Seq>,
    at: Timestamp,
    owner: KeyOwner,
    deleted: bool,
    packed: Zeroizing<Vec<u8>>,
    shadow: Shadow,
}

impl Tx {
    pub(crate) fn new(inner: Arc<Inner>, tenant: Tenant) -> Self {
        Self {
            inner,
            tenant,
            puts: Vec::new(),
            requirements: Vec::new(),
            claims: Vec::new(),
            events: Vec::new(),
            audit: Vec::new(),
            bytes: 0,
            head_longest: 0,
        }
    }

    /// Whose records the set writes.
    #[must_use]
    pub const fn tenant(&self) -> Tenant {
        self.tenant
    }

    /// Adds a version of a record. Each record may be put once in a set.
    pub fn put(&mut self, put: Put<'_>) {
        self.bytes += put.body.len();
        self.head_longest = self.head_longest.max(put.head.len());
        self.puts.push(Waiting {
            kind: put.kind,
            record: self.inner.record_id(self.tenant, put.kind, put.id),
            expect: put.expect,
            version: put.version,
            born: put.born,
            at: put.at,
            owner: put.owner,
            deleted: put.deleted,
            packed: pack(put.head, put.body),
            shadow: put.shadow,
        });
    }

    /// Adds the version of a record that follows `row`, its newest: for who has rows and not ids, which are kept as tokens only. Without a
    /// body the record is deleted by it. Sealed under the tenant's key.
    pub fn put_after(&mut self, row: &Row, at: Timestamp, head: &[u8], body: Option<&[u8]>) {
        let content = body.unwrap_or_default();
        self.bytes += content.len();
        self.head_longest = self.head_longest.max(head.len());
        self.puts.push(Waiting {
            kind: row.kind,
            record: row.record,
            expect: Expect::Current(row.seq),
            version: row.version.next(),
            born: (!row.deleted).then_some(row.born),
            at,
            owner: KeyOwner::Tenant,
            deleted: body.is_none(),
            packed: pack(head, content),
            shadow: None,
        });
    }

    /// Demands that a record is in the named state before the set, without writing it.
    pub fn require(&mut self, kind: Kind, id: &str, expect: Expect) {
        let record = self.inner.record_id(self.tenant, kind, id);
        self.requirements.push(Requirement { kind, record, expect });
    }

    /// Takes a claim. Claims and releases of one set are seen in the order in which they were added.
    pub fn claim(&mut self, scope: ClaimScope, value: &[&[u8]], expect: ClaimExpect, holder: RecordId) {
        let token = self.inner.claim_token(self.tenant, scope, value);
        self.claims.push(ClaimChange { scope, token, holder, take: Some(expect) });
    }

    /// Gives a claim back, if `holder` has it.
    pub fn release(&mut self, scope: ClaimScope, value: &[&[u8]], holder: RecordId) {
        let token = self.inner.claim_token(self.tenant, scope, value);
        self.claims.push(ClaimChange { scope, token, holder, take: None });
    }

    /// Adds an event to the outbox; the store seals it.
    pub fn event(&mut self, body: &[u8]) {
        self.events.push(Zeroizing::new(body.to_vec()));
    }

    /// Adds an audit entry.
    pub fn audit(&mut self, entry: AuditRow) {
        self.audit.push(entry);
    }

    /// Stores the set. When this returns `Ok`, it is durable and the follower knows of it.
    ///
    /// # Errors
    /// [`CommitError`]; nothing of the set was stored, unless it is [`CommitError::Unavailable`], which may not know.
    pub async fn commit(mut self) -> Result<Committed, CommitError> {
        for _ in 0..RACES_MAX {
            let set = self.seal()?;
            let fresh = set.fresh.clone();
            let (sender, receiver) = tokio::sync::oneshot::channel();
            self.inner.desk.submit(set, Box::new(move |answer| drop(sender.send(answer))));
            if let Some(end) = self.settle(&fresh, receiver.await.ok()) {
                return end;
            }
        }
        Err(too_many_races())
    }

    /// As [`Tx::commit`], for threads outside the asynchronous runtime.
    ///
    /// # Errors
    /// [`CommitError`]; nothing of the set was stored, unless it is [`CommitError::Unavailable`], which may not know.
    pub fn commit_blocking(mut self) -> Result<Committed, CommitError> {
        for _ in 0..RACES_MAX {
            let set = self.seal()?;
            let fresh = set.fresh.clone();
            let answer = self.inner.submit_blocking(set);
            if let Some(end) = self.settle(&fresh, answer) {
                return end;
            }
        }
        Err(too_many_races())
    }

    /// Looks up or makes the keys and seals the bodies.
    fn seal(&mut self) -> Result<WriteSet, CommitError> {
        if self.puts.len() > TX_PUTS_MAX || self.bytes > TX_BYTES_MAX || self.head_longest > HEAD_BYTES_MAX {
            return Err(CommitError::Invalid("the write set is larger than the store's limits allow"));
        }
        let keys = &self.inner.keys;
        let lives = Some(self.inner.backend.lives());
        let mut set = WriteSet { tenant: Some(self.tenant), lives, ..WriteSet::default() };
        let mut known: HashMap<KeyOwner, KeyHandle> = HashMap::new();
        for put in &mut self.puts {
            let handle = match known.entry(put.owner) {
                Entry::Occupied(entry) => entry.into_mut(),
                Entry::Vacant(entry) => entry.insert(keys.handle(self.tenant, put.owner.into())?),
            };
            if let Some(fresh) = &handle.fresh {
                fresh.with_wrapping(&mut set.fresh);
            }
            let place = Place {
                tenant: self.tenant,
                kind: put.kind,
                record: put.record,
                version: put.version,
                at: put.at,
                born: put.born,
                prev: match put.expect {
                    Expect::Absent => None,
                    Expect::Current(seq) => Some(seq),
                },
                deleted: put.deleted,
                key: handle.id,
            };
            let body = place.seal(&handle.key, keys.nonce(), &put.packed);
            set.bytes += body.len();
            set.puts.push(SealedPut {
                kind: put.kind,
                record: put.record,
                expect: put.expect,
                version: put.version,
                at: put.at,
                born: put.born,
                deleted: put.deleted,
                key: handle.id,
                body,
            });
            set.shadows.push(put.shadow.take());
        }
        if !self.events.is_empty() {
            let handle = keys.handle(self.tenant, KeyRole::Tenant)?;
            if let Some(fresh) = &handle.fresh {
                fresh.with_wrapping(&mut set.fresh);
            }
            let seal = |body: &Zeroizing<Vec<u8>>| {
                let event = keys.unique();
                let body = handle.key.seal(keys.nonce(), &event_aad(self.tenant, handle.id, &event), body);
                SealedEvent { event, key: handle.id, body }
            };
            set.events = self.events.iter().map(seal).collect();
        }
        set.bytes += self.audit.iter().map(|entry| entry.header.len() + entry.details.len()).sum::<usize>();
        set.requirements.clone_from(&self.requirements);
        set.claims.clone_from(&self.claims);
        set.audit.clone_from(&self.audit);
        Ok(set)
    }

    /// What the writer's answer means; `None`: seal once more.
    fn settle(&mut self, fresh: &[Arc<FreshKey>], answer: Option<Answer>) -> Option<Result<Committed, CommitError>> {
        match answer {
            Some(Answer::Stored { done, at }) => {
                self.inner.keys.stored(fresh);
                let seqs = (done.first.0..).take(self.puts.len()).map(Seq).collect();
                Some(Ok(Committed { first: done.first, seqs, audit_first: done.audit_first, at }))
            }
            Some(Answer::Raced(set)) => {
                self.inner.keys.raced(fresh);
                for (put, shadow) in self.puts.iter_mut().zip(set.shadows) {
                    put.shadow = shadow;
                }
                None
            }
            Some(Answer::Refused(error)) => Some(Err(error)),
            None => Some(Err(CommitError::Unavailable("the writer has stopped".into()))),
        }
    }
}

fn too_many_races() -> CommitError {
    CommitError::Unavailable("others kept making the keys that this write needs".into())
}

/// What a sealed event is bound to.
pub(crate) fn event_aad(tenant: Tenant, key: KeyId, event: &[u8; 16]) -> Aad {
    Aad::new().bytes(b"event").u32(tenant.0).u64(key.0).bytes(event)
}

impl From<KeyOwner> for KeyRole<'static> {
    fn from(owner: KeyOwner) -> Self {
        match owner {
            KeyOwner::Tenant => Self::Tenant,
            KeyOwner::Patient(patient) => Self::Patient(patient),
        }
    }
}

#[cfg(test)]
mod tests {
    use iris_testkit::{ManualClock, SeededEntropy};

    use super::*;
    use crate::keys::KeyRing;
    use crate::testing::simple;
    use crate::{Store, StoreConfig, keyfile};

    #[test]
    fn a_row_is_enough_to_change_a_record_to_end_it_and_to_bring_it_back() {
        let folder = tempfile::tempdir().unwrap();
        let entropy = Arc::new(SeededEntropy::new(3));
        let key = keyfile::open_or_create(&folder.path().join("key"), None, Arc::clone(&entropy) as _, true).unwrap();
        let clock = Arc::new(ManualClock::default());
        let store = Store::open(StoreConfig::new(folder.path()), Arc::new(key), clock, entropy).unwrap();
        let (tenant, kind, at) = (Tenant(1), Kind(1), Timestamp(7));
        let current = || store.current(tenant, kind, "one").unwrap().unwrap();
        let mut tx = store.begin(tenant);
        tx.put(simple(kind, "one", Expect::Absent, 1, b"first"));
        tx.commit_blocking().unwrap();
        let first = current();
        for body in [Some(&b"second"[..]), None, Some(b"third")] {
            let before = current();
            let mut tx = store.begin(tenant);
            tx.put_after(&before, at, b"who", body);
            tx.commit_blocking().unwrap();
            let now = current();
            assert_eq!((now.version, now.deleted), (before.version.next(), body.is_none()));
            assert_eq!((&now.body[..], &now.head[..], now.at), (body.unwrap_or_default(), &b"who"[..], at));
            assert_eq!(now.born == first.born, body != Some(b"third"), "what comes back begins another life");
        }
        let mut tx = store.begin(tenant);
        tx.put_after(&first, at, b"who", None);
        assert!(matches!(tx.commit_blocking(), Err(CommitError::Conflict { .. })), "an older row is not enough");
        assert!(store.scrub().unwrap().is_good());
    }

    /// Another node makes the same patient's key between our sealing and our commit.
    #[test]
    fn a_set_that_was_raced_is_sealed_again_under_the_key_that_won() {
        let folder = tempfile::tempdir().unwrap();
        let entropy = Arc::new(SeededEntropy::new(1));
        let key = keyfile::open_or_create(&folder.path().join("key"), None, Arc::clone(&entropy) as _, true).unwrap();
        let provider = Arc::new(key);
        let config = StoreConfig::new(folder.path());
        let store = Store::open(config, Arc::clone(&provider) as _, Arc::new(ManualClock::default()), entropy).unwrap();
        let backend = Arc::clone(&store.inner.backend);
        let other = KeyRing::new(provider, backend, Arc::new(SeededEntropy::new(2)), 10);
        let (tenant, patient, kind) = (Tenant(1), RecordId([9; 16]), Kind(1));

        let mut tx = store.begin(tenant);
        let put = simple(kind, "ours", Expect::Absent, 1, b"body");
        tx.put(Put { owner: KeyOwner::Patient(patient), shadow: Some(Box::new(7_u8)), ..put });
        let ours = tx.seal().unwrap();
        let fresh = ours.fresh.clone();
        assert_eq!(fresh.len(), 2, "the patient's key and the tenant's wrapping key");

        let theirs = other.handle(tenant, KeyRole::Patient(patient)).unwrap();
        let mut set = WriteSet { tenant: Some(tenant), ..WriteSet::default() };
        theirs.fresh.as_ref().unwrap().with_wrapping(&mut set.fresh);
        assert!(matches!(store.inner.submit_blocking(set), Some(Answer::Stored { .. })));

        let answer = store.inner.submit_blocking(ours);
        assert!(matches!(answer, Some(Answer::Raced(_))));
        assert!(tx.settle(&fresh, answer).is_none());
        assert!(tx.puts[0].shadow.is_some(), "the shadow came back");
        tx.commit_blocking().unwrap();
        assert_eq!(&store.current(tenant, kind, "ours").unwrap().unwrap().body[..], b"body");
        assert!(store.scrub().unwrap().is_good());
    }
}
