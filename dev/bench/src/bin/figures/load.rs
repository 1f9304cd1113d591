//! The request shapes, at 16 connections, before and after growth.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use crate::process::{Serving, command, disk_bytes, token};
use crate::{Arguments, Outcome};

const PATIENTS: u64 = 100_000;

pub(crate) fn measure(arguments: &Arguments) -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let serving = Serving::start(&arguments.binary, folder.path())?;
    println!("first start: {:.0} ms, {:.0} MB", serving.started_in.as_secs_f64() * 1e3, serving.resident_mb()?);
    let token = token(&arguments.binary, folder.path(), &serving.base)?;
    let bench = |what: &[&str]| bench(arguments, &serving, &token, what);
    bench(&["all", "--label", "fresh"])?;
    bench(&["run", "--label", "grown", "--shapes", "read,search_patient,search_obs"])?;
    println!("loaded: {:.0} MB, {:.1} MB on disk", serving.resident_mb()?, disk_bytes(folder.path())? as f64 / 1e6);
    patients(arguments, folder.path())?;
    bench(&["run", "--label", "100,000 patients", "--shapes", "search_patient", "--state", "patients"])?;
    println!("with 100,000 patients more: {:.0} MB", serving.resident_mb()?);
    serving.stop()
}

fn bench(arguments: &Arguments, serving: &Serving, token: &str, what: &[&str]) -> Outcome<()> {
    let state = if what.contains(&"--state") { None } else { Some(["--state", "state"]) };
    let status = Command::new("python3")
        .arg(arguments.bench.join("bench.py"))
        .args(what)
        .args(state.iter().flatten())
        .args(["--base", &format!("{}/fhir", serving.base), "--pids", &serving.pid().to_string()])
        .args(["--out", "results.jsonl", "--duration", &arguments.seconds.to_string()])
        .env("BENCH_TOKEN", token)
        .stdout(std::process::Stdio::null())
        .current_dir(&arguments.out)
        .status()?;
    if status.success() { Ok(()) } else { Err(format!("bench.py {what:?} ended with {status}").into()) }
}

/// Imports 100,000 invented patients beside the running server and writes searches by family and birth date for them.
fn patients(arguments: &Arguments, folder: &Path) -> Outcome<()> {
    let mut lines = String::new();
    let mut searches = String::new();
    for number in 0..PATIENTS {
        let mixed = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let family = format!("Fam{}", mixed >> 50);
        let born = format!("{}-{:02}-{:02}", 1930 + mixed % 90, 1 + (mixed >> 8) % 12, 1 + (mixed >> 16) % 28);
        writeln!(
            lines,
            r#"{{"resourceType":"Patient","id":"figures-{number}","active":true,"name":[{{"family":"{family}","given":["Given{}"]}}],"telecom":[{{"system":"phone","value":"555-{:07}"}}],"gender":"female","birthDate":"{born}","address":[{{"line":["{number} Main Street"],"city":"Springfield","postalCode":"{:05}"}}]}}"#,
            mixed >> 40,
            number,
            mixed >> 47
        )?;
        if number % 100 == 0 {
            writeln!(searches, "Patient?family={family}&birthdate={born}")?;
        }
    }
    let state = arguments.out.join("patients");
    std::fs::create_dir_all(&state)?;
    std::fs::write(state.join("search_patient.txt"), searches)?;
    let file = state.join("patients.ndjson");
    std::fs::write(&file, lines)?;
    let start = std::time::Instant::now();
    let output = command(&arguments.binary, folder).args(["import", "-o", "json"]).arg(&file).output()?;
    if !output.status.success() {
        return Err(format!("the import failed: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    println!("100,000 patients beside the server: {:.0}/s", PATIENTS as f64 / start.elapsed().as_secs_f64());
    std::fs::remove_file(&file)?;
    Ok(())
}
