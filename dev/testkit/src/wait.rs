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
