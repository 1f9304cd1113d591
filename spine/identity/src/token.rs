//! Access tokens: signed JWTs (RFC 7519, RFC 7515), and the ring of keys that sign and verify them.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use iris_kernel::Timestamp;
use jsonwebtoken::{Algorithm, Validation};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::signing_key::{KeyAlgorithm, SigningKey, StoredKey};
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
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct StoredKeys {
    /// `kid` of the key that signs.
    pub(crate) active: String,
    /// All keys whose tokens are still accepted.
    pub(crate) keys: Vec<StoredKey>,
}

/// How long a key that signs nothing any more still verifies: until the last of its tokens has run out, whichever node signed it
/// before it had heard of the change.
pub(crate) const RETIRED_KEEP: Duration = Duration::from_secs(ACCESS_SECONDS + 60);
/// Most keys at once; who changes them faster than their tokens run out is told to wait.
pub(crate) const KEYS_MAX: usize = 20;

impl StoredKeys {
    /// A fresh set with one key.
    pub(crate) fn generate(algorithm: KeyAlgorithm, at: Timestamp) -> Result<Self, AccessError> {
        let key = StoredKey::generate(algorithm, at)?;
        Ok(Self { active: key.kid.clone(), keys: vec![key] })
    }

    /// The set with a fresh key that signs from now on. The one that did so far verifies until its tokens have run out; those whose
    /// tokens have are dropped.
    pub(crate) fn rotated(&self, algorithm: KeyAlgorithm, at: Timestamp) -> Result<Self, AccessError> {
        let fresh = StoredKey::generate(algorithm, at)?;
        let mut keys: Vec<StoredKey> = self.keys.iter().filter(|key| verifies(key.retired, at)).cloned().collect();
        if keys.len() >= KEYS_MAX {
            return Err(AccessError::Refused("there are too many signing keys whose tokens still count; wait an hour"));
        }
        for key in keys.iter_mut().filter(|key| key.kid == self.active) {
            key.retired = Some(at.0);
        }
        let active = fresh.kid.clone();
        keys.push(fresh);
        Ok(Self { active, keys })
    }

    /// How old the key is that signs; nothing where it was not noted.
    pub(crate) fn age(&self, at: Timestamp) -> Option<Duration> {
        let active = self.keys.iter().find(|key| key.kid == self.active)?;
        active.made.map(|made| at.since(Timestamp(made)))
    }
}

fn verifies(retired: Option<i64>, now: Timestamp) -> bool {
    retired.is_none_or(|retired| now < Timestamp(retired).plus(RETIRED_KEEP))
}

/// The keys in use.
pub(crate) struct KeyRing {
    keys: Vec<SigningKey>,
    /// Which of them signs.
    active: usize,
}

impl KeyRing {
    /// Takes stored keys into use.
    pub(crate) fn open(stored: &StoredKeys) -> Result<Self, AccessError> {
        let keys = stored.keys.iter().map(SigningKey::open).collect::<Result<Vec<_>, _>>()?;
        let active = keys.iter().position(|key| key.kid == stored.active);
        let missing = || AccessError::Damaged("the active signing key is not among the keys".into());
        Ok(Self { keys, active: active.ok_or_else(missing)? })
    }

    /// Whether it was opened from these keys: a `kid` is the key's own digest.
    pub(crate) fn is_of(&self, stored: &StoredKeys) -> bool {
        self.signer().is_some_and(|key| key.kid == stored.active)
            && self.keys.len() == stored.keys.len()
            && self
                .keys
                .iter()
                .zip(&stored.keys)
                .all(|(ours, theirs)| ours.kid == theirs.kid && ours.retired == theirs.retired.map(Timestamp))
    }

    fn signer(&self) -> Option<&SigningKey> {
        self.keys.get(self.active)
    }

    /// Makes a token.
    pub(crate) fn sign(&self, claims: &Claims) -> Result<String, AccessError> {
        let signer = self.signer().ok_or_else(|| AccessError::Damaged("there is no signing key".into()))?;
        let body = serde_json::to_vec(claims).map_err(internal)?;
        let mut token = format!("{}.{}", signer.header, URL_SAFE_NO_PAD.encode(body));
        let signature = signer.sign(token.as_bytes())?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(token)
    }

    /// Reads a token that one of the keys has signed and that is valid now.
    ///
    /// Its header only finds the key: it has to be, letter for letter, the one that this key puts on its tokens. So no algorithm, no
    /// key, no address of a key and no critical parameter can come in by it; what else it says only names the fault.
    pub(crate) fn verify(&self, token: &str, now: Timestamp) -> Result<Claims, TokenFault> {
        if token.len() > ACCESS_BYTES_MAX {
            return Err(TokenFault::TooLong);
        }
        let header = token.split('.').next().unwrap_or_default();
        let ours = |key: &&SigningKey| verifies(key.retired.map(|at| at.0), now);
        let Some(key) = self.keys.iter().filter(ours).find(|key| key.header == header) else {
            return Err(self.header_fault(token, now));
        };
        let rules = rules(key.algorithm.of_verifier());
        let claims: Claims =
            jsonwebtoken::decode(token, &key.verifier, &rules).map_err(|_| TokenFault::Signature)?.claims;
        let seconds = now.seconds();
        if seconds >= claims.exp {
            Err(TokenFault::Expired)
        } else if claims.nbf.max(claims.iat) > seconds.saturating_add(CLOCK_SKEW_SECONDS) {
            Err(TokenFault::NotYet)
        } else {
            Ok(claims)
        }
    }

    /// What is wrong with a header that is none of ours.
    fn header_fault(&self, token: &str, now: Timestamp) -> TokenFault {
        let Ok(header) = jsonwebtoken::decode_header(token) else { return TokenFault::Malformed };
        if header.crit.is_some() {
            return TokenFault::Critical;
        }
        let key = header.kid.and_then(|kid| self.keys.iter().find(|key| key.kid == kid));
        match key {
            Some(key) if !verifies(key.retired.map(|at| at.0), now) => TokenFault::UnknownKey,
            Some(key) if key.algorithm.of_verifier() != header.alg => TokenFault::Algorithm,
            Some(_) => TokenFault::Malformed,
            None => TokenFault::UnknownKey,
        }
    }

    /// Which keys there are, and since when. Nothing of the keys themselves.
    pub(crate) fn list(&self, now: Timestamp) -> Vec<SigningKeyView> {
        let signer = self.signer().map(|key| key.kid.as_str());
        let view = |key: &SigningKey| SigningKeyView {
            id: key.kid.clone(),
            algorithm: key.algorithm.name(),
            created: key.created.clone(),
            active: signer == Some(key.kid.as_str()),
            retired: key.retired,
        };
        self.keys.iter().filter(|key| verifies(key.retired.map(|at| at.0), now)).map(view).collect()
    }

    /// The public keys as a JWK set (RFC 7517).
    pub(crate) fn jwks(&self, now: Timestamp) -> serde_json::Value {
        let good = self.keys.iter().filter(|key| verifies(key.retired.map(|at| at.0), now));
        serde_json::json!({ "keys": good.map(SigningKey::jwk).collect::<Vec<_>>() })
    }

    #[cfg(test)]
    pub(crate) fn signed(&self, message: &str) -> String {
        let signature = self.signer().unwrap().sign(message.as_bytes()).unwrap();
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
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

#[cfg(test)]
#[path = "token_tests.rs"]
mod tests;
