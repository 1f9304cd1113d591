//! What the tests of the store share.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on ends")]
#![allow(dead_code, unreachable_pub, reason = "not every test file uses all of it")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use iris_kernel::Secret;
use iris_store::{LocalKey, OpenError, Store, StoreConfig, keyfile};
use iris_testkit::{ManualClock, SeededEntropy};

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
    keyfile::open_or_create(&folder.join("key"), passphrase.as_ref(), entropy(), !Store::exists(folder))
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
