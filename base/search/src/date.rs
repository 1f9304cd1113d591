//! Dates of every precision as half-open ranges of microseconds.

use jiff::civil;

/// A range `[low, high)` in microseconds since the epoch.
pub type Range = (i64, i64);

/// Microseconds of one second.
const SECOND: i64 = 1_000_000;
/// Microseconds of one minute.
const MINUTE: i64 = 60 * SECOND;
/// Microseconds of one hour.
const HOUR: i64 = 60 * MINUTE;
/// Microseconds of one day.
const DAY: i64 = 24 * HOUR;

/// The range that a FHIR `date`, `dateTime` or `instant`, or the date of a search, stands for: `2013` is the whole year,
/// `2013-01-14T10:00Z` the whole minute, `…:00.1Z` a tenth of a second. Digits beyond microseconds are dropped.
///
/// Without a time zone the text is read as UTC: the server has no other zone of its own, so an answer does not
/// depend on where it runs. A second of 60 is the first second of the next minute. A blank where the offset's `+`
/// belongs is taken for it, because that is what a form-decoded URL leaves.
///
/// Returns `None` for anything else, impossible days such as 30 February included.
#[must_use]
pub fn range(text: &str) -> Option<Range> {
    let mut rest = Rest(text.as_bytes());
    let year = i16::try_from(rest.digits(4)?).ok().filter(|year| *year > 0)?;
    if rest.is_empty() {
        return Some((day_start(year, 1, 1)?, day_start(year + 1, 1, 1)?));
    }
    rest.take(b'-')?;
    let month = i8::try_from(rest.digits(2)?).ok()?;
    if rest.is_empty() {
        let next = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
        return Some((day_start(year, month, 1)?, day_start(next.0, next.1, 1)?));
    }
    rest.take(b'-')?;
    let day = day_start(year, month, i8::try_from(rest.digits(2)?).ok()?)?;
    if rest.is_empty() {
        return Some((day, day + DAY));
    }
    rest.take(b'T')?;
    let (time, width) = rest.time()?;
    let low = day + time - rest.offset()?;
    rest.is_empty().then_some((low, low + width))
}

/// Midnight of a day of the proleptic Gregorian calendar. Year 10,000 exists only as the end of 9999.
fn day_start(year: i16, month: i8, day: i8) -> Option<i64> {
    if year == 10_000 {
        return day_start(9999, 12, 31).map(|last| last + DAY);
    }
    let date = civil::Date::new(year, month, day).ok()?;
    let days = date.since((jiff::Unit::Day, civil::date(1970, 1, 1))).ok()?.get_days();
    Some(i64::from(days) * DAY)
}

/// What is still to be read.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        let (first, rest) = self.0.split_first()?;
        (*first == byte).then(|| self.0 = rest)
    }

    fn digits(&mut self, count: usize) -> Option<u32> {
        let (digits, rest) = self.0.split_at_checked(count)?;
        let number = digits
            .iter()
            .try_fold(0, |number, digit| digit.is_ascii_digit().then(|| number * 10 + u32::from(digit - b'0')))?;
        self.0 = rest;
        Some(number)
    }

    fn digits_up_to(&mut self, count: usize, most: u32) -> Option<i64> {
        self.digits(count).filter(|number| *number <= most).map(i64::from)
    }

    /// `hh:mm`, `hh:mm:ss` or `hh:mm:ss.f…`, as microseconds since midnight and the width of the last place.
    fn time(&mut self) -> Option<(i64, i64)> {
        let hours = self.digits_up_to(2, 23)?;
        self.take(b':')?;
        let minutes = self.digits_up_to(2, 59)?;
        let to_the_minute = hours * HOUR + minutes * MINUTE;
        if self.take(b':').is_none() {
            return Some((to_the_minute, MINUTE));
        }
        let to_the_second = to_the_minute + self.digits_up_to(2, 60)? * SECOND;
        if self.take(b'.').is_none() {
            return Some((to_the_second, SECOND));
        }
        let places = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (fraction, rest) = self.0.split_at_checked(places).filter(|_| places > 0)?;
        self.0 = rest;
        let mut width = SECOND;
        let mut micros = 0;
        for digit in fraction.iter().take(6) {
            width /= 10;
            micros += i64::from(digit - b'0') * width;
        }
        Some((to_the_second + micros, width))
    }

    /// `Z`, `+hh:mm`, `-hh:mm` or nothing, as microseconds east of UTC.
    fn offset(&mut self) -> Option<i64> {
        let sign = match self.0.split_first() {
            None => return Some(0),
            Some((b'Z', rest)) => {
                self.0 = rest;
                return Some(0);
            }
            Some((b'+' | b' ', rest)) => {
                self.0 = rest;
                1
            }
            Some((b'-', rest)) => {
                self.0 = rest;
                -1
            }
            Some(_) => return None,
        };
        let hours = self.digits_up_to(2, 14)?;
        self.take(b':')?;
        let minutes = self.digits_up_to(2, 59)?;
        Some(sign * (hours * HOUR + minutes * MINUTE))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> i64 {
        text.parse::<jiff::Timestamp>().unwrap().as_microsecond()
    }

    #[test]
    fn every_precision_has_its_width() {
        let table = [
            ("2013", "2013-01-01T00:00Z", "2014-01-01T00:00Z"),
            ("2012-02", "2012-02-01T00:00Z", "2012-03-01T00:00Z"),
            ("2013-12", "2013-12-01T00:00Z", "2014-01-01T00:00Z"),
            ("2012-02-29", "2012-02-29T00:00Z", "2012-03-01T00:00Z"),
            ("2000-02-29", "2000-02-29T00:00Z", "2000-03-01T00:00Z"),
            ("1969-12-31", "1969-12-31T00:00Z", "1970-01-01T00:00Z"),
            ("0001-01-01", "0001-01-01T00:00Z", "0001-01-02T00:00Z"),
            ("2013-01-14T10:00", "2013-01-14T10:00Z", "2013-01-14T10:01Z"),
            ("2013-01-14T10:00Z", "2013-01-14T10:00Z", "2013-01-14T10:01Z"),
            ("2013-01-14T10:00:59Z", "2013-01-14T10:00:59Z", "2013-01-14T10:01:00Z"),
            ("2013-01-14T10:00:60Z", "2013-01-14T10:01:00Z", "2013-01-14T10:01:01Z"),
            ("2013-01-14T10:00:00.1Z", "2013-01-14T10:00:00.1Z", "2013-01-14T10:00:00.2Z"),
            ("2013-01-14T10:00:00.123Z", "2013-01-14T10:00:00.123Z", "2013-01-14T10:00:00.124Z"),
            ("2013-01-14T10:00:00.123456Z", "2013-01-14T10:00:00.123456Z", "2013-01-14T10:00:00.123457Z"),
            ("2013-01-14T10:00:00.123456789Z", "2013-01-14T10:00:00.123456Z", "2013-01-14T10:00:00.123457Z"),
            ("2013-01-14T10:00:00+05:30", "2013-01-14T04:30:00Z", "2013-01-14T04:30:01Z"),
            ("2013-01-14T10:00:00 05:30", "2013-01-14T04:30:00Z", "2013-01-14T04:30:01Z"),
            ("2013-01-01T00:30-14:00", "2013-01-01T14:30Z", "2013-01-01T14:31Z"),
        ];
        for (text, low, high) in table {
            assert_eq!(range(text), Some((at(low), at(high))), "{text}");
        }
    }

    #[test]
    fn the_last_year_ends() {
        let (low, high) = range("9999").unwrap();
        assert_eq!(high - low, 365 * DAY);
        assert_eq!(range("9999-12-31").unwrap().1, high);
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "",
            "x",
            "13",
            "201",
            "20133",
            "0000",
            "2013-",
            "2013-1",
            "2013-13",
            "2013-00",
            "2013-01-32",
            "2013-02-29",
            "1900-02-29",
            "2013-01-14T",
            "2013-01-14T10",
            "2013-01-14T24:00Z",
            "2013-01-14T10:60Z",
            "2013-01-14T10:00:61Z",
            "2013-01-14T10:00:00.Z",
            "2013-01-14T10:00:00+5:30",
            "2013-01-14T10:00:00+15:00",
            "2013-01-14T10:00:00ZZ",
            "2013-01-14Z",
            "2013-01-14 10:00",
            "-2013",
            "２０１３",
        ] {
            assert_eq!(range(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn instants_agree_with_jiff(seconds in -62_000_000_000i64..250_000_000_000, micros in 0i32..1_000_000, offset in -840i32..=840) {
            let instant = jiff::Timestamp::new(seconds, micros * 1000).unwrap();
            let zone = jiff::tz::Offset::from_seconds(offset * 60).unwrap();
            let local = zone.to_datetime(instant);
            let sign = if offset < 0 { '-' } else { '+' };
            let text = format!("{local:.6}{sign}{:02}:{:02}", offset.abs() / 60, offset.abs() % 60);
            let micros = instant.as_microsecond();
            prop_assert_eq!(range(&text), Some((micros, micros + 1)), "{}", text);
        }

        #[test]
        fn days_tile_their_month_and_months_their_year(year in 1i16..=9999) {
            let (year_low, year_high) = range(&format!("{year:04}")).unwrap();
            let mut reached = year_low;
            for month in 1..=12 {
                let (low, high) = range(&format!("{year:04}-{month:02}")).unwrap();
                prop_assert_eq!(low, reached);
                let mut day_reached = low;
                for day in 1..=31 {
                    if let Some((day_low, day_high)) = range(&format!("{year:04}-{month:02}-{day:02}")) {
                        prop_assert_eq!(day_low, day_reached);
                        day_reached = day_high;
                    }
                }
                prop_assert_eq!(day_reached, high);
                reached = high;
            }
            prop_assert_eq!(reached, year_high);
        }
    }
}
