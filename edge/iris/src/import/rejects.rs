//! The rejects file: one JSON object a line for each document that was not stored.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use iris_kernel::Fault;
use serde_json::json;

use super::Place;

/// An open rejects file. It is its owner's alone: faults repeat no values, but file names can be names of people.
pub(super) struct Rejects(BufWriter<File>);

impl Rejects {
    /// Makes the file, or empties the one of an earlier run.
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
        Ok(Self(BufWriter::new(file)))
    }

    /// Adds a document with everything that is wrong with it.
    pub(super) fn add(&mut self, place: &Place, faults: &[Fault]) -> io::Result<()> {
        let faults: Vec<_> = faults.iter().map(|fault| json!({ "at": fault.at, "what": fault.what })).collect();
        let mut line = json!({ "file": place.file.display().to_string(), "faults": faults });
        if let Some(number) = place.line {
            line["line"] = number.into();
        }
        writeln!(self.0, "{line}")?;
        // An import can be killed; what was rejected until then should be known.
        self.0.flush()
    }

    /// Makes sure that it is on disk.
    pub(super) fn finish(mut self) -> io::Result<()> {
        self.0.flush()?;
        self.0.get_ref().sync_all()
    }
}
