//! Real test data that is not part of the project: tests that need it skip, saying so, where it is absent.

use std::fs;
use std::io::Read as _;
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

/// The files below a folder whose names end so, in order.
///
/// # Panics
/// Where the folder cannot be read.
#[must_use]
pub fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry of the folder").path();
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if path.to_str().is_some_and(|name| name.ends_with(ending)) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The specification's examples: the name of each file, and what is in it.
///
/// # Panics
/// As [`archive`] and [`files`].
#[must_use]
pub fn examples() -> Option<Vec<(String, Vec<u8>)>> {
    let folder = archive("fhir-r4-examples")?;
    let read = |path: PathBuf| {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        (name, fs::read(&path).expect("a file"))
    };
    Some(files(folder.path(), ".json").into_iter().map(read).collect())
}

/// Synthea's patients, one bundle after the other: the path of each file, and the JSON in it.
///
/// # Panics
/// Where a file cannot be read or unpacked.
#[must_use]
pub fn synthea() -> Option<impl Iterator<Item = (PathBuf, Vec<u8>)>> {
    let read = |path: PathBuf| {
        let mut text = Vec::new();
        let packed = fs::File::open(&path).expect("a file");
        bzip2::read::MultiBzDecoder::new(packed).read_to_end(&mut text).expect("bzip2");
        (path, text)
    };
    Some(files(&data_dir()?.join("synthea"), ".json.bz2").into_iter().map(read))
}
