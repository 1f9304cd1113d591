//! A pool of read-only connections, used on the calling thread.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use parking_lot::{Condvar, Mutex, MutexGuard};
use rusqlite::Connection;

use super::fault_of;
use crate::backend::Backend;
use crate::error::StoreError;

thread_local! {
    /// Where this thread starts looking for a connection: each stays with one as long as nobody else wants it.
    static SLOT: Cell<usize> = Cell::new(THREADS.fetch_add(1, Ordering::Relaxed));
}
static THREADS: AtomicUsize = AtomicUsize::new(0);

/// Opens one more reading connection.
pub(super) type Connect = Box<dyn Fn() -> Result<Connection, StoreError> + Send + Sync>;

/// The reading side of a database file.
pub(crate) struct Readers {
    slots: Vec<Mutex<Connection>>,
    /// How many threads wait because all connections were in use.
    waiting: Mutex<usize>,
    freed: Condvar,
    pub(super) connect: Connect,
    pub(super) next_key: AtomicU64,
    pub(super) folder: PathBuf,
    /// What the writing connection flushes, as it said when it was opened.
    pub(super) synchronous: String,
}

/// A connection in use.
struct Reader<'a> {
    // Dropped in this order: free first, then look who waits. Who begins to wait in between looks once more before it sleeps.
    slot: MutexGuard<'a, Connection>,
    _freed: Freed<'a>,
}

/// Wakes a waiting thread when a connection is free again, also if the one who used it panicked.
struct Freed<'a>(&'a Readers);

impl Drop for Freed<'_> {
    fn drop(&mut self) {
        if *self.0.waiting.lock() > 0 {
            self.0.freed.notify_one();
        }
    }
}

impl Readers {
    pub(super) fn new(count: usize, folder: &Path, connect: Connect) -> Result<Self, StoreError> {
        let slots = (0..count.max(1)).map(|_| connect().map(Mutex::new)).collect::<Result<_, _>>()?;
        let (waiting, freed, folder) = (Mutex::new(0), Condvar::new(), folder.to_owned());
        let (next_key, synchronous) = (AtomicU64::new(1), String::new());
        let readers = Self { slots, waiting, freed, connect, next_key, folder, synchronous };
        readers.next_key.store(readers.key_last()?.0 + 1, Ordering::Relaxed);
        Ok(readers)
    }

    /// Runs `act` with this thread's usual connection if that is free, or any free one; waits for whichever comes first.
    pub(super) fn with<T>(&self, act: impl FnOnce(&Connection) -> T) -> T {
        let reader = Reader { slot: self.slot(), _freed: Freed(self) };
        act(&reader.slot)
    }

    fn slot(&self) -> MutexGuard<'_, Connection> {
        let start = SLOT.with(Cell::get);
        let free = || (0..self.slots.len()).find_map(|at| self.slots[(start + at) % self.slots.len()].try_lock());
        if let Some(slot) = free() {
            return slot;
        }
        let mut waiting = self.waiting.lock();
        *waiting += 1;
        loop {
            if let Some(slot) = free() {
                *waiting -= 1;
                return slot;
            }
            self.freed.wait(&mut waiting);
        }
    }

    /// One statement, or several that need not see the same state.
    pub(super) fn read<T>(&self, act: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        self.with(act).map_err(|error| fault_of(&error))
    }

    /// Several statements that see one state.
    pub(super) fn snapshot<T>(&self, act: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        self.read(|connection| {
            // Prepared once, unlike the crate's own transactions.
            connection.prepare_cached("BEGIN")?.execute([])?;
            let answer = act(connection);
            let end = if answer.is_ok() { "COMMIT" } else { "ROLLBACK" };
            let ended = connection.prepare_cached(end)?.execute([]);
            answer.and_then(|answer| ended.map(|_| answer))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn who_waits_gets_whichever_connection_is_free_first() {
        let connect = || {
            let connection = Connection::open_in_memory().map_err(|error| fault_of(&error))?;
            connection.execute_batch("CREATE TABLE data_key (key INTEGER)").map_err(|error| fault_of(&error))?;
            Ok(connection)
        };
        let readers = Readers::new(2, Path::new("/"), Box::new(connect)).unwrap();
        std::thread::scope(|scope| {
            let hold = || {
                let ((held, is_held), (release, released)) = (channel(), channel::<()>());
                let readers = &readers;
                scope.spawn(move || {
                    readers.with(|_| {
                        held.send(()).unwrap();
                        assert!(released.recv().is_err());
                    });
                });
                is_held.recv().unwrap();
                release
            };
            let (first, second) = (hold(), hold());
            let (done, is_done) = channel();
            for _ in 0..4 {
                let (done, readers) = (done.clone(), &readers);
                scope.spawn(move || readers.with(|_| done.send(()).unwrap()));
            }
            // One of the two stays in use: all four get through by the other, whichever slot they would have liked.
            drop(second);
            (0..4).for_each(|_| is_done.recv().unwrap());
            drop(first);
        });
    }
}
