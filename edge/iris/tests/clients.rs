//! FHIR clients of others, unchanged, against the running server: `fhirclient` and `fhir-kit-client` on Node.js, `fhirpy` on Python.
//! What each of them does stands beside them, in `dev/clients`; `dev/scripts/clients` fetches them.

#![allow(clippy::panic, reason = "the helpers of tests fail like tests")]

use std::path::{Path, PathBuf};
use std::process::Command;

use iris_testkit::Clinic;

const BINARY: &str = env!("CARGO_BIN_EXE_iris");

/// The folder of the clients, if they have been fetched.
///
/// # Panics
/// Where they are absent although a skipped test is a failed one.
fn clients() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../dev/clients");
    if folder.join("node_modules/.package-lock.json").is_file() && folder.join(".venv/fetched").is_file() {
        return Some(folder);
    }
    assert!(
        std::env::var_os("IRIS_REQUIRE_TEST_DATA").is_none(),
        "the clients are not here; dev/scripts/clients brings them"
    );
    println!("skipped: dev/scripts/clients was not run");
    None
}

/// Runs one client to its end; it says how much of what it did came out as it must.
fn run(program: &str, script: &str) {
    let Some(folder) = clients() else { return };
    let clinic = Clinic::open(BINARY);
    let program = if program.starts_with('.') { folder.join(program) } else { program.into() };
    let output = Command::new(program)
        .arg(script)
        .current_dir(&folder)
        .env("IRIS_FHIR", format!("{}/fhir", clinic.server.base))
        .env("IRIS_BEARER", &clinic.bearer)
        .output()
        .unwrap_or_else(|error| panic!("{script} does not run: {error}"));
    let (told, wrong) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{script}:\n{told}\n{wrong}");
    println!("{}", told.trim());
    assert!(told.contains("checks held"), "{script} did not reach its end:\n{told}\n{wrong}");
}

#[test]
fn fhirclient_works_unchanged() {
    run("node", "fhirclient.mjs");
}

#[test]
fn fhir_kit_client_works_unchanged() {
    run("node", "kit.mjs");
}

#[test]
fn fhirpy_works_unchanged() {
    run(".venv/bin/python", "fhirpy_client.py");
}
