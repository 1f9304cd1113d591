//! The owner of the disk at work: changes a closed database behind the store's back, so that tests see it noticed.

use std::path::Path;

/// Runs SQL statements on the SQLite database in `path` and gives the number of rows that the last one changed.
///
/// # Panics
/// If the statements do not run.
pub fn sql(path: &Path, statements: &str) -> u64 {
    assert!(path.is_file(), "no database at {}", path.display());
    let connection = rusqlite::Connection::open(path).expect("the database opens");
    connection.execute_batch(statements).expect("the statements run");
    connection.changes()
}
