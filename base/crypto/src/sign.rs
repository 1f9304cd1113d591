//! Ed25519 signatures (RFC 8032), as the audit log's checkpoints carry them.

use std::fmt;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};

/// A private key that signs. It never leaves this type; keep its seed sealed.
pub struct SigningKey {
    pair: Ed25519KeyPair,
    public: VerifyingKey,
}

impl SigningKey {
    /// The key that belongs to a 32-byte secret seed.
    ///
    /// # Errors
    /// [`SignError::Key`] if the library refuses the seed, which it does for none of 32 bytes.
    pub fn from_seed(seed: &[u8; 32]) -> Result<Self, SignError> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| SignError::Key)?;
        let public = VerifyingKey::from_bytes(pair.public_key().as_ref())?;
        Ok(Self { pair, public })
    }

    /// Signs a message. Deterministic: the same message has the same signature.
    ///
    /// # Errors
    /// [`SignError::Key`] if the library gives no 64-byte signature, which it always does.
    pub fn sign(&self, message: &[u8]) -> Result<[u8; 64], SignError> {
        self.pair.sign(message).as_ref().try_into().map_err(|_| SignError::Key)
    }

    /// The public half.
    #[must_use]
    pub const fn verifying_key(&self) -> VerifyingKey {
        self.public
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("public", &self.public).finish_non_exhaustive()
    }
}

/// A public key that checks signatures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerifyingKey([u8; 32]);

impl VerifyingKey {
    /// Takes the 32 bytes of a public key. Whether they are a point of the curve shows when a signature is checked.
    ///
    /// # Errors
    /// [`SignError::Key`] if they are not 32 bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SignError> {
        bytes.try_into().map(Self).map_err(|_| SignError::Key)
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Checks a signature.
    ///
    /// # Errors
    /// [`SignError::Signature`] if it was not made over this message with the private half.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), SignError> {
        UnparsedPublicKey::new(&ED25519, &self.0).verify(message, signature).map_err(|_| SignError::Signature)
    }
}

/// Why a key or a signature was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// Not a key.
    #[error("not an Ed25519 key")]
    Key,
    /// Not this key's signature over this message.
    #[error("the signature does not match")]
    Signature,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(hex: &str) -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap()).collect()
    }

    #[test]
    fn rfc_8032_test_2() {
        let seed = bytes("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
        let public = bytes("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
        let signature = bytes(
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        );
        let key = SigningKey::from_seed(&seed.try_into().unwrap()).unwrap();
        assert_eq!(key.verifying_key().as_bytes().as_slice(), public);
        assert_eq!(key.sign(&[0x72]).unwrap().as_slice(), signature);
        assert_eq!(key.verifying_key().verify(&[0x72], &signature), Ok(()));
        assert_eq!(key.verifying_key().verify(&[0x73], &signature), Err(SignError::Signature));
        assert_eq!(VerifyingKey::from_bytes(&public[1..]), Err(SignError::Key));
    }
}
