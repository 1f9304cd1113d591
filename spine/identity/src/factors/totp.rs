//! One-time passwords by time (RFC 6238): six digits, SHA-1, steps of 30 seconds, which is what every authenticator app speaks.
//! SHA-1 is no weakness here: HMAC does not need collisions to be hard.

use aws_lc_rs::hmac;
use iris_kernel::{Entropy, Secret, Timestamp};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};

/// Bytes of a secret: as many as the hash gives (RFC 4226, §4, R6).
pub(super) const SECRET_BYTES: usize = 20;
/// Length of a step in seconds.
pub const STEP_SECONDS: u64 = 30;
/// Digits of a code.
pub const DIGITS: usize = 6;
/// How many steps before and after the present one count: clocks differ, and people type slowly.
pub const WINDOW_STEPS: u64 = 1;

const MODULUS: u32 = 1_000_000;
const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// What an authenticator app and the server both know.
pub(super) type TotpSecret = Secret<[u8; SECRET_BYTES]>;

/// A new secret.
pub(super) fn generate(entropy: &dyn Entropy) -> TotpSecret {
    let mut bytes = [0; SECRET_BYTES];
    entropy.fill(&mut bytes);
    Secret::new(bytes)
}

/// The number of the step at a moment.
pub(super) fn step(now: Timestamp) -> u64 {
    u64::try_from(now.seconds()).unwrap_or(0) / STEP_SECONDS
}

/// The step whose code this is, if it is one of those that count now and comes after `last`, the newest that was ever used. Every
/// candidate is computed and compared, whichever fits.
pub(super) fn accepted(secret: &TotpSecret, code: &str, now: Timestamp, last: Option<u64>) -> Option<u64> {
    let given = parse(code)?;
    let present = step(now);
    let mut found = 0_u64;
    let mut fits = Choice::from(0);
    for candidate in present.saturating_sub(WINDOW_STEPS)..=present.saturating_add(WINDOW_STEPS) {
        let equal = value(secret.expose(), candidate).ct_eq(&given);
        let fresh = Choice::from(u8::from(last.is_none_or(|last| candidate > last)));
        let taken = equal & fresh;
        found.conditional_assign(&candidate, taken);
        fits |= taken;
    }
    bool::from(fits).then_some(found)
}

/// What somebody typed, with the spaces that apps show between the digits.
fn parse(code: &str) -> Option<u32> {
    let digits: Vec<u8> = code.bytes().filter(|byte| *byte != b' ').take(DIGITS + 1).collect();
    if digits.len() != DIGITS || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(digits.iter().fold(0, |number, digit| number * 10 + u32::from(digit - b'0')))
}

/// RFC 4226, §5.3.
fn value(key: &[u8], counter: u64) -> u32 {
    truncated(key, counter) % MODULUS
}

fn truncated(key: &[u8], counter: u64) -> u32 {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key);
    let tag = hmac::sign(&key, &counter.to_be_bytes());
    let tag = tag.as_ref();
    let offset = usize::from(tag.last().copied().unwrap_or(0) & 0x0f);
    let word = tag.get(offset..offset + 4).and_then(|word| word.try_into().ok()).unwrap_or([0; 4]);
    u32::from_be_bytes(word) & 0x7fff_ffff
}

/// The secret as people type it (RFC 4648 base32 without padding).
pub(super) fn base32(secret: &TotpSecret) -> Secret<String> {
    let mut out = String::with_capacity(SECRET_BYTES.div_ceil(5) * 8);
    // 20 bytes are four groups of five, so nothing is left over.
    for group in secret.expose().chunks(5) {
        let bits = group.iter().fold(0_u64, |bits, byte| (bits << 8) | u64::from(*byte));
        for place in (0..8).rev() {
            let letter = usize::try_from((bits >> (place * 5)) & 31).unwrap_or(0);
            out.push(char::from(LETTERS[letter]));
        }
    }
    Secret::new(out)
}

/// What authenticator apps read from a picture: <https://github.com/google/google-authenticator/wiki/Key-Uri-Format>.
pub(super) fn uri(secret: &TotpSecret, issuer: &str, account: &str) -> Secret<String> {
    let (issuer, account) = (escaped(issuer), escaped(account));
    let key = base32(secret);
    Secret::new(format!(
        "otpauth://totp/{issuer}:{account}?secret={}&issuer={issuer}&algorithm=SHA1&digits={DIGITS}&period={STEP_SECONDS}",
        key.expose()
    ))
}

/// Percent-encoding of everything but RFC 3986's unreserved characters.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    const RFC: &[u8; SECRET_BYTES] = b"12345678901234567890";

    /// The code of a secret in base32 at a moment, as an app shows it.
    pub(crate) fn code(secret: &str, now: Timestamp) -> String {
        let mut bits = 0_u64;
        let mut bytes = Vec::new();
        for (at, letter) in secret.bytes().enumerate() {
            bits = (bits << 5) | LETTERS.iter().position(|known| *known == letter).unwrap() as u64;
            if at % 8 == 7 {
                bytes.extend(&bits.to_be_bytes()[3..]);
                bits = 0;
            }
        }
        format!("{:06}", value(&bytes, step(now)))
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp(seconds * 1_000_000)
    }

    /// RFC 6238, appendix B, SHA-1: eight digits there.
    #[test]
    fn the_vectors_of_rfc_6238() {
        let vectors = [
            (59, 94_287_082),
            (1_111_111_109, 7_081_804),
            (1_111_111_111, 14_050_471),
            (1_234_567_890, 89_005_924),
            (2_000_000_000, 69_279_037),
            (20_000_000_000, 65_353_130),
        ];
        for (seconds, code) in vectors {
            assert_eq!(truncated(RFC, step(at(seconds))) % 100_000_000, code, "{seconds}");
        }
    }

    /// RFC 4226, appendix D.
    #[test]
    fn the_vectors_of_rfc_4226() {
        let codes = [755_224, 287_082, 359_152, 969_429, 338_314, 254_676, 287_922, 162_583, 399_871, 520_489];
        for (counter, code) in codes.into_iter().enumerate() {
            assert_eq!(value(RFC, counter as u64), code);
        }
    }

    /// RFC 4648, §10 and RFC 3548's letters.
    #[test]
    fn base32_is_the_standard_one() {
        assert_eq!(base32(&Secret::new(*RFC)).expose(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert_eq!(code("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", at(59)), "287082");
    }

    #[test]
    fn three_steps_count_and_the_fourth_does_not() {
        let secret = Secret::new(*RFC);
        let now = at(1_234_567_890);
        let code_of = |step: u64| format!("{:06}", value(RFC, step));
        let present = step(now);
        for near in [present - 1, present, present + 1] {
            assert_eq!(accepted(&secret, &code_of(near), now, None), Some(near));
        }
        for far in [present - 2, present + 2] {
            assert_eq!(accepted(&secret, &code_of(far), now, None), None);
        }
    }

    #[test]
    fn attack_replay_a_step_that_was_used_and_every_one_before_it_is_refused() {
        let secret = Secret::new(*RFC);
        let now = at(1_234_567_890);
        let present = step(now);
        let code_of = |step: u64| format!("{:06}", value(RFC, step));
        assert_eq!(accepted(&secret, &code_of(present), now, Some(present)), None);
        assert_eq!(accepted(&secret, &code_of(present - 1), now, Some(present)), None);
        assert_eq!(accepted(&secret, &code_of(present + 1), now, Some(present)), Some(present + 1));
    }

    #[test]
    fn what_is_no_code_never_fits() {
        let secret = Secret::new(*RFC);
        let now = at(59);
        assert_eq!(accepted(&secret, "287 082", now, None), Some(1));
        for bad in ["", "28708", "2870820", "0287082", "28708a", "２８７０８２", "-87082", "287082\0", "+87082"] {
            assert_eq!(accepted(&secret, bad, now, None), None, "{bad:?}");
        }
        assert_eq!(accepted(&secret, &"2 ".repeat(1_000), now, None), None);
    }

    #[test]
    fn the_uri_is_escaped() {
        let uri = uri(&Secret::new(*RFC), "IRIS", "o'hara & co/ä@b");
        assert_eq!(
            uri.expose(),
            "otpauth://totp/IRIS:o%27hara%20%26%20co%2F%C3%A4%40b?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=IRIS\
             &algorithm=SHA1&digits=6&period=30"
        );
    }

    proptest! {
        #[test]
        fn a_step_is_accepted_once_at_most(key in prop::array::uniform20(any::<u8>()), seconds in 0_i64..4_000_000_000) {
            let (secret, now) = (Secret::new(key), at(seconds));
            let code = format!("{:06}", value(&key, step(now)));
            let first = accepted(&secret, &code, now, None);
            prop_assert!(first.is_some());
            prop_assert!(accepted(&secret, &code, now, first).is_none_or(|second| Some(second) > first));
        }
    }
}
