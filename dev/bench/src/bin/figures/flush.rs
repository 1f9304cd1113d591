//! How long the disk takes to make 4 KiB durable: with c connections nothing that waits for a flush exceeds c / flush.

use std::fs::OpenOptions;
use std::io::{Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Instant;

use crate::Outcome;

const BLOCK: usize = 4096;
const BLOCKS: u64 = 256;
const WRITES: usize = 2_000;
/// `O_DSYNC` on Linux.
const DSYNC: i32 = 0o10_000;

/// Median and tail of one flush.
pub(crate) struct Flush {
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
}

/// Rewrites a file that already has its blocks, one durable block at a time, as a journal does.
pub(crate) fn measure(folder: &Path) -> Outcome<Flush> {
    let path = folder.join("flush.probe");
    std::fs::write(&path, vec![1; BLOCK * BLOCKS as usize])?;
    let mut file = OpenOptions::new().write(true).custom_flags(DSYNC).open(&path)?;
    file.sync_all()?;
    let block = vec![2; BLOCK];
    let mut times = Vec::with_capacity(WRITES);
    for number in 0..WRITES as u64 {
        let start = Instant::now();
        file.seek(SeekFrom::Start(number % BLOCKS * BLOCK as u64))?;
        file.write_all(&block)?;
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    std::fs::remove_file(&path)?;
    times.sort_by(f64::total_cmp);
    Ok(Flush { p50_ms: times[WRITES / 2], p99_ms: times[WRITES * 99 / 100] })
}
