//! The figures of `docs/benchmarks.md`: everything measured in one run on one machine, with the disk's flush time beside it.
//!
//! `figures BINARY BENCH_FOLDER OUT [--seconds N]`: `BINARY` is the optimised `iris`, `BENCH_FOLDER` holds `bench.py` and its
//! request shapes, `OUT` is a folder for results. Loopback only; durability, sealing, authorisation and audit are on throughout.
#![allow(clippy::disallowed_methods, reason = "measuring is what the clock is for here")]

mod flush;
mod import;
mod load;
mod process;
mod validate;

use std::path::PathBuf;
use std::process::ExitCode;

/// What was asked for on the command line.
struct Arguments {
    binary: PathBuf,
    bench: PathBuf,
    out: PathBuf,
    seconds: u32,
}

fn arguments() -> Option<Arguments> {
    let mut words = std::env::args().skip(1);
    let (binary, bench, out) = (words.next()?.into(), words.next()?.into(), words.next()?.into());
    let seconds = match (words.next().as_deref(), words.next()) {
        (None, _) => 20,
        (Some("--seconds"), Some(number)) => number.parse().ok()?,
        _ => return None,
    };
    Some(Arguments { binary, bench, out, seconds })
}

fn main() -> ExitCode {
    let Some(arguments) = arguments() else {
        eprintln!("usage: figures BINARY BENCH_FOLDER OUT [--seconds N]");
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
    let disk = flush::measure(&arguments.out)?;
    println!("flush of 4 KiB (O_DSYNC): p50 {:.3} ms, p99 {:.3} ms", disk.p50_ms, disk.p99_ms);
    if let Some(data) = iris_testkit::data_dir() {
        validate::measure(&data)?;
        import::measure(&arguments.binary, &data)?;
    }
    load::measure(arguments)?;
    let after = flush::measure(&arguments.out)?;
    println!("flush afterwards: p50 {:.3} ms, p99 {:.3} ms", after.p50_ms, after.p99_ms);
    Ok(())
}
