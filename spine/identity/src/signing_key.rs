//! One key that signs access tokens: made, stored, opened, shown. Its algorithm is a property of the key (RFC 8725, 3.1): nothing that
//! a token says chooses it.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RSA_PSS_SHA256,
    RsaEncoding, RsaKeyPair,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use iris_access::error::{AccessError, internal};
use iris_crypto::digest::sha256;
use iris_kernel::{Secret, Timestamp};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// How a key signs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeyAlgorithm {
    /// RSA with PKCS #1 v1.5 and SHA-256, 3072 bits: what every verifier knows.
    #[default]
    Rs256,
    /// RSA with PSS and SHA-256, 3072 bits.
    Ps256,
    /// ECDSA over P-256 with SHA-256.
    Es256,
    /// Ed25519.
    EdDsa,
}

impl KeyAlgorithm {
    /// Every algorithm.
    pub const ALL: [Self; 4] = [Self::Rs256, Self::Ps256, Self::Es256, Self::EdDsa];

    /// Its name in headers and key sets (RFC 7518, RFC 8037).
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Ps256 => "PS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }

    pub(crate) const fn of_verifier(self) -> Algorithm {
        match self {
            Self::Rs256 => Algorithm::RS256,
            Self::Ps256 => Algorithm::PS256,
            Self::Es256 => Algorithm::ES256,
            Self::EdDsa => Algorithm::EdDSA,
        }
    }
}

impl fmt::Display for KeyAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for KeyAlgorithm {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == text).ok_or(())
    }
}

/// One stored key pair.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct StoredKey {
    pub(crate) kid: String,
    pub(crate) algorithm: String,
    /// PKCS #8, base64url.
    pkcs8: String,
    /// When it was made, RFC 3339.
    pub(crate) created: String,
    /// The same in microseconds; nothing for keys from before it was noted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) made: Option<i64>,
    /// When another key took its place, in microseconds. It signs nothing any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) retired: Option<i64>,
}

impl StoredKey {
    /// A fresh key. Its randomness is the operating system's: the library that makes keys takes no other. Blocks; RSA takes a while.
    pub(crate) fn generate(algorithm: KeyAlgorithm, at: Timestamp) -> Result<Self, AccessError> {
        let der: Secret<Vec<u8>> = Secret::new(match algorithm {
            KeyAlgorithm::Rs256 | KeyAlgorithm::Ps256 => {
                RsaKeyPair::generate(KeySize::Rsa3072).map_err(internal)?.as_der().map_err(internal)?.as_ref().to_vec()
            }
            KeyAlgorithm::Es256 => {
                let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(internal)?;
                pair.to_pkcs8v1().map_err(internal)?.as_ref().to_vec()
            }
            KeyAlgorithm::EdDsa => {
                Ed25519KeyPair::generate().map_err(internal)?.to_pkcs8().map_err(internal)?.as_ref().to_vec()
            }
        });
        let pair = Pair::open(algorithm, der.expose())?;
        Ok(Self {
            kid: thumbprint(&pair.public()),
            algorithm: algorithm.name().to_owned(),
            pkcs8: URL_SAFE_NO_PAD.encode(der.expose()),
            created: at.rfc3339(),
            made: Some(at.0),
            retired: None,
        })
    }
}

/// A key in use.
pub(crate) struct SigningKey {
    pub(crate) kid: String,
    pub(crate) created: String,
    pub(crate) algorithm: KeyAlgorithm,
    pub(crate) retired: Option<Timestamp>,
    /// The encoded header of every token it signs.
    pub(crate) header: String,
    pub(crate) verifier: DecodingKey,
    pair: Pair,
}

impl SigningKey {
    /// Takes a stored key into use.
    pub(crate) fn open(stored: &StoredKey) -> Result<Self, AccessError> {
        let damaged = || AccessError::Damaged("a signing key does not fit its description".into());
        let algorithm: KeyAlgorithm = stored.algorithm.parse().map_err(|()| damaged())?;
        let der = URL_SAFE_NO_PAD.decode(&stored.pkcs8).map(Secret::new);
        let der = der.map_err(|error| AccessError::Damaged(Box::new(error)))?;
        let pair = Pair::open(algorithm, der.expose())?;
        let public = pair.public();
        if stored.kid != thumbprint(&public) {
            return Err(damaged());
        }
        let header = json!({ "alg": algorithm.name(), "typ": "JWT", "kid": stored.kid });
        Ok(Self {
            kid: stored.kid.clone(),
            created: stored.created.clone(),
            algorithm,
            retired: stored.retired.map(Timestamp),
            header: URL_SAFE_NO_PAD.encode(header.to_string()),
            verifier: pair.verifier(&public)?,
            pair,
        })
    }

    /// The signature over a header and claims.
    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, AccessError> {
        self.pair.sign(message)
    }

    /// The public key as a JWK (RFC 7517).
    pub(crate) fn jwk(&self) -> Value {
        let mut jwk = self.pair.public();
        jwk["use"] = json!("sig");
        jwk["alg"] = json!(self.algorithm.name());
        jwk["kid"] = json!(self.kid);
        jwk
    }
}

enum Pair {
    Rsa(Box<RsaKeyPair>, &'static dyn RsaEncoding),
    Ecdsa(Box<EcdsaKeyPair>),
    Ed25519(Box<Ed25519KeyPair>),
}

impl Pair {
    fn open(algorithm: KeyAlgorithm, der: &[u8]) -> Result<Self, AccessError> {
        let damaged = |error| AccessError::Damaged(Box::new(error));
        Ok(match algorithm {
            KeyAlgorithm::Rs256 => {
                Self::Rsa(Box::new(RsaKeyPair::from_pkcs8(der).map_err(damaged)?), &RSA_PKCS1_SHA256)
            }
            KeyAlgorithm::Ps256 => Self::Rsa(Box::new(RsaKeyPair::from_pkcs8(der).map_err(damaged)?), &RSA_PSS_SHA256),
            KeyAlgorithm::Es256 => {
                let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der);
                Self::Ecdsa(Box::new(pair.map_err(damaged)?))
            }
            KeyAlgorithm::EdDsa => Self::Ed25519(Box::new(Ed25519KeyPair::from_pkcs8(der).map_err(damaged)?)),
        })
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, AccessError> {
        let random = SystemRandom::new();
        Ok(match self {
            Self::Rsa(pair, encoding) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(*encoding, &random, message, &mut signature).map_err(internal)?;
                signature
            }
            Self::Ecdsa(pair) => pair.sign(&random, message).map_err(internal)?.as_ref().to_vec(),
            Self::Ed25519(pair) => pair.try_sign(message).map_err(internal)?.as_ref().to_vec(),
        })
    }

    /// The members of the JWK that make the key what it is (RFC 7638, 3.2).
    fn public(&self) -> Value {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        match self {
            Self::Rsa(pair, _) => {
                let public = pair.public_key();
                let n = encode(public.modulus().big_endian_without_leading_zero());
                let e = encode(public.exponent().big_endian_without_leading_zero());
                json!({ "kty": "RSA", "n": n, "e": e })
            }
            Self::Ecdsa(pair) => {
                // An uncompressed point: 4, x, y.
                let point = pair.public_key().as_ref().get(1..).unwrap_or_default();
                let (x, y) = point.split_at_checked(P256_BYTES).unwrap_or_default();
                json!({ "kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y) })
            }
            Self::Ed25519(pair) => json!({ "kty": "OKP", "crv": "Ed25519", "x": encode(pair.public_key().as_ref()) }),
        }
    }

    fn verifier(&self, public: &Value) -> Result<DecodingKey, AccessError> {
        let member = |name: &str| public[name].as_str().unwrap_or_default();
        match self {
            Self::Rsa(pair, _) => {
                let public = pair.public_key();
                let n = public.modulus().big_endian_without_leading_zero();
                Ok(DecodingKey::from_rsa_raw_components(n, public.exponent().big_endian_without_leading_zero()))
            }
            Self::Ecdsa(_) => DecodingKey::from_ec_components(member("x"), member("y")).map_err(internal),
            Self::Ed25519(_) => DecodingKey::from_ed_components(member("x")).map_err(internal),
        }
    }
}

/// Bytes of a coordinate of P-256.
const P256_BYTES: usize = 32;

/// RFC 7638: the same key has the same `kid` everywhere.
fn thumbprint(public: &Value) -> String {
    let text = |name: &str| public[name].as_str();
    let members = ["crv", "e", "kty", "n", "x", "y"];
    let pairs = members.iter().filter_map(|name| text(name).map(|value| format!(r#""{name}":"{value}""#)));
    let canonical = format!("{{{}}}", pairs.collect::<Vec<_>>().join(","));
    URL_SAFE_NO_PAD.encode(sha256(&[canonical.as_bytes()]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_thumbprint_is_that_of_rfc_7638() {
        // RFC 7638, 3.1.
        let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3ok\
                 njhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6q\
                 MQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJ\
                 zKnqDKgw";
        let key = json!({ "kty": "RSA", "n": n, "e": "AQAB", "alg": "RS256", "kid": "2011-04-29" });
        assert_eq!(thumbprint(&key), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    }

    #[test]
    fn algorithms_are_their_names() {
        for algorithm in KeyAlgorithm::ALL {
            assert_eq!(algorithm.name().parse(), Ok(algorithm));
        }
        for other in ["none", "HS256", "rs256", "RS384", ""] {
            assert_eq!(other.parse::<KeyAlgorithm>(), Err(()));
        }
    }
}
