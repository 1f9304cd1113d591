//! Calendar days.

use std::fmt;
use std::str::FromStr;

use iris_kernel::Timestamp;
use jiff::Span;
use jiff::civil::Date;

/// A day of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(Date);

impl Day {
    /// So many days later; earlier if negative.
    pub(crate) fn plus(self, days: i64) -> Self {
        Self(self.0.saturating_add(Span::new().days(days.clamp(-1_000_000, 1_000_000))))
    }

    /// How many days from `earlier` to this one; negative if it is later.
    pub(crate) fn since(self, earlier: Self) -> i64 {
        earlier.0.until(self.0).map_or(0, |span| i64::from(span.get_days()))
    }

    /// Whole years from `earlier`: an age on this day.
    pub(crate) fn years_since(self, earlier: Self) -> i64 {
        let years = i64::from(self.0.year()) - i64::from(earlier.0.year());
        let before_birthday = (self.0.month(), self.0.day()) < (earlier.0.month(), earlier.0.day());
        years - i64::from(before_birthday)
    }

    pub(crate) fn year(self) -> i16 {
        self.0.year()
    }

    pub(crate) fn month(self) -> i8 {
        self.0.month()
    }

    /// A time of this day in UTC as FHIR writes it.
    pub(crate) fn at(self, minute: i64) -> String {
        let minute = minute.clamp(0, 24 * 60 - 1);
        format!("{self}T{:02}:{:02}:00Z", minute / 60, minute % 60)
    }
}

/// Days in so many years.
pub(crate) const fn years(count: i64) -> i64 {
    count * 1_461 / 4
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Day {
    type Err = jiff::Error;

    fn from_str(text: &str) -> Result<Self, jiff::Error> {
        text.parse().map(Self)
    }
}

impl From<Timestamp> for Day {
    fn from(at: Timestamp) -> Self {
        Self(Date::constant(1970, 1, 1)).plus(at.seconds().div_euclid(86_400))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        text.parse().unwrap()
    }

    #[test]
    fn days_and_ages_are_counted_as_people_do() {
        let born = day("2000-02-29");
        assert_eq!(day("2024-02-28").years_since(born), 23);
        assert_eq!(day("2024-02-29").years_since(born), 24);
        assert_eq!(born.plus(366).to_string(), "2001-03-01");
        assert_eq!(born.plus(366).since(born), 366);
        assert_eq!(born.since(born.plus(3)), -3);
        assert_eq!(born.at(14 * 60 + 5), "2000-02-29T14:05:00Z");
        assert!("2000-13-01".parse::<Day>().is_err());
    }

    #[test]
    fn a_moment_has_its_day_in_utc() {
        let moment = Timestamp::parse("2026-11-22T00:30:00+02:00").unwrap();
        assert_eq!(Day::from(moment), day("2026-11-21"));
    }
}
