//! The index measured by itself: a million documents of the real extraction, without HTTP and without a database
//! (architecture §4; the figures of ADR 0003).
//!
//! `index-spike build FOLDER [DOCUMENTS]` makes the index and measures writing; `index-spike search FOLDER [DOCUMENTS]` opens it
//! in a fresh process and measures opening, memory and searches; `index-spike rebuild FOLDER [DOCUMENTS]` measures updates, the comparison with
//! the source, and the rebuild. Needs the Synthea bundles of the test data.
#![allow(clippy::disallowed_methods, reason = "measuring is what the clock is for here")]

mod queries;
mod rows;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use iris_index::{Index, IndexConfig, Source};
use iris_kernel::{Entropy, Secret};
use iris_store::Follower as _;

use rows::Rows;

/// What can go wrong here is the machine's, so it is passed on as it is.
type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// Documents if none are asked for.
const DOCUMENTS: usize = 1_000_000;
/// Changes handed over at a time, as a group commit would.
const BATCH: usize = 200;
/// Documents made beforehand, to measure the index thread without extraction beside it.
const PREPARED: usize = 200_000;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (Some(mode), Some(folder)) = (words.first(), words.get(1)) else {
        eprintln!("usage: index-spike build|search|rebuild FOLDER [DOCUMENTS]");
        return ExitCode::from(2);
    };
    let documents = words.get(2).and_then(|word| word.parse().ok()).unwrap_or(DOCUMENTS);
    match measure(mode, Path::new(folder), documents) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("index-spike: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(mode: &str, folder: &Path, documents: usize) -> Outcome<()> {
    let data = iris_testkit::data_dir().ok_or("no test data")?;
    let rows = Arc::new(Rows::load(&data.join("synthea"), documents)?);
    println!("rows ready: {} kinds of body, resident {:.0} MB", rows.bodies(), resident_mb()?);
    match mode {
        "build" => build(folder, &rows),
        "search" => search(folder, &rows),
        "rebuild" => rebuild(folder, &rows),
        _ => Err("build, search or rebuild".into()),
    }
}

/// Chance for the nonces: the kernel's.
struct SystemEntropy;

impl Entropy for SystemEntropy {
    #[allow(clippy::expect_used, reason = "a measurement without chance is not worth going on with")]
    fn fill(&self, out: &mut [u8]) {
        use std::io::Read as _;
        std::fs::File::open("/dev/urandom").and_then(|mut file| file.read_exact(out)).expect("/dev/urandom");
    }
}

fn open(folder: &Path, rows: &Arc<Rows>) -> Outcome<Arc<Index>> {
    let config = IndexConfig { folder: folder.join("index"), key: Secret::new([7; 32]) };
    let source = Arc::clone(rows) as Arc<dyn Source>;
    Ok(Index::over(config, source, Arc::new(SystemEntropy), drop)?)
}

fn build(folder: &Path, rows: &Arc<Rows>) -> Outcome<()> {
    if folder.join("index").exists() {
        std::fs::remove_dir_all(folder.join("index"))?;
    }
    rows.show(0);
    let index = open(folder, rows)?;
    let prepared = PREPARED.min(rows.len());
    let (changes, took) = metered(|| (0..prepared).map(|row| rows.change(row)).collect::<Vec<_>>())?;
    report("parse and extract, one thread", prepared, &took);
    let before = resident_mb()?;
    let (done, took) = metered(|| -> Outcome<()> {
        let mut changes = changes.into_iter();
        for start in (0..prepared).step_by(BATCH) {
            rows.show(prepared.min(start + BATCH));
            index.committed(&mut changes.by_ref().take(BATCH).collect::<Vec<_>>());
        }
        Ok(index.flush()?)
    })?;
    done?;
    report("index thread, documents prepared", prepared, &took);
    let (done, took) = metered(|| -> Outcome<()> {
        for start in (prepared..rows.len()).step_by(BATCH) {
            let end = rows.len().min(start + BATCH);
            rows.show(end);
            index.committed(&mut (start..end).map(|row| rows.change(row)).collect::<Vec<_>>());
        }
        Ok(index.flush()?)
    })?;
    done?;
    report("extraction on one thread, index on another", rows.len() - prepared, &took);
    let status = index.status();
    println!(
        "after writing: {} segments, resident {before:.0} MB before, {:.0} MB now",
        status.segments,
        resident_mb()?
    );
    let ((), took) = metered(|| wait_for_merges(&index))?;
    report("merges that were left", rows.len(), &took);
    println!("segments: {}", index.status().segments);
    index.close();
    disk(folder, rows.len())
}

fn search(folder: &Path, rows: &Arc<Rows>) -> Outcome<()> {
    rows.show(rows.len());
    let before = resident_mb()?;
    let (index, took) = timed(|| open(folder, rows));
    let index = index?;
    index.ready()?;
    println!(
        "opened in {:.1} ms, {} documents, {} segments",
        ms(took),
        index.status().documents,
        index.status().segments
    );
    println!("resident: +{:.0} MB after opening", resident_mb()? - before);
    queries::measure(&index, rows)?;
    println!("resident: +{:.0} MB after all searches", resident_mb()? - before);
    disk(folder, rows.len())
}

fn rebuild(folder: &Path, rows: &Arc<Rows>) -> Outcome<()> {
    rows.show(rows.len());
    let index = open(folder, rows)?;
    index.ready()?;
    let (verified, took) = metered(|| index.verify())?;
    let verified = verified?;
    report("compared with the source", rows.len(), &took);
    println!("good: {}", verified.is_good());
    let (done, took) = metered(|| index.rebuild())?;
    done?;
    report("rebuilt from the source, parse and extraction included", rows.len(), &took);
    Ok(())
}

/// Waits until the number of segments has stood still for a while.
fn wait_for_merges(index: &Index) {
    let mut quiet = 0;
    let mut segments = index.status().segments;
    while quiet < 12 {
        std::thread::sleep(Duration::from_secs(1));
        let now = index.status().segments;
        quiet = if now == segments { quiet + 1 } else { 0 };
        segments = now;
    }
}

/// Runs something and tells how long it took.
pub(crate) fn timed<T>(run: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let value = run();
    (value, start.elapsed())
}

/// Runs something and tells how long it took, and how much time of processors all threads had meanwhile.
fn metered<T>(run: impl FnOnce() -> T) -> Outcome<(T, Meter)> {
    let before = processor_time()?;
    let (value, wall) = timed(run);
    Ok((value, Meter { wall, processor: processor_time()? - before }))
}

struct Meter {
    wall: Duration,
    processor: Duration,
}

/// Time of processors that this process has had, in steps of 10 ms.
fn processor_time() -> Outcome<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let (_, fields) = stat.rsplit_once(')').ok_or("no stat")?;
    let ticks: Vec<u64> = fields.split_whitespace().skip(11).take(2).map_while(|field| field.parse().ok()).collect();
    Ok(Duration::from_millis(ticks.iter().sum::<u64>() * 10))
}

/// Time of a processor that this thread has had.
pub(crate) fn thread_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    Duration::from_nanos(stat.split_whitespace().next().and_then(|field| field.parse().ok()).unwrap_or(0))
}

pub(crate) fn ms(took: Duration) -> f64 {
    took.as_secs_f64() * 1e3
}

fn report(what: &str, count: usize, took: &Meter) {
    let (wall, processor) = (took.wall.as_secs_f64(), took.processor.as_secs_f64());
    let rate = count as f64 / wall;
    println!(
        "{what}: {count} in {wall:.1} s, {rate:.0}/s; processors {processor:.1} s, {:.1} us each",
        processor * 1e6 / count as f64
    );
}

fn disk(folder: &Path, documents: usize) -> Outcome<()> {
    let mut by_kind = std::collections::BTreeMap::<String, u64>::new();
    let mut total = 0;
    for entry in std::fs::read_dir(folder.join("index"))? {
        let path: PathBuf = entry?.path();
        let bytes = path.metadata()?.len();
        let kind = path.extension().map_or_else(|| "other".into(), |end| end.to_string_lossy().into_owned());
        *by_kind.entry(kind).or_default() += bytes;
        total += bytes;
    }
    let per = |bytes: u64| bytes as f64 / documents as f64;
    println!("disk: {:.1} MB, {:.1} bytes a document", total as f64 / 1e6, per(total));
    by_kind.iter().for_each(|(kind, bytes)| println!("  .{kind}: {:.1}", per(*bytes)));
    Ok(())
}

/// Resident memory in megabytes.
pub(crate) fn resident_mb() -> Outcome<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<f64>()? / 1024.0)
}
