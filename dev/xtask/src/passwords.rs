//! `cargo xtask passwords FILE`: the list of common passwords that IRIS ships.
//!
//! The source is `django/contrib/auth/common-passwords.txt.gz` of Django (BSD-3-Clause), the 20,000 most common passwords as Royce
//! Williams has counted them. Only facts are kept: the first five bytes of the SHA-1 of each that is long enough to be a password.
//!
//! The list that ships was made from the file in the wheel of Django 5.2.19 (80,228 bytes, SHA-256
//! `3c1baed62596de36860824eb3f436d5932d37ca8b06e59df78f5a44ec175afe4`; 19,640 lines, of which 8,354 are long enough). Run again on
//! that file the command changes no byte of the tree.

use std::fs::{self, File};
use std::path::Path;

use iris_identity::breached;
use iris_identity::password::PASSWORD_CHARS_MIN;

/// Where the made list stands in the tree.
const TARGET: &str = "spine/identity/tables/common-passwords.bin";
/// Where the facts are from; stands in the list itself.
const ABOUT: &str = "common passwords of Django 5.2 (Royce Williams), BSD-3-Clause";
/// Bytes kept of each digest: with eight thousand passwords one good password in a hundred million is refused by chance.
const WIDTH: usize = 5;

/// Runs the command.
///
/// # Errors
/// Wrong arguments, or a file that is missing or is not what it should be.
pub(crate) fn run(root: &Path, args: &[String]) -> Result<(), String> {
    let [path] = args else {
        return Err("usage: cargo xtask passwords common-passwords.txt.gz".to_owned());
    };
    let target = root.join(TARGET);
    fs::write(&target, made_from(Path::new(path))?).map_err(|e| format!("{}: {e}", target.display()))
}

fn made_from(path: &Path) -> Result<Vec<u8>, String> {
    let source = File::open(path).map_err(|e| format!("{}: {e}", path.display()))?;
    let long = |password: &str| password.chars().count() >= PASSWORD_CHARS_MIN;
    let mut made = Vec::new();
    let built = breached::build(flate2::read::GzDecoder::new(source), long, (WIDTH, ABOUT), &mut made);
    built.map_err(|e| format!("{}: {e}", path.display()))?;
    Ok(made)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn only_long_ones_are_kept_and_each_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("words.gz");
        let mut gzip = flate2::write::GzEncoder::new(File::create(&path).unwrap(), flate2::Compression::fast());
        gzip.write_all(b"password\n123456\npassword\niloveyou\n").unwrap();
        gzip.finish().unwrap();
        let made = made_from(&path).unwrap();
        let head = made.split(|byte| *byte == b'\n').next().unwrap();
        assert_eq!(String::from_utf8_lossy(head), format!("iris password list 1; bytes 5; passwords 2; {ABOUT}"));
        assert_eq!(made.len(), head.len() + 1 + 2 * WIDTH);
    }
}
