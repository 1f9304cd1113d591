//! Looking up by typing: words in any order, each the beginning of a word of the vaccine, best first.

use std::cmp::Reverse;

use iris_search::fold::fold;

use super::{Manufacturer, Status, Vaccine, Vaccines};

/// What a look-up found.
#[derive(Debug)]
pub struct Found<'a, T> {
    /// The best, as many as were wanted.
    pub items: Vec<&'a T>,
    /// How many there are.
    pub total: usize,
}

/// The words under which something is found.
#[derive(Clone, Debug, Default)]
pub(super) struct WordSet(Vec<String>);

impl WordSet {
    pub(super) fn of(texts: &[&str]) -> Self {
        let mut words = Vec::new();
        for token in texts.iter().flat_map(|text| tokens(text)) {
            words.push(token.whole);
            words.extend(token.parts);
        }
        words.sort();
        words.dedup();
        Self(words)
    }

    fn holds(&self, token: &Token) -> bool {
        let begins = |start: &str| self.0.iter().any(|word| word.starts_with(start));
        let is = |whole: &str| self.0.iter().any(|word| word == whole);
        // A part of one letter, or a number, is too little to be the beginning of something.
        let part = |part: &String| {
            if part.len() == 1 || part.bytes().all(|b| b.is_ascii_digit()) { is(part) } else { begins(part) }
        };
        begins(&token.whole) || (token.parts.len() > 1 && token.parts.iter().all(part))
    }
}

/// The words of one vaccine. Those of a product count only together with each other: no manufacturer is mixed with another's
/// trade name.
#[derive(Clone, Debug, Default)]
pub(super) struct Words {
    own: WordSet,
    products: Vec<WordSet>,
    /// Short name and trade names, as one word each.
    names: Vec<String>,
    /// Groups, as one word each.
    groups: Vec<String>,
}

impl Words {
    pub(super) fn of(vaccine: &Vaccine, table: &Vaccines) -> Self {
        let number = vaccine.code.trim_start_matches('0');
        let mut own: Vec<&str> = vec![&vaccine.code, number, &vaccine.name, &vaccine.full_name];
        own.extend(vaccine.groups.iter().map(String::as_str));
        own.extend(vaccine.groups.iter().filter_map(|group| table.also.get(group)).map(String::as_str));
        let products = vaccine.products.iter().map(|product| {
            let mvx = product.mvx.as_deref().unwrap_or_default();
            WordSet::of(&[&product.trade_name, mvx, table.maker(mvx).map_or("", |maker| &maker.name)])
        });
        let names = vaccine.products.iter().map(|product| &product.trade_name).chain([&vaccine.name]);
        Self {
            own: WordSet::of(&own),
            products: products.collect(),
            names: names.map(|name| joined(name)).collect(),
            groups: vaccine.groups.iter().map(|group| joined(group)).collect(),
        }
    }

    fn hold(&self, tokens: &[Token]) -> bool {
        tokens.iter().all(|token| self.own.holds(token))
            || self
                .products
                .iter()
                .any(|product| tokens.iter().all(|token| self.own.holds(token) || product.holds(token)))
    }

    /// How well the names fit, 0 best: a name as typed, a name that begins so or a group as typed, a name that begins with one of
    /// the words, a word somewhere.
    fn fit(&self, typed: &str, tokens: &[Token]) -> u8 {
        let begins = |start: &str| self.names.iter().chain(&self.groups).any(|name| name.starts_with(start));
        if self.names.iter().any(|name| name == typed) {
            0
        } else if begins(typed) {
            1
        } else if tokens.iter().any(|token| begins(&token.whole)) {
            2
        } else {
            3
        }
    }
}

/// A typed word: without its punctuation, and in its parts of letters and of digits.
struct Token {
    whole: String,
    parts: Vec<String>,
}

fn tokens(text: &str) -> Vec<Token> {
    let folded = fold(text);
    let tokens = folded.split_whitespace().map(|token| Token { whole: joined(token), parts: parts(token) });
    tokens.filter(|token| !token.whole.is_empty()).collect()
}

/// The letters and digits of a text, folded.
fn joined(text: &str) -> String {
    fold(text).chars().filter(|c| c.is_alphanumeric()).collect()
}

fn parts(token: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut before = None;
    for c in token.chars() {
        let kind = c.is_alphanumeric().then(|| c.is_numeric());
        match (kind, parts.last_mut()) {
            (None, _) => {}
            (Some(_), Some(last)) if kind == before => last.push(c),
            (Some(_), _) => parts.push(c.to_string()),
        }
        before = kind;
    }
    parts
}

impl Vaccines {
    /// The vaccines that fit what is typed; all of them for an empty text. The order: a code as typed; current ones; how well the
    /// name fits; single vaccines before combinations; what is sold in more packages; the number of the code.
    #[must_use]
    pub fn find(&self, typed: &str, active_only: bool, items_max: usize) -> Found<'_, Vaccine> {
        let (tokens, whole) = (tokens(typed), joined(typed));
        let is_code = |vaccine: &Vaccine| {
            !whole.is_empty() && vaccine.code.trim_start_matches('0') == whole.trim_start_matches('0')
        };
        let fitting = self
            .vaccines
            .iter()
            .zip(&self.words)
            .filter(|(vaccine, words)| (!active_only || vaccine.status == Status::Active) && words.hold(&tokens));
        let rank = |(vaccine, words): (_, &Words)| {
            let vaccine: &Vaccine = vaccine;
            let fit = words.fit(&whole, &tokens);
            let (combined, number) = (vaccine.groups.len() > 1, vaccine.code.trim_start_matches('0'));
            let order = (vaccine.status, fit, combined, Reverse(vaccine.packages));
            (!is_code(vaccine), order, number.len(), number.to_owned())
        };
        best(fitting.map(|pair| (rank(pair), pair.0)).collect(), items_max)
    }

    /// The manufacturers that fit what is typed; all of them for an empty text. The order: a code as typed; current ones; names
    /// that begin so; names.
    #[must_use]
    pub fn find_manufacturers(&self, typed: &str, active_only: bool, items_max: usize) -> Found<'_, Manufacturer> {
        let (tokens, whole) = (tokens(typed), joined(typed));
        let fitting = self.manufacturers.iter().zip(&self.maker_words).filter(|(maker, words)| {
            (!active_only || maker.status == Status::Active) && tokens.iter().all(|token| words.holds(token))
        });
        let rank = |maker: &Manufacturer| {
            let name = joined(&maker.name);
            (joined(&maker.code) != whole, maker.status, !name.starts_with(&whole), name)
        };
        best(fitting.map(|(maker, _)| (rank(maker), maker)).collect(), items_max)
    }
}

fn best<'a, R: Ord, T>(mut ranked: Vec<(R, &'a T)>, items_max: usize) -> Found<'a, T> {
    let total = ranked.len();
    ranked.sort_by(|a, b| a.0.cmp(&b.0));
    Found { items: ranked.into_iter().take(items_max).map(|(_, item)| item).collect(), total }
}
