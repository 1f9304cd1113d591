//! Decimal numbers as they are spelt: `1.50` keeps its two digits after the point.

use std::cmp::Ordering;
use std::fmt;

/// Most digits of a number; what is longer is no [`Decimal`].
const DIGITS_MAX: u32 = 38;
/// Every coefficient is smaller than this, so that two of them can be added.
const COEFFICIENT_END: i128 = 10_i128.pow(DIGITS_MAX);
/// Most places that a number may be shifted by.
const SCALE_MAX: i32 = 400;
/// Digits that a quotient is rounded to where it does not end.
const QUOTIENT_DIGITS: u32 = 28;
/// Digits that factors are rounded to where their product would have too many.
const FACTOR_DIGITS: u32 = 19;
/// Zeros that are taken off at once, and the number that has so many: halves of each other, so that any count is made of them.
const STRIDES: [(i32, i128); 5] = [(16, 10_i128.pow(16)), (8, 10_i128.pow(8)), (4, 10_i128.pow(4)), (2, 100), (1, 10)];
/// The powers of ten that a binary number holds exactly.
const EXACT_POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];
/// Up to here a binary number holds every whole number exactly.
const EXACT_MAX: u128 = 1 << 53;

/// A decimal number: `coefficient` × 10^−`scale`. FHIR decimals have 18 digits and exponents, UCUM has factors of 10^-36:
/// so 38 digits and a scale of its own, which the decimal types with 28 digits do not hold.
#[derive(Clone, Copy, Debug)]
pub struct Decimal {
    coefficient: i128,
    scale: i32,
}

/// Why a text is no [`Decimal`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecimalError {
    /// Not spelt as a number.
    #[error("not a decimal number")]
    Spelling,
    /// More than 38 digits, or an exponent beyond ±400.
    #[error("the number has too many digits")]
    TooLong,
}

impl Decimal {
    /// Nothing.
    pub const ZERO: Self = Self { coefficient: 0, scale: 0 };
    /// One.
    pub const ONE: Self = Self { coefficient: 1, scale: 0 };

    /// `coefficient` × 10^−`scale`; `None` beyond the limits.
    #[must_use]
    pub fn new(coefficient: i128, scale: i32) -> Option<Self> {
        let fits = coefficient.abs() < COEFFICIENT_END && scale.abs() <= SCALE_MAX;
        fits.then_some(Self { coefficient, scale })
    }

    /// Reads `-12.50`, `3`, `1.0e-7`.
    ///
    /// # Errors
    /// Another spelling, or too many digits.
    pub fn parse(text: &str) -> Result<Self, DecimalError> {
        let (digits, exponent) = match text.split_once(['e', 'E']) {
            Some((digits, exponent)) => (digits, exponent.parse::<i32>().map_err(|_| DecimalError::Spelling)?),
            None => (text, 0),
        };
        let (negative, digits) = match digits.as_bytes() {
            [b'-', ..] => (true, &digits[1..]),
            [b'+', ..] => (false, &digits[1..]),
            _ => (false, digits),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
        let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number(whole) || !is_number(fraction) {
            return Err(DecimalError::Spelling);
        }
        let fraction = if digits.contains('.') { fraction } else { "" };
        let mut coefficient: i128 = 0;
        for digit in whole.bytes().chain(fraction.bytes()) {
            if coefficient >= COEFFICIENT_END / 10 {
                return Err(DecimalError::TooLong);
            }
            coefficient = coefficient * 10 + i128::from(digit - b'0');
        }
        let places = i32::try_from(fraction.len()).map_err(|_| DecimalError::TooLong)?;
        let scale = places.checked_sub(exponent).ok_or(DecimalError::TooLong)?;
        Self::new(if negative { -coefficient } else { coefficient }, scale).ok_or(DecimalError::TooLong)
    }

    /// The nearest decimal with at most 15 digits; `None` for infinities and what is not a number.
    #[must_use]
    pub fn from_f64(number: f64) -> Option<Self> {
        if !number.is_finite() {
            return None;
        }
        Self::parse(&format!("{number:.14e}")).ok().map(Self::normalized)
    }

    /// The nearest binary number.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        let power = usize::try_from(self.scale.unsigned_abs()).ok().and_then(|places| EXACT_POWERS.get(places));
        match power {
            // Both numbers are exact, so that one operation rounds to the nearest.
            Some(power) if self.coefficient.unsigned_abs() <= EXACT_MAX => {
                let coefficient = self.coefficient as f64;
                if self.scale > 0 { coefficient / power } else { coefficient * power }
            }
            _ => format!("{}e{}", self.coefficient, -self.scale).parse().unwrap_or(f64::NAN),
        }
    }

    /// The whole number that this is; `None` if it is none, or does not fit.
    #[must_use]
    pub fn to_i64(self) -> Option<i64> {
        let plain = self.normalized();
        if plain.scale > 0 {
            return None;
        }
        i64::try_from(plain.rescaled(0)?.coefficient).ok()
    }

    /// Digits after the point; negative for `1e3`.
    #[must_use]
    pub const fn scale(self) -> i32 {
        self.scale
    }

    /// Whether this is nothing.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.coefficient == 0
    }

    /// Whether this is less than nothing.
    #[must_use]
    pub const fn is_negative(self) -> bool {
        self.coefficient < 0
    }

    /// How many digits there are, leading zeros left out.
    fn digits(self) -> u32 {
        self.coefficient.unsigned_abs().checked_ilog10().map_or(1, |log| log + 1)
    }

    /// Without zeros at the end.
    #[must_use]
    pub fn normalized(mut self) -> Self {
        if self.coefficient == 0 {
            return Self::ZERO;
        }
        // In long strides first: a quotient may end in dozens of zeros, and dividing such numbers is dear.
        for (places, stride) in STRIDES {
            while self.coefficient % stride == 0 && self.scale - places >= -SCALE_MAX {
                self.coefficient /= stride;
                self.scale -= places;
            }
        }
        self
    }

    /// The same number with this many digits after the point; `None` if digits would be lost or there would be too many.
    fn rescaled(self, scale: i32) -> Option<Self> {
        if scale >= self.scale {
            let by = u32::try_from(scale.checked_sub(self.scale)?).ok()?;
            if self.coefficient == 0 {
                return Self::new(0, scale);
            }
            let coefficient = self.coefficient.checked_mul(10_i128.checked_pow(by)?)?;
            return Self::new(coefficient, scale);
        }
        let rounded = self.round(scale, Rounding::Down)?;
        (rounded == self).then_some(rounded)
    }

    /// With at least this many digits after the point, zeros put in where there are fewer.
    #[must_use]
    pub fn with_scale_at_least(self, scale: i32) -> Option<Self> {
        if self.scale >= scale { Some(self) } else { self.rescaled(scale) }
    }

    /// Rounded to this many digits after the point; exactly that many. `None` beyond the limits.
    #[must_use]
    pub fn round(self, scale: i32, rounding: Rounding) -> Option<Self> {
        if scale >= self.scale {
            return self.rescaled(scale);
        }
        let by = u32::try_from(self.scale.checked_sub(scale)?).ok()?;
        let Some(unit) = 10_i128.checked_pow(by) else {
            // Everything is behind the last place that is kept.
            let outward = match rounding {
                Rounding::Floor if self.coefficient < 0 => -1,
                Rounding::Ceiling if self.coefficient > 0 => 1,
                _ => 0,
            };
            return Self::new(outward, scale);
        };
        let (quotient, rest) = (self.coefficient / unit, self.coefficient % unit);
        let step = match rounding {
            Rounding::Down => 0,
            Rounding::Floor => -i128::from(rest < 0),
            Rounding::Ceiling => i128::from(rest > 0),
            Rounding::HalfUp if rest.abs() >= unit - rest.abs() => rest.signum(),
            Rounding::HalfUp => 0,
        };
        Self::new(quotient + step, scale)
    }

    /// Rounded to this many digits in all.
    fn round_digits(self, digits: u32) -> Option<Self> {
        let over = self.digits().saturating_sub(digits);
        if over == 0 { Some(self) } else { self.round(self.scale - i32::try_from(over).ok()?, Rounding::HalfUp) }
    }

    /// The sum; `None` beyond the limits.
    #[must_use]
    pub fn plus(self, other: Self) -> Option<Self> {
        let scale = self.scale.max(other.scale);
        let (left, right) = (self.rescaled(scale)?, other.rescaled(scale)?);
        Self::new(left.coefficient + right.coefficient, scale)
    }

    /// The difference; `None` beyond the limits.
    #[must_use]
    pub fn minus(self, other: Self) -> Option<Self> {
        self.plus(other.negated())
    }

    /// With the other sign.
    #[must_use]
    pub const fn negated(self) -> Self {
        Self { coefficient: -self.coefficient, scale: self.scale }
    }

    /// Without the sign.
    #[must_use]
    pub const fn abs(self) -> Self {
        Self { coefficient: self.coefficient.abs(), scale: self.scale }
    }

    /// The product; exact up to 38 digits, of factors rounded to 19 digits beyond. `None` beyond the limits.
    #[must_use]
    pub fn times(self, other: Self) -> Option<Self> {
        let exact = self.coefficient.checked_mul(other.coefficient);
        let scale = self.scale.checked_add(other.scale)?;
        if let Some(product) = exact.and_then(|coefficient| Self::new(coefficient, scale)) {
            return Some(product);
        }
        let (left, right) =
            (self.normalized().round_digits(FACTOR_DIGITS)?, other.normalized().round_digits(FACTOR_DIGITS)?);
        Self::new(left.coefficient.checked_mul(right.coefficient)?, left.scale.checked_add(right.scale)?)
    }

    /// The quotient, rounded to 28 digits where it does not end before. `None` for a divisor of nothing, or beyond the limits.
    #[must_use]
    pub fn over(self, other: Self) -> Option<Self> {
        if other.coefficient == 0 {
            return None;
        }
        if self.coefficient == 0 {
            return Some(Self::ZERO);
        }
        let divisor = other.normalized().round_digits(FACTOR_DIGITS)?;
        // By a power of ten only the point moves.
        let shift = if divisor.coefficient == 1 { 0 } else { DIGITS_MAX.saturating_sub(self.digits()) };
        let dividend = self.coefficient.checked_mul(10_i128.checked_pow(shift)?)?;
        let scale = self.scale.checked_add(i32::try_from(shift).ok()?)?.checked_sub(divisor.scale)?;
        let quotient = Self::new(dividend / divisor.coefficient, scale);
        let mut result = quotient?.round_digits(QUOTIENT_DIGITS)?.normalized();
        if result.scale < 0
            && let Some(plain) = result.rescaled(0)
        {
            result = plain;
        }
        Some(result)
    }

    /// The whole part of the quotient, towards nothing.
    #[must_use]
    pub fn whole_over(self, other: Self) -> Option<Self> {
        if other.coefficient == 0 {
            return None;
        }
        let scale = self.scale.max(other.scale);
        let (left, right) = (self.rescaled(scale)?, other.rescaled(scale)?);
        Self::new(left.coefficient / right.coefficient, 0)
    }

    /// What is left after [`Self::whole_over`].
    #[must_use]
    pub fn rest_over(self, other: Self) -> Option<Self> {
        if other.coefficient == 0 {
            return None;
        }
        let scale = self.scale.max(other.scale);
        let (left, right) = (self.rescaled(scale)?, other.rescaled(scale)?);
        Self::new(left.coefficient % right.coefficient, scale)
    }

    /// This number by itself so many times; `None` beyond the limits.
    #[must_use]
    pub fn power(self, exponent: u32) -> Option<Self> {
        let (mut result, mut base, mut left) = (Self::ONE, self, exponent);
        while left > 0 {
            if left & 1 == 1 {
                result = result.times(base)?;
            }
            left >>= 1;
            if left > 0 {
                base = base.times(base)?;
            }
        }
        Some(result)
    }

    /// Half of the last digit that is spelt, which is how far the true value may be off.
    #[must_use]
    pub fn half_unit(self) -> Option<Self> {
        Self::new(5, self.scale.checked_add(1)?)
    }
}

/// What happens to digits that are cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// Towards nothing.
    Down,
    /// Towards less.
    Floor,
    /// Towards more.
    Ceiling,
    /// To the nearest, halves away from nothing.
    HalfUp,
}

impl From<i64> for Decimal {
    fn from(number: i64) -> Self {
        Self { coefficient: i128::from(number), scale: 0 }
    }
}

impl PartialEq for Decimal {
    /// By value: `1.0` equals `1.00`.
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Decimal {}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        if self.scale == other.scale {
            return self.coefficient.cmp(&other.coefficient);
        }
        let signs = self.coefficient.signum().cmp(&other.coefficient.signum());
        if signs != Ordering::Equal || self.coefficient == 0 {
            return signs;
        }
        let (left, right) = (self.normalized(), other.normalized());
        // Where the first digit stands decides; where it stands at the same place, both have at most 38 digits from there.
        let place = |number: Self| i64::from(number.digits()) - i64::from(number.scale);
        let sizes = place(left).cmp(&place(right));
        if sizes != Ordering::Equal {
            return if left.coefficient < 0 { sizes.reverse() } else { sizes };
        }
        let scale = left.scale.max(right.scale);
        match (left.rescaled(scale), right.rescaled(scale)) {
            (Some(left), Some(right)) => left.coefficient.cmp(&right.coefficient),
            _ => Ordering::Equal,
        }
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.coefficient < 0 { "-" } else { "" };
        let digits = self.coefficient.unsigned_abs().to_string();
        let Ok(scale) = usize::try_from(self.scale) else {
            let zeros = usize::try_from(-self.scale).unwrap_or_default();
            return write!(f, "{sign}{digits}{}", "0".repeat(if self.coefficient == 0 { 0 } else { zeros }));
        };
        if scale == 0 {
            return write!(f, "{sign}{digits}");
        }
        let padded = format!("{digits:0>width$}", width = scale + 1);
        let (whole, fraction) = padded.split_at(padded.len() - scale);
        write!(f, "{sign}{whole}.{fraction}")
    }
}
