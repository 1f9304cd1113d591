//! SQLite: one file in write-ahead mode, one writing connection, several reading ones.

mod copy;
mod migrate;
mod pool;
mod read;
mod write;

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use iris_kernel::{Clock, Seq};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

pub(crate) use copy::{CopySource, CopyTarget, open_copy};
#[cfg(test)]
pub(crate) use migrate::known;
pub(crate) use migrate::{checked, planned};
pub(crate) use pool::Readers;
pub(crate) use write::SqliteWriter;

use crate::config::StoreConfig;
use crate::error::{OpenError, StoreError};

/// How long a connection waits for a lock. Only the recovery of a log after a crash ever holds one.
const BUSY_WAIT: Duration = Duration::from_secs(10);
/// Statements kept prepared by each connection; more than there are in the code.
const STATEMENTS: usize = 64;

/// The database file of a data folder.
pub(crate) fn file(folder: &Path) -> PathBuf {
    folder.join("iris.db")
}

/// Whether the folder holds a database that something was stored in.
pub(crate) fn exists(folder: &Path) -> bool {
    std::fs::metadata(file(folder)).is_ok_and(|meta| meta.len() > 0)
}

/// Opens or makes the database, after checking that this program and this key may work with it.
pub(crate) fn open(
    config: &StoreConfig,
    check: &[u8; 32],
    clock: &dyn Clock,
) -> Result<(Readers, SqliteWriter), OpenError> {
    let path = file(&config.folder);
    let fault = |cause| OpenError::Folder { what: "cannot make the database", path: path.clone(), cause };
    // Made by us, so that its mode is ours; SQLite gives its log the mode of the database.
    OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path).map_err(fault)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = connect(&path, flags, config.page_cache_kib)?;
    let connection = migrate::run(connection, &config.folder, check, clock)?;
    let set = |connection: &Connection| -> rusqlite::Result<u32> {
        connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get::<_, String>(0))?;
        connection.pragma_update(None, "synchronous", "full")?;
        if let Some(pages) = config.pages_max {
            connection.pragma_update_and_check(None, "max_page_count", pages, |row| row.get::<_, i64>(0))?;
        }
        connection.query_row("PRAGMA synchronous", [], |row| row.get(0))
    };
    let synchronous = set(&connection).map_err(|error| fault_of(&error))?;
    let writer = SqliteWriter::new(connection).map_err(|error| fault_of(&error))?;
    let mut readers = readers(config)?;
    let words = ["off", "normal", "full", "extra"];
    readers.synchronous =
        (0..).zip(words).find(|(at, _)| *at == synchronous).map_or("unknown", |(_, word)| word).to_owned();
    Ok((readers, writer))
}

/// Reading connections to a database that is there.
fn readers(config: &StoreConfig) -> Result<Readers, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let (path, page_cache_kib) = (file(&config.folder), config.page_cache_kib);
    Readers::new(config.readers, &config.folder, Box::new(move || connect(&path, flags, page_cache_kib)))
}

fn connect(path: &Path, flags: OpenFlags, page_cache_kib: u32) -> Result<Connection, StoreError> {
    let open = || {
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(BUSY_WAIT)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        connection.pragma_update(None, "cache_size", -i64::from(page_cache_kib))?;
        connection.pragma_update(None, "temp_store", "memory")?; // no temporary files, whatever a query needs
        connection.pragma_update(None, "cell_size_check", true)?;
        connection.pragma_update(None, "trusted_schema", false)?;
        // Without this, SQLite plans a statement anew at each execution, in case the values bound suggest another plan; that
        // takes four fifths of a read by id, and for us there is one plan.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        Ok(connection)
    };
    open().map_err(|error| fault_of(&error))
}

/// What an error of SQLite means to the callers of the store.
fn fault_of(error: &rusqlite::Error) -> StoreError {
    match error {
        rusqlite::Error::SqliteFailure(cause, _) => match cause.code {
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => {
                StoreError::damaged(None, format!("the database file: {error}"))
            }
            _ => StoreError::Unavailable(error.to_string()),
        },
        rusqlite::Error::InvalidColumnType(..)
        | rusqlite::Error::IntegralValueOutOfRange(..)
        | rusqlite::Error::FromSqlConversionFailure(..) => {
            StoreError::damaged(None, "a column holds a value that never belongs there")
        }
        _ => StoreError::Unavailable(error.to_string()),
    }
}

/// Sequences and other counters as SQLite keeps them. Ours start at 1 and count single rows, so 63 bits are never used up.
fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn seq_of(value: i64) -> Seq {
    Seq(u64::try_from(value).unwrap_or(0))
}
