//! Recovery codes: for somebody whose authenticator is gone. Shown once, stored as hashes, each good for one sign-in.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use iris_crypto::digest::sha256;
use iris_kernel::{Entropy, Secret};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::password;
use crate::refresh_token::same;

/// How many there are.
pub const RECOVERY_CODES: usize = 10;
/// Longest text that is looked at.
const TYPED_BYTES_MAX: usize = 200;

/// A code as stored. It has 120 random bits, so no slower hash is needed (ASVS 5.0, 6.5.2 asks for one below 112).
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct RecoveryCode {
    hash: String,
    /// When it was used, in microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    used: Option<i64>,
}

/// New codes: what is shown, and what is stored.
pub(super) fn generate(user: Uuid, entropy: &dyn Entropy) -> (Vec<Secret<String>>, Vec<RecoveryCode>) {
    let shown: Vec<_> = (0..RECOVERY_CODES).map(|_| password::generate(entropy)).collect();
    let stored = shown.iter().map(|code| RecoveryCode { hash: hash(user, code.expose()), used: None }).collect();
    (shown, stored)
}

/// Which of the codes this is, if it is one that nobody has used. All are compared, whichever fits.
pub(super) fn position(codes: &[RecoveryCode], user: Uuid, typed: &str) -> Option<usize> {
    if typed.len() > TYPED_BYTES_MAX {
        return None;
    }
    let given = hash(user, typed);
    let fits = |code: &RecoveryCode| same(&code.hash, &given) & code.used.is_none();
    let mut found = None;
    for (at, code) in codes.iter().enumerate() {
        if fits(code) {
            found = Some(at);
        }
    }
    found
}

impl RecoveryCode {
    /// Marks it as used.
    pub(super) fn spend(&mut self, at: i64) {
        self.used = Some(at);
    }

    /// Whether it can be used.
    pub(super) fn is_left(&self) -> bool {
        self.used.is_none()
    }
}

/// The hash of what somebody typed, however they wrote its letters and groups. Bound to the account.
fn hash(user: Uuid, typed: &str) -> String {
    let letters: String = typed.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    let letters = Secret::new(letters);
    URL_SAFE_NO_PAD.encode(sha256(&[b"iris/recovery\0", user.as_bytes(), letters.expose().as_bytes()]))
}

#[cfg(test)]
mod tests {
    use iris_testkit::SeededEntropy;

    use super::*;

    #[test]
    fn each_code_is_found_however_it_is_typed_until_it_is_spent() {
        let user = Uuid::from_u128(1);
        let (shown, mut stored) = generate(user, &SeededEntropy::new(1));
        assert_eq!((shown.len(), stored.len()), (RECOVERY_CODES, RECOVERY_CODES));
        for (at, code) in shown.iter().enumerate() {
            let typed = format!(" {} ", code.expose().to_uppercase().replace('-', " "));
            assert_eq!(position(&stored, user, code.expose()), Some(at));
            assert_eq!(position(&stored, user, &typed), Some(at));
            assert_eq!(position(&stored, Uuid::from_u128(2), code.expose()), None, "of another account");
        }
        stored[3].spend(1);
        assert_eq!(position(&stored, user, shown[3].expose()), None);
        assert!(position(&stored, user, "").is_none() && position(&stored, user, &"a".repeat(10_000)).is_none());
    }

    #[test]
    fn codes_are_long_enough_for_a_quick_hash_and_stored_in_no_other_form() {
        let (shown, stored) = generate(Uuid::from_u128(1), &SeededEntropy::new(2));
        let record = serde_json::to_string(&stored).unwrap();
        for code in &shown {
            let letters = code.expose().chars().filter(char::is_ascii_alphanumeric).count();
            assert!(letters * 5 >= 112, "{letters}");
            assert!(!record.contains(code.expose()));
        }
    }
}
