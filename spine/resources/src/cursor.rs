//! Paging cursors: a position in a result list, sealed so that nobody reads a birth date from a link or makes one up.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use iris_crypto::seal::{Aad, SealingKey};
use iris_index::Position;
use iris_kernel::{Entropy, ErrorKind};

use crate::refusal::Refusal;

/// The key that seals cursors; derived from the installation's root, so that every node opens what another sealed.
#[derive(Clone)]
pub struct CursorKey(std::sync::Arc<SealingKey>);

impl CursorKey {
    /// Takes the derived key.
    #[must_use]
    pub fn new(key: &[u8; 32]) -> Self {
        Self(std::sync::Arc::new(SealingKey::new(key)))
    }

    /// Seals whatever says where a page ended.
    pub(crate) fn seal_bytes(&self, clear: &[u8], bound: &[u8], entropy: &dyn Entropy) -> String {
        let mut nonce = [0; 12];
        entropy.fill(&mut nonce);
        URL_SAFE_NO_PAD.encode(self.0.seal(nonce, &Aad::new().bytes(bound), clear))
    }

    /// What [`CursorKey::seal_bytes`] sealed.
    pub(crate) fn open_bytes(&self, cursor: &str, bound: &[u8]) -> Result<Vec<u8>, Refusal> {
        let sealed = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| refused())?;
        self.0.open(&Aad::new().bytes(bound), &sealed).map_err(|_| refused())
    }

    pub(crate) fn seal(&self, position: &Position, bound: &[u8], entropy: &dyn Entropy) -> String {
        self.seal_bytes(position.as_bytes(), bound, entropy)
    }

    pub(crate) fn open(&self, cursor: &str, bound: &[u8]) -> Result<Position, Refusal> {
        Ok(Position::from_bytes(&self.open_bytes(cursor, bound)?))
    }
}

/// A cursor that no page of this search ended with.
pub(crate) fn refused() -> Refusal {
    Refusal::new(ErrorKind::Malformed, "cursor", "is not a cursor that this search gave you; start again")
}
