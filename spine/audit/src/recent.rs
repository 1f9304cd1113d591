//! Finding copies: an entry that somebody appends a second time is true in itself, opens and would be signed like any other.

use std::collections::HashMap;

use iris_kernel::Timestamp;

use crate::entry::Header;
use crate::report::{FaultKind, LogFault};

/// Entries remembered in each of two generations (some 25 MB together).
const GENERATION: usize = 500_000;

/// The last million entries or so of a verification. No two entries have the same commitment, since each is sealed with a
/// nonce of its own; so an equal one is a copy. A copy of an entry that is no longer remembered is older than all that are.
pub(crate) struct Recent {
    generation: usize,
    /// First eight bytes of the commitments, with their positions; and the time of the first of them.
    now: (HashMap<u64, u64>, Timestamp),
    before: Option<(HashMap<u64, u64>, Timestamp)>,
}

impl Default for Recent {
    fn default() -> Self {
        Self::new(GENERATION)
    }
}

impl Recent {
    fn new(generation: usize) -> Self {
        Self { generation, now: Default::default(), before: None }
    }

    /// Remembers an entry, and says what is wrong if it is a copy.
    pub(crate) fn check(&mut self, position: u64, header: &Header) -> Option<LogFault> {
        let [a, b, c, d, e, f, g, h, ..] = header.commitment;
        let mark = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
        if self.now.0.len() >= self.generation {
            self.before = Some(std::mem::take(&mut self.now));
        }
        if self.now.0.is_empty() {
            self.now.1 = header.at;
        }
        let older = self.before.as_ref().and_then(|(marks, _)| marks.get(&mark).copied());
        let known = self.now.0.insert(mark, position).or(older);
        let fault = |what: String| Some(LogFault::new(FaultKind::Repeated, what).at(position));
        match (known, &self.before) {
            (Some(known), _) => fault(format!("a copy of the entry at position {known}")),
            (None, Some((marks, since))) if header.at < *since => {
                fault(format!("the entry is older than the {} before it, as a copy would be", marks.len()))
            }
            _ => None,
        }
    }
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
        let mut recent = Recent::new(4);
        for number in 0..12_u8 {
            assert_eq!(recent.check(u64::from(number), &header(number, i64::from(number))), None);
        }
        let near = recent.check(12, &header(9, 9)).unwrap();
        assert_eq!((near.kind, near.position), (FaultKind::Repeated, Some(12)));
        assert!(near.what.contains("position 9"), "{near:?}");
        assert!(recent.check(13, &header(10, 10)).unwrap().what.contains("position 10"));
        assert_eq!(recent.check(14, &header(1, 1)).unwrap().kind, FaultKind::Repeated, "long forgotten, but too old");
        assert_eq!(recent.check(15, &header(15, 11)), None, "entries overtake one another a little");
    }
}
