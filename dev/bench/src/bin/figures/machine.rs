//! The machine, in the words of its kernel.

use std::fs::read_to_string;

use crate::Outcome;
use crate::flush::Flush;

/// The head of the page: what was measured where, how, and with what durability.
pub(crate) fn head(version: &str, seconds: u32, before: &Flush) -> Outcome<String> {
    let field = |file: &str, name: &str| -> Outcome<String> {
        let text = read_to_string(file)?;
        let line =
            text.lines().find_map(|line| line.strip_prefix(name)).ok_or_else(|| format!("{file} has no {name}"))?;
        Ok(line.trim_start_matches([' ', '\t', ':']).to_owned())
    };
    let cores = std::thread::available_parallelism()?;
    let memory: f64 = field("/proc/meminfo", "MemTotal")?.trim_end_matches(" kB").trim().parse()?;
    let kernel = read_to_string("/proc/sys/kernel/osrelease")?;
    Ok(format!(
        "# Figures\n\n\
         `make bench` measures everything in this table in one run and writes this page. The request shapes are those of the bench folder that\n\
         is handed to it (`BENCH_FOLDER`); 16 connections, {seconds} s a shape after 5 s of warm-up, unless said. Client and server share the machine.\n\
         Sealing, authorisation and the access log are on throughout, and durability is real: SQLite at `synchronous=FULL` with group commit,\n\
         PostgreSQL with `fsync` and `synchronous_commit` on, and each read's audit entry flushed before its answer leaves (SQLite: a file with\n\
         `O_DSYNC`, PostgreSQL: a table). CPU of PostgreSQL's own processes counts as the server's.\n\n\
         | machine | |\n|---|---|\n\
         | processor | {} · {cores} cores |\n| memory | {:.0} GiB |\n| kernel | Linux {} |\n\
         | one durable 4 KiB write | p50 {:.2} ms, p99 {:.2} ms |\n| IRIS | {version} |\n\n\
         With c connections nothing that waits for a flush can exceed c / flush. `others` is the share of the processors that went to neither\n\
         server nor client: where it is large, a rate is only a lower bound and CPU per request is the figure to compare.\n",
        field("/proc/cpuinfo", "model name")?,
        memory / 1024.0 / 1024.0,
        kernel.trim(),
        before.p50_ms,
        before.p99_ms,
    ))
}
