//! Segment files: made of zeros beforehand, written around the page cache where the file system allows, read through it.

use std::fs::{File, OpenOptions};
use std::io::{Error, ErrorKind, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use super::frame::{HEAD_LEN, segment_head};

/// Direct writes go in whole blocks of this size, at multiples of it, from memory at multiples of it.
pub(super) const BLOCK: usize = 4_096;

/// The file of the segment that begins with this ordinal.
pub(super) fn path_of(folder: &Path, first: u64) -> PathBuf {
    folder.join(format!("{first:020}.seg"))
}

/// The first ordinals of all segments in the folder, ascending.
pub(super) fn list(folder: &Path) -> std::io::Result<Vec<u64>> {
    let mut firsts = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let name = entry?.file_name();
        let first = name.to_str().and_then(|name| name.strip_suffix(".seg")).and_then(|name| name.parse::<u64>().ok());
        firsts.extend(first);
    }
    firsts.sort_unstable();
    Ok(firsts)
}

/// What is made durable at a time of a file of zeros.
const SPARE_STEP: usize = 128 * 1024;

/// Makes a file of zeros. They are really written: then a later write changes no metadata, and one flush is one flush. Each
/// step is flushed by itself: entries that are written meanwhile wait for one step at most, not for the whole file.
pub(super) fn make_spare(path: &Path, bytes: u64) -> std::io::Result<()> {
    let mut file = OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(path)?;
    let zeros = vec![0; SPARE_STEP];
    let mut left = bytes;
    while left > 0 {
        let part = left.min(zeros.len() as u64);
        file.write_all(&zeros[..usize::try_from(part).unwrap_or(zeros.len())])?;
        file.sync_data()?;
        left -= part;
    }
    file.sync_all()
}

/// Flushes the folder, so that a new name in it is durable.
pub(super) fn sync_folder(folder: &Path) -> std::io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Whether an error says that there is no room.
pub(super) fn is_full(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge)
}

/// The segment that is being written.
pub(super) struct Active {
    file: File,
    size: u64,
    /// Where the next frame goes.
    position: u64,
    /// What the last, partly filled block holds already: it is written again with every batch until it is full.
    tail: Vec<u8>,
    buffer: Aligned,
}

impl Active {
    /// A new segment in a file of zeros.
    pub(super) fn begin(path: &Path, size: u64, first: u64) -> std::io::Result<Self> {
        let tail = segment_head(first).to_vec();
        Ok(Self { file: open_durable(path)?, size, position: HEAD_LEN as u64, tail, buffer: Aligned::default() })
    }

    /// Goes on in a segment whose content up to `position` is `content`.
    pub(super) fn resume(path: &Path, size: u64, content: &[u8]) -> std::io::Result<Self> {
        let tail = content[content.len() - content.len() % BLOCK..].to_vec();
        Ok(Self { file: open_durable(path)?, size, position: content.len() as u64, tail, buffer: Aligned::default() })
    }

    pub(super) const fn position(&self) -> u64 {
        self.position
    }

    pub(super) const fn room(&self) -> u64 {
        self.size.saturating_sub(self.position)
    }

    pub(super) const fn is_half_full(&self) -> bool {
        self.position > self.size / 2
    }

    /// Writes frames behind the last ones; durable when it returns.
    pub(super) fn append(&mut self, frames: &[u8]) -> std::io::Result<()> {
        let start = self.position - self.tail.len() as u64;
        let used = self.tail.len() + frames.len();
        let block = self.buffer.slice(used.next_multiple_of(BLOCK));
        block[..self.tail.len()].copy_from_slice(&self.tail);
        block[self.tail.len()..used].copy_from_slice(frames);
        block[used..].fill(0);
        self.file.write_all_at(block, start)?;
        self.position += frames.len() as u64;
        let whole = used - used % BLOCK;
        let tail = block[whole..used].to_vec();
        self.tail = tail;
        Ok(())
    }
}

/// Opens a file so that a write is durable when it returns: around the page cache if the file system can, through it if not.
fn open_durable(path: &Path) -> std::io::Result<File> {
    let open = |flags: OFlags| {
        let flags = i32::try_from(flags.bits()).unwrap_or(0);
        OpenOptions::new().read(true).write(true).custom_flags(flags).open(path)
    };
    let direct = open(OFlags::DIRECT | OFlags::DSYNC);
    if let Ok(file) = direct {
        // Some file systems accept the flag and refuse the first write: try with the block that is there already.
        let mut probe = Aligned::default();
        let block = probe.slice(BLOCK);
        if file.read_exact_at(block, 0).and_then(|()| file.write_all_at(block, 0)).is_ok() {
            return Ok(file);
        }
    }
    open(OFlags::DSYNC)
}

/// Memory that begins at a multiple of [`BLOCK`].
#[derive(Default)]
struct Aligned(Vec<u8>);

impl Aligned {
    fn slice(&mut self, length: usize) -> &mut [u8] {
        if self.0.len() < length + BLOCK {
            self.0 = vec![0; length + BLOCK];
        }
        let start = self.0.as_ptr().align_offset(BLOCK).min(BLOCK);
        &mut self.0[start..start + length]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn appends_land_one_behind_the_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        make_spare(&path, 64 * 1024).unwrap();
        let mut active = Active::begin(&path, 64 * 1024, 9).unwrap();
        let mut expected = segment_head(9).to_vec();
        for length in [1, 100, 4_000, 4_096, 9_000, 3] {
            let frames = vec![u8::try_from(length % 251).unwrap(); length];
            active.append(&frames).unwrap();
            expected.extend_from_slice(&frames);
        }
        let content = std::fs::read(&path).unwrap();
        assert_eq!(content.len(), 64 * 1024);
        assert_eq!(&content[..expected.len()], expected);
        assert!(content[expected.len()..].iter().all(|byte| *byte == 0));
        let mut active = Active::resume(&path, 64 * 1024, &expected).unwrap();
        active.append(b"more").unwrap();
        expected.extend_from_slice(b"more");
        assert_eq!(&std::fs::read(&path).unwrap()[..expected.len()], expected);
    }
}
