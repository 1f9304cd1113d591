//! The figures of `docs/guide/performance.md`: everything measured in one run on one machine, with the disk's flush time beside it.
//!
//! `figures BINARY BENCH_FOLDER OUT PAGE NOTES [--seconds N]`: `BINARY` is the optimised `iris`, `BENCH_FOLDER` holds `bench.py`
//! and its request shapes, `OUT` is a folder for results, `PAGE` is written, ending with the text of `NOTES`. Loopback only;
//! durability, sealing, authorisation and audit are on throughout.
#![allow(clippy::disallowed_methods, reason = "measuring is what the clock is for here")]

mod audit;
mod flush;
mod import;
mod load;
mod machine;
mod process;
mod report;
mod users;
mod validate;

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use report::Report;

/// What was asked for on the command line.
struct Arguments {
    binary: PathBuf,
    bench: PathBuf,
    out: PathBuf,
    page: PathBuf,
    notes: PathBuf,
    seconds: u32,
}

fn arguments() -> Option<Arguments> {
    let mut words = std::env::args().skip(1);
    let mut path = || words.next().map(PathBuf::from);
    let (binary, bench, out, page, notes) = (path()?, path()?, path()?, path()?, path()?);
    let seconds = match (words.next().as_deref(), words.next()) {
        (None, _) => 20,
        (Some("--seconds"), Some(number)) => number.parse().ok()?,
        _ => return None,
    };
    Some(Arguments { binary, bench, out, page, notes, seconds })
}

fn main() -> ExitCode {
    let Some(arguments) = arguments() else {
        eprintln!("usage: figures BINARY BENCH_FOLDER OUT PAGE NOTES [--seconds N]");
        return ExitCode::from(2);
    };
    match measure(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("figures: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What can go wrong here is the machine's, so it is passed on as it is.
type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn measure(arguments: &Arguments) -> Outcome<()> {
    std::fs::create_dir_all(&arguments.out)?;
    load::clear(&arguments.out)?;
    let notes = std::fs::read_to_string(&arguments.notes)?;
    let version = Command::new(&arguments.binary).arg("--version").output()?;
    let disk = flush::measure(&arguments.out)?;
    let head = machine::head(String::from_utf8(version.stdout)?.trim(), arguments.seconds, &disk)?;
    let mut report = Report::default();
    load::measure(&mut report, arguments)?;
    if let Some(data) = iris_testkit::data_dir() {
        import::measure(&mut report, &arguments.binary, &data)?;
        validate::measure(&mut report, &data)?;
    }
    audit::measure(&mut report)?;
    let after = flush::measure(&arguments.out)?;
    let words = format!("p50 {:.2} ms, p99 {:.2} ms", after.p50_ms, after.p99_ms);
    report.note("one durable 4 KiB write, once more at the end", "", words);
    report.write(&arguments.page, &head, &notes)
}
