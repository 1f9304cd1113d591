//! How a store is set up.

use std::path::PathBuf;
use std::time::Duration;

use iris_kernel::Secret;

use crate::lock::FolderLock;

/// Which database holds the truth.
#[derive(Clone, Debug, Default)]
pub enum Database {
    /// SQLite in the data folder; one process.
    #[default]
    Embedded,
    /// A PostgreSQL server that several nodes may share.
    Postgres(PostgresConfig),
}

/// Where a PostgreSQL server is, or several of which one can be written to.
#[derive(Clone, Debug)]
pub struct Server {
    /// `postgres://user:password@host[,host]/database[?…]`, without `sslmode`.
    pub url: Secret<String>,
    /// Whether connections are encrypted; the server's certificate and name are verified then.
    pub tls: bool,
}

impl Server {
    /// A server on this machine, spoken to in clear.
    #[must_use]
    pub const fn here(url: Secret<String>) -> Self {
        Self { url, tls: false }
    }
}

/// Where rows are kept near at hand, sealed as the database has them.
#[derive(Clone, Debug)]
pub struct CacheConfig {
    /// How much of this process's memory they may take, in bytes; 0: none.
    pub bytes: u64,
    /// A Redis that the nodes share: `redis://user:password@host:port/number`, or `rediss://` with TLS, where the server's
    /// certificate and name are verified.
    pub redis: Option<Secret<String>>,
}

impl Default for CacheConfig {
    fn default() -> Self {
        Self::new()
    }
}

impl CacheConfig {
    /// The usual values: memory alone.
    #[must_use]
    pub const fn new() -> Self {
        Self { bytes: 64 << 20, redis: None }
    }
}

/// A PostgreSQL database. [`PostgresConfig::new`] gives the usual values.
#[derive(Clone, Debug)]
pub struct PostgresConfig {
    /// As the role that reads and writes rows.
    pub server: Server,
    /// As the role that owns the tables, if that is another one.
    pub owner: Option<Server>,
    /// Servers that follow this one, each of which may answer some reads.
    pub replicas: Vec<Server>,
    /// Certificates (PEM) that vouch for the servers and the cache; without them, this machine's list.
    pub ca: Option<String>,
    /// Most connections for reading.
    pub connections: usize,
    /// Longest wait for one of them.
    pub wait: Duration,
    /// A connection older than this is not used again.
    pub recycle: Duration,
    /// Whether something in between gives each transaction another connection (PgBouncer's transaction mode).
    pub pooler: bool,
    /// Where its rows are kept near at hand.
    pub cache: CacheConfig,
}

impl PostgresConfig {
    /// The usual values for a database.
    #[must_use]
    pub const fn new(server: Server) -> Self {
        Self {
            server,
            owner: None,
            replicas: Vec::new(),
            ca: None,
            connections: 20,
            wait: Duration::from_secs(30),
            recycle: Duration::from_secs(3_600),
            pooler: false,
            cache: CacheConfig::new(),
        }
    }
}

/// How a store is set up. [`StoreConfig::new`] gives values that suit one machine.
#[derive(Clone, Debug)]
pub struct StoreConfig {
    /// The data folder. Made with mode 0700 if absent.
    pub folder: PathBuf,
    /// Where the truth is.
    pub database: Database,
    /// The lock of the folder, if it is already held; otherwise the store takes it.
    pub lock: Option<FolderLock>,
    /// Read-only connections. More than the number of threads that read at once is of no use.
    pub readers: usize,
    /// Data keys kept unwrapped in memory (about 1 KiB each).
    pub keys_cached: usize,
    /// Page cache of each connection, in KiB.
    pub page_cache_kib: u32,
    /// Largest database, in pages of 4 KiB; for tests of a full disk. `None`: as large as the disk.
    pub pages_max: Option<u32>,
    /// Size of a journal segment in bytes; a multiple of 4096.
    pub segment_bytes: u64,
}

impl StoreConfig {
    /// The usual values for the store in `folder`.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            database: Database::Embedded,
            lock: None,
            readers: 8,
            keys_cached: 8_192,
            page_cache_kib: 4 * 1024,
            pages_max: None,
            segment_bytes: 8 << 20,
        }
    }

    /// Uses another database.
    #[must_use]
    pub fn with_database(mut self, database: Database) -> Self {
        self.database = database;
        self
    }

    /// Uses a lock that the caller already holds.
    #[must_use]
    pub fn with_lock(mut self, lock: FolderLock) -> Self {
        self.lock = Some(lock);
        self
    }
}
