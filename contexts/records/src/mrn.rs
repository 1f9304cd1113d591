//! Medical record numbers: nine random digits and a check digit, so that a mistyped number is noticed before it finds somebody
//! else. Random, because a counter would tell how many patients there are and would need a place to count.

use iris_kernel::Entropy;

/// Digits of a number, the check digit included.
pub const DIGITS: usize = 10;
/// Random digits: everything but the check digit.
const RANDOM: u64 = 1_000_000_000;
/// The first digit is never zero, so that no program takes the number for a shorter one.
const RANDOM_MIN: u64 = 100_000_000;

/// Draws a number. Whether another patient has it is for the unique claim to say; then draw again.
#[must_use]
pub fn draw(entropy: &dyn Entropy) -> String {
    let mut bytes = [0; 8];
    entropy.fill(&mut bytes);
    // 64 bits over 9·10⁸ values: the bias is below 10⁻¹⁰.
    let number = RANDOM_MIN + u64::from_be_bytes(bytes) % (RANDOM - RANDOM_MIN);
    let digits = number.to_string();
    let check = check_digit(&digits);
    format!("{digits}{check}")
}

/// Whether a text has the form of a number that [`draw`] makes, with the right check digit.
#[must_use]
pub fn is_drawn(text: &str) -> bool {
    text.len() == DIGITS
        && text.bytes().all(|b| b.is_ascii_digit())
        && text.split_at_checked(DIGITS - 1).is_some_and(|(digits, check)| check == check_digit(digits).to_string())
}

/// The Luhn digit (ISO/IEC 7812-1 annex B): finds every wrong digit and every swap of neighbours but 09 and 90.
fn check_digit(digits: &str) -> u32 {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, byte)| {
            let digit = u32::from(byte - b'0');
            if place % 2 == 0 { digit * 2 / 10 + digit * 2 % 10 } else { digit }
        })
        .sum();
    (10 - sum % 10) % 10
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(u64);
    impl Entropy for Fixed {
        fn fill(&self, out: &mut [u8]) {
            out.copy_from_slice(&self.0.to_be_bytes());
        }
    }

    #[test]
    fn numbers_carry_their_check_digit() {
        // The textbook example of Luhn's rule.
        assert_eq!(check_digit("7992739871"), 3);
        for seed in [0, 1, 899_999_999, u64::MAX] {
            let number = draw(&Fixed(seed));
            assert!(is_drawn(&number) && !number.starts_with('0'), "{number}");
        }
        assert!(!is_drawn("1234567890"));
        assert!(!is_drawn("123456789"));
    }

    #[test]
    fn a_wrong_digit_is_noticed() {
        let number = draw(&Fixed(123_456));
        for place in 0..DIGITS {
            let mut bytes = number.clone().into_bytes();
            bytes[place] = b'0' + (bytes[place] - b'0' + 1) % 10;
            assert!(!is_drawn(&String::from_utf8(bytes).unwrap()));
        }
    }
}
