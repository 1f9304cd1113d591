//! Lengths of time as settings write them: `250ms`, `90s`, `15m`, `12h`, `7d`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// What a fault says that is expected.
pub const EXPECTED: &str = "a length of time, such as 250ms, 90s, 15m, 12h or 7d";

/// Units with their milliseconds, longest first.
const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("ms", 1), ("s", 1_000)];

/// A length of time. What it shows parses to the same length, down to the millisecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub Duration);

impl FromStr for Span {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        // `ms` stands before `s`, which it ends with.
        let (unit, ms) = UNITS.iter().find(|(unit, _)| text.ends_with(unit)).ok_or(())?;
        let number = text.strip_suffix(unit).filter(|number| number.bytes().all(|b| b.is_ascii_digit())).ok_or(())?;
        let number: u64 = number.parse().map_err(|_| ())?;
        number.checked_mul(*ms).map(|ms| Self(Duration::from_millis(ms))).ok_or(())
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX);
        if ms == 0 {
            return f.write_str("0s");
        }
        let exact = |(_, size): &&(&str, u64)| ms.is_multiple_of(*size);
        let (unit, size) = UNITS.iter().filter(exact).max_by_key(|(_, size)| *size).unwrap_or(&("ms", 1));
        write!(f, "{}{unit}", ms / size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_and_a_unit() {
        for (text, ms) in
            [("0s", 0), ("250ms", 250), ("90s", 90_000), ("15m", 900_000), ("12h", 43_200_000), ("7d", 604_800_000)]
        {
            assert_eq!(text.parse(), Ok(Span(Duration::from_millis(ms))), "{text}");
            assert_eq!(Span(Duration::from_millis(ms)).to_string(), text);
        }
        for text in ["", "s", "ms", "15", "15 m", "+15m", "-1m", "1.5h", "15M", "1h30m", "15é", "99999999999999999999s"]
        {
            assert_eq!(text.parse::<Span>(), Err(()), "{text}");
        }
        assert_eq!("18446744073709551615d".parse::<Span>(), Err(()));
        assert_eq!(Span(Duration::from_millis(1_500)).to_string(), "1500ms");
        assert_eq!(Span(Duration::from_secs(3_600)).to_string(), "1h");
    }
}
