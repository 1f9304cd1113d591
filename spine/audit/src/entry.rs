//! The bytes of an entry: canonical header and sealed details.
//!
//! Header, 64 bytes, big-endian: version 1 · tenant u32 · actor token 16 B · action u16 · outcome u8 · time i64 µs ·
//! commitment 32 B. The commitment is SHA-256 of the details as stored, so that the tree covers them and yet loses nothing
//! when their key is destroyed.
//!
//! Details: version 1 · key id u64 · opening 32 B · sealed(salt 16 B ‖ JSON). The opening is SHA-256 over salt and JSON:
//! whoever is shown both can check them against the tree without any key, and whoever is not learns nothing from it.

use iris_crypto::{Aad, SealingKey, sha256};
use iris_kernel::{Tenant, Timestamp};

use crate::catalogue::{Action, Outcome};

/// Bytes of a header.
pub const HEADER_BYTES: usize = 64;
/// Bytes of the header before its commitment.
const FACTS_BYTES: usize = 32;
/// Bytes of the salt under the seal.
pub(crate) const SALT_BYTES: usize = 16;
/// Bytes of the details before the sealed part.
const DETAILS_HEAD_BYTES: usize = 1 + 8 + 32;
/// The only version of either layout so far.
const VERSION: u8 = 1;

/// The part of an entry that stands in clear and in the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Whose data it concerns.
    pub tenant: Tenant,
    /// Keyed token of the actor's id, different in each tenant.
    pub actor: [u8; 16],
    /// What was done.
    pub action: Action,
    /// How it ended.
    pub outcome: Outcome,
    /// When.
    pub at: Timestamp,
    /// SHA-256 of the details as stored.
    pub commitment: [u8; 32],
}

impl Header {
    /// The facts without the commitment, to which the sealed details are bound.
    fn facts(&self) -> [u8; FACTS_BYTES] {
        let mut facts = [0; FACTS_BYTES];
        facts[0] = VERSION;
        facts[1..5].copy_from_slice(&self.tenant.0.to_be_bytes());
        facts[5..21].copy_from_slice(&self.actor);
        facts[21..23].copy_from_slice(&self.action.code().to_be_bytes());
        facts[23] = self.outcome.code();
        facts[24..32].copy_from_slice(&self.at.0.to_be_bytes());
        facts
    }

    /// The canonical bytes, which are hashed into the leaf.
    #[must_use]
    pub fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        bytes[..FACTS_BYTES].copy_from_slice(&self.facts());
        bytes[FACTS_BYTES..].copy_from_slice(&self.commitment);
        bytes
    }

    /// Reads canonical bytes.
    ///
    /// # Errors
    /// [`EntryFault::Header`] if they are not of this version's form or name an action that is not in the catalogue.
    pub fn decode(bytes: &[u8]) -> Result<Self, EntryFault> {
        let mut rest = bytes;
        if bytes.len() != HEADER_BYTES || take::<1>(&mut rest)? != [VERSION] {
            return Err(EntryFault::Header);
        }
        Ok(Self {
            tenant: Tenant(u32::from_be_bytes(take(&mut rest)?)),
            actor: take(&mut rest)?,
            action: Action::from_code(u16::from_be_bytes(take(&mut rest)?)).ok_or(EntryFault::Header)?,
            outcome: Outcome::from_code(take::<1>(&mut rest)?[0]).ok_or(EntryFault::Header)?,
            at: Timestamp(i64::from_be_bytes(take(&mut rest)?)),
            commitment: take(&mut rest)?,
        })
    }
}

/// Splits `N` bytes off the front.
fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], EntryFault> {
    let (front, back) = rest.split_first_chunk().ok_or(EntryFault::Header)?;
    *rest = back;
    Ok(*front)
}

/// Details in clear, with the salt that lets others check them against the header.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Opened {
    pub(crate) salt: [u8; SALT_BYTES],
    pub(crate) text: String,
}

/// Seals details and completes the header with their commitment.
pub(crate) fn seal(
    header: &mut Header,
    (key_id, key): (u64, &SealingKey),
    (nonce, salt): ([u8; 12], [u8; SALT_BYTES]),
    text: &str,
) -> Vec<u8> {
    let opening = opening(&salt, text);
    let mut clear = Vec::with_capacity(SALT_BYTES + text.len());
    clear.extend_from_slice(&salt);
    clear.extend_from_slice(text.as_bytes());
    let sealed = key.seal(nonce, &binding(header, key_id, &opening), &clear);
    let mut details = Vec::with_capacity(DETAILS_HEAD_BYTES + sealed.len());
    details.push(VERSION);
    details.extend_from_slice(&key_id.to_be_bytes());
    details.extend_from_slice(&opening);
    details.extend_from_slice(&sealed);
    header.commitment = commitment(&details);
    details
}

/// What the header commits to.
pub(crate) fn commitment(details: &[u8]) -> [u8; 32] {
    sha256(&[details])
}

/// The number of the data key that sealed these details.
pub(crate) fn key_id(details: &[u8]) -> Result<u64, EntryFault> {
    parts(details).map(|(key_id, _, _)| key_id)
}

/// Opens sealed details that belong to this header.
pub(crate) fn open(header: &Header, details: &[u8], key: &SealingKey) -> Result<Opened, EntryFault> {
    let (key_id, opening, sealed) = parts(details)?;
    let clear = key.open(&binding(header, key_id, &opening), sealed).map_err(|_| EntryFault::Sealed)?;
    let (salt, text) = clear.split_first_chunk::<SALT_BYTES>().ok_or(EntryFault::Sealed)?;
    let text = String::from_utf8(text.to_vec()).map_err(|_| EntryFault::Sealed)?;
    let opened = Opened { salt: *salt, text };
    check_opening(details, &opened.salt, &opened.text)?;
    Ok(opened)
}

/// Checks details shown in clear against the stored ones; needs no key.
pub(crate) fn check_opening(details: &[u8], salt: &[u8], text: &str) -> Result<(), EntryFault> {
    let (_, expected, _) = parts(details)?;
    if opening(salt, text) == expected { Ok(()) } else { Err(EntryFault::Opening) }
}

fn opening(salt: &[u8], text: &str) -> [u8; 32] {
    sha256(&[b"iris audit opening\0", salt, text.as_bytes()])
}

fn binding(header: &Header, key_id: u64, opening: &[u8; 32]) -> Aad {
    Aad::new().bytes(b"audit entry").bytes(&header.facts()).u64(key_id).bytes(opening)
}

fn parts(details: &[u8]) -> Result<(u64, [u8; 32], &[u8]), EntryFault> {
    let mut rest = details;
    if take::<1>(&mut rest).map_err(|_| EntryFault::Details)? != [VERSION] {
        return Err(EntryFault::Details);
    }
    let key_id = take(&mut rest).map_err(|_| EntryFault::Details)?;
    let opening = take(&mut rest).map_err(|_| EntryFault::Details)?;
    Ok((u64::from_be_bytes(key_id), opening, rest))
}

/// What is wrong with the bytes of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EntryFault {
    /// Not a header of a known version and catalogue.
    #[error("the header has no known form")]
    Header,
    /// Not details of a known version.
    #[error("the details have no known form")]
    Details,
    /// Not sealed for this header under this key.
    #[error("the details do not open")]
    Sealed,
    /// Details in clear that are not what was sealed.
    #[error("the details shown are not those that were sealed")]
    Opening,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn header() -> Header {
        Header {
            tenant: Tenant(7),
            actor: [9; 16],
            action: Action::PhiRead,
            outcome: Outcome::Success,
            at: Timestamp(-5),
            commitment: [3; 32],
        }
    }

    #[test]
    fn header_bytes_are_fixed() {
        let bytes = header().encode();
        assert_eq!(bytes[..5], [1, 0, 0, 0, 7]);
        assert_eq!(bytes[21..24], [0, 201, 0]);
        assert_eq!(bytes[24..32], (-5_i64).to_be_bytes());
        assert_eq!(Header::decode(&bytes), Ok(header()));
        assert_eq!(Header::decode(&bytes[1..]), Err(EntryFault::Header));
        for (place, value) in [(0, 2), (22, 0), (23, 9)] {
            let mut wrong = bytes;
            wrong[place] = value;
            assert_eq!(Header::decode(&wrong), Err(EntryFault::Header));
        }
    }

    proptest! {
        #[test]
        fn a_header_has_one_form(noise in proptest::collection::vec(any::<u8>(), 0..100), code in 0_u16..1_000, outcome in 0_u8..5) {
            prop_assert!(Header::decode(&noise).is_err() || noise.len() == HEADER_BYTES);
            let mut bytes = header().encode();
            bytes[21..23].copy_from_slice(&code.to_be_bytes());
            bytes[23] = outcome;
            let known = Action::from_code(code).is_some() && Outcome::from_code(outcome).is_some();
            prop_assert_eq!(Header::decode(&bytes).ok().map(|header| header.encode()), known.then_some(bytes));
        }

        #[test]
        fn details_open_only_under_their_header(text in ".{0,80}", place in 0_usize..400, bit in 0_u8..8) {
            let key = SealingKey::new(&[1; 32]);
            let mut header = header();
            let details = seal(&mut header, (5, &key), ([2; 12], [4; 16]), &text);
            prop_assert_eq!(key_id(&details), Ok(5));
            prop_assert_eq!(header.commitment, commitment(&details));
            let opened = open(&header, &details, &key).unwrap();
            prop_assert_eq!(&opened.text, &text);
            prop_assert_eq!(check_opening(&details, &opened.salt, &text), Ok(()));
            let longer = text + "x";
            prop_assert!(check_opening(&details, &opened.salt, &longer).is_err());

            let mut other = header;
            other.at = Timestamp(0);
            prop_assert_eq!(open(&other, &details, &key).err(), Some(EntryFault::Sealed));
            let mut wrong = details;
            let place = place % wrong.len();
            wrong[place] ^= 1 << bit;
            prop_assert!(open(&header, &wrong, &key).is_err());
            prop_assert_ne!(commitment(&wrong), header.commitment);
        }
    }
}
