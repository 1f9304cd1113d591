//! Reading and writing one sealed file.

use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use iris_crypto::SealingKey;
use iris_crypto::seal::{Aad, LastChunk, OVERHEAD};
use iris_kernel::Entropy;
use parking_lot::Mutex;
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use tantivy::HasLen;
use tantivy::directory::{AntiCallToken, FileHandle, OwnedBytes, TerminatingWrite};

use super::{CACHED_SPAN_MAX, CHUNK_BYTES};

/// Whether every chunk read so far was whole.
#[derive(Debug, Default)]
pub(crate) struct Health {
    damaged: AtomicBool,
    first: Mutex<Option<String>>,
}

impl Health {
    /// Notes damage; the first report is the one that is kept.
    pub(crate) fn report(&self, what: &str) {
        let mut first = self.first.lock();
        if first.is_none() {
            *first = Some(what.to_owned());
        }
        self.damaged.store(true, Ordering::Release);
    }

    /// What was found damaged first.
    pub(crate) fn damage(&self) -> Option<String> {
        if self.damaged.load(Ordering::Acquire) { self.first.lock().clone() } else { None }
    }
}

/// Opened chunks by (file, number).
pub(super) type ChunkCache = Cache<(u64, u64), OwnedBytes, ChunkWeight>;

/// Weighs a chunk by its bytes.
#[derive(Clone)]
pub(super) struct ChunkWeight;

impl Weighter<(u64, u64), OwnedBytes> for ChunkWeight {
    fn weight(&self, _: &(u64, u64), chunk: &OwnedBytes) -> u64 {
        chunk.len() as u64
    }
}

/// An open sealed file. It stays readable after its name is gone.
pub(super) struct SealedFile {
    content: Content,
    name: String,
    number: u64,
    clear_len: usize,
    chunks: u64,
    key: Arc<SealingKey>,
    cache: Arc<ChunkCache>,
    health: Arc<Health>,
}

/// Where the bytes of a file are.
enum Content {
    /// Sealed, on the disk.
    Disk(File),
    /// Opened: the one chunk of a small file.
    Memory(OwnedBytes),
}

impl fmt::Debug for SealedFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealedFile({})", self.name)
    }
}

impl SealedFile {
    /// Opens `file`, whose content is bound to `name`; `number` tells open files apart in the cache.
    pub(super) fn open(
        file: File,
        name: String,
        number: u64,
        key: Arc<SealingKey>,
        cache: Arc<ChunkCache>,
        health: Arc<Health>,
    ) -> io::Result<Self> {
        let sealed_len = file.metadata()?.len();
        let Some((chunks, clear_len)) = clear_len(sealed_len) else {
            health.report(&format!("{name} has an impossible length"));
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a sealed file of an impossible length"));
        };
        Ok(Self { content: Content::Disk(file), name, number, clear_len, chunks, key, cache, health })
    }

    /// Takes a file of one chunk into memory. Most files of small segments are such, and a process has few file handles.
    pub(super) fn settled(mut self) -> io::Result<Self> {
        if self.chunks == 1 {
            self.content = Content::Memory(OwnedBytes::new(self.read_chunk(0)?));
        }
        Ok(self)
    }

    /// Everything, past the cache.
    pub(super) fn read_all(&self) -> io::Result<OwnedBytes> {
        let mut out = Vec::with_capacity(self.clear_len);
        for number in 0..self.chunks {
            out.extend_from_slice(&self.read_chunk(number)?);
        }
        Ok(OwnedBytes::new(out))
    }

    /// One chunk, through the cache.
    fn chunk(&self, number: u64) -> io::Result<OwnedBytes> {
        if let Content::Memory(bytes) = &self.content {
            return Ok(bytes.clone());
        }
        if let Some(found) = self.cache.get(&(self.number, number)) {
            return Ok(found);
        }
        let chunk = OwnedBytes::new(self.read_chunk(number)?);
        self.cache.insert((self.number, number), chunk.clone());
        Ok(chunk)
    }

    /// One chunk, from the disk.
    fn read_chunk(&self, number: u64) -> io::Result<Vec<u8>> {
        let file = match &self.content {
            Content::Disk(file) => file,
            Content::Memory(bytes) => return Ok(bytes.as_slice().to_vec()),
        };
        let is_last = number + 1 == self.chunks;
        let clear_bytes = if is_last { self.clear_len - number as usize * CHUNK_BYTES } else { CHUNK_BYTES };
        let mut sealed = vec![0; clear_bytes + OVERHEAD];
        file.read_exact_at(&mut sealed, number * (CHUNK_BYTES + OVERHEAD) as u64).inspect_err(|error| {
            self.health.report(&format!("chunk {number} of {} cannot be read: {error}", self.name));
        })?;
        let aad = Aad::chunk(self.name.as_bytes(), number, last_chunk(is_last));
        self.key.open(&aad, &sealed).map_err(|error| {
            let what = format!("chunk {number} of {}: {error}", self.name);
            self.health.report(&what);
            io::Error::new(io::ErrorKind::InvalidData, what)
        })
    }
}

impl HasLen for SealedFile {
    fn len(&self) -> usize {
        self.clear_len
    }
}

impl FileHandle for SealedFile {
    fn read_bytes(&self, range: Range<usize>) -> io::Result<OwnedBytes> {
        if range.end > self.clear_len || range.start > range.end {
            self.health.report(&format!("a read beyond the end of {}", self.name));
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a read beyond the end of a sealed file"));
        }
        if range.is_empty() {
            return Ok(OwnedBytes::empty());
        }
        let (first, last) = (range.start / CHUNK_BYTES, (range.end - 1) / CHUNK_BYTES);
        if first == last {
            let base = first * CHUNK_BYTES;
            return Ok(self.chunk(first as u64)?.slice(range.start - base..range.end - base));
        }
        let is_bulk = last - first >= CACHED_SPAN_MAX;
        let mut out = Vec::with_capacity(range.len());
        for number in first..=last {
            let base = number * CHUNK_BYTES;
            let from = range.start.saturating_sub(base);
            let to = (range.end - base).min(CHUNK_BYTES);
            if is_bulk {
                out.extend_from_slice(&self.read_chunk(number as u64)?[from..to]);
            } else {
                out.extend_from_slice(&self.chunk(number as u64)?[from..to]);
            }
        }
        Ok(OwnedBytes::new(out))
    }
}

/// Writes one sealed file, chunk by chunk. Without `terminate` the last chunk is missing and the file does not open.
pub(super) struct SealedWriter {
    file: File,
    name: String,
    number: u64,
    pending: Vec<u8>,
    key: Arc<SealingKey>,
    entropy: Arc<dyn Entropy>,
}

impl SealedWriter {
    pub(super) fn new(file: File, name: String, key: Arc<SealingKey>, entropy: Arc<dyn Entropy>) -> Self {
        Self { file, name, number: 0, pending: Vec::with_capacity(CHUNK_BYTES), key, entropy }
    }

    fn write_chunk(&mut self, last: LastChunk) -> io::Result<()> {
        let mut nonce = [0; 12];
        self.entropy.fill(&mut nonce);
        let aad = Aad::chunk(self.name.as_bytes(), self.number, last);
        self.file.write_all(&self.key.seal(nonce, &aad, &self.pending))?;
        self.number += 1;
        self.pending.clear();
        Ok(())
    }

    /// Ends the file.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        self.write_chunk(LastChunk::Yes)
    }
}

impl Write for SealedWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.pending.len() == CHUNK_BYTES {
            // Only now is it known that this chunk is not the last one.
            self.write_chunk(LastChunk::No)?;
        }
        let taken = bytes.len().min(CHUNK_BYTES - self.pending.len());
        self.pending.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl TerminatingWrite for SealedWriter {
    fn terminate_ref(&mut self, _: AntiCallToken) -> io::Result<()> {
        self.finish()
    }
}

fn last_chunk(is_last: bool) -> LastChunk {
    if is_last { LastChunk::Yes } else { LastChunk::No }
}

/// Chunks and clear bytes of a file of `sealed_len` bytes; `None` if no sealed file has that length.
fn clear_len(sealed_len: u64) -> Option<(u64, usize)> {
    let whole = (CHUNK_BYTES + OVERHEAD) as u64;
    let chunks = sealed_len.div_ceil(whole);
    let tail = sealed_len.checked_sub(chunks.checked_sub(1)? * whole)?;
    let clear_tail = tail.checked_sub(OVERHEAD as u64)?;
    if clear_tail == 0 && chunks > 1 {
        return None;
    }
    usize::try_from((chunks - 1) * CHUNK_BYTES as u64 + clear_tail).ok().map(|clear| (chunks, clear))
}
