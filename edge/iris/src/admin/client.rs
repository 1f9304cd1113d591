//! The command line's end.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;

use serde_json::Value;

use super::address;
use crate::command::{AdminCommand, Failure, Go, Reply, Report};

/// Has a command carried out by the server that runs over `folder`.
///
/// # Errors
/// What the server says, or that none answers.
pub fn call(folder: &Path, command: &AdminCommand, report: &mut Report<'_>) -> Result<Value, Failure> {
    let lost = |error: io::Error| Failure::new(format!("the connection to the running server broke: {error}"));
    let (path, _open) = address(folder).map_err(lost)?;
    let stream = UnixStream::connect(path).map_err(|error| {
        Failure::new(format!(
            "{} is in use by a process whose admin socket does not answer ({error}); it may be starting or stopping",
            folder.display()
        ))
    })?;
    let mut line = serde_json::to_vec(command).map_err(|error| Failure::new(error.to_string()))?;
    line.push(b'\n');
    (&stream).write_all(&line).map_err(lost)?;
    for line in BufReader::new(&stream).lines() {
        let line = line.map_err(lost)?;
        match serde_json::from_str(&line) {
            Ok(Reply::Progress(progress)) => {
                if report(progress) == Go::Stop {
                    return Err(Failure::new("stopped; running it again goes on from here"));
                }
            }
            Ok(Reply::Done { result }) => return Ok(result),
            Ok(Reply::Failed(failure)) => return Err(failure),
            Err(error) => return Err(Failure::new(format!("the server's reply cannot be read: {error}"))),
        }
    }
    Err(Failure::new("the server ended before it had answered"))
}
