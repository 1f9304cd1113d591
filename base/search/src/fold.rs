//! Folding: what makes `JOSÉ`, `José` and `jose` the same in a string search.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::canonical_combining_class;

/// Folds a text for string searches: compatibility decomposition, combining marks dropped, lower case, letters without a
/// decomposition spelt out (`ß` ss, `æ` ae, `ø` o, `ł` l …), runs of white space made one blank, trimmed.
///
/// Punctuation stays, so `O'Brien` is not `OBrien`. Folding a folded text changes nothing.
#[must_use]
pub fn fold(text: &str) -> Cow<'_, str> {
    if is_plain(text.as_bytes()) {
        return Cow::Borrowed(text);
    }
    if text.is_ascii() {
        return Cow::Owned(fold_ascii(text));
    }
    Cow::Owned(fold_letters(text))
}

/// [`fold_letters`] of ASCII, which needs no tables of letters: most texts are that.
fn fold_ascii(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    let mut blank = false;
    for letter in text.chars() {
        if letter.is_whitespace() {
            blank = !folded.is_empty();
            continue;
        }
        if blank {
            folded.push(' ');
            blank = false;
        }
        folded.push(letter.to_ascii_lowercase());
    }
    folded
}

fn fold_letters(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    let mut blank = false;
    for mark_or_letter in text.nfkd().flat_map(char::to_lowercase).nfkd() {
        if is_accent(mark_or_letter) {
            continue;
        }
        if mark_or_letter.is_whitespace() {
            blank = !folded.is_empty();
            continue;
        }
        if blank {
            folded.push(' ');
            blank = false;
        }
        match spelt_out(mark_or_letter) {
            Some(letters) => folded.push_str(letters),
            None => folded.push(mark_or_letter),
        }
    }
    folded
}

/// Whether the text is its own folding, decided without decoding it: lower-case ASCII with single inner blanks.
fn is_plain(bytes: &[u8]) -> bool {
    let mut before = b' ';
    for &byte in bytes {
        let fits = matches!(byte, b'!'..=b'@' | b'['..=b'~') || (byte == b' ' && before != b' ');
        if !fits {
            return false;
        }
        before = byte;
    }
    before != b' ' || bytes.is_empty()
}

/// Whether this is a mark that people leave out. Nukta (class 7), kana voicing marks (8) and virama (9) change the letter and
/// stay; so do vowel signs, which have no class.
fn is_accent(mark: char) -> bool {
    !matches!(canonical_combining_class(mark), 0 | 7..=9)
}

/// Letters that Unicode does not decompose but people leave the stroke or ligature out of. All of them lower case: it runs
/// after lower-casing.
const fn spelt_out(letter: char) -> Option<&'static str> {
    Some(match letter {
        'ß' => "ss",
        'æ' => "ae",
        'œ' => "oe",
        'ø' => "o",
        'đ' | 'ð' => "d",
        'ħ' => "h",
        'ı' => "i",
        'ł' => "l",
        'ŧ' => "t",
        'þ' => "th",
        'ς' => "σ",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{fold, fold_ascii, fold_letters};

    #[test]
    fn folds_case_marks_ligatures_and_blanks() {
        let table = [
            ("", ""),
            ("smith", "smith"),
            ("Smith", "smith"),
            ("  van  der\tBerg ", "van der berg"),
            ("José", "jose"),
            ("JOSE\u{301}", "jose"),
            ("Müller", "muller"),
            ("Weiß", "weiss"),
            ("WEISS", "weiss"),
            ("Łukasz", "lukasz"),
            ("Ångström", "angstrom"),
            ("İstanbul", "istanbul"),
            ("O'Brien-Smith", "o'brien-smith"),
            ("ﬁnch", "finch"),
            ("Ὀδυσσεύς", "οδυσσευσ"),
            ("田中", "田中"),
            ("ガ", "カ\u{3099}"),
            ("हिन्दी", "हिन्दी"),
            ("\u{a0}", ""),
        ];
        for (text, folded) in table {
            assert_eq!(fold(text), folded, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn folding_twice_changes_nothing(text in any::<String>()) {
            let once = fold(&text).into_owned();
            prop_assert_eq!(fold(&once).into_owned(), once);
        }

        #[test]
        fn ascii_is_folded_as_any_text(text in "[\\x00-\\x7f]{0,40}") {
            prop_assert_eq!(fold_ascii(&text), fold_letters(&text));
        }

        #[test]
        fn case_does_not_matter(text in "[a-zA-ZäöüéàñçÄÖÜÉÀÑÇ '-]{0,40}") {
            let (upper, lower) = (text.to_uppercase(), text.to_lowercase());
            prop_assert_eq!(fold(&upper), fold(&lower));
        }
    }
}
