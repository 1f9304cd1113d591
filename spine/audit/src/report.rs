//! What a verification found.

use iris_crypto::merkle::Hash;
use iris_store::Stream;
use serde::Serialize;

use crate::text;

/// Most faults that one report names; the rest is counted.
pub const FAULTS_MAX: usize = 1_000;

/// What sort of thing is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// An entry is not the one that was signed.
    Changed,
    /// An entry is gone.
    Missing,
    /// An entry stands where another one was signed.
    Moved,
    /// An entry is a copy of another one that somebody slipped in.
    Repeated,
    /// The details of an entry are not those that its header commits to, or do not open.
    Details,
    /// The key of the details cannot be had, so they could not be looked into.
    Key,
    /// A stored tile of the tree is gone or changed.
    Tile,
    /// The entries do not give the root that a checkpoint signs.
    Root,
    /// A checkpoint is gone, malformed or not signed by the log's key.
    Checkpoint,
    /// The table of log positions has a gap or an overlap.
    Span,
    /// The follower makes no progress.
    Follower,
    /// The exported file is not whole or not of the right form.
    File,
}

/// One thing that is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LogFault {
    /// What sort of thing.
    pub kind: FaultKind,
    /// The log position, or the first of several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<u64>,
    /// One past the last position, where there are several: the fault is somewhere between.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<u64>,
    /// The stream of the entry: `writes` or `reads`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream: Option<&'static str>,
    /// Its ordinal there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ordinal: Option<u64>,
    /// The line of an exported file, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// What is wrong, in a sentence without any content of the entry.
    pub what: String,
}

impl LogFault {
    pub(crate) fn new(kind: FaultKind, what: impl Into<String>) -> Self {
        Self { kind, position: None, until: None, stream: None, ordinal: None, line: None, what: what.into() }
    }

    pub(crate) const fn at(mut self, position: u64) -> Self {
        self.position = Some(position);
        self
    }

    pub(crate) const fn between(mut self, from: u64, until: u64) -> Self {
        self.position = Some(from);
        self.until = Some(until);
        self
    }

    pub(crate) const fn source(mut self, stream: Stream, ordinal: u64) -> Self {
        self.stream = Some(match stream {
            Stream::Writes => "writes",
            Stream::Reads => "reads",
        });
        self.ordinal = Some(ordinal);
        self
    }

    pub(crate) const fn line(mut self, line: u64) -> Self {
        self.line = Some(line);
        self
    }
}

const fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// The result of a verification.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Entries looked at.
    pub size: u64,
    /// Root of the tree over them, base64; compare it with what others hold.
    pub root: String,
    /// Checkpoints looked at.
    pub checkpoints: u64,
    /// Entries whose details were opened and fit.
    pub opened: u64,
    /// Entries that are not younger than all those more than half a million (at most a million) in front of them. No fault:
    /// the clock was set back. A copy of an entry so far back would be among them; online the originals of the first half
    /// million of them were looked for, while a file is read only once.
    #[serde(skip_serializing_if = "is_zero")]
    pub earlier: u64,
    /// Everything that is wrong, in the order found; at most [`FAULTS_MAX`].
    pub faults: Vec<LogFault>,
    /// Faults beyond that limit.
    pub faults_more: u64,
}

impl Report {
    /// Whether the log is whole and unchanged.
    #[must_use]
    pub fn good(&self) -> bool {
        self.faults.is_empty()
    }

    pub(crate) fn add(&mut self, fault: LogFault) {
        if self.faults.len() < FAULTS_MAX {
            self.faults.push(fault);
        } else {
            self.faults_more += 1;
        }
    }

    pub(crate) fn finish(&mut self, size: u64, root: &Hash) {
        self.size = size;
        self.root = text::encode(root);
    }
}
