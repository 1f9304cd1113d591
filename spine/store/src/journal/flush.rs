//! The flush thread: takes what waits, writes it behind the last entries, then answers.

use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::frame::{encode, frame_len};
use super::index::SegmentIndex;
use super::segment::{Active, is_full, path_of};
use super::spare::Spare;
use super::{JournalError, Shared, Waiting};
use crate::audit::AuditRow;

/// Most bytes in one write call.
const WRITE_BYTES_MAX: usize = 4 << 20;

pub(super) struct Flush {
    shared: Arc<Shared>,
    spare: Spare,
    active: Option<Active>,
    /// Size of new segments.
    size: u64,
    /// Ordinal of the next entry.
    next: u64,
    frames: Vec<u8>,
}

/// Refuses everybody who waits, whenever the thread ends and however it does.
struct Ending(Arc<Shared>);

impl Drop for Ending {
    fn drop(&mut self) {
        let (waiting, why) = {
            let mut queue = self.0.queue.lock();
            let why = queue.ended.get_or_insert_with(JournalError::stopped).clone();
            (std::mem::take(&mut queue.waiting), why)
        };
        for Waiting { reply, .. } in waiting {
            reply(Err(why.clone()));
        }
    }
}

impl Flush {
    pub(super) fn new(shared: Arc<Shared>, spare: Spare, active: Option<Active>, size: u64) -> Self {
        let next = shared.head.load(Ordering::Acquire);
        Self { shared, spare, active, size, next, frames: Vec::new() }
    }

    /// Until the journal is closed or a write fails.
    pub(super) fn run(mut self) {
        let _ending = Ending(Arc::clone(&self.shared));
        while let Some(group) = self.group() {
            let mut rows = Vec::new();
            let mut callers = Vec::with_capacity(group.len());
            for Waiting { rows: own, reply } in group {
                rows.extend(own);
                callers.push((rows.len(), reply));
            }
            let (written, outcome) = self.write(&rows);
            if let Err(failed @ JournalError::Failed(_)) = &outcome {
                tracing::error!(%failed, "the journal is closed until the next start");
                self.shared.queue.lock().ended = Some(failed.clone());
            }
            let failed = matches!(outcome, Err(JournalError::Failed(_)));
            for (end, reply) in callers {
                // Those whose entries are all durable have nothing to do with the failure of the others.
                reply(if end <= written { Ok(()) } else { outcome.clone() });
            }
            if failed {
                return;
            }
        }
    }

    fn group(&self) -> Option<Vec<Waiting>> {
        let mut queue = self.shared.queue.lock();
        while queue.waiting.is_empty() {
            if queue.ended.is_some() {
                return None;
            }
            self.shared.arrived.wait(&mut queue);
        }
        queue.bytes = 0;
        Some(std::mem::take(&mut queue.waiting))
    }

    /// Writes rows; says how many of them are durable, and what stopped the others.
    fn write(&mut self, rows: &[AuditRow]) -> (usize, Result<(), JournalError>) {
        let mut done = 0;
        while done < rows.len() {
            match self.write_some(&rows[done..]) {
                Ok(count) => done += count,
                Err(error) => return (done, Err(error)),
            }
        }
        (done, Ok(()))
    }

    /// Writes one batch: as many rows as fit in the segment and in one call.
    fn write_some(&mut self, rows: &[AuditRow]) -> Result<usize, JournalError> {
        let needed = rows.first().and_then(frame_len).unwrap_or(0) as u64;
        let mut active = match self.active.take() {
            Some(active) if active.room() >= needed => active,
            full => match self.begin() {
                Ok(active) => active,
                Err(error) => {
                    self.active = full;
                    return Err(error);
                }
            },
        };
        let room = usize::try_from(active.room()).unwrap_or(usize::MAX).min(WRITE_BYTES_MAX);
        let (mut count, mut bytes) = (0, 0);
        for row in rows {
            let length = frame_len(row).unwrap_or(0);
            if count > 0 && bytes + length > room {
                break;
            }
            bytes += length;
            count += 1;
        }
        self.frames.clear();
        let base = usize::try_from(active.position()).unwrap_or(usize::MAX);
        let mut places = Vec::with_capacity(count);
        for (ordinal, row) in (self.next..).zip(&rows[..count]) {
            let start = self.frames.len();
            encode(&mut self.frames, row, ordinal, self.next, ordinal + 1 == self.next + count as u64);
            places.push((ordinal, base + start, base + self.frames.len()));
        }
        let result = active.append(&self.frames);
        if active.is_half_full() {
            self.spare.want();
        }
        self.active = Some(active);
        // A write that failed is not tried again: what the disk holds of it is uncertain.
        result.map_err(|error| JournalError::Failed(error.to_string()))?;
        self.publish(&places);
        Ok(count)
    }

    /// Makes entries that are durable visible to readers.
    fn publish(&mut self, places: &[(u64, usize, usize)]) {
        let mut segments = self.shared.segments.lock();
        if let Some(mut last) = segments.last_entry() {
            let index = last.get_mut().get_or_insert_with(SegmentIndex::new);
            for (ordinal, start, end) in places {
                index.note(*ordinal, *start, *end);
            }
        }
        drop(segments);
        self.next += places.len() as u64;
        self.shared.head.store(self.next, Ordering::Release);
    }

    /// Begins the next segment. If there is no room for one, or no file can be opened, nothing is lost and it can be tried
    /// again; only a folder that does not flush ends the journal.
    fn begin(&self) -> Result<Active, JournalError> {
        let fault = |error: std::io::Error| match is_full(&error) {
            true => JournalError::StorageFull,
            false => JournalError::Files(format!("the next segment: {error}")),
        };
        let spare = self.spare.take().map_err(fault)?;
        // All that needs a file descriptor comes before the new name.
        let active = Active::begin(spare, self.size, self.next).map_err(fault)?;
        let folder = File::open(&self.shared.folder).map_err(fault)?;
        std::fs::rename(spare, path_of(&self.shared.folder, self.next)).map_err(fault)?;
        folder.sync_all().map_err(|error| JournalError::Failed(error.to_string()))?;
        self.shared.segments.lock().insert(self.next, Some(SegmentIndex::new()));
        Ok(active)
    }
}
