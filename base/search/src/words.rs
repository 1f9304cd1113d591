//! The words of names: what somebody is found by as one types, in any order and spelling.
//!
//! A FHIR string search compares the beginning of a whole name part. People type any word of it: the second of `de la Cruz`,
//! one half of `Smith-Jones`, `maryann` for `Mary Ann`. Kinds of which a parameter reads a human name are therefore found by
//! each word as well, by its first letters, by words that are nearly it ([`super::Near`]) and by words that sound like it
//! ([`super::sound`]).

use unicode_normalization::char::canonical_combining_class;

use super::fold::fold;
use super::{Criterion, term};

/// Letters of a word that count; what follows is not looked at, on neither side.
pub const WORD_LETTERS_MAX: usize = 48;
/// Beginnings of at most so many letters have a term of their own, so that a search for two letters is one list and not a
/// union of thousands.
pub const START_LETTERS_MAX: usize = 3;
/// Words of one name part that are also found written as one.
const JOINED_WORDS_MAX: usize = 5;

/// The words of a text, folded, in order. Signs part words; an apostrophe does not and is left out, so that `O'Brien` is
/// `obrien`.
#[must_use]
pub fn words(text: &str) -> Vec<String> {
    let folded = fold(text);
    let words = folded.split(|sign: char| !is_letter(sign) && !is_apostrophe(sign));
    words.map(|word| shortened(word.chars().filter(|sign| !is_apostrophe(*sign)))).filter(|w| !w.is_empty()).collect()
}

/// Every word that a name part is found by: its words, the pieces of those with an apostrophe, and its last words written as
/// one (`de la Cruz`: `cruz`, `lacruz`, `delacruz`).
pub(super) fn found_by(text: &str) -> Vec<String> {
    let mut found = words(text);
    let count = found.len();
    for first in (0..count.saturating_sub(1)).filter(|first| count - first <= JOINED_WORDS_MAX) {
        found.push(shortened(found[first..count].concat().chars()));
    }
    let folded = fold(text);
    if folded.contains(is_apostrophe) {
        let pieces = folded.split(|sign: char| !is_letter(sign));
        found.extend(pieces.filter(|piece| piece.chars().nth(1).is_some()).map(|piece| shortened(piece.chars())));
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// The beginnings of a word that have a term of their own, longest last.
pub(super) fn starts(word: &str) -> impl Iterator<Item = &str> {
    let ends = word.char_indices().map(|(at, letter)| at + letter.len_utf8()).take(START_LETTERS_MAX);
    ends.map(|end| &word[..end])
}

/// The criterion for words that begin so. `beginning` is one of [`words`]; `param` the index of a parameter on human names.
#[must_use]
pub fn beginning(param: u16, beginning: &str) -> Criterion {
    if beginning.chars().nth(START_LETTERS_MAX).is_some() {
        Criterion::Prefix(term::word(param, beginning))
    } else {
        Criterion::Term(term::word_start(param, beginning))
    }
}

/// Marks that folding leaves (nukta, virama, kana voicing) belong to their letter.
fn is_letter(sign: char) -> bool {
    sign.is_alphanumeric() || canonical_combining_class(sign) != 0
}

const fn is_apostrophe(sign: char) -> bool {
    matches!(sign, '\'' | '’' | '‘' | 'ʼ' | 'ʻ' | '`')
}

fn shortened(letters: impl Iterator<Item = char>) -> String {
    letters.take(WORD_LETTERS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_word_counts_and_signs_part_words() {
        for (text, expected) in [
            ("de la Cruz", &["de", "la", "cruz"][..]),
            ("Mary-Ann", &["mary", "ann"]),
            ("O’Brien-Smith", &["obrien", "smith"]),
            ("GARCÍA, José M.", &["garcia", "jose", "m"]),
            ("田中 太郎", &["田中", "太郎"]),
            ("हिन्दी", &["हिन्दी"]),
            (" '-., ", &[]),
        ] {
            assert_eq!(words(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_written_apart_is_found_written_as_one() {
        assert_eq!(found_by("de la Cruz"), ["cruz", "de", "delacruz", "la", "lacruz"]);
        assert_eq!(found_by("D'Angelo"), ["angelo", "dangelo"]);
        assert_eq!(found_by("Mary Ann"), ["ann", "mary", "maryann"]);
        assert_eq!(found_by("Li"), ["li"]);
    }

    #[test]
    fn a_word_has_a_last_letter_that_counts() {
        let whole = "x".repeat(WORD_LETTERS_MAX);
        assert_eq!(words(&whole).concat(), whole);
        assert_eq!(words(&format!("{whole}y")), [whole]);
    }

    #[test]
    fn short_beginnings_have_a_term_of_their_own() {
        assert_eq!(starts("garcia").collect::<Vec<_>>(), ["g", "ga", "gar"]);
        assert_eq!(starts("éa").collect::<Vec<_>>(), ["é", "éa"]);
        assert!(matches!(beginning(1, "gar"), Criterion::Term(_)));
        assert!(matches!(beginning(1, "garc"), Criterion::Prefix(_)));
    }

    proptest! {
        #[test]
        fn each_word_of_a_name_is_found_by_itself(text in any::<String>()) {
            let found = found_by(&text);
            for word in words(&text) {
                prop_assert!(found.contains(&word));
                prop_assert_eq!(words(&word), vec![word.clone()]);
            }
        }
    }
}
