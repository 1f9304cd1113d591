//! Base64 as the log's files and proofs carry it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use iris_crypto::merkle::Hash;

pub(crate) fn encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

pub(crate) fn decode_hash(text: &str) -> Option<Hash> {
    decode(text)?.try_into().ok()
}
