//! Lengths of time as settings write them: `90s`, `15m`, `12h`, `7d`.

use std::str::FromStr;
use std::time::Duration;

/// What a fault says that is expected.
pub(super) const EXPECTED: &str = "a length of time, such as 90s, 15m, 12h or 7d";

/// A length of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span(pub(super) Duration);

impl FromStr for Span {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let unit = text.chars().next_back().ok_or(())?;
        let seconds: u64 = match unit {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            _ => return Err(()),
        };
        let number = text.strip_suffix(unit).filter(|number| number.bytes().all(|b| b.is_ascii_digit())).ok_or(())?;
        let number: u64 = number.parse().map_err(|_| ())?;
        number.checked_mul(seconds).map(|seconds| Self(Duration::from_secs(seconds))).ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_and_a_unit() {
        for (text, seconds) in [("0s", 0), ("90s", 90), ("15m", 900), ("12h", 43_200), ("7d", 604_800)] {
            assert_eq!(text.parse(), Ok(Span(Duration::from_secs(seconds))), "{text}");
        }
        for text in ["", "s", "15", "15 m", "+15m", "-1m", "1.5h", "15M", "1h30m", "15é", "99999999999999999999s"] {
            assert_eq!(text.parse::<Span>(), Err(()), "{text}");
        }
        assert_eq!("18446744073709551615d".parse::<Span>(), Err(()));
    }
}
