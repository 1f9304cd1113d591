//! The store: opening, reading, and the doors to writing.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use iris_crypto::{MacKey, SealingKey};
use iris_kernel::{Clock, Entropy, Kind, RecordId, Seq, Tenant, Version};
use parking_lot::Mutex;

use crate::backend::{Backend, GroupWriter, RawRow, Scope, WriteSet, postgres, sqlite};
use crate::config::{Database, StoreConfig};
use crate::error::{CommitError, OpenError, StoreError};
use crate::journal::FileJournal;
use crate::keys::{KeyId, KeyLabel, KeyProvider, KeyRing, KeyRole, check_value};
use crate::lock::FolderLock;
use crate::reads::{Journal, Place};
use crate::row::Row;
use crate::tail::{self, Tail};
use crate::tx::{ClaimScope, Follower, Tx, event_aad};
use crate::writer::{self, Answer, Desk};

/// How often [`Store::data_key`] tries again because another node was faster in making the key.
const KEY_RACES_MAX: usize = 8;

/// The store of one node. Clones share it; the last one to go waits for the writer to end.
#[derive(Clone)]
pub struct Store {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) keys: KeyRing,
    pub(crate) desk: Arc<Desk>,
    pub(crate) backend: Arc<dyn Backend>,
    provider: Arc<dyn KeyProvider>,
    pub(crate) journal: Journal,
    ids: MacKey,
    claims: MacKey,
    /// Drawn at the opening: whom leases name.
    node: [u8; 16],
    writer: Mutex<Option<JoinHandle<()>>>,
    tail: Mutex<Option<Tail>>,
    _lock: FolderLock,
}

/// How many changes of all tenants [`Store::changes`] looks at in one call.
const CHANGES_STRETCH: u64 = 20_000;

/// A stretch of what records have been.
#[derive(Debug)]
pub struct Changes {
    /// The rows, newest first.
    pub rows: Vec<Row>,
    /// Below which position it goes on; nothing where the beginning was reached.
    pub on: Option<Seq>,
}

/// An event that waits for its subscribers.
#[derive(Clone, PartialEq, Eq)]
pub struct OutboxEvent {
    /// Position in the outbox, from 1, ascending.
    pub number: u64,
    /// Whose it is.
    pub tenant: Tenant,
    /// Its bytes as given to [`Tx::event`].
    pub body: Vec<u8>,
}

impl std::fmt::Debug for OutboxEvent {
    /// Does not show the body.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OutboxEvent({} {:?} body {} bytes)", self.number, self.tenant, self.body.len())
    }
}

impl Inner {
    pub(crate) fn record_id(&self, tenant: Tenant, kind: Kind, id: &str) -> RecordId {
        RecordId(self.ids.token(&[&tenant.0.to_be_bytes(), &kind.0.to_be_bytes(), id.as_bytes()]))
    }

    pub(crate) fn claim_token(&self, tenant: Tenant, scope: ClaimScope, value: &[&[u8]]) -> [u8; 16] {
        let (tenant, scope) = (tenant.0.to_be_bytes(), scope.0.to_be_bytes());
        let mut parts: Vec<&[u8]> = vec![&tenant, &scope];
        parts.extend_from_slice(value);
        self.claims.token(&parts)
    }

    /// Hands a set to the writer and waits; `None` if the writer ended without an answer.
    pub(crate) fn submit_blocking(&self, set: WriteSet) -> Option<Answer> {
        let (sender, receiver) = std::sync::mpsc::sync_channel(1);
        self.desk.submit(set, Box::new(move |answer| drop(sender.send(answer))));
        receiver.recv().ok()
    }

    /// Stores a set that brings no keys along and therefore cannot be raced.
    pub(crate) fn write(&self, set: WriteSet) -> Result<(), CommitError> {
        match self.submit_blocking(set) {
            Some(Answer::Stored { .. }) => Ok(()),
            Some(Answer::Refused(error)) => Err(error),
            Some(Answer::Raced(_)) => Err(CommitError::Invalid("a set without keys was raced")),
            None => Err(CommitError::Unavailable("the writer has stopped".into())),
        }
    }

    fn stop(&self) {
        self.desk.close();
        drop(self.tail.lock().take());
        let writer = self.writer.lock().take();
        // The last clone may go on the writer thread itself, inside a follower; a thread cannot wait for itself.
        if let Some(writer) = writer.filter(|writer| writer.thread().id() != std::thread::current().id())
            && writer.join().is_err()
        {
            tracing::error!("the writer thread has panicked");
        }
        self.journal.close();
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The parts of an opened database.
struct Opened {
    backend: Arc<dyn Backend>,
    writer: Box<dyn GroupWriter>,
    journal: Journal,
}

fn open_backend(config: &StoreConfig, provider: &dyn KeyProvider, clock: &dyn Clock) -> Result<Opened, OpenError> {
    let check = &check_value(provider);
    match &config.database {
        Database::Embedded => {
            let (readers, writer) = sqlite::open(config, check, clock)?;
            let journal = FileJournal::open(&config.folder.join("journal"), config.segment_bytes)?;
            let journal = Journal(Place::Files(journal));
            Ok(Opened { backend: Arc::new(readers), writer: Box::new(writer), journal })
        }
        Database::Postgres(config) => {
            let cache_key = provider.derive("store/cache");
            let postgres::Opened { questions, writer, journal } = postgres::open(config, check, &cache_key, clock)?;
            Ok(Opened { backend: questions, writer: Box::new(writer), journal: Journal(Place::Table(journal)) })
        }
    }
}

impl Store {
    /// Whether there is a database already that something was stored in; then its key file must be there too.
    ///
    /// # Errors
    /// The server does not answer. A folder always does.
    pub fn exists(config: &StoreConfig) -> Result<bool, OpenError> {
        match &config.database {
            Database::Embedded => Ok(sqlite::exists(&config.folder)),
            Database::Postgres(config) => postgres::exists(config),
        }
    }

    /// Opens a store, or makes it.
    ///
    /// # Errors
    /// Every reason for which it must not or cannot start; what was stored is untouched.
    #[allow(clippy::needless_pass_by_value, reason = "a folder is opened once")]
    pub fn open(
        config: StoreConfig,
        provider: Arc<dyn KeyProvider>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Store, OpenError> {
        let lock = match &config.lock {
            Some(lock) => lock.clone(),
            None => FolderLock::take(&config.folder)?,
        };
        let Opened { backend, writer, journal } = open_backend(&config, &*provider, &*clock)?;
        let mut node = [0; 16];
        entropy.fill(&mut node);
        let keys = KeyRing::new(Arc::clone(&provider), Arc::clone(&backend), entropy, config.keys_cached);
        let desk = Arc::new(Desk::new(backend.head()?, clock));
        backend.knows(desk.head());
        let desk_there = Arc::clone(&desk);
        let thread = std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || writer::run(&desk_there, writer))
            .map_err(OpenError::Thread)?;
        let (ids, claims) = (provider.derive("store/ids"), provider.derive("store/claims"));
        let (ids, claims) = (MacKey::new(&ids), MacKey::new(&claims));
        let (writer, tail) = (Mutex::new(Some(thread)), Mutex::new(None));
        let inner = Inner { keys, desk, backend, provider, journal, ids, claims, node, writer, tail, _lock: lock };
        let inner = Arc::new(inner);
        if inner.backend.is_shared() {
            *inner.tail.lock() = Some(Tail::start(&inner)?);
        }
        Ok(Store { inner })
    }

    /// How the database knows a record.
    #[must_use]
    pub fn record_id(&self, tenant: Tenant, kind: Kind, id: &str) -> RecordId {
        self.inner.record_id(tenant, kind, id)
    }

    /// The newest version of a record, which may be a deleted one.
    ///
    /// # Errors
    /// [`StoreError`]; a record that is not there is `None`.
    pub fn current(&self, tenant: Tenant, kind: Kind, id: &str) -> Result<Option<Row>, StoreError> {
        self.current_by_record(tenant, kind, self.record_id(tenant, kind, id))
    }

    /// As [`Store::current`], by the record's token.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn current_by_record(&self, tenant: Tenant, kind: Kind, record: RecordId) -> Result<Option<Row>, StoreError> {
        let found = self.inner.backend.current(tenant, kind, record)?;
        found.map(|row| row.open(&self.inner.keys)).transpose()
    }

    /// The newest rows of the records of one kind, which may be deleted ones, behind the record named and in the order of their
    /// tokens: all of them, if it is asked again behind the last one until none comes. What is written meanwhile may be among
    /// them or not. Read where it is written, so nothing that was committed before the question is missing.
    ///
    /// # Errors
    /// [`StoreError`]; one damaged row fails the whole call, so that none is missing silently.
    pub fn current_of_kind(
        &self,
        tenant: Tenant,
        kind: Kind,
        after: Option<RecordId>,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        self.open_all(self.inner.backend.current_of_kind(tenant, kind, after, limit)?)
    }

    /// Whether there is a record that is not deleted; opens no row.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn present(&self, tenant: Tenant, kind: Kind, id: &str) -> Result<bool, StoreError> {
        let found = self.inner.backend.current(tenant, kind, self.record_id(tenant, kind, id))?;
        Ok(found.is_some_and(|row| !row.deleted))
    }

    /// One version of a record.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn version(&self, tenant: Tenant, kind: Kind, id: &str, version: Version) -> Result<Option<Row>, StoreError> {
        let Some(before) = version.0.checked_add(1).map(Version) else { return Ok(None) };
        let rows = self.history(tenant, kind, id, Some(before), 1)?;
        Ok(rows.into_iter().next().filter(|row| row.version == version))
    }

    /// Versions of a record below `before`, newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn history(
        &self,
        tenant: Tenant,
        kind: Kind,
        id: &str,
        before: Option<Version>,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        let record = self.record_id(tenant, kind, id);
        self.open_all(self.inner.backend.chain(tenant, kind, record, before, limit)?)
    }

    /// As [`Store::history`], by the record's token.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn history_by_record(
        &self,
        tenant: Tenant,
        kind: Kind,
        record: RecordId,
        before: Option<Version>,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        self.open_all(self.inner.backend.chain(tenant, kind, record, before, limit)?)
    }

    /// What a tenant's FHIR records have been, of one kind or of all: rows below `before`, or from the newest that the followers know
    /// of, newest first. Looks at a bounded stretch of the order of changes, so there may be less than `limit`, or nothing, before the
    /// beginning is reached.
    ///
    /// # Errors
    /// [`StoreError`]; one damaged row fails the whole call, so that none is missing silently.
    pub fn changes(
        &self,
        tenant: Tenant,
        kind: Option<Kind>,
        before: Option<Seq>,
        limit: usize,
    ) -> Result<Changes, StoreError> {
        let high = before.unwrap_or(Seq(self.head().0 + 1));
        let low = Seq(high.0.saturating_sub(CHANGES_STRETCH).max(1));
        let rows = self.open_all(self.inner.backend.changes(tenant, kind, (low, high), limit)?)?;
        let on = match rows.last() {
            Some(last) if rows.len() >= limit => last.seq,
            _ => low,
        };
        Ok(Changes { rows, on: (on.0 > 1).then_some(on) })
    }

    /// The rows with these sequences, in their order, from one state of the database; `None` for those that are not there
    /// or belong to another tenant.
    ///
    /// # Errors
    /// [`StoreError`]; one damaged row fails the whole call, so that no page lacks it silently.
    pub fn rows(&self, tenant: Tenant, seqs: &[Seq]) -> Result<Vec<Option<Row>>, StoreError> {
        let rows = self.inner.backend.rows(Scope::Tenant(tenant), seqs)?.into_iter();
        let own = rows.map(|row| row.filter(|row| row.tenant == tenant));
        let opened = own.map(|row| row.map(|row| row.open(&self.inner.keys)).transpose()).collect();
        if let Err(StoreError::Damaged { .. }) = opened {
            self.inner.backend.forget(seqs);
        }
        opened
    }

    /// Rows of all tenants after a position, in order. A damaged row that a newer version has replaced is left out: no answer
    /// depends on it any more, and who follows the feed must get past it. [`Store::scrub`] names it.
    ///
    /// # Errors
    /// [`StoreError`]; a damaged row that is current.
    pub fn feed(&self, after: Seq, limit: usize) -> Result<Vec<Row>, StoreError> {
        let mut rows = Vec::new();
        for raw in self.inner.backend.feed(after, limit)? {
            let (tenant, kind, record, seq) = (raw.tenant, raw.kind, raw.record, raw.seq);
            match raw.open(&self.inner.keys) {
                Ok(row) => rows.push(row),
                Err(StoreError::Damaged { .. })
                    if self.inner.backend.pointer(tenant, kind, record)?.is_some_and(|pointer| pointer.seq != seq) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(rows)
    }

    fn open_all(&self, rows: Vec<RawRow>) -> Result<Vec<Row>, StoreError> {
        rows.into_iter().map(|row| row.open(&self.inner.keys)).collect()
    }

    /// Sequence of the newest row that the follower knows of.
    #[must_use]
    pub fn head(&self) -> Seq {
        self.inner.desk.head()
    }

    /// Who holds a claim.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn claim_holder(
        &self,
        tenant: Tenant,
        scope: ClaimScope,
        value: &[&[u8]],
    ) -> Result<Option<RecordId>, StoreError> {
        self.inner.backend.claim(tenant, scope, &self.inner.claim_token(tenant, scope, value))
    }

    /// Begins a write set.
    #[must_use]
    pub fn begin(&self, tenant: Tenant) -> Tx {
        Tx::new(Arc::clone(&self.inner), tenant)
    }

    /// Whether other nodes may write into the same database. What a process remembers of the store must then follow the changes,
    /// and what one node alone may do needs a [`Store::lease`].
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.inner.backend.is_shared()
    }

    /// How often the shared database has turned out to be another one than before (a failover, a restart, a restored backup), so
    /// that writes may have been lost. What a process remembers of the store and does not hear of by a follower counts only as
    /// long as this is what it was before the question. Alone in its folder, a process has only the one.
    #[must_use]
    pub fn lives(&self) -> u64 {
        self.inner.backend.lives()
    }

    /// Takes or renews the lease of that name for `span`, by the database's clock: true if this process has it now. At most one
    /// process has it at a time, but one that was stopped for longer may believe it still does: what it then stores must be
    /// refused by an expectation of its own. Alone in its folder, a process always has every lease.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn lease(&self, name: &str, span: Duration) -> Result<bool, StoreError> {
        self.inner.backend.lease(name, &self.inner.node, span)
    }

    /// Waits until the followers know of every change that any node had committed when this was called. Alone in its folder, a
    /// process never waits.
    ///
    /// # Errors
    /// [`StoreError`] if the database does not answer.
    pub fn catch_up(&self) -> Result<Seq, StoreError> {
        if self.is_shared() {
            tail::catch_up(&self.inner)?;
        }
        Ok(self.head())
    }

    /// Adds a follower. Changes committed before this call are not told to it: it catches up from [`Store::feed`].
    pub fn follow(&self, follower: Arc<dyn Follower>) {
        self.inner.desk.follow(follower);
    }

    /// The journal of reads.
    #[must_use]
    pub fn journal(&self) -> &Journal {
        &self.inner.journal
    }

    /// Events after a position, in order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn outbox(&self, after: u64, limit: usize) -> Result<Vec<OutboxEvent>, StoreError> {
        let open = |event: crate::backend::RawEvent| {
            let key = self.inner.keys.by_id(event.key)?;
            let opened = key.open(&event_aad(event.tenant, event.key, &event.event), &event.body);
            let body = opened.map_err(|why| StoreError::damaged(None, format!("event {}: {why}", event.number)))?;
            Ok(OutboxEvent { number: event.number, tenant: event.tenant, body })
        };
        self.inner.backend.outbox(after, limit)?.into_iter().map(open).collect()
    }

    /// Removes events up to and including a position, when every subscriber has them.
    ///
    /// # Errors
    /// [`CommitError`].
    pub fn outbox_forget(&self, through: u64) -> Result<(), CommitError> {
        self.inner.write(WriteSet { outbox_forget: Some(through), ..WriteSet::default() })
    }

    /// A key for the purpose named by `label`, derived from the provider's root.
    #[must_use]
    pub fn derive(&self, label: &str) -> [u8; 32] {
        self.inner.provider.derive(label)
    }

    /// The tenant's data key with this label; made, and durable, if there is none yet. May wait for the writer: not often.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn data_key(&self, tenant: Tenant, label: &KeyLabel) -> Result<(KeyId, Arc<SealingKey>), StoreError> {
        for _ in 0..KEY_RACES_MAX {
            let lives = Some(self.inner.backend.lives());
            let handle = self.inner.keys.handle(tenant, KeyRole::Label(label.as_str()))?;
            let Some(fresh) = &handle.fresh else { return Ok((handle.id, handle.key)) };
            let mut set = WriteSet { tenant: Some(tenant), lives, ..WriteSet::default() };
            fresh.with_wrapping(&mut set.fresh);
            let keys = set.fresh.clone();
            match self.inner.submit_blocking(set) {
                Some(Answer::Stored { .. }) => {
                    self.inner.keys.stored(&keys);
                    return Ok((handle.id, handle.key));
                }
                Some(Answer::Raced(_)) => self.inner.keys.raced(&keys),
                Some(Answer::Refused(error)) => return Err(StoreError::Unavailable(error.to_string())),
                None => return Err(StoreError::Unavailable("the writer has stopped".into())),
            }
        }
        Err(StoreError::Unavailable("others kept making the key that is needed".into()))
    }

    /// A data key by its number, as a stored value names it.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] if there is no such key.
    pub fn data_key_by_id(&self, key: KeyId) -> Result<Arc<SealingKey>, StoreError> {
        self.inner.keys.by_id(key)
    }

    /// Whether the writer is alive and takes writes: the store was not closed, and no write or flush has failed. Takes a lock
    /// for an instant and touches no file, so that health checks may ask as often as they like.
    #[must_use]
    pub fn writing(&self) -> bool {
        self.inner.desk.is_open()
    }

    /// Ends the store for all its clones: what waits is still written, later writes are refused, the followers are let go.
    #[allow(clippy::needless_pass_by_value, reason = "nobody should go on using it")]
    pub fn close(self) {
        self.inner.stop();
        self.inner.desk.forsake();
    }
}
