//! After a start: what the last segment holds, and cutting off what a crash left half-written.

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::JournalError;
use super::frame::{FRAME_LEN, HEAD_LEN, SECTOR, decode, end_batch, is_torn, resync_to, segment_head};
use super::index::SegmentIndex;
use super::segment::make_spare;

/// A segment whose end was found.
pub(super) struct Recovered {
    /// Its sound content, head included, if it can be written on; `None` if it is damaged and stays as it is.
    pub(super) content: Option<Vec<u8>>,
    /// Ordinal that the next entry gets.
    pub(super) next: u64,
    pub(super) index: SegmentIndex,
}

/// Reads the last segment and cuts off a torn tail. A segment in which something broken cannot be that, because a later batch
/// follows it or because no write that stopped half-way leaves such bytes, is left as it is, for reading around the damage;
/// the journal goes on in a new one.
pub(super) fn recover(path: &Path, first: u64, size: u64) -> Result<Recovered, JournalError> {
    let files = |error: std::io::Error| JournalError::Files(format!("{}: {error}", path.display()));
    let mut content = std::fs::read(path).map_err(files)?;
    let named = |what: &str| JournalError::Damaged(format!("{}: {what}", path.display()));
    if content.len() < HEAD_LEN {
        return Err(named("it is shorter than a segment can be"));
    }
    // No segment holds more entries than this; the bound keeps the search for sound entries short.
    let most = first + size / FRAME_LEN as u64;
    let has_head = content[..HEAD_LEN] == segment_head(first);
    if !has_head && is_unbegun(&content, first, most) {
        make_spare(path, size).map_err(files)?;
        return Ok(Recovered { content: Some(segment_head(first).to_vec()), next: first, index: SegmentIndex::new() });
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
    // Other entries of the same batch say nothing: only a later batch proves that this one was durable.
    let later = resync_to(&content, at, next + 1, most, |later| later.batch > batch);
    let torn = content[at..].iter().any(|byte| *byte != 0) || last.is_some_and(|(_, _, ended)| !ended);
    if !has_head || later.is_some() || (torn && !is_torn(&content, at)) {
        tracing::error!(segment = %path.display(), entry = next, "entries of the journal are damaged; they stay as they are");
        let (index, behind) = SegmentIndex::of(&content, first, most);
        if behind == first {
            return Err(named("nothing in it is sound"));
        }
        // A broken entry at the very end may have been acknowledged: its number is not given out again.
        let behind = if torn { behind.max(next + 1) } else { behind };
        return Ok(Recovered { content: None, next: behind, index });
    }
    if torn {
        // What is left of the last batch was never acknowledged. Its sound beginning stays, as a batch that ends there.
        tracing::warn!(segment = %path.display(), entry = next, "the last entries were half-written and are cut off");
        if let Some((start, length, false)) = last {
            end_batch(&mut content[start..], length);
        }
        content[at..].fill(0);
        let file = OpenOptions::new().write(true).open(path).map_err(files)?;
        file.write_all_at(&content, 0).and_then(|()| file.sync_all()).map_err(files)?;
    }
    content.truncate(at);
    Ok(Recovered { content: Some(content), next, index })
}

/// Whether a segment without a head was named, but its first write never arrived as a whole: then nothing in it was
/// acknowledged.
fn is_unbegun(content: &[u8], first: u64, most: u64) -> bool {
    let headless = content.iter().take(SECTOR).all(|byte| *byte == 0);
    headless && resync_to(content, HEAD_LEN, first, most, |frame| frame.batch > first).is_none()
}
