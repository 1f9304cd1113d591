//! The index as the other crates see it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;

use iris_kernel::limits::FHIR_PAGE_MAX;
use iris_kernel::{Entropy, Secret, Seq, Tenant};
use iris_search::{Query, Targets};
use iris_store::{Follower, Store};
use parking_lot::{Condvar, Mutex, RwLock};

use crate::effort::Effort;
use crate::engine::Place;
use crate::error::IndexError;
use crate::follower::WeakFollower;
use crate::limits::{Limits, Restriction};
use crate::order::{Position, Rank, narrow};
use crate::ordinals::OrdinalsCache;
use crate::sealed::Health;
use crate::search::{Ask, Best, Narrow, Sink};
use crate::segment::Generation;
use crate::sorted::Sorted;
use crate::source::Source;
use crate::tail::{Mark, Tail};
use crate::targets::{CHAIN_TARGETS_MAX, Gather, Wanted};
use crate::values::ValuesCache;
use crate::verify::{VerifyReport, verify};
use crate::worker::{self, Work};

/// Where the index lies and what seals it.
pub struct IndexConfig {
    /// Its own folder; everything in it may be deleted and made again.
    pub folder: PathBuf,
    /// The key of its files, derived from the store's root under a label of its own.
    pub key: Secret<[u8; 32]>,
}

/// Which part of the answer is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Most matches, up to `FHIR_PAGE_MAX`; 0 only counts.
    pub size: usize,
    /// The position after which it starts: [`Hits::next`] of the page before.
    pub after: Option<Position>,
}

/// One page of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hits {
    /// The rows, in order. Fetch them with [`Store::rows`].
    pub seqs: Vec<Seq>,
    /// The position of each row, for callers that lay several answers over each other.
    pub positions: Vec<Position>,
    /// Where the next page starts, if there is one.
    pub next: Option<Position>,
    /// How many resources match on all pages together, exactly; `None` if the query does not want it.
    pub total: Option<u64>,
}

/// Whether searches are answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Searches are answered.
    Ready,
    /// Being built from the store, or catching up after a long absence.
    Building,
    /// Building failed for this reason; it is tried again.
    Failed(String),
    /// Closed by its owner.
    Closed,
}

/// What the health page shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Whether searches are answered.
    pub phase: Phase,
    /// The last change that a search sees.
    pub applied: Seq,
    /// The last change that survives a restart without catching up.
    pub committed: Seq,
    /// Changes held in memory only.
    pub tail: usize,
    /// Living documents on disk.
    pub documents: u64,
    /// Segments on disk.
    pub segments: usize,
}

/// The search index of this node.
pub struct Index {
    pub(crate) shared: Arc<Shared>,
    worker: Mutex<Option<JoinHandle<()>>>,
}

/// What searches, the follower and the index thread share.
pub(crate) struct Shared {
    pub(crate) place: Place,
    /// Taken before `work` where both are needed.
    pub(crate) state: RwLock<State>,
    pub(crate) ordinals: OrdinalsCache,
    pub(crate) values: ValuesCache,
    pub(crate) work: Mutex<Work>,
    /// The index thread waits here for something to do.
    pub(crate) wake: Condvar,
    /// Everybody else waits here for the index thread.
    pub(crate) progress: Condvar,
}

/// What a search looks at.
pub(crate) struct State {
    pub(crate) phase: Phase,
    pub(crate) generation: Arc<Generation>,
    pub(crate) health: Arc<Health>,
    pub(crate) tail: Tail,
    /// Whether changes go to the tail. While the index is built from the feed they do not, until it has nearly caught up.
    pub(crate) collects: bool,
    /// The last change that the store told of.
    pub(crate) told: Seq,
    /// The last change that a search sees; `None` if there is none, or while the index is built.
    pub(crate) seen: Option<Mark>,
}

impl Index {
    /// Opens the index, catches up with the store and follows it from then on: registers itself as the store's follower.
    ///
    /// A damaged index, one of another format and one of another store are dropped and rebuilt. A long catch-up goes on in
    /// the background, see [`Index::status`] and [`Index::ready`]; searches answer [`IndexError::Unavailable`] meanwhile.
    ///
    /// # Errors
    /// [`IndexError::Engine`] if the folder cannot be used, [`IndexError::Store`] if the store does not answer.
    pub fn open(config: IndexConfig, store: Store, entropy: Arc<dyn Entropy>) -> Result<Arc<Self>, IndexError> {
        let source = Arc::new(store.clone());
        Self::over(config, source, entropy, move |follower| store.follow(follower))
    }

    /// [`Index::open`] over any source; `follow` makes the source tell the follower of its changes.
    ///
    /// # Errors
    /// As [`Index::open`].
    pub fn over(
        config: IndexConfig,
        store: Arc<dyn Source>,
        entropy: Arc<dyn Entropy>,
        follow: impl FnOnce(Arc<dyn Follower>),
    ) -> Result<Arc<Self>, IndexError> {
        let place = Place { folder: config.folder, key: config.key, entropy, store };
        let shared = Arc::new(Shared {
            place,
            state: RwLock::new(State {
                phase: Phase::Building,
                generation: Arc::default(),
                health: Arc::default(),
                tail: Tail::default(),
                collects: false,
                told: Seq(0),
                seen: None,
            }),
            ordinals: OrdinalsCache::default(),
            values: ValuesCache::default(),
            work: Mutex::new(Work::default()),
            wake: Condvar::new(),
            progress: Condvar::new(),
        });
        follow(Arc::new(WeakFollower(Arc::downgrade(&shared))));
        let thread = worker::start(Arc::clone(&shared))?;
        let index = Arc::new(Self { shared, worker: Mutex::new(Some(thread)) });
        index.shared.wait_until_open()?;
        Ok(index)
    }

    /// Finds the resources of a tenant that match, within a restriction, in the query's order.
    ///
    /// Sees everything that was committed on this node before the call, and of other nodes what the store has told of, which
    /// [`Store::catch_up`] waits for. `query.count` is for the caller to turn into
    /// [`Page::size`]; with `query.summary_count` only the total is made.
    ///
    /// # Errors
    /// [`IndexError::Unavailable`] while the index is built, [`IndexError::Damaged`] if this search met damage,
    /// [`IndexError::Page`] for a page size above the limit.
    pub fn search(
        &self,
        tenant: Tenant,
        query: &Query,
        restriction: &Restriction,
        page: Page,
    ) -> Result<Hits, IndexError> {
        if page.size > FHIR_PAGE_MAX {
            return Err(IndexError::Page("more matches than a page can have"));
        }
        let size = if query.summary_count { 0 } else { page.size };
        // One more than the page, to know whether there is a next one.
        let wanted = if size == 0 { 0 } else { size + 1 };
        let (total, mut found) = match narrow(&query.sort) {
            Some(sort) => {
                let after = page.after.map(|position| Rank::of_position(sort, &position)).transpose()?;
                let sink = Narrow { sort, best: Best::new(wanted, after) };
                let best = self.shared.find(tenant, query, restriction, sink)?.best;
                let total = best.total;
                (
                    total,
                    best.into_sorted().into_iter().map(|(rank, seq)| (rank.position(sort), seq)).collect::<Vec<_>>(),
                )
            }
            None if size == 0 => (self.count(tenant, query, restriction)?, Vec::new()),
            None => {
                let sink = Sorted::new(tenant, query, &self.shared.ordinals, wanted, page.after)?;
                let best = self.shared.find(tenant, query, restriction, sink)?.best;
                (best.total, best.into_sorted())
            }
        };
        let total = (query.total.is_wanted() || query.summary_count).then_some(total);
        let has_more = found.len() > size;
        found.truncate(size);
        let next = found.last().filter(|_| has_more).map(|(position, _)| position.clone());
        let (positions, seqs) = found.into_iter().unzip();
        Ok(Hits { seqs, positions, next, total })
    }

    /// How many resources match, exactly.
    ///
    /// # Errors
    /// As [`Index::search`].
    pub fn count(&self, tenant: Tenant, query: &Query, restriction: &Restriction) -> Result<u64, IndexError> {
        Ok(self.shared.find(tenant, query, restriction, Narrow::counting())?.best.total)
    }

    /// The records that the matches of a query lead to, at most `limit` of them: what [`iris_search::Criterion::Refers`] and
    /// [`iris_search::Criterion::Own`] of another query ask for. Order and paging of the query do not count.
    ///
    /// # Errors
    /// As [`Index::search`]; [`IndexError::TooManyTargets`] past the limit, which is [`crate::CHAIN_TARGETS_MAX`] at most.
    pub fn targets(
        &self,
        tenant: Tenant,
        query: &Query,
        restriction: &Restriction,
        wanted: Wanted,
        limit: usize,
    ) -> Result<Arc<Targets>, IndexError> {
        let limit = limit.min(CHAIN_TARGETS_MAX);
        let sink = Gather::new(tenant, query, &self.shared.ordinals, wanted, limit);
        self.shared.find(tenant, query, restriction, sink)?.targets()
    }

    /// The last change that a search sees.
    #[must_use]
    pub fn applied(&self) -> Seq {
        self.status().applied
    }

    /// How it is.
    #[must_use]
    pub fn status(&self) -> Status {
        let state = self.shared.state.read();
        let committed = state.generation.applied;
        let seen = state.seen.filter(|_| state.phase == Phase::Ready).map_or(committed, |mark| mark.seq);
        Status {
            phase: state.phase.clone(),
            applied: seen.max(committed),
            committed,
            tail: state.tail.len(),
            documents: state.generation.living(),
            segments: state.generation.segments.len(),
        }
    }

    /// Waits until searches are answered.
    ///
    /// # Errors
    /// Why they are not going to be for now.
    pub fn ready(&self) -> Result<(), IndexError> {
        self.shared.wait_until_ready()
    }

    /// Commits what is in memory and waits for it.
    ///
    /// # Errors
    /// What the disk or the store said.
    pub fn flush(&self) -> Result<(), IndexError> {
        self.shared.flush()
    }

    /// Drops the index and builds it again from the store; waits for it.
    ///
    /// # Errors
    /// Why it could not be built.
    pub fn rebuild(&self) -> Result<(), IndexError> {
        self.shared.ask_rebuild();
        self.shared.wait_until_ready()
    }

    /// Compares the index with the store: every current row of a FHIR kind has one document with its sequence number and
    /// exactly the terms and dates that its body gives today, and there is no other document.
    ///
    /// Takes memory for each resource and reads every row once; writes go on meanwhile.
    ///
    /// # Errors
    /// [`IndexError::Damaged`], [`IndexError::Unavailable`], or what the store said.
    pub fn verify(&self) -> Result<VerifyReport, IndexError> {
        self.flush()?;
        self.shared.guarded(|| {
            let generation = self.shared.committed()?;
            verify(&generation, self.shared.place.store.as_ref())
        })
    }

    /// Has the index look at once whether the store still is the one that it followed: for callers who found that a row is not
    /// there, or is not what the index said. If it is another, searches answer [`IndexError::Unavailable`] until the index is right.
    pub fn doubt(&self) {
        self.shared.doubt();
    }

    /// Commits what is in memory and ends the index thread. Searches answer [`IndexError::Unavailable`] from then on.
    pub fn close(&self) {
        self.shared.stop();
        self.join();
    }

    fn join(&self) {
        let thread = self.worker.lock().take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the index thread ended in a panic");
        }
    }

    /// Ends without committing, as a crash would.
    #[cfg(test)]
    pub(crate) fn abandon(&self) {
        self.shared.abandon();
        self.join();
    }
}

impl Drop for Index {
    fn drop(&mut self) {
        self.close();
    }
}

impl Shared {
    /// Shows a sink every match of a query within a restriction: those of the tail and of the last commit as they are at one moment.
    fn find<S: Sink>(
        &self,
        tenant: Tenant,
        query: &Query,
        restriction: &Restriction,
        sink: S,
    ) -> Result<S, IndexError> {
        if !query.is_resolved() {
            return Err(IndexError::Unresolved);
        }
        let (limits, effort) = (Limits::new(restriction), Effort::default());
        let ask = Ask { tenant, query, limits: &limits, effort: &effort, values: &self.values };
        self.guarded(|| self.answer(&ask, sink))
    }

    fn answer<S: Sink>(&self, ask: &Ask<'_>, mut sink: S) -> Result<S, IndexError> {
        let state = self.state.read();
        if state.phase != Phase::Ready {
            return Err(IndexError::Unavailable);
        }
        let tail = state.tail.view();
        for entry in state.tail.active() {
            ask.collect_entry(&mut sink, &tail, entry);
        }
        let generation = Arc::clone(&state.generation);
        drop(state);
        ask.collect(&mut sink, &generation, &tail)?;
        Ok(sink)
    }

    /// The last commit, if searches are answered.
    fn committed(&self) -> Result<Arc<Generation>, IndexError> {
        let state = self.state.read();
        if state.phase == Phase::Ready { Ok(Arc::clone(&state.generation)) } else { Err(IndexError::Unavailable) }
    }

    /// Runs something that reads the index. Damage that it met, in whatever form it came out, becomes
    /// [`IndexError::Damaged`] and starts the rebuild: tantivy swallows or panics over some errors of the disk.
    fn guarded<T>(&self, read: impl FnOnce() -> Result<T, IndexError>) -> Result<T, IndexError> {
        let health = Arc::clone(&self.state.read().health);
        let result = catch_unwind(AssertUnwindSafe(read));
        let what = match (health.damage(), result) {
            (None, Ok(Err(IndexError::Damaged(what)))) => what,
            (None, Ok(result)) => return result,
            (Some(what), _) => what,
            (None, Err(_)) => "the search library ended in a panic".to_owned(),
        };
        self.damaged(&health, &what);
        Err(IndexError::Damaged(what))
    }
}
