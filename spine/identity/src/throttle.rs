//! Failed attempts, counted in memory by account and source, and by source alone. A restart forgets them: guessing stays
//! bounded by the cost of argon2id, and nobody stays locked out.

use std::collections::HashMap;
use std::time::Duration;

use iris_kernel::Timestamp;
use parking_lot::Mutex;

/// Failures on one account from one source before the first wait.
pub const FAILURES_FREE: u32 = 5;
/// Failures from one source, whatever the account, before the first wait: a whole clinic may sit behind one address.
pub const SOURCE_FAILURES_FREE: u32 = 100;
/// First wait; each further failure doubles it.
const WAIT_FIRST: Duration = Duration::from_secs(1);
/// Longest wait.
const WAIT_MAX: Duration = Duration::from_secs(300);
/// After this time without a failure an entry is forgotten.
const QUIET: Duration = Duration::from_secs(900);
/// Most entries; beyond it the forgotten ones go first, then the oldest.
pub const ENTRIES_MAX: usize = 50_000;

/// What is counted: a SHA-256 of the account and source, so that names are not kept in memory and all keys have one size.
pub(crate) type Key = [u8; 32];

#[derive(Clone, Copy)]
struct Failures {
    count: u32,
    last: Timestamp,
}

/// Who is trying: the account from a source, and the source.
#[derive(Clone, Copy)]
pub(crate) struct Attempt {
    pub(crate) account: Key,
    pub(crate) source: Key,
}

#[derive(Default)]
pub(crate) struct Throttle(Mutex<HashMap<Key, Failures>>);

impl Throttle {
    /// How long this attempt has to wait; `None` if it may be made.
    pub(crate) fn wait(&self, attempt: &Attempt, now: Timestamp) -> Option<Duration> {
        let table = self.0.lock();
        let left = |key: &Key, free: u32| {
            let failures = table.get(key)?;
            let until = failures.last.plus(delay(failures.count, free));
            (until > now && !forgotten(failures, now)).then(|| until.since(now))
        };
        left(&attempt.account, FAILURES_FREE).max(left(&attempt.source, SOURCE_FAILURES_FREE))
    }

    /// Counts a failure.
    pub(crate) fn failed(&self, attempt: &Attempt, now: Timestamp) {
        let mut table = self.0.lock();
        if table.len() + 2 > ENTRIES_MAX {
            make_room(&mut table, now);
        }
        for key in [attempt.account, attempt.source] {
            let failures = table.entry(key).or_insert(Failures { count: 0, last: now });
            failures.count = if forgotten(failures, now) { 1 } else { failures.count.saturating_add(1) };
            failures.last = now;
        }
    }

    /// Forgets the account's failures from this source after a success. The source's own count stays: one known password must
    /// not open the way to guess others.
    pub(crate) fn succeeded(&self, attempt: &Attempt) {
        self.0.lock().remove(&attempt.account);
    }
}

fn forgotten(failures: &Failures, now: Timestamp) -> bool {
    now.since(failures.last) >= QUIET
}

fn delay(count: u32, free: u32) -> Duration {
    match count.checked_sub(free) {
        None => Duration::ZERO,
        Some(over) => WAIT_MAX.min(WAIT_FIRST.saturating_mul(1 << over.min(16))),
    }
}

/// Drops what is forgotten; if that is nothing, the older half, so that a flood costs a pass over the table only now and then.
fn make_room(table: &mut HashMap<Key, Failures>, now: Timestamp) {
    table.retain(|_, failures| !forgotten(failures, now));
    if table.len() + 2 <= ENTRIES_MAX {
        return;
    }
    let mut times: Vec<_> = table.values().map(|failures| failures.last).collect();
    let middle = times.len() / 2;
    let median = *times.select_nth_unstable(middle).1;
    table.retain(|_, failures| failures.last > median);
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp(1_000_000_000_000_000);

    fn key(n: u64) -> Key {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&n.to_le_bytes());
        key
    }

    #[test]
    fn the_wait_begins_after_the_free_failures_doubles_and_ends() {
        let throttle = Throttle::default();
        let mallory = Attempt { account: key(1), source: key(2) };
        let elsewhere = Attempt { account: key(3), source: key(4) };
        for _ in 1..FAILURES_FREE {
            throttle.failed(&mallory, START);
            assert_eq!(throttle.wait(&mallory, START), None);
        }
        throttle.failed(&mallory, START);
        assert_eq!(throttle.wait(&mallory, START), Some(Duration::from_secs(1)));
        throttle.failed(&mallory, START);
        assert_eq!(throttle.wait(&mallory, START), Some(Duration::from_secs(2)));
        assert_eq!(throttle.wait(&mallory, START.plus(Duration::from_secs(2))), None);
        assert_eq!(throttle.wait(&elsewhere, START), None, "the owner signs in from another place");
        for _ in 0..100 {
            throttle.failed(&mallory, START);
        }
        assert_eq!(throttle.wait(&mallory, START), Some(WAIT_MAX));
        assert_eq!(throttle.wait(&mallory, START.plus(QUIET)), None);
        throttle.succeeded(&mallory);
        assert!(throttle.wait(&mallory, START).is_some(), "the source's own count stays");
    }

    #[test]
    fn one_source_cannot_spray_many_accounts() {
        let throttle = Throttle::default();
        for account in 0..u64::from(SOURCE_FAILURES_FREE) {
            throttle.failed(&Attempt { account: key(1_000 + account), source: key(1) }, START);
        }
        assert!(throttle.wait(&Attempt { account: key(9_999), source: key(1) }, START).is_some());
    }

    #[test]
    fn the_table_is_bounded() {
        let throttle = Throttle::default();
        for n in 0..(ENTRIES_MAX as u64) {
            let at = START.plus(Duration::from_micros(n));
            throttle.failed(&Attempt { account: key(2 * n), source: key(2 * n + 1) }, at);
            assert!(throttle.0.lock().len() <= ENTRIES_MAX);
        }
    }
}
