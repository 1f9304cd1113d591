//! Online verification: every row, tile, span and checkpoint against each other.
//!
//! A row that was changed alone differs from its leaf hash in the level-0 tile, and so is located exactly. Whoever changes
//! the tile as well meets the tile above it, and then the roots in the signed checkpoints, between two of which the change
//! is located; those cannot be made without the key.

use std::collections::{HashMap, HashSet};

use iris_crypto::merkle::{Hash, TILE_WIDTH, Tree, leaf_hash};
use iris_store::{AuditRow, Stream};

use crate::audit::Audit;
use crate::entry::{self, EntryFault, Header};
use crate::error::AuditError;
use crate::log::{self, Notes, Slot};
use crate::note::Checkpoint;
use crate::query::Content;
use crate::recent::{GENERATION, Recent};
use crate::report::{FAULTS_MAX, FaultKind, LogFault, Report};

/// Positions fetched at once: whole tiles.
pub(crate) const BLOCK: u64 = 2_048;

impl Audit {
    /// Verifies the whole log against itself. Blocks; `progress` is told how many of how many entries are done.
    ///
    /// # Errors
    /// The store's, if it gives no answer; [`AuditError::Unavailable`] if the follower is gone. Damage is no error but stands in the report.
    pub fn verify(&self, progress: impl FnMut(u64, u64)) -> Result<Report, AuditError> {
        self.verify_remembering(GENERATION, progress)
    }

    fn verify_remembering(&self, generation: usize, mut progress: impl FnMut(u64, u64)) -> Result<Report, AuditError> {
        let status = self.settled()?;
        let mut check = Check::new(self, generation);
        if let Some(fault) = status.fault {
            check.report.add(LogFault::new(FaultKind::Follower, fault));
        }
        check.advance_note()?;
        let size = self.store.log_size()?;
        let mut from = 0;
        while from < size {
            let to = size.min(from + BLOCK);
            check.block(from, to)?;
            progress(to, size);
            from = to;
        }
        check.finish(size)
    }
}

/// An entry that is not the one that was signed at its position, until it is clear whether it was moved there.
struct Mismatch {
    position: u64,
    stream: Stream,
    ordinal: u64,
    found: Hash,
}

struct Check<'a> {
    audit: &'a Audit,
    report: Report,
    tree: Tree,
    /// Next ordinal of each stream, by [`Stream::code`].
    next: [u64; 2],
    notes: Notes<'a>,
    /// The next checkpoint whose size the tree has yet to reach.
    note: Option<Checkpoint>,
    note_number: u64,
    /// Sizes of the last checkpoint met and of the last one whose root was right.
    noted: u64,
    good: u64,
    mismatches: Vec<Mismatch>,
    /// Leaf hashes that were signed where now something else or nothing is.
    displaced: HashMap<Hash, u64>,
    keys_missing: HashSet<u64>,
    recent: Recent,
}

impl<'a> Check<'a> {
    fn new(audit: &'a Audit, generation: usize) -> Self {
        Self {
            audit,
            report: Report::default(),
            tree: Tree::new(),
            next: [0; 2],
            notes: Notes::new(&audit.store),
            note: None,
            note_number: 0,
            noted: 0,
            good: 0,
            mismatches: Vec::new(),
            displaced: HashMap::new(),
            keys_missing: HashSet::new(),
            recent: Recent::new(generation),
        }
    }

    /// Fetches the next checkpoint that is whole; the others are faults.
    fn advance_note(&mut self) -> Result<(), AuditError> {
        self.note = None;
        while let Some(stored) = self.notes.next()? {
            self.report.checkpoints += 1;
            let fault = |what: String| LogFault::new(FaultKind::Checkpoint, what);
            let number = stored.number;
            if number != self.note_number + 1 {
                let first = self.note_number + 1;
                self.report.add(fault(format!("checkpoints {first} to {} are gone", number.saturating_sub(1))));
            }
            self.note_number = number;
            let note = String::from_utf8(stored.bytes).unwrap_or_default();
            match self.audit.public_key().open(&note) {
                Ok(checkpoint) if checkpoint.size > self.noted => {
                    self.note = Some(checkpoint);
                    return Ok(());
                }
                Ok(checkpoint) => {
                    let what =
                        format!("checkpoint {number} signs {} entries, as many as an earlier one", checkpoint.size);
                    self.report.add(fault(what).at(checkpoint.size));
                }
                Err(wrong) => self.report.add(fault(format!("checkpoint {number}: {wrong}")).at(self.noted)),
            }
        }
        Ok(())
    }

    fn block(&mut self, from: u64, to: u64) -> Result<(), AuditError> {
        self.spans(from, to)?;
        let tiles = self.leaf_tiles(from, to)?;
        let mut slots: Vec<Option<Slot>> = (from..to).map(|_| None).collect();
        for slot in log::slots(&self.audit.store, from, to)? {
            if let Some(place) = usize::try_from(slot.position - from).ok().and_then(|at| slots.get_mut(at)) {
                *place = Some(slot);
            }
        }
        for ((position, slot), signed) in (from..to).zip(slots).zip(tiles) {
            let found = slot.as_ref().and_then(|slot| slot.row.as_ref()).map(|row| leaf_hash(&row.header));
            self.entry(position, slot, found, signed)?;
            self.push(signed.or(found).unwrap_or_default())?;
        }
        Ok(())
    }

    /// Spans must follow one another in the log and in each stream.
    fn spans(&mut self, from: u64, to: u64) -> Result<(), AuditError> {
        let mut position = from;
        for span in log::spans(&self.audit.store, from, to)? {
            if span.position != position {
                let what = "log positions without a source, or with two";
                self.report.add(LogFault::new(FaultKind::Span, what).between(position, span.position.max(position)));
            }
            let next = &mut self.next[usize::from(span.stream.code())];
            if span.ordinal != *next {
                let what = format!("the run should begin with entry {next} of its stream");
                let fault = LogFault::new(FaultKind::Span, what).at(span.position);
                self.report.add(fault.source(span.stream, span.ordinal));
            }
            *next = span.ordinal.saturating_add(span.count);
            position = span.position.saturating_add(span.count);
        }
        if position < to {
            self.report.add(LogFault::new(FaultKind::Span, "log positions without a source").between(position, to));
        }
        Ok(())
    }

    /// The stored leaf hashes of a block of whole tiles.
    fn leaf_tiles(&mut self, from: u64, to: u64) -> Result<Vec<Option<Hash>>, AuditError> {
        let mut leaves = Vec::new();
        let mut begin = from;
        while begin < to {
            let end = to.min(begin + TILE_WIDTH as u64);
            let index = begin / TILE_WIDTH as u64;
            let tile = log::stored_tile(&self.audit.store, 0, index)?;
            let mut tile = tile.into_iter();
            let before = leaves.len();
            leaves.extend((begin..end).map(|_| tile.next()));
            if let Some(short) = leaves[before..].iter().position(Option::is_none) {
                let what = format!("tile {index} of level 0 is missing or too short");
                self.report.add(LogFault::new(FaultKind::Tile, what).between(begin + short as u64, end));
            }
            begin = end;
        }
        Ok(leaves)
    }

    /// One entry against its signed leaf, and its details against its header.
    fn entry(
        &mut self,
        position: u64,
        slot: Option<Slot>,
        found: Option<Hash>,
        signed: Option<Hash>,
    ) -> Result<(), AuditError> {
        let Some(Slot { stream, ordinal, row, .. }) = slot else { return Ok(()) };
        let Some(row) = row else {
            let fault = LogFault::new(FaultKind::Missing, "the entry is gone or cannot be read").at(position);
            self.report.add(fault.source(stream, ordinal));
            self.displace(signed, position);
            return Ok(());
        };
        if let (Some(signed), Some(found)) = (signed, found)
            && signed != found
        {
            self.displace(Some(signed), position);
            if self.mismatches.len() < FAULTS_MAX {
                self.mismatches.push(Mismatch { position, stream, ordinal, found });
            } else {
                self.report.add(LogFault::new(FaultKind::Changed, "not the entry that was signed here").at(position));
            }
            return Ok(());
        }
        self.details(position, stream, ordinal, &row)
    }

    /// The details of an entry against its header, and a sound entry against those before it.
    fn details(&mut self, position: u64, stream: Stream, ordinal: u64, row: &AuditRow) -> Result<(), AuditError> {
        let damaged = |what: EntryFault| LogFault::new(FaultKind::Details, what.to_string()).at(position);
        let header = match Header::decode(&row.header) {
            Ok(header) => header,
            Err(fault) => {
                self.report.add(damaged(fault).source(stream, ordinal));
                return Ok(());
            }
        };
        let fault = match self.audit.content(&header, &row.details)? {
            Content::Damaged(fault) => Some(damaged(fault)),
            Content::Open(_) => {
                self.report.opened += 1;
                self.recent.check(position, &header, &mut self.report.earlier)
            }
            Content::Shredded => {
                let key = entry::key_id(&row.details).unwrap_or_default();
                let what = || format!("the details from here on are sealed under key {key}, which is gone");
                let first = self.keys_missing.insert(key).then(|| LogFault::new(FaultKind::Key, what()).at(position));
                first.or(self.recent.check(position, &header, &mut self.report.earlier))
            }
        };
        if let Some(fault) = fault {
            self.report.add(fault.source(stream, ordinal));
        }
        Ok(())
    }

    fn displace(&mut self, signed: Option<Hash>, position: u64) {
        if let Some(signed) = signed
            && self.displaced.len() < FAULTS_MAX
        {
            self.displaced.insert(signed, position);
        }
    }

    /// Extends the tree, and compares what that completes: tiles above the leaves, and a checkpoint.
    fn push(&mut self, leaf: Hash) -> Result<(), AuditError> {
        let mut filled = Vec::new();
        self.tree.push(leaf, |level, index, hashes| {
            if level > 0 {
                filled.push((level, index, hashes.to_vec()));
            }
        });
        for (level, index, hashes) in filled {
            self.tile(level, index, &hashes)?;
        }
        let size = self.tree.size();
        while let Some(checkpoint) = self.note.filter(|checkpoint| checkpoint.size == size) {
            self.noted = size;
            if checkpoint.root == self.tree.root() {
                self.good = size;
            } else if self.good < size && self.report.faults.iter().all(|fault| fault.kind != FaultKind::Root) {
                // Every later root covers the same change, so only the first says where it is.
                let what = "the stored tree is not the signed one; the change is among these entries";
                self.report.add(LogFault::new(FaultKind::Root, what).between(self.good, size));
            }
            self.advance_note()?;
        }
        Ok(())
    }

    /// A stored tile above the leaves against the computed one; a difference names the tiles below it.
    fn tile(&mut self, level: u8, index: u64, hashes: &[Hash]) -> Result<(), AuditError> {
        let stored = log::stored_tile(&self.audit.store, level, index)?;
        for (at, hash) in (0_u64..).zip(hashes) {
            if usize::try_from(at).ok().and_then(|at| stored.get(at)) != Some(hash) {
                let below = index * TILE_WIDTH as u64 + at;
                let what = format!("tile {index} of level {level} is not the root of tile {below} below it");
                let leaves = (TILE_WIDTH as u64).saturating_pow(u32::from(level));
                let fault = LogFault::new(FaultKind::Tile, what);
                self.report.add(fault.between(below.saturating_mul(leaves), (below + 1).saturating_mul(leaves)));
            }
        }
        Ok(())
    }

    /// Looks for the originals of entries that may be copies of what was forgotten when they came.
    fn originals(&mut self, size: u64) -> Result<(), AuditError> {
        let mut from = 0;
        while from < size && self.recent.doubts() {
            let to = size.min(from + BLOCK);
            for slot in log::slots(&self.audit.store, from, to)? {
                let header = slot.row.and_then(|row| Header::decode(&row.header).ok());
                let fault = header.and_then(|header| self.recent.original(slot.position, &header));
                fault.into_iter().for_each(|fault| self.report.add(fault));
            }
            from = to;
        }
        Ok(())
    }

    fn finish(mut self, size: u64) -> Result<Report, AuditError> {
        let edge: Vec<_> =
            self.tree.partial_tiles().map(|(level, index, hashes)| (level, index, hashes.to_vec())).collect();
        for (level, index, hashes) in edge.into_iter().filter(|(level, _, _)| *level > 0) {
            self.tile(level, index, &hashes)?;
        }
        // The log grows meanwhile: a checkpoint over what came later is none over what is gone.
        let beyond = self.note.map(|checkpoint| checkpoint.size);
        let beyond = match beyond {
            Some(beyond) if beyond > self.audit.store.log_size()? => Some(beyond),
            _ => None,
        };
        if let Some(beyond) = beyond {
            let what = "a checkpoint signs entries whose log positions are gone";
            self.report.add(LogFault::new(FaultKind::Missing, what).between(size, beyond));
        } else if self.noted < size {
            let what = "log positions that no checkpoint signs";
            self.report.add(LogFault::new(FaultKind::Checkpoint, what).between(self.noted, size));
        }
        for Mismatch { position, stream, ordinal, found } in std::mem::take(&mut self.mismatches) {
            let fault = match self.displaced.get(&found) {
                Some(origin) => {
                    let what = format!("the entry that was signed at position {origin} stands here");
                    LogFault::new(FaultKind::Moved, what)
                }
                None => LogFault::new(FaultKind::Changed, "not the entry that was signed here"),
            };
            self.report.add(fault.at(position).source(stream, ordinal));
        }
        self.originals(size)?;
        self.report.faults.sort_by_key(|fault| fault.position);
        let root = self.tree.root();
        self.report.finish(size, &root);
        Ok(self.report)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use iris_kernel::{Clock as _, Tenant, Timestamp};
    use iris_store::{Store, StoreConfig, keyfile};
    use iris_testkit::{ManualClock, SeededEntropy};

    use super::*;
    use crate::{Action, Actor, Event, Outcome};

    #[test]
    fn a_clock_set_back_is_no_fault_and_hides_no_copy() {
        let folder = tempfile::tempdir().unwrap();
        let (clock, entropy) = (Arc::new(ManualClock::default()), Arc::new(SeededEntropy::new(3)));
        let data = folder.path().join("data");
        std::fs::create_dir_all(&data).unwrap();
        let keys = keyfile::open_or_create(&folder.path().join("key"), None, entropy.clone(), true).unwrap();
        let store = Store::open(StoreConfig::new(data), Arc::new(keys), clock.clone(), entropy.clone()).unwrap();
        let audit = Audit::open(store.clone(), clock.clone(), entropy).unwrap();
        let start = clock.now();
        let read = |at| {
            let event = Event::new(Tenant::DEFAULT, Actor::system(), Action::PhiRead, Outcome::Success, at);
            audit.record_blocking(&event).unwrap();
        };
        (0..20).for_each(|second| read(Timestamp(start.0 + second * 1_000_000)));
        (0..10).for_each(|second| read(Timestamp(start.0 - 3_600_000_000 + second)));
        let report = audit.verify_remembering(4, |_, _| {}).unwrap();
        assert!(report.good(), "{report:#?}");
        assert_eq!((report.size, report.earlier), (30, 10));

        // The second one is younger than the ten in front of it.
        let rows = [1, 12].map(|ordinal| store.audit_rows(Stream::Reads, ordinal, 1).unwrap().remove(0).1);
        store.journal().append_blocking(rows.to_vec()).unwrap();
        let report = audit.verify_remembering(4, |_, _| {}).unwrap();
        let found: Vec<_> =
            report.faults.iter().map(|fault| (fault.kind, fault.position, fault.what.as_str())).collect();
        assert_eq!(
            found,
            [
                (FaultKind::Repeated, Some(30), "a copy of the entry at position 1"),
                (FaultKind::Repeated, Some(31), "a copy of the entry at position 12"),
            ]
        );
    }
}
