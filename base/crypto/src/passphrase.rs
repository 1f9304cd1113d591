//! A key from something a person remembers: argon2id (RFC 9106).

use argon2::{Algorithm, Argon2, Params, Version};

/// What one derivation costs. Stored beside the salt, so that it can be raised later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl Cost {
    /// For a passphrase that protects everything and is asked for once per start (RFC 9106, second choice: 64 MiB, 3 passes).
    pub const ROOT: Cost = Cost { memory_kib: 64 * 1024, passes: 3, lanes: 4 };
    /// For an empty passphrase, where work would protect nothing.
    pub const NONE: Cost = Cost { memory_kib: 8, passes: 1, lanes: 1 };
    /// Most memory that a stored cost may ask for, so that a manipulated file cannot exhaust the machine.
    pub const MEMORY_KIB_MAX: u32 = 1024 * 1024;
    /// Most passes that a stored cost may ask for.
    pub const PASSES_MAX: u32 = 32;
}

/// The cost or salt cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the cost or the salt of the passphrase derivation is out of range")]
pub struct CostError;

/// Derives a key from `passphrase` and `salt` (8 to 64 bytes) at the given cost.
///
/// # Errors
/// [`CostError`] if cost or salt are outside what argon2 or the limits here allow.
pub fn key_from_passphrase(passphrase: &[u8], salt: &[u8], cost: Cost) -> Result<[u8; 32], CostError> {
    if cost.memory_kib > Cost::MEMORY_KIB_MAX || cost.passes > Cost::PASSES_MAX || salt.len() > 64 {
        return Err(CostError);
    }
    let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(32)).map_err(|_| CostError)?;
    let mut out = [0; 32];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase, salt, &mut out)
        .map_err(|_| CostError)?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passphrase_salt_and_cost_all_matter() {
        let base = key_from_passphrase(b"word", b"saltsalt", Cost::NONE).unwrap();
        assert_eq!(base, key_from_passphrase(b"word", b"saltsalt", Cost::NONE).unwrap());
        assert_ne!(base, key_from_passphrase(b"Word", b"saltsalt", Cost::NONE).unwrap());
        assert_ne!(base, key_from_passphrase(b"word", b"saltsal2", Cost::NONE).unwrap());
        let dearer = Cost { passes: 2, ..Cost::NONE };
        assert_ne!(base, key_from_passphrase(b"word", b"saltsalt", dearer).unwrap());
    }

    #[test]
    fn limits_hold() {
        let at = Cost { memory_kib: Cost::MEMORY_KIB_MAX + 1, ..Cost::NONE };
        assert_eq!(key_from_passphrase(b"", b"saltsalt", at), Err(CostError));
        let passes = Cost { passes: Cost::PASSES_MAX + 1, ..Cost::NONE };
        assert_eq!(key_from_passphrase(b"", b"saltsalt", passes), Err(CostError));
        assert_eq!(key_from_passphrase(b"", b"short", Cost::NONE), Err(CostError));
    }
}
