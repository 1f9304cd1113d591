//! What the tests of the store share.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on ends")]
#![allow(dead_code, unreachable_pub, reason = "not every test file uses all of it")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use iris_kernel::Secret;
use iris_store::{Database, LocalKey, OpenError, PostgresConfig, Store, StoreConfig, keyfile, testing};
use iris_testkit::{ManualClock, SeededEntropy, postgres};

/// Chance that differs from one call to the next, and from one process to the next.
fn entropy() -> Arc<SeededEntropy> {
    static CALLS: AtomicU64 = AtomicU64::new(1);
    Arc::new(SeededEntropy::new((u64::from(std::process::id()) << 32) + CALLS.fetch_add(1, Ordering::Relaxed)))
}

/// A configuration with small parts.
pub fn config(folder: &Path) -> StoreConfig {
    StoreConfig { readers: 4, segment_bytes: 2 << 20, ..StoreConfig::new(folder) }
}

/// The key of a folder.
pub fn key(folder: &Path, passphrase: Option<&str>) -> Result<LocalKey, OpenError> {
    std::fs::create_dir_all(folder).unwrap();
    let passphrase = passphrase.map(|text| Secret::new(text.to_owned()));
    let is_new = !Store::exists(&StoreConfig::new(folder)).unwrap();
    keyfile::open_or_create(&folder.join("key"), passphrase.as_ref(), entropy(), is_new)
}

/// A database of PostgreSQL with the schema in it; `None` where there is no PostgreSQL.
pub fn database() -> Option<postgres::Database> {
    postgres::Database::from_template(&testing::schema_name(), |empty| testing::make_schema(&postgres_config(empty)))
}

/// How to work with it.
pub fn postgres_config(database: &postgres::Database) -> PostgresConfig {
    PostgresConfig { connections: 8, ..testing::postgres_config(database.url(), database.owner_url()) }
}

/// The store of a node over a shared database: its folder is `base`/`name`, its key the one in `base`.
pub fn node(base: &Path, name: &str, postgres: PostgresConfig) -> Store {
    try_node(base, name, postgres).unwrap()
}

/// As [`node`], where it may not open.
pub fn try_node(base: &Path, name: &str, postgres: PostgresConfig) -> Result<Store, OpenError> {
    let key = keyfile::open_or_create(&base.join("key"), None, entropy(), true)?;
    let config = config(&base.join(name)).with_database(Database::Postgres(postgres));
    Store::open(config, Arc::new(key), Arc::new(ManualClock::default()), entropy())
}

/// The store of a folder.
pub fn try_open(config: StoreConfig) -> Result<Store, OpenError> {
    let key = key(&config.folder, None)?;
    Store::open(config, Arc::new(key), Arc::new(ManualClock::default()), entropy())
}

/// The store of a folder, which must open.
pub fn open(folder: &Path) -> Store {
    try_open(config(folder)).unwrap()
}
