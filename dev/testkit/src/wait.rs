//! Waiting for what another process does: the one place of the tests that sleeps.
#![allow(clippy::disallowed_methods, reason = "another process tells nobody when it is done; it is asked again")]

use std::time::{Duration, Instant};

/// Asks every few milliseconds until there is an answer, and gives it.
///
/// # Panics
/// When there is none after `seconds`; `what` says what was waited for.
#[track_caller]
pub fn until<T>(seconds: u64, what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(start.elapsed() < Duration::from_secs(seconds), "waited {seconds} s for {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// How long something took.
pub fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let result = work();
    (result, start.elapsed())
}

/// The time since something began.
#[derive(Clone, Copy, Debug)]
pub struct Clock(Instant);

impl Clock {
    /// Begins now.
    #[must_use]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// How long ago that was.
    #[must_use]
    pub fn now(self) -> Duration {
        self.0.elapsed()
    }

    /// Waits until that time; not at all when it is past.
    pub fn until(self, at: Duration) {
        std::thread::sleep(at.saturating_sub(self.now()));
    }
}
