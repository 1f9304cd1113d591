//! Words that are nearly another: what misspelling leaves.

use std::fmt;
use std::sync::{Arc, LazyLock, OnceLock};

use levenshtein_automata::{DFA, Distance, LevenshteinAutomatonBuilder, SINK_STATE};

use super::term;

/// Fewest letters of a word that may be misspelt: one letter of three is a third of it.
const LETTERS_MIN: usize = 4;
/// Letters from which on two mistakes are allowed.
const LETTERS_OF_TWO: usize = 8;
/// Most letters of a word that may be misspelt: the table of an automaton grows with them, and making one of 24 letters takes
/// milliseconds.
pub const NEAR_LETTERS_MAX: usize = 16;

/// Making these takes milliseconds, making an automaton from them microseconds.
static BUILDERS: LazyLock<[LevenshteinAutomatonBuilder; 2]> =
    LazyLock::new(|| [1, 2].map(|mistakes| LevenshteinAutomatonBuilder::new(mistakes, true)));

/// How much of a word is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reach {
    /// All of it.
    Whole,
    /// Some beginning of it: somebody is still typing.
    Beginning,
}

/// The test whether a name has a word that is nearly the one asked for: with one letter wrong, missing or too many or two
/// neighbours swapped, from four letters on, and two such mistakes from eight letters on. The first letter may be wrong too.
///
/// One automaton answers it, for a document in memory as for the dictionary of an index, so that both give one answer.
#[derive(Clone)]
pub struct Near {
    head: [u8; 3],
    word: Arc<str>,
    reach: Reach,
    mistakes: u8,
    automaton: Arc<OnceLock<DFA>>,
}

impl Near {
    /// The test for a word (one of [`super::words::words`]) of a name that `param` reads. `None` for a word that is too short or
    /// too long to be misspelt.
    #[must_use]
    pub fn new(param: u16, word: &str, reach: Reach) -> Option<Self> {
        let mistakes = match word.chars().count() {
            LETTERS_OF_TWO..=NEAR_LETTERS_MAX => 2,
            LETTERS_MIN..LETTERS_OF_TWO => 1,
            _ => return None,
        };
        Some(Self { head: term::word_head(param), word: word.into(), reach, mistakes, automaton: Arc::default() })
    }

    /// What every term that it can hold for starts with: parameter and mode.
    #[must_use]
    pub const fn head(&self) -> &[u8; 3] {
        &self.head
    }

    /// Whether it holds for a word.
    #[must_use]
    pub fn holds(&self, word: &[u8]) -> bool {
        let mut state = self.start();
        for &byte in word {
            state = self.step(state, byte);
            if !Self::can_hold(state) {
                return false;
            }
        }
        self.holds_at(state)
    }

    /// The state of the automaton before the first byte of a word.
    #[must_use]
    pub fn start(&self) -> u32 {
        self.automaton().initial_state()
    }

    /// The state after one more byte. Where a beginning is enough, nothing that follows it takes it back: the library's
    /// automaton of prefixes can leave a state that accepts.
    #[must_use]
    pub fn step(&self, state: u32, byte: u8) -> u32 {
        if self.reach == Reach::Beginning && self.holds_at(state) {
            return state;
        }
        self.automaton().transition(state, byte)
    }

    /// Whether it holds for a word that ends here.
    #[must_use]
    pub fn holds_at(&self, state: u32) -> bool {
        matches!(self.automaton().distance(state), Distance::Exact(_))
    }

    /// Whether it can hold for any word that goes on from here.
    #[must_use]
    pub const fn can_hold(state: u32) -> bool {
        state != SINK_STATE
    }

    fn automaton(&self) -> &DFA {
        self.automaton.get_or_init(|| {
            let builder = &BUILDERS[usize::from(self.mistakes) - 1];
            match self.reach {
                Reach::Whole => builder.build_dfa(&self.word),
                Reach::Beginning => builder.build_prefix_dfa(&self.word),
            }
        })
    }
}

impl PartialEq for Near {
    fn eq(&self, other: &Self) -> bool {
        (self.head, &self.word, self.reach) == (other.head, &other.word, other.reach)
    }
}

impl Eq for Near {}

impl fmt::Debug for Near {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Near").field("word", &self.word).field("reach", &self.reach).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn holds(asked: &str, had: &str) -> bool {
        Near::new(7, asked, Reach::Whole).is_some_and(|near| near.holds(had.as_bytes()))
    }

    /// Optimal string alignment, by the textbook table.
    fn distance(a: &str, b: &str) -> usize {
        let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
        let mut table = vec![vec![0; b.len() + 1]; a.len() + 1];
        for i in 0..=a.len() {
            for j in 0..=b.len() {
                table[i][j] = if i == 0 || j == 0 {
                    i + j
                } else {
                    let cost = usize::from(a[i - 1] != b[j - 1]);
                    let mut best = (table[i - 1][j] + 1).min(table[i][j - 1] + 1).min(table[i - 1][j - 1] + cost);
                    if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                        best = best.min(table[i - 2][j - 2] + 1);
                    }
                    best
                };
            }
        }
        table[a.len()][b.len()]
    }

    #[test]
    fn one_mistake_from_four_letters_two_from_eight() {
        for (asked, had, expected) in [
            ("gracia", "garcia", true),
            ("garsia", "garcia", true),
            ("arcia", "garcia", true),
            ("harcia", "garcia", true),
            ("grasia", "garcia", false),
            ("lee", "les", false),
            ("jose", "josé", true),
            ("gonzales", "gonzalez", true),
            ("gonsales", "gonzalez", true),
            ("konsales", "gonzalez", false),
        ] {
            assert_eq!(holds(asked, had), expected, "{asked} {had}");
        }
        assert!(Near::new(7, &"x".repeat(NEAR_LETTERS_MAX), Reach::Whole).is_some());
        assert!(Near::new(7, &"x".repeat(NEAR_LETTERS_MAX + 1), Reach::Whole).is_none());
    }

    #[test]
    fn a_beginning_is_enough_for_who_is_still_typing() {
        let near = Near::new(7, "gonsal", Reach::Beginning).unwrap();
        assert!(near.holds(b"gonzalez"));
        assert!(!near.holds(b"garcia"));
        // Two letters of the one asked for are missing in a beginning of the other.
        assert!(Near::new(7, "ééééaéaé", Reach::Beginning).unwrap().holds("ééééééba".as_bytes()));
        assert_ne!(near, Near::new(7, "gonsal", Reach::Whole).unwrap());
    }

    proptest! {
        #[test]
        fn it_holds_within_the_distance(asked in "[a-dé]{4,12}", had in "[a-dé]{0,12}") {
            let allowed = if asked.chars().count() < LETTERS_OF_TWO { 1 } else { 2 };
            prop_assert_eq!(holds(&asked, &had), distance(&asked, &had) <= allowed);
            let beginning = Near::new(7, &asked, Reach::Beginning).unwrap();
            let ends = had.char_indices().map(|(at, _)| at).chain([had.len()]);
            let nearest = ends.map(|end| distance(&asked, &had[..end])).min().unwrap();
            prop_assert_eq!(beginning.holds(had.as_bytes()), nearest <= allowed);
        }
    }
}
