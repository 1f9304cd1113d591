//! The guides for terminals, command by command, as they are printed.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where something is not as it must be")]

use std::path::Path;
use std::process::Command;

use iris_kernel::limits;
use iris_search::FILTER_LEVELS_MAX;
use iris_search::term::TEXT_BYTES_MAX;
use iris_testkit::Server;

const FIRST_HOUR: &str = include_str!("../../../docs/guide/first-hour.md");
const FHIR: &str = include_str!("../../../docs/guide/fhir.md");

#[test]
fn every_command_of_the_first_hour_works() {
    run(FIRST_HOUR);
}

#[test]
fn every_command_of_the_fhir_api_works() {
    run(FHIR);
}

#[test]
fn the_limits_are_those_that_hold() {
    let limits = [
        ("BUNDLE_ENTRIES_MAX", limits::BUNDLE_ENTRIES_MAX),
        ("BUNDLE_READ_MAX", iris_resources::BUNDLE_READ_MAX),
        ("FHIR_PAGE_MAX", limits::FHIR_PAGE_MAX),
        ("SEARCH_PARAMETERS_MAX", limits::SEARCH_PARAMETERS_MAX),
        ("SEARCH_ALTERNATIVES_MAX", limits::SEARCH_ALTERNATIVES_MAX),
        ("SEARCH_VALUE_BYTES_MAX", limits::SEARCH_VALUE_BYTES_MAX),
        ("TEXT_BYTES_MAX", TEXT_BYTES_MAX),
        ("FILTER_LEVELS_MAX", FILTER_LEVELS_MAX),
        ("SEARCH_CHAIN_DEPTH_MAX", limits::SEARCH_CHAIN_DEPTH_MAX),
        ("SEARCH_INCLUDES_MAX", limits::SEARCH_INCLUDES_MAX),
        ("INCLUDED_MAX", iris_resources::INCLUDED_MAX),
        ("CONDITIONAL_DELETE_MAX", iris_resources::CONDITIONAL_DELETE_MAX),
        ("FAULTS_MAX", limits::FAULTS_MAX),
    ];
    for (name, value) in limits {
        let row = format!("| `{name}` | {} |", thousands(value));
        assert!(FHIR.contains(&row), "the page has no row {row}");
    }
    assert_eq!((limits::BODY_BYTES_MAX, limits::PAGE_DEFAULT), (64 << 20, 20), "and these two are written out");
}

/// A number with a comma before each three digits.
fn thousands(number: usize) -> String {
    if number < 1_000 { number.to_string() } else { format!("{},{:03}", thousands(number / 1_000), number % 1_000) }
}

/// Runs every block marked `sh` in one shell, against a fresh installation.
fn run(guide: &str) {
    let folder = tempfile::tempdir().unwrap();
    let binary = Path::new(env!("CARGO_BIN_EXE_iris"));
    let server = Server::start(binary.to_str().unwrap(), folder.path(), &[]);
    let script = format!("set -euo pipefail\n{}", shell_blocks(guide));
    let path = std::env::join_paths(
        std::iter::once(binary.parent().unwrap().to_owned())
            .chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
    );
    let output = Command::new("bash")
        .args(["-x", "-c", &script])
        .env("PATH", path.unwrap())
        .env("BASE_URL", &server.base)
        .env("IRIS_DATA_DIR", folder.path())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// The text of every block marked `sh`.
fn shell_blocks(guide: &str) -> String {
    let blocks = guide.split("```sh\n").skip(1);
    blocks.map(|block| block.split("```").next().unwrap()).collect()
}
