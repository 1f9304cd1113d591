//! The journal of reads: append-only segment files with a flush thread of their own, so that no read ever waits for the
//! store's writer (architecture §6). While one batch is being flushed the next one fills.

mod flush;
mod frame;
mod index;
mod recover;
mod segment;
mod spare;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs::{DirBuilder, File};
use std::os::unix::fs::{DirBuilderExt, FileExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;

use parking_lot::{Condvar, Mutex};

use crate::audit::AuditRow;
use crate::error::StoreError;
use crate::figures::files;
use index::SegmentIndex;

/// Most bytes of entries that may wait for the flush thread.
const WAITING_BYTES_MAX: usize = 64 << 20;
/// Segments whose index is kept in memory (some 4 KiB each).
const INDEXES_MAX: usize = 1_024;

/// Why entries are not durable, or cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JournalError {
    /// An earlier write or flush failed; what the disk holds is uncertain until the next start.
    #[error("the journal has failed: {0}")]
    Failed(String),
    /// There is no room for another segment. Appending works again when there is.
    #[error("the disk is full")]
    StorageFull,
    /// More is waiting than may wait.
    #[error("the journal is overloaded")]
    Overloaded,
    /// An entry is larger than 1 MiB.
    #[error("an audit entry is too large")]
    TooLarge,
    /// What is stored does not fit.
    #[error("the journal is damaged: {0}")]
    Damaged(String),
    /// The files cannot be used. Appending works again when they can.
    #[error("the journal's files cannot be used: {0}")]
    Files(String),
    /// The database does not answer. Appending works again when it does; the entries may be there.
    #[error("the audit log cannot be written: {0}")]
    Away(String),
}

impl JournalError {
    pub(crate) fn stopped() -> Self {
        Self::Failed("it has been closed".into())
    }
}

impl From<JournalError> for StoreError {
    fn from(error: JournalError) -> Self {
        match error {
            JournalError::Damaged(_) => Self::damaged(None, error.to_string()),
            _ => Self::Unavailable(error.to_string()),
        }
    }
}

type Reply = Box<dyn FnOnce(Result<(), JournalError>) + Send>;

/// What one call of `append` brought.
struct Waiting {
    rows: Vec<AuditRow>,
    reply: Reply,
}

#[derive(Default)]
struct Queue {
    waiting: Vec<Waiting>,
    bytes: usize,
    /// Why nothing is taken in any more.
    ended: Option<JournalError>,
}

/// What callers and the flush thread share.
struct Shared {
    folder: PathBuf,
    queue: Mutex<Queue>,
    arrived: Condvar,
    /// Number of durable entries.
    head: AtomicU64,
    /// All segments by their first ordinal, with their index as far as it is known.
    segments: Mutex<BTreeMap<u64, Option<SegmentIndex>>>,
}

/// The journal. Entries count from 0 without a gap.
pub(crate) struct FileJournal {
    shared: Arc<Shared>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl FileJournal {
    /// Opens the journal of a folder, or makes it.
    pub(crate) fn open(folder: &Path, segment_bytes: u64) -> Result<Self, JournalError> {
        let files = |error: std::io::Error| JournalError::Files(format!("{}: {error}", folder.display()));
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(files)?;
        folder.parent().map_or(Ok(()), segment::sync_folder).map_err(files)?;
        let size = segment_bytes.max(2 * (frame::PAYLOAD_MAX as u64)).next_multiple_of(segment::BLOCK as u64);
        let firsts = segment::list(folder).map_err(files)?;
        let mut segments: BTreeMap<u64, Option<SegmentIndex>> = firsts.iter().map(|first| (*first, None)).collect();
        let (mut head, mut active) = (0, None);
        if let Some(&last) = firsts.last() {
            let path = segment::path_of(folder, last);
            let length = std::fs::metadata(&path).map_err(files)?.len();
            let recovered = recover::recover(&path, last, length)?;
            head = recovered.next;
            if let Some(content) = &recovered.content {
                active = Some(segment::Active::resume(&path, length, content).map_err(files)?);
            }
            segments.insert(last, Some(recovered.index));
        }
        let shared = Arc::new(Shared {
            folder: folder.to_owned(),
            queue: Mutex::default(),
            arrived: Condvar::new(),
            head: AtomicU64::new(head),
            segments: Mutex::new(segments),
        });
        let (spare, spare_thread) = spare::Spare::start(folder, size).map_err(files)?;
        let flush = flush::Flush::new(Arc::clone(&shared), spare, active, size);
        let thread = std::thread::Builder::new().name("journal-flush".into()).spawn(move || flush.run());
        let threads = Mutex::new(vec![thread.map_err(files)?, spare_thread]);
        Ok(Self { shared, threads })
    }

    /// Takes entries in; `reply` is called when they are durable, or known not to be.
    pub(crate) fn submit(&self, rows: Vec<AuditRow>, reply: Reply) {
        let lengths: Option<Vec<usize>> = rows.iter().map(frame::frame_len).collect();
        let Some(lengths) = lengths else { return reply(Err(JournalError::TooLarge)) };
        let bytes: usize = lengths.iter().sum();
        let mut queue = self.shared.queue.lock();
        let refusal = match &queue.ended {
            Some(error) => error.clone(),
            None if queue.bytes + bytes > WAITING_BYTES_MAX => JournalError::Overloaded,
            None => {
                queue.bytes += bytes;
                queue.waiting.push(Waiting { rows, reply });
                drop(queue);
                self.shared.arrived.notify_one();
                return;
            }
        };
        drop(queue);
        reply(Err(refusal));
    }

    /// Number of durable entries: the ordinal that the next one gets.
    pub(crate) fn head(&self) -> u64 {
        self.shared.head.load(Ordering::Acquire)
    }

    /// Bytes of the files.
    pub(crate) fn bytes(&self) -> Result<u64, JournalError> {
        files(&self.shared.folder, "").map_err(|error| JournalError::Files(error.to_string()))
    }

    /// Whether nothing is taken in any more until the next start: the journal was closed, or a write or flush failed. Takes
    /// a lock for an instant and touches no file.
    pub(crate) fn ended(&self) -> bool {
        self.shared.queue.lock().ended.is_some()
    }

    /// Durable entries from an ordinal on, with their ordinals, at most `limit`.
    ///
    /// # Errors
    /// [`JournalError::Damaged`] names the first entry in the range that is not sound; the ones around it can still be read.
    pub(crate) fn rows(&self, from: u64, limit: usize) -> Result<Vec<(u64, AuditRow)>, JournalError> {
        let below = self.head().min(from.saturating_add(limit as u64));
        let mut rows = Vec::new();
        let mut next = from;
        while next < below {
            let before = rows.len();
            self.read_window(next, below, &mut rows)?;
            if rows.len() == before {
                return Err(JournalError::Damaged(format!("entry {next} is missing")));
            }
            next = rows.last().map_or(below, |(ordinal, _)| ordinal + 1);
        }
        Ok(rows)
    }

    /// Reads from `next` to the next mark of the index, or to `below`.
    fn read_window(&self, next: u64, below: u64, rows: &mut Vec<(u64, AuditRow)>) -> Result<(), JournalError> {
        let (first, start, end) = self.place_of(next)?;
        let path = segment::path_of(&self.shared.folder, first);
        let files = |error: std::io::Error| JournalError::Files(format!("{}: {error}", path.display()));
        let mut bytes = vec![0; end - start];
        File::open(&path).and_then(|file| file.read_exact_at(&mut bytes, start as u64)).map_err(files)?;
        let (mut at, mut wanted) = (0, next);
        while wanted < below && at < bytes.len() {
            let damaged = || JournalError::Damaged(format!("entry {wanted} is not sound"));
            let frame = match frame::decode(&bytes[at..]) {
                Some(frame) if frame.ordinal <= wanted => frame,
                _ => {
                    let (place, frame) = frame::resync(&bytes, at, next, wanted + 1).ok_or_else(damaged)?;
                    at = place;
                    frame
                }
            };
            at += frame.len();
            if frame.ordinal == wanted {
                rows.push((wanted, frame.row().ok_or_else(damaged)?));
                wanted += 1;
            }
        }
        Ok(())
    }

    /// The segment that holds an entry, and the part of its file to look in.
    fn place_of(&self, ordinal: u64) -> Result<(u64, usize, usize), JournalError> {
        let missing = || JournalError::Damaged(format!("the segment with entry {ordinal} is missing"));
        let (first, below) = {
            let segments = self.shared.segments.lock();
            let (&first, known) = segments.range(..=ordinal).next_back().ok_or_else(missing)?;
            if let Some(known) = known {
                let (start, end) = known.window(ordinal);
                return Ok((first, start, end));
            }
            (first, segments.range(ordinal + 1..).next().map_or(u64::MAX, |(first, _)| *first))
        };
        // Outside the lock: the flush thread must not wait for 16 MB to be read.
        let path = segment::path_of(&self.shared.folder, first);
        let content = std::fs::read(&path).map_err(|e| JournalError::Files(format!("{}: {e}", path.display())))?;
        let (index, _) = SegmentIndex::of(&content, first, below);
        let (start, end) = index.window(ordinal);
        let mut segments = self.shared.segments.lock();
        let last = segments.last_key_value().map(|(first, _)| *first);
        if segments.values().filter(|index| index.is_some()).count() >= INDEXES_MAX {
            segments.iter_mut().filter(|(first, _)| Some(**first) != last).for_each(|(_, index)| *index = None);
        }
        segments.insert(first, Some(index));
        Ok((first, start, end))
    }

    /// Writes what waits, refuses everything later and ends the threads.
    pub(crate) fn close(&self) {
        self.shared.queue.lock().ended.get_or_insert_with(JournalError::stopped);
        self.shared.arrived.notify_all();
        for thread in std::mem::take(&mut *self.threads.lock()) {
            if thread.join().is_err() {
                tracing::error!("a thread of the journal has panicked");
            }
        }
    }
}

impl Drop for FileJournal {
    fn drop(&mut self) {
        self.close();
    }
}
