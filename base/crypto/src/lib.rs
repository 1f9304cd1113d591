//! Hashing, sealing, signing and Merkle trees over `aws-lc-rs`. Pure: keys, nonces and salts are arguments, nothing here
//! reads a clock, draws randomness or does I/O (architecture §5 and §6).

pub mod digest;
pub mod merkle;
pub mod passphrase;
pub mod seal;
pub mod sign;

pub use digest::{MacKey, derive, sha256};
pub use seal::{Aad, OpenError, SealingKey};
