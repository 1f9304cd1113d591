//! What records have been: of one, of a type, of all (R4 http.html#history). Newest first; what is written meanwhile stands before the
//! first page, so no page is moved by it.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use iris_access::{Caller, Denial, Facts, History, Labels, Permit, decide};
use iris_audit::{Action as AuditAction, Outcome, Sealed};
use iris_fhir::definitions::definitions;
use iris_kernel::{ErrorKind, Kind, RecordId, Seq, Tenant, Timestamp, Version};
use iris_store::Row;

use crate::cursor::refused;
use crate::read::{kind_of, with_labels};
use crate::refusal::Refusal;
use crate::stored::Stored;
use crate::trail::Who;
use crate::{Records, mask};

/// How far the clocks of nodes may be apart, and how long a write may take from its time to its place in the order of changes: older
/// versions than this before what is asked for need not be looked at.
const SKEW_MAX: Duration = Duration::from_secs(3_600);
/// How many stretches of the order of changes one page looks at. Where that is not enough, the page holds less, and names the next.
const STRETCHES_MAX: usize = 16;
/// Versions that are read at a time.
const ROWS: usize = 200;

/// Which versions are wanted.
#[derive(Clone, Debug)]
pub struct HistoryQuery {
    /// Those made at this moment or later (`_since`).
    pub since: Option<Timestamp>,
    /// Those that were current at some time from the first up to and without the second (`_at`).
    pub at: Option<(Timestamp, Timestamp)>,
    /// Most of one page.
    pub count: usize,
    /// Where the page begins.
    pub cursor: Option<String>,
}

/// A page of a history.
#[derive(Debug)]
pub struct HistoryPage {
    /// The versions, newest first, deletions among them.
    pub items: Vec<Stored>,
    /// The sealed cursor of the next page, where there may be one.
    pub next: Option<String>,
    /// How many there are in all, where that is known without looking at all of them.
    pub total: Option<u64>,
}

impl HistoryQuery {
    /// Whether a version is wanted that was made then and replaced then.
    fn wants(
        &self,
        made: Timestamp,
        deleted: bool,
        replaced: impl FnOnce() -> Result<Option<Timestamp>, Refusal>,
    ) -> Result<bool, Refusal> {
        if self.since.is_some_and(|since| made < since) {
            return Ok(false);
        }
        let Some((low, high)) = self.at else { return Ok(true) };
        if made >= high {
            return Ok(false);
        }
        // What was deleted before was nothing then.
        Ok(made >= low || (!deleted && replaced()?.is_none_or(|replaced| replaced > low)))
    }

    /// Whether nothing older can be wanted. With `_at` the oldest version may still be the current one.
    fn ends(&self, made: Timestamp) -> bool {
        self.since.is_some_and(|since| made.plus(SKEW_MAX) < since)
    }

    /// As the log and the cursor know it.
    fn text(&self, of: &str) -> String {
        let since = self.since.map(|since| format!("_since={since}")).unwrap_or_default();
        let at = self.at.map(|(low, high)| format!("&_at={}..{}", low.0, high.0)).unwrap_or_default();
        format!("{of}?{since}{at}")
    }
}

/// What a cursor is bound to: who goes on, and with what.
fn binding(who: &Who, text: &str) -> Vec<u8> {
    [b"history".as_slice(), &who.tenant.0.to_be_bytes(), &who.actor.id, text.as_bytes()].concat()
}

/// Versions on their way into a page.
struct Gathered {
    items: Vec<Stored>,
    patients: BTreeSet<String>,
}

/// What is known of whose records a caller may see the history.
struct Permits<'a> {
    caller: &'a Arc<Caller>,
    of: HashMap<Kind, Result<Permit<History>, Denial>>,
    labels: HashMap<(Kind, RecordId), Labels>,
}

impl Permits<'_> {
    fn of(&mut self, kind: Kind) -> Option<&Permit<History>> {
        let caller = self.caller;
        self.of.entry(kind).or_insert_with(|| decide(caller, History, &Facts::kind(kind))).as_ref().ok()
    }
}

impl Records {
    /// The versions of a record.
    ///
    /// # Errors
    /// When the store cannot be read, a version is damaged, or the cursor is of another list.
    pub fn history(
        &self,
        permit: &Permit<History>,
        id: &str,
        query: &HistoryQuery,
    ) -> Result<Sealed<HistoryPage>, Refusal> {
        let (who, kind, tenant) = (Who::caller(permit.caller()), kind_of(permit)?, permit.tenant());
        let own = format!("{}/{id}", definitions().name_of(kind));
        let bound = binding(&who, &query.text(&own));
        let after = self.start(query, &bound)?;
        let mut before = after.map(|seq| Version(u32::try_from(seq.0).unwrap_or(u32::MAX)));
        let now = self.labels_now(permit, kind, id)?;
        let mut replaced = match before {
            Some(before) => self.store.version(tenant, kind, id, before)?.map(|row| row.at),
            None => None,
        };
        let (mut items, mut patients, mut more) = (Vec::new(), BTreeSet::new(), false);
        let (mut newest, mut looked_at) = (None, 0);
        'looking: loop {
            let rows = self.store.history(tenant, kind, id, before, ROWS)?;
            let count = rows.len();
            for row in rows {
                newest = newest.or(Some(row.version));
                before = Some(row.version);
                looked_at += 1;
                let stored = Stored::from_row(row, id.to_owned())?;
                patients.extend(stored.head.patients.iter().cloned());
                let is_wanted = query.wants(stored.at, stored.deleted, || Ok(replaced))?;
                replaced = Some(stored.at);
                if query.ends(stored.at) {
                    break 'looking;
                }
                // A record that changed hands shows each patient only the versions that were theirs.
                if is_wanted && permit.admits(&with_labels(&stored, now)) {
                    more = items.len() == query.count;
                    if more {
                        break 'looking;
                    }
                    items.push(stored.seen_by(permit.caller())?);
                }
            }
            if count < ROWS {
                break;
            }
        }
        let mut event = self.event(&who, AuditAction::PhiHistory);
        event.resources.push(own);
        event.fields = mask::classes(items.iter());
        event.patients = patients.into_iter().collect();
        if looked_at == 0 || items.is_empty() {
            event.outcome = Outcome::Failure;
        }
        let last = items.last().map(|last| Seq(u64::from(last.version.0)));
        let next = last.filter(|_| more).map(|at| self.cursor_of(at, &bound));
        let is_open = query.since.is_none() && query.at.is_none() && permit.restriction().is_none() && after.is_none();
        let total = match newest {
            // Versions count from 1 without a gap.
            Some(newest) if is_open => Some(u64::from(newest.0)),
            _ => (after.is_none() && !more).then_some(items.len() as u64),
        };
        Ok(self.audit.seal(HistoryPage { items, next, total }, vec![event]))
    }

    /// The versions of the records of a type.
    ///
    /// # Errors
    /// As [`Records::history`].
    pub fn history_of_type(
        &self,
        permit: &Permit<History>,
        query: &HistoryQuery,
    ) -> Result<Sealed<HistoryPage>, Refusal> {
        self.history_among(permit.caller(), Some(kind_of(permit)?), query)
    }

    /// The versions of all records of the types whose history the caller may see.
    ///
    /// # Errors
    /// As [`Records::history`]; a caller who may see that of no type.
    pub fn history_of_all(&self, caller: &Arc<Caller>, query: &HistoryQuery) -> Result<Sealed<HistoryPage>, Refusal> {
        self.history_among(caller, None, query)
    }

    fn history_among(
        &self,
        caller: &Arc<Caller>,
        kind: Option<Kind>,
        query: &HistoryQuery,
    ) -> Result<Sealed<HistoryPage>, Refusal> {
        let who = Who::caller(caller);
        let text = query.text(&format!("{}/_history", kind.map_or("", |kind| definitions().name_of(kind))));
        let bound = binding(&who, &text);
        let after = self.start(query, &bound)?;
        let mut permits = Permits { caller, of: HashMap::new(), labels: HashMap::new() };
        let mut gathered = Gathered { items: Vec::new(), patients: BTreeSet::new() };
        let (mut before, mut ended) = (after, false);
        for _ in 0..STRETCHES_MAX {
            let stretch = self.store.changes(caller.tenant, kind, before, ROWS)?;
            before = stretch.on;
            for row in stretch.rows {
                if gathered.items.len() == query.count {
                    break;
                }
                ended = ended || query.ends(row.at);
                before = Some(row.seq);
                self.gather(row, query, &mut permits, &mut gathered)?;
            }
            let full = gathered.items.len() == query.count;
            if !full {
                before = stretch.on;
            }
            if full || ended || before.is_none() {
                break;
            }
        }
        let Gathered { items, patients } = gathered;
        let mut event = self.event(&who, AuditAction::PhiHistory);
        event.query = text;
        event.patients = patients.into_iter().collect();
        event.resources = items.iter().map(Stored::versioned_reference).collect();
        event.fields = mask::classes(items.iter());
        // The first of all changes has the number 1.
        let on = before.filter(|before| !ended && before.0 > 1);
        let total = (after.is_none() && on.is_none()).then_some(items.len() as u64);
        let next = on.map(|at| self.cursor_of(at, &bound));
        Ok(self.audit.seal(HistoryPage { items, next, total }, vec![event]))
    }

    /// Takes a version into the page, if it is wanted and the caller may see it.
    fn gather(
        &self,
        row: Row,
        query: &HistoryQuery,
        permits: &mut Permits<'_>,
        gathered: &mut Gathered,
    ) -> Result<(), Refusal> {
        let (tenant, kind, record) = (row.tenant, row.kind, row.record);
        let Some(permit) = permits.of(kind) else { return Ok(()) };
        let is_open = permit.restriction().is_none();
        let replaced = || {
            let next = row.version.next();
            let rows = self.store.history_by_record(tenant, kind, record, Some(next.next()), 1)?;
            Ok(rows.into_iter().next().filter(|it| it.version == next).map(|it| it.at))
        };
        if !query.wants(row.at, row.deleted, replaced)? {
            return Ok(());
        }
        let now = if is_open { Labels::NONE } else { self.labels_of_record(tenant, (kind, record), permits)? };
        let stored = self.named(row)?;
        let Some(permit) = permits.of(kind) else { return Ok(()) };
        if permit.admits(&with_labels(&stored, now)) {
            let stored = stored.seen_by(permit.caller())?;
            gathered.patients.extend(stored.head.patients.iter().cloned());
            gathered.items.push(stored);
        }
        Ok(())
    }

    /// The labels that a record has now: they hold for its earlier versions too.
    fn labels_of_record(
        &self,
        tenant: Tenant,
        (kind, record): (Kind, RecordId),
        permits: &mut Permits<'_>,
    ) -> Result<Labels, Refusal> {
        if let Some(known) = permits.labels.get(&(kind, record)) {
            return Ok(*known);
        }
        let row = self.store.current_by_record(tenant, kind, record)?;
        let now = row.map(|row| Stored::from_row(row, String::new())).transpose()?;
        let labels = now.map_or(Labels::NONE, |stored| stored.head.labels);
        permits.labels.insert((kind, record), labels);
        Ok(labels)
    }

    /// A version with its id. A deletion has no body that tells it: the version before has.
    fn named(&self, row: Row) -> Result<Stored, Refusal> {
        if !row.deleted {
            return Stored::from_found(row);
        }
        let before = self.store.history_by_record(row.tenant, row.kind, row.record, Some(row.version), 1)?;
        let id = before.into_iter().next().map(Stored::from_found).transpose()?.map(|stored| stored.id);
        let unnamed = || Refusal::new(ErrorKind::Damaged, "", "the version before a deletion is missing");
        Stored::from_row(row, id.ok_or_else(unnamed)?)
    }

    fn start(&self, query: &HistoryQuery, bound: &[u8]) -> Result<Option<Seq>, Refusal> {
        let Some(text) = query.cursor.as_deref() else { return Ok(None) };
        let clear = self.cursors.open_bytes(text, bound)?;
        let seq = clear.first_chunk::<8>().ok_or_else(refused)?;
        Ok(Some(Seq(u64::from_be_bytes(*seq))))
    }

    fn cursor_of(&self, at: Seq, bound: &[u8]) -> String {
        self.cursors.seal_bytes(&at.0.to_be_bytes(), bound, self.entropy.as_ref())
    }
}
