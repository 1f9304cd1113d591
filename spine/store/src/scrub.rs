//! Scrubbing: looking at every row there is.

use std::collections::HashSet;

use iris_kernel::{Seq, Version};

use crate::backend::{Backend, RawRow};
use crate::error::StoreError;
use crate::journal::{Journal, JournalError};
use crate::keys::{KeyId, KeyRing};
use crate::store::Store;

/// Something that does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The row, where it is known.
    pub seq: Option<Seq>,
    /// What does not fit, without any stored value.
    pub what: String,
}

/// What a scrub found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScrubReport {
    /// Rows that were looked at.
    pub rows: u64,
    /// Data keys that were looked at.
    pub keys: u64,
    /// Entries of the journal that were looked at.
    pub entries: u64,
    /// Everything that does not fit, by row; at most [`ScrubReport::DAMAGE_MAX`].
    pub damage: Vec<Damage>,
    /// Damage beyond that limit.
    pub more: u64,
}

impl ScrubReport {
    /// Most places that one report names.
    pub const DAMAGE_MAX: usize = 1_000;

    /// Whether everything fits.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.damage.is_empty()
    }
}

/// Rows looked at in one go.
const ROWS_AT_ONCE: usize = 256;

impl Store {
    /// Looks at every row: that it is there, opens, follows its predecessor, and that the record's pointer leads to its
    /// newest one. Also at the data keys in use, at every entry of the journal of reads, and at what the database says of its
    /// own files. Damage does not stop it.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the database does not answer at all.
    pub fn scrub(&self) -> Result<ScrubReport, StoreError> {
        let backend = &*self.inner.backend;
        let mut scrub = Scrub { backend, keys: &self.inner.keys, report: ScrubReport::default(), seen: HashSet::new() };
        match backend.self_check() {
            Ok(lines) => lines.into_iter().for_each(|line| scrub.damage(None, line)),
            Err(StoreError::Damaged { what, .. }) => scrub.damage(None, what),
            Err(error) => return Err(error),
        }
        let head = self.head();
        let mut after = Seq(0);
        while after < head {
            let last = Seq(head.0.min(after.0 + ROWS_AT_ONCE as u64));
            let seqs: Vec<Seq> = (after.0 + 1..=last.0).map(Seq).collect();
            match backend.rows(&seqs) {
                Ok(rows) => seqs.iter().zip(rows).try_for_each(|(seq, row)| scrub.row(*seq, Ok(row)))?,
                // Something in this stretch does not read: find out which, one by one.
                Err(StoreError::Damaged { .. }) => {
                    for seq in seqs {
                        let row = backend.rows(&[seq]).map(|rows| rows.into_iter().next().flatten());
                        scrub.row(seq, row)?;
                    }
                }
                Err(error) => return Err(error),
            }
            after = last;
        }
        scrub.report.keys = scrub.seen.len() as u64;
        scrub.journal(self.journal())?;
        Ok(scrub.report)
    }
}

struct Scrub<'a> {
    backend: &'a dyn Backend,
    keys: &'a KeyRing,
    report: ScrubReport,
    seen: HashSet<KeyId>,
}

impl Scrub<'_> {
    fn damage(&mut self, seq: Option<Seq>, what: impl Into<String>) {
        if self.report.damage.len() < ScrubReport::DAMAGE_MAX {
            self.report.damage.push(Damage { seq, what: what.into() });
        } else {
            self.report.more += 1;
        }
    }

    /// Notes damage; passes on what is none.
    fn sound<T>(&mut self, seq: Seq, result: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(StoreError::Damaged { what, .. }) => {
                self.damage(Some(seq), what);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn row(&mut self, seq: Seq, row: Result<Option<RawRow>, StoreError>) -> Result<(), StoreError> {
        self.report.rows += 1;
        let row = match self.sound(seq, row)? {
            Some(Some(row)) => row,
            Some(None) => {
                self.damage(Some(seq), "the row is missing");
                return Ok(());
            }
            None => return Ok(()),
        };
        self.seen.insert(row.key);
        let opened = row.clone().open(self.keys).map(drop);
        self.sound(seq, opened)?;
        let pointer = self.backend.pointer(row.tenant, row.kind, row.record);
        if let Some(pointer) = self.sound(seq, pointer)? {
            match pointer {
                None => self.damage(Some(seq), "no pointer leads to its record"),
                Some(pointer) if pointer.seq < seq || pointer.version < row.version => {
                    self.damage(Some(seq), "the pointer of its record leads to an older row");
                }
                Some(pointer) if (pointer.seq == seq) != (pointer.version == row.version) => {
                    self.damage(Some(seq), "the pointer of its record names another version");
                }
                Some(_) => {}
            }
        }
        self.predecessor(&row)
    }

    fn journal(&mut self, journal: &Journal) -> Result<(), StoreError> {
        let head = journal.head();
        let mut next = 0;
        while next < head {
            let many = usize::try_from(head - next).unwrap_or(ROWS_AT_ONCE).min(ROWS_AT_ONCE);
            if journal.rows(next, many).is_err() {
                for entry in next..next + many as u64 {
                    match journal.rows(entry, 1) {
                        Ok(_) => {}
                        Err(error @ JournalError::Damaged(_)) => self.damage(None, error.to_string()),
                        Err(error) => return Err(error.into()),
                    }
                }
            }
            next += many as u64;
        }
        self.report.entries = head;
        Ok(())
    }

    fn predecessor(&mut self, row: &RawRow) -> Result<(), StoreError> {
        let Some(prev) = row.prev else {
            if row.version != Version::FIRST {
                self.damage(Some(row.seq), "its predecessor is not named");
            }
            return Ok(());
        };
        let found = self.backend.rows(&[prev]).map(|rows| rows.into_iter().next().flatten());
        // A predecessor that does not read is named by its own number, once.
        if let Ok(found) = found {
            let fits = |found: &RawRow| {
                (found.tenant, found.kind, found.record, found.version.next())
                    == (row.tenant, row.kind, row.record, row.version)
            };
            if prev >= row.seq || !found.as_ref().is_some_and(fits) {
                self.damage(Some(row.seq), "its predecessor is missing or is another record's");
            }
        }
        Ok(())
    }
}
