//! Which files an import reads, and in which order.

use std::path::{Path, PathBuf};

use iris_kernel::Fault;

/// Most files of one import.
const FILES_MAX: usize = 1_000_000;
/// Deepest folder inside a folder that was named.
const FOLDERS_DEEP_MAX: usize = 16;

/// The files of an import.
#[derive(Debug, Default)]
pub struct Files {
    /// In the order in which they are read.
    pub paths: Vec<PathBuf>,
    /// Their sizes added up.
    pub bytes: u64,
    /// How many files in the folders are no FHIR JSON by their names.
    pub ignored: usize,
}

/// What a file holds, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// One JSON document.
    Document,
    /// One JSON document a line.
    Lines,
}

/// The format by the name, a compression suffix aside.
pub(super) fn format(path: &Path) -> Option<Format> {
    let name = path.file_name()?.to_str()?.to_ascii_lowercase();
    let name = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".bz2")).unwrap_or(&name);
    match name.rsplit_once('.')?.1 {
        "json" => Some(Format::Document),
        "ndjson" | "jsonl" => Some(Format::Lines),
        _ => None,
    }
}

/// Finds the files: named ones as named, those of a folder (and its folders) sorted by name, so that what others refer to can
/// be given a name that comes first.
///
/// # Errors
/// Every path that cannot be read or is no FHIR JSON by its name.
pub fn find(paths: &[PathBuf]) -> Result<Files, Vec<Fault>> {
    let mut files = Files::default();
    let mut faults = Vec::new();
    for path in paths {
        if let Err(what) = add(path, 0, &mut files) {
            faults.push(Fault::new(path.display().to_string(), what));
        }
    }
    if faults.is_empty() && files.paths.is_empty() {
        faults.push(Fault::new("", "there is no .json or .ndjson file (plain, .gz or .bz2) in what was named"));
    }
    if faults.is_empty() { Ok(files) } else { Err(faults) }
}

fn add(path: &Path, depth: usize, files: &mut Files) -> Result<(), String> {
    let about = std::fs::metadata(path).map_err(|error| error.to_string())?;
    if about.is_dir() {
        return add_folder(path, depth, files);
    }
    let known = format(path).is_some() && about.is_file();
    match (known, depth) {
        (true, _) if files.paths.len() >= FILES_MAX => Err(format!("more than {FILES_MAX} files")),
        (true, _) => {
            files.bytes += about.len();
            files.paths.push(path.to_owned());
            Ok(())
        }
        (false, 0) => Err("is no .json or .ndjson file (plain, .gz or .bz2) by its name".to_owned()),
        (false, _) => {
            files.ignored += 1;
            Ok(())
        }
    }
}

fn add_folder(path: &Path, depth: usize, files: &mut Files) -> Result<(), String> {
    if depth >= FOLDERS_DEEP_MAX {
        return Err(format!("holds folders more than {FOLDERS_DEEP_MAX} deep"));
    }
    let said = |error: std::io::Error| format!("{}: {error}", path.display());
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(path).map_err(said)? {
        let entry = entry.map_err(said)?;
        let kind = entry.file_type().map_err(said)?;
        let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        // A link to a folder could lead back to where we are.
        let linked_folder = kind.is_symlink() && entry.path().is_dir();
        if !hidden && !linked_folder {
            entries.push(entry.path());
        }
    }
    entries.sort();
    entries.iter().try_for_each(|entry| add(entry, depth + 1, files))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_read_in_the_order_of_its_names() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.json", "0-first.ndjson.gz", "a.json.bz2", "notes.txt", ".hidden.json"] {
            std::fs::write(folder.path().join(name), "{}").unwrap();
        }
        std::fs::create_dir(folder.path().join("aa")).unwrap();
        std::fs::write(folder.path().join("aa/x.JSON"), "{}").unwrap();
        let files = find(&[folder.path().to_owned()]).unwrap();
        let names: Vec<_> =
            files.paths.iter().map(|path| path.strip_prefix(folder.path()).unwrap().display().to_string()).collect();
        assert_eq!(names, ["0-first.ndjson.gz", "a.json.bz2", "aa/x.JSON", "b.json"]);
        assert_eq!((files.ignored, files.bytes), (1, 8));
    }

    #[test]
    fn every_bad_path_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let odd = folder.path().join("notes.txt");
        std::fs::write(&odd, "x").unwrap();
        let faults = find(&[odd, "no/such/place".into()]).unwrap_err();
        assert_eq!(faults.len(), 2, "{faults:?}");
        let empty = tempfile::tempdir().unwrap();
        assert_eq!(find(&[empty.path().to_owned()]).unwrap_err().len(), 1);
    }

    #[test]
    fn a_link_in_a_circle_does_not_catch_us() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.json"), "{}").unwrap();
        std::os::unix::fs::symlink(folder.path(), folder.path().join("again")).unwrap();
        assert_eq!(find(&[folder.path().to_owned()]).unwrap().paths.len(), 1);
    }
}
