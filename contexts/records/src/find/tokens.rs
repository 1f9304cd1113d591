//! What somebody typed, taken apart.

use iris_search::words::words;

/// A piece of what was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    /// As typed for a number, folded for a word, in lower case for an address.
    pub(super) text: String,
    pub(super) sort: Sort,
    /// The letters and digits of the whole piece, if a digit is in it: it may be an identifier.
    pub(super) identifier: Option<String>,
}

/// What a piece looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    /// A word with a letter in it.
    Word,
    /// Digits, and signs as in dates and telephone numbers.
    Number,
    /// With an `@`.
    Mail,
}

impl Token {
    /// The digits of a number.
    pub(super) fn digits(&self) -> String {
        self.text.chars().filter(char::is_ascii_digit).collect()
    }
}

/// Signs that stand in numbers.
const NUMBER_SIGNS: [char; 8] = ['-', '/', '.', '(', ')', '+', '#', '_'];

/// The pieces of a text, in order. What has neither letter nor digit falls away.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let pieces = text.split(|sign: char| sign.is_whitespace() || matches!(sign, ',' | ';' | '\u{0}'));
    for piece in pieces.filter(|piece| piece.chars().any(char::is_alphanumeric)) {
        let is_number = piece.chars().all(|sign| sign.is_ascii_digit() || NUMBER_SIGNS.contains(&sign));
        let plain = iris_search::term::plain(piece);
        let identifier = plain.chars().any(|sign| sign.is_ascii_digit()).then_some(plain);
        if piece.contains('@') {
            tokens.push(Token { text: piece.to_lowercase(), sort: Sort::Mail, identifier: None });
        } else if is_number {
            tokens.push(Token { text: piece.to_owned(), sort: Sort::Number, identifier });
        } else {
            // A word has a letter or a digit: what is left of marks alone is none.
            let words = words(piece).into_iter().filter(|word| word.chars().any(char::is_alphanumeric));
            tokens.extend(words.map(|text| Token { text, sort: Sort::Word, identifier: identifier.clone() }));
        }
    }
    tokens
}

/// Every stretch of two to `longest` neighbours of one sort, as places.
pub(super) fn runs(tokens: &[Token], sort: Sort, longest: usize) -> impl Iterator<Item = std::ops::Range<usize>> + '_ {
    let starts = 0..tokens.len();
    starts.flat_map(move |start| {
        let alike = tokens[start..].iter().take(longest).take_while(|token| token.sort == sort).count();
        (2..=alike).map(move |length| start..start + length)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<(String, Sort)> {
        tokens(text).into_iter().map(|token| (token.text, token.sort)).collect()
    }

    #[test]
    fn words_numbers_and_addresses_are_told_apart() {
        let of = |text: &str, sort| (text.to_owned(), sort);
        assert_eq!(
            shown("GARCÍA-López, José"),
            [of("garcia", Sort::Word), of("lopez", Sort::Word), of("jose", Sort::Word)]
        );
        assert_eq!(shown("maria 04/12/1987"), [of("maria", Sort::Word), of("04/12/1987", Sort::Number)]);
        assert_eq!(shown("(555) 010-4477"), [of("(555)", Sort::Number), of("010-4477", Sort::Number)]);
        assert_eq!(shown("Ann@Example.org"), [of("ann@example.org", Sort::Mail)]);
        assert_eq!(shown(" -- ' !"), []);
        assert_eq!(tokens("A-17")[0].identifier.as_deref(), Some("a17"));
        assert_eq!(tokens("ann")[0].identifier, None);
    }

    #[test]
    fn neighbours_of_one_sort_make_runs() {
        let typed = tokens("mary ann 555 0123");
        assert!(runs(&typed, Sort::Word, 3).eq([(0, 2)].map(|(from, to)| from..to)));
        assert!(runs(&typed, Sort::Number, 4).eq([(2, 4)].map(|(from, to)| from..to)));
    }
}
