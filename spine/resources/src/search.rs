//! Searching: the index says which, the store says what, and the cursor goes on where the page ended.

use std::collections::BTreeSet;

use iris_access::{Permit, Search};
use iris_audit::{Action as AuditAction, Sealed};
use iris_fhir::definitions::definitions;
use iris_fhir::search::{Query, compartment_term};
use iris_index::{Page as Window, Restriction};
use iris_kernel::limits::PAGE_DEFAULT;
use iris_kernel::{Seq, Tenant};

use crate::Records;
use crate::refusal::Refusal;
use crate::stored::Stored;
use crate::trail::Who;

/// One page of a search.
#[derive(Debug)]
pub struct Page {
    /// The matches in order.
    pub items: Vec<Stored>,
    /// The sealed cursor of the next page, where there is one.
    pub next: Option<String>,
    /// How many match in all, where it was asked for.
    pub total: Option<u64>,
}

impl Page {
    /// Whether more was found than is on the page, as far as it was counted.
    #[must_use]
    pub fn is_part(&self) -> bool {
        self.total.is_some_and(|total| total > self.items.len() as u64)
    }
}

impl Records {
    /// Runs a search. What the caller may not see is left out before anything is matched, counted or paged.
    ///
    /// # Errors
    /// A cursor of another search, an index that is being rebuilt, a damaged record.
    pub fn search(&self, permit: &Permit<Search>, query: &Query) -> Result<Sealed<Page>, Refusal> {
        let who = Who::caller(permit.caller());
        let restriction = Restriction { compartment: permit.restriction().map(compartment_term) };
        let bound = cursor_binding(&who, query, permit.restriction());
        let after = query.cursor.as_deref().map(|text| self.cursors.open(text, &bound)).transpose()?;
        let size = if query.summary_count { 0 } else { query.count.unwrap_or(PAGE_DEFAULT) };
        let hits = self.index.search(permit.tenant(), query, &restriction, Window { size, after })?;
        let items = self.fetch(permit.tenant(), &hits.seqs)?;
        let mut event = self.event(&who, if size == 0 { AuditAction::PhiCount } else { AuditAction::PhiSearch });
        event.query = query_text(query);
        event.patients =
            items.iter().flat_map(|i| &i.head.patients).collect::<BTreeSet<_>>().into_iter().cloned().collect();
        event.resources = items.iter().map(Stored::versioned_reference).collect();
        let next = hits.next.map(|position| self.cursors.seal(&position, &bound, self.entropy.as_ref()));
        Ok(self.audit.seal(Page { items, next, total: hits.total }, vec![event]))
    }

    /// The rows that the index named.
    pub(crate) fn fetch(&self, tenant: Tenant, seqs: &[Seq]) -> Result<Vec<Stored>, Refusal> {
        let rows = self.store.rows(tenant, seqs)?;
        // A row that the index knows and the store does not cannot be: rows are never removed. If it is so, the index lies.
        rows.into_iter()
            .map(|row| {
                row.map_or_else(
                    || {
                        Err(Refusal::new(
                            iris_kernel::ErrorKind::Damaged,
                            "",
                            "the index names a record that is not stored",
                        ))
                    },
                    Stored::from_found,
                )
            })
            .collect()
    }

    /// The live records that match and that the caller may see, at most `limit`, for conditional references and creates.
    pub(crate) fn matching(
        &self,
        permit: &Permit<Search>,
        query: &Query,
        limit: usize,
    ) -> Result<Vec<Stored>, Refusal> {
        let restriction = Restriction { compartment: permit.restriction().map(compartment_term) };
        let hits = self.index.search(permit.tenant(), query, &restriction, Window { size: limit, after: None })?;
        self.fetch(permit.tenant(), &hits.seqs)
    }
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
pub(crate) fn cursor_binding(who: &Who, query: &Query, patient: Option<&str>) -> Vec<u8> {
    let mut bound = Vec::new();
    bound.extend_from_slice(&who.tenant.0.to_be_bytes());
    bound.extend_from_slice(&who.actor.id);
    let text = query_text(query);
    for part in [text.as_str(), patient.unwrap_or_default()] {
        bound.extend_from_slice(&(part.len() as u64).to_be_bytes());
        bound.extend_from_slice(part.as_bytes());
    }
    bound
}
