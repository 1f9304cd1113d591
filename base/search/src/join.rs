//! Keys by which records are joined: for chains, reverse chains and lists.

use std::sync::Arc;

use iris_crypto::sha256;
use iris_kernel::Kind;

/// Bytes of the digest of an id that a key is made of.
pub const DIGEST_BYTES: usize = 8;

/// The key of a record: from its type and id, the same on every node. Two of a hundred million records have the same key with a
/// chance below one in a thousand million, in which case a join takes one for the other.
#[must_use]
pub fn join_key(kind: Kind, id: &str) -> u64 {
    let digest = sha256(&[id.as_bytes()]);
    let mut first = [0; DIGEST_BYTES];
    first.copy_from_slice(&digest[..DIGEST_BYTES]);
    join_key_of_digest(kind, first)
}

/// [`join_key`] of an id of which only the first bytes of the SHA-256 are known: what the index has of a reference.
#[must_use]
pub const fn join_key_of_digest(kind: Kind, digest: [u8; DIGEST_BYTES]) -> u64 {
    u64::from_be_bytes(digest) ^ of_kind(kind)
}

/// The first bytes of the SHA-256 of the id of the record with this key: the way back from [`join_key_of_digest`], for who knows the
/// type.
#[must_use]
pub const fn digest_of_join_key(kind: Kind, key: u64) -> [u8; DIGEST_BYTES] {
    (key ^ of_kind(kind)).to_be_bytes()
}

/// The share of the type: spread over all bits, so that two types never differ by what two digests differ by.
const fn of_kind(kind: Kind) -> u64 {
    (kind.0 as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// Some records, by their keys: where a chain leads, or what a list names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Targets {
    keys: Vec<u64>,
    /// The type of all of them, if it is known: references to one type are looked up instead of all being looked at.
    kind: Option<Kind>,
}

impl Targets {
    /// The records with these keys, in any order.
    #[must_use]
    pub fn new(mut keys: Vec<u64>) -> Self {
        keys.sort_unstable();
        keys.dedup();
        Self { keys, kind: None }
    }

    /// The records with these keys, in any order, all of one type.
    #[must_use]
    pub fn of(kind: Kind, keys: Vec<u64>) -> Self {
        Self { kind: Some(kind), ..Self::new(keys) }
    }

    /// The type of all of them, if it is known.
    #[must_use]
    pub const fn kind(&self) -> Option<Kind> {
        self.kind
    }

    /// [`Targets::new`] to be shared by the criteria of a query.
    #[must_use]
    pub fn shared(keys: Vec<u64>) -> Arc<Self> {
        Arc::new(Self::new(keys))
    }

    /// The keys, sorted, each once.
    #[must_use]
    pub fn keys(&self) -> &[u64] {
        &self.keys
    }

    /// Whether a record is one of them.
    #[must_use]
    pub fn has(&self, key: u64) -> bool {
        self.keys.binary_search(&key).is_ok()
    }

    /// How many they are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_key_leads_back_to_the_digest_and_tells_types_apart(kind in 1_u16..200, other in 1_u16..200, id in "[a-z0-9.-]{1,64}") {
            let key = join_key(Kind(kind), &id);
            let digest = digest_of_join_key(Kind(kind), key);
            prop_assert_eq!(&digest[..], &sha256(&[id.as_bytes()])[..DIGEST_BYTES]);
            prop_assert_eq!(join_key_of_digest(Kind(kind), digest), key);
            prop_assert_eq!(join_key(Kind(other), &id) == key, kind == other);
            prop_assert!(Targets::new(vec![9, key, key, 1]).has(key));
        }
    }
}
