//! Real test data that is not part of the project: tests that need it skip, saying so, where it is absent.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder of test data: `$IRIS_TEST_DATA`, else `../shared/data` beside the clone. `None`, with a line on standard output,
/// where there is none.
///
/// # Panics
/// Where it is absent although `$IRIS_REQUIRE_TEST_DATA` is set: in CI a skipped test is a failed one.
#[must_use]
pub fn data_dir() -> Option<PathBuf> {
    let folder = std::env::var_os("IRIS_TEST_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), PathBuf::from);
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(std::env::var_os("IRIS_REQUIRE_TEST_DATA").is_none(), "no test data at {}", folder.display());
    println!("skipped: no test data");
    None
}

/// Unpacks `<name>.tar.xz` of the test data into a fresh temporary folder.
///
/// # Panics
/// Where `tar` or `xz` is missing or the archive is damaged.
#[must_use]
pub fn archive(name: &str) -> Option<tempfile::TempDir> {
    let file = data_dir()?.join(format!("{name}.tar.xz"));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let status = Command::new("tar").arg("xJf").arg(&file).arg("-C").arg(folder.path()).status().expect("tar runs");
    assert!(status.success(), "tar could not unpack {}", file.display());
    Some(folder)
}
