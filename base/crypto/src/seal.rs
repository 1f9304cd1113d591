//! Sealing: AES-256-GCM with a suite byte, a key commitment and length-prefixed associated data (architecture §5).
//!
//! A sealed value is `suite (1) | commitment (16) | nonce (12) | ciphertext | tag (16)`. AES-GCM alone does not bind a
//! ciphertext to one key; the commitment does, and it tells a wrong key from damaged bytes.

use aws_lc_rs::aead::{AES_256_GCM, Aad as AeadAad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use subtle::ConstantTimeEq;

use crate::derive;

/// The one suite so far: AES-256-GCM, 96-bit nonce, 16-byte commitment.
const SUITE: u8 = 1;
const COMMITMENT_LEN: usize = 16;
const TAG_LEN: usize = 16;
const HEAD_LEN: usize = 1 + COMMITMENT_LEN + NONCE_LEN;

/// Bytes that sealing adds to a value.
pub const OVERHEAD: usize = HEAD_LEN + TAG_LEN;

/// Associated data: what a sealed value is bound to. Each part is preceded by its length or has a fixed one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Aad(Vec<u8>);

impl Aad {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self(Vec::with_capacity(64))
    }

    /// Adds a number.
    #[must_use]
    pub fn u32(self, value: u32) -> Self {
        self.bytes(&value.to_be_bytes())
    }

    /// Adds a number.
    #[must_use]
    pub fn u64(self, value: u64) -> Self {
        self.bytes(&value.to_be_bytes())
    }

    /// Adds bytes, preceded by their length.
    #[must_use]
    pub fn bytes(mut self, value: &[u8]) -> Self {
        self.0.extend_from_slice(&(value.len() as u64).to_be_bytes());
        self.0.extend_from_slice(value);
        self
    }

    /// What a chunk of a file is bound to: the file's name, the position and whether it is the last one, so that chunks can
    /// be neither moved nor cut off.
    #[must_use]
    pub fn chunk(file: &[u8], number: u64, last: LastChunk) -> Self {
        Self::new().bytes(b"chunk").bytes(file).u64(number).u32(u32::from(last == LastChunk::Yes))
    }

    fn as_slice(&self) -> &[u8] {
        &self.0
    }
}

/// Whether a chunk ends its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LastChunk {
    /// More chunks follow.
    No,
    /// The file ends here.
    Yes,
}

/// Why a sealed value did not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Shorter than any sealed value.
    #[error("the sealed value is cut off")]
    Truncated,
    /// Made by a suite that this version does not know.
    #[error("the sealed value has an unknown suite")]
    UnknownSuite,
    /// Sealed under another key.
    #[error("the sealed value belongs to another key")]
    OtherKey,
    /// Changed since it was sealed, or moved to another place.
    #[error("the sealed value is damaged or out of place")]
    Damaged,
}

/// A key that seals and opens. Cheap to use, some hundred nanoseconds to make: keep it.
pub struct SealingKey {
    key: LessSafeKey,
    commitment: [u8; COMMITMENT_LEN],
}

impl SealingKey {
    /// Derives the encryption key and the commitment from `key`.
    #[must_use]
    #[allow(
        clippy::expect_used,
        reason = "the key length is a constant of the type; there is no input that could fail"
    )]
    pub fn new(key: &[u8; 32]) -> Self {
        let mut encryption = derive(key, "seal/encrypt");
        let unbound = UnboundKey::new(&AES_256_GCM, &encryption).expect("AES-256 takes 32 bytes");
        zeroize::Zeroize::zeroize(&mut encryption);
        let mut commitment = [0; COMMITMENT_LEN];
        commitment.copy_from_slice(&derive(key, "seal/commit")[..COMMITMENT_LEN]);
        Self { key: LessSafeKey::new(unbound), commitment }
    }

    /// Seals `clear`, bound to `aad`. A nonce must never be used twice under one key; random ones are safe for 2^32 values.
    #[must_use]
    #[allow(clippy::expect_used, reason = "AES-GCM refuses only values above 64 GiB, which no caller can hold")]
    pub fn seal(&self, nonce: [u8; 12], aad: &Aad, clear: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(clear.len() + OVERHEAD);
        out.push(SUITE);
        out.extend_from_slice(&self.commitment);
        out.extend_from_slice(&nonce);
        out.extend_from_slice(clear);
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = self
            .key
            .seal_in_place_separate_tag(nonce, AeadAad::from(aad.as_slice()), &mut out[HEAD_LEN..])
            .expect("values are far below 64 GiB");
        out.extend_from_slice(tag.as_ref());
        out
    }

    /// Opens what [`SealingKey::seal`] made with the same associated data.
    ///
    /// # Errors
    /// Any difference of key, associated data or bytes.
    pub fn open(&self, aad: &Aad, sealed: &[u8]) -> Result<Vec<u8>, OpenError> {
        let Some((&suite, rest)) = sealed.split_first() else { return Err(OpenError::Truncated) };
        if suite != SUITE {
            return Err(OpenError::UnknownSuite);
        }
        if sealed.len() < OVERHEAD {
            return Err(OpenError::Truncated);
        }
        let (commitment, rest) = rest.split_at(COMMITMENT_LEN);
        if !bool::from(commitment.ct_eq(&self.commitment)) {
            return Err(OpenError::OtherKey);
        }
        let (nonce, body) = rest.split_at(NONCE_LEN);
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| OpenError::Truncated)?;
        let mut clear = body.to_vec();
        let opened = self
            .key
            .open_in_place(nonce, AeadAad::from(aad.as_slice()), &mut clear)
            .map_err(|_| OpenError::Damaged)?
            .len();
        clear.truncate(opened);
        Ok(clear)
    }

    /// Seals one chunk of a file, see [`Aad::chunk`].
    #[must_use]
    pub fn seal_chunk(&self, nonce: [u8; 12], file: &[u8], number: u64, last: LastChunk, clear: &[u8]) -> Vec<u8> {
        self.seal(nonce, &Aad::chunk(file, number, last), clear)
    }

    /// Opens one chunk of a file, see [`Aad::chunk`].
    ///
    /// # Errors
    /// As [`SealingKey::open`]; a chunk that was moved, or a last chunk where more should follow, is damaged.
    pub fn open_chunk(&self, file: &[u8], number: u64, last: LastChunk, sealed: &[u8]) -> Result<Vec<u8>, OpenError> {
        self.open(&Aad::chunk(file, number, last), sealed)
    }
}

impl std::fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealingKey(***)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn aad() -> Aad {
        Aad::new().u32(1).bytes(b"field").u64(9)
    }

    proptest! {
        #[test]
        fn what_was_sealed_opens(clear in proptest::collection::vec(any::<u8>(), 0..2000), nonce: [u8; 12], key: [u8; 32]) {
            let key = SealingKey::new(&key);
            let sealed = key.seal(nonce, &aad(), &clear);
            prop_assert_eq!(sealed.len(), clear.len() + OVERHEAD);
            prop_assert_eq!(key.open(&aad(), &sealed).unwrap(), clear);
        }

        #[test]
        fn every_flipped_bit_is_seen(clear in proptest::collection::vec(any::<u8>(), 0..100), at: prop::sample::Index, bit in 0_u8..8) {
            let key = SealingKey::new(&[3; 32]);
            let mut sealed = key.seal([5; 12], &aad(), &clear);
            let at = at.index(sealed.len());
            sealed[at] ^= 1 << bit;
            prop_assert!(key.open(&aad(), &sealed).is_err());
        }

        #[test]
        fn every_cut_is_seen(keep in 0_usize..65) {
            let key = SealingKey::new(&[3; 32]);
            let sealed = key.seal([5; 12], &aad(), &[7; 20]);
            prop_assert!(key.open(&aad(), &sealed[..keep]).is_err());
        }
    }

    #[test]
    fn place_and_key_are_bound() {
        let key = SealingKey::new(&[1; 32]);
        let sealed = key.seal([0; 12], &aad(), b"x");
        assert_eq!(key.open(&Aad::new().u32(2), &sealed), Err(OpenError::Damaged));
        assert_eq!(SealingKey::new(&[2; 32]).open(&aad(), &sealed), Err(OpenError::OtherKey));
        assert_eq!(key.open(&aad(), &[9; 60]), Err(OpenError::UnknownSuite));
        assert_eq!(key.open(&aad(), &[]), Err(OpenError::Truncated));
    }

    #[test]
    fn parts_of_the_associated_data_do_not_run_together() {
        assert_ne!(Aad::new().bytes(b"ab").bytes(b"c"), Aad::new().bytes(b"a").bytes(b"bc"));
    }

    #[test]
    fn chunks_cannot_move_or_end_early() {
        let key = SealingKey::new(&[1; 32]);
        let sealed = key.seal_chunk([0; 12], b"file", 3, LastChunk::No, b"part");
        assert_eq!(key.open_chunk(b"file", 3, LastChunk::No, &sealed).unwrap(), b"part");
        assert!(key.open_chunk(b"file", 4, LastChunk::No, &sealed).is_err());
        assert!(key.open_chunk(b"file", 3, LastChunk::Yes, &sealed).is_err());
        assert!(key.open_chunk(b"other", 3, LastChunk::No, &sealed).is_err());
    }
}
