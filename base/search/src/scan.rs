//! Tests on the values of many terms: what no single term and no prefix answers.

use super::composite::ComponentTest;
use super::number::NumberTest;
use super::position::Around;
use super::quantity::QuantityTest;
use super::term::{self, HEAD_BYTES, TEXT_BYTES_MAX, Term};

/// Has a term under a head whose value passes a test.
///
/// The head is a parameter, a mode and perhaps the first bytes of the value. The test is pure, and looks at one value by itself, so
/// that a document in memory and the dictionary of an index give one answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Scan {
    head: Box<[u8]>,
    test: ScanTest,
}

// The numbers of tests are never what is not a number: see `NumberTest`.
impl Eq for Scan {}

/// What is asked of the bytes of a value after the head.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ScanTest {
    /// Nothing: every value passes.
    Any,
    /// A folded text that has these bytes somewhere.
    Contains(Box<[u8]>),
    /// A folded text that starts with these bytes.
    Starts(Box<[u8]>),
    /// A folded text that ends with these bytes; none of a text that may have been cut.
    Ends(Box<[u8]>),
    /// Another value than this one.
    Other(Box<[u8]>),
    /// Another address than this one, which has no version, whatever version it has.
    OtherAddress(Box<[u8]>),
    /// A folded text that stands so to this one.
    Order(TextOrder, Box<[u8]>),
    /// A number, as [`super::number::push`] writes it.
    Number(NumberTest),
    /// A quantity, as [`super::quantity`] writes it.
    Quantity(QuantityTest),
    /// The values of the components of a composite, in order.
    Composite(Vec<ComponentTest>),
    /// A place on the globe, as [`super::position`] writes it.
    Around(Around),
}

/// How one text stands to another: sign by sign from the first, by their Unicode code points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextOrder {
    /// Before it.
    Before,
    /// Before it, or the same.
    UpTo,
    /// The same, or after it.
    From,
    /// After it.
    After,
}

impl TextOrder {
    /// Whether a text stands so to another; the bytes of UTF-8 are in the order of the code points.
    fn holds(self, had: &[u8], asked: &[u8]) -> bool {
        match self {
            Self::Before => had < asked,
            Self::UpTo => had <= asked,
            Self::From => had >= asked,
            Self::After => had > asked,
        }
    }
}

impl Scan {
    /// A scan of the terms that start with `head`, which has at least a parameter and a mode.
    #[must_use]
    pub fn new(head: impl Into<Box<[u8]>>, test: ScanTest) -> Self {
        Self { head: head.into(), test }
    }

    /// What every term that it can hold for starts with: parameter, mode, and perhaps more.
    #[must_use]
    pub const fn head(&self) -> &[u8] {
        &self.head
    }

    /// What is asked.
    #[must_use]
    pub const fn test(&self) -> &ScanTest {
        &self.test
    }

    /// Where in a dictionary all those terms stand that it can hold for, in order, without overlap: the least to look at.
    #[must_use]
    pub fn stretches(&self) -> Vec<Stretch> {
        match &self.test {
            ScanTest::Starts(start) => vec![Stretch::of([&*self.head, start].concat())],
            ScanTest::Number(test) => test.stretches(&self.head).into(),
            ScanTest::Quantity(test) => test.stretches(&self.head),
            ScanTest::Around(test) => vec![test.stretch(&self.head)],
            ScanTest::Order(order, text) => {
                let whole = Stretch::of(self.head.to_vec());
                let text = [&*self.head, text].concat();
                vec![match order {
                    // What follows a text at once is that text and a byte of nothing.
                    TextOrder::Before | TextOrder::UpTo => Stretch { to: Some([&*text, &[0]].concat()), ..whole },
                    TextOrder::From | TextOrder::After => Stretch { from: text, ..whole },
                }]
            }
            ScanTest::Any
            | ScanTest::Contains(_)
            | ScanTest::Ends(_)
            | ScanTest::Other(_)
            | ScanTest::OtherAddress(_)
            | ScanTest::Composite(_) => vec![Stretch::of(self.head.to_vec())],
        }
    }

    /// Whether it holds for a value: the bytes of a term after parameter and mode.
    #[must_use]
    pub fn holds(&self, value: &[u8]) -> bool {
        let lead = self.head.get(HEAD_BYTES..).unwrap_or_default();
        value.strip_prefix(lead).is_some_and(|rest| match &self.test {
            ScanTest::Any => true,
            ScanTest::Contains(part) => contains(rest, part),
            ScanTest::Starts(start) => rest.starts_with(start),
            ScanTest::Ends(end) => value.len() < TEXT_BYTES_MAX && rest.ends_with(end),
            ScanTest::Other(other) => *rest != **other,
            ScanTest::OtherAddress(other) => {
                rest.strip_prefix(&**other).is_none_or(|after| !after.is_empty() && !after.starts_with(b"|"))
            }
            ScanTest::Order(order, text) => order.holds(rest, text),
            ScanTest::Number(test) => test.holds(rest),
            ScanTest::Around(test) => test.holds(rest),
            // These read the value from its start.
            ScanTest::Quantity(test) => test.holds(value),
            ScanTest::Composite(tests) => ComponentTest::all_hold(tests, value),
        })
    }

    /// Whether it only asks if there is a value, or another one than some: where values are digests that can still be told. `None` if
    /// it asks for more; otherwise the term that does not count, if there is one.
    #[must_use]
    pub fn is_by_identity(&self) -> Option<Option<Term>> {
        match &self.test {
            ScanTest::Any => Some(None),
            ScanTest::Other(other) => Some(Some([&*self.head, other].concat().into_boxed_slice())),
            _ => None,
        }
    }

    /// Whether it asks for an identifier that not everybody sees in full.
    #[must_use]
    pub fn is_guarded(&self) -> bool {
        term::is_guarded(&self.head)
    }
}

/// A stretch of terms in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// The first.
    pub from: Vec<u8>,
    /// The first that is no longer in it; `None` for all that follow.
    pub to: Option<Vec<u8>>,
}

impl Stretch {
    /// All terms that start with these bytes.
    #[must_use]
    pub fn of(start: Vec<u8>) -> Self {
        let to = prefix_end(&start);
        Self { from: start, to }
    }

    /// Whether a term stands in it.
    #[must_use]
    pub fn has(&self, term: &[u8]) -> bool {
        *term >= *self.from && self.to.as_deref().is_none_or(|end| term < end)
    }
}

/// Whether a text has another somewhere; both are at most a few hundred bytes long.
pub(crate) fn contains(text: &[u8], part: &[u8]) -> bool {
    part.is_empty() || text.windows(part.len()).any(|window| window == part)
}

/// The first bytes that no longer start with `prefix`; `None` if there are none.
#[must_use]
pub fn prefix_end(prefix: &[u8]) -> Option<Vec<u8>> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if last < u8::MAX {
            end.push(last + 1);
            return Some(end);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_ends_before_the_next_value() {
        assert_eq!(prefix_end(b"ab"), Some(b"ac".to_vec()));
        assert_eq!(prefix_end(&[1, 0xff]), Some(vec![2]));
        assert_eq!(prefix_end(&[0xff, 0xff]), None);
    }
}
