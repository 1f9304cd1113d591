//! Whether the store still is the one that was followed. A replica that took over without the newest writes, or a backup that was put
//! back, goes on with the same sequences and other rows: an index that took no notice would answer with rows that are not there.

use iris_kernel::Seq;

use crate::index::{Phase, Shared};
use crate::tail::Mark;

impl Shared {
    /// Sends searches away and has the index opened again: from what is on disk, if that fits the store as it is now.
    pub(crate) fn ask_reopen(&self, why: &str) {
        let mut state = self.state.write();
        if matches!(state.phase, Phase::Closed | Phase::Failed(_)) {
            return;
        }
        tracing::warn!(why, "the search index is opened again");
        state.phase = Phase::Building;
        state.collects = false;
        let mut work = self.work.lock();
        work.reopen = true;
        drop((state, work));
        self.wake.notify_one();
    }

    /// Has the index thread look at the store's history now.
    pub(crate) fn doubt(&self) {
        self.work.lock().doubt = true;
        self.wake.notify_one();
    }

    /// Whether the store still has the row that a search saw last. If it has not, it went back to an earlier state, and everything
    /// that searches see of it is in doubt.
    pub(crate) fn look_at_history(&self) {
        if !self.place.store.is_shared() {
            return;
        }
        let Some(seen) = self.state.read().seen else { return };
        match self.place.store.feed(Seq(seen.seq.0.saturating_sub(1)), 1) {
            Ok(rows) if rows.first().map(Mark::from) == Some(seen) => {}
            Ok(_) => self.ask_reopen("the store has another history than the one that was followed"),
            // Who searches meets the same, and is told.
            Err(error) => tracing::debug!(%error, "the store's history cannot be looked at"),
        }
    }
}
