//! The figures of `docs/guide/performance.md`: everything measured in one run on one machine, with the disk's flush time beside it.
//!
//! `figures BINARY BENCH_FOLDER OUT PAGE NOTES [--seconds N]`: `BINARY` is the optimised `iris`, `BENCH_FOLDER` holds `bench.py`
//! and its request shapes, `OUT` is a folder for results, `PAGE` is written, ending with the text of `NOTES`. Loopback only;
//! durability, sealing, authorisation and audit are on throughout.
#![allow(clippy::disallowed_methods, reason = "measuring is what the clock is for here")]

mod aims;
mod audit;
mod flush;
mod import;
mod load;
mod machine;
mod process;
mod report;
mod sign_in;
mod users;
mod validate;

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use aims::Aims;
use iris_testkit::postgres::Server;
use process::Place;
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
    let notes = std::fs::read_to_string(&arguments.notes)?;
    let version = Command::new(&arguments.binary).arg("--version").output()?;
    let disk = flush::measure(&arguments.out)?;
    let head = machine::head(String::from_utf8(version.stdout)?.trim(), arguments.seconds, &disk)?;
    let mut report = Report::default();
    report.part("SQLite");
    over(&mut report, arguments, &aims::SQLITE, None)?;
    report.part("PostgreSQL 15 on the same machine");
    let server = Server::start(&SETTINGS).ok_or("PostgreSQL is not installed")?;
    over(&mut report, arguments, &aims::POSTGRES, Some(&server))?;
    drop(server);
    report.part("By themselves");
    if let Some(data) = iris_testkit::data_dir() {
        validate::measure(&mut report, &data)?;
    }
    audit::measure(&mut report)?;
    sign_in::measure(&mut report)?;
    let after = flush::measure(&arguments.out)?;
    let words = format!("p50 {:.2} ms, p99 {:.2} ms", after.p50_ms, after.p99_ms);
    report.note("one durable 4 KiB write, once more at the end", "", words);
    report.write(&arguments.page, &head, &notes)
}

/// What a server of this size is usually given.
const SETTINGS: [&str; 4] =
    ["shared_buffers = 512MB", "max_wal_size = 4GB", "checkpoint_timeout = 15min", "wal_compression = off"];

/// Everything over one database.
fn over(report: &mut Report, arguments: &Arguments, aims: &Aims, server: Option<&Server>) -> Outcome<()> {
    load::measure(report, arguments, aims, server)?;
    match iris_testkit::data_dir() {
        Some(data) => import::measure(report, &Place::new(&arguments.binary, server)?, aims, &data),
        None => Ok(()),
    }
}
