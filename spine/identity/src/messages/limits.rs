//! How often somebody may ask for a message: by source, by what was typed, and in all. In memory and by node, like the counts of
//! failed sign-ins; what one *address* gets is counted in the store, for all nodes ([`allowed`]).

use std::collections::HashMap;
use std::time::Duration;

use iris_kernel::Timestamp;
use parking_lot::Mutex;

/// Questions from one source in [`WINDOW`]: a whole clinic may sit behind one address.
pub(crate) const SOURCE_ASKS_MAX: u32 = 30;
/// Questions about one name, address or record in [`WINDOW`].
pub(crate) const NAMED_ASKS_MAX: u32 = 5;
/// Questions in all in [`WINDOW`], on one node.
pub(crate) const ASKS_MAX: u32 = 3_000;
/// The time in which questions are counted.
pub(crate) const WINDOW: Duration = Duration::from_secs(600);
/// Most counts that are kept.
const COUNTS_MAX: usize = 50_000;

/// Messages to one address in an hour that nobody signed in has asked for.
pub(crate) const HOUR_MAX: usize = 3;
/// Messages to one address in a day after which there is only one in an hour.
pub(crate) const DAY_FREE: usize = 6;
/// Most times that are kept of an address.
pub(crate) const SENT_KEPT: usize = 40;

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

/// What becomes of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// It counts.
    Taken,
    /// The same name was asked about too often: answered like any other, and nothing happens.
    Ignored,
    /// This source, or everybody together, asks too often; come back after this time.
    Refused(Duration),
}

#[derive(Clone, Copy)]
struct Count {
    since: Timestamp,
    number: u32,
}

#[derive(Default)]
pub(crate) struct Limits(Mutex<HashMap<[u8; 32], Count>>);

impl Limits {
    /// Counts a question from a source about a name; both are digests.
    pub(crate) fn ask(&self, source: [u8; 32], named: [u8; 32], now: Timestamp) -> Asked {
        let mut counts = self.0.lock();
        if counts.len() + 3 > COUNTS_MAX {
            counts.retain(|_, count| now.since(count.since) < WINDOW);
            if counts.len() + 3 > COUNTS_MAX {
                // So many sources at once are one attacker; forgetting the counts would be what they want.
                return Asked::Refused(WINDOW);
            }
        }
        for (key, most) in [([0; 32], ASKS_MAX), (source, SOURCE_ASKS_MAX)] {
            if let Err(rest) = count(&mut counts, key, most, now) {
                return Asked::Refused(rest);
            }
        }
        match count(&mut counts, named, NAMED_ASKS_MAX, now) {
            Ok(()) => Asked::Taken,
            Err(_) => Asked::Ignored,
        }
    }
}

fn count(counts: &mut HashMap<[u8; 32], Count>, key: [u8; 32], most: u32, now: Timestamp) -> Result<(), Duration> {
    let count = counts.entry(key).or_insert(Count { since: now, number: 0 });
    if now.since(count.since) >= WINDOW {
        *count = Count { since: now, number: 0 };
    }
    if count.number >= most {
        return Err(WINDOW.saturating_sub(now.since(count.since)));
    }
    count.number += 1;
    Ok(())
}

/// Whether an address that got messages at these times may get one more. Never none at all for longer than an hour: who asks in
/// somebody else's name must not be able to keep a link from them.
pub(crate) fn allowed(sent: &[i64], now: Timestamp) -> bool {
    let within = |span: Duration| sent.iter().filter(|at| now.since(Timestamp(**at)) < span).count();
    within(HOUR) < if within(DAY) < DAY_FREE { HOUR_MAX } else { 1 }
}

/// The times that still count.
pub(crate) fn recent(sent: &[i64], now: Timestamp) -> impl Iterator<Item = i64> {
    sent.iter().copied().filter(move |at| now.since(Timestamp(*at)) < DAY)
}

/// The times with one more, without those that count no longer.
pub(crate) fn with(sent: &[i64], now: Timestamp) -> Vec<i64> {
    let mut next: Vec<i64> = recent(sent, now).chain([now.0]).collect();
    let over = next.len().saturating_sub(SENT_KEPT);
    next.drain(..over);
    next
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp(1_000_000_000_000_000);

    fn key(n: u32) -> [u8; 32] {
        let mut key = [7; 32];
        key[..4].copy_from_slice(&n.to_be_bytes());
        key
    }

    #[test]
    fn attack_flood_each_bound_holds_and_one_more_is_too_many() {
        let limits = Limits::default();
        for n in 0..SOURCE_ASKS_MAX {
            assert_eq!(limits.ask(key(1), key(1_000 + n), START), Asked::Taken);
        }
        assert_eq!(limits.ask(key(1), key(9), START), Asked::Refused(WINDOW));
        for n in 0..NAMED_ASKS_MAX {
            assert_eq!(limits.ask(key(2 + n), key(500), START), Asked::Taken);
        }
        assert_eq!(limits.ask(key(99), key(500), START), Asked::Ignored);
        assert_eq!(limits.ask(key(1), key(500), START.plus(WINDOW)), Asked::Taken);
        let limits = Limits::default();
        for n in 0..ASKS_MAX {
            assert_eq!(limits.ask(key(n), key(100_000 + n), START), Asked::Taken);
        }
        assert_eq!(limits.ask(key(ASKS_MAX), key(1), START), Asked::Refused(WINDOW));
    }

    #[test]
    fn attack_flood_a_victim_gets_few_and_never_none_for_more_than_an_hour() {
        let (mut sent, mut got) = (Vec::new(), Vec::new());
        for minute in 0..24 * 60 {
            let now = START.plus(Duration::from_secs(minute * 60));
            if allowed(&sent, now) {
                sent = with(&sent, now);
                got.push(minute);
            }
        }
        assert!(got.len() <= 30, "{got:?}");
        assert!(got.windows(2).all(|pair| pair[1] - pair[0] <= 60), "{got:?}");
        assert!(sent.len() <= SENT_KEPT);
    }
}
