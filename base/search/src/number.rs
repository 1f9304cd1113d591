//! Numbers: how they stand in terms, and what a search for one means (R4 search.html#number).
//!
//! A number is a `f64`, so two that agree in their first fifteen digits may be taken for one. In a resource it is exact, or a range
//! with closed ends (`Range`, a comparator); in a search it stands for all that round to it.

use std::str::FromStr;

use iris_ucum::Decimal;

use super::DateOp;
use super::scan::{Stretch, prefix_end};

/// What a number of a resource is: from, to, both included.
pub type Extent = (f64, f64);

/// Before a single number.
const POINT: u8 = 0;
/// Before a range, which has two numbers.
const RANGE: u8 = 1;
/// How much `ap` allows: a tenth, as R4 recommends.
const APPROXIMATELY: i64 = 10;

/// Bytes in whose order the numbers are. Minus nothing is nothing.
#[must_use]
pub fn ordered(number: f64) -> [u8; 8] {
    let bits = (number + 0.0).to_bits();
    let flipped = if bits >> 63 == 1 { !bits } else { bits | 1 << 63 };
    flipped.to_be_bytes()
}

/// The way back from [`ordered`].
#[must_use]
pub fn from_ordered(bytes: [u8; 8]) -> f64 {
    let flipped = u64::from_be_bytes(bytes);
    f64::from_bits(if flipped >> 63 == 1 { flipped & !(1 << 63) } else { !flipped })
}

/// Appends a number of a resource: single ones stand before ranges, each in the order of their starts.
pub(crate) fn push(out: &mut Vec<u8>, (low, high): Extent) {
    let is_point = ordered(low) == ordered(high);
    out.push(if is_point { POINT } else { RANGE });
    out.extend_from_slice(&ordered(low));
    if !is_point {
        out.extend_from_slice(&ordered(high));
    }
}

/// Reads what [`push`] wrote, and gives what follows it.
pub(crate) fn read(bytes: &[u8]) -> Option<(Extent, &[u8])> {
    let (flag, rest) = bytes.split_first()?;
    let (low, rest) = rest.split_first_chunk::<8>()?;
    let low = from_ordered(*low);
    if *flag == POINT {
        return Some(((low, low), rest));
    }
    let (high, rest) = rest.split_first_chunk::<8>()?;
    Some(((low, from_ordered(*high)), rest))
}

/// A number as a search has it: the number, and the range of all that round to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// As written.
    pub value: Decimal,
    /// First number of the range.
    pub low: Decimal,
    /// First number after the range.
    pub high: Decimal,
}

impl Asked {
    /// The range of `op`: a tenth to either side for [`DateOp::Ap`], but at least the precision of the text; otherwise that.
    #[must_use]
    pub fn for_op(self, op: DateOp) -> Option<Self> {
        if op != DateOp::Ap {
            return Some(self);
        }
        let width = self.value.abs().over(Decimal::from(APPROXIMATELY))?;
        let (low, high) = (self.value.minus(width)?, self.value.plus(width)?);
        let low = if low < self.low { low } else { self.low };
        let high = if high > self.high { high } else { self.high };
        Some(Self { low, high, ..self })
    }
}

impl FromStr for Asked {
    type Err = ();

    /// Reads `100`, `-5.40`, `1e2`: half of the last digit to either side is what rounds to it.
    fn from_str(text: &str) -> Result<Self, ()> {
        let value = Decimal::parse(text).map_err(|_| ())?;
        let half = value.half_unit().ok_or(())?;
        let (low, high) = (value.minus(half).ok_or(())?, value.plus(half).ok_or(())?);
        Ok(Self { value, low, high })
    }
}

/// A comparison with a number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NumberTest {
    op: DateOp,
    value: f64,
    low: f64,
    high: f64,
}

impl NumberTest {
    /// The comparison `op` with a number. `None` beyond the limits of decimals.
    #[must_use]
    pub fn new(op: DateOp, asked: Asked) -> Option<Self> {
        Some(Self::of_range(op, asked.for_op(op)?))
    }

    /// The comparison with a number whose range is that of the comparison already.
    pub(crate) fn of_range(op: DateOp, asked: Asked) -> Self {
        Self { op, value: asked.value.to_f64(), low: asked.low.to_f64(), high: asked.high.to_f64() }
    }

    /// Whether it holds for a number of a resource. The prefixes that look above or below compare with the very number, the others
    /// with what rounds to it (R4 search.html#number).
    #[must_use]
    pub fn holds_for(&self, (low, high): Extent) -> bool {
        // Where half of the last digit is too little to be told, the range is the number itself.
        let within = self.low <= low && (high < self.high || high <= self.value);
        match self.op {
            DateOp::Eq => within,
            DateOp::Ne => !within,
            DateOp::Gt => high > self.value,
            DateOp::Lt => low < self.value,
            DateOp::Ge => high >= self.value,
            DateOp::Le => low <= self.value,
            DateOp::Sa => low > self.value,
            DateOp::Eb => high < self.value,
            DateOp::Ap => low <= self.high && high >= self.low,
            DateOp::Contains => low <= self.value && high >= self.value,
        }
    }

    /// [`NumberTest::holds_for`] for bytes that [`push`] wrote.
    pub(crate) fn holds(&self, bytes: &[u8]) -> bool {
        read(bytes).is_some_and(|(extent, _)| self.holds_for(extent))
    }

    /// Where under `lead` those numbers stand that it may hold for: single ones, and ranges.
    pub(crate) fn stretches(&self, lead: &[u8]) -> [Stretch; 2] {
        let (from, to) = match self.op {
            DateOp::Eq | DateOp::Ap => (Some(self.low), Some(self.high)),
            DateOp::Ne => (None, None),
            DateOp::Contains => (Some(self.value), Some(self.value)),
            DateOp::Gt | DateOp::Ge | DateOp::Sa => (Some(self.value), None),
            DateOp::Lt | DateOp::Le | DateOp::Eb => (None, Some(self.value)),
        };
        let points = [lead, &[POINT]].concat();
        let start = |number: f64| [&*points, &ordered(number)].concat();
        let first = from.map_or_else(|| points.clone(), start);
        let end = to.map_or_else(|| prefix_end(&points), |number| prefix_end(&start(number)));
        let ranges = [lead, &[RANGE]].concat();
        let ranges_end = prefix_end(&ranges);
        [Stretch { from: first, to: end }, Stretch { from: ranges, to: ranges_end }]
    }
}
