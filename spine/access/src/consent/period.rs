//! Spans of time of FHIR (`Period`), as moments.

use iris_fhir::json::Value;
use iris_kernel::Timestamp;

/// From `start` until just before `end`; open where there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Period {
    /// The first moment.
    pub start: Option<Timestamp>,
    /// The first moment that is not in it any more.
    pub end: Option<Timestamp>,
}

impl Period {
    /// Whether a moment is in it.
    #[must_use]
    pub fn has(&self, at: Timestamp) -> bool {
        self.start.is_none_or(|start| start <= at) && self.end.is_none_or(|end| at < end)
    }

    /// Reads a FHIR Period. A date that lacks its time, day or month means all of that span, in UTC; the end is inclusive there.
    ///
    /// # Errors
    /// A start or an end that is no time.
    pub fn read(period: Value<'_>) -> Result<Self, &'static str> {
        let bound =
            |name: &str| period.str_of(name).map(|text| span(&text).ok_or("has a start or end that is no time"));
        let (start, end) = (bound("start").transpose()?, bound("end").transpose()?);
        Ok(Self { start: start.map(|(first, _)| first), end: end.map(|(_, after)| after) })
    }
}

/// The first moment of a FHIR dateTime, and the first moment after it.
fn span(text: &str) -> Option<(Timestamp, Timestamp)> {
    if text.contains('T') {
        let at = Timestamp::parse(text).ok()?;
        // The moment that an end names is still in the period.
        return Some((at, Timestamp(at.0.saturating_add(1))));
    }
    let number = |part: Option<&str>| part.map(str::parse::<i32>).transpose().ok();
    let mut parts = text.split('-');
    let (year, month, day) = (number(parts.next())??, number(parts.next())?, number(parts.next())?);
    let first = midnight(year, month.unwrap_or(1), day.unwrap_or(1))?;
    let after = match (month, day) {
        (_, Some(_)) => Timestamp(first.0.checked_add(DAY_MICROS)?),
        (Some(12) | None, None) => midnight(year + 1, 1, 1)?,
        (Some(month), None) => midnight(year, month + 1, 1)?,
    };
    Some((first, after))
}

const DAY_MICROS: i64 = 86_400_000_000;

fn midnight(year: i32, month: i32, day: i32) -> Option<Timestamp> {
    Timestamp::parse(&format!("{year:04}-{month:02}-{day:02}T00:00:00Z")).ok()
}

#[cfg(test)]
mod tests {
    use iris_fhir::json::Json;

    use super::*;

    fn period(text: &'static str) -> Result<Period, &'static str> {
        Period::read(Json::parse(text).unwrap().root())
    }

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn a_date_means_all_of_it() {
        let cases = [
            (r#"{"start":"2026-01-15","end":"2026-01-15"}"#, "2026-01-15T00:00:00Z", "2026-01-16T00:00:00Z"),
            (r#"{"start":"2026-02","end":"2026-02"}"#, "2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z"),
            (r#"{"start":"2025","end":"2025-12"}"#, "2025-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
            (r#"{"start":"2025","end":"2025"}"#, "2025-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
        ];
        for (text, start, end) in cases {
            assert_eq!(period(text), Ok(Period { start: Some(at(start)), end: Some(at(end)) }), "{text}");
        }
        let open = period(r#"{"start":"2026-01-15T10:00:00+02:00"}"#).unwrap();
        assert_eq!(open, Period { start: Some(at("2026-01-15T08:00:00Z")), end: None });
        assert!(period(r#"{"end":"soon"}"#).is_err() && period(r#"{"start":"2026-13"}"#).is_err());
    }

    #[test]
    fn the_moment_of_the_end_is_the_last_one() {
        let period = period(r#"{"end":"2026-01-15T10:00:00Z"}"#).unwrap();
        let end = at("2026-01-15T10:00:00Z");
        assert!(period.has(end) && period.has(Timestamp(i64::MIN)));
        assert!(!period.has(Timestamp(end.0 + 1)));
    }
}
