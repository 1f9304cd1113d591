//! A tantivy `Directory` whose files are sealed: AES-256-GCM in chunks of 64 KiB, each bound to the file's name, its
//! number and whether it is the last one (architecture §4).
//!
//! A chunk that was changed, moved, cut off or taken from another file does not open; reading it is an I/O error of kind
//! `InvalidData`, never other bytes, and it is noted in [`Health`], so that an error which the search library swallows is
//! still seen. What a thief of the disk learns is the number of files, their sizes and their random names.
//!
//! Nothing is flushed to the disk: the index can be rebuilt from the store at any time, and a file that a power cut left
//! unfinished does not open. There are no lock files: the data folder is locked by its owner, and within the process one
//! index owns the folder.

mod directory;
mod file;
#[cfg(test)]
mod tests;

pub(crate) use directory::SealedDirectory;
pub(crate) use file::Health;

/// Clear bytes of every chunk but the last.
pub(crate) const CHUNK_BYTES: usize = 64 << 10;
/// Most bytes of opened chunks that are kept in memory for all files of one index together.
pub(crate) const CACHE_BYTES: u64 = 32 << 20;
/// A read that spans more chunks than this is a whole structure being loaded; it passes by the cache and leaves it alone.
const CACHED_SPAN_MAX: usize = 4;
