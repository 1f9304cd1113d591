//! Whether a server that says nothing is busy or hangs, and what else its connections have to tell each other.
//!
//! A statement may take long, and a server that has stopped says nothing either. Whoever has waited for [`QUIET`] has somebody
//! look: the server that took the last connection must take another one. If it does not, or another server does in its place,
//! all who wait are told at once, and no connection from before is used again.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::{sleep, timeout};
use tokio_postgres::error::{DbError, Severity};

use super::link::Link;

/// How long an answer may take before somebody looks whether the server is still there.
const QUIET: Duration = Duration::from_millis(1_500);
/// Rest between two looks.
const REST: Duration = Duration::from_millis(500);

/// What a look at a server found.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// It takes connections.
    Well,
    /// Another one takes them in its place.
    Another,
    Nobody,
}

/// What the connections of one link share.
pub(super) struct Pulse {
    wanted: Notify,
    /// How often a server was found to hang.
    hung: watch::Sender<u64>,
    /// Which server of the URL took the last connection.
    place: AtomicUsize,
    warnings: AtomicU64,
}

impl Default for Pulse {
    fn default() -> Self {
        let (wanted, hung) = (Notify::new(), watch::Sender::new(0));
        Self { wanted, hung, place: AtomicUsize::new(0), warnings: AtomicU64::new(0) }
    }
}

impl Pulse {
    /// Which server of the URL took the last connection.
    pub(super) fn place(&self) -> usize {
        self.place.load(Ordering::Acquire)
    }

    pub(super) fn took(&self, place: usize) {
        self.place.store(place, Ordering::Release);
    }

    /// How many warnings the server has sent. One comes before the answer that it is about.
    pub(super) fn warnings(&self) -> u64 {
        self.warnings.load(Ordering::Acquire)
    }

    pub(super) fn noticed(&self, notice: &DbError) {
        if notice.parsed_severity() == Some(Severity::Warning) {
            self.warnings.fetch_add(1, Ordering::AcqRel);
        }
    }

    /// Returns when the server was found to hang after this had waited for some time; never while it is well.
    pub(super) async fn hangs(&self) {
        sleep(QUIET).await;
        let mut hung = self.hung.subscribe();
        loop {
            self.wanted.notify_one();
            if timeout(QUIET, hung.changed()).await.is_ok() {
                return;
            }
        }
    }
}

/// Looks whenever somebody has waited for long.
pub(super) async fn watch(link: Weak<Link>, pulse: Arc<Pulse>) {
    loop {
        pulse.wanted.notified().await;
        let Some(link) = link.upgrade() else { return };
        let found = link.look().await;
        if found != Found::Well {
            link.forsake(found);
            pulse.hung.send_modify(|times| *times += 1);
        }
        drop(link);
        sleep(REST).await;
    }
}
