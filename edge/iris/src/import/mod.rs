//! `iris import`: from files to stored resources.
//!
//! Files are read in the order of their names, one document at a time (a JSON file, or a line of NDJSON); documents are
//! parsed and checked on several threads and stored in their order. What a document means and whether it may be stored is
//! the [`Sink`]'s affair. An import that was broken off is run again: the sink passes over what is there already.

mod documents;
mod files;
pub(crate) mod pipeline;
mod rejects;
mod summary;

use std::path::{Path, PathBuf};

use iris_kernel::{Clock, Fault};
use serde_json::Value;

pub use files::{Files, find};
pub use summary::Stored;

use crate::command::{Failure, Go, ImportCommand, OnReject, Progress, Report};
use documents::{Document, Documents};
use pipeline::Lost;
use rejects::Rejects;
use summary::Summary;

/// Most single resources in one commit.
const BATCH_MAX: usize = 500;
/// Most faults that a failure shows on the terminal; the rejects file has all.
const SHOWN_MAX: usize = 20;

/// Where a document stood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: PathBuf,
    /// The line, from 1, in a file of lines.
    pub line: Option<u64>,
}

/// How a document is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// One resource; many of them share a commit.
    Single,
    /// A bundle: a commit of its own.
    Bundle,
}

/// Why something was not stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotStored {
    /// It is at fault: every fault, by JSON pointer.
    Rejected(Vec<Fault>),
    /// We are: nothing further can be stored now (disk full, shutting down).
    Ended(String),
}

/// What resources are imported into.
pub trait Sink: Sync {
    /// A document that passed the checks.
    type Item: Send;

    /// Parses and checks one document; runs on several threads at once.
    ///
    /// # Errors
    /// Every fault.
    fn parse(&self, text: Vec<u8>, place: &Place) -> Result<Self::Item, Vec<Fault>>;

    /// How it is stored.
    fn shape(&self, item: &Self::Item) -> Shape;

    /// Stores items of the shape [`Shape::Single`] together, or one of the shape [`Shape::Bundle`]: one outcome for each, in
    /// their order.
    fn store(&self, items: Vec<Self::Item>) -> Vec<Result<Stored, NotStored>>;
}

/// Runs an import to its end.
///
/// # Errors
/// The paths cannot be read, something was rejected and `on_reject` says stop, the sink ended it, or `report` said stop. The
/// failure's result is the summary of what was stored until then.
pub fn run<S: Sink>(
    command: &ImportCommand,
    sink: &S,
    clock: &dyn Clock,
    workers: usize,
    report: &mut Report<'_>,
) -> Result<Value, Failure> {
    let files = find(&command.paths).map_err(|faults| Failure::with_faults("the import did not start", &faults))?;
    let unwritable =
        |path: &Path, error| Failure::new(format!("the rejects file {} cannot be written: {error}", path.display()));
    let rejects = match &command.rejects {
        Some(path) => Some(Rejects::create(path).map_err(|error| unwritable(path, error))?),
        None => None,
    };
    let start = clock.monotonic();
    let mut import = Import {
        sink,
        command,
        report,
        rejects,
        shown: Vec::new(),
        waiting: Vec::new(),
        total: files.bytes,
        position: 0,
        summary: Summary::new(files.paths.len(), files.ignored),
    };
    let parse = |document: Document| Parsed {
        item: document.text.and_then(|text| sink.parse(text, &document.place)),
        place: document.place,
        position: document.position,
    };
    let ended = pipeline::run(Documents::new(&files), workers, &parse, &mut |parsed| import.take(parsed));
    let ended = ended.and_then(|()| import.flush());
    import.summary.seconds = clock.monotonic().saturating_sub(start).as_secs_f64();
    import.finish(ended)
}

/// A document after parsing, in the order of the input.
struct Parsed<I> {
    place: Place,
    position: u64,
    item: Result<I, Vec<Fault>>,
}

/// Why an import ends before its input does.
enum End {
    /// A reject, and the command says stop.
    Reject,
    /// Whoever listens said stop.
    Told,
    /// Nothing further can be stored or written.
    Broken(String),
}

impl From<Lost> for End {
    fn from(_: Lost) -> Self {
        Self::Broken("a document was lost by a defect while it was parsed".to_owned())
    }
}

/// An import in progress.
struct Import<'a, 'r, S: Sink> {
    sink: &'a S,
    command: &'a ImportCommand,
    report: &'a mut Report<'r>,
    rejects: Option<Rejects>,
    /// The first rejects, for the terminal.
    shown: Vec<String>,
    /// Single resources that wait for company.
    waiting: Vec<(Place, S::Item)>,
    total: u64,
    position: u64,
    summary: Summary,
}

impl<S: Sink> Import<'_, '_, S> {
    /// Takes the next document in order.
    fn take(&mut self, parsed: Parsed<S::Item>) -> Result<(), End> {
        self.position = parsed.position;
        match parsed.item {
            Err(faults) => {
                self.flush()?;
                self.reject(&parsed.place, &faults)
            }
            Ok(item) if self.sink.shape(&item) == Shape::Single => {
                self.waiting.push((parsed.place, item));
                if self.waiting.len() < BATCH_MAX { Ok(()) } else { self.flush() }
            }
            Ok(item) => {
                self.flush()?;
                self.store(vec![(parsed.place, item)])
            }
        }
    }

    /// Stores what waits.
    fn flush(&mut self) -> Result<(), End> {
        let waiting = std::mem::take(&mut self.waiting);
        if waiting.is_empty() { Ok(()) } else { self.store(waiting) }
    }

    fn store(&mut self, items: Vec<(Place, S::Item)>) -> Result<(), End> {
        let (places, items): (Vec<Place>, Vec<S::Item>) = items.into_iter().unzip();
        for (place, outcome) in places.iter().zip(self.sink.store(items)) {
            match outcome {
                Ok(stored) => self.summary.add(&stored),
                Err(NotStored::Rejected(faults)) => self.reject(place, &faults)?,
                Err(NotStored::Ended(why)) => return Err(End::Broken(why)),
            }
        }
        self.say()
    }

    fn say(&mut self) -> Result<(), End> {
        let items = self.summary.resources();
        let progress = Progress { done: self.position, total: self.total, items, unit: "resources".to_owned() };
        match (self.report)(progress) {
            Go::On => Ok(()),
            Go::Stop => Err(End::Told),
        }
    }

    fn reject(&mut self, place: &Place, faults: &[Fault]) -> Result<(), End> {
        self.summary.rejected += 1;
        for fault in faults.iter().take(SHOWN_MAX.saturating_sub(self.shown.len())) {
            self.shown.push(format!("{place}: {fault}"));
        }
        if let Some(rejects) = &mut self.rejects {
            rejects
                .add(place, faults)
                .map_err(|error| End::Broken(format!("the rejects file cannot be written: {error}")))?;
        }
        match self.command.on_reject {
            OnReject::KeepGoing => Ok(()),
            OnReject::Stop => Err(End::Reject),
        }
    }

    fn finish(mut self, ended: Result<(), End>) -> Result<Value, Failure> {
        let flushed = self.rejects.take().map_or(Ok(()), Rejects::finish);
        let result = self.summary.json(self.command.rejects.as_deref());
        let failed = |message: String, faults: Vec<String>| Failure { message, faults, result: result.clone() };
        match ended {
            Err(End::Reject) => Err(failed(
                "something was rejected; what came before it is stored (--keep-going goes on after a reject)"
                    .to_owned(),
                self.shown,
            )),
            Err(End::Told) => Err(failed("stopped; running it again goes on from here".to_owned(), Vec::new())),
            Err(End::Broken(why)) => Err(failed(format!("{why}; running it again goes on from here"), Vec::new())),
            Ok(()) => match flushed {
                Ok(()) if self.summary.rejected == 0 => Ok(result),
                Ok(()) => {
                    let message =
                        format!("{} documents were rejected; everything else is stored", self.summary.rejected);
                    Err(failed(message, self.shown))
                }
                Err(error) => Err(failed(format!("the rejects file cannot be written: {error}"), Vec::new())),
            },
        }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}, line {line}", self.file.display()),
            None => write!(f, "{}", self.file.display()),
        }
    }
}

#[cfg(test)]
mod tests;
