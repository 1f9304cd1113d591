//! Dates, times and both, each as precise as it is spelt (`FHIRPath` § 5.5, § 6.1, § 6.2).

use std::cmp::Ordering;
use std::fmt;

use iris_kernel::Timestamp;
use jiff::civil;

/// Which of the three types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MomentKind {
    /// `Date`
    Date,
    /// `DateTime`
    DateTime,
    /// `Time`
    Time,
}

/// Down to what a moment is given. Seconds and their fractions are one precision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Precision {
    /// A year.
    Year,
    /// A month.
    Month,
    /// A day.
    Day,
    /// An hour.
    Hour,
    /// A minute.
    Minute,
    /// A second or a fraction of one.
    Second,
}

/// A `Date`, `DateTime` or `Time`.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    pub(crate) kind: MomentKind,
    pub(crate) precision: Precision,
    /// What is not given has its least value; of a `Time` the day is 2000-01-01.
    pub(crate) at: civil::DateTime,
    /// Digits of the second's fraction that are spelt.
    pub(crate) fraction_digits: u8,
    /// Minutes east of UTC.
    pub(crate) offset: Option<i16>,
}

/// Minutes that the clocks of the world are at most ahead of and behind UTC.
const AHEAD_MAX: i64 = 14 * 60;
const BEHIND_MAX: i64 = 12 * 60;
const NANOS_DIGITS: usize = 9;

impl Moment {
    /// Reads what follows the `@` of a literal; the letter `T` decides on the type.
    #[must_use]
    pub fn parse_literal(text: &str) -> Option<Self> {
        match text.split_once('T') {
            None => Self::parse_date(text),
            Some(("", time)) => Self::parse_time(time),
            Some((date, "")) => Some(Self { kind: MomentKind::DateTime, ..Self::parse_date(date)? }),
            Some(_) => Self::parse_date_time(text),
        }
    }

    /// Reads a FHIR `date` or what converts to a `Date`: `2015`, `2015-02`, `2015-02-04`.
    #[must_use]
    pub fn parse_date(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let (precision, month, day) = match bytes.len() {
            4 => (Precision::Year, 1, 1),
            7 if bytes.get(4) == Some(&b'-') => (Precision::Month, two(bytes, 5)?, 1),
            10 if bytes.get(4) == Some(&b'-') && bytes.get(7) == Some(&b'-') => {
                (Precision::Day, two(bytes, 5)?, two(bytes, 8)?)
            }
            _ => return None,
        };
        let year = i16::from(two(bytes, 0)?) * 100 + i16::from(two(bytes, 2)?);
        let at = civil::Date::new(year, month, day).ok()?.at(0, 0, 0, 0);
        Some(Self { kind: MomentKind::Date, precision, at, fraction_digits: 0, offset: None })
    }

    /// Reads a FHIR `dateTime` or `instant`, or what converts to a `DateTime`; a date alone is one too.
    #[must_use]
    pub fn parse_date_time(text: &str) -> Option<Self> {
        let Some((date, time)) = text.split_once('T') else {
            return Some(Self { kind: MomentKind::DateTime, ..Self::parse_date(text)? });
        };
        let date = Self::parse_date(date).filter(|date| date.precision == Precision::Day)?;
        let (time, offset) = match time.find(['Z', '+', '-']) {
            None => (time, None),
            Some(at) => (time.get(..at)?, Some(parse_offset(time.get(at..)?)?)),
        };
        let time = Self::parse_time(time)?;
        Some(Self { kind: MomentKind::DateTime, at: date.at.date().to_datetime(time.at.time()), offset, ..time })
    }

    /// Reads a FHIR `time` or what converts to a `Time`: `14`, `14:34`, `14:34:28.123`.
    #[must_use]
    pub fn parse_time(text: &str) -> Option<Self> {
        let (clock, fraction) = text.split_once('.').map_or((text, None), |(clock, fraction)| (clock, Some(fraction)));
        let bytes = clock.as_bytes();
        let colons = [2, 5].iter().all(|at| bytes.get(*at).is_none_or(|byte| *byte == b':'));
        let precision = match bytes.len() {
            2 => Precision::Hour,
            5 => Precision::Minute,
            8 => Precision::Second,
            _ => return None,
        };
        if !colons || fraction.is_some() && precision != Precision::Second {
            return None;
        }
        let part = |from: usize| if bytes.len() > from { two(bytes, from) } else { Some(0) };
        let (nanos, fraction_digits) = fraction.map_or(Some((0, 0)), parse_fraction)?;
        // A leap second is the second before it: no arithmetic here knows when they were.
        let second = part(6)?.min(59);
        if part(6)? > 60 {
            return None;
        }
        let at = civil::DateTime::new(2000, 1, 1, part(0)?, part(3)?, second, nanos).ok()?;
        Some(Self { kind: MomentKind::Time, precision, at, fraction_digits, offset: None })
    }

    /// `now()`: in UTC, with milliseconds.
    #[must_use]
    pub fn now(now: Timestamp) -> Option<Self> {
        Self::parse_date_time(&now.rfc3339())
    }

    /// The day of a moment, as `today()` gives it, or the `Date` part.
    #[must_use]
    pub fn date(self) -> Self {
        let precision = self.precision.min(Precision::Day);
        Self { kind: MomentKind::Date, precision, at: self.at.date().at(0, 0, 0, 0), fraction_digits: 0, offset: None }
    }

    /// The time of day of a moment.
    #[must_use]
    pub fn time(self) -> Self {
        let at = civil::date(2000, 1, 1).to_datetime(self.at.time());
        Self { kind: MomentKind::Time, at, offset: None, ..self }
    }

    /// The type.
    #[must_use]
    pub const fn kind(self) -> MomentKind {
        self.kind
    }

    /// Compares two moments; `None` where the less precise one leaves it open, or an unknown offset does. A `Time` and a date
    /// must not be compared.
    #[must_use]
    pub fn compare(self, other: Self) -> Option<Ordering> {
        let timed = self.precision >= Precision::Hour && other.precision >= Precision::Hour;
        let (left, right) = match (self.offset, other.offset) {
            (Some(_), Some(_)) if timed => (self.in_utc()?, other.in_utc()?),
            (Some(_), None) if timed => return zoned_with_local(self, other),
            (None, Some(_)) if timed => return zoned_with_local(other, self).map(Ordering::reverse),
            _ => (self.at, other.at),
        };
        let shared = self.precision.min(other.precision);
        match truncated(left, shared).cmp(&truncated(right, shared)) {
            Ordering::Equal if self.precision != other.precision => None,
            ordering => Some(ordering),
        }
    }

    fn in_utc(self) -> Option<civil::DateTime> {
        let offset = jiff::Span::new().minutes(i64::from(self.offset?));
        self.at.checked_sub(offset).ok()
    }

    /// `precision()`: how many digits are spelt out.
    #[must_use]
    pub const fn digits(self) -> i64 {
        let date_time = match self.precision {
            Precision::Year => 4,
            Precision::Month => 6,
            Precision::Day => 8,
            Precision::Hour => 10,
            Precision::Minute => 12,
            Precision::Second if self.fraction_digits == 0 => 14,
            Precision::Second => 17,
        };
        if matches!(self.kind, MomentKind::Time) { date_time - 8 } else { date_time }
    }
}

fn two(bytes: &[u8], from: usize) -> Option<i8> {
    match bytes.get(from..from + 2)? {
        [tens @ b'0'..=b'9', ones @ b'0'..=b'9'] => i8::try_from((tens - b'0') * 10 + (ones - b'0')).ok(),
        _ => None,
    }
}

/// Nanoseconds, and how many digits there were. Digits beyond nanoseconds are dropped.
fn parse_fraction(text: &str) -> Option<(i32, u8)> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let kept = &text[..text.len().min(NANOS_DIGITS)];
    let nanos = format!("{kept:0<NANOS_DIGITS$}").parse().ok()?;
    Some((nanos, u8::try_from(kept.len()).ok()?))
}

fn parse_offset(text: &str) -> Option<i16> {
    if text == "Z" {
        return Some(0);
    }
    let bytes = text.as_bytes();
    if bytes.len() != 6 || bytes.get(3) != Some(&b':') {
        return None;
    }
    let minutes = i16::from(two(bytes, 1)?) * 60 + i16::from(two(bytes, 4).filter(|minutes| *minutes < 60)?);
    let minutes = if bytes.first() == Some(&b'-') { -minutes } else { minutes };
    (i64::from(minutes.abs()) <= AHEAD_MAX).then_some(minutes)
}

fn truncated(at: civil::DateTime, to: Precision) -> civil::DateTime {
    let (date, time) = (at.date(), at.time());
    let month = if to >= Precision::Month { date.month() } else { 1 };
    let day = if to >= Precision::Day { date.day() } else { 1 };
    let minute = if to >= Precision::Minute { time.minute() } else { 0 };
    let (second, nanos) = if to >= Precision::Second { (time.second(), time.subsec_nanosecond()) } else { (0, 0) };
    let hour = if to >= Precision::Hour { time.hour() } else { 0 };
    civil::DateTime::new(date.year(), month, day, hour, minute, second, nanos).unwrap_or(at)
}

/// Compares a moment with offset and one without, which may be meant anywhere in the world.
fn zoned_with_local(zoned: Moment, local: Moment) -> Option<Ordering> {
    // What is not given may add up to an hour.
    const OPEN: i64 = 60;
    let minutes = zoned.in_utc()?.since((jiff::Unit::Minute, local.at)).ok()?.get_minutes();
    if minutes > BEHIND_MAX + OPEN {
        Some(Ordering::Greater)
    } else if minutes < -(AHEAD_MAX + OPEN) {
        Some(Ordering::Less)
    } else {
        None
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (date, time) = (self.at.date(), self.at.time());
        if self.kind != MomentKind::Time {
            write!(f, "{:04}", date.year())?;
            if self.precision >= Precision::Month {
                write!(f, "-{:02}", date.month())?;
            }
            if self.precision >= Precision::Day {
                write!(f, "-{:02}", date.day())?;
            }
            if self.precision >= Precision::Hour {
                f.write_str("T")?;
            }
        }
        if self.precision >= Precision::Hour {
            write!(f, "{:02}", time.hour())?;
        }
        if self.precision >= Precision::Minute {
            write!(f, ":{:02}", time.minute())?;
        }
        if self.precision >= Precision::Second {
            write!(f, ":{:02}", time.second())?;
        }
        if self.fraction_digits > 0 {
            let nanos = format!("{:09}", time.subsec_nanosecond());
            write!(f, ".{}", nanos.get(..usize::from(self.fraction_digits)).unwrap_or_default())?;
        }
        match self.offset {
            None => Ok(()),
            Some(0) => f.write_str("Z"),
            Some(minutes) => {
                let sign = if minutes < 0 { '-' } else { '+' };
                write!(f, "{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60)
            }
        }
    }
}
