//! Checkpoints: C2SP tlog-checkpoint in C2SP signed-note form, and the verifier key that belongs to them.
//!
//! ```text
//! iris-audit
//! 1000
//! <base64 of the root>
//!
//! — iris-audit <base64 of key hash (4 bytes) ‖ Ed25519 signature (64 bytes)>
//! ```

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use iris_crypto::merkle::Hash;
use iris_crypto::sha256;
use iris_crypto::sign::{SignError, SigningKey, VerifyingKey};

/// Origin of every checkpoint and name of the key that signs it.
pub const ORIGIN: &str = "iris-audit";
/// Signature type of Ed25519 in C2SP signed-note.
const ED25519: u8 = 1;
/// Longest note that is read, in bytes: a checkpoint and room for a dozen witnesses.
pub const NOTE_BYTES_MAX: usize = 4_096;

/// The state of the log that a signature covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Number of entries.
    pub size: u64,
    /// Root of the tree over them.
    pub root: Hash,
}

impl Checkpoint {
    fn text(&self) -> String {
        format!("{ORIGIN}\n{}\n{}\n", self.size, BASE64.encode(self.root))
    }

    /// The signed note.
    ///
    /// # Errors
    /// Those of the signing library.
    pub fn sign(&self, key: &SigningKey) -> Result<String, SignError> {
        let text = self.text();
        let signature = key.sign(text.as_bytes())?;
        let mut line = Verifier::new(key.verifying_key()).hash().to_vec();
        line.extend_from_slice(&signature);
        Ok(format!("{text}\n\u{2014} {ORIGIN} {}\n", BASE64.encode(line)))
    }
}

/// The public key, printed as a C2SP verifier key: `iris-audit+<key hash in hex>+<base64 of type and key>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verifier {
    key: VerifyingKey,
}

impl Verifier {
    /// The verifier of checkpoints signed by the private half.
    #[must_use]
    pub const fn new(key: VerifyingKey) -> Self {
        Self { key }
    }

    /// The first four bytes of SHA-256(name ‖ newline ‖ type ‖ key).
    fn hash(&self) -> [u8; 4] {
        let [a, b, c, d, ..] = sha256(&[ORIGIN.as_bytes(), b"\n", &[ED25519], self.key.as_bytes()]);
        [a, b, c, d]
    }

    /// Reads a checkpoint and checks its signature. Signatures by others (witnesses) may stand beside ours.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn open(&self, note: &str) -> Result<Checkpoint, NoteFault> {
        if note.len() > NOTE_BYTES_MAX {
            return Err(NoteFault::Form);
        }
        let (text, signatures) = note.rsplit_once("\n\n").ok_or(NoteFault::Form)?;
        let signed = &note[..=text.len()];
        let checkpoint = parse(text)?;
        let mut found = false;
        for line in signatures.strip_suffix('\n').ok_or(NoteFault::Form)?.split('\n') {
            let (name, signature) =
                line.strip_prefix("\u{2014} ").and_then(|rest| rest.split_once(' ')).ok_or(NoteFault::Form)?;
            let bytes = BASE64.decode(signature).map_err(|_| NoteFault::Form)?;
            let (hash, signature) = bytes.split_first_chunk::<4>().ok_or(NoteFault::Form)?;
            if name == ORIGIN && *hash == self.hash() {
                self.key.verify(signed.as_bytes(), signature).map_err(|_| NoteFault::Signature)?;
                found = true;
            }
        }
        if found { Ok(checkpoint) } else { Err(NoteFault::Unsigned) }
    }
}

/// Reads origin, size and root; further lines are extensions, which the signature covers and we do not use.
fn parse(text: &str) -> Result<Checkpoint, NoteFault> {
    let mut lines = text.split('\n');
    if lines.next() != Some(ORIGIN) {
        return Err(NoteFault::Origin);
    }
    let size = lines.next().ok_or(NoteFault::Form)?;
    let number: u64 = size.parse().map_err(|_| NoteFault::Form)?;
    let root = BASE64.decode(lines.next().ok_or(NoteFault::Form)?).map_err(|_| NoteFault::Form)?;
    let root = root.try_into().map_err(|_| NoteFault::Form)?;
    if number.to_string() == size { Ok(Checkpoint { size: number, root }) } else { Err(NoteFault::Form) }
}

impl fmt::Display for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut key = vec![ED25519];
        key.extend_from_slice(self.key.as_bytes());
        write!(f, "{ORIGIN}+{:08x}+{}", u32::from_be_bytes(self.hash()), BASE64.encode(key))
    }
}

impl FromStr for Verifier {
    type Err = NoteFault;
    fn from_str(text: &str) -> Result<Self, NoteFault> {
        let mut parts = text.trim().splitn(3, '+');
        let (name, hash) = (parts.next(), parts.next());
        let bytes = BASE64.decode(parts.next().ok_or(NoteFault::Key)?).map_err(|_| NoteFault::Key)?;
        let Some((&ED25519, key)) = bytes.split_first() else { return Err(NoteFault::Key) };
        let verifier = Self::new(VerifyingKey::from_bytes(key).map_err(|_| NoteFault::Key)?);
        let hash_expected = format!("{:08x}", u32::from_be_bytes(verifier.hash()));
        if name == Some(ORIGIN) && hash == Some(hash_expected.as_str()) { Ok(verifier) } else { Err(NoteFault::Key) }
    }
}

/// What is wrong with a checkpoint or a verifier key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoteFault {
    /// Not a signed checkpoint at all.
    #[error("not a signed checkpoint")]
    Form,
    /// A checkpoint of another log.
    #[error("the checkpoint is of another log")]
    Origin,
    /// No signature by this key.
    #[error("the checkpoint is not signed by this key")]
    Unsigned,
    /// A signature in this key's name that it did not make.
    #[error("the checkpoint's signature is wrong")]
    Signature,
    /// Not a verifier key of this log.
    #[error("not a verifier key of the form iris-audit+hash+base64")]
    Key,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key() -> SigningKey {
        SigningKey::from_seed(&[1; 32]).unwrap()
    }

    #[test]
    fn a_checkpoint_opens_with_its_key_only() {
        let checkpoint = Checkpoint { size: 1_000, root: [7; 32] };
        let note = checkpoint.sign(&key()).unwrap();
        assert!(note.starts_with("iris-audit\n1000\nBwcH"), "{note}");
        let verifier = Verifier::new(key().verifying_key());
        assert_eq!(verifier.open(&note), Ok(checkpoint));
        let other = Verifier::new(SigningKey::from_seed(&[2; 32]).unwrap().verifying_key());
        assert_eq!(other.open(&note), Err(NoteFault::Unsigned));
        assert_eq!(verifier.open(&note.replace("1000", "1001")), Err(NoteFault::Signature));
        assert_eq!(verifier.open(&note.replace("\n1000", "\n01000")), Err(NoteFault::Form));
        assert_eq!(verifier.open(&note.replace("iris-audit\n1", "iris\n1")), Err(NoteFault::Origin));
        assert_eq!(verifier.open(note.trim_end()), Err(NoteFault::Form));
        assert_eq!(verifier.open(""), Err(NoteFault::Form));
        let witnessed = format!("{note}\u{2014} witness {}\n", BASE64.encode([0; 68]));
        assert_eq!(verifier.open(&witnessed), Ok(checkpoint));
        assert_eq!(verifier.open(&format!("{note}{}", "x".repeat(NOTE_BYTES_MAX))), Err(NoteFault::Form));
    }

    proptest! {
        #[test]
        fn no_note_but_the_signed_one_opens(at: prop::sample::Index, bit in 0_u8..8, noise in ".{0,200}") {
            let verifier = Verifier::new(key().verifying_key());
            let mut note = Checkpoint { size: 1_000, root: [7; 32] }.sign(&key()).unwrap().into_bytes();
            let at = at.index(note.len());
            note[at] ^= 1 << bit;
            prop_assert!(String::from_utf8(note).ok().is_none_or(|note| verifier.open(&note).is_err()));
            prop_assert!(verifier.open(&noise).is_err());
            prop_assert!(noise.parse::<Verifier>().is_err());
        }
    }

    #[test]
    fn verifier_keys_are_printed_and_read() {
        let verifier = Verifier::new(key().verifying_key());
        let text = verifier.to_string();
        assert_eq!(text, "iris-audit+5051b57d+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c".to_owned());
        assert_eq!(text.parse(), Ok(verifier));
        assert_eq!(text.replace("+50", "+51").parse::<Verifier>(), Err(NoteFault::Key));
        assert_eq!("iris-audit+".parse::<Verifier>(), Err(NoteFault::Key));
    }
}
