//! Refresh tokens: opaque, random, stored only as hashes.
//!
//! A token names its session, its generation and two secrets: the family's, which all tokens of a session share, and its own.
//! Whoever shows the family's secret has held a real token of this session; an old one is therefore a theft (or a replay), and
//! the session ends. Whoever shows only a session id, which stands in access tokens, ends nothing.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use iris_crypto::digest::{MacKey, sha256};
use iris_kernel::{Entropy, Secret, Tenant};
use subtle::ConstantTimeEq;
use uuid::Uuid;

const PREFIX: &str = "irt1_";
const FAMILY_BYTES: usize = 16;
const SECRET_BYTES: usize = 32;
const BYTES: usize = 4 + 16 + 4 + FAMILY_BYTES + SECRET_BYTES;

/// One refresh token, opened.
#[derive(Clone)]
pub(crate) struct RefreshToken {
    pub(crate) tenant: Tenant,
    pub(crate) session: Uuid,
    pub(crate) generation: u32,
    family: Secret<[u8; FAMILY_BYTES]>,
    secret: Secret<[u8; SECRET_BYTES]>,
}

impl RefreshToken {
    /// The first token of a new session.
    pub(crate) fn first(tenant: Tenant, session: Uuid, entropy: &dyn Entropy) -> Self {
        let (mut family, mut secret) = ([0; FAMILY_BYTES], [0; SECRET_BYTES]);
        entropy.fill(&mut family);
        entropy.fill(&mut secret);
        Self { tenant, session, generation: 1, family: Secret::new(family), secret: Secret::new(secret) }
    }

    /// The one successor of this token under a salt that the session keeps: who repeats an exchange whose answer was lost gets
    /// the same token again, though only its hash is stored.
    pub(crate) fn successor(&self, salt: &[u8; 32]) -> Self {
        let secret = MacKey::new(self.secret.expose()).mac(&[b"iris/refresh/successor", salt]);
        Self { generation: self.generation.saturating_add(1), secret: Secret::new(secret), ..self.clone() }
    }

    /// Reads a token; `None` if it is not one.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let encoded = text.strip_prefix(PREFIX).filter(|rest| rest.len() == BYTES.div_ceil(3) * 4)?;
        let bytes: [u8; BYTES] = URL_SAFE_NO_PAD.decode(encoded).ok()?.try_into().ok()?;
        let (tenant, rest) = bytes.split_first_chunk::<4>()?;
        let (session, rest) = rest.split_first_chunk::<16>()?;
        let (generation, rest) = rest.split_first_chunk::<4>()?;
        let (family, secret) = rest.split_first_chunk::<FAMILY_BYTES>()?;
        Some(Self {
            tenant: Tenant(u32::from_be_bytes(*tenant)),
            session: Uuid::from_bytes(*session),
            generation: u32::from_be_bytes(*generation),
            family: Secret::new(*family),
            secret: Secret::new(secret.try_into().ok()?),
        })
    }

    /// The text that the client keeps.
    pub(crate) fn text(&self) -> Secret<String> {
        let mut bytes = Vec::with_capacity(BYTES);
        bytes.extend(self.tenant.0.to_be_bytes());
        bytes.extend(self.session.as_bytes());
        bytes.extend(self.generation.to_be_bytes());
        bytes.extend(self.family.expose());
        bytes.extend(self.secret.expose());
        let bytes = Secret::new(bytes);
        Secret::new(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes.expose())))
    }

    /// What is stored of the family's secret.
    pub(crate) fn family_hash(&self) -> String {
        URL_SAFE_NO_PAD.encode(sha256(&[b"iris/refresh/family\0", self.family.expose()]))
    }

    /// What is stored of the token.
    pub(crate) fn hash(&self) -> String {
        URL_SAFE_NO_PAD.encode(sha256(&[b"iris/refresh/token\0", &self.generation.to_be_bytes(), self.secret.expose()]))
    }
}

/// Compares hashes without telling by time where they differ.
pub(crate) fn same(a: &str, b: &str) -> bool {
    a.as_bytes().ct_eq(b.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use iris_testkit::SeededEntropy;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_token_survives_its_text_and_its_successor_is_one() {
        let token = RefreshToken::first(Tenant(7), Uuid::from_u128(9), &SeededEntropy::new(1));
        let again = RefreshToken::parse(token.text().expose()).unwrap();
        assert_eq!((again.tenant, again.session, again.generation), (Tenant(7), Uuid::from_u128(9), 1));
        assert_eq!((again.hash(), again.family_hash()), (token.hash(), token.family_hash()));
        assert_eq!(again.successor(&[1; 32]).hash(), token.successor(&[1; 32]).hash());
        assert_ne!(again.successor(&[1; 32]).hash(), token.successor(&[2; 32]).hash());
        assert_eq!(token.successor(&[1; 32]).family_hash(), token.family_hash());
    }

    proptest! {
        #[test]
        fn nothing_but_a_token_reads_as_one(text in "(irt1_)?[A-Za-z0-9_=.-]{0,120}") {
            if let Some(token) = RefreshToken::parse(&text) {
                prop_assert!(token.text().expose() == &text);
            }
        }
    }
}
