//! Quantities: how they stand in terms, and what a search for one means (R4 search.html#quantity).
//!
//! `[tag of the unit, 8 bytes][value in that unit][as written]`. Units of UCUM that convert to each other have one tag and their value
//! is in base units, so that 5 g is found as 5,000 mg; other units have a tag of their own. As written: `[flags][tag of the code,
//! 4][tag of the text of the unit, 4, if it is another][value as written, if it is another]`.

use iris_crypto::sha256;
use iris_ucum::{Decimal, Unit};

use super::number::{self, Asked, Extent, NumberTest};
use super::scan::{Scan, ScanTest, Stretch};
use super::term::{Mode, head};
use super::{DateOp, number::push};

/// The system of UCUM.
pub const UCUM: &str = "http://unitsofmeasure.org";
/// The system of currencies, which R4 gives to `Money` (search.html#quantity).
pub const CURRENCIES: &str = "urn:iso:std:iso:4217";

/// Bytes of the tag of a unit.
const TAG: usize = 8;
/// Bytes of the tag of a code or text as written.
const SHORT: usize = 4;
/// The text of the unit is another than its code.
const HAS_TEXT: u8 = 1;
/// The value as written is another than that in base units.
const HAS_VALUE: u8 = 2;

/// A quantity of a resource.
#[derive(Clone, Copy, Debug, Default)]
pub struct Measured<'t> {
    /// From, `None` for without end.
    pub low: Option<Decimal>,
    /// To, `None` for without end.
    pub high: Option<Decimal>,
    /// `system`
    pub system: Option<&'t str>,
    /// `code`
    pub code: Option<&'t str>,
    /// `unit`
    pub unit: Option<&'t str>,
}

/// What is asked about a quantity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct QuantityTest {
    number: NumberTest,
    of: Of,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Of {
    /// The value in base units, of quantities with this tag.
    Unit([u8; TAG]),
    /// The value as written, in whatever unit.
    Any,
    /// The value as written, of a unit that is written so, as code or as text.
    Written([u8; SHORT]),
}

/// The first bytes of a digest of parts that cannot run into each other.
pub(crate) fn tag<const BYTES: usize>(parts: &[&str]) -> [u8; BYTES] {
    let lengths: Vec<[u8; 4]> =
        parts.iter().map(|part| u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes()).collect();
    let pieces: Vec<&[u8]> =
        lengths.iter().zip(parts).flat_map(|(length, part)| [&length[..], part.as_bytes()]).collect();
    let digest = sha256(&pieces);
    let mut first = [0; BYTES];
    first.copy_from_slice(&digest[..BYTES]);
    first
}

/// The unit of UCUM, if it is one.
fn ucum(system: Option<&str>, code: Option<&str>) -> Option<Unit> {
    code.filter(|_| system == Some(UCUM)).and_then(|code| Unit::parse(code).ok())
}

fn tag_of(unit: Option<&Unit>, system: Option<&str>, code: Option<&str>, text: Option<&str>) -> [u8; TAG] {
    match (unit, code) {
        (Some(unit), _) => tag(&["ucum", &unit.dimension().code()]),
        (None, Some(code)) => tag(&["code", system.unwrap_or_default(), code]),
        (None, None) => tag(&["text", text.unwrap_or_default()]),
    }
}

/// Appends a quantity of a resource.
pub(crate) fn push_measured(out: &mut Vec<u8>, measured: &Measured<'_>) {
    let Measured { low, high, system, code, unit: text } = *measured;
    let unit = ucum(system, code);
    let in_base = |value: Decimal| unit.as_ref().map_or(Some(value), |unit| unit.to_base(value));
    let base = |value: Option<Decimal>| value.map(in_base);
    // Beyond the limits of decimals a value is found as it is written, in its own unit.
    let is_beyond = [base(low), base(high)].contains(&Some(None));
    let unit = unit.as_ref().filter(|_| !is_beyond);
    let written = extent(low, high);
    let canonical = if unit.is_some() { extent(base(low).flatten(), base(high).flatten()) } else { written };
    out.extend_from_slice(&tag_of(unit, system, code, text));
    push(out, canonical);
    let as_code = code.or(text).unwrap_or_default();
    let text = text.filter(|text| *text != as_code);
    let has_value = canonical != written;
    out.push(if text.is_some() { HAS_TEXT } else { 0 } | if has_value { HAS_VALUE } else { 0 });
    out.extend_from_slice(&tag::<SHORT>(&[as_code]));
    out.extend(text.iter().flat_map(|text| tag::<SHORT>(&[text])));
    if has_value {
        push(out, written);
    }
}

pub(crate) fn extent(low: Option<Decimal>, high: Option<Decimal>) -> Extent {
    (low.map_or(f64::NEG_INFINITY, Decimal::to_f64), high.map_or(f64::INFINITY, Decimal::to_f64))
}

/// What [`push_measured`] wrote.
struct Stored {
    tag: [u8; TAG],
    canonical: Extent,
    code: [u8; SHORT],
    text: Option<[u8; SHORT]>,
    written: Extent,
}

/// Reads what [`push_measured`] wrote, and gives what follows it.
fn read(bytes: &[u8]) -> Option<(Stored, &[u8])> {
    let (tag, rest) = bytes.split_first_chunk::<TAG>()?;
    let (canonical, rest) = number::read(rest)?;
    let (flags, rest) = rest.split_first()?;
    let (code, mut rest) = rest.split_first_chunk::<SHORT>()?;
    let (mut text, mut written) = (None, canonical);
    if flags & HAS_TEXT != 0 {
        let (first, others) = rest.split_first_chunk::<SHORT>()?;
        (text, rest) = (Some(*first), others);
    }
    if flags & HAS_VALUE != 0 {
        (written, rest) = number::read(rest)?;
    }
    Some((Stored { tag: *tag, canonical, code: *code, text, written }, rest))
}

impl QuantityTest {
    /// The comparison `op` with a quantity: of a unit of UCUM whatever its multiple, of another system's unit, of a unit written so
    /// where no system is asked for, or of any. `None` beyond the limits of decimals.
    #[must_use]
    pub fn new(op: DateOp, asked: Asked, system: Option<&str>, code: Option<&str>) -> Option<Self> {
        let (of, asked) = match (system, code) {
            (None, None) => (Of::Any, asked),
            (None, Some(code)) => (Of::Written(tag(&[code])), asked),
            (system, code) => {
                let unit = ucum(system, code);
                let tag = tag_of(unit.as_ref(), system, code, None);
                let base = |value| unit.as_ref().map_or(Some(value), |unit| unit.to_base(value));
                let asked = asked.for_op(op)?;
                (Of::Unit(tag), Asked { value: base(asked.value)?, low: base(asked.low)?, high: base(asked.high)? })
            }
        };
        let number = match of {
            Of::Unit(_) => NumberTest::of_range(op, asked),
            Of::Any | Of::Written(_) => NumberTest::new(op, asked)?,
        };
        Some(Self { number, of })
    }

    /// The scan of a parameter's terms with this test.
    #[must_use]
    pub fn scan(self, param: u16) -> Scan {
        Scan::new(head(param, Mode::Quantity), ScanTest::Quantity(self))
    }

    fn holds_for(&self, stored: &Stored) -> bool {
        match self.of {
            Of::Unit(tag) => stored.tag == tag && self.number.holds_for(stored.canonical),
            Of::Any => self.number.holds_for(stored.written),
            Of::Written(tag) => {
                (stored.code == tag || stored.text == Some(tag)) && self.number.holds_for(stored.written)
            }
        }
    }

    /// Whether it holds for a value of a quantity parameter.
    pub(crate) fn holds(&self, value: &[u8]) -> bool {
        self.read(value).is_some_and(|(holds, _)| holds)
    }

    /// Whether it holds for the quantity that these bytes start with, and what follows it.
    pub(crate) fn read<'v>(&self, bytes: &'v [u8]) -> Option<(bool, &'v [u8])> {
        read(bytes).map(|(stored, rest)| (self.holds_for(&stored), rest))
    }

    /// Where under `lead` those quantities stand that it may hold for.
    pub(crate) fn stretches(&self, lead: &[u8]) -> Vec<Stretch> {
        match self.of {
            Of::Unit(tag) => self.number.stretches(&[lead, &tag].concat()).into(),
            Of::Any | Of::Written(_) => vec![Stretch::of(lead.to_vec())],
        }
    }
}
