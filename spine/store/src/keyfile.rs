//! The local key file.
use std::path::Path;
use std::sync::Arc;

use iris_kernel::{Entropy, Secret};

use crate::error::OpenError;
use crate::keys::{KeyError, KeyProvider};

/// A root key from a local file.
pub struct LocalKey {}

#[allow(unused_variables, clippy::todo, missing_docs)]
pub fn open_or_create(path: &Path, passphrase: Option<&Secret<String>>, entropy: Arc<dyn Entropy>, fresh: bool) -> Result<LocalKey, OpenError> { todo!() }

#[allow(unused_variables, clippy::todo, missing_docs)]
impl LocalKey {
    /// Whether the file is protected by its mode only, because no passphrase was given.
    pub fn unprotected(&self) -> bool { todo!() }
}

#[allow(unused_variables, clippy::todo, missing_docs)]
impl KeyProvider for LocalKey {
    fn wrap(&self, clear: &[u8; 32]) -> Result<Vec<u8>, KeyError> { todo!() }
    fn unwrap(&self, wrapped: &[u8]) -> Result<Secret<[u8; 32]>, KeyError> { todo!() }
    fn derive(&self, label: &str) -> [u8; 32] { todo!() }
}
