//! Access tokens: JWTs signed with RS256 (RFC 7519, RFC 7515). The algorithm is a property of the key, never of the token.

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use iris_crypto::digest::sha256;
use iris_kernel::{Secret, Timestamp};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::views::SigningKeyView;
use iris_access::error::{AccessError, internal};

/// `iss` of every access token.
pub const ISSUER: &str = "iris-healthcare-api";
/// `aud` of every access token.
pub const AUDIENCE: &str = "iris-healthcare-clients";
/// Seconds that an access token lives.
pub const ACCESS_SECONDS: u64 = 3_600;
/// Longest access token that is looked at, in bytes.
pub const ACCESS_BYTES_MAX: usize = 8_192;
/// How far `nbf` and `iat` may lie ahead of this node's clock, in seconds: nodes' clocks differ. `exp` gets no such grace.
pub const CLOCK_SKEW_SECONDS: i64 = 5;

/// What an access token says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Claims {
    pub(crate) iss: String,
    pub(crate) aud: String,
    pub(crate) sub: Uuid,
    pub(crate) jti: Uuid,
    pub(crate) iat: i64,
    pub(crate) nbf: i64,
    pub(crate) exp: i64,
    /// Number of the tenant.
    pub(crate) tenant: u32,
    /// `user` or `client`.
    pub(crate) kind: String,
    /// The session, for users.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sid: Option<Uuid>,
    /// Roles at the time of issue, for others to read; here the account itself is asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) roles: Vec<String>,
    /// Permissions at the time of issue, likewise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) permissions: Vec<String>,
    /// Granted scopes, for clients.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) scope: Option<String>,
}

/// Why a token is refused. For tests and the log; a caller is told only that it is not valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TokenFault {
    #[error("longer than a token can be")]
    TooLong,
    #[error("not a signed token of ours: header, claims or form")]
    Malformed,
    #[error("critical header parameters are not understood")]
    Critical,
    #[error("no such key")]
    UnknownKey,
    #[error("not the algorithm of the key")]
    Algorithm,
    #[error("the signature, issuer or audience is wrong")]
    Signature,
    #[error("expired")]
    Expired,
    #[error("not valid yet")]
    NotYet,
}

/// The keys as stored: sealed like every record.
#[derive(Serialize, Deserialize)]
pub(crate) struct StoredKeys {
    /// `kid` of the key that signs.
    pub(crate) active: String,
    /// All keys whose tokens are still accepted.
    pub(crate) keys: Vec<StoredKey>,
}

/// One stored key pair.
#[derive(Serialize, Deserialize)]
pub(crate) struct StoredKey {
    kid: String,
    algorithm: String,
    /// PKCS #8, base64url.
    pkcs8: String,
    /// When it was made, RFC 3339.
    created: String,
}

impl StoredKeys {
    /// A fresh set with one RS256 key of 3072 bits. The key's randomness is the operating system's: the library that makes RSA
    /// keys takes no other.
    pub(crate) fn generate(at: Timestamp) -> Result<Self, AccessError> {
        let pair = RsaKeyPair::generate(KeySize::Rsa3072).map_err(internal)?;
        let der = pair.as_der().map_err(internal)?;
        let (n, e) = components(&pair);
        let kid = thumbprint(&n, &e);
        let key = StoredKey {
            kid: kid.clone(),
            algorithm: "RS256".to_owned(),
            pkcs8: URL_SAFE_NO_PAD.encode(der.as_ref()),
            created: at.rfc3339(),
        };
        Ok(Self { active: kid, keys: vec![key] })
    }
}

/// The keys in use.
pub(crate) struct KeyRing {
    signer: RsaKeyPair,
    /// The encoded header of every token the signer makes.
    header: String,
    verifiers: Vec<VerifyingKey>,
    active: String,
}

struct VerifyingKey {
    kid: String,
    created: String,
    n: String,
    e: String,
    key: DecodingKey,
    /// Fixes the algorithm of this key, issuer and audience. Times are checked here with our own clock.
    rules: Validation,
}

impl KeyRing {
    /// Takes stored keys into use.
    pub(crate) fn open(stored: &StoredKeys) -> Result<Self, AccessError> {
        let mut signer = None;
        let mut verifiers = Vec::new();
        for key in &stored.keys {
            let der = URL_SAFE_NO_PAD.decode(&key.pkcs8).map(Secret::new);
            let der = der.map_err(|error| AccessError::Damaged(Box::new(error)))?;
            let pair = RsaKeyPair::from_pkcs8(der.expose()).map_err(|error| AccessError::Damaged(Box::new(error)))?;
            let (n, e) = components(&pair);
            if key.algorithm != "RS256" || key.kid != thumbprint(&n, &e) {
                return Err(AccessError::Damaged("a signing key does not fit its description".into()));
            }
            verifiers.push(VerifyingKey {
                kid: key.kid.clone(),
                created: key.created.clone(),
                n: URL_SAFE_NO_PAD.encode(&n),
                e: URL_SAFE_NO_PAD.encode(&e),
                key: DecodingKey::from_rsa_raw_components(&n, &e),
                rules: rules(Algorithm::RS256),
            });
            if key.kid == stored.active {
                signer = Some(pair);
            }
        }
        let signer =
            signer.ok_or_else(|| AccessError::Damaged("the active signing key is not among the keys".into()))?;
        let header = serde_json::json!({ "alg": "RS256", "typ": "JWT", "kid": stored.active });
        Ok(Self {
            signer,
            header: URL_SAFE_NO_PAD.encode(header.to_string()),
            verifiers,
            active: stored.active.clone(),
        })
    }

    /// Whether it was opened from these keys: a `kid` is the key's own digest.
    pub(crate) fn is_of(&self, stored: &StoredKeys) -> bool {
        self.active == stored.active
            && self.verifiers.len() == stored.keys.len()
            && self.verifiers.iter().zip(&stored.keys).all(|(ours, theirs)| ours.kid == theirs.kid)
    }

    /// Makes a token.
    pub(crate) fn sign(&self, claims: &Claims) -> Result<String, AccessError> {
        let body = serde_json::to_vec(claims).map_err(internal)?;
        let mut token = format!("{}.{}", self.header, URL_SAFE_NO_PAD.encode(body));
        let mut signature = vec![0; self.signer.public_modulus_len()];
        self.signer
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), token.as_bytes(), &mut signature)
            .map_err(internal)?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(token)
    }

    /// Reads a token that one of the keys has signed and that is valid now.
    pub(crate) fn verify(&self, token: &str, now: Timestamp) -> Result<Claims, TokenFault> {
        if token.len() > ACCESS_BYTES_MAX {
            return Err(TokenFault::TooLong);
        }
        let header = jsonwebtoken::decode_header(token).map_err(|_| TokenFault::Malformed)?;
        if header.crit.is_some() {
            return Err(TokenFault::Critical);
        }
        let kid = header.kid.as_deref().ok_or(TokenFault::UnknownKey)?;
        let key = self.verifiers.iter().find(|key| key.kid == kid).ok_or(TokenFault::UnknownKey)?;
        if !key.rules.algorithms.contains(&header.alg) {
            return Err(TokenFault::Algorithm);
        }
        if header.typ.as_deref() != Some("JWT") {
            return Err(TokenFault::Malformed);
        }
        let claims: Claims =
            jsonwebtoken::decode(token, &key.key, &key.rules).map_err(|_| TokenFault::Signature)?.claims;
        let seconds = now.seconds();
        if seconds >= claims.exp {
            Err(TokenFault::Expired)
        } else if claims.nbf.max(claims.iat) > seconds.saturating_add(CLOCK_SKEW_SECONDS) {
            Err(TokenFault::NotYet)
        } else {
            Ok(claims)
        }
    }

    /// Which keys there are, and since when. Nothing of the keys themselves.
    pub(crate) fn list(&self) -> Vec<SigningKeyView> {
        let view = |key: &VerifyingKey| SigningKeyView {
            id: key.kid.clone(),
            algorithm: "RS256",
            created: key.created.clone(),
            active: key.kid == self.active,
        };
        self.verifiers.iter().map(view).collect()
    }

    /// The public keys as a JWK set (RFC 7517).
    pub(crate) fn jwks(&self) -> serde_json::Value {
        let jwk = |key: &VerifyingKey| serde_json::json!({ "kty": "RSA", "use": "sig", "alg": "RS256", "kid": key.kid, "n": key.n, "e": key.e });
        serde_json::json!({ "keys": self.verifiers.iter().map(jwk).collect::<Vec<_>>() })
    }
}

fn rules(algorithm: Algorithm) -> Validation {
    let mut rules = Validation::new(algorithm);
    rules.set_issuer(&[ISSUER]);
    rules.set_audience(&[AUDIENCE]);
    rules.set_required_spec_claims(&["iss", "aud", "sub", "exp", "nbf"]);
    rules.validate_exp = false;
    rules.validate_nbf = false;
    rules
}

fn components(pair: &RsaKeyPair) -> (Vec<u8>, Vec<u8>) {
    let public = pair.public_key();
    let n = public.modulus().big_endian_without_leading_zero().to_vec();
    (n, public.exponent().big_endian_without_leading_zero().to_vec())
}

/// RFC 7638: the same key has the same `kid` everywhere.
fn thumbprint(n: &[u8], e: &[u8]) -> String {
    let (n, e) = (URL_SAFE_NO_PAD.encode(n), URL_SAFE_NO_PAD.encode(e));
    let canonical = format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#);
    URL_SAFE_NO_PAD.encode(sha256(&[canonical.as_bytes()]))
}

#[cfg(test)]
#[path = "token_tests.rs"]
mod tests;
