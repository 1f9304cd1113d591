//! Following the changes of other nodes in a shared database.
//!
//! The head is asked for, not announced: a notice inside the transaction of a write would make every write of every node wait
//! for one lock of the server, and a head that is asked for ten times a second costs nothing that could be measured.

use std::sync::{Arc, Weak};
use std::thread::JoinHandle;
use std::time::Duration;

use iris_kernel::{Seq, Version};
use parking_lot::{Condvar, Mutex};

use crate::backend::{Backend, RawRow, Scope};
use crate::error::{OpenError, StoreError};
use crate::store::Inner;
use crate::tx::{Change, Follower};
use crate::writer::{Feed, Mark};

/// How often the head is asked for.
const LOOK: Duration = Duration::from_millis(100);

/// The thread that follows. Ends when it is dropped.
pub(crate) struct Tail {
    end: Arc<(Mutex<bool>, Condvar)>,
    thread: Option<JoinHandle<()>>,
}

/// Tells the database's other servers apart: what is read must not be older than what anybody here was told of.
struct Known(Arc<dyn Backend>);

impl Follower for Known {
    fn committed(&self, changes: &mut [Change]) {
        if let Some(last) = changes.last() {
            self.0.knows(last.seq);
        }
    }
}

/// The changes of a store that is not kept open by whoever asks for them.
struct Others(Weak<Inner>, Arc<dyn Backend>);

impl Others {
    fn inner(&self) -> Result<Arc<Inner>, StoreError> {
        self.0.upgrade().ok_or_else(|| StoreError::Unavailable("the store is closed".into()))
    }
}

impl Feed for Others {
    fn after(&self, after: Seq, limit: usize) -> Result<Vec<Change>, StoreError> {
        feed(&*self.inner()?, after, limit)
    }

    fn lives(&self) -> u64 {
        self.1.lives()
    }

    fn has(&self, told: &Mark) -> Result<(), StoreError> {
        let inner = self.inner()?;
        // By its record and not by its number: only the server that takes the writes is asked for that.
        let Mark { seq, tenant, kind, record, version, .. } = *told;
        let below = version.0.checked_add(1).map(Version);
        let found = inner.backend.chain(tenant, kind, record, below, 1)?;
        if found.first().is_some_and(|row| Mark::from(row) == *told) {
            return Ok(());
        }
        Err(gone_back(&inner, &format!("the database does not have change {} as this node has seen it", seq.0)))
    }
}

/// A thread that panics, in a follower, must not leave the node with followers that hear of nothing any more: it stops taking
/// writes, which shows, as it does when the writer's thread panics.
struct Ended(Weak<Inner>);

impl Drop for Ended {
    fn drop(&mut self) {
        if std::thread::panicking()
            && let Some(inner) = self.0.upgrade()
        {
            tracing::error!(
                "changes of other nodes cannot be followed any more; no further writes until the next start"
            );
            inner.desk.close();
        }
    }
}

impl Tail {
    pub(crate) fn start(inner: &Arc<Inner>) -> Result<Self, OpenError> {
        inner.desk.follow(Arc::new(Known(Arc::clone(&inner.backend))));
        let weak = Arc::downgrade(inner);
        let head = inner.desk.head();
        let last = inner.backend.rows(Scope::All, &[head])?.pop().flatten();
        let others = Others(Weak::clone(&weak), Arc::clone(&inner.backend));
        inner.desk.set_feed(Arc::new(others), last.as_ref().map(Mark::from));
        let end = Arc::new((Mutex::new(false), Condvar::new()));
        let ending = Arc::clone(&end);
        let thread = std::thread::Builder::new()
            .name("store-tail".into())
            .spawn(move || {
                let (ended, wake) = &*ending;
                let _end = Ended(Weak::clone(&weak));
                loop {
                    let mut ended = ended.lock();
                    if !*ended {
                        wake.wait_for(&mut ended, LOOK);
                    }
                    if *ended {
                        return;
                    }
                    drop(ended);
                    let Some(inner) = weak.upgrade() else { return };
                    // A database that is away is tried again; who needs it meanwhile hears so from their own attempt.
                    if let Err(error @ StoreError::Damaged { .. }) = catch_up(&inner) {
                        tracing::error!(%error, "changes of other nodes cannot be followed");
                    }
                }
            })
            .map_err(OpenError::Thread)?;
        Ok(Self { end, thread: Some(thread) })
    }
}

impl Drop for Tail {
    fn drop(&mut self) {
        *self.end.0.lock() = true;
        self.end.1.notify_all();
        // The last owner of the store may be this very thread; it cannot wait for itself.
        if let Some(thread) = self.thread.take().filter(|thread| thread.thread().id() != std::thread::current().id())
            && thread.join().is_err()
        {
            tracing::error!("the thread that follows other nodes has panicked");
        }
    }
}

/// Tells the followers of everything that is committed now.
///
/// # Errors
/// [`StoreError`]; one that is behind what this node has seen has lost writes, and is not used any more.
pub(crate) fn catch_up(inner: &Inner) -> Result<(), StoreError> {
    let known = inner.desk.head();
    let head = inner.backend.head()?;
    if head < known {
        let why = format!("the database has {} changes, but this node has seen {}", head.0, known.0);
        return Err(gone_back(inner, &why));
    }
    inner.desk.pull(head)
}

/// Nothing more is taken in, or asked of the database.
fn gone_back(inner: &Inner, what: &str) -> StoreError {
    let why = format!(
        "{what}: writes were lost, as by a failover to a server that did not have them yet. Start this node again; it will then \
         go by what the database has"
    );
    if inner.desk.is_open() {
        tracing::error!(why, "the database has gone back");
    }
    inner.desk.close();
    inner.backend.refuse(&why);
    StoreError::Unavailable(why)
}

/// Changes after a position as followers are told of them, up to the first that cannot be had.
fn feed(inner: &Inner, after: Seq, limit: usize) -> Result<Vec<Change>, StoreError> {
    let raw = inner.backend.feed(after, limit)?;
    raw.into_iter().map(|row| change(inner, row)).collect()
}

fn change(inner: &Inner, raw: RawRow) -> Result<Change, StoreError> {
    let RawRow { seq, tenant, kind, record, version, at, born, prev, deleted, .. } = raw;
    let row = match raw.open(&inner.keys) {
        Ok(row) => Some(row),
        // Replaced since: no answer depends on it. Whoever needs it all the same reads it and meets the damage.
        Err(StoreError::Damaged { .. })
            if inner.backend.pointer(tenant, kind, record)?.is_some_and(|newest| newest.seq != seq) =>
        {
            None
        }
        Err(error) => return Err(error),
    };
    Ok(Change { seq, tenant, kind, record, version, at, born, deleted, superseded: prev, shadow: None, row })
}
