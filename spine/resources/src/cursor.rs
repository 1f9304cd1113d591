//! Paging cursors: a position in a result list, sealed so that nobody reads a birth date from a link or makes one up.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use iris_crypto::seal::{Aad, SealingKey};
use iris_index::Position;
use iris_kernel::{Entropy, ErrorKind, Seq};

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

    pub(crate) fn seal(&self, position: &Position, bound: &[u8], entropy: &dyn Entropy) -> String {
        let mut nonce = [0; 12];
        entropy.fill(&mut nonce);
        let mut clear = position.born.0.to_be_bytes().to_vec();
        clear.extend(position.value.into_iter().flat_map(i64::to_be_bytes));
        URL_SAFE_NO_PAD.encode(self.0.seal(nonce, &Aad::new().bytes(bound), &clear))
    }

    pub(crate) fn open(&self, cursor: &str, bound: &[u8]) -> Result<Position, Refusal> {
        let refused =
            || Refusal::new(ErrorKind::Malformed, "cursor", "is not a cursor that this search gave you; start again");
        let sealed = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| refused())?;
        let clear = self.0.open(&Aad::new().bytes(bound), &sealed).map_err(|_| refused())?;
        let (born, value) = clear.split_first_chunk::<8>().ok_or_else(refused)?;
        let value = value.first_chunk::<8>().map(|value| i64::from_be_bytes(*value));
        Ok(Position { value, born: Seq(u64::from_be_bytes(*born)) })
    }
}
