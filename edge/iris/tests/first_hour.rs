//! The guide's first hour, command by command, as it is printed.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where something is not as it must be")]

use std::path::Path;
use std::process::Command;

use iris_testkit::Server;

const GUIDE: &str = include_str!("../../../docs/guide/first-hour.md");

#[test]
fn every_command_of_the_first_hour_works() {
    let folder = tempfile::tempdir().unwrap();
    let binary = Path::new(env!("CARGO_BIN_EXE_iris"));
    let server = Server::start(binary.to_str().unwrap(), folder.path(), &[]);
    let script = format!("set -euo pipefail\n{}", shell_blocks(GUIDE));
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
