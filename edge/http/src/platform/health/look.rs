//! Looks at one part of the server, each on a thread that may block, with an end to every wait: a part that hangs must make
//! neither the others nor the one who asks wait, and may hold one thread, not one for each question.

use std::sync::Arc;
use std::time::Duration;

use iris_kernel::{Clock, Timestamp};
use parking_lot::Mutex;
use tokio::sync::Notify;

/// Longest wait for a part. Whoever asks for health gives up after a second or two.
pub(crate) const LOOK_WAIT: Duration = Duration::from_millis(900);

/// How a part is, or the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum State {
    Healthy,
    /// Works, but something that is not needed for every request is away.
    Degraded,
    Unhealthy,
}

impl State {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Degraded => "degraded",
            Self::Unhealthy => "unhealthy",
        }
    }
}

/// What a look found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(super) state: State,
    pub(super) what: &'static str,
}

/// What is known of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Known {
    pub(super) found: Found,
    /// Since when its state is this one, as far as anybody looked.
    pub(super) since: Timestamp,
    /// When the last look ended.
    pub(super) at: Timestamp,
    /// How long that took; of a look that has not ended, how long it has taken so far.
    pub(super) took: Duration,
}

/// One part with the last look at it.
#[derive(Default)]
pub(crate) struct Part {
    seen: Mutex<Seen>,
    ended: Notify,
}

#[derive(Default)]
struct Seen {
    known: Option<Known>,
    /// When the look that goes on began, by the steady clock.
    begun: Option<Duration>,
    /// How many looks have ended.
    ended: u64,
}

impl Part {
    /// Looks, or waits for the look that goes on already, [`LOOK_WAIT`] at most.
    pub(super) async fn look<F>(self: &Arc<Self>, clock: &Arc<dyn Clock>, wait: Duration, look: F) -> Known
    where
        F: FnOnce() -> Found + Send + 'static,
    {
        let mut ended = std::pin::pin!(self.ended.notified());
        // Before the look can end, or its end would be missed.
        ended.as_mut().enable();
        let (begun, before) = {
            let mut seen = self.seen.lock();
            let begun = seen.begun.unwrap_or_else(|| {
                let now = clock.monotonic();
                self.begin(clock, now, look);
                now
            });
            seen.begun = Some(begun);
            (begun, seen.ended)
        };
        let in_time = tokio::time::timeout(wait, ended).await.is_ok();
        let mut seen = self.seen.lock();
        match seen.known {
            Some(known) if in_time || seen.ended > before => known,
            _ => {
                let what = Found { state: State::Unhealthy, what: "does not answer" };
                let took = clock.monotonic().saturating_sub(begun);
                let known = turned(seen.known, what, clock.now(), took);
                seen.known = Some(known);
                known
            }
        }
    }

    fn begin<F>(self: &Arc<Self>, clock: &Arc<dyn Clock>, begun: Duration, look: F)
    where
        F: FnOnce() -> Found + Send + 'static,
    {
        let (part, clock) = (Arc::clone(self), Arc::clone(clock));
        tokio::task::spawn_blocking(move || {
            let end = End { part: &part, clock: &*clock, begun };
            let found = look();
            end.with(found);
        });
    }

    fn ends(&self, found: Found, clock: &dyn Clock, begun: Duration) {
        let took = clock.monotonic().saturating_sub(begun);
        let mut seen = self.seen.lock();
        seen.known = Some(turned(seen.known, found, clock.now(), took));
        seen.begun = None;
        seen.ended += 1;
        drop(seen);
        self.ended.notify_waiters();
    }
}

/// Ends a look, also one that panics: the next one must not wait for it for ever.
struct End<'a> {
    part: &'a Part,
    clock: &'a dyn Clock,
    begun: Duration,
}

impl End<'_> {
    fn with(self, found: Found) {
        self.part.ends(found, self.clock, self.begun);
        std::mem::forget(self);
    }
}

impl Drop for End<'_> {
    fn drop(&mut self) {
        let found = Found { state: State::Unhealthy, what: "looking at it ended in a defect" };
        self.part.ends(found, self.clock, self.begun);
    }
}

fn turned(before: Option<Known>, found: Found, at: Timestamp, took: Duration) -> Known {
    let since = before.filter(|known| known.found.state == found.state).map_or(at, |known| known.since);
    Known { found, since, at, took }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc::channel;

    use iris_testkit::ManualClock;

    use super::*;

    const GOOD: Found = Found { state: State::Healthy, what: "answers" };

    fn clock() -> (Arc<ManualClock>, Arc<dyn Clock>) {
        let clock = Arc::new(ManualClock::default());
        (Arc::clone(&clock), clock)
    }

    #[tokio::test]
    async fn a_part_that_hangs_holds_one_thread_and_nobody_up() {
        let (_, clock) = clock();
        let part = Arc::new(Part::default());
        let (go_on, hang) = channel::<()>();
        let looks = Arc::new(AtomicUsize::new(0));
        let (counted, wait) = (Arc::clone(&looks), Duration::from_millis(20));
        let first = part.look(&clock, wait, move || {
            counted.fetch_add(1, Ordering::SeqCst);
            let _ = hang.recv();
            GOOD
        });
        assert_eq!(first.await.found.state, State::Unhealthy);
        for _ in 0..3 {
            let counted = Arc::clone(&looks);
            let again = part.look(&clock, wait, move || {
                counted.fetch_add(1, Ordering::SeqCst);
                GOOD
            });
            assert_eq!(again.await.found.what, "does not answer");
        }
        assert_eq!(looks.load(Ordering::SeqCst), 1);
        go_on.send(()).unwrap();
        // The look that hung ends, or a new one is made; both find it well.
        let mut found = part.look(&clock, LOOK_WAIT, || GOOD).await.found;
        if found != GOOD {
            found = part.look(&clock, LOOK_WAIT, || GOOD).await.found;
        }
        assert_eq!(found, GOOD);
    }

    #[tokio::test]
    async fn since_is_when_the_state_turned() {
        let (hands, clock) = clock();
        let part = Arc::new(Part::default());
        let first = part.look(&clock, LOOK_WAIT, || GOOD).await;
        hands.advance(Duration::from_secs(5));
        let second = part.look(&clock, LOOK_WAIT, || GOOD).await;
        assert_eq!((second.since, second.at), (first.at, clock.now()));
        hands.advance(Duration::from_secs(5));
        let bad = Found { state: State::Degraded, what: "slow" };
        let third = part.look(&clock, LOOK_WAIT, move || bad).await;
        assert_eq!(third.since, clock.now());
    }

    #[tokio::test]
    async fn a_look_that_panics_is_a_bad_state_and_not_the_last_look() {
        let (_, clock) = clock();
        let part = Arc::new(Part::default());
        let broken = part.look(&clock, LOOK_WAIT, || panic!("a defect")).await;
        assert_eq!(broken.found.what, "looking at it ended in a defect");
        assert_eq!(part.look(&clock, LOOK_WAIT, || GOOD).await.found, GOOD);
    }
}
