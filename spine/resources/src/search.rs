//! Searching: the index says which, the store says what, and the cursor goes on where the page ended.

use std::collections::BTreeSet;

use iris_access::{Permit, Search};
use iris_audit::{Action as AuditAction, Sealed};
use iris_fhir::definitions::definitions;
use iris_index::{Page as Window, Restriction};
use iris_kernel::limits::PAGE_DEFAULT;
use iris_kernel::{ErrorKind, Kind, Seq, Tenant};
use iris_search::Query;

use crate::refusal::Refusal;
use crate::stored::Stored;
use crate::trail::Who;
use crate::{Records, mask};

/// One page of a search.
#[derive(Debug)]
pub struct Page {
    /// The matches in order.
    pub items: Vec<Stored>,
    /// The sealed cursor of the next page, where there is one.
    pub next: Option<String>,
    /// How many match in all, where it was asked for.
    pub total: Option<u64>,
    /// Whether that counts records which only an emergency opens.
    pub lifted: bool,
}

impl Page {
    /// Whether more was found than is on the page, as far as it was counted.
    #[must_use]
    pub fn is_part(&self) -> bool {
        self.total.is_some_and(|total| total > self.items.len() as u64)
    }
}

/// A row that the index named, and for what.
pub(crate) struct Named<'a> {
    pub(crate) seq: Seq,
    pub(crate) permit: &'a Permit<Search>,
    pub(crate) kind: Kind,
}

impl Records {
    /// Runs a search. What the caller may not see is left out before anything is matched, counted or paged.
    ///
    /// # Errors
    /// A cursor of another search, an index that is being rebuilt, a damaged record.
    pub fn search(&self, permit: &Permit<Search>, query: &Query) -> Result<Sealed<Page>, Refusal> {
        let who = Who::caller(permit.caller());
        let restriction = within(permit);
        let bound = cursor_binding(&who, query, permit);
        let after = query.cursor.as_deref().map(|text| self.cursors.open(text, &bound)).transpose()?;
        let size = if query.summary_count { 0 } else { query.count.unwrap_or(PAGE_DEFAULT) };
        let hits =
            self.index.search(permit.tenant(), &mask::asked(permit, query), &restriction, Window { size, after })?;
        let items = self.fetch(permit, query.kind, &hits.seqs)?;
        let mut event = self.event(&who, if size == 0 { AuditAction::PhiCount } else { AuditAction::PhiSearch });
        event.query = query_text(query);
        event.patients =
            items.iter().flat_map(|i| &i.head.patients).collect::<BTreeSet<_>>().into_iter().cloned().collect();
        event.resources = items.iter().map(Stored::versioned_reference).collect();
        event.fields = mask::classes(items.iter());
        let next = hits.next.map(|position| self.cursors.seal(&position, &bound, self.entropy.as_ref()));
        let lifted = self.counts_lifted(permit, query, hits.total)?;
        Ok(self.audit.seal(Page { items, next, total: hits.total, lifted }, vec![event]))
    }

    /// Whether a total would be another one without the emergencies of the caller: it tells of records though it shows none.
    fn counts_lifted(&self, permit: &Permit<Search>, query: &Query, total: Option<u64>) -> Result<bool, Refusal> {
        let (Some(total), Some(unlifted)) = (total, permit.restriction().unlifted()) else { return Ok(false) };
        let unlifted = Restriction { clauses: unlifted.clauses() };
        Ok(self.index.count(permit.tenant(), &mask::asked(permit, query), &unlifted)? != total)
    }

    /// The rows that the index named for one search.
    pub(crate) fn fetch(&self, permit: &Permit<Search>, kind: Kind, seqs: &[Seq]) -> Result<Vec<Stored>, Refusal> {
        let named: Vec<Named<'_>> = seqs.iter().map(|&seq| Named { seq, permit, kind }).collect();
        self.fetch_each(permit.tenant(), &named)
    }

    /// The rows that the index named. Rows are never removed or changed, so one that is not there, or is not what was searched for,
    /// is of another history than the one that the index followed: nothing is shown, and the index looks for itself.
    pub(crate) fn fetch_each(&self, tenant: Tenant, named: &[Named<'_>]) -> Result<Vec<Stored>, Refusal> {
        let seqs: Vec<Seq> = named.iter().map(|named| named.seq).collect();
        let rows = self.store.rows(tenant, &seqs)?;
        let mut found = Vec::with_capacity(named.len());
        for (row, Named { permit, kind, .. }) in rows.into_iter().zip(named) {
            let Some(row) = row.filter(|row| row.kind == *kind && !row.deleted) else { return Err(self.doubted()) };
            let stored = Stored::from_found(row)?;
            if !permit.admits(&stored.head.facts()) {
                return Err(self.doubted());
            }
            found.push(stored.seen_by(permit.caller())?);
        }
        Ok(found)
    }

    fn doubted(&self) -> Refusal {
        if self.store.is_shared() {
            self.index.doubt();
            return Refusal::new(ErrorKind::Unavailable, "", "the search index does not fit the store now; try again");
        }
        Refusal::new(ErrorKind::Damaged, "", "the index names a record that is not stored")
    }

    /// The live records that match and that the caller may see, at most `limit`, for conditional references and creates. Something
    /// is decided by them, so what other nodes have written until now is looked through as well.
    pub(crate) fn matching(
        &self,
        permit: &Permit<Search>,
        query: &Query,
        limit: usize,
    ) -> Result<Vec<Stored>, Refusal> {
        let restriction = within(permit);
        self.caught_up()?;
        let query = mask::asked(permit, query);
        let hits = self.index.search(permit.tenant(), &query, &restriction, Window { size: limit, after: None })?;
        self.fetch(permit, query.kind, &hits.seqs)
    }
}

/// What a permit lets a search find, in the index's terms.
pub(crate) fn within(permit: &Permit<Search>) -> Restriction {
    Restriction { clauses: permit.restriction().clauses() }
}

/// The search as the log keeps it, sealed there: `Type?parameters`.
pub(crate) fn query_text(query: &Query) -> String {
    let mut text = format!("{}?", definitions().name_of(query.kind));
    for (i, (name, value)) in query.applied.iter().enumerate() {
        if i > 0 {
            text.push('&');
        }
        text.push_str(name);
        text.push('=');
        text.push_str(value);
    }
    text
}

/// What a cursor is bound to: it cannot be used by somebody else, for another search or under another restriction.
pub(crate) fn cursor_binding(who: &Who, query: &Query, permit: &Permit<Search>) -> Vec<u8> {
    let mut bound = Vec::new();
    bound.extend_from_slice(&who.tenant.0.to_be_bytes());
    bound.extend_from_slice(&who.actor.id);
    let text = query_text(query);
    bound.extend_from_slice(&(text.len() as u64).to_be_bytes());
    bound.extend_from_slice(text.as_bytes());
    bound.extend_from_slice(&permit.restriction().digest());
    bound
}
