//! SHA-256, keyed tokens (HMAC-SHA256) and key derivation (HKDF-SHA256).

use aws_lc_rs::{digest, hkdf, hmac};

/// Salt of every derivation, so that our keys never equal those of another program given the same input key.
const DERIVE_SALT: &[u8] = b"iris/derive/1";

/// SHA-256 of the parts written one after another, without any separator.
///
/// The caller makes sure that the parts cannot be confused (fixed lengths or a leading tag, as RFC 6962 has them).
#[must_use]
pub fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(part);
    }
    let mut out = [0; 32];
    out.copy_from_slice(context.finish().as_ref());
    out
}

/// Derives an independent 32-byte key from `key` for the purpose named by `label` (HKDF-SHA256).
#[must_use]
#[allow(clippy::expect_used, reason = "no input can make it fail")]
pub fn derive(key: &[u8; 32], label: &str) -> [u8; 32] {
    let mut out = [0; 32];
    let pseudorandom = hkdf::Salt::new(hkdf::HKDF_SHA256, DERIVE_SALT).extract(key);
    let info = [label.as_bytes()];
    pseudorandom
        .expand(&info, hkdf::HKDF_SHA256)
        .and_then(|okm| okm.fill(&mut out))
        .expect("HKDF refuses only lengths other than the one named, and both are constants here");
    out
}

/// A key for HMAC-SHA256 over lists of parts.
///
/// Each part is preceded by its length, so `["ab", "c"]` and `["a", "bc"]` never collide.
#[derive(Clone)]
pub struct MacKey(hmac::Key);

impl MacKey {
    /// Prepares the key.
    #[must_use]
    pub fn new(key: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// The 32-byte code of `parts`.
    #[must_use]
    pub fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.0);
        for part in parts {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        let mut out = [0; 32];
        out.copy_from_slice(context.sign().as_ref());
        out
    }

    /// The first 16 bytes of the code of `parts`: what stands in the database in place of a value.
    #[must_use]
    pub fn token(&self, parts: &[&[u8]]) -> [u8; 16] {
        let mut out = [0; 16];
        out.copy_from_slice(&self.mac(parts)[..16]);
        out
    }
}

impl std::fmt::Debug for MacKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MacKey(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|b| format!("{b:02x}")).collect()
    }

    #[test]
    fn sha256_matches_the_standard() {
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hex(&sha256(&[b"abc"])), expected);
        assert_eq!(sha256(&[b"a", b"", b"bc"]), sha256(&[b"abc"]));
    }

    #[test]
    fn parts_do_not_run_together() {
        let key = MacKey::new(&[7; 32]);
        assert_ne!(key.mac(&[b"ab", b"c"]), key.mac(&[b"a", b"bc"]));
        assert_ne!(key.mac(&[b"a"]), key.mac(&[b"a", b""]));
        assert_ne!(key.token(&[b"a"]), MacKey::new(&[8; 32]).token(&[b"a"]));
    }

    #[test]
    fn labels_give_independent_keys() {
        assert_ne!(derive(&[1; 32], "index"), derive(&[1; 32], "audit"));
        assert_ne!(derive(&[1; 32], "index"), derive(&[2; 32], "index"));
        assert_eq!(derive(&[1; 32], "index"), derive(&[1; 32], "index"));
    }
}
