//! The grammar of `_filter`, read without looking at what is searched.

use iris_fhir::json::Json;
use iris_kernel::limits::{SEARCH_FILTER_BYTES_MAX, SEARCH_FILTER_DEPTH_MAX, SEARCH_VALUE_BYTES_MAX};

use super::{FILTER_LEVELS_MAX, Operator};
use crate::criteria::Refusal;

/// A filter.
#[derive(Debug)]
pub(in crate::parse) enum Tree {
    /// One comparison.
    One(Comparison),
    /// All of these.
    All(Vec<Self>),
    /// One of these.
    Any(Vec<Self>),
    /// Not this.
    Not(Box<Self>),
}

/// One comparison.
#[derive(Debug)]
pub(in crate::parse) struct Comparison {
    /// The parts of the path that conditions in brackets stand behind, each with its condition: `a.b[…].` is the part `a.b`.
    pub(in crate::parse) tied: Vec<(String, Tree)>,
    /// The path behind them.
    pub(in crate::parse) last: String,
    /// How it is compared.
    pub(in crate::parse) operator: Operator,
    /// With what.
    pub(in crate::parse) value: String,
}

/// How two filters are joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Joint {
    And,
    Or,
}

/// Reads a filter.
///
/// # Errors
/// What is wrong with it, and where; no part of it is repeated, because it has values.
pub(super) fn read(text: &str) -> Result<Tree, Refusal> {
    if text.len() > SEARCH_FILTER_BYTES_MAX {
        return Err(format!("is longer than {SEARCH_FILTER_BYTES_MAX} bytes").into());
    }
    let mut rest = Rest { whole: text, text };
    let (tree, _) = joined(&mut rest, 0)?;
    rest.skip_blanks();
    if rest.text.is_empty() { Ok(tree) } else { Err(rest.fault("there is neither and nor or")) }
}

/// What is still to be read.
struct Rest<'a> {
    whole: &'a str,
    text: &'a str,
}

impl<'a> Rest<'a> {
    fn skip_blanks(&mut self) {
        self.text = self.text.trim_start();
    }

    fn take(&mut self, sign: char) -> bool {
        self.skip_blanks();
        match self.text.strip_prefix(sign) {
            Some(rest) => {
                self.text = rest;
                true
            }
            None => false,
        }
    }

    /// The signs up to a blank or one of `ends`.
    fn run(&mut self, ends: &[char]) -> &'a str {
        self.skip_blanks();
        let end = self.text.find(|sign: char| sign.is_whitespace() || ends.contains(&sign)).unwrap_or(self.text.len());
        let (run, rest) = self.text.split_at(end);
        self.text = rest;
        run
    }

    /// Takes a word if it comes next and ends there.
    fn word(&mut self, wanted: &str) -> bool {
        let before = self.text;
        if self.run(&['(', ')']) == wanted {
            return true;
        }
        self.text = before;
        false
    }

    fn fault(&self, what: &str) -> Refusal {
        let at = self.whole[..self.whole.len() - self.text.len()].chars().count() + 1;
        format!("is no filter: at sign {at} {what}").into()
    }
}

/// A filter with its levels: one for a comparison, one more for what holds it.
type Levelled = (Tree, usize);

/// Filters with `and` and `or` between them, from left to right, neither before the other: each change between the two is a level.
fn joined(rest: &mut Rest<'_>, depth: usize) -> Result<Levelled, Refusal> {
    let (mut tree, mut levels) = one(rest, depth)?;
    loop {
        let joint = if rest.word("and") {
            Joint::And
        } else if rest.word("or") {
            Joint::Or
        } else {
            return Ok((tree, levels));
        };
        let (next, below) = one(rest, depth)?;
        (tree, levels) = match (joint, tree) {
            (Joint::And, Tree::All(all)) => (Tree::All(all.into_iter().chain([next]).collect()), levels.max(below + 1)),
            (Joint::Or, Tree::Any(any)) => (Tree::Any(any.into_iter().chain([next]).collect()), levels.max(below + 1)),
            (Joint::And, before) => (Tree::All(vec![before, next]), levels.max(below) + 1),
            (Joint::Or, before) => (Tree::Any(vec![before, next]), levels.max(below) + 1),
        };
        within(rest, levels)?;
    }
}

/// Refuses more levels than a filter may have.
fn within(rest: &Rest<'_>, levels: usize) -> Result<(), Refusal> {
    if levels <= FILTER_LEVELS_MAX {
        return Ok(());
    }
    let of = "each change between and and or, each not and each bracket is one";
    Err(rest.fault(&format!("it has more than {FILTER_LEVELS_MAX} levels; {of}")))
}

fn one(rest: &mut Rest<'_>, depth: usize) -> Result<Levelled, Refusal> {
    if depth >= SEARCH_FILTER_DEPTH_MAX {
        return Err(rest.fault(&format!("it nests deeper than {SEARCH_FILTER_DEPTH_MAX}")));
    }
    let before = rest.text;
    let is_turned = rest.word("not") && {
        rest.skip_blanks();
        rest.text.starts_with('(')
    };
    if !is_turned {
        rest.text = before;
    }
    if !rest.take('(') {
        return comparison(rest, depth).map(|(comparison, levels)| (Tree::One(comparison), levels));
    }
    let (inner, levels) = joined(rest, depth + 1)?;
    if !rest.take(')') {
        return Err(rest.fault("a closing parenthesis is missing"));
    }
    if !is_turned {
        return Ok((inner, levels));
    }
    within(rest, levels + 1)?;
    Ok((Tree::Not(Box::new(inner)), levels + 1))
}

fn comparison(rest: &mut Rest<'_>, depth: usize) -> Result<(Comparison, usize), Refusal> {
    const ENDS: [char; 5] = ['(', ')', '[', ']', '"'];
    let (mut tied, mut levels) = (Vec::new(), 1);
    let mut path = rest.run(&ENDS);
    while !path.is_empty() && rest.text.starts_with('[') {
        rest.take('[');
        let (condition, below) = joined(rest, depth + 1)?;
        levels = levels.max(below + 1);
        within(rest, levels)?;
        if !rest.take(']') {
            return Err(rest.fault("a closing bracket is missing"));
        }
        let follows = rest.text.strip_prefix('.').filter(|after| !after.starts_with(char::is_whitespace));
        let Some(after) = follows else { return Err(rest.fault("no point and name follow the brackets")) };
        tied.push((path.to_owned(), condition));
        rest.text = after;
        path = rest.run(&ENDS);
    }
    if path.is_empty() {
        return Err(rest.fault(if tied.is_empty() { "a comparison is missing" } else { "a name is missing" }));
    }
    let before = rest.text;
    let Some(operator) = Operator::read(rest.run(&['(', ')', '"'])) else {
        rest.text = before;
        let known: Vec<_> = Operator::ALL.iter().map(|(code, _)| *code).collect();
        return Err(rest.fault(&format!("none of the operators {} stands", known.join(", "))));
    };
    Ok((Comparison { tied, last: path.to_owned(), operator, value: operand(rest)? }, levels))
}

/// A value: a JSON string, or the signs up to a blank, `)` or `]`.
fn operand(rest: &mut Rest<'_>) -> Result<String, Refusal> {
    rest.skip_blanks();
    let value = if rest.text.starts_with('"') { quoted(rest)? } else { rest.run(&[')', ']']).to_owned() };
    if value.is_empty() {
        return Err(rest.fault("a value is missing"));
    }
    if value.len() > SEARCH_VALUE_BYTES_MAX {
        return Err(rest.fault(&format!("a value ends that has more than {SEARCH_VALUE_BYTES_MAX} bytes")));
    }
    Ok(value)
}

/// A JSON string, by the reader of JSON.
fn quoted(rest: &mut Rest<'_>) -> Result<String, Refusal> {
    let mut escaped = false;
    let closing = rest.text.char_indices().skip(1).find(|(_, sign)| {
        let closes = *sign == '"' && !escaped;
        escaped = *sign == '\\' && !escaped;
        closes
    });
    let Some((closing, _)) = closing else { return Err(rest.fault("a text begins that does not end")) };
    let (text, after) = rest.text.split_at(closing + 1);
    let read = Json::parse(text.to_owned()).ok();
    let value = read.as_ref().and_then(|json| json.root().as_str());
    let Some(value) = value else { return Err(rest.fault("a text is no JSON string")) };
    rest.text = after;
    Ok(value.into_owned())
}
