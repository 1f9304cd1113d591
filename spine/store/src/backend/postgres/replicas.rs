//! Servers that follow. Rows become visible in the order of their sequences, on a follower too: its own head says what it has,
//! and that serves as the position that others take from the write-ahead log.
//!
//! One that was left behind by a failover may have changes that were lost, under numbers that mean others now. So each is asked
//! only when its newest change was seen to be the one that the primary has of that number: two histories that have parted never
//! meet again. That is looked at anew whenever the primary or the follower begins another life ([`super::life`]).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use iris_kernel::{Kind, RecordId, Seq, Tenant};
use tokio_postgres::Row;

use super::gather::Gather;
use super::life::Lives;
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
    /// The newest change that it has; 0 while it does not answer, or has another history than the primary.
    head: AtomicU64,
    /// In how manieth life of the primary, from 1, its history was seen to be the same.
    agreed: AtomicU64,
}

impl Replica {
    /// How far it is. `own` is the life in which it was seen to agree.
    async fn look(&self, primary: &Link, lives: &Lives, own: &mut Option<String>) -> Result<u64, Fault> {
        let past = lives.past();
        let rows = self.link.ask_later(Scope::All, &sql::HEAD_AND_MARK, &[]).await?;
        let Some(row) = rows.first() else { return Ok(0) };
        let head: i64 = row.try_get(0)?;
        let life: String = row.try_get(2)?;
        if self.agreed.load(Ordering::Acquire) != past + 1 || own.as_ref() != Some(&life) {
            let mark: Option<Vec<u8>> = row.try_get(1)?;
            let found = primary.ask_later(Scope::All, &sql::MARK, &[&head]).await?;
            let found = found.first().map(|row| row.try_get::<_, Vec<u8>>(0)).transpose()?;
            if mark != found {
                return Ok(0);
            }
            *own = Some(life);
            self.agreed.store(past + 1, Ordering::Release);
        }
        Ok(super::unsigned(head))
    }
}

/// The servers that follow, and how far each of them is.
pub(super) struct Replicas {
    all: Vec<Arc<Replica>>,
    /// The newest change that this node knows of.
    known: AtomicU64,
    turn: AtomicUsize,
    lives: Arc<Lives>,
}

impl Replicas {
    /// Connects to none of them yet; a server that does not answer is just not used.
    pub(super) fn new(
        config: &PostgresConfig,
        engine: &Arc<Engine>,
        primary: &Arc<Link>,
        lives: &Arc<Lives>,
    ) -> Result<Self, StoreError> {
        let mut all = Vec::with_capacity(config.replicas.len());
        for server in &config.replicas {
            let link = Link::new(config, server, engine)?;
            let (head, agreed) = (AtomicU64::new(0), AtomicU64::new(0));
            let replica = Arc::new(Replica { gather: Gather::start(&link), link, head, agreed });
            let (watched, primary, lives) = (Arc::downgrade(&replica), Arc::downgrade(primary), Arc::clone(lives));
            replica.link.spawn(async move {
                let mut own = None;
                while let (Some(replica), Some(primary)) = (watched.upgrade(), primary.upgrade()) {
                    let head = replica.look(&primary, &lives, &mut own).await;
                    replica.head.store(head.unwrap_or(0), Ordering::Release);
                    drop((replica, primary));
                    tokio::time::sleep(LOOK).await;
                }
            });
            all.push(replica);
        }
        Ok(Self { all, known: AtomicU64::new(0), turn: AtomicUsize::new(0), lives: Arc::clone(lives) })
    }

    /// One that has everything up to `needed`, by turns.
    pub(super) fn with(&self, needed: Seq) -> Option<Asked<'_>> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let agreed = self.lives.past() + 1;
        let fit = |at: &usize| {
            let one = &self.all[(turn + at) % self.all.len()];
            one.agreed.load(Ordering::Acquire) == agreed && one.head.load(Ordering::Acquire) >= needed.0
        };
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
