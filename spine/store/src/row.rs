//! Rows: what a stored version looks like outside and inside.

use std::cell::RefCell;
use std::sync::LazyLock;

use bytes::Bytes;
use iris_crypto::{Aad, SealingKey};
use iris_kernel::{Kind, RecordId, Seq, Tenant, Timestamp, Version};
use zeroize::Zeroizing;
use zstd::bulk::{Compressor, Decompressor};
use zstd::dict::{DecoderDictionary, EncoderDictionary};

use crate::backend::RawRow;
use crate::error::StoreError;
use crate::keys::{KeyId, KeyRing};
use crate::tx::TX_BYTES_MAX;

/// One version of one record, opened.
#[derive(Clone, PartialEq, Eq)]
pub struct Row {
    /// Position in the global order of changes.
    pub seq: Seq,
    /// Whose it is.
    pub tenant: Tenant,
    /// What sort of record.
    pub kind: Kind,
    /// Which record.
    pub record: RecordId,
    /// Which version of it.
    pub version: Version,
    /// When it was written.
    pub at: Timestamp,
    /// First row of the record's present life.
    pub born: Seq,
    /// Whether this version says that the record is deleted.
    pub deleted: bool,
    /// The head exactly as it was put: a few bytes of the upper layers' own (who wrote it, whose record it is), sealed with
    /// the body and readable without decompressing it.
    pub head: Bytes,
    /// The body exactly as it was put.
    pub body: Bytes,
}

impl std::fmt::Debug for Row {
    /// Shows what the database shows: neither head nor body.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Row { seq, tenant, kind, version, at, deleted, body, .. } = self;
        let body = body.len();
        write!(f, "Row({seq:?} {tenant:?} {kind:?} {version:?} at {at} deleted {deleted} body {body} bytes)")
    }
}

/// What a body is bound to: everything of its row but the sequence, which is not known when it is sealed. A body that is
/// moved to another row, or a row whose columns were changed, does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) tenant: Tenant,
    pub(crate) kind: Kind,
    pub(crate) record: RecordId,
    pub(crate) version: Version,
    pub(crate) at: Timestamp,
    /// `None` for the first row of a life, whose `born` is its own sequence.
    pub(crate) born: Option<Seq>,
    pub(crate) prev: Option<Seq>,
    pub(crate) deleted: bool,
    pub(crate) key: KeyId,
}

impl Place {
    fn aad(&self) -> Aad {
        let mut fixed = [0; 4 + 2 + 16 + 4 + 8 + 8 + 8 + 1 + 8];
        let fields: [&[u8]; 9] = [
            &self.tenant.0.to_be_bytes(),
            &self.kind.0.to_be_bytes(),
            &self.record.0,
            &self.version.0.to_be_bytes(),
            &self.at.0.to_be_bytes(),
            &self.born.map_or(0, |seq| seq.0).to_be_bytes(),
            &self.prev.map_or(0, |seq| seq.0).to_be_bytes(),
            &[u8::from(self.deleted)],
            &self.key.0.to_be_bytes(),
        ];
        let mut at = 0;
        for field in fields {
            fixed[at..at + field.len()].copy_from_slice(field);
            at += field.len();
        }
        Aad::new().bytes(b"row").bytes(&fixed)
    }

    /// Seals what [`pack`] made.
    pub(crate) fn seal(&self, key: &SealingKey, nonce: [u8; 12], packed: &[u8]) -> Vec<u8> {
        metrics::counter!("iris_encryption_operations_total", "operation" => "seal").increment(1);
        key.seal(nonce, &self.aad(), packed)
    }
}

impl RawRow {
    fn place(&self) -> Place {
        Place {
            tenant: self.tenant,
            kind: self.kind,
            record: self.record,
            version: self.version,
            at: self.at,
            born: (self.born != self.seq).then_some(self.born),
            prev: self.prev,
            deleted: self.deleted,
            key: self.key,
        }
    }

    /// Opens and unpacks the body.
    pub(crate) fn open(self, keys: &KeyRing) -> Result<Row, StoreError> {
        let damaged = |why: &dyn std::fmt::Display| StoreError::damaged(Some(self.seq), why.to_string());
        let key = match keys.by_id(self.key) {
            Err(StoreError::Damaged { what, .. }) => return Err(damaged(&what)),
            other => other?,
        };
        metrics::counter!("iris_encryption_operations_total", "operation" => "open").increment(1);
        let packed = key.open(&self.place().aad(), &self.body).map_err(|why| damaged(&why))?;
        let (head, body) = unpack(&packed).map_err(|why| damaged(&why))?;
        Ok(Row {
            seq: self.seq,
            tenant: self.tenant,
            kind: self.kind,
            record: self.record,
            version: self.version,
            at: self.at,
            born: self.born,
            deleted: self.deleted,
            head: Bytes::copy_from_slice(head),
            body: body.into(),
        })
    }
}

/// How a packed body is kept: as it is.
const FORMAT_PLAIN: u8 = 0;
/// How a packed body is kept: zstd with [`DICTIONARY_1`]. A new dictionary gets a new number; an old one is never changed,
/// because rows written with it must stay readable.
const FORMAT_DICTIONARY_1: u8 = 1;
/// Length byte of a head whose length follows in four bytes.
const LONG_HEAD: u8 = u8::MAX;
/// Text that resembles what we store; the most frequent parts stand last, where references to them are shortest.
static DICTIONARY_1: &[u8] = include_bytes!("dictionary.txt");
const LEVEL: i32 = 3;

static ENCODER: LazyLock<EncoderDictionary<'static>> = LazyLock::new(|| EncoderDictionary::copy(DICTIONARY_1, LEVEL));
static DECODER: LazyLock<DecoderDictionary<'static>> = LazyLock::new(|| DecoderDictionary::copy(DICTIONARY_1));

thread_local! {
    // A context costs more to make than a body to pack.
    static COMPRESSOR: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
    static DECOMPRESSOR: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
}

/// The clear text of a row's body: format byte, length of the head, head, compressed body.
pub(crate) fn pack(head: &[u8], body: &[u8]) -> Zeroizing<Vec<u8>> {
    let compressed = if body.is_empty() { None } else { compress(body) };
    let (format, payload) = match &compressed {
        Some(compressed) if compressed.len() < body.len() => (FORMAT_DICTIONARY_1, compressed.as_slice()),
        _ => (FORMAT_PLAIN, body),
    };
    let mut packed = Zeroizing::new(Vec::with_capacity(6 + head.len() + payload.len()));
    packed.push(format);
    match u8::try_from(head.len()) {
        Ok(length) if length < LONG_HEAD => packed.push(length),
        _ => {
            packed.push(LONG_HEAD);
            // `Tx` refuses heads above a mebibyte.
            packed.extend_from_slice(&u32::try_from(head.len()).unwrap_or(u32::MAX).to_le_bytes());
        }
    }
    packed.extend_from_slice(head);
    packed.extend_from_slice(payload);
    packed
}

/// Compresses, or gives up: a body that cannot be compressed is kept as it is.
fn compress(body: &[u8]) -> Option<Vec<u8>> {
    COMPRESSOR.with_borrow_mut(|slot| {
        if slot.is_none() {
            *slot = Compressor::with_prepared_dictionary(&ENCODER).ok();
        }
        slot.as_mut()?.compress(body).ok()
    })
}

fn unpack(packed: &[u8]) -> Result<(&[u8], Vec<u8>), String> {
    let cut = "the body is cut off";
    let (&[format, length], rest) = packed.split_first_chunk::<2>().ok_or(cut)?;
    let (length, rest) = if length == LONG_HEAD {
        let (length, rest) = rest.split_first_chunk::<4>().ok_or(cut)?;
        (u32::from_le_bytes(*length) as usize, rest)
    } else {
        (usize::from(length), rest)
    };
    let (head, payload) = rest.split_at_checked(length).ok_or(cut)?;
    match format {
        FORMAT_PLAIN => Ok((head, payload.to_vec())),
        FORMAT_DICTIONARY_1 => decompress(payload).map(|body| (head, body)),
        other => Err(format!("the body has the unknown format {other}")),
    }
}

fn decompress(payload: &[u8]) -> Result<Vec<u8>, String> {
    let size = zstd::zstd_safe::get_frame_content_size(payload).ok().flatten().ok_or("the body names no size")?;
    let size =
        usize::try_from(size).ok().filter(|&size| size <= TX_BYTES_MAX).ok_or("the body names an absurd size")?;
    DECOMPRESSOR.with_borrow_mut(|slot| {
        let decompressor = match slot {
            Some(made) => made,
            None => slot.insert(Decompressor::with_prepared_dictionary(&DECODER).map_err(|e| e.to_string())?),
        };
        decompressor.decompress(payload, size).map_err(|why| format!("the body does not unpack: {why}"))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_was_packed_unpacks(head in proptest::collection::vec(any::<u8>(), 0..600),
                                   body in proptest::collection::vec(any::<u8>(), 0..5000), times in 1_usize..20) {
            let body = body.repeat(times);
            let packed = pack(&head, &body);
            let (who, what) = unpack(&packed).unwrap();
            prop_assert_eq!(who, head);
            prop_assert_eq!(what, body);
        }
    }

    #[test]
    fn the_dictionary_helps() {
        let body = br#"{"resourceType":"Patient","id":"6f1c8c2e","meta":{"versionId":"1","lastUpdated":"2026-01-01T00:00:00.000Z"},"active":true,"name":[{"use":"official","family":"Abbott","given":["Ann"]}],"gender":"female","birthDate":"1970-01-01"}"#;
        assert!(pack(&[0; 16], body).len() < body.len() / 2, "{}", pack(&[0; 16], body).len());
    }
}
