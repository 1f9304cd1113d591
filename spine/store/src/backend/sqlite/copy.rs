//! A folder as the source or the target of a copy: the database file and the journal of reads beside it.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

use iris_kernel::Clock;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OpenFlags, OptionalExtension, ToSql, params_from_iter};

use super::{Readers, connect, exists, fault_of, file, migrate, readers};
use crate::audit::AuditRow;
use crate::backend::Backend;
use crate::config::StoreConfig;
use crate::copy::{
    CopyError, Counters, PAGE_BYTES, PAGE_ROWS, Pages, READS, Source, Table, Target, Value, Values, exact, misfit,
    number_of, place,
};
use crate::error::{OpenError, StoreError};
use crate::journal::FileJournal;
use crate::lock::FolderLock;
use crate::migrations::{COPYING, KEY_CHECK};
use crate::reads::{Journal, Place};

/// Entries of the journal that are read at once; one may have a mebibyte.
const ENTRIES: usize = 256;
/// Page cache while a database is filled, in KiB: its trees grow in memory.
const FILLING_CACHE_KIB: u32 = 64 * 1024;
const WRITING: OpenFlags = OpenFlags::SQLITE_OPEN_READ_WRITE.union(OpenFlags::SQLITE_OPEN_NO_MUTEX);

fn lock(config: &StoreConfig) -> Result<FolderLock, OpenError> {
    match &config.lock {
        Some(lock) => Ok(lock.clone()),
        None => FolderLock::take(&config.folder),
    }
}

fn journal(config: &StoreConfig) -> Result<FileJournal, OpenError> {
    Ok(FileJournal::open(&config.folder.join("journal"), config.segment_bytes)?)
}

fn fault(error: &rusqlite::Error) -> OpenError {
    OpenError::Database(fault_of(error))
}

/// The reading side of a copy that nobody may open yet.
pub(crate) fn open_copy(config: &StoreConfig) -> Result<(Arc<dyn Backend>, Journal), OpenError> {
    let readers: Readers = readers(config)?;
    Ok((Arc::new(readers), Journal(Place::Files(journal(config)?))))
}

/// Rows of a table behind a key.
fn page(connection: &Connection, table: &Table, after: &[Value]) -> Result<Vec<Values>, StoreError> {
    let (names, keys) = (table.names(table.columns.len()), table.names(table.key));
    let places = (1..=table.key).map(|at| format!("?{at}")).collect::<Vec<_>>().join(", ");
    let text =
        format!("SELECT {names} FROM {} WHERE ({keys}) > ({places}) ORDER BY {keys} LIMIT {PAGE_ROWS}", table.name);
    let read = || -> rusqlite::Result<Vec<Option<Values>>> {
        let mut statement = connection.prepare_cached(&text)?;
        let mut found = statement.query(params_from_iter(after))?;
        let (mut rows, mut bytes) = (Vec::new(), 0);
        while let Some(row) = found.next()? {
            let values =
                (0..table.columns.len()).map(|at| row.get_ref(at).map(value)).collect::<Result<Vec<_>, _>>()?;
            let values: Option<Values> = values.into_iter().collect();
            bytes += values.iter().flatten().map(size).sum::<usize>();
            rows.push(values);
            if bytes >= PAGE_BYTES {
                break;
            }
        }
        Ok(rows)
    };
    let rows = read().map_err(|error| fault_of(&error))?;
    rows.into_iter().map(|row| row.ok_or_else(misfit)).collect()
}

fn size(value: &Value) -> usize {
    match value {
        Value::Null | Value::Int(_) => 8,
        Value::Bytes(bytes) => bytes.len(),
    }
}

/// `None`: nothing that we ever stored.
fn value(found: ValueRef<'_>) -> Option<Value> {
    Some(match found {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Int(number),
        ValueRef::Blob(bytes) => Value::Bytes(bytes.to_vec()),
        ValueRef::Text(_) | ValueRef::Real(_) => return None,
    })
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(number) => ValueRef::Integer(*number),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

/// Entries of the journal behind an ordinal.
fn entries(journal: &FileJournal, after: &[Value]) -> Result<Vec<Values>, StoreError> {
    let next = number_of(after).and_then(|after| u64::try_from(after.saturating_add(1)).ok()).unwrap_or(0);
    let row = |(ordinal, row): (u64, AuditRow)| {
        vec![Value::Int(super::number(ordinal)), Value::Bytes(row.header), Value::Bytes(row.details)]
    };
    Ok(journal.rows(next, ENTRIES)?.into_iter().map(row).collect())
}

/// The folder that is copied from. Its lock is held, and nothing in its database is changed.
pub(crate) struct CopySource {
    connection: Connection,
    journal: FileJournal,
    _lock: FolderLock,
}

impl CopySource {
    pub(crate) fn open(config: &StoreConfig) -> Result<Self, CopyError> {
        if !exists(&config.folder) {
            return Err(CopyError::NoSource(place(config)));
        }
        let lock = lock(config)?;
        migrate::checked(&config.folder)?;
        exact(&migrate::planned(&config.folder)?, &place(config))?;
        let connection = connect(&file(&config.folder), WRITING, config.page_cache_kib).map_err(OpenError::from)?;
        connection.pragma_update(None, "query_only", true).map_err(|error| fault(&error))?;
        Ok(Self { connection, journal: journal(config)?, _lock: lock })
    }
}

impl Pages for CopySource {
    fn page(&mut self, table: &'static Table, after: &[Value]) -> Result<Vec<Values>, StoreError> {
        if table.name == READS.name { entries(&self.journal, after) } else { page(&self.connection, table, after) }
    }
}

impl Source for CopySource {
    fn counters(&mut self) -> Result<Counters, StoreError> {
        let one = |text: &str| self.connection.query_row(text, [], |row| row.get::<_, i64>(0)).optional();
        let read = || -> rusqlite::Result<Counters> {
            let drawn = one("SELECT seq FROM sqlite_sequence WHERE name = 'outbox'")?;
            Ok(Counters {
                seq: one("SELECT coalesce(max(seq), 0) + 1 FROM version")?.unwrap_or(1),
                writes: one("SELECT coalesce(max(ordinal) + 1, 0) FROM audit_write")?.unwrap_or(0),
                reads: super::number(self.journal.head()),
                event: drawn.unwrap_or(0).max(one("SELECT coalesce(max(number), 0) FROM outbox")?.unwrap_or(0)),
                key: one("SELECT coalesce(max(key), 0) FROM data_key")?.unwrap_or(0),
            })
        };
        read().map_err(|error| fault_of(&error))
    }

    fn key_check(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        migrate::meta(&self.connection, KEY_CHECK).map_err(|error| fault_of(&error))
    }
}

/// The folder that is copied into. All rows are one transaction; the mark beside them says that they are not all there yet.
pub(crate) struct CopyTarget {
    connection: Connection,
    journal: FileJournal,
    _lock: FolderLock,
}

impl CopyTarget {
    pub(crate) fn begin(config: &StoreConfig, clock: &dyn Clock) -> Result<Self, CopyError> {
        let lock = lock(config)?;
        clear(config)?;
        let path = file(&config.folder);
        let made = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path);
        made.map_err(|cause| CopyError::Folder { path: path.clone(), cause })?;
        let mut connection = connect(&path, WRITING, FILLING_CACHE_KIB).map_err(OpenError::from)?;
        connection.pragma_update(None, "synchronous", "full").map_err(|error| fault(&error))?;
        migrate::prepare(&mut connection, clock).map_err(|error| fault(&error))?;
        connection.execute_batch("BEGIN IMMEDIATE").map_err(|error| fault(&error))?;
        Ok(Self { connection, journal: journal(config)?, _lock: lock })
    }
}

/// Removes what an interrupted copy has left; refuses anything else.
fn clear(config: &StoreConfig) -> Result<(), CopyError> {
    let (folder, path) = (&config.folder, file(&config.folder));
    let journal = folder.join("journal");
    let unusable = |path: &Path| {
        let path = path.to_owned();
        move |cause| CopyError::Folder { path, cause }
    };
    if exists(folder) {
        // Writable, because a copy that was killed may have left a transaction to be rolled back.
        let connection = connect(&path, WRITING, config.page_cache_kib).map_err(OpenError::from)?;
        let left = migrate::meta(&connection, COPYING);
        if !matches!(left, Ok(Some(_))) {
            return Err(CopyError::NotEmpty(place(config), "there is a database in it".to_owned()));
        }
        drop(connection);
        let files = ["", "-wal", "-shm", "-journal"].map(|end| folder.join(format!("iris.db{end}")));
        // The database last: as long as its mark is there, the rest is known to be nobody's.
        remove(&journal, |path| std::fs::remove_dir_all(path)).map_err(unusable(&journal))?;
        for path in files.iter().rev() {
            remove(path, |path| std::fs::remove_file(path)).map_err(unusable(path))?;
        }
        return Ok(());
    }
    match std::fs::read_dir(&journal).map(|mut entries| entries.next().is_some()) {
        Ok(true) => Err(CopyError::NotEmpty(place(config), "there is a journal in it".to_owned())),
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(unusable(&journal)(error)),
        _ => Ok(()),
    }
}

fn remove(path: &Path, remove: impl FnOnce(&Path) -> std::io::Result<()>) -> std::io::Result<()> {
    match remove(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

impl Pages for CopyTarget {
    fn page(&mut self, table: &'static Table, after: &[Value]) -> Result<Vec<Values>, StoreError> {
        if table.name == READS.name { entries(&self.journal, after) } else { page(&self.connection, table, after) }
    }
}

impl CopyTarget {
    fn append(&self, rows: Vec<Values>) -> Result<(), StoreError> {
        let mut entries = Vec::with_capacity(rows.len());
        for row in rows {
            let Ok([Value::Int(_), Value::Bytes(header), Value::Bytes(details)]) = <[Value; 3]>::try_from(row) else {
                return Err(misfit());
            };
            entries.push(AuditRow { header, details });
        }
        let (sender, receiver) = std::sync::mpsc::sync_channel(1);
        self.journal.submit(entries, Box::new(move |result| drop(sender.send(result))));
        match receiver.recv() {
            Ok(result) => Ok(result?),
            Err(_) => Err(StoreError::Unavailable("the journal has stopped".into())),
        }
    }
}

impl Target for CopyTarget {
    fn put(&mut self, table: &'static Table, rows: Vec<Values>) -> Result<(), StoreError> {
        if table.name == READS.name {
            return self.append(rows);
        }
        let places = (1..=table.columns.len()).map(|at| format!("?{at}")).collect::<Vec<_>>().join(", ");
        let text = format!("INSERT INTO {} ({}) VALUES ({places})", table.name, table.names(table.columns.len()));
        let write = || -> rusqlite::Result<()> {
            let mut statement = self.connection.prepare_cached(&text)?;
            for row in &rows {
                statement.execute(params_from_iter(row))?;
            }
            Ok(())
        };
        write().map_err(|error| fault_of(&error))
    }

    fn keep(&mut self, counters: &Counters) -> Result<(), StoreError> {
        let write = || -> rusqlite::Result<()> {
            self.connection.execute("DELETE FROM sqlite_sequence WHERE name = 'outbox'", [])?;
            let text = "INSERT INTO sqlite_sequence (name, seq) VALUES ('outbox', ?1)";
            self.connection.execute(text, [counters.event])?;
            self.connection.execute_batch("COMMIT")
        };
        write().map_err(|error| fault_of(&error))?;
        self.journal.close();
        Ok(())
    }

    fn finish(&mut self, check: &[u8; 32]) -> Result<(), StoreError> {
        let mut write = || -> rusqlite::Result<()> {
            let transaction = self.connection.transaction()?;
            transaction.execute("DELETE FROM meta WHERE name = ?1", [COPYING])?;
            transaction
                .execute("INSERT INTO meta (name, value) VALUES (?1, ?2)", rusqlite::params![KEY_CHECK, check])?;
            transaction.commit()
        };
        write().map_err(|error| fault_of(&error))
    }
}
