//! A unit and what can be done with values in it.

use std::cmp::Ordering;

use crate::decimal::Decimal;
use crate::dimension::Dimension;
use crate::parse::{UnitError, parse};

/// A unit of measure: what it measures, and how much of the base units it is. The amount is a fraction, so that a third and a
/// sixtieth are exact.
#[derive(Clone, Debug)]
pub struct Unit {
    pub(crate) dimension: Dimension,
    pub(crate) over: Decimal,
    pub(crate) under: Decimal,
    pub(crate) special: Option<Special>,
}

/// Units whose zero is not that of the base unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Special {
    /// `Cel`
    Celsius,
    /// `[degF]`
    Fahrenheit,
    /// `[degRe]`
    Reaumur,
}

impl Unit {
    /// Reads a code of UCUM, case-sensitive: `mg/dL`, `10*3/uL`, `mm[Hg]`, `{score}`.
    ///
    /// # Errors
    /// What is wrong with the code.
    pub fn parse(code: &str) -> Result<Self, UnitError> {
        parse(code)
    }

    /// The unit `1`.
    #[must_use]
    pub fn one() -> Self {
        Self { dimension: Dimension::default(), over: Decimal::ONE, under: Decimal::ONE, special: None }
    }

    /// What it measures.
    #[must_use]
    pub fn dimension(&self) -> &Dimension {
        &self.dimension
    }

    /// Whether values in both can be compared.
    #[must_use]
    pub fn measures_the_same_as(&self, other: &Self) -> bool {
        self.dimension == other.dimension
    }

    pub(crate) fn scaled(self, by: Decimal) -> Option<Self> {
        if self.special.is_some() && by != Decimal::ONE {
            return None;
        }
        Some(Self { over: self.over.times(by)?, ..self })
    }

    /// The product with `other` to the power of `power`. `None` beyond the limits, and for units whose zero is elsewhere.
    pub(crate) fn with(&self, other: &Self, power: i16) -> Option<Self> {
        let plain = Self::one();
        if other.special.is_some()
            && power == 1
            && self.dimension.is_none()
            && self.over == plain.over
            && self.under == plain.under
        {
            return Some(other.clone());
        }
        if self.special.is_some() || other.special.is_some() {
            return None;
        }
        let times = u32::from(power.unsigned_abs());
        let (over, under) = (other.over.power(times)?, other.under.power(times)?);
        let (over, under) = if power < 0 { (under, over) } else { (over, under) };
        Some(Self {
            dimension: self.dimension.with(&other.dimension, power)?,
            over: self.over.times(over)?,
            under: self.under.times(under)?,
            special: None,
        })
    }

    /// A value in base units ([`Dimension::code`]); `None` beyond the limits of decimals.
    #[must_use]
    pub fn to_base(&self, value: Decimal) -> Option<Decimal> {
        self.fraction(value).and_then(|(over, under)| if under == Decimal::ONE { Some(over) } else { over.over(under) })
    }

    /// A value in base units as a fraction.
    fn fraction(&self, value: Decimal) -> Option<(Decimal, Decimal)> {
        let whole = |number: i64| Decimal::from(number);
        match self.special {
            None => Some((value.times(self.over)?, self.under)),
            Some(Special::Celsius) => Some((value.plus(Decimal::new(27_315, 2)?)?, Decimal::ONE)),
            Some(Special::Fahrenheit) => Some((value.plus(Decimal::new(45_967, 2)?)?.times(whole(5))?, whole(9))),
            Some(Special::Reaumur) => {
                Some((value.times(Decimal::new(125, 2)?)?.plus(Decimal::new(27_315, 2)?)?, Decimal::ONE))
            }
        }
    }

    /// A value of this unit in another. `None` if they measure different things, or beyond the limits of decimals.
    #[must_use]
    pub fn convert(&self, value: Decimal, to: &Self) -> Option<Decimal> {
        if !self.measures_the_same_as(to) {
            return None;
        }
        let (over, under) = self.fraction(value)?;
        match to.special {
            None => over.times(to.under)?.over(under.times(to.over)?),
            Some(Special::Celsius) => over.over(under)?.minus(Decimal::new(27_315, 2)?),
            Some(Special::Fahrenheit) => {
                over.times(Decimal::from(9))?.over(under.times(Decimal::from(5))?)?.minus(Decimal::new(45_967, 2)?)
            }
            Some(Special::Reaumur) => over.over(under)?.minus(Decimal::new(27_315, 2)?)?.times(Decimal::new(8, 1)?),
        }
    }

    /// Which of two units of one dimension is the larger.
    #[must_use]
    pub fn size(&self, other: &Self) -> Option<Ordering> {
        Some(self.over.times(other.under)?.cmp(&other.over.times(self.under)?))
    }
}

/// Compares two values, exactly as long as the numbers have at most 38 digits. `None` if the units measure different things.
#[must_use]
pub fn compare(left: Decimal, left_unit: &Unit, right: Decimal, right_unit: &Unit) -> Option<Ordering> {
    if !left_unit.measures_the_same_as(right_unit) {
        return None;
    }
    let (left, left_under) = left_unit.fraction(left)?;
    let (right, right_under) = right_unit.fraction(right)?;
    Some(left.times(right_under)?.cmp(&right.times(left_under)?))
}
