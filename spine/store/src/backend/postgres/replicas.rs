//! Servers that follow. Rows become visible in the order of their sequences, on a follower too: its own head says what it has,
//! and that serves as the position that others take from the write-ahead log.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use iris_kernel::{Kind, RecordId, Seq, Tenant};
use tokio_postgres::Row;

use super::gather::Gather;
use super::link::{Engine, Fault, Link, Sql, Values};
use super::sql;
use crate::backend::Scope;
use crate::config::PostgresConfig;
use crate::error::StoreError;

/// How often a server is asked how far it is.
const LOOK: Duration = Duration::from_millis(100);

struct Replica {
    link: Arc<Link>,
    gather: Gather,
    /// The newest change that it has; 0 while it does not answer.
    head: AtomicU64,
}

/// The servers that follow, and how far each of them is.
pub(super) struct Replicas {
    all: Vec<Arc<Replica>>,
    /// The newest change that this node knows of.
    known: AtomicU64,
    turn: AtomicUsize,
}

impl Replicas {
    /// Connects to none of them yet; a server that does not answer is just not used.
    pub(super) fn new(config: &PostgresConfig, engine: &Arc<Engine>) -> Result<Self, StoreError> {
        let mut all = Vec::with_capacity(config.replicas.len());
        for server in &config.replicas {
            let link = Link::new(config, server, engine)?;
            let replica = Arc::new(Replica { gather: Gather::start(&link), link, head: AtomicU64::new(0) });
            let watched = Arc::downgrade(&replica);
            replica.link.spawn(async move {
                while let Some(replica) = watched.upgrade() {
                    let head = replica.link.ask_later(Scope::All, &sql::HEAD, &[]).await;
                    replica.head.store(head.map_or(0, |rows| head_of(&rows)), Ordering::Release);
                    drop(replica);
                    tokio::time::sleep(LOOK).await;
                }
            });
            all.push(replica);
        }
        Ok(Self { all, known: AtomicU64::new(0), turn: AtomicUsize::new(0) })
    }

    /// One that has everything up to `needed`, by turns.
    pub(super) fn with(&self, needed: Seq) -> Option<Asked<'_>> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let fit = |at: &usize| self.all[(turn + at) % self.all.len()].head.load(Ordering::Acquire) >= needed.0;
        let at = (0..self.all.len()).find(fit)?;
        Some(Asked(&self.all[(turn + at) % self.all.len()]))
    }

    /// The newest change that this node knows of.
    pub(super) fn known(&self) -> Seq {
        Seq(self.known.load(Ordering::Acquire))
    }

    pub(super) fn knows(&self, head: Seq) {
        self.known.fetch_max(head.0, Ordering::AcqRel);
    }

    /// How far each is.
    pub(super) fn heads(&self) -> Vec<Seq> {
        self.all.iter().map(|replica| Seq(replica.head.load(Ordering::Acquire))).collect()
    }
}

/// A server that is about to be asked.
pub(super) struct Asked<'a>(&'a Replica);

impl Asked<'_> {
    /// The newest row of a record with its pointer.
    pub(super) fn current(&self, tenant: Tenant, kind: Kind, record: RecordId) -> Result<Option<Row>, Fault> {
        self.away(self.0.gather.current(&self.0.link, tenant, kind, record))
    }

    fn away<T>(&self, answer: Result<T, Fault>) -> Result<T, Fault> {
        if matches!(answer, Err(Fault::Away(_))) {
            self.0.head.store(0, Ordering::Release);
        }
        answer
    }

    /// Asks it. One that does not answer is not used again until it was seen.
    pub(super) fn ask(&self, scope: Scope, sql: &Sql, values: Values<'_>) -> Result<Vec<Row>, Fault> {
        self.away(self.0.link.ask(scope, sql, values))
    }
}

fn head_of(rows: &[Row]) -> u64 {
    rows.first().and_then(|row| row.try_get::<_, i64>(0).ok()).map_or(0, super::unsigned)
}
