//! How much there is, for those who run the installation. Numbers only.

use std::io;
use std::path::Path;

use iris_kernel::{Seq, Tenant};

use crate::error::StoreError;
use crate::store::Store;

/// How many keys there are. None of them is dated: a row says which key sealed it, and that is all that is needed of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyCounts {
    /// All wrapped keys.
    pub total: u64,
    /// Those that the root wraps: one for each tenant. They wrap the others.
    pub under_root: u64,
    /// Keys of the tenant asked for.
    pub of_tenant: u64,
}

/// The connections of one node to the server of its database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Connections {
    /// Those that somebody is using.
    pub in_use: usize,
    /// Those that are ready.
    pub idle: usize,
    /// How many wait for one.
    pub waiting: usize,
    /// Most that there may be.
    pub max: usize,
}

/// How something is that keeps rows near at hand. The database has them too: none of these states fails a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CacheState {
    /// It can be used.
    Answers,
    /// It answers and takes nothing in: it is full, or may only be read.
    Refuses,
    /// It is not connected.
    Away,
}

impl CacheState {
    /// The word for it in a report: `answers`, `refuses` or `away`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Answers => "answers",
            Self::Refuses => "refuses",
            Self::Away => "away",
        }
    }
}

impl Store {
    /// Counts the keys. Reads the whole table of keys: for a page that an administrator looks at, not for every request.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn key_counts(&self, tenant: Tenant) -> Result<KeyCounts, StoreError> {
        let [total, under_root, of_tenant] = self.inner.backend.key_counts(tenant)?;
        Ok(KeyCounts { total, under_root, of_tenant })
    }

    /// What an operator should know about the database, as names and values in the order in which they are worth reading.
    /// Values are the database's own words (`on`, `replica`), or `yes`, `no`, `unknown`. For SQLite: `database`,
    /// `server_version`, `journal_mode`, `synchronous`. For PostgreSQL: `database`, `server_version`, `fsync`,
    /// `synchronous_commit`, `full_page_writes`, `data_checksums`, `ssl`, `role`, `role_is_superuser`,
    /// `role_bypasses_row_security`, `role_owns_tables`, `synchronous_standby_names`, `synchronous_standbys_streaming`
    /// (`unknown` unless the role may see it: `GRANT pg_read_all_stats`), `max_connections`, `wal_level`, `archive_mode`; then of
    /// this node `connections_in_use`, `connections_idle`, `connections_waiting`, `connections_max`, and a [`CacheState`] as
    /// `cache_memory` and `cache_redis` where there is such a cache.
    ///
    /// # Errors
    /// The database does not answer.
    pub fn database_report(&self) -> Result<Vec<(String, String)>, StoreError> {
        self.inner.backend.report()
    }

    /// How far each server that follows is, in the order of the configuration: the newest change that it has; 0 for one that
    /// does not answer. Looked at ten times a second, so that this waits for nobody.
    #[must_use]
    pub fn replicas(&self) -> Vec<Seq> {
        self.inner.backend.replicas()
    }

    /// The connections to the server of the database; `None` where it is a file. Asks nobody.
    #[must_use]
    pub fn connections(&self) -> Option<Connections> {
        self.inner.backend.connections()
    }

    /// What rows are kept in near at hand (`memory`, `redis`), and how each is. Asks nobody.
    #[must_use]
    pub fn caches(&self) -> Vec<(&'static str, CacheState)> {
        self.inner.backend.caches()
    }

    /// Bytes on disk: the database with its log, and the journal.
    ///
    /// # Errors
    /// A folder cannot be read, or the database does not answer.
    pub fn bytes(&self) -> Result<u64, StoreError> {
        Ok(self.inner.backend.bytes()?.saturating_add(self.inner.journal.bytes()?))
    }
}

/// Bytes of the files in a folder whose names begin so.
pub(crate) fn files(folder: &Path, begin: &str) -> io::Result<u64> {
    let mut bytes = 0_u64;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().as_encoded_bytes().starts_with(begin.as_bytes()) {
            // A file that is cut off or removed between the two looks counts as nothing.
            let found = entry.metadata().ok().filter(std::fs::Metadata::is_file);
            bytes = bytes.saturating_add(found.map_or(0, |found| found.len()));
        }
    }
    Ok(bytes)
}
