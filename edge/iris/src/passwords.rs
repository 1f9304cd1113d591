//! `iris passwords build`: the list of breached passwords that `IRIS_PASSWORD_LIST` names.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use iris_identity::breached::{self, WIDTH};
use iris_identity::password::PASSWORD_CHARS_MIN;
use serde_json::{Value, json};

use crate::command::Failure;

/// Makes the list; the target must not exist yet.
///
/// # Errors
/// What cannot be read or written, by name.
pub(crate) fn build(source: &Path, target: &Path) -> Result<Value, Failure> {
    let named = |path: &Path, error: &dyn std::fmt::Display| Failure::new(format!("{}: {error}", path.display()));
    let open = File::open(source).map_err(|error| named(source, &error))?;
    let made = OpenOptions::new().write(true).create_new(true).mode(0o644).open(target);
    let mut out = BufWriter::new(made.map_err(|error| named(target, &error))?);
    // Shorter ones are refused for being short.
    let keep = |password: &str| password.chars().count() >= PASSWORD_CHARS_MIN;
    let about = source.file_name().unwrap_or_default().to_string_lossy();
    let built = breached::build(open, keep, (WIDTH, &about), &mut out).map_err(|error| named(source, &error));
    let synced = built.and_then(|count| {
        let synced = out.flush().and_then(|()| out.get_ref().sync_all());
        synced.map(|()| count).map_err(|error| named(target, &error))
    });
    match synced {
        Ok(count) => Ok(json!({ "file": target.display().to_string(), "passwords": count })),
        Err(failure) => {
            // Half a list would be refused at the next start; it was made here and is nobody else's.
            std::fs::remove_file(target).map_err(|error| named(target, &error))?;
            Err(failure)
        }
    }
}

#[cfg(test)]
mod tests {
    use iris_identity::breached::PasswordList;

    use super::*;

    #[test]
    fn a_list_is_made_once_and_knows_its_passwords() {
        let folder = tempfile::tempdir().unwrap();
        let (source, target) = (folder.path().join("leak.txt"), folder.path().join("list.bin"));
        std::fs::write(&source, "hunter22 2026\nshort\n5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8:3\n").unwrap();
        assert_eq!(build(&source, &target).unwrap()["passwords"], 2);
        let list = PasswordList::open(&target).unwrap();
        assert!(list.has("hunter22 2026").unwrap() && list.has("password").unwrap() && !list.has("short").unwrap());
        assert!(build(&source, &target).is_err(), "what is there stays");
        let empty = folder.path().join("empty.txt");
        std::fs::write(&empty, "").unwrap();
        let other = folder.path().join("other.bin");
        assert!(build(&empty, &other).is_err() && !other.exists());
    }
}
