//! Copying a store from one database into another, as it is: every row, key, claim, event, audit entry and checkpoint under
//! its own number, sealed as before. What was copied is read back and compared, and then scrubbed, before anybody may open it.

mod table;

use std::path::PathBuf;
use std::sync::Arc;

use iris_kernel::{Clock, Entropy, Seq};

pub(crate) use table::{
    Counted, Counters, Holds, PAGE_BYTES, PAGE_ROWS, READS, Sum, TABLES, Table, Value, Values, misfit, narrow,
    number_of,
};

use crate::backend::{Backend, postgres, sqlite};
use crate::config::{Database, StoreConfig};
use crate::error::{OpenError, StoreError};
use crate::keys::{KeyProvider, KeyRing, check_value};
use crate::migrations::{Plan, State};
use crate::reads::{Journal, Place};
use crate::scrub::{Damage, ScrubReport, scrub};

/// Why a store was not copied. Nobody can open the target then, unless it was refused untouched because it holds something.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// One of the two does not open, or the key is another store's.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// There is nothing in the source.
    #[error("there is no store in {0}")]
    NoSource(String),
    /// Its schema is older or newer than this program's.
    #[error(
        "the schema of {0} is not the one that this program makes; bring it up to date with this release first: {1}"
    )]
    Schema(String, String),
    /// Somebody works with the source or the target.
    #[error("{0} is in use: {1}; stop every node first")]
    InUse(String, String),
    /// The target holds something already.
    #[error("{0} is not empty: {1}; nothing was changed, give another target")]
    NotEmpty(String, String),
    /// The source is damaged.
    #[error("the source is damaged, so the copy was not finished; `iris store verify` on the source tells more")]
    Damaged {
        /// What does not fit.
        damage: Vec<Damage>,
        /// Damage beyond that.
        more: u64,
    },
    /// What was read back is not what was written.
    #[error("what was read back from the target differs in the table {0}; the copy was not finished")]
    Different(&'static str),
    /// The caller wanted no more.
    #[error("the copy was stopped; run it again into the same target, it begins anew")]
    Stopped,
    /// One of the two databases does not answer, or the source cannot be read.
    #[error("{0}: {1}")]
    Store(String, StoreError),
    /// A folder cannot be used.
    #[error("cannot use {}: {cause}", .path.display())]
    Folder {
        /// Which.
        path: PathBuf,
        /// What the system says.
        cause: std::io::Error,
    },
}

/// What was copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyReport {
    /// Rows of each table, in the order in which they were copied.
    pub tables: Vec<(&'static str, u64)>,
    /// What the scrub of the target looked at.
    pub scrub: ScrubReport,
}

/// How far a copy is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Copied {
    /// Versions and audit entries that were written or read back.
    pub done: u64,
    /// How many that will be.
    pub total: u64,
    /// Rows of every table that were written.
    pub rows: u64,
}

/// Hears how far a copy is; false stops it.
pub type Going<'a> = dyn FnMut(Copied) -> bool + 'a;

/// What a database tells of its rows.
pub(crate) trait Pages {
    /// Rows behind a key, in its order: [`PAGE_ROWS`] at most, and [`PAGE_BYTES`] with one row's excess.
    fn page(&mut self, table: &'static Table, after: &[Value]) -> Result<Vec<Values>, StoreError>;
}

/// A database that nobody else changes while this lives.
pub(crate) trait Source: Pages {
    fn counters(&mut self) -> Result<Counters, StoreError>;
    /// The value in it that tells whether a root key is its own.
    fn key_check(&mut self) -> Result<Option<Vec<u8>>, StoreError>;
}

/// A database that was empty and is filled. Until [`Target::finish`] nobody can open it.
pub(crate) trait Target: Pages {
    fn put(&mut self, table: &'static Table, rows: Vec<Values>) -> Result<(), StoreError>;
    /// Makes what was put, and the counters, durable.
    fn keep(&mut self, counters: &Counters) -> Result<(), StoreError>;
    /// Lets everybody in whose key it is.
    fn finish(&mut self, check: &[u8; 32]) -> Result<(), StoreError>;
}

/// Copies the store of one configuration into the other, which must be empty, and verifies the copy. The key must be that of
/// the source, and is that of the target. Nobody may work with either meanwhile: a folder is locked, and the counters of a
/// PostgreSQL source are, so that no node can write. What an earlier copy that was interrupted left in the target is removed.
/// Memory stays bounded. Blocks.
///
/// # Errors
/// [`CopyError`]. The source is never changed.
pub fn copy(
    from: &StoreConfig,
    to: &StoreConfig,
    provider: &Arc<dyn KeyProvider>,
    clock: &dyn Clock,
    entropy: Arc<dyn Entropy>,
    going: &mut Going<'_>,
) -> Result<CopyReport, CopyError> {
    let check = check_value(&**provider);
    let mut source: Box<dyn Source> = match &from.database {
        Database::Embedded => Box::new(sqlite::CopySource::open(from)?),
        Database::Postgres(config) => Box::new(postgres::CopySource::open(config)?),
    };
    let at_source = |error| broken("the source", error);
    match source.key_check().map_err(at_source)? {
        Some(stored) if stored == check => {}
        Some(_) => return Err(OpenError::WrongKey(from.folder.clone()).into()),
        None => return Err(CopyError::NoSource(place(from))),
    }
    let counters = source.counters().map_err(at_source)?;
    let mut target: Box<dyn Target> = match &to.database {
        Database::Embedded => Box::new(sqlite::CopyTarget::begin(to, clock)?),
        Database::Postgres(config) => Box::new(postgres::CopyTarget::begin(config, clock)?),
    };
    let mut tell = Tell::new(&counters, going);
    let sums = write_all(&mut *source, &mut *target, &counters, &mut tell)?;
    for (table, sum) in TABLES.iter().zip(&sums) {
        if read_back(&mut *target, table, &mut tell)? != *sum {
            return Err(CopyError::Different(table.name));
        }
    }
    let at_target = |error| broken("the target", error);
    target.keep(&counters).map_err(at_target)?;
    drop(source);
    let scrub = scrub_copy(to, provider, entropy, &counters)?;
    if !scrub.is_good() {
        return Err(CopyError::Damaged { damage: scrub.damage, more: scrub.more });
    }
    target.finish(&check).map_err(at_target)?;
    let tables = TABLES.iter().zip(sums).map(|(table, sum)| (table.name, sum.rows)).collect();
    Ok(CopyReport { tables, scrub })
}

/// Writes every table; gives what each of them must read like.
fn write_all(
    source: &mut dyn Source,
    target: &mut dyn Target,
    counters: &Counters,
    tell: &mut Tell<'_, '_>,
) -> Result<Vec<Sum>, CopyError> {
    let mut sums = Vec::with_capacity(TABLES.len());
    for table in TABLES {
        let (mut sum, mut after) = (Sum::default(), table.start());
        let range = counters.range(table.counted);
        let mut next = range.map(|(first, _)| first);
        loop {
            let page = source.page(table, &after).map_err(|error| unreadable(table, &after, error))?;
            for row in &page {
                if let Some(expected) = next {
                    if number_of(row) != Some(expected) {
                        return Err(missing(table, expected));
                    }
                    next = Some(expected + 1);
                }
                sum.add(row);
            }
            let Some(last) = page.last() else { break };
            after = last[..table.key].to_vec();
            let rows = page.len() as u64;
            target.put(table, page).map_err(|error| broken("the target", error))?;
            tell.written(table, rows)?;
        }
        if let (Some(next), Some((_, end))) = (next, range)
            && next != end
        {
            return Err(missing(table, next));
        }
        sums.push(sum);
    }
    Ok(sums)
}

fn read_back(target: &mut dyn Target, table: &'static Table, tell: &mut Tell<'_, '_>) -> Result<Sum, CopyError> {
    let (mut sum, mut after) = (Sum::default(), table.start());
    loop {
        let page = target.page(table, &after).map_err(|error| broken("the target", error))?;
        let Some(last) = page.last() else { return Ok(sum) };
        after = last[..table.key].to_vec();
        page.iter().for_each(|row| sum.add(row));
        tell.read_back(table, page.len() as u64)?;
    }
}

/// Opens every row of the copy and looks whether all holds together, as `iris store verify` does.
fn scrub_copy(
    to: &StoreConfig,
    provider: &Arc<dyn KeyProvider>,
    entropy: Arc<dyn Entropy>,
    counters: &Counters,
) -> Result<ScrubReport, CopyError> {
    let (backend, journal): (Arc<dyn Backend>, Journal) = match &to.database {
        Database::Embedded => sqlite::open_copy(to)?,
        Database::Postgres(config) => {
            let postgres::Opened { questions, journal, .. } = postgres::open_copy(config)?;
            (questions, Journal(Place::Table(journal)))
        }
    };
    let keys = KeyRing::new(Arc::clone(provider), Arc::clone(&backend), entropy, to.keys_cached);
    let head = Seq(u64::try_from(counters.seq - 1).unwrap_or(0));
    let report = scrub(&*backend, &keys, &journal, head).map_err(|error| broken("the target", error))?;
    journal.close();
    Ok(report)
}

fn broken(which: &str, error: StoreError) -> CopyError {
    CopyError::Store(which.to_owned(), error)
}

/// Damage of the database itself, by the place up to which it could be read.
fn unreadable(table: &Table, after: &[Value], error: StoreError) -> CopyError {
    let StoreError::Damaged { seq, what } = error else { return broken("the source", error) };
    let behind = match number_of(after) {
        Some(number) if number >= 0 && table.key == 1 => format!("behind {number}"),
        _ => "somewhere".to_owned(),
    };
    CopyError::Damaged { damage: vec![Damage { seq, what: format!("{} {behind}: {what}", table.name) }], more: 0 }
}

fn missing(table: &Table, number: i64) -> CopyError {
    let seq = (table.counted == Counted::Seq).then(|| Seq(u64::try_from(number).unwrap_or(0)));
    CopyError::Damaged { damage: vec![Damage { seq, what: format!("{} {number} is missing", table.name) }], more: 0 }
}

/// How people know where a store is, without a password.
pub(crate) fn place(config: &StoreConfig) -> String {
    match &config.database {
        Database::Embedded => config.folder.display().to_string(),
        Database::Postgres(_) => "the PostgreSQL database".to_owned(),
    }
}

/// A schema that holds more or less than this program knows would be copied in part.
pub(crate) fn exact(plan: &Plan, config: &str) -> Result<(), CopyError> {
    if plan.is_exact() {
        return Ok(());
    }
    let odd = plan.states.iter().filter(|(_, _, state)| *state != State::Applied);
    let odd: Vec<String> = odd.map(|(_, name, state)| format!("{name} is {state}")).collect();
    Err(CopyError::Schema(config.to_owned(), odd.join(", ")))
}

/// Passes on how far it is.
struct Tell<'a, 'b> {
    copied: Copied,
    going: &'a mut Going<'b>,
}

impl<'a, 'b> Tell<'a, 'b> {
    fn new(counters: &Counters, going: &'a mut Going<'b>) -> Self {
        let total = (counters.seq - 1).saturating_add(counters.writes).saturating_add(counters.reads);
        let total = u64::try_from(total).unwrap_or(0).saturating_mul(2);
        Self { copied: Copied { done: 0, total, rows: 0 }, going }
    }

    fn written(&mut self, table: &Table, rows: u64) -> Result<(), CopyError> {
        self.copied.rows += rows;
        self.read_back(table, rows)
    }

    fn read_back(&mut self, table: &Table, rows: u64) -> Result<(), CopyError> {
        if table.counted != Counted::Not {
            self.copied.done += rows;
        }
        if (self.going)(self.copied) { Ok(()) } else { Err(CopyError::Stopped) }
    }
}
