//! How entries stand in a segment file.
//!
//! A segment begins with a head: magic (8), ordinal of its first entry (8), check (8), zeros (8). Then follow frames:
//! check (8), length of the payload with the end-of-batch bit (4), position in the batch (4), ordinal (8), payload. The rest
//! of the file is zeros. What one write call brought to the disk is a batch; the next call is made only when the one before
//! is durable. So a batch of which a part is unreadable is a torn tail if it is the last one, and damage if another follows.

use iris_crypto::sha256;

use crate::audit::AuditRow;

pub(super) const HEAD_LEN: usize = 32;
pub(super) const FRAME_LEN: usize = 24;
/// Longest payload of a frame: one audit entry.
pub(super) const PAYLOAD_MAX: usize = 1 << 20;
const MAGIC: &[u8; 8] = b"IRISJRN1";
const BATCH_ENDS: u32 = 1 << 31;
/// The least that a disk writes or does not write as a whole.
pub(super) const SECTOR: usize = 512;

/// The first bytes of a segment.
pub(super) fn segment_head(first: u64) -> [u8; HEAD_LEN] {
    let mut head = [0; HEAD_LEN];
    head[..8].copy_from_slice(MAGIC);
    head[8..16].copy_from_slice(&first.to_le_bytes());
    let check = sha256(&[&head[..16]]);
    head[16..24].copy_from_slice(&check[..8]);
    head
}

/// One entry found in a segment.
pub(super) struct Frame<'a> {
    pub(super) ordinal: u64,
    /// Ordinal of the first entry of its batch, which names the batch.
    pub(super) batch: u64,
    pub(super) batch_ends: bool,
    pub(super) payload: &'a [u8],
}

impl Frame<'_> {
    /// Bytes that it takes in the file.
    pub(super) fn len(&self) -> usize {
        FRAME_LEN + self.payload.len()
    }

    /// The entry inside.
    pub(super) fn row(&self) -> Option<AuditRow> {
        let (length, rest) = self.payload.split_first_chunk::<4>()?;
        let (header, details) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        Some(AuditRow { header: header.to_vec(), details: details.to_vec() })
    }
}

/// Bytes that a row takes in a segment; `None` if it is larger than an entry may be.
pub(super) fn frame_len(row: &AuditRow) -> Option<usize> {
    let payload = 4 + row.header.len() + row.details.len();
    (payload <= PAYLOAD_MAX).then_some(FRAME_LEN + payload)
}

/// Writes the frame of a row that [`frame_len`] has accepted.
pub(super) fn encode(out: &mut Vec<u8>, row: &AuditRow, ordinal: u64, batch: u64, batch_ends: bool) {
    let start = out.len();
    let length = u32::try_from(4 + row.header.len() + row.details.len()).unwrap_or(u32::MAX >> 1);
    let header_length = u32::try_from(row.header.len()).unwrap_or(u32::MAX >> 1);
    let index = u32::try_from(ordinal - batch).unwrap_or(u32::MAX);
    out.extend_from_slice(&[0; 8]);
    out.extend_from_slice(&(length | if batch_ends { BATCH_ENDS } else { 0 }).to_le_bytes());
    out.extend_from_slice(&index.to_le_bytes());
    out.extend_from_slice(&ordinal.to_le_bytes());
    out.extend_from_slice(&header_length.to_le_bytes());
    out.extend_from_slice(&row.header);
    out.extend_from_slice(&row.details);
    let check = sha256(&[&out[start + 8..]]);
    out[start..start + 8].copy_from_slice(&check[..8]);
}

/// Marks the frame at the start of `bytes` as the last of its batch.
pub(super) fn end_batch(bytes: &mut [u8], frame_len: usize) {
    bytes[11] |= 0x80;
    let check = sha256(&[&bytes[8..frame_len]]);
    bytes[..8].copy_from_slice(&check[..8]);
}

/// How long the frame at the start of `bytes` says that it is, sound or not.
fn claimed_len(bytes: &[u8]) -> Option<usize> {
    let length = u32::from_le_bytes(bytes.get(8..12)?.try_into().ok()?);
    let payload_len = (length & !BATCH_ENDS) as usize;
    (4..=PAYLOAD_MAX).contains(&payload_len).then_some(FRAME_LEN + payload_len)
}

/// Whether the frame at `at`, which is not sound, and what stands behind it can be what a write left that did not come to
/// its end. Such a write leaves whole sectors as they were before it, and behind the entries they were zeros: if there is no
/// such sector where the frame (or something behind it) stands, the disk had it all, and it was changed afterwards.
pub(super) fn is_torn(content: &[u8], at: usize) -> bool {
    let used = content.iter().rposition(|byte| *byte != 0).map_or(at, |last| last + 1);
    let claimed = claimed_len(&content[at..]).map_or(at, |length| at + length);
    if claimed > used && is_sound_but_for_length(&content[at..]) {
        return false;
    }
    let end = claimed.max(used).max(at + 1).min(content.len());
    let first = at - at % SECTOR;
    (first..end).step_by(SECTOR).any(|sector| {
        let part = content.get(sector.max(at)..(sector + SECTOR).min(content.len()));
        part.is_some_and(|part| part.iter().all(|byte| *byte == 0))
    })
}

/// Whether one flipped bit of its length is all that is wrong with a frame: then its end is not where it says.
fn is_sound_but_for_length(bytes: &[u8]) -> bool {
    (0..=PAYLOAD_MAX.ilog2() as usize).any(|bit| {
        let mut head = bytes.to_vec();
        if let Some(byte) = head.get_mut(8 + bit / 8) {
            *byte ^= 1 << (bit % 8);
        }
        decode(&head).is_some()
    })
}

/// The frame at the start of `bytes`, if there is a whole and sound one.
pub(super) fn decode(bytes: &[u8]) -> Option<Frame<'_>> {
    let head = bytes.first_chunk::<FRAME_LEN>()?;
    let word = |at: usize| head.get(at..at + 4)?.try_into().ok().map(u32::from_le_bytes);
    let length = word(8)?;
    let payload_len = claimed_len(bytes)? - FRAME_LEN;
    let ordinal = u64::from_le_bytes(head.get(16..24)?.try_into().ok()?);
    let batch = ordinal.checked_sub(u64::from(word(12)?))?;
    let payload = bytes.get(FRAME_LEN..FRAME_LEN + payload_len)?;
    let check = sha256(&[bytes.get(8..FRAME_LEN + payload_len)?]);
    (check[..8] == head[..8]).then_some(Frame { ordinal, batch, batch_ends: length & BATCH_ENDS != 0, payload })
}

/// The next sound frame at or after `from`, wherever it begins, with an ordinal from `least` to below `below`.
pub(super) fn resync(bytes: &[u8], from: usize, least: u64, below: u64) -> Option<(usize, Frame<'_>)> {
    resync_to(bytes, from, least, below, |_| true)
}

/// As [`resync`], but the next one that is `wanted`; sound ones before it that are not are passed over.
pub(super) fn resync_to(
    bytes: &[u8],
    from: usize,
    least: u64,
    below: u64,
    wanted: impl Fn(&Frame<'_>) -> bool,
) -> Option<(usize, Frame<'_>)> {
    (from..bytes.len().saturating_sub(FRAME_LEN)).find_map(|at| {
        let ordinal = bytes.get(at + 16..at + 24)?.try_into().ok().map(u64::from_le_bytes)?;
        // The ordinal is looked at first: hashing at every offset would take minutes.
        let frame = (least..below).contains(&ordinal).then(|| decode(&bytes[at..])).flatten()?;
        wanted(&frame).then_some((at, frame))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_was_encoded_decodes(header in proptest::collection::vec(any::<u8>(), 0..300),
                                    details in proptest::collection::vec(any::<u8>(), 0..300),
                                    batch in 0_u64..1 << 40, index in 0_u64..1000, ends: bool) {
            let row = AuditRow { header, details };
            let mut bytes = Vec::new();
            encode(&mut bytes, &row, batch + index, batch, ends);
            prop_assert_eq!(Some(bytes.len()), frame_len(&row));
            let frame = decode(&bytes).unwrap();
            prop_assert_eq!(frame.row().unwrap(), row);
            prop_assert_eq!((frame.ordinal, frame.batch, frame.batch_ends), (batch + index, batch, ends));
        }

        #[test]
        fn every_flipped_bit_is_seen(at: prop::sample::Index, bit in 0_u8..8) {
            let row = AuditRow { header: vec![1; 40], details: vec![2; 60] };
            let mut bytes = Vec::new();
            encode(&mut bytes, &row, 7, 5, true);
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            prop_assert!(decode(&bytes).is_none());
        }
    }

    #[test]
    fn the_end_can_be_marked_later_and_frames_are_found_anywhere() {
        let row = AuditRow { header: vec![1; 40], details: Vec::new() };
        let mut bytes = vec![0xEE; 13];
        encode(&mut bytes, &row, 7, 5, false);
        let length = bytes.len() - 13;
        end_batch(&mut bytes[13..], length);
        assert!(decode(&bytes[13..]).unwrap().batch_ends);
        let (at, frame) =
            resync(&[bytes.clone(), vec![0; 64]].concat(), 0, 0, 8).map(|(at, f)| (at, f.ordinal)).unwrap();
        assert_eq!((at, frame), (13, 7));
        assert!(resync(&bytes, 0, 8, 100).is_none());
    }
}
