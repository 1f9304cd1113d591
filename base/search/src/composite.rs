//! Composites: several values of one element, in one term (R4 search.html#composite).
//!
//! A value is that of each component, one after another: a token as `[tag of the code, 8][tag of the system, 4, nothing for none]`, a
//! number or quantity as in its own terms, a date as `[first microsecond][first after]`, a string as `[length, u16][folded]`, a
//! reference as `[tag of the whole, 8][tag of the id, 8]`.

use super::DateOp;
use super::number::{self, NumberTest};
use super::quantity::{QuantityTest, tag};
use super::scan::{Scan, ScanTest};
use super::term::{self, Mode, head};

/// Bytes of the tag of a code or reference.
const TAG: usize = 8;
/// Bytes of the tag of a system.
const SHORT: usize = 4;

/// Longest folded text that stands in a term whole: beside it there are a token and the text's length. What comes after is cut, because
/// a component is asked for by how it starts.
pub const TEXT_BYTES_MAX: usize = term::TEXT_BYTES_MAX - TAG - SHORT - size_of::<u16>();

/// What is asked of one component.
#[derive(Clone, Debug, PartialEq)]
pub enum ComponentTest {
    /// A token. Made by [`ComponentTest::token`].
    Token {
        /// The tag of the code, if one is asked for.
        code: Option<[u8; TAG]>,
        /// The tag of the system, if one is asked for, nothing for tokens without.
        system: Option<[u8; SHORT]>,
    },
    /// A number.
    Number(NumberTest),
    /// A quantity.
    Quantity(QuantityTest),
    /// A date or period.
    Date {
        /// The comparison.
        op: DateOp,
        /// First microsecond of the asked range.
        low: i64,
        /// First microsecond after the asked range.
        high: i64,
    },
    /// A string that starts so, folded.
    Starts(Box<[u8]>),
    /// A reference. Made by [`ComponentTest::reference`] and [`ComponentTest::reference_id`].
    Reference {
        /// The tag of the whole reference.
        whole: Option<[u8; TAG]>,
        /// The tag of the id of the target.
        id: Option<[u8; TAG]>,
    },
}

impl ComponentTest {
    /// A token: `system` is `None` where none is asked for, and empty for tokens without one; `code` is `None` for `system|`.
    #[must_use]
    pub fn token(system: Option<&str>, code: Option<&str>) -> Self {
        Self::Token { code: code.map(|code| tag(&[code])), system: system.map(system_tag) }
    }

    /// A reference by `Type/id`, or by its whole text.
    #[must_use]
    pub fn reference(text: &str) -> Self {
        Self::Reference { whole: Some(tag(&[text])), id: None }
    }

    /// A reference by the id of its target, whatever its type.
    #[must_use]
    pub fn reference_id(id: &str) -> Self {
        Self::Reference { whole: None, id: Some(tag(&[id])) }
    }

    /// The scan of a composite parameter's terms with a test for each of its components, in order.
    #[must_use]
    pub fn scan(param: u16, tests: Vec<Self>) -> Scan {
        let mut lead = head(param, Mode::Composite).to_vec();
        if let Some(Self::Token { code: Some(code), system }) = tests.first() {
            lead.extend_from_slice(code);
            lead.extend(system.iter().flatten());
        }
        Scan::new(lead, ScanTest::Composite(tests))
    }

    /// Whether the tests hold for the components of a value.
    pub(crate) fn all_hold(tests: &[Self], value: &[u8]) -> bool {
        let mut rest = value;
        for test in tests {
            match test.read(rest) {
                Some((true, after)) => rest = after,
                Some((false, _)) | None => return false,
            }
        }
        rest.is_empty()
    }

    /// Whether it holds for the component that these bytes start with, and what follows it.
    fn read<'v>(&self, bytes: &'v [u8]) -> Option<(bool, &'v [u8])> {
        match self {
            Self::Token { code, system } => {
                let (had_code, rest) = bytes.split_first_chunk::<TAG>()?;
                let (had_system, rest) = rest.split_first_chunk::<SHORT>()?;
                Some((
                    code.is_none_or(|code| code == *had_code) && system.is_none_or(|system| system == *had_system),
                    rest,
                ))
            }
            Self::Number(test) => number::read(bytes).map(|(extent, rest)| (test.holds_for(extent), rest)),
            Self::Quantity(test) => test.read(bytes),
            Self::Date { op, low, high } => {
                let (had_low, rest) = bytes.split_first_chunk::<8>()?;
                let (had_high, rest) = rest.split_first_chunk::<8>()?;
                let had = (i64::from_be_bytes(*had_low), i64::from_be_bytes(*had_high));
                Some((op.holds((*low, *high), had), rest))
            }
            Self::Starts(start) => {
                let (length, rest) = bytes.split_first_chunk::<2>()?;
                let (text, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
                Some((text.starts_with(start), rest))
            }
            Self::Reference { whole, id } => {
                let (had_whole, rest) = bytes.split_first_chunk::<TAG>()?;
                let (had_id, rest) = rest.split_first_chunk::<TAG>()?;
                Some((whole.is_none_or(|whole| whole == *had_whole) && id.is_none_or(|id| id == *had_id), rest))
            }
        }
    }
}

fn system_tag(system: &str) -> [u8; SHORT] {
    if system.is_empty() { [0; SHORT] } else { tag(&[system]) }
}

/// Appends a token.
pub(crate) fn push_token(out: &mut Vec<u8>, system: Option<&str>, code: &str) {
    out.extend_from_slice(&tag::<TAG>(&[code]));
    out.extend_from_slice(&system_tag(system.unwrap_or_default()));
}

/// Appends a date.
pub(crate) fn push_date(out: &mut Vec<u8>, (low, high): (i64, i64)) {
    out.extend_from_slice(&low.to_be_bytes());
    out.extend_from_slice(&high.to_be_bytes());
}

/// Appends the beginning of a string that is folded already.
pub(crate) fn push_text(out: &mut Vec<u8>, folded: &[u8]) {
    let whole = &folded[..folded.len().min(TEXT_BYTES_MAX)];
    // It is far below what fits into the length.
    out.extend_from_slice(&(whole.len() as u16).to_be_bytes());
    out.extend_from_slice(whole);
}

/// Appends a reference; `id` is that of the target if it is a resource here.
pub(crate) fn push_reference(out: &mut Vec<u8>, whole: &str, id: Option<&str>) {
    out.extend_from_slice(&tag::<TAG>(&[whole]));
    out.extend_from_slice(&id.map_or([0; TAG], |id| tag(&[id])));
}
