//! Several searches laid over each other: one list in one order, as a timeline is.

use std::collections::BTreeSet;

use iris_access::{Permit, Search};
use iris_audit::{Action as AuditAction, Sealed};
use iris_fhir::search::{Query, compartment_term};
use iris_index::{Page as Window, Position, Restriction};
use iris_kernel::{ErrorKind, Seq};

use crate::Records;
use crate::refusal::Refusal;
use crate::search::{cursor_binding, query_text};
use crate::stored::Stored;
use crate::trail::Who;

/// One page of several searches together.
#[derive(Debug)]
pub struct Merged {
    /// The matches in order, each with the place of the search that found it.
    pub items: Vec<(usize, Stored)>,
    /// The sealed cursor of the next page, where there is one.
    pub next: Option<String>,
    /// How many match in all, where every search asked for it.
    pub total: Option<u64>,
}

impl Records {
    /// Runs searches that sort alike and gives one page of all their matches in that order. A position is a time and a birth
    /// sequence, and both mean the same in every search: so one position is where all of them go on. Only the records of the page
    /// are opened. Page size and cursor of the queries themselves do not count.
    ///
    /// # Errors
    /// A cursor of another list, searches of different orders, an index that is being rebuilt, a damaged record.
    pub fn search_merged(
        &self,
        searches: &[(Permit<Search>, Query)],
        size: usize,
        cursor: Option<&str>,
    ) -> Result<Sealed<Merged>, Refusal> {
        let Some((first, query)) = searches.first() else {
            return Ok(self.audit.seal(Merged { items: Vec::new(), next: None, total: Some(0) }, Vec::new()));
        };
        let (who, tenant, order) = (Who::caller(first.caller()), first.tenant(), query.sort.order);
        let mixed = |(permit, query): &(Permit<Search>, Query)| permit.tenant() != tenant || query.sort.order != order;
        if searches.iter().any(mixed) {
            return Err(Refusal::new(ErrorKind::Internal, "", "the searches of one list differ in tenant or order"));
        }
        let bound: Vec<u8> =
            searches.iter().flat_map(|(permit, query)| cursor_binding(&who, query, permit.restriction())).collect();
        let after = cursor.map(|text| self.cursors.open(text, &bound)).transpose()?;
        let mut found: Vec<(Position, usize, Seq)> = Vec::new();
        let (mut more, mut total) = (false, Some(0));
        for (place, (permit, query)) in searches.iter().enumerate() {
            let restriction = Restriction { compartment: permit.restriction().map(compartment_term) };
            let hits = self.index.search(tenant, query, &restriction, Window { size, after })?;
            more |= hits.next.is_some();
            total = total.and_then(|sum: u64| Some(sum + hits.total?));
            found.extend(hits.positions.into_iter().zip(hits.seqs).map(|(position, seq)| (position, place, seq)));
        }
        found.sort_by(|a, b| a.0.compare(b.0, order));
        more |= found.len() > size;
        found.truncate(size);
        let next = found.last().filter(|_| more).map(|(position, ..)| *position);
        let seqs: Vec<Seq> = found.iter().map(|(.., seq)| *seq).collect();
        let items: Vec<Stored> = self.fetch(tenant, &seqs)?;
        let mut event = self.event(&who, AuditAction::PhiSearch);
        event.query = searches.iter().map(|(_, query)| query_text(query)).collect::<Vec<_>>().join(" ");
        event.patients =
            items.iter().flat_map(|item| &item.head.patients).collect::<BTreeSet<_>>().into_iter().cloned().collect();
        event.resources = items.iter().map(Stored::versioned_reference).collect();
        let next = next.map(|position| self.cursors.seal(&position, &bound, self.entropy.as_ref()));
        let items = found.into_iter().map(|(_, place, _)| place).zip(items).collect();
        Ok(self.audit.seal(Merged { items, next, total }, vec![event]))
    }
}
