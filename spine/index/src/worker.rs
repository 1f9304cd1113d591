//! The index thread: commits the tail, catches up, rebuilds.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use iris_kernel::Seq;
use iris_store::StoreError;

use crate::engine::{Engine, entry_of};
use crate::error::IndexError;
use crate::index::{Phase, Shared};
use crate::sealed::Health;
use crate::segment::Generation;
use crate::tail::Tail;

/// Changes after which the tail is committed.
pub(crate) const COMMIT_CHANGES: usize = 4_000;
/// Changes in the tail above which writers wait: more than the index thread takes in one commit.
pub(crate) const TAIL_MAX: usize = 16_000;
/// Time after which a change is committed, however few there are.
const COMMIT_DELAY: Duration = Duration::from_secs(1);
/// How often an idle index looks whether a merge has ended, to let go of the merged files.
const MERGE_LOOK: Duration = Duration::from_secs(5);
/// For how long it looks after the last commit.
const MERGE_LOOKS_SPAN: Duration = Duration::from_secs(120);
/// Time after which a failed build is tried again.
const RETRY_DELAY: Duration = Duration::from_secs(10);
/// Time after which a build is tried again that failed because the store was away: it may be back at any moment.
const STORE_RETRY_DELAY: Duration = Duration::from_millis(500);
/// How often an index over a store that others write into looks whether that still has the history that was followed.
const HISTORY_LOOK: Duration = Duration::from_secs(1);
/// Rows that are read from the feed at a time.
const FEED_ROWS: usize = 1_000;
/// Rows after which a build commits, so that an interrupted one goes on from there.
const BUILD_COMMIT_ROWS: u64 = 100_000;
/// Rows that opening waits for; a longer catch-up goes on in the background.
const OPEN_WAIT_ROWS: u64 = 20_000;

/// What the index thread is asked to do.
#[derive(Default)]
pub(crate) struct Work {
    /// Changes in the tail.
    pub(crate) pending: usize,
    flush_asked: u64,
    flush_done: u64,
    rebuild: bool,
    /// Opened again from what is on disk, if that fits.
    pub(crate) reopen: bool,
    /// Somebody doubts that the store has the history that was followed.
    pub(crate) doubt: bool,
    end: Option<End>,
    /// The index thread has ended.
    ended: bool,
    /// The catch-up at opening is a long one.
    is_long: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Commit,
    #[cfg(test)]
    Abandon,
}

impl Work {
    /// Whether there is an index thread to wait for.
    pub(crate) fn is_running(&self) -> bool {
        !self.ended
    }
}

enum Todo {
    Commit,
    LookAtMerges,
    LookAtHistory,
    Rebuild,
    Reopen,
    End(End),
}

/// How a build begins.
#[derive(Clone, Copy, PartialEq, Eq)]
enum From {
    /// With what is on disk, if it fits.
    Disk,
    /// With nothing.
    Nothing,
}

/// Starts the index thread.
pub(crate) fn start(shared: Arc<Shared>) -> Result<JoinHandle<()>, IndexError> {
    let spawned = thread::Builder::new().name("index".to_owned()).spawn(move || {
        let _ending = Ending(&shared);
        let mut from = From::Disk;
        while catch_unwind(AssertUnwindSafe(|| run(&shared, from))).is_err() {
            from = From::Nothing;
            shared.failed(&IndexError::Engine("the index thread ended in a panic".to_owned()));
            if shared.wait_to_retry(RETRY_DELAY) {
                break;
            }
        }
    });
    spawned.map_err(|error| IndexError::Engine(format!("the index thread does not start: {error}")))
}

/// Lets go of everybody who waits, also when the thread ends in a panic.
struct Ending<'a>(&'a Shared);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state.write();
        state.phase = Phase::Closed;
        state.collects = false;
        state.tail = Tail::default();
        let mut work = self.0.work.lock();
        work.ended = true;
        work.pending = 0;
        self.0.progress.notify_all();
    }
}

fn run(shared: &Shared, mut from: From) {
    let mut engine: Option<Engine> = None;
    let every = if shared.place.store.is_shared() { HISTORY_LOOK } else { MERGE_LOOK };
    let (mut looks, looks_max) = (0, MERGE_LOOKS_SPAN.as_secs() / every.as_secs());
    loop {
        let Some(open) = engine.as_mut() else {
            match shared.build(from) {
                Ok(Some(built)) => {
                    engine = Some(built);
                    looks = looks_max;
                }
                Ok(None) => return,
                Err(error) => {
                    let is_store = matches!(error, IndexError::Store(_) | IndexError::Resource { .. });
                    if from == From::Disk && !is_store {
                        tracing::warn!(%error, "the search index cannot be used and is rebuilt");
                        from = From::Nothing;
                        continue;
                    }
                    // What was built so far is on disk; the next try goes on there instead of burning a core from row one.
                    from = From::Disk;
                    shared.failed(&error);
                    let is_away = matches!(error, IndexError::Store(StoreError::Unavailable(_)));
                    if shared.wait_to_retry(if is_away { STORE_RETRY_DELAY } else { RETRY_DELAY }) {
                        return;
                    }
                }
            }
            continue;
        };
        let done = match shared.next(looks > 0) {
            Todo::Commit => {
                looks = looks_max;
                shared.commit(open).map(|()| shared.look_at_history())
            }
            Todo::LookAtHistory => {
                shared.look_at_history();
                Ok(())
            }
            Todo::LookAtMerges => {
                looks -= 1;
                shared.show_merges(open).map(|()| shared.look_at_history())
            }
            Todo::Reopen => {
                from = From::Disk;
                engine = None;
                continue;
            }
            Todo::Rebuild => {
                from = From::Nothing;
                engine = None;
                continue;
            }
            Todo::End(end) => {
                if end == End::Commit
                    && let Err(error) = shared.commit(open)
                {
                    tracing::warn!(%error, "the last commit of the search index failed; it catches up at the next start");
                }
                return;
            }
        };
        if let Err(error) = done {
            tracing::error!(%error, "the search index failed and is opened again");
            from = if matches!(error, IndexError::Damaged(_)) { From::Nothing } else { From::Disk };
            engine = None;
        }
    }
}

impl Shared {
    /// Waits for something to do.
    fn next(&self, looks_at_merges: bool) -> Todo {
        let is_shared = self.place.store.is_shared();
        let mut work = self.work.lock();
        loop {
            if let Some(end) = work.end {
                return Todo::End(end);
            }
            if work.rebuild {
                return Todo::Rebuild;
            }
            if work.reopen {
                return Todo::Reopen;
            }
            if std::mem::take(&mut work.doubt) {
                return Todo::LookAtHistory;
            }
            if work.flush_asked > work.flush_done || work.pending >= COMMIT_CHANGES {
                return Todo::Commit;
            }
            if work.pending > 0 {
                if self.wake.wait_for(&mut work, COMMIT_DELAY).timed_out() {
                    return Todo::Commit;
                }
            } else if is_shared {
                if self.wake.wait_for(&mut work, HISTORY_LOOK).timed_out() {
                    return if looks_at_merges { Todo::LookAtMerges } else { Todo::LookAtHistory };
                }
            } else if looks_at_merges {
                if self.wake.wait_for(&mut work, MERGE_LOOK).timed_out() {
                    return Todo::LookAtMerges;
                }
            } else {
                self.wake.wait(&mut work);
            }
        }
    }

    /// Commits the tail.
    fn commit(&self, engine: &mut Engine) -> Result<(), IndexError> {
        let asked = self.work.lock().flush_asked;
        let stock = self.state.write().tail.take_stock();
        for entry in stock.iter().flat_map(|chunk| &chunk.entries) {
            engine.apply(entry)?;
        }
        if !stock.is_empty() {
            engine.commit()?;
        }
        self.show(engine)?;
        self.work.lock().flush_done = asked;
        self.progress.notify_all();
        Ok(())
    }

    fn show_merges(&self, engine: &Engine) -> Result<(), IndexError> {
        let generation = Arc::clone(&self.state.read().generation);
        if engine.is_stale(&generation)? { self.show(engine) } else { Ok(()) }
    }

    /// Lets searches see the last commit, and drops from the tail what is in it.
    fn show(&self, engine: &Engine) -> Result<(), IndexError> {
        let before = Arc::clone(&self.state.read().generation);
        let generation = Arc::new(engine.generation(&before)?);
        if let Some(what) = engine.damage() {
            return Err(IndexError::Damaged(what));
        }
        let mut state = self.state.write();
        let applied = generation.applied;
        state.generation = generation;
        let forgotten = state.tail.forget(applied);
        self.work.lock().pending = state.tail.len();
        drop(state);
        self.progress.notify_all();
        // Freed here, where nobody waits for a lock.
        drop((forgotten, before));
        Ok(())
    }

    /// Opens or makes the index and catches up with the store; `None` if asked to end meanwhile.
    fn build(&self, from: From) -> Result<Option<Engine>, IndexError> {
        self.start_build();
        let existing = match from {
            From::Disk => Engine::open_existing(&self.place)?,
            From::Nothing => None,
        };
        let mut engine = match existing {
            Some(engine) => engine,
            None => Engine::create(&self.place)?,
        };
        let behind = self.place.store.head().0.saturating_sub(engine.applied.0);
        if behind > OPEN_WAIT_ROWS {
            tracing::info!(rows = behind, "the search index is being built from the store");
            self.work.lock().is_long = true;
            self.progress.notify_all();
        }
        if !self.replay(&mut engine, None)? {
            return Ok(None);
        }
        // From here on changes go to the tail. What came before this moment is at or before `target`, and is replayed.
        let target = {
            let mut state = self.state.write();
            state.collects = true;
            state.told
        };
        let target = target.max(self.place.store.head());
        if !self.replay(&mut engine, Some(target))? {
            return Ok(None);
        }
        if engine.has_uncommitted() {
            engine.commit()?;
        }
        self.open_for_searches(&engine)?;
        Ok(Some(engine))
    }

    /// Drops what searches look at and sends them away.
    fn start_build(&self) {
        let mut state = self.state.write();
        state.phase = Phase::Building;
        state.collects = false;
        state.seen = None;
        let tail = std::mem::take(&mut state.tail);
        let generation = std::mem::take(&mut state.generation);
        let mut work = self.work.lock();
        (work.rebuild, work.reopen, work.doubt) = (false, false, false);
        work.pending = 0;
        drop((state, work));
        self.progress.notify_all();
        drop((tail, generation));
    }

    /// Applies the feed: up to `target`, or without one until less than a batch is left. False if asked to end.
    fn replay(&self, engine: &mut Engine, target: Option<Seq>) -> Result<bool, IndexError> {
        let mut committed = engine.applied;
        while target.is_none_or(|target| engine.applied < target) {
            if self.work.lock().end.is_some() {
                return Ok(false);
            }
            let rows = self.place.store.feed(engine.applied, FEED_ROWS)?;
            for row in &rows {
                engine.apply(&entry_of(row)?)?;
            }
            if let Some(what) = engine.damage() {
                return Err(IndexError::Damaged(what));
            }
            if engine.applied.0 - committed.0 >= BUILD_COMMIT_ROWS {
                engine.commit()?;
                committed = engine.applied;
            }
            if rows.len() < FEED_ROWS && (target.is_none() || rows.is_empty()) {
                break;
            }
        }
        Ok(true)
    }

    fn open_for_searches(&self, engine: &Engine) -> Result<(), IndexError> {
        let generation = Arc::new(engine.generation(&Generation::default())?);
        let applied = generation.applied;
        let mut state = self.state.write();
        state.generation = generation;
        state.health = engine.health();
        let forgotten = state.tail.forget(applied);
        state.seen = state.tail.last().map(|entry| entry.mark).or(engine.last);
        let mut work = self.work.lock();
        let is_whole = state.tail.first().is_none_or(|first| first.seq.0 == applied.0 + 1);
        // Who asked for something else meanwhile is served first.
        if is_whole && !work.rebuild && !work.reopen {
            state.phase = Phase::Ready;
        } else {
            work.reopen = true;
        }
        work.pending = state.tail.len();
        drop((state, work));
        self.progress.notify_all();
        drop(forgotten);
        Ok(())
    }

    fn failed(&self, error: &IndexError) {
        tracing::error!(%error, "the search index could not be built");
        let mut state = self.state.write();
        state.phase = Phase::Failed(error.to_string());
        state.collects = false;
        state.seen = None;
        state.tail = Tail::default();
        let mut work = self.work.lock();
        work.pending = 0;
        work.flush_done = work.flush_asked;
        self.progress.notify_all();
    }

    /// Waits before the next attempt; true if asked to end.
    fn wait_to_retry(&self, delay: Duration) -> bool {
        let mut work = self.work.lock();
        while work.end.is_none() && !work.rebuild {
            if self.wake.wait_for(&mut work, delay).timed_out() {
                break;
            }
        }
        work.end.is_some()
    }

    /// Sends searches away and has the index rebuilt, unless that damage is of an index that is already gone.
    pub(crate) fn damaged(&self, health: &Arc<Health>, what: &str) {
        let mut state = self.state.write();
        if !Arc::ptr_eq(&state.health, health) || state.phase != Phase::Ready {
            return;
        }
        tracing::error!(what, "the search index is damaged and is rebuilt");
        state.phase = Phase::Building;
        drop(state);
        self.ask_rebuild();
    }

    /// Has the index dropped and built again.
    pub(crate) fn ask_rebuild(&self) {
        let mut state = self.state.write();
        if state.phase == Phase::Closed {
            return;
        }
        state.phase = Phase::Building;
        let mut work = self.work.lock();
        work.rebuild = true;
        drop((state, work));
        self.wake.notify_one();
    }

    pub(crate) fn stop(&self) {
        self.work.lock().end.get_or_insert(End::Commit);
        self.wake.notify_one();
    }

    #[cfg(test)]
    pub(crate) fn abandon(&self) {
        self.work.lock().end = Some(End::Abandon);
        self.wake.notify_one();
    }

    /// Has the tail committed and waits for it.
    pub(crate) fn flush(&self) -> Result<(), IndexError> {
        let mut work = self.work.lock();
        work.flush_asked += 1;
        let asked = work.flush_asked;
        self.wake.notify_one();
        while work.flush_done < asked && !work.ended {
            self.progress.wait(&mut work);
        }
        drop(work);
        self.answer_for_phase()
    }

    /// Waits until searches are answered.
    pub(crate) fn wait_until_ready(&self) -> Result<(), IndexError> {
        self.wait_while_building(|_| true)
    }

    /// Waits until searches are answered or it is known that this takes long.
    pub(crate) fn wait_until_open(&self) -> Result<(), IndexError> {
        match self.wait_while_building(|work| !work.is_long) {
            Err(IndexError::Unavailable) if self.work.lock().is_long => Ok(()),
            other => other,
        }
    }

    fn wait_while_building(&self, goes_on: impl Fn(&Work) -> bool) -> Result<(), IndexError> {
        loop {
            let state = self.state.read();
            let mut work = self.work.lock();
            let is_building = state.phase == Phase::Building;
            drop(state);
            if !is_building || !goes_on(&work) || work.ended {
                drop(work);
                return self.answer_for_phase();
            }
            // Every change of phase is followed by a notice, given after the lock that is held here was free.
            self.progress.wait(&mut work);
        }
    }

    fn answer_for_phase(&self) -> Result<(), IndexError> {
        match &self.state.read().phase {
            Phase::Ready => Ok(()),
            Phase::Building | Phase::Closed => Err(IndexError::Unavailable),
            Phase::Failed(why) => Err(IndexError::Engine(why.clone())),
        }
    }
}
