//! Failed attempts, counted in memory: by account and source, by source alone, by account alone, and by known device.
//!
//! Whoever tries from somewhere unknown waits as long as the strictest of the first three says. So one source cannot guess on, nor
//! try one password on many accounts, and a thousand sources that each try a little are bounded by the account's own count. That
//! last one would let anybody keep an owner out; therefore a device on which the owner has signed in before (`devices`) is
//! counted by itself alone, and what strangers fail elsewhere does not touch it. A restart forgets the counts: guessing stays bounded
//! by the cost of argon2id, and nobody stays locked out.

use std::collections::HashMap;
use std::time::Duration;

use iris_kernel::Timestamp;
use parking_lot::Mutex;

/// Failures on one account from one source, or from one known device, before the first wait.
pub const FAILURES_FREE: u32 = 5;
/// Failures from one source, whatever the account, before the first wait: a whole clinic may sit behind one address.
pub const SOURCE_FAILURES_FREE: u32 = 100;
/// Failures on one account, whatever the source, before the first wait of unknown devices (NIST SP 800-63B-4, 3.2.2: no more than
/// a hundred).
pub const ACCOUNT_FAILURES_FREE: u32 = 100;
/// First wait; each further failure doubles it.
const WAIT_FIRST: Duration = Duration::from_secs(1);
/// Longest wait.
pub const WAIT_MAX: Duration = Duration::from_secs(300);
/// After this time without a failure an entry is forgotten.
const QUIET: Duration = Duration::from_secs(900);
/// The same for an account over all sources: who spreads guesses must not start again every quarter of an hour.
const ACCOUNT_QUIET: Duration = Duration::from_secs(86_400);
/// Most entries; beyond it the forgotten ones go first, then the oldest.
pub const ENTRIES_MAX: usize = 50_000;

/// What is counted: a SHA-256 of the account and source, so that names are not kept in memory and all keys have one size.
pub(crate) type Key = [u8; 32];

#[derive(Clone, Copy)]
struct Failures {
    count: u32,
    last: Timestamp,
    /// How many of them cost nothing.
    free: u32,
    /// After which time without a failure it is forgotten.
    quiet: Duration,
}

/// Who is trying.
#[derive(Clone, Copy)]
pub(crate) enum Attempt {
    /// From somewhere unknown: the account from this source, the source, and, where people choose the secret, the account from
    /// anywhere.
    Stranger { account: Key, source: Key, anywhere: Option<Key> },
    /// From a device on which this account has signed in before.
    Known { device: Key },
}

impl Attempt {
    /// What is counted, with the failures that cost nothing and the time after which they are forgotten.
    fn counts(&self) -> impl Iterator<Item = (Key, u32, Duration)> + use<> {
        let counts = match *self {
            Attempt::Known { device } => [Some((device, FAILURES_FREE, QUIET)), None, None],
            Attempt::Stranger { account, source, anywhere } => [
                Some((account, FAILURES_FREE, QUIET)),
                Some((source, SOURCE_FAILURES_FREE, QUIET)),
                anywhere.map(|anywhere| (anywhere, ACCOUNT_FAILURES_FREE, ACCOUNT_QUIET)),
            ],
        };
        counts.into_iter().flatten()
    }
}

#[derive(Default)]
pub(crate) struct Throttle(Mutex<HashMap<Key, Failures>>);

impl Throttle {
    /// How long this attempt has to wait; `None` if it may be made.
    pub(crate) fn wait(&self, attempt: &Attempt, now: Timestamp) -> Option<Duration> {
        let table = self.0.lock();
        let left = |(key, free, _): (Key, u32, Duration)| {
            let failures = table.get(&key)?;
            let until = failures.last.plus(delay(failures.count, free));
            (until > now && !forgotten(failures, now)).then(|| until.since(now))
        };
        attempt.counts().filter_map(left).max()
    }

    /// Counts a failure.
    pub(crate) fn failed(&self, attempt: &Attempt, now: Timestamp) {
        let mut table = self.0.lock();
        if table.len() + 3 > ENTRIES_MAX {
            make_room(&mut table, now);
        }
        for (key, free, quiet) in attempt.counts() {
            let failures = table.entry(key).or_insert(Failures { count: 0, last: now, free, quiet });
            failures.count = if forgotten(failures, now) { 1 } else { failures.count.saturating_add(1) };
            failures.last = now;
        }
    }

    /// Forgets the account's failures from this source, or the device's, after a success. The other counts stay: one known password
    /// must not open the way to guess others, and an owner who signs in must not give strangers another hundred guesses.
    pub(crate) fn succeeded(&self, attempt: &Attempt) {
        let (Attempt::Stranger { account: own, .. } | Attempt::Known { device: own }) = attempt;
        self.0.lock().remove(own);
    }
}

fn forgotten(failures: &Failures, now: Timestamp) -> bool {
    now.since(failures.last) >= failures.quiet
}

fn delay(count: u32, free: u32) -> Duration {
    match count.checked_sub(free) {
        None => Duration::ZERO,
        Some(over) => WAIT_MAX.min(WAIT_FIRST.saturating_mul(1 << over.min(16))),
    }
}

/// Drops what is forgotten; if that is not enough, the older half of those who do not wait for anything yet: whoever floods the table with
/// names that nobody has must not make it forget whose password is being guessed. Half of the whole only where all of them wait. So a
/// flood costs a pass over the table only now and then.
fn make_room(table: &mut HashMap<Key, Failures>, now: Timestamp) {
    table.retain(|_, failures| !forgotten(failures, now));
    if table.len() + 3 <= ENTRIES_MAX {
        return;
    }
    let waits = |failures: &Failures| failures.count >= failures.free;
    let mut times: Vec<_> = table.values().filter(|failures| !waits(failures)).map(|failures| failures.last).collect();
    let all = times.len() * 2 < table.len();
    if all {
        times = table.values().map(|failures| failures.last).collect();
    }
    let middle = times.len() / 2;
    let median = *times.select_nth_unstable(middle).1;
    table.retain(|_, failures| (!all && waits(failures)) || failures.last > median);
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

    fn stranger(account: u64, source: u64) -> Attempt {
        Attempt::Stranger { account: key(account), source: key(source), anywhere: None }
    }

    #[test]
    fn the_wait_begins_after_the_free_failures_doubles_and_ends() {
        let throttle = Throttle::default();
        let (mallory, elsewhere) = (stranger(1, 2), stranger(3, 4));
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
            throttle.failed(&stranger(1_000 + account, 1), START);
        }
        assert!(throttle.wait(&stranger(9_999, 1), START).is_some());
    }

    #[test]
    fn many_sources_cannot_guess_one_account_and_cannot_keep_a_known_device_out() {
        let throttle = Throttle::default();
        let from = |n: u64| Attempt::Stranger { account: key(2 * n), source: key(2 * n + 1), anywhere: Some(key(0)) };
        let (owner, thief) = (Attempt::Known { device: key(7) }, Attempt::Known { device: key(9) });
        let mut let_in = 0;
        for n in 10..10_010 {
            if throttle.wait(&from(n), START).is_none() {
                let_in += 1;
                throttle.failed(&from(n), START);
            }
            assert_eq!(throttle.wait(&owner, START), None);
        }
        assert_eq!(let_in, ACCOUNT_FAILURES_FREE);
        throttle.succeeded(&owner);
        assert!(throttle.wait(&from(10), START).is_some(), "the owner's success gives strangers no further guesses");
        let day = START.plus(ACCOUNT_QUIET - Duration::from_secs(1));
        throttle.failed(&from(20_000), day);
        assert!(throttle.wait(&from(20_001), day).is_some(), "a pause shorter than a day forgets nothing");
        for _ in 0..FAILURES_FREE {
            throttle.failed(&thief, START);
        }
        assert!(throttle.wait(&thief, START).is_some(), "a stolen device has a count of its own");
        assert_eq!(throttle.wait(&owner, START), None);
    }

    #[test]
    fn attack_a_flood_of_names_does_not_make_the_table_forget_whose_password_is_guessed() {
        let throttle = Throttle::default();
        let of_alice =
            |source| Attempt::Stranger { account: key(source), source: key(source + 1), anywhere: Some(key(1)) };
        for n in 0..u64::from(ACCOUNT_FAILURES_FREE) {
            throttle.failed(&of_alice(1_000 + 2 * n), START);
        }
        assert!(throttle.wait(&of_alice(9_000), START).is_some());
        // Each from somewhere else and about another name, twice as many as there is room for.
        for n in 0..(ENTRIES_MAX as u64) {
            let base = 1_000_000 + 3 * n;
            let nobody = Attempt::Stranger { account: key(base), source: key(base + 1), anywhere: Some(key(base + 2)) };
            throttle.failed(&nobody, START.plus(Duration::from_micros(n)));
        }
        assert!(throttle.0.lock().len() <= ENTRIES_MAX);
        assert!(throttle.0.lock()[&key(1)].count >= ACCOUNT_FAILURES_FREE);
        assert!(throttle.wait(&of_alice(9_000), START).is_some(), "the next guess would be free");
    }

    #[test]
    fn the_table_is_bounded() {
        let throttle = Throttle::default();
        for n in 0..(ENTRIES_MAX as u64) {
            let at = START.plus(Duration::from_micros(n));
            throttle.failed(&stranger(2 * n, 2 * n + 1), at);
            assert!(throttle.0.lock().len() <= ENTRIES_MAX);
        }
    }
}
