//! The folder of sealed files as tantivy wants it.

use std::collections::HashSet;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use iris_crypto::SealingKey;
use iris_kernel::Entropy;
use parking_lot::{Condvar, Mutex, RwLock};
use tantivy::Directory;
use tantivy::directory::error::{DeleteError, LockError, OpenReadError, OpenWriteError};
use tantivy::directory::{DirectoryLock, FileHandle, Lock, WatchCallback, WatchHandle, WritePtr};

use super::file::{ChunkCache, ChunkWeight, Health, SealedFile, SealedWriter};
use super::{CACHE_BYTES, CHUNK_BYTES};

/// Ends the name of a file that is being replaced in one step.
const UNFINISHED: &str = "new";

/// A folder of sealed files. Clones share cache, locks and health.
#[derive(Clone)]
pub(crate) struct SealedDirectory(Arc<Inner>);

struct Inner {
    folder: PathBuf,
    key: Arc<SealingKey>,
    entropy: Arc<dyn Entropy>,
    cache: Arc<ChunkCache>,
    health: Arc<Health>,
    next_file: AtomicU64,
    held: Arc<Held>,
    /// Whether files may still be made, replaced and deleted.
    writing: RwLock<Writing>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Writing {
    Allowed,
    Ended,
}

/// The locks that are taken. They hold within this process, which has locked the data folder as a whole.
#[derive(Default)]
struct Held {
    names: Mutex<HashSet<PathBuf>>,
    released: Condvar,
}

struct HeldLock {
    name: PathBuf,
    held: Arc<Held>,
}

impl Drop for HeldLock {
    fn drop(&mut self) {
        self.held.names.lock().remove(&self.name);
        self.held.released.notify_all();
    }
}

impl fmt::Debug for SealedDirectory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealedDirectory({})", self.0.folder.display())
    }
}

impl SealedDirectory {
    /// Opens the folder, making it if it is not there.
    pub(crate) fn open(folder: &Path, key: &[u8; 32], entropy: Arc<dyn Entropy>) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let chunks = usize::try_from(CACHE_BYTES).unwrap_or(usize::MAX) / CHUNK_BYTES;
        Ok(Self(Arc::new(Inner {
            folder: folder.to_owned(),
            key: Arc::new(SealingKey::new(key)),
            entropy,
            cache: Arc::new(ChunkCache::with_weighter(chunks, CACHE_BYTES, ChunkWeight)),
            health: Arc::default(),
            next_file: AtomicU64::new(0),
            held: Arc::default(),
            writing: RwLock::new(Writing::Allowed),
        })))
    }

    /// Refuses every change of the folder through this directory and its clones from now on; when it returns, none is under
    /// way. Files that are open stay readable.
    pub(crate) fn end_writing(&self) {
        *self.0.writing.write() = Writing::Ended;
    }

    /// Makes a change of the folder, unless that has ended.
    fn change<T>(&self, change: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let writing = self.0.writing.read();
        if *writing == Writing::Ended {
            return Err(io::Error::other("the index has been closed"));
        }
        change()
    }

    /// What was found damaged so far.
    pub(crate) fn health(&self) -> &Arc<Health> {
        &self.0.health
    }

    fn open_file(&self, path: &Path) -> Result<SealedFile, OpenReadError> {
        let file = File::open(self.0.folder.join(path)).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => OpenReadError::FileDoesNotExist(path.to_owned()),
            _ => OpenReadError::wrap_io_error(error, path.to_owned()),
        })?;
        let number = self.0.next_file.fetch_add(1, Ordering::Relaxed);
        let (key, cache, health) = (Arc::clone(&self.0.key), Arc::clone(&self.0.cache), Arc::clone(&self.0.health));
        SealedFile::open(file, name(path), number, key, cache, health)
            .map_err(|error| OpenReadError::wrap_io_error(error, path.to_owned()))
    }

    fn writer(&self, file: File, path: &Path) -> SealedWriter {
        SealedWriter::new(file, name(path), Arc::clone(&self.0.key), Arc::clone(&self.0.entropy))
    }
}

impl Directory for SealedDirectory {
    fn get_file_handle(&self, path: &Path) -> Result<Arc<dyn FileHandle>, OpenReadError> {
        let file = self.open_file(path)?;
        Ok(Arc::new(file.settled().map_err(|error| OpenReadError::wrap_io_error(error, path.to_owned()))?))
    }

    fn delete(&self, path: &Path) -> Result<(), DeleteError> {
        self.change(|| fs::remove_file(self.0.folder.join(path))).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => DeleteError::FileDoesNotExist(path.to_owned()),
            _ => DeleteError::IoError { io_error: Arc::new(error), filepath: path.to_owned() },
        })
    }

    fn exists(&self, path: &Path) -> Result<bool, OpenReadError> {
        self.0.folder.join(path).try_exists().map_err(|error| OpenReadError::wrap_io_error(error, path.to_owned()))
    }

    fn open_write(&self, path: &Path) -> Result<WritePtr, OpenWriteError> {
        let create = || OpenOptions::new().write(true).create_new(true).open(self.0.folder.join(path));
        let file = self.change(create).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => OpenWriteError::FileAlreadyExists(path.to_owned()),
            _ => OpenWriteError::wrap_io_error(error, path.to_owned()),
        })?;
        Ok(BufWriter::new(Box::new(self.writer(file, path))))
    }

    fn atomic_read(&self, path: &Path) -> Result<Vec<u8>, OpenReadError> {
        let bytes =
            self.open_file(path)?.read_all().map_err(|error| OpenReadError::wrap_io_error(error, path.to_owned()))?;
        Ok(bytes.as_slice().to_vec())
    }

    fn atomic_write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let target = self.0.folder.join(path);
        let unfinished = target.with_extension(UNFINISHED);
        self.change(|| {
            let mut writer = self.writer(File::create(&unfinished)?, path);
            writer.write_all(bytes)?;
            writer.finish()?;
            fs::rename(unfinished, target)
        })
    }

    fn sync_directory(&self) -> io::Result<()> {
        Ok(())
    }

    fn acquire_lock(&self, lock: &Lock) -> Result<DirectoryLock, LockError> {
        let held = Arc::clone(&self.0.held);
        let mut names = held.names.lock();
        while names.contains(&lock.filepath) {
            if !lock.is_blocking {
                return Err(LockError::LockBusy);
            }
            held.released.wait(&mut names);
        }
        names.insert(lock.filepath.clone());
        drop(names);
        Ok(DirectoryLock::from(Box::new(HeldLock { name: lock.filepath.clone(), held })))
    }

    fn watch(&self, _: WatchCallback) -> tantivy::Result<WatchHandle> {
        // New commits are taken over by the thread that made them; nothing waits for the file to change.
        Ok(WatchHandle::empty())
    }
}

/// What a file's chunks are bound to.
fn name(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
