//! Public keys of authenticators (COSE, RFC 9052 and 9053) and what they signed.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
};

use super::cbor::Item;

/// ECDSA with P-256 and SHA-256.
const ES256: i64 = -7;
/// Ed25519.
const EDDSA: i64 = -8;
/// RSA PKCS #1 v1.5 with SHA-256.
const RS256: i64 = -257;

/// The algorithms that are offered to authenticators, the best first.
pub(super) const ALGORITHMS: [i64; 3] = [ES256, EDDSA, RS256];

/// Bytes of an RSA modulus: 2048 to 4096 bits.
const MODULUS_BYTES: std::ops::RangeInclusive<usize> = 256..=512;

/// A public key with its algorithm, which is the key's and not the caller's to say.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum PublicKey<'a> {
    /// A point of P-256, uncompressed.
    P256([u8; 65]),
    /// A point of Edwards 25519.
    Ed25519(&'a [u8]),
    /// Modulus and exponent.
    Rsa(&'a [u8], &'a [u8]),
}

impl<'a> PublicKey<'a> {
    /// Reads a key; `None` for one of another kind or one that is none.
    pub(super) fn of(key: &Item<'a>) -> Option<Self> {
        let number = |label| key.numbered(label).and_then(Item::number);
        let bytes = |label| key.numbered(label).and_then(Item::bytes);
        let fixed = |label| bytes(label).filter(|bytes| bytes.len() == 32);
        let read = match (number(1)?, number(3)?) {
            (2, ES256) if number(-1) == Some(1) => {
                let mut point = [4; 65];
                point[1..33].copy_from_slice(fixed(-2)?);
                point[33..].copy_from_slice(fixed(-3)?);
                Self::P256(point)
            }
            (1, EDDSA) if number(-1) == Some(6) => Self::Ed25519(fixed(-2)?),
            (3, RS256) => Self::Rsa(bytes(-1).filter(|n| MODULUS_BYTES.contains(&n.len()))?, bytes(-2)?),
            _ => return None,
        };
        read.is_sound().then_some(read)
    }

    /// Whether it is a point of its curve at all.
    fn is_sound(&self) -> bool {
        match self {
            Self::P256(point) => ParsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point).is_ok(),
            Self::Ed25519(point) => ParsedPublicKey::new(&ED25519, point).is_ok(),
            Self::Rsa(..) => true,
        }
    }

    /// The number of its algorithm.
    pub(super) const fn algorithm(&self) -> i64 {
        match self {
            Self::P256(_) => ES256,
            Self::Ed25519(_) => EDDSA,
            Self::Rsa(..) => RS256,
        }
    }

    /// Whether it signed the message.
    pub(super) fn signed(&self, message: &[u8], signature: &[u8]) -> bool {
        let parsed = match self {
            Self::P256(point) => ParsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point),
            Self::Ed25519(point) => ParsedPublicKey::new(&ED25519, point),
            Self::Rsa(n, e) => {
                let key = RsaPublicKeyComponents { n, e };
                return key.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature).is_ok();
            }
        };
        parsed.is_ok_and(|key| key.verify_sig(message, signature).is_ok())
    }
}
