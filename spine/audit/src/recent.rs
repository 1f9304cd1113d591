//! Finding copies: an entry that somebody appends a second time is true in itself, opens and would be signed like any other.

use std::collections::HashMap;

use iris_kernel::Timestamp;

use crate::entry::Header;
use crate::report::{FaultKind, LogFault};

/// Entries remembered in each of two generations (some 25 MB together).
pub(crate) const GENERATION: usize = 500_000;

/// Most entries kept apart (some 25 MB).
const EARLY_MAX: usize = 500_000;

/// The last million entries or so of a verification. No two entries have the same commitment, since each is sealed with a
/// nonce of its own; so an equal one is a copy. A copy of an entry that is no longer remembered is no younger than the
/// youngest of those. So is an honest entry after the clock was set back: such entries are only kept apart, for
/// [`Recent::original`] to be asked about every entry before them.
pub(crate) struct Recent {
    generation: usize,
    /// First eight bytes of the commitments, with their positions; and the latest time of them.
    now: (HashMap<u64, u64>, Option<Timestamp>),
    before: (HashMap<u64, u64>, Option<Timestamp>),
    /// The latest time of the entries that are no longer remembered.
    forgotten: Option<Timestamp>,
    /// Marks and positions of entries that may be copies of forgotten ones, [`EARLY_MAX`] at most.
    early: HashMap<u64, u64>,
}

impl Default for Recent {
    fn default() -> Self {
        Self::new(GENERATION)
    }
}

impl Recent {
    pub(crate) fn new(generation: usize) -> Self {
        Self { generation, now: Default::default(), before: Default::default(), forgotten: None, early: HashMap::new() }
    }

    /// Remembers an entry, and says what is wrong if it is a copy of one that is remembered. `earlier` counts the entries
    /// that are not younger than all that are forgotten.
    pub(crate) fn check(&mut self, position: u64, header: &Header, earlier: &mut u64) -> Option<LogFault> {
        let mark = mark(header);
        if self.now.0.len() >= self.generation {
            let older = std::mem::replace(&mut self.before, std::mem::take(&mut self.now));
            self.forgotten = self.forgotten.max(older.1);
        }
        self.now.1 = self.now.1.max(Some(header.at));
        let older = self.before.0.get(&mark).copied();
        if let Some(known) = self.now.0.insert(mark, position).or(older) {
            return Some(copy(position, known));
        }
        if Some(header.at) <= self.forgotten {
            *earlier += 1;
            if self.early.len() < EARLY_MAX {
                self.early.insert(mark, position);
            }
        }
        None
    }

    /// Whether there are entries that may be copies of ones no longer remembered.
    pub(crate) fn doubts(&self) -> bool {
        !self.early.is_empty()
    }

    /// Says what is wrong if a later entry, among those older than what was remembered, is a copy of this one.
    pub(crate) fn original(&self, position: u64, header: &Header) -> Option<LogFault> {
        self.early.get(&mark(header)).filter(|later| **later > position).map(|later| copy(*later, position))
    }
}

fn mark(header: &Header) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = header.commitment;
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}

fn copy(position: u64, of: u64) -> LogFault {
    LogFault::new(FaultKind::Repeated, format!("a copy of the entry at position {of}")).at(position)
}

#[cfg(test)]
mod tests {
    use iris_kernel::Tenant;

    use super::*;
    use crate::{Action, Outcome};

    fn header(number: u8, at: i64) -> Header {
        Header {
            tenant: Tenant::DEFAULT,
            actor: [0; 16],
            action: Action::PhiRead,
            outcome: Outcome::Success,
            at: Timestamp(at),
            commitment: [number; 32],
        }
    }

    #[test]
    fn copies_are_found_near_and_far() {
        let (mut recent, mut earlier) = (Recent::new(4), 0);
        let mut check = |position, header: Header| recent.check(position, &header, &mut earlier);
        for number in 0..12_u8 {
            assert_eq!(check(u64::from(number), header(number, i64::from(number))), None);
        }
        let near = check(12, header(9, 9)).unwrap();
        assert_eq!((near.kind, near.position), (FaultKind::Repeated, Some(12)));
        assert!(near.what.contains("position 9"), "{near:?}");
        assert!(check(13, header(10, 10)).unwrap().what.contains("position 10"));
        assert_eq!(check(14, header(1, 1)), None, "long forgotten");
        assert_eq!(check(15, header(15, 11)), None, "entries overtake one another a little");
        assert_eq!(check(16, header(16, 2)), None, "the clock was set back");
        assert_eq!(earlier, 2);
        let originals: Vec<_> =
            (0..17).filter_map(|number| recent.original(u64::from(number), &header(number, 0))).collect();
        let [far] = originals.as_slice() else { panic!("{originals:?}") };
        assert_eq!((far.position, far.what.as_str()), (Some(14), "a copy of the entry at position 1"));
    }
}
