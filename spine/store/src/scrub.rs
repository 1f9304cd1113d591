//! Scrubbing: looking at every row there is.

use std::collections::HashMap;

use iris_kernel::{Kind, Seq, Version};

use crate::backend::{Backend, RawClaim, RawRow, Scope};
use crate::error::StoreError;
use crate::keys::{KeyId, KeyRing};
use crate::reads::Journal;
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
    /// newest one. Also at every data key, read and unwrapped anew (what is in memory says nothing about the next start); that
    /// every claim is held by a record that is there; at every entry of the journal of reads; and at what the database says of
    /// its own files. Damage does not stop it.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the database does not answer at all.
    pub fn scrub(&self) -> Result<ScrubReport, StoreError> {
        scrub(&*self.inner.backend, &self.inner.keys, self.journal(), self.head())
    }
}

/// As [`Store::scrub`], of the parts of a store.
pub(crate) fn scrub(
    backend: &dyn Backend,
    keys: &KeyRing,
    journal: &Journal,
    head: Seq,
) -> Result<ScrubReport, StoreError> {
    let mut scrub = Scrub { backend, keys, report: ScrubReport::default(), seen: HashMap::new() };
    match backend.self_check() {
        Ok(lines) => lines.into_iter().for_each(|line| scrub.damage(None, line)),
        Err(StoreError::Damaged { what, .. }) => scrub.damage(None, what),
        Err(error) => return Err(error),
    }
    let mut after = Seq(0);
    while after < head {
        let last = Seq(head.0.min(after.0 + ROWS_AT_ONCE as u64));
        let seqs: Vec<Seq> = (after.0 + 1..=last.0).map(Seq).collect();
        match backend.rows(Scope::All, &seqs) {
            Ok(rows) => seqs.iter().zip(rows).try_for_each(|(seq, row)| scrub.row(*seq, Ok(row)))?,
            // Something in this stretch does not read: find out which, one by one.
            Err(StoreError::Damaged { .. }) => {
                for seq in seqs {
                    let row = backend.rows(Scope::All, &[seq]).map(|rows| rows.into_iter().next().flatten());
                    scrub.row(seq, row)?;
                }
            }
            Err(error) => return Err(error),
        }
        after = last;
    }
    scrub.other_keys()?;
    scrub.report.keys = scrub.seen.len() as u64;
    scrub.claims()?;
    scrub.journal(journal)?;
    Ok(scrub.report)
}

struct Scrub<'a> {
    backend: &'a dyn Backend,
    keys: &'a KeyRing,
    report: ScrubReport,
    /// The keys that were looked at, and what is wrong with them.
    seen: HashMap<KeyId, Option<String>>,
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
        match self.key(row.key)? {
            // Each row that needs it is named, even if the key is still in memory and the row can be read until the next start.
            Some(what) => self.damage(Some(seq), what),
            None => {
                let opened = row.clone().open(self.keys).map(drop);
                self.sound(seq, opened)?;
            }
        }
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

    /// What is wrong with a key, looked at once.
    fn key(&mut self, key: KeyId) -> Result<Option<String>, StoreError> {
        if let Some(known) = self.seen.get(&key) {
            return Ok(known.clone());
        }
        let found = match self.keys.check(key) {
            Ok(()) => None,
            Err(StoreError::Damaged { what, .. }) => Some(what),
            Err(error) => return Err(error),
        };
        self.seen.insert(key, found.clone());
        Ok(found)
    }

    /// The keys that no row uses: wrapping keys, those of the audit log and of events. Numbers may be missing.
    fn other_keys(&mut self) -> Result<(), StoreError> {
        for key in (1..=self.backend.key_last()?.0).map(KeyId) {
            if self.seen.contains_key(&key) {
                continue;
            }
            let found = match self.backend.key(key) {
                Ok(None) => continue,
                Ok(Some(_)) => self.key(key)?,
                Err(StoreError::Damaged { what, .. }) => Some(format!("data key {}: {what}", key.0)),
                Err(error) => return Err(error),
            };
            if let Some(what) = found {
                self.damage(None, what);
            }
        }
        Ok(())
    }

    /// A claim names a record but not its kind; the claims of one scope are mostly of one kind, which is tried first.
    fn claims(&mut self) -> Result<(), StoreError> {
        let mut kinds: Vec<Kind> = Vec::new();
        let mut after: Option<RawClaim> = None;
        loop {
            let claims = match self.backend.claims(after, ROWS_AT_ONCE) {
                Ok(claims) => claims,
                Err(StoreError::Damaged { what, .. }) => {
                    self.damage(None, format!("the claims cannot be read to their end: {what}"));
                    return Ok(());
                }
                Err(error) => return Err(error),
            };
            let Some(last) = claims.last() else { return Ok(()) };
            after = Some(*last);
            for claim in claims {
                match self.is_held(&claim, &mut kinds) {
                    Ok(true) => continue,
                    Ok(false) => {}
                    Err(StoreError::Damaged { what, .. }) => {
                        self.damage(None, what);
                        continue;
                    }
                    Err(error) => return Err(error),
                }
                let RawClaim { tenant, scope, holder, .. } = claim;
                self.damage(
                    None,
                    format!("a claim of {scope:?} in {tenant:?} is held by {holder:?}, which is not there"),
                );
            }
        }
    }

    /// Whether the holder of a claim is there. `kinds`: those that holders were of before, the last one first.
    fn is_held(&self, claim: &RawClaim, kinds: &mut Vec<Kind>) -> Result<bool, StoreError> {
        let is_there = |kind| self.backend.pointer(claim.tenant, kind, claim.holder).map(|found| found.is_some());
        for at in 0..kinds.len() {
            if is_there(kinds[at])? {
                kinds[..=at].rotate_right(1);
                return Ok(true);
            }
        }
        for kind in self.backend.kinds(claim.tenant)? {
            if !kinds.contains(&kind) && is_there(kind)? {
                kinds.insert(0, kind);
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn journal(&mut self, journal: &Journal) -> Result<(), StoreError> {
        let head = journal.head()?;
        let mut next = 0;
        while next < head {
            let many = usize::try_from(head - next).unwrap_or(ROWS_AT_ONCE).min(ROWS_AT_ONCE);
            if journal.rows(next, many).is_err() {
                for entry in next..next + many as u64 {
                    match journal.rows(entry, 1) {
                        Ok(_) => {}
                        Err(StoreError::Damaged { what, .. }) => self.damage(None, what),
                        Err(error) => return Err(error),
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
        let found = self.backend.rows(Scope::All, &[prev]).map(|rows| rows.into_iter().next().flatten());
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
