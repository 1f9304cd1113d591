//! How a store is set up.

use std::path::PathBuf;

use crate::lock::FolderLock;

/// How a store is set up. [`StoreConfig::new`] gives values that suit one machine.
#[derive(Clone, Debug)]
pub struct StoreConfig {
    /// The data folder. Made with mode 0700 if absent.
    pub folder: PathBuf,
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
            lock: None,
            readers: 8,
            keys_cached: 8_192,
            page_cache_kib: 4 * 1024,
            pages_max: None,
            segment_bytes: 8 << 20,
        }
    }

    /// Uses a lock that the caller already holds.
    #[must_use]
    pub fn with_lock(mut self, lock: FolderLock) -> Self {
        self.lock = Some(lock);
        self
    }
}
