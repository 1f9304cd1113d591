//! Scrubbing: looking at every row there is.

use std::collections::{BTreeSet, HashMap};
use std::ops::ControlFlow;

use iris_kernel::{Kind, RecordId, Seq, Tenant, Version};

use crate::backend::{Backend, Pointer, RawClaim, RawRow, Scope};
use crate::error::StoreError;
use crate::keys::{KeyId, KeyRing};
use crate::reads::Journal;
use crate::store::{Inner, Store};

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

/// How far a scrub is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scrubbed {
    /// Rows and entries of the journal that were looked at.
    pub done: u64,
    /// How many there are.
    pub total: u64,
}

/// Hears how far a scrub is, every few hundred rows; false stops it.
pub type Scrubbing<'a> = dyn FnMut(Scrubbed) -> bool + 'a;

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

    /// As [`Store::scrub`], until `going` says that it is enough: then there is no report, because what was not looked at may be
    /// damaged.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the database does not answer at all.
    pub fn scrub_while(&self, going: &mut Scrubbing<'_>) -> Result<Option<ScrubReport>, StoreError> {
        let Inner { backend, keys, .. } = &*self.inner;
        scrub_while(&**backend, keys, self.journal(), self.head(), going)
    }
}

/// As [`Store::scrub`], of the parts of a store.
pub(crate) fn scrub(
    backend: &dyn Backend,
    keys: &KeyRing,
    journal: &Journal,
    head: Seq,
) -> Result<ScrubReport, StoreError> {
    scrub_while(backend, keys, journal, head, &mut |_| true).map(Option::unwrap_or_default)
}

fn scrub_while(
    backend: &dyn Backend,
    keys: &KeyRing,
    journal: &Journal,
    head: Seq,
    going: &mut Scrubbing<'_>,
) -> Result<Option<ScrubReport>, StoreError> {
    let total = head.0.saturating_add(journal.head()?);
    let mut scrub = Scrub { backend, keys, report: ScrubReport::default(), seen: HashMap::new(), total, going };
    Ok(scrub.all(journal, head)?.is_continue().then_some(scrub.report))
}

/// What was asked for in one go; one by one where something of it is damaged, so that each has an answer of its own.
fn each<Q, A>(
    asked: &[Q],
    ask: impl Fn(&[Q]) -> Result<Vec<Option<A>>, StoreError>,
) -> Result<Vec<Result<Option<A>, StoreError>>, StoreError> {
    if asked.is_empty() {
        return Ok(Vec::new());
    }
    match ask(asked) {
        Ok(answers) => Ok(answers.into_iter().map(Ok).collect()),
        Err(StoreError::Damaged { .. }) => {
            let alone = |one| match ask(std::slice::from_ref(one)) {
                Ok(answers) => Ok(Ok(answers.into_iter().next().flatten())),
                Err(damage @ StoreError::Damaged { .. }) => Ok(Err(damage)),
                Err(error) => Err(error),
            };
            asked.iter().map(alone).collect()
        }
        Err(error) => Err(error),
    }
}

struct Scrub<'a, 'b> {
    backend: &'a dyn Backend,
    keys: &'a KeyRing,
    /// Rows and entries that there are.
    total: u64,
    going: &'a mut Scrubbing<'b>,
    report: ScrubReport,
    /// The keys that were looked at, and what is wrong with them.
    seen: HashMap<KeyId, Option<String>>,
}

impl Scrub<'_, '_> {
    /// Looks at everything, unless it is told to stop.
    fn all(&mut self, journal: &Journal, head: Seq) -> Result<ControlFlow<()>, StoreError> {
        match self.backend.self_check() {
            Ok(lines) => lines.into_iter().for_each(|line| self.damage(None, line)),
            Err(StoreError::Damaged { what, .. }) => self.damage(None, what),
            Err(error) => return Err(error),
        }
        let mut after = Seq(0);
        while after < head {
            let last = Seq(head.0.min(after.0 + ROWS_AT_ONCE as u64));
            let seqs: Vec<Seq> = (after.0 + 1..=last.0).map(Seq).collect();
            self.rows(&seqs)?;
            if self.tell().is_break() {
                return Ok(ControlFlow::Break(()));
            }
            after = last;
        }
        if self.other_keys()?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
        self.report.keys = self.seen.len() as u64;
        if self.claims()?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
        self.journal(journal)
    }

    /// Says how far it is, and hears whether to go on.
    fn tell(&mut self) -> ControlFlow<()> {
        let scrubbed = Scrubbed { done: self.report.rows + self.report.entries, total: self.total };
        if (self.going)(scrubbed) { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }

    /// A stretch of rows, with what leads to each and what each leads to.
    fn rows(&mut self, seqs: &[Seq]) -> Result<(), StoreError> {
        let backend = self.backend;
        let rows = each(seqs, |seqs| backend.rows(Scope::All, seqs))?;
        let there: Vec<&RawRow> = rows.iter().filter_map(|row| row.as_ref().ok()?.as_ref()).collect();
        let records: Vec<_> = there.iter().map(|row| (row.tenant, row.kind, row.record)).collect();
        let before: Vec<Seq> = there.iter().filter_map(|row| row.prev).collect();
        let mut pointers = each(&records, |records| backend.pointers(records))?.into_iter();
        let mut predecessors = each(&before, |seqs| backend.rows(Scope::All, seqs))?.into_iter();
        for (seq, row) in seqs.iter().zip(rows) {
            self.report.rows += 1;
            let Some(found) = self.sound(*seq, row)? else { continue };
            let Some(row) = found else {
                self.damage(Some(*seq), "the row is missing");
                continue;
            };
            let pointer = pointers.next().unwrap_or(Ok(None));
            let predecessor = row.prev.and_then(|_| predecessors.next());
            self.row(&row, pointer, predecessor)?;
        }
        Ok(())
    }

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

    fn row(
        &mut self,
        row: &RawRow,
        pointer: Result<Option<Pointer>, StoreError>,
        predecessor: Option<Result<Option<RawRow>, StoreError>>,
    ) -> Result<(), StoreError> {
        let seq = row.seq;
        match self.key(row.key)? {
            // Each row that needs it is named, even if the key is still in memory and the row can be read until the next start.
            Some(what) => self.damage(Some(seq), what),
            None => {
                let opened = row.clone().open(self.keys).map(drop);
                self.sound(seq, opened)?;
            }
        }
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
        self.predecessor(row, predecessor);
        Ok(())
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
    fn other_keys(&mut self) -> Result<ControlFlow<()>, StoreError> {
        for key in (1..=self.backend.key_last()?.0).map(KeyId) {
            if key.0.is_multiple_of(ROWS_AT_ONCE as u64) && self.tell().is_break() {
                return Ok(ControlFlow::Break(()));
            }
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
        Ok(ControlFlow::Continue(()))
    }

    /// A claim names a record but not its kind; the claims of one scope are mostly of one kind, which is tried first.
    fn claims(&mut self) -> Result<ControlFlow<()>, StoreError> {
        let mut kinds: Vec<Kind> = Vec::new();
        let mut after: Option<RawClaim> = None;
        loop {
            let claims = match self.backend.claims(after, ROWS_AT_ONCE) {
                Ok(claims) => claims,
                Err(StoreError::Damaged { what, .. }) => {
                    self.damage(None, format!("the claims cannot be read to their end: {what}"));
                    return Ok(ControlFlow::Continue(()));
                }
                Err(error) => return Err(error),
            };
            let Some(last) = claims.last() else { return Ok(ControlFlow::Continue(())) };
            after = Some(*last);
            for RawClaim { tenant, scope, holder, .. } in self.unheld(claims, &mut kinds)? {
                self.damage(
                    None,
                    format!("a claim of {scope:?} in {tenant:?} is held by {holder:?}, which is not there"),
                );
            }
            if self.tell().is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
    }

    /// The claims whose holders are not there. `kinds`: those that holders were of before, the last one first.
    fn unheld(&mut self, claims: Vec<RawClaim>, kinds: &mut Vec<Kind>) -> Result<Vec<RawClaim>, StoreError> {
        let mut open = claims;
        for at in 0..kinds.len() {
            let before = open.len();
            open = self.not_of(open, kinds[at])?;
            if open.len() < before {
                kinds[..=at].rotate_right(1);
            }
        }
        let tenants: BTreeSet<Tenant> = open.iter().map(|claim| claim.tenant).collect();
        for tenant in tenants {
            for kind in self.backend.kinds(tenant)? {
                if open.is_empty() || kinds.contains(&kind) {
                    continue;
                }
                let before = open.len();
                open = self.not_of(open, kind)?;
                if open.len() < before {
                    kinds.insert(0, kind);
                }
            }
        }
        Ok(open)
    }

    /// The claims whose holders are not there as records of a kind, without those of which that cannot be said.
    fn not_of(&mut self, claims: Vec<RawClaim>, kind: Kind) -> Result<Vec<RawClaim>, StoreError> {
        let holders: Vec<(Tenant, Kind, RecordId)> =
            claims.iter().map(|claim| (claim.tenant, kind, claim.holder)).collect();
        let found = each(&holders, |holders| self.backend.pointers(holders))?;
        let mut open = Vec::new();
        for (claim, found) in claims.into_iter().zip(found) {
            match found {
                Ok(None) => open.push(claim),
                Ok(Some(_)) => {}
                Err(damage) => self.damage(None, damage.to_string()),
            }
        }
        Ok(open)
    }

    fn journal(&mut self, journal: &Journal) -> Result<ControlFlow<()>, StoreError> {
        let head = journal.head()?;
        while self.report.entries < head {
            let next = self.report.entries;
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
            self.report.entries += many as u64;
            if self.tell().is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn predecessor(&mut self, row: &RawRow, found: Option<Result<Option<RawRow>, StoreError>>) {
        match found {
            None => {
                if row.version != Version::FIRST {
                    self.damage(Some(row.seq), "its predecessor is not named");
                }
            }
            // One that does not read is named by its own number, once.
            Some(Err(_)) => {}
            Some(Ok(found)) => {
                let fits = found.is_some_and(|found| {
                    (found.seq < row.seq)
                        && (found.tenant, found.kind, found.record, found.version.next())
                            == (row.tenant, row.kind, row.record, row.version)
                });
                if !fits {
                    self.damage(Some(row.seq), "its predecessor is missing or is another record's");
                }
            }
        }
    }
}
