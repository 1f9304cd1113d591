//! PostgreSQL: a server that several nodes may share. The same tables as in SQLite, and beside them a head whose lock puts the
//! commits of all nodes in one order (ADR 0012).

mod batch;
mod cache;
mod copy;
mod gather;
mod hosts;
mod journal;
mod life;
mod link;
mod loaded;
mod migrate;
mod pools;
mod pulse;
mod read;
mod replicas;
mod report;
mod session;
mod sql;
mod tls;
mod waiting;
mod write;

use std::sync::Arc;
use std::sync::atomic::AtomicI32;

use iris_kernel::{Clock, Seq};

pub(crate) use copy::{CopySource, CopyTarget};
use parking_lot::Mutex;

pub(crate) use journal::TableJournal;
#[cfg(any(test, feature = "testing"))]
pub(crate) use migrate::known;
pub(crate) use migrate::{apply, checked, planned};
pub(crate) use read::Questions;
pub(crate) use write::PostgresWriter;

use crate::config::{CacheConfig, PostgresConfig};
use crate::error::OpenError;
use cache::Cache;
use gather::Gather;
use life::Lives;
use link::{Engine, Link};
use replicas::Replicas;

/// The parts of an opened database.
pub(crate) struct Opened {
    pub(crate) questions: Arc<Questions>,
    pub(crate) writer: PostgresWriter,
    pub(crate) journal: TableJournal,
}

/// Opens the database, after checking that this program and this key may work with it. `cache_key` vouches for what is kept
/// outside this process.
pub(crate) fn open(
    config: &PostgresConfig,
    check: &[u8; 32],
    cache_key: &[u8; 32],
    clock: &dyn Clock,
) -> Result<Opened, OpenError> {
    let engine = Engine::start()?;
    let link = Link::new(config, &config.server, &engine)?;
    migrate::ready(config, &link, &engine, check, clock)?;
    parts(config, cache_key, link, &engine)
}

/// The reading side of a copy that nobody may open yet, as the role that will work with it.
pub(crate) fn open_copy(config: &PostgresConfig) -> Result<Opened, OpenError> {
    let engine = Engine::start()?;
    let link = Link::new(config, &config.server, &engine)?;
    // Nothing of it was read before, and nothing is worth keeping.
    let config =
        PostgresConfig { replicas: Vec::new(), cache: CacheConfig { bytes: 0, redis: None }, ..config.clone() };
    parts(&config, &[0; 32], link, &engine)
}

fn parts(
    config: &PostgresConfig,
    cache_key: &[u8; 32],
    link: Arc<Link>,
    engine: &Arc<Engine>,
) -> Result<Opened, OpenError> {
    let lives = Arc::new(Lives::default());
    let replicas = Arc::new(Replicas::new(config, engine, &link, &lives)?);
    let cache = Cache::new(config, cache_key, &link, &lives)?;
    let questions = Questions {
        link: Arc::clone(&link),
        gather: Gather::start(&link),
        replicas: Arc::clone(&replicas),
        cache: cache.clone(),
        lives: Arc::clone(&lives),
        key_numbers: Mutex::default(),
        timeline: AtomicI32::new(0),
    };
    let questions = Arc::new(questions);
    questions.look_at_timeline()?;
    let journal = TableJournal::start(Arc::clone(&questions));
    Ok(Opened { questions, writer: PostgresWriter::new(link, cache, lives, replicas), journal })
}

/// Whether the database holds something already, so that its key must be there too.
pub(crate) fn exists(config: &PostgresConfig) -> Result<bool, OpenError> {
    let engine = Engine::start()?;
    migrate::exists(&*Link::new(config, &config.server, &engine)?)
}

/// Sequences and other counters as PostgreSQL keeps them. Ours count single rows, so 63 bits are never used up.
fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn seq_of(value: i64) -> Seq {
    Seq(unsigned(value))
}

fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

#[cfg(test)]
mod tests;
