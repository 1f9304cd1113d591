//! Chance that follows from the seed: the same parts always give the same draws.

use iris_kernel::Entropy;
use uuid::Uuid;

/// What draws are made for. Each topic of each person has draws of its own, so that a change in one part of the generator
/// does not change the others, and so that a person is the same however many others are made.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Topic {
    Clinic = 1,
    Household,
    Person,
    Visits,
    Doses,
    Problems,
    Results,
    Vitals,
    Allergies,
    Alerts,
    Coverage,
}

/// A seeded source of numbers (splitmix64).
#[derive(Clone, Debug)]
pub(crate) struct Chance(u64);

const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

const fn mixed(state: u64) -> u64 {
    let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

impl Chance {
    /// The draws for a topic of a household and, where it is about one of its persons, of that member.
    pub(crate) fn of(seed: u64, topic: Topic, household: u32, member: u32) -> Self {
        let parts = [topic as u64, u64::from(household), u64::from(member)];
        Self(parts.iter().fold(mixed(seed.wrapping_add(STEP)), |state, part| mixed(state ^ part.wrapping_mul(STEP))))
    }

    /// Draws for one thing among several, by its name.
    pub(crate) fn apart(&self, name: &str) -> Self {
        Self(name.bytes().fold(self.0, |state, byte| mixed(state ^ u64::from(byte).wrapping_mul(STEP))))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        mixed(self.0)
    }

    /// A number from `low` to `high`, both included; `low` where the range is empty.
    pub(crate) fn between(&mut self, low: i64, high: i64) -> i64 {
        let width = u64::try_from(high.saturating_sub(low)).unwrap_or(0) + 1;
        low.saturating_add(i64::try_from(self.next() % width).unwrap_or(0))
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        u32::try_from(self.next() % u64::from(bound.max(1))).unwrap_or(0)
    }

    /// True in so many of a hundred cases.
    pub(crate) fn percent(&mut self, of_hundred: u32) -> bool {
        self.below(100) < of_hundred
    }

    /// One of a table, which is never empty.
    pub(crate) fn pick<'a, T>(&mut self, table: &'a [T]) -> &'a T {
        let place = self.next() % (table.len() as u64).max(1);
        &table[usize::try_from(place).unwrap_or(0)]
    }

    /// One of a table of words.
    pub(crate) fn word(&mut self, table: &[&'static str]) -> &'static str {
        let word: &&'static str = self.pick(table);
        word
    }

    /// An id.
    pub(crate) fn id(&mut self) -> String {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.next().to_be_bytes());
        bytes[8..].copy_from_slice(&self.next().to_be_bytes());
        let id: Uuid = uuid::Builder::from_random_bytes(bytes).into_uuid();
        id.to_string()
    }
}

/// Hands one number to whoever asks for bytes: the records context then makes its medical record number of it.
pub(crate) struct Fixed(pub(crate) u64);

impl Entropy for Fixed {
    fn fill(&self, out: &mut [u8]) {
        let bytes = self.0.to_be_bytes();
        for (place, byte) in out.iter_mut().enumerate() {
            *byte = bytes[place % bytes.len()];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_follow_from_seed_topic_and_place_alone() {
        let draws = |seed, topic, household, member| {
            let mut chance = Chance::of(seed, topic, household, member);
            (chance.between(0, 1_000_000), chance.id())
        };
        let one = draws(1, Topic::Person, 2, 3);
        assert_eq!(one, draws(1, Topic::Person, 2, 3));
        for other in [draws(2, Topic::Person, 2, 3), draws(1, Topic::Visits, 2, 3), draws(1, Topic::Person, 3, 2)] {
            assert_ne!(one, other);
        }
    }

    #[test]
    fn ranges_hold_their_ends() {
        let mut chance = Chance::of(7, Topic::Clinic, 0, 0);
        let drawn: Vec<i64> = (0..200).map(|_| chance.between(-1, 1)).collect();
        assert!([-1, 0, 1].iter().all(|wanted| drawn.contains(wanted)));
        assert!(drawn.iter().all(|number| (-1..=1).contains(number)));
        assert_eq!(chance.between(5, 4), 5);
        assert_eq!(chance.below(0), 0);
    }
}
