//! Offline verification: only the exported file and the public key.

use std::io::{self, BufRead, Read as _};

use iris_crypto::merkle::{Hash, Tree, leaf_hash};

use crate::file::{EndFile, EntryFile, FORMAT, HeadFile, Line};
use crate::note::{ORIGIN, Verifier};
use crate::recent::Recent;
use crate::report::{FaultKind, LogFault, Report};
use crate::text;

/// Longest line that is read, in bytes.
const LINE_BYTES_MAX: u64 = 64 << 20;

/// Verifies an exported log line by line, holding one line at a time. What it can find and what it cannot stands in ADR 0005:
/// it opens no sealed details, and of an entry that may be a copy of one more than half a million before it, it only counts
/// ([`Report::earlier`]).
///
/// # Errors
/// The reader's. What is wrong with the log or the file stands in the report.
pub fn verify_file(reader: impl BufRead, key: &Verifier) -> io::Result<Report> {
    let mut check = Check { key: *key, report: Report::default(), line: 0, state: State::default() };
    let mut reader = reader;
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        check.line += 1;
        let read = reader.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut buffer)?;
        if read == 0 {
            break;
        }
        if buffer.pop_if(|last| *last == b'\n').is_none() {
            check.file("the line is too long, or the file was cut within it");
            if read as u64 == LINE_BYTES_MAX {
                skip_line(&mut reader)?;
            }
            continue;
        }
        check.text(&buffer);
    }
    Ok(check.finish())
}

fn skip_line(reader: &mut impl BufRead) -> io::Result<()> {
    loop {
        let chunk = reader.fill_buf()?;
        let (used, done) = match chunk.iter().position(|byte| *byte == b'\n') {
            Some(at) => (at + 1, true),
            None => (chunk.len(), chunk.is_empty()),
        };
        reader.consume(used);
        if done {
            return Ok(());
        }
    }
}

#[derive(Default)]
struct State {
    head: Option<HeadFile>,
    /// Position that the next entry must have.
    expected: u64,
    tree: Tree,
    /// An entry is missing without its leaf hash: no later root can be computed.
    broken: bool,
    /// Size of the last checkpoint whose root was right, and of the last one at all.
    good: u64,
    noted: u64,
    ended: Option<EndFile>,
    recent: Recent,
}

struct Check {
    key: Verifier,
    report: Report,
    line: u64,
    state: State,
}

impl Check {
    fn add(&mut self, fault: LogFault) {
        self.report.add(fault.line(self.line));
    }

    fn file(&mut self, what: &str) {
        self.add(LogFault::new(FaultKind::File, what));
    }

    fn text(&mut self, bytes: &[u8]) {
        let Ok(line) = serde_json::from_slice::<Line>(bytes) else {
            self.file("the line is not of the export's form");
            return;
        };
        if self.state.ended.is_some() {
            self.file("there is more after the end");
        }
        if self.line == 1 && line.log.is_none() {
            self.file("the first line does not name the log");
        }
        match line {
            Line { log: Some(head), entry: None, checkpoint: None, end: None } => self.head(head),
            Line { log: None, entry: Some(entry), checkpoint: None, end: None } => self.entry(&entry),
            Line { log: None, entry: None, checkpoint: Some(note), end: None } => self.checkpoint(&note),
            Line { log: None, entry: None, checkpoint: None, end: Some(end) } => self.state.ended = Some(end),
            _ => self.file("the line is none, or several, of log, entry, checkpoint and end"),
        }
    }

    fn head(&mut self, head: HeadFile) {
        if self.line != 1 {
            self.file("the log is named a second time");
            return;
        }
        if head.format != FORMAT || head.origin != ORIGIN {
            self.file("the file is of another form or of another log");
        }
        if head.key.parse() != Ok(self.key) {
            self.file("the file names another public key than the one given");
        }
        self.state.head = Some(head);
    }

    fn entry(&mut self, entry: &EntryFile) {
        let position = entry.position;
        let expected = self.state.expected;
        if position < expected {
            self.add(LogFault::new(FaultKind::Moved, "the entry stands out of order or twice").at(position));
            return;
        }
        if position > expected {
            let fault = LogFault::new(FaultKind::Missing, "entries are missing before this line");
            self.add(fault.between(expected, position));
            self.state.broken = true;
        }
        self.state.expected = position.saturating_add(1);
        let signed = entry.leaf.as_deref().and_then(text::decode_hash);
        let checked = entry.check();
        let found = match &checked {
            Ok((_, bytes)) => Some(leaf_hash(bytes)),
            Err((kind, what)) => {
                self.add(LogFault::new(*kind, what.as_str()).at(position));
                entry.header.as_deref().and_then(text::decode).map(|header| leaf_hash(&header))
            }
        };
        match (signed, found) {
            (None, _) => self.add(LogFault::new(FaultKind::Tile, "the entry's leaf hash is missing").at(position)),
            (Some(signed), Some(found)) if signed != found => {
                self.add(LogFault::new(FaultKind::Changed, "not the entry that was signed here").at(position));
            }
            _ => {
                if let Ok((header, _)) = &checked {
                    self.report.opened += u64::from(entry.opened.is_some());
                    let copy = self.state.recent.check(position, header, &mut self.report.earlier);
                    copy.into_iter().for_each(|copy| self.add(copy));
                }
            }
        }
        match signed.or(found) {
            Some(leaf) => self.state.tree.push(leaf, |_, _, _| {}),
            None => self.state.broken = true,
        }
    }

    fn checkpoint(&mut self, note: &str) {
        self.report.checkpoints += 1;
        let state = &mut self.state;
        let size = state.expected;
        match self.key.open(note) {
            Err(fault) => self.add(LogFault::new(FaultKind::Checkpoint, fault.to_string()).at(size)),
            Ok(checkpoint) if checkpoint.size != size => {
                let what = "the checkpoint does not stand behind the last entry that it signs";
                let (from, until) = (size.min(checkpoint.size), size.max(checkpoint.size));
                self.add(LogFault::new(FaultKind::Checkpoint, what).between(from, until));
            }
            Ok(checkpoint) => {
                state.noted = size;
                if state.broken {
                    return;
                }
                if checkpoint.root == state.tree.root() {
                    state.good = size;
                } else {
                    let from = state.good;
                    // Every later root covers the same change, so only the first says where it is.
                    state.broken = true;
                    let what = "the entries are not those that were signed; the change is among these";
                    self.add(LogFault::new(FaultKind::Root, what).between(from, size));
                }
            }
        }
    }

    fn finish(mut self) -> Report {
        let size = self.state.expected;
        match (&self.state.head, self.state.ended) {
            (None, None) => self.file("this is no exported audit log"),
            (Some(head), Some(end)) if head.size == size && end.size == size => {}
            (_, None) => self.file("the file was cut: its last line is missing"),
            _ => self.file("the file does not hold as many entries as it says"),
        }
        if self.state.noted < size {
            let what = "entries that no checkpoint in the file signs";
            let fault = LogFault::new(FaultKind::Checkpoint, what).between(self.state.noted, size);
            self.add(fault);
        }
        let root: Hash = self.state.tree.root();
        self.report.finish(size, &root);
        self.report
    }
}
