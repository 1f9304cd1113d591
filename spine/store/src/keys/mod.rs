//! Keys: the provider's root wraps one key per tenant, that wraps data keys, those seal (architecture §5).

mod ring;

use iris_kernel::Secret;

pub(crate) use ring::{FreshKey, KeyHandle, KeyRing, KeyRole, check_value};

/// Why a key provider gave no key.
#[derive(Clone, Debug, thiserror::Error)]
pub enum KeyError {
    /// The wrapped key does not open under the provider's root.
    #[error("a wrapped key does not open: {0}")]
    Damaged(String),
    /// The provider does not answer.
    #[error("the key provider does not answer: {0}")]
    Unavailable(String),
}

/// Where the root of all keys lives: a local key file, later Vault, AWS KMS or PKCS#11.
pub trait KeyProvider: Send + Sync {
    /// Wraps a key under the root, bound to `aad`: what names the key's place, so that a wrapped key that was moved to
    /// another place does not open there. Not secret.
    ///
    /// # Errors
    /// [`KeyError::Unavailable`] if the provider does not answer.
    fn wrap(&self, clear: &[u8; 32], aad: &[u8]) -> Result<Vec<u8>, KeyError>;

    /// Unwraps what [`KeyProvider::wrap`] made with the same `aad`.
    ///
    /// # Errors
    /// [`KeyError`] if it does not open, was made for another `aad`, or the provider does not answer.
    fn unwrap(&self, wrapped: &[u8], aad: &[u8]) -> Result<Secret<[u8; 32]>, KeyError>;

    /// A key for the purpose named by `label`, always the same under one root: for the index, the audit log, the journal and
    /// keyed tokens.
    fn derive(&self, label: &str) -> [u8; 32];
}

/// The number of a data key, as rows name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId(pub u64);

/// Names a data key of a tenant that is neither the tenant's own nor a patient's, for example `audit:2026-11`, so that it can
/// be destroyed apart from the others.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KeyLabel(String);

impl KeyLabel {
    /// The label with this text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
