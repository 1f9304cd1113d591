//! Taking over changes on the thread on which the store tells of them.

use std::sync::{Arc, Weak};

use iris_kernel::Seq;
use iris_search::SearchDocument;
use iris_store::{Change, Follower, StoreError};

use crate::engine::entry_of;
use crate::error::IndexError;
use crate::index::{Index, Phase, Shared};
use crate::tail::{Entry, Mark};
use crate::worker::{COMMIT_CHANGES, TAIL_MAX};

/// The follower that the index registers: it does not keep the index alive.
pub(crate) struct WeakFollower(pub(crate) Weak<Shared>);

impl Follower for WeakFollower {
    fn committed(&self, changes: &mut [Change]) {
        if let Some(shared) = self.0.upgrade() {
            shared.follow(changes);
        }
    }
}

impl Follower for Index {
    fn committed(&self, changes: &mut [Change]) {
        self.shared.follow(changes);
    }
}

impl Shared {
    /// Puts changes into the tail, and waits if the index thread is too far behind: a bulk import must not outrun it without
    /// limit.
    fn follow(self: &Arc<Self>, changes: &mut [Change]) {
        let entries: Result<Vec<Entry>, IndexError> = changes.iter_mut().map(|change| self.entry(change)).collect();
        let (Some(first), Some(last)) = (changes.first(), changes.last()) else { return };
        let (first, last) = (first.seq, Mark::from(last));
        let mut state = self.state.write();
        let told = std::mem::replace(&mut state.told, last.seq);
        let entries = match entries {
            Ok(entries) => entries,
            Err(error) => {
                drop(state);
                self.cannot_take(&error);
                return;
            }
        };
        if first <= told {
            drop(state);
            self.ask_reopen("the store goes on from an earlier change than it had told of");
            return;
        }
        if !state.collects {
            return;
        }
        // What the feed gave at the opening may be told of afterwards.
        let known = state.seen.map_or(Seq(0), |seen| seen.seq);
        let before = told.max(known);
        if before > Seq(0) && first.0 > before.0 + 1 {
            drop(state);
            self.ask_reopen("changes were not told of");
            return;
        }
        entries.into_iter().filter(|entry| entry.seq > known).for_each(|entry| state.tail.push(entry));
        if state.phase == Phase::Ready {
            state.seen = state.tail.last().map(|entry| entry.mark).or(state.seen);
        }
        let mut work = self.work.lock();
        let was_idle = work.pending == 0;
        work.pending = state.tail.len();
        drop(state);
        if was_idle || work.pending >= COMMIT_CHANGES {
            self.wake.notify_one();
        }
        while work.pending > TAIL_MAX && work.is_running() {
            self.progress.wait(&mut work);
        }
    }

    /// The rows are stored; only the feed can bring them in now.
    fn cannot_take(self: &Arc<Self>, error: &IndexError) {
        match error {
            IndexError::Store(StoreError::Unavailable(_)) => {
                self.ask_reopen("the store went away while it told of a change");
            }
            _ => {
                tracing::error!(%error, "a change could not be taken into the search index, which is rebuilt");
                self.ask_rebuild();
            }
        }
    }

    fn entry(&self, change: &mut Change) -> Result<Entry, IndexError> {
        let mark = Mark::from(&*change);
        let Change { seq, tenant, kind, born, superseded, deleted, .. } = *change;
        let document = match change.shadow.take().map(|shadow| shadow.downcast::<SearchDocument>()) {
            _ if deleted => None,
            Some(Ok(document)) => Some(document),
            Some(Err(_)) | None if kind.is_fhir() => {
                let row = match change.row.take() {
                    Some(row) => Some(row),
                    None => self.place.store.row(tenant, seq)?,
                };
                let Some(row) = row else {
                    return Err(IndexError::Engine(format!("row {} is committed but not there", seq.0)));
                };
                entry_of(&row)?.document
            }
            Some(Err(_)) | None => None,
        };
        Ok(Entry { tenant, kind, seq, mark, born, superseded, document })
    }
}
