//! The machine's clock and randomness: the only place that asks for either.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use iris_kernel::{Clock, Entropy, Timestamp};

/// The machine, as everything below is handed it.
pub struct Machine {
    /// Its clock.
    pub clock: Arc<dyn Clock>,
    /// Its randomness.
    pub entropy: Arc<dyn Entropy>,
}

impl Machine {
    /// The one this process runs on.
    #[must_use]
    pub fn real() -> Self {
        Self { clock: Arc::new(SystemClock::new()), entropy: Arc::new(SystemEntropy::default()) }
    }
}

/// The machine's clock.
#[derive(Debug)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// A clock whose monotonic time starts now.
    #[must_use]
    #[allow(clippy::disallowed_methods, reason = "this is the clock that everybody else is handed")]
    pub fn new() -> Self {
        Self { start: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "this is the clock that everybody else is handed")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }
}

/// The crypto provider's random generator, seeded by the operating system.
#[derive(Debug, Default)]
pub struct SystemEntropy {
    generator: SystemRandom,
}

impl Entropy for SystemEntropy {
    fn fill(&self, out: &mut [u8]) {
        if self.generator.fill(out).is_err() {
            // Without randomness every key and nonce would be guessable: no answer is better than that one.
            tracing::error!("the system's random generator failed");
            std::process::abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_goes_forward_and_is_of_this_century() {
        let clock = SystemClock::new();
        let (wall, steady) = (clock.now(), clock.monotonic());
        assert!(wall.rfc3339().starts_with("20"));
        assert!(clock.monotonic() >= steady);
    }

    #[test]
    fn two_draws_differ() {
        let entropy = SystemEntropy::default();
        assert_ne!(entropy.uuid(), entropy.uuid());
    }
}
