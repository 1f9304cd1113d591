//! Where in a segment an entry begins: every so many entries the place is noted, the rest is found by walking.

use super::frame::{HEAD_LEN, decode, resync};

/// An entry out of so many is noted.
const EVERY: u64 = 64;

/// The noted places of one segment.
#[derive(Clone, Default)]
pub(super) struct SegmentIndex {
    /// Ordinal and offset, ascending in both.
    marks: Vec<(u64, usize)>,
    /// Offset behind the last entry.
    end: usize,
}

impl SegmentIndex {
    pub(super) const fn new() -> Self {
        Self { marks: Vec::new(), end: HEAD_LEN }
    }

    /// Notes an entry that begins at `offset` and ends before `end`.
    pub(super) fn note(&mut self, ordinal: u64, offset: usize, end: usize) {
        if self.marks.last().is_none_or(|(noted, _)| ordinal >= noted + EVERY) {
            self.marks.push((ordinal, offset));
        }
        self.end = end;
    }

    /// The index of a whole segment with the entries from `first` to below `below`, and the ordinal behind its last sound
    /// entry. What is damaged in it is walked around.
    pub(super) fn of(content: &[u8], first: u64, below: u64) -> (Self, u64) {
        let mut index = Self::new();
        let (mut at, mut next) = (HEAD_LEN, first);
        while next < below {
            let sound = content.get(at..).and_then(decode).filter(|frame| frame.ordinal == next);
            let found = sound.map(|frame| (at, frame)).or_else(|| resync(content, at, next, below));
            let Some((place, frame)) = found else { break };
            index.note(frame.ordinal, place, place + frame.len());
            at = place + frame.len();
            next = frame.ordinal + 1;
        }
        (index, next)
    }

    /// Where to start walking for an entry, and where the walk ends at the latest: at the second mark after it.
    pub(super) fn window(&self, ordinal: u64) -> (usize, usize) {
        let behind = self.marks.partition_point(|(noted, _)| *noted <= ordinal);
        let start = behind.checked_sub(1).and_then(|at| self.marks.get(at)).map_or(HEAD_LEN, |(_, offset)| *offset);
        let end = self.marks.get(behind).map_or(self.end, |(_, offset)| *offset);
        (start, end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_holds_its_entry() {
        let mut index = SegmentIndex::new();
        for ordinal in 100..400_u64 {
            let offset = HEAD_LEN + usize::try_from(ordinal - 100).unwrap() * 10;
            index.note(ordinal, offset, offset + 10);
        }
        for ordinal in 100..400_u64 {
            let offset = HEAD_LEN + usize::try_from(ordinal - 100).unwrap() * 10;
            let (start, end) = index.window(ordinal);
            assert!(start <= offset && offset + 10 <= end && end - start <= 640);
        }
    }
}
