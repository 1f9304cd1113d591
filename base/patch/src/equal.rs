//! When two values are equal to the `test` operation (RFC 6902, 4.6).

use std::borrow::Cow;

/// Whether two JSON numbers are numerically equal, however they are spelt. Exact: nothing is rounded.
pub(crate) fn numbers(a: &str, b: &str) -> bool {
    if a == b {
        return true;
    }
    match (Decimal::read(a), Decimal::read(b)) {
        (Some(a), Some(b)) => a == b,
        // An exponent beyond all reason: only the same spelling is the same number.
        _ => false,
    }
}

/// Digits without zeros at either end, and the power of ten of the last one.
#[derive(PartialEq)]
struct Decimal<'a> {
    negative: bool,
    digits: Cow<'a, str>,
    power: i64,
}

impl<'a> Decimal<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let (mantissa, power) = match text.split_once(['e', 'E']) {
            Some((mantissa, power)) => (mantissa, power.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (negative, mantissa) = mantissa.strip_prefix('-').map_or((false, mantissa), |rest| (true, rest));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits: Cow<'a, str> = if fraction.is_empty() { whole.into() } else { format!("{whole}{fraction}").into() };
        let mut power = i64::from(power) - i64::try_from(fraction.len()).ok()?;
        let ended = digits.trim_end_matches('0');
        power += i64::try_from(digits.len() - ended.len()).ok()?;
        let digits = ended.trim_start_matches('0').to_owned();
        if digits.is_empty() {
            return Some(Self { negative: false, digits: "".into(), power: 0 });
        }
        Some(Self { negative, digits: digits.into(), power })
    }
}

#[cfg(test)]
mod tests {
    use super::numbers;

    #[test]
    fn numbers_are_compared_by_value() {
        for (a, b) in [
            ("1", "1.0"),
            ("100", "1e2"),
            ("1E+2", "100.00"),
            ("0.10", "1e-1"),
            ("0", "-0.0e5"),
            ("-1.50", "-15e-1"),
            ("10", "1.0e1"),
        ] {
            assert!(numbers(a, b) && numbers(b, a), "{a} {b}");
        }
        for (a, b) in [
            ("1", "-1"),
            ("1", "10"),
            ("0.1", "0.10000000000000000000000000001"),
            ("1e99999999999", "1e99999999998"),
            ("1", "0"),
        ] {
            assert!(!numbers(a, b) && !numbers(b, a), "{a} {b}");
        }
        assert!(numbers("1e99999999999", "1e99999999999"));
    }
}
