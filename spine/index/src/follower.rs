//! Taking over changes on the store's writer thread.

use std::sync::{Arc, Weak};

use iris_fhir::search::SearchDocument;
use iris_store::{Change, Follower};

use crate::engine::entry_of;
use crate::error::IndexError;
use crate::index::{Index, Shared};
use crate::tail::Entry;
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
        let entries = match entries {
            Ok(entries) => entries,
            Err(error) => {
                // The rows are stored; only a build from the feed can bring them in now.
                tracing::error!(%error, "a change could not be taken into the search index, which is rebuilt");
                self.ask_rebuild();
                return;
            }
        };
        let mut state = self.state.write();
        let Some(last) = entries.last().map(|entry| entry.seq) else { return };
        let known = state.seen;
        state.seen = known.max(last);
        if !state.collects {
            return;
        }
        entries.into_iter().filter(|entry| entry.seq > known).for_each(|entry| state.tail.push(entry));
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

    fn entry(&self, change: &mut Change) -> Result<Entry, IndexError> {
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
        Ok(Entry { tenant, kind, seq, born, superseded, document })
    }
}
