//! Which history of the database this node goes by.
//!
//! A server says what life it leads: when it was started, which of its databases this is, and which file holds the rows
//! ([`super::sql`] has it beside the answers that something hangs on, so that an old connection cannot be taken for a new one).
//! Within one life things are only ever added to the database: a row is seen when its commit is flushed, a server that crashes
//! and recovers by itself has what was flushed, a standby that is promoted goes on from what it has shown, and the role of this
//! program may delete neither row nor key. Whatever can take something away, which is another server, a restart over other
//! files, a restored database or a rewritten table, begins another life. What a process remembers of an earlier one may be of
//! writes that were lost, and counts for nothing any more.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::RwLock;

/// What a server says of itself.
pub(super) type Life = Arc<str>;

/// The lives that this node has seen.
#[derive(Default)]
pub(super) struct Lives {
    now: RwLock<Now>,
    /// How many there were before the present one.
    past: AtomicU64,
}

#[derive(Default)]
enum Now {
    /// Nothing was heard yet.
    #[default]
    Unknown,
    Of(Life),
    /// This is not the database that was written to; there is no life after this.
    Over,
}

impl Lives {
    /// The server that takes the writes has said what life it leads.
    pub(super) fn seen(&self, life: &str) {
        let is_known = |now: &Now| match now {
            Now::Unknown => false,
            Now::Of(known) => **known == *life,
            Now::Over => true,
        };
        if is_known(&self.now.read()) {
            return;
        }
        let mut now = self.now.write();
        if is_known(&now) {
            return;
        }
        if let Now::Of(_) = &*now {
            self.past.fetch_add(1, Ordering::AcqRel);
            tracing::warn!("the database leads another life: what was remembered of it is forgotten");
        }
        *now = Now::Of(life.into());
    }

    /// The present one.
    pub(super) fn now(&self) -> Option<Life> {
        match &*self.now.read() {
            Now::Of(life) => Some(Arc::clone(life)),
            Now::Unknown | Now::Over => None,
        }
    }

    /// How many there were before it. What was found out under another number is forgotten.
    pub(super) fn past(&self) -> u64 {
        self.past.load(Ordering::Acquire)
    }

    /// There is none any more.
    pub(super) fn end(&self) {
        *self.now.write() = Now::Over;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_life_begins_where_a_server_says_something_else() {
        let lives = Lives::default();
        assert_eq!((lives.now(), lives.past()), (None, 0));
        for (life, past) in [("a", 0), ("a", 0), ("b", 1), ("b", 1), ("a", 2)] {
            lives.seen(life);
            assert_eq!((lives.now().as_deref(), lives.past()), (Some(life), past));
        }
        lives.end();
        lives.seen("c");
        assert_eq!((lives.now(), lives.past()), (None, 2));
    }
}
