//! The schema: numbered migrations, each applied once and never changed afterwards.

use std::path::Path;

use iris_crypto::sha256;
use iris_kernel::Clock;
use rusqlite::{Connection, OptionalExtension, params};

use super::fault_of;
use crate::error::{OpenError, StoreError};

struct Migration {
    number: u32,
    name: &'static str,
    text: &'static str,
}

const MIGRATIONS: &[Migration] = &[Migration {
    number: 1,
    name: "0001_store",
    text: include_str!("../../../../../migrations/sqlite/0001_store.sql"),
}];

const OWN_TABLE: &str = "CREATE TABLE IF NOT EXISTS migration (
    number   INTEGER PRIMARY KEY,
    name     TEXT    NOT NULL,
    checksum BLOB    NOT NULL,
    at       INTEGER NOT NULL
) STRICT";

/// Refuses a database that belongs to another program version or another key; brings the others up to date.
pub(super) fn run(
    connection: Connection,
    folder: &Path,
    check: &[u8; 32],
    clock: &dyn Clock,
) -> Result<Connection, OpenError> {
    run_list(connection, MIGRATIONS, folder, check, clock)
}

fn run_list(
    mut connection: Connection,
    list: &[Migration],
    folder: &Path,
    check: &[u8; 32],
    clock: &dyn Clock,
) -> Result<Connection, OpenError> {
    let applied = applied(&connection).map_err(|error| fault_of(&error))?;
    let known = list.last().map_or(0, |migration| migration.number);
    if let Some(&(found, ..)) = applied.last().filter(|(found, ..)| *found > known) {
        return Err(OpenError::Newer { found, known });
    }
    for (number, name, checksum) in &applied {
        let same = list
            .iter()
            .any(|migration| migration.number == *number && sha256(&[migration.text.as_bytes()])[..] == checksum[..]);
        if !same {
            return Err(OpenError::Drift { number: *number, applied: name.clone() });
        }
    }
    if !applied.is_empty() {
        let query = "SELECT value FROM meta WHERE name = 'key_check'";
        let stored = connection.query_row(query, [], |row| row.get::<_, Vec<u8>>(0)).optional();
        match stored.map_err(|error| fault_of(&error))? {
            Some(stored) if stored == check => {}
            Some(_) => return Err(OpenError::WrongKey(folder.to_owned())),
            None => return Err(StoreError::damaged(None, "the check value of the key is missing").into()),
        }
    }
    for migration in list.iter().filter(|migration| applied.iter().all(|(number, ..)| *number != migration.number)) {
        apply(&mut connection, migration, check, clock).map_err(|error| fault_of(&error))?;
    }
    Ok(connection)
}

/// Number, name and checksum of what was applied before, in order.
fn applied(connection: &Connection) -> rusqlite::Result<Vec<(u32, String, Vec<u8>)>> {
    let query = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'migration'";
    if connection.query_row(query, [], |row| row.get::<_, i64>(0))? == 0 {
        return Ok(Vec::new());
    }
    let mut statement = connection.prepare("SELECT number, name, checksum FROM migration ORDER BY number")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    rows.collect()
}

fn apply(
    connection: &mut Connection,
    migration: &Migration,
    check: &[u8; 32],
    clock: &dyn Clock,
) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    transaction.execute_batch(OWN_TABLE)?;
    transaction.execute_batch(migration.text)?;
    let checksum = sha256(&[migration.text.as_bytes()]);
    transaction.execute(
        "INSERT INTO migration (number, name, checksum, at) VALUES (?1, ?2, ?3, ?4)",
        params![migration.number, migration.name, checksum, clock.now().0],
    )?;
    transaction.execute("INSERT OR IGNORE INTO meta (name, value) VALUES ('key_check', ?1)", params![check])?;
    transaction.commit()
}

#[cfg(test)]
mod tests {
    use iris_testkit::ManualClock;

    use super::*;

    const ONE: Migration =
        Migration { number: 1, name: "one", text: "CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB);" };
    const ONE_CHANGED: Migration =
        Migration { number: 1, name: "one", text: "CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB); -- " };
    const TWO: Migration = Migration { number: 2, name: "two", text: "CREATE TABLE other (x INTEGER);" };

    fn run_on(path: &Path, list: &[Migration], check: &[u8; 32]) -> Result<(), OpenError> {
        let connection = Connection::open(path).unwrap();
        run_list(connection, list, Path::new("/folder"), check, &ManualClock::default()).map(|_| ())
    }

    #[test]
    fn migrations_are_applied_once_and_later_ones_follow() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("db");
        run_on(&path, &[ONE], &[1; 32]).unwrap();
        run_on(&path, &[ONE], &[1; 32]).unwrap();
        run_on(&path, &[ONE, TWO], &[1; 32]).unwrap();
        let newer = run_on(&path, &[ONE], &[1; 32]).unwrap_err();
        assert!(matches!(newer, OpenError::Newer { found: 2, known: 1 }), "{newer}");
        assert!(newer.to_string().contains("newer version"));
    }

    #[test]
    fn a_changed_migration_is_drift_and_a_wrong_key_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("db");
        run_on(&path, &[ONE], &[1; 32]).unwrap();
        let drift = run_on(&path, &[ONE_CHANGED], &[1; 32]).unwrap_err();
        assert!(matches!(drift, OpenError::Drift { number: 1, .. }), "{drift}");
        let wrong = run_on(&path, &[ONE, TWO], &[2; 32]).unwrap_err();
        assert!(matches!(wrong, OpenError::WrongKey(_)), "{wrong}");
        run_on(&path, &[ONE], &[1; 32]).unwrap(); // the refused start has changed nothing
    }
}
