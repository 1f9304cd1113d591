//! Adding durations to moments, and the least and greatest that a moment can mean.

use iris_ucum::{Decimal, Rounding};
use jiff::{Span, civil};

use crate::moment::{Moment, MomentKind, Precision};
use crate::quantity::Calendar;

/// Which end of what an imprecise value can mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bound {
    Low,
    High,
}

/// Offsets at the two ends of the world, in minutes.
const EASTMOST: i16 = 14 * 60;
const WESTMOST: i16 = -12 * 60;
const MILLIS_PER_DAY: i64 = 86_400_000;

impl Moment {
    /// This moment and a duration (`FHIRPath` § 6.6.7): fractions count for seconds and less only; a unit that is finer than the
    /// moment is brought to the moment's precision and cut off. `None` beyond the years 0001 to 9999.
    pub(crate) fn plus(self, amount: Decimal, unit: Calendar) -> Option<Self> {
        let fine = matches!(unit, Calendar::Second | Calendar::Millisecond);
        let millis = if unit == Calendar::Second { amount.times(Decimal::from(1_000))? } else { amount };
        let amount = if fine { millis } else { amount }.round(0, Rounding::Down)?.to_i64()?;
        let (amount, unit) = if fine { (amount, Calendar::Millisecond) } else { (amount, unit) };
        if self.kind == MomentKind::Time {
            return self.plus_within_day(amount, unit);
        }
        let (amount, unit) = self.brought_to_precision(amount, unit)?;
        let span = match unit {
            Calendar::Year => Span::new().try_years(amount),
            Calendar::Month => Span::new().try_months(amount),
            Calendar::Week => Span::new().try_weeks(amount),
            Calendar::Day => Span::new().try_days(amount),
            Calendar::Hour => Span::new().try_hours(amount),
            Calendar::Minute => Span::new().try_minutes(amount),
            Calendar::Second => Span::new().try_seconds(amount),
            Calendar::Millisecond => Span::new().try_milliseconds(amount),
        };
        let at = self.at.checked_add(span.ok()?).ok().filter(|at| at.year() >= 1)?;
        Some(self.moved_to(at, amount, unit))
    }

    fn moved_to(self, at: civil::DateTime, amount: i64, unit: Calendar) -> Self {
        let parts_of_seconds = unit == Calendar::Millisecond && amount % 1_000 != 0;
        let fraction_digits = if parts_of_seconds { self.fraction_digits.max(3) } else { self.fraction_digits };
        Self { at, fraction_digits, ..self }
    }

    /// Time of day goes round.
    fn plus_within_day(self, amount: i64, unit: Calendar) -> Option<Self> {
        let millis = amount.checked_mul(unit.millis()?)?;
        let (millis, unit_millis) = match self.precision {
            Precision::Hour => (millis - millis % 3_600_000, 3_600_000),
            Precision::Minute => (millis - millis % 60_000, 60_000),
            _ => (millis, 1),
        };
        debug_assert!(millis % unit_millis == 0, "cut to the precision");
        let at = self.at.time().wrapping_add(Span::new().milliseconds(millis % MILLIS_PER_DAY));
        Some(self.moved_to(civil::date(2000, 1, 1).to_datetime(at), millis, Calendar::Millisecond))
    }

    /// The amount in a unit that the moment is precise to.
    fn brought_to_precision(self, amount: i64, unit: Calendar) -> Option<(i64, Calendar)> {
        let finest = match self.precision {
            Precision::Year => Calendar::Year,
            Precision::Month => Calendar::Month,
            Precision::Day => Calendar::Day,
            Precision::Hour => Calendar::Hour,
            Precision::Minute => Calendar::Minute,
            Precision::Second => return Some((amount, unit)),
        };
        if unit.is_at_least(finest) {
            return Some((amount, unit));
        }
        Some(match (unit.millis(), finest.millis()) {
            (Some(fine), Some(coarse)) => (amount.checked_mul(fine)? / coarse, finest),
            // § 6.6.7 counts 30 days a month and 365 a year here.
            (Some(fine), None) => {
                let days = amount.checked_mul(fine)? / MILLIS_PER_DAY;
                (days / if finest == Calendar::Year { 365 } else { 30 }, finest)
            }
            (None, _) => (amount / 12, finest),
        })
    }

    /// `lowBoundary` and `highBoundary`: the least or greatest moment that this one can mean, with so many digits. `None` for
    /// numbers of digits that no moment of this type has.
    pub(crate) fn boundary(self, bound: Bound, digits: Option<i64>) -> Option<Self> {
        let most = match self.kind {
            MomentKind::Date => 8,
            MomentKind::DateTime => 17,
            MomentKind::Time => 9,
        };
        let digits = digits.unwrap_or(most);
        let shifted = if self.kind == MomentKind::Time { digits.checked_add(8)? } else { digits };
        let (precision, fraction_digits) = match shifted {
            4 => (Precision::Year, 0),
            6 => (Precision::Month, 0),
            8 => (Precision::Day, 0),
            10 => (Precision::Hour, 0),
            12 => (Precision::Minute, 0),
            14 => (Precision::Second, 0),
            17 => (Precision::Second, 3),
            _ => return None,
        };
        if digits > most || self.kind == MomentKind::Time && precision < Precision::Hour {
            return None;
        }
        let at = if bound == Bound::Low { self.at } else { self.last()? };
        let elsewhere = if bound == Bound::Low { EASTMOST } else { WESTMOST };
        let zoned = self.kind == MomentKind::DateTime && precision >= Precision::Hour;
        let offset = zoned.then(|| self.offset.unwrap_or(elsewhere));
        Some(Self { kind: self.kind, precision, at, fraction_digits, offset })
    }

    /// The last moment of what is given.
    fn last(self) -> Option<civil::DateTime> {
        let (date, time) = (self.at.date(), self.at.time());
        let month = if self.precision >= Precision::Month { date.month() } else { 12 };
        let day = if self.precision >= Precision::Day {
            date.day()
        } else {
            civil::Date::new(date.year(), month, 1).ok()?.days_in_month()
        };
        let hour = if self.precision >= Precision::Hour { time.hour() } else { 23 };
        let minute = if self.precision >= Precision::Minute { time.minute() } else { 59 };
        let second = if self.precision >= Precision::Second { time.second() } else { 59 };
        let unit = 10_i32.checked_pow(9 - u32::from(self.fraction_digits))?;
        let nanos = time.subsec_nanosecond() + unit - 1;
        civil::DateTime::new(date.year(), month, day, hour, minute, second, nanos).ok()
    }
}
