//! After a start: what the last segment holds, and cutting off what a crash left half-written.

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::JournalError;
use super::frame::{HEAD_LEN, decode, end_batch, resync, segment_head};
use super::index::SegmentIndex;

/// A segment whose end was found.
pub(super) struct Recovered {
    /// Its sound content, head included.
    pub(super) content: Vec<u8>,
    /// Ordinal that the next entry gets.
    pub(super) next: u64,
    pub(super) index: SegmentIndex,
}

/// Reads the last segment, cuts off a torn tail, and refuses one in which something sound follows something broken.
pub(super) fn recover(path: &Path, first: u64, size: u64) -> Result<Recovered, JournalError> {
    let files = |error: std::io::Error| JournalError::Files(format!("{}: {error}", path.display()));
    let mut content = std::fs::read(path).map_err(files)?;
    let named = |what: &str| JournalError::Damaged(format!("{}: {what}", path.display()));
    if content.len() as u64 != size && content.len() < HEAD_LEN {
        return Err(named("it is shorter than a segment can be"));
    }
    if content[..HEAD_LEN] != segment_head(first) {
        let never_begun = content.iter().all(|byte| *byte == 0) || torn_head(&content, first);
        return if never_begun { start_over(path, first, size) } else { Err(named("its head is damaged")) };
    }
    let mut index = SegmentIndex::new();
    let (mut at, mut next, mut batch, mut last) = (HEAD_LEN, first, first, None);
    while let Some(frame) = decode(&content[at..]).filter(|frame| frame.ordinal == next) {
        index.note(next, at, at + frame.len());
        last = Some((at, frame.len(), frame.batch_ends));
        batch = if frame.batch_ends { next + 1 } else { frame.batch };
        at += frame.len();
        next += 1;
    }
    if content[at..].iter().all(|byte| *byte == 0) && last.is_none_or(|(_, _, ended)| ended) {
        content.truncate(at);
        return Ok(Recovered { content, next, index });
    }
    if let Some((_, later)) = resync(&content, at, next + 1, u64::MAX).filter(|(_, later)| later.batch > batch) {
        return Err(named(&format!("entry {next} is damaged, and entry {} behind it is sound", later.ordinal)));
    }
    // What is left of the last batch was never acknowledged. Its sound beginning stays, as a batch that ends there.
    tracing::warn!(segment = %path.display(), entry = next, "the last entries were half-written and are cut off");
    if let Some((start, length, false)) = last {
        end_batch(&mut content[start..], length);
    }
    content[at..].fill(0);
    let file = OpenOptions::new().write(true).open(path).map_err(files)?;
    file.write_all_at(&content, 0).and_then(|()| file.sync_all()).map_err(files)?;
    content.truncate(at);
    Ok(Recovered { content, next, index })
}

/// Whether a head that does not fit can be a first write that was torn: then nothing behind it was ever acknowledged.
fn torn_head(content: &[u8], first: u64) -> bool {
    resync(content, HEAD_LEN, first, u64::MAX).is_none_or(|(_, frame)| frame.batch == first)
        && content[..HEAD_LEN].iter().all(|byte| *byte == 0)
}

/// The segment was named but its first batch never arrived.
fn start_over(path: &Path, first: u64, size: u64) -> Result<Recovered, JournalError> {
    let files = |error: std::io::Error| JournalError::Files(format!("{}: {error}", path.display()));
    super::segment::make_spare(path, size).map_err(files)?;
    Ok(Recovered { content: segment_head(first).to_vec(), next: first, index: SegmentIndex::new() })
}
