//! Numbers with units: of UCUM, of the calendar, or of somebody's own making.

use std::cmp::Ordering;
use std::fmt;

use iris_ucum::{Decimal, Rounding, Unit};

/// The units of the calendar, whose years and months have no fixed length (`FHIRPath` § 4.1.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Calendar {
    /// `year`
    Year,
    /// `month`
    Month,
    /// `week`
    Week,
    /// `day`
    Day,
    /// `hour`
    Hour,
    /// `minute`
    Minute,
    /// `second`
    Second,
    /// `millisecond`
    Millisecond,
}

/// Word, code of UCUM, and length in milliseconds where it has one.
const CALENDAR: [(Calendar, &str, &str, Option<i64>); 8] = [
    (Calendar::Year, "year", "a", None),
    (Calendar::Month, "month", "mo", None),
    (Calendar::Week, "week", "wk", Some(604_800_000)),
    (Calendar::Day, "day", "d", Some(86_400_000)),
    (Calendar::Hour, "hour", "h", Some(3_600_000)),
    (Calendar::Minute, "minute", "min", Some(60_000)),
    (Calendar::Second, "second", "s", Some(1_000)),
    (Calendar::Millisecond, "millisecond", "ms", Some(1)),
];

impl Calendar {
    /// The unit of this name, in the singular or plural.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        let word = word.strip_suffix('s').unwrap_or(word);
        CALENDAR.iter().find(|(_, name, ..)| *name == word).map(|(unit, ..)| *unit)
    }

    /// The unit that a code of UCUM is nearest to; only from `wk` down are they the same.
    fn of_code(code: &str) -> Option<Self> {
        CALENDAR.iter().find(|(_, _, own, _)| *own == code).map(|(unit, ..)| *unit)
    }

    /// What a code of UCUM in a FHIR quantity means: years and months there are those of the calendar (R4 fhirpath.html § Using
    /// FHIR types in expressions).
    pub(crate) fn of_fhir_code(code: &str) -> Option<Self> {
        Self::of_code(code).filter(|unit| !matches!(unit, Self::Week | Self::Millisecond))
    }

    fn row(self) -> (&'static str, &'static str, Option<i64>) {
        CALENDAR
            .iter()
            .find(|(unit, ..)| *unit == self)
            .map_or(("", "", None), |(_, name, code, millis)| (name, code, *millis))
    }

    /// Its length in milliseconds; years and months have none.
    pub(crate) fn millis(self) -> Option<i64> {
        self.row().2
    }

    fn code(self) -> &'static str {
        self.row().1
    }

    /// Whether it is as long as `other` or longer.
    pub(crate) fn is_at_least(self, other: Self) -> bool {
        self <= other
    }
}

/// What a quantity counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Measure {
    /// A unit of the calendar.
    Calendar(Calendar),
    /// A code of UCUM, which may turn out to be none.
    Code(Box<str>),
    /// A unit that is no code of UCUM: it measures what the same text measures.
    Text(Box<str>),
}

/// A number with a unit.
#[derive(Clone, Debug)]
pub struct Quantity {
    /// How many.
    pub value: Decimal,
    /// Of what.
    pub unit: Measure,
}

/// What an operation on quantities comes to where it does not come to a value.
pub(crate) enum Unknown {
    /// The units do not allow it: the result is empty.
    Units,
}

impl Quantity {
    /// A plain number, whose unit is `1`.
    #[must_use]
    pub fn plain(value: Decimal) -> Self {
        Self { value, unit: Measure::Code("1".into()) }
    }

    /// A number with the text of a unit in quotes: a code of UCUM, or a word of the calendar.
    #[must_use]
    pub fn coded(value: Decimal, unit: &str) -> Self {
        let unit = Calendar::named(unit).map_or_else(|| Measure::Code(unit.into()), Measure::Calendar);
        Self { value, unit }
    }

    /// Reads `1`, `1.5 'mg'`, `4 days`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let number_end =
            text.find(|letter: char| !letter.is_ascii_digit() && !"+-.".contains(letter)).unwrap_or(text.len());
        let value = Decimal::parse(text.get(..number_end)?).ok()?;
        let unit = text.get(number_end..)?.trim_start_matches([' ', '\t', '\r', '\n']);
        if unit.is_empty() {
            return (number_end == text.len()).then(|| Self::plain(value));
        }
        match unit.strip_prefix('\'') {
            Some(code) => {
                let code = code.strip_suffix('\'').filter(|code| !code.is_empty() && !code.contains('\''))?;
                Some(Self { value, unit: Measure::Code(code.into()) })
            }
            None => Some(Self { value, unit: Measure::Calendar(Calendar::named(unit)?) }),
        }
    }

    /// The unit of the calendar that this counts, for adding to dates: years and months only if they are meant as such.
    pub(crate) fn calendar(&self) -> Option<Calendar> {
        match &self.unit {
            Measure::Calendar(unit) => Some(*unit),
            Measure::Code(code) => Calendar::of_code(code).filter(|unit| unit.millis().is_some()),
            Measure::Text(_) => None,
        }
    }

    fn unit(&self) -> Option<Unit> {
        match &self.unit {
            Measure::Calendar(unit) => Unit::parse(unit.code()).ok(),
            Measure::Code(code) => Unit::parse(code).ok(),
            Measure::Text(_) => None,
        }
    }

    /// The code of UCUM for products.
    fn code(&self) -> Option<&str> {
        match &self.unit {
            Measure::Calendar(unit) => Some(unit.code()),
            Measure::Code(code) => Some(code),
            Measure::Text(_) => None,
        }
    }

    /// Whether `comparable()` holds: both are units, and of one dimension.
    pub(crate) fn comparable(&self, other: &Self) -> bool {
        match (self.unit(), other.unit()) {
            (Some(left), Some(right)) => left.measures_the_same_as(&right),
            _ => self.unit == other.unit && matches!(self.unit, Measure::Text(_)),
        }
    }

    /// Compares; `None` if the units do not allow it.
    pub(crate) fn compare(&self, other: &Self) -> Option<Ordering> {
        if self.unit == other.unit {
            return Some(self.value.cmp(&other.value));
        }
        let months = |quantity: &Self| match quantity.unit {
            Measure::Calendar(Calendar::Year) => quantity.value.times(Decimal::from(12)),
            Measure::Calendar(Calendar::Month) => Some(quantity.value),
            _ => None,
        };
        match (months(self), months(other)) {
            (Some(left), Some(right)) => return Some(left.cmp(&right)),
            // A year of the calendar is neither a number of days nor the year of UCUM.
            (Some(_), None) | (None, Some(_)) => return None,
            (None, None) => {}
        }
        iris_ucum::compare(self.value, &self.unit()?, other.value, &other.unit()?)
    }

    /// The same in another unit: a code of UCUM or a word of the calendar. `None` if it does not convert to that.
    pub(crate) fn in_unit(&self, unit: &str) -> Option<Self> {
        let wanted = Self::coded(self.value, unit).unit;
        let twelve = Decimal::from(12);
        let value = match (&self.unit, &wanted) {
            (own, wanted) if own == wanted => Some(self.value),
            (Measure::Calendar(Calendar::Year), Measure::Calendar(Calendar::Month)) => self.value.times(twelve),
            (Measure::Calendar(Calendar::Month), Measure::Calendar(Calendar::Year)) => self.value.over(twelve),
            _ => self.unit()?.convert(self.value, &Self { value: self.value, unit: wanted.clone() }.unit()?),
        };
        Some(Self { value: value?, unit: wanted })
    }

    /// `~`: like [`Self::compare`] for equality, but rounded to the less precise of both, in the larger unit; and a year of the
    /// calendar is one of UCUM.
    pub(crate) fn equivalent(&self, other: &Self) -> bool {
        if self.unit == other.unit {
            return rounded_equal(self.value, other.value);
        }
        let (Some(left), Some(right)) = (self.unit(), other.unit()) else { return false };
        let converted = match left.size(&right) {
            Some(Ordering::Less) => left.convert(self.value, &right).map(|value| (value, other.value, self.value)),
            _ => right.convert(other.value, &left).map(|value| (value, self.value, other.value)),
        };
        converted.is_some_and(|(value, kept, before)| {
            let scale = before.scale().min(kept.scale()).max(0);
            let round = |value: Decimal| value.round(scale, Rounding::HalfUp);
            matches!((round(value), round(kept)), (Some(a), Some(b)) if a == b)
        })
    }

    /// The sum, in the finer of both units.
    pub(crate) fn plus(&self, other: &Self) -> Option<Self> {
        if self.unit == other.unit {
            return Some(Self { value: self.value.plus(other.value)?, unit: self.unit.clone() });
        }
        let (left, right) = (self.unit()?, other.unit()?);
        // Years and months have no length that could be added to days.
        if self.calendar_without_length() || other.calendar_without_length() {
            return None;
        }
        if left.size(&right)? == Ordering::Less {
            let value = self.value.plus(right.convert(other.value, &left)?)?;
            Some(Self { value, unit: self.unit.clone() })
        } else {
            let value = left.convert(self.value, &right)?.plus(other.value)?;
            Some(Self { value, unit: other.unit.clone() })
        }
    }

    fn calendar_without_length(&self) -> bool {
        matches!(self.unit, Measure::Calendar(Calendar::Year | Calendar::Month))
    }

    /// With the other sign.
    pub(crate) fn negated(&self) -> Self {
        Self { value: self.value.negated(), unit: self.unit.clone() }
    }

    /// The product, in the product of the units.
    pub(crate) fn times(&self, other: &Self) -> Result<Option<Self>, Unknown> {
        let (left, right) = (self.code().ok_or(Unknown::Units)?, other.code().ok_or(Unknown::Units)?);
        let unit = match (left, right) {
            ("1", unit) | (unit, "1") => unit.to_owned(),
            _ => format!("{}.{}", bracketed(left), bracketed(right)),
        };
        self.combined(self.value.times(other.value), &unit)
    }

    /// The quotient, in the quotient of the units.
    pub(crate) fn over(&self, other: &Self) -> Result<Option<Self>, Unknown> {
        let (left, right) = (self.code().ok_or(Unknown::Units)?, other.code().ok_or(Unknown::Units)?);
        let unit = if left == right {
            "1".to_owned()
        } else if right == "1" {
            left.to_owned()
        } else {
            format!("{}/{}", bracketed(left), bracketed(right))
        };
        self.combined(self.value.over(other.value), &unit)
    }

    fn combined(&self, value: Option<Decimal>, unit: &str) -> Result<Option<Self>, Unknown> {
        Unit::parse(unit).map_err(|_| Unknown::Units)?;
        Ok(value.map(|value| Self { value, unit: Measure::Code(unit.into()) }))
    }
}

fn bracketed(code: &str) -> String {
    if code.contains(['.', '/']) { format!("({code})") } else { code.to_owned() }
}

/// Whether two numbers are the same once the more precise one is rounded like the other (`FHIRPath` § 6.1.2).
pub(crate) fn rounded_equal(left: Decimal, right: Decimal) -> bool {
    // Zeros at the end are no precision in an equivalence.
    let scale = left.normalized().scale().min(right.normalized().scale()).max(0);
    match (left.round(scale, Rounding::HalfUp), right.round(scale, Rounding::HalfUp)) {
        (Some(left), Some(right)) => left == right,
        _ => left == right,
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.unit {
            Measure::Calendar(unit) => {
                let plural = if self.value.abs() == Decimal::ONE { "" } else { "s" };
                write!(f, "{} {}{plural}", self.value, unit.row().0)
            }
            Measure::Code(unit) | Measure::Text(unit) => write!(f, "{} '{unit}'", self.value),
        }
    }
}
