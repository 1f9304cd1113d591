//! The figures of `docs/guide/performance.md`: everything measured in one run on one machine, with the disk's flush time beside it.
//!
//! `figures all BINARY BENCH_FOLDER OUT PAGE NOTES [--seconds N]`: `BINARY` is the optimised `iris`, `BENCH_FOLDER` holds `bench.py`
//! and its request shapes, `OUT` is a folder for results, `PAGE` is written, ending with the text of `NOTES`. Loopback only;
//! durability, sealing, authorisation and audit are on throughout.
//!
//! `figures access BINARY PAGE`: only what it costs to know who asks and what they may see; that part of `PAGE` is replaced.
//! `figures fhir BINARY PAGE`: only searches through references, and whole records; as above.
#![allow(clippy::disallowed_methods, reason = "measuring is what the clock is for here")]

mod aims;
mod audit;
mod client;
mod deciding;
mod fhir;
mod flush;
mod import;
mod installation;
mod load;
mod machine;
mod process;
mod reading;
mod report;
mod sign_in;
mod users;
mod validate;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use aims::Aims;
use iris_testkit::postgres::Server;
use process::Place;
use report::Report;

/// What was asked for on the command line.
enum Asked {
    All(Arguments),
    Access { binary: PathBuf, page: PathBuf },
    Fhir { binary: PathBuf, page: PathBuf },
}

/// What the whole run needs.
struct Arguments {
    binary: PathBuf,
    bench: PathBuf,
    out: PathBuf,
    page: PathBuf,
    notes: PathBuf,
    seconds: u32,
}

fn asked() -> Option<Asked> {
    let mut words = std::env::args().skip(1);
    let part = words.next()?;
    let mut path = || words.next().map(PathBuf::from);
    if part == "access" {
        return Some(Asked::Access { binary: path()?, page: path()? });
    }
    if part == "fhir" {
        return Some(Asked::Fhir { binary: path()?, page: path()? });
    }
    let (binary, bench, out, page, notes) = (path()?, path()?, path()?, path()?, path()?);
    let seconds = match (words.next().as_deref(), words.next()) {
        (None, _) => 20,
        (Some("--seconds"), Some(number)) => number.parse().ok()?,
        _ => return None,
    };
    (part == "all").then_some(Asked::All(Arguments { binary, bench, out, page, notes, seconds }))
}

fn main() -> ExitCode {
    let measured = match asked() {
        None => {
            eprintln!(
                "usage: figures all BINARY BENCH_FOLDER OUT PAGE NOTES [--seconds N] | figures access BINARY PAGE | \
                 figures fhir BINARY PAGE"
            );
            return ExitCode::from(2);
        }
        Some(Asked::All(arguments)) => measure(&arguments),
        Some(Asked::Access { binary, page }) => {
            let mut report = Report::default();
            access(&mut report, &binary).and_then(|()| report.renew(&page))
        }
        Some(Asked::Fhir { binary, page }) => {
            let mut report = Report::default();
            through(&mut report, &binary).and_then(|()| report.renew(&page))
        }
    };
    match measured {
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
    let after = flush::measure(&arguments.out)?;
    let words = format!("p50 {:.2} ms, p99 {:.2} ms", after.p50_ms, after.p99_ms);
    report.note("one durable 4 KiB write, once more at the end", "", words);
    access(&mut report, &arguments.binary)?;
    through(&mut report, &arguments.binary)?;
    report.write(&arguments.page, &head, &notes)
}

/// Who somebody is, and what they may see.
fn access(report: &mut Report, binary: &Path) -> Outcome<()> {
    report.part("Access");
    sign_in::measure(report, binary)?;
    deciding::measure(report)?;
    reading::measure(report, binary)
}

/// Searches through references.
fn through(report: &mut Report, binary: &Path) -> Outcome<()> {
    report.part("FHIR");
    fhir::measure(report, binary)
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
