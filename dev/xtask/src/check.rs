//! `cargo xtask check`: the same steps here and in CI, in the order that fails soonest.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::tidy;

/// One step: its name, and the program with its arguments.
struct Step {
    name: &'static str,
    program: &'static str,
    arguments: &'static [&'static str],
    environment: &'static [(&'static str, &'static str)],
}

const fn step(name: &'static str, program: &'static str, arguments: &'static [&'static str]) -> Step {
    Step { name, program, arguments, environment: &[] }
}

/// What fails soonest. The pages are built first, because the binary carries them.
const FIRST: &[Step] = &[
    step("pages: build", "dev/scripts/pages", &[]),
    step("pages: types, lint, tests", "npm", &["--prefix", "web", "run", "check"]),
    step("format", "cargo", &["fmt", "--all", "--check"]),
    step("clippy", "cargo", &["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"]),
    step("with traces", "cargo", &["check", "--package", "iris", "--features", "otel", "--locked"]),
];

/// The tests come last, so that the last lines of a run say how many ran and passed.
const LAST: &[Step] = &[
    Step {
        name: "documentation",
        program: "cargo",
        arguments: &["doc", "--workspace", "--no-deps", "--document-private-items", "--locked", "--quiet"],
        environment: &[("RUSTDOCFLAGS", "-D warnings")],
    },
    step("documentation tests", "cargo", &["test", "--workspace", "--doc", "--locked", "--quiet"]),
    step("binary", "cargo", &["build", "--package", "iris", "--locked"]),
    step("pages: in the browser", "npm", &["--prefix", "web", "run", "browser"]),
    step("clients of others: fetched", "dev/scripts/clients", &[]),
    Step {
        name: "tests",
        program: "cargo",
        arguments: &["nextest", "run", "--workspace", "--locked", "--no-fail-fast"],
        // The same cases in every run: what CI says is about the change. `make soak` draws new ones.
        environment: &[("PROPTEST_RNG_SEED", "20261121")],
    },
];

/// Runs every step, stopping at the first that fails.
pub(crate) fn run(root: &Path) -> Result<(), String> {
    announce("tidy");
    tidy::run(root)?;
    for step in FIRST {
        run_step(root, step)?;
    }
    deny(root)?;
    for step in LAST {
        run_step(root, step)?;
    }
    Ok(())
}

fn announce(name: &str) {
    println!("== {name}");
    // A closed standard output is seen by the step that writes next; there is nobody to tell here.
    drop(std::io::stdout().flush());
}

fn run_step(root: &Path, step: &Step) -> Result<(), String> {
    announce(step.name);
    let start = Instant::now();
    let status = Command::new(step.program)
        .args(step.arguments)
        .envs(step.environment.iter().copied())
        .current_dir(root)
        .status()
        .map_err(|error| format!("{}: cannot start {}: {error}", step.name, step.program))?;
    if status.success() {
        eprintln!("   {} took {} s", step.name, start.elapsed().as_secs());
        Ok(())
    } else {
        Err(format!("check failed: {}", step.name))
    }
}

/// Licences, bans and sources are checked always. The list of known vulnerabilities comes from the network; where that
/// cannot be reached the run says so and goes on, because nothing about this tree has been found wrong.
fn deny(root: &Path) -> Result<(), String> {
    announce("dependencies: bans, licences, sources");
    let output = cargo_deny(root, &["bans", "licenses", "sources"], Stdio::inherit())?;
    if !output.status.success() {
        return Err("check failed: cargo deny".to_owned());
    }
    announce("dependencies: known vulnerabilities");
    let output = cargo_deny(root, &["advisories"], Stdio::piped())?;
    let said = String::from_utf8_lossy(&output.stderr);
    match advisories_outcome(output.status.success(), &said) {
        Advisories::Clean => Ok(()),
        Advisories::Unreachable => {
            println!("   NOT CHECKED: the advisory database cannot be reached from here");
            Ok(())
        }
        Advisories::Found => Err(format!("{said}\ncheck failed: cargo deny check advisories")),
    }
}

fn cargo_deny(root: &Path, checks: &[&str], stderr: Stdio) -> Result<std::process::Output, String> {
    Command::new("cargo")
        .args(["deny", "--workspace", "--locked", "--log-level", "error", "check", "--hide-inclusion-graph"])
        .args(checks)
        .current_dir(root)
        .stdout(Stdio::inherit())
        .stderr(stderr)
        .spawn()
        .and_then(std::process::Child::wait_with_output)
        .map_err(|error| format!("cannot start cargo deny: {error}; `make setup` installs it"))
}

#[derive(Debug, PartialEq, Eq)]
enum Advisories {
    Clean,
    Unreachable,
    Found,
}

/// Tells "there is a vulnerability" from "the list could not be fetched"; anything unclear counts as found.
fn advisories_outcome(success: bool, said: &str) -> Advisories {
    if success {
        return Advisories::Clean;
    }
    let unreachable =
        said.contains("failed to fetch advisory database") || said.contains("failed to load advisory database");
    if unreachable && !said.contains("error[") { Advisories::Unreachable } else { Advisories::Found }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unreachable_list_is_told_from_a_finding() {
        assert_eq!(advisories_outcome(true, ""), Advisories::Clean);
        assert_eq!(
            advisories_outcome(false, "[ERROR] failed to fetch advisory database: no route"),
            Advisories::Unreachable
        );
        assert_eq!(advisories_outcome(false, "error[vulnerability]: heap overflow"), Advisories::Found);
        assert_eq!(
            advisories_outcome(false, "error[unmaintained]: x\nfailed to fetch advisory database y"),
            Advisories::Found
        );
        assert_eq!(advisories_outcome(false, "something else"), Advisories::Found);
    }
}
