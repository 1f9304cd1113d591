//! Quantities: how they stand in terms, and what a search for one means (R4 search.html#quantity).
//!
//! `[tag of the unit, 8 bytes][value in that unit][as written]`. Units of UCUM that convert to each other have one tag and their value
//! is in base units, so that 5 g is found as 5,000 mg; other units have a tag of their own. As written: `[flags][tag of the code,
//! 4][tag of the text of the unit, 4, if it is another][value as written, if it is another]`.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use iris_crypto::sha256;
use iris_ucum::{Decimal, Unit};
use smallvec::SmallVec;

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
    let mut whole = Bytes::new();
    for part in parts {
        whole.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
        whole.extend_from_slice(part.as_bytes());
    }
    let digest = sha256(&[&whole]);
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
    let spelt = spelt(system, code, text);
    let written = extent(low, high);
    // Beyond the limits of decimals a value is found as it is written, in its own unit.
    let in_base = spelt.unit.as_ref().and_then(|unit| extent_of(low, high, |value| unit.to_base(value)));
    let (tag, canonical) = in_base.map_or((spelt.own, written), |base| (spelt.base, base));
    out.extend_from_slice(&tag);
    push(out, canonical);
    let has_value = canonical != written;
    out.push(if spelt.text.is_some() { HAS_TEXT } else { 0 } | if has_value { HAS_VALUE } else { 0 });
    out.extend_from_slice(&spelt.code);
    out.extend(spelt.text.iter().flatten());
    if has_value {
        push(out, written);
    }
}

/// A unit as a quantity spells it.
struct Spelt {
    /// The unit of UCUM, if it is one.
    unit: Option<Unit>,
    /// The tag of all units that convert to it.
    base: [u8; TAG],
    /// The tag of values that are not converted.
    own: [u8; TAG],
    /// The tag of the code, or of the text where there is no code.
    code: [u8; SHORT],
    /// The tag of the text, if that is another.
    text: Option<[u8; SHORT]>,
}

impl Spelt {
    fn new(system: Option<&str>, code: Option<&str>, text: Option<&str>) -> Self {
        let unit = ucum(system, code);
        let (base, own) = (tag_of(unit.as_ref(), system, code, text), tag_of(None, system, code, text));
        let as_code = code.or(text).unwrap_or_default();
        let other = text.filter(|text| *text != as_code);
        Self { unit, base, own, code: tag(&[as_code]), text: other.map(|text| tag(&[text])) }
    }
}

/// Short texts, put together.
type Bytes = SmallVec<[u8; 128]>;

/// Most units that a thread remembers.
const SPELT_MAX: usize = 512;
/// Longest spelling of a unit that is remembered: system, code and text.
const SPELLING_BYTES_MAX: usize = 256;

thread_local! {
    /// Reading a code of UCUM and making tags takes microseconds; records use a few hundred units, again and again.
    static SPELT: RefCell<HashMap<Bytes, Rc<Spelt>>> = RefCell::default();
}

/// [`Spelt::new`], remembered.
fn spelt(system: Option<&str>, code: Option<&str>, text: Option<&str>) -> Rc<Spelt> {
    let mut spelling = Bytes::new();
    for part in [system, code, text] {
        // Nothing is not the empty text.
        let length = part.map_or(0, |part| part.len() + 1);
        spelling.extend_from_slice(&length.to_be_bytes());
        spelling.extend_from_slice(part.unwrap_or_default().as_bytes());
    }
    let new = || Rc::new(Spelt::new(system, code, text));
    if spelling.len() > SPELLING_BYTES_MAX {
        return new();
    }
    SPELT.with_borrow_mut(|known| {
        if known.len() >= SPELT_MAX && !known.contains_key(&spelling) {
            known.clear();
        }
        Rc::clone(known.entry(spelling).or_insert_with(new))
    })
}

/// From and to as binary numbers; what is missing is without end.
pub(crate) fn extent(low: Option<Decimal>, high: Option<Decimal>) -> Extent {
    extent_of(low, high, Some).unwrap_or((f64::NEG_INFINITY, f64::INFINITY))
}

/// [`extent`] of what the ends are converted to; `None` if one of them is not.
fn extent_of(
    low: Option<Decimal>,
    high: Option<Decimal>,
    convert: impl Fn(Decimal) -> Option<Decimal>,
) -> Option<Extent> {
    let end = |value: Option<Decimal>, open: f64| match value {
        Some(value) => convert(value).map(Decimal::to_f64),
        None => Some(open),
    };
    let from = end(low, f64::NEG_INFINITY)?;
    // Most are one number, which is converted once.
    let to = if low.is_some() && low == high { from } else { end(high, f64::INFINITY)? };
    Some((from, to))
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
