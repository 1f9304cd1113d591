//! Dates and times of the plain dialect: RFC 3339 and ISO dates outside, FHIR `date` and `dateTime` inside.

use iris_kernel::Timestamp;
use jiff::civil::{Date, DateTime};

/// First year that FHIR can write with four digits and that a record may hold.
const YEAR_MIN: i16 = 1;

/// A FHIR `dateTime` as the plain dialect may send it: a whole day, or a moment with its offset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FhirTime(String);

impl FhirTime {
    /// Reads a date, an RFC 3339 time, or a time without offset, which is taken as UTC.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, String> {
        if !text.contains(['T', 't', ' ']) {
            return partial_date(text).map(|()| Self(text.to_owned()));
        }
        if Timestamp::parse(text).is_ok() {
            let text = text.to_ascii_uppercase().replace(' ', "T");
            return Ok(if is_fhir_moment(&text) { Self(text) } else { Self::moment_of(&text) });
        }
        let local: DateTime =
            text.parse().map_err(|_| "is no time of the calendar; write 2026-01-15T10:30:00Z".to_owned())?;
        Ok(Self::moment_of(&format!("{local}Z")))
    }

    fn moment_of(text: &str) -> Self {
        Self(Timestamp::parse(text).map_or_else(|_| text.to_owned(), utc))
    }

    /// This moment.
    #[must_use]
    pub fn moment(at: Timestamp) -> Self {
        Self(at.rfc3339())
    }

    /// The FHIR text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it lies after a moment; a day does if it begins after it.
    #[must_use]
    pub fn after(&self, now: Timestamp) -> bool {
        let start = if self.0.contains('T') { self.0.clone() } else { format!("{}T00:00:00Z", padded(&self.0)) };
        Timestamp::parse(&start).is_ok_and(|start| start > now)
    }
}

/// FHIR wants seconds and an offset: `…T10:30:00Z`, `…T10:30:00.5+02:00`.
fn is_fhir_moment(text: &str) -> bool {
    let Some((date, time)) = text.split_once('T') else { return false };
    let seconds = time.as_bytes().get(..8).is_some_and(|t| t[2] == b':' && t[5] == b':');
    let offset = time.ends_with('Z') || time.len() > 6 && time.as_bytes()[time.len() - 3] == b':';
    date.len() == 10 && seconds && offset && !text.contains(['[', ','])
}

/// A moment in UTC, without a fraction where there is none.
fn utc(at: Timestamp) -> String {
    let text = at.rfc3339();
    text.strip_suffix(".000Z").map_or_else(|| text.clone(), |whole| format!("{whole}Z"))
}

/// A stored FHIR `dateTime` as the plain dialect shows it: in UTC; a whole day as it is.
#[must_use]
pub fn shown(stored: &str) -> String {
    if stored.ends_with('Z') || !stored.contains('T') {
        return stored.to_owned();
    }
    Timestamp::parse(stored).map_or_else(|_| stored.to_owned(), utc)
}

/// Whether a text is a whole calendar date.
#[must_use]
pub fn is_date(text: &str) -> bool {
    text.len() == 10 && partial_date(text).is_ok()
}

/// Checks a date that may lack day or month, as FHIR `date`.
///
/// # Errors
/// What is wrong with it.
pub fn partial_date(text: &str) -> Result<(), String> {
    let digits = |part: &str, length: usize| part.len() == length && part.bytes().all(|b| b.is_ascii_digit());
    let parts: Vec<&str> = text.split('-').collect();
    let shape = match parts.as_slice() {
        [y] => digits(y, 4),
        [y, m] => digits(y, 4) && digits(m, 2),
        [y, m, d] => digits(y, 4) && digits(m, 2) && digits(d, 2),
        _ => false,
    };
    if !shape {
        return Err("is no date; write YYYY-MM-DD".to_owned());
    }
    match padded(text).parse::<Date>() {
        Ok(date) if date.year() >= YEAR_MIN => Ok(()),
        _ => Err("is no date of the calendar".to_owned()),
    }
}

/// The first day of a date that may lack day or month.
fn padded(text: &str) -> String {
    match text.len() {
        4 => format!("{text}-01-01"),
        7 => format!("{text}-01"),
        _ => text.to_owned(),
    }
}

/// The day of a moment in UTC, as `YYYY-MM-DD`; what `today` means in a filter.
#[must_use]
pub fn day_bounds(now: Timestamp) -> String {
    now.rfc3339().get(..10).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_kept_as_sent_where_fhir_can_hold_them() {
        let cases = [
            ("2025-01-15", "2025-01-15"),
            ("2025-01-15T10:30:00Z", "2025-01-15T10:30:00Z"),
            ("2025-01-15T10:30:00.250+02:00", "2025-01-15T10:30:00.250+02:00"),
            ("2025-01-15T10:30:00", "2025-01-15T10:30:00Z"),
            ("2025-01-15 10:30:00", "2025-01-15T10:30:00Z"),
            ("2025-01-15T10:30Z", "2025-01-15T10:30:00Z"),
            ("2025-01-15T10:30:00.123456", "2025-01-15T10:30:00.123Z"),
        ];
        for (sent, kept) in cases {
            assert_eq!(FhirTime::parse(sent).as_ref().map(FhirTime::as_str), Ok(kept), "{sent}");
        }
        for wrong in
            ["2025-13-01", "2025-02-30T10:00:00Z", "2025-01-15T25:00:00Z", "yesterday", "", "2025-1-5", "20250115"]
        {
            assert!(FhirTime::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_shown_is_utc() {
        assert_eq!(shown("2025-01-15T10:30:00+02:00"), "2025-01-15T08:30:00Z");
        assert_eq!(shown("2025-01-15T10:30:00.5Z"), "2025-01-15T10:30:00.5Z");
        assert_eq!(shown("2025-01"), "2025-01");
    }

    #[test]
    fn partial_dates() {
        for good in ["1985", "1985-05", "1985-05-15", "2024-02-29"] {
            assert_eq!(partial_date(good), Ok(()), "{good}");
        }
        for wrong in ["", "85", "1985-5", "1985-00", "2023-02-29", "1985-05-15T00:00:00Z", "0000", "١٩٨٥"] {
            assert!(partial_date(wrong).is_err(), "{wrong}");
        }
        assert!(FhirTime::parse("2030").unwrap().after(Timestamp(0)));
    }
}
