//! The schema: numbered migrations, each applied once and never changed afterwards.

use std::path::Path;

use iris_crypto::sha256;
use iris_kernel::Clock;
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};

use super::fault_of;
use crate::error::{OpenError, StoreError};
use crate::migrations::{Applied, Applies, COPYING, KEY_CHECK, Known, Plan};

/// Without making a file. Not read-only: what a process that was killed has left half-written could not be rolled back.
const LOOKING: OpenFlags = OpenFlags::SQLITE_OPEN_READ_WRITE.union(OpenFlags::SQLITE_OPEN_NO_MUTEX);

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

/// Numbers, names and digests of the migrations.
pub(crate) fn known() -> Vec<Known> {
    known_of(MIGRATIONS)
}

fn known_of(list: &[Migration]) -> Vec<Known> {
    list.iter().map(|own| (own.number, own.name, sha256(&[own.text.as_bytes()]))).collect()
}

/// What is applied to the database of a folder and what is not; all is pending where there is none.
pub(crate) fn planned(folder: &Path) -> Result<Plan, OpenError> {
    match existing(folder)? {
        Some(connection) => plan(&connection, MIGRATIONS),
        None => Ok(Plan::new(Vec::new(), &known(), Applies::TheStart)),
    }
}

/// Whether a start would work as far as the schema goes.
pub(crate) fn checked(folder: &Path) -> Result<(), OpenError> {
    let Some(connection) = existing(folder)? else { return Ok(()) };
    let plan = plan(&connection, MIGRATIONS)?;
    plan.allows_start()?;
    let copying = !plan.is_empty_database() && meta(&connection, COPYING).map_err(|error| fault_of(&error))?.is_some();
    if copying { Err(OpenError::HalfCopied) } else { Ok(()) }
}

/// The database of a folder if there is one, for looking only.
fn existing(folder: &Path) -> Result<Option<Connection>, StoreError> {
    if !super::exists(folder) {
        return Ok(None);
    }
    super::connect(&super::file(folder), LOOKING, 2_048).map(Some)
}

fn plan(connection: &Connection, list: &[Migration]) -> Result<Plan, OpenError> {
    let applied = applied(connection).map_err(|error| fault_of(&error))?;
    // Nobody else works in the folder, so a newer schema has no older program to be kind to.
    let applied =
        applied.into_iter().map(|(number, name, checksum)| Applied { number, name, checksum, oldest: number });
    Ok(Plan::new(applied.collect(), &known_of(list), Applies::TheStart))
}

/// Makes the tables of an empty database that a copy is to fill, with a mark that keeps everybody else out.
pub(super) fn prepare(connection: &mut Connection, clock: &dyn Clock) -> rusqlite::Result<()> {
    let plan = Plan::new(Vec::new(), &known(), Applies::TheStart);
    apply_list(connection, MIGRATIONS, &plan, (COPYING, b"1"), clock)
}

/// A value of `meta`.
pub(super) fn meta(connection: &Connection, name: &str) -> rusqlite::Result<Option<Vec<u8>>> {
    connection.query_row("SELECT value FROM meta WHERE name = ?1", [name], |row| row.get(0)).optional()
}

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
    let plan = plan(&connection, list)?;
    plan.allows_start()?;
    if !plan.is_empty_database() {
        let stored = |name| meta(&connection, name).map_err(|error| fault_of(&error));
        if stored(COPYING)?.is_some() {
            return Err(OpenError::HalfCopied);
        }
        match stored(KEY_CHECK)? {
            Some(stored) if stored == check => {}
            Some(_) => return Err(OpenError::WrongKey(folder.to_owned())),
            None => return Err(StoreError::damaged(None, "the check value of the key is missing").into()),
        }
    }
    apply_list(&mut connection, list, &plan, (KEY_CHECK, check), clock).map_err(|error| fault_of(&error))?;
    Ok(connection)
}

/// Applies what is pending; `mark` is a name and a value of `meta` that the first one brings along.
fn apply_list(
    connection: &mut Connection,
    list: &[Migration],
    plan: &Plan,
    mark: (&str, &[u8]),
    clock: &dyn Clock,
) -> rusqlite::Result<()> {
    for migration in list.iter().filter(|own| plan.pending().any(|(number, _)| number == own.number)) {
        apply(connection, migration, mark, clock)?;
    }
    Ok(())
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
    (name, value): (&str, &[u8]),
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
    transaction.execute("INSERT OR IGNORE INTO meta (name, value) VALUES (?1, ?2)", params![name, value])?;
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
