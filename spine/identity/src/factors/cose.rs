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

#[cfg(test)]
mod tests {
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::rsa::KeySize;
    use aws_lc_rs::signature::{
        ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
    };

    use super::*;

    const MESSAGE: &[u8] = b"what the authenticator signed";

    /// A map of small integers to numbers and bytes, as CBOR.
    fn map(members: &[(i64, Result<i64, &[u8]>)]) -> Vec<u8> {
        let head = |kind: u8, count: u64| match count {
            0..24 => vec![(kind << 5) | u8::try_from(count).unwrap()],
            24..256 => vec![(kind << 5) | 24, u8::try_from(count).unwrap()],
            _ => [vec![(kind << 5) | 25], u16::try_from(count).unwrap().to_be_bytes().to_vec()].concat(),
        };
        let number = |number: i64| match u64::try_from(number) {
            Ok(number) => head(0, number),
            Err(_) => head(1, number.unsigned_abs() - 1),
        };
        let mut out = head(5, members.len() as u64);
        for (key, value) in members {
            out.extend(number(*key));
            match value {
                Ok(value) => out.extend(number(*value)),
                Err(bytes) => {
                    out.extend(head(2, bytes.len() as u64));
                    out.extend(*bytes);
                }
            }
        }
        out
    }

    fn good(cose: &[u8], signature: &[u8]) -> bool {
        let (item, _) = Item::read(cose).unwrap();
        PublicKey::of(&item).is_some_and(|key| {
            assert!(!key.signed(b"something else", signature));
            key.signed(MESSAGE, signature)
        })
    }

    #[test]
    fn each_offered_algorithm_is_verified() {
        let random = SystemRandom::new();
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        let point = pair.public_key().as_ref();
        let cose = map(&[(1, Ok(2)), (3, Ok(-7)), (-1, Ok(1)), (-2, Err(&point[1..33])), (-3, Err(&point[33..]))]);
        assert!(good(&cose, pair.sign(&random, MESSAGE).unwrap().as_ref()));
        let pair = Ed25519KeyPair::generate().unwrap();
        let cose = map(&[(1, Ok(1)), (3, Ok(-8)), (-1, Ok(6)), (-2, Err(pair.public_key().as_ref()))]);
        assert!(good(&cose, pair.sign(MESSAGE).as_ref()));
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let (n, e) = (pair.public_key().modulus(), pair.public_key().exponent());
        let (n, e) = (n.big_endian_without_leading_zero().to_vec(), e.big_endian_without_leading_zero().to_vec());
        let cose = map(&[(1, Ok(3)), (3, Ok(-257)), (-1, Err(&n)), (-2, Err(&e))]);
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign(&RSA_PKCS1_SHA256, &random, MESSAGE, &mut signature).unwrap();
        assert!(good(&cose, &signature));
    }

    #[test]
    fn attack_confusion_a_key_of_another_kind_curve_or_algorithm_is_none() {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        let point = pair.public_key().as_ref();
        let (x, y) = (&point[1..33], &point[33..]);
        let off: Vec<u8> = y.iter().map(|byte| byte ^ 1).collect();
        let small = [1; 128];
        let hostile = [
            map(&[(1, Ok(2)), (3, Ok(-257)), (-1, Ok(1)), (-2, Err(x)), (-3, Err(y))]),
            map(&[(1, Ok(2)), (3, Ok(-7)), (-1, Ok(2)), (-2, Err(x)), (-3, Err(y))]),
            map(&[(1, Ok(2)), (3, Ok(-7)), (-1, Ok(1)), (-2, Err(&x[1..])), (-3, Err(y))]),
            map(&[(1, Ok(2)), (3, Ok(-7)), (-1, Ok(1)), (-2, Err(x)), (-3, Err(&off))]),
            map(&[(1, Ok(2)), (3, Ok(-7)), (-1, Ok(1)), (-2, Err(x))]),
            map(&[(1, Ok(4)), (3, Ok(5)), (-1, Err(x))]),
            map(&[(1, Ok(3)), (3, Ok(-257)), (-1, Err(&small)), (-2, Err(&[1, 0, 1]))]),
            map(&[(3, Ok(-7))]),
            map(&[]),
        ];
        for cose in hostile {
            let (item, _) = Item::read(&cose).unwrap();
            assert_eq!(PublicKey::of(&item), None, "{cose:x?}");
        }
    }
}
