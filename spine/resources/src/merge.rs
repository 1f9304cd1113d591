//! Several searches for one answer: laid over each other in one order, as a timeline is, or side by side, as a summary is. Either
//! way the access log has one entry for them.

use iris_access::{Permit, Search};
use iris_audit::{Action as AuditAction, Event, Sealed};
use iris_index::{Page as Window, Position};
use iris_kernel::limits::PAGE_DEFAULT;
use iris_kernel::{ErrorKind, Seq};
use iris_search::Query;

use crate::Records;
use crate::everything::describe;
use crate::permits::Permits;
use crate::refusal::Refusal;
use crate::search::{Named, Page, are_sorted_alike, cursor_binding, query_text, within};
use crate::stored::Stored;
use crate::trail::Who;

/// What the access log is told of several searches for one answer.
#[derive(Clone, Copy, Debug)]
pub struct Concern<'a> {
    /// What the answer is.
    pub action: AuditAction,
    /// The id of the patient whom all of it is about, who is then concerned even where nothing is found.
    pub patient: Option<&'a str>,
}

/// What to look for next of a search, named by its place, after what it has found so far; `None` for no more.
pub type Further<'a> = dyn Fn(usize, &[Stored]) -> Result<Option<Query>, Refusal> + Send + Sync + 'a;

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
        concern: Concern<'_>,
        size: usize,
        cursor: Option<&str>,
    ) -> Result<Sealed<Merged>, Refusal> {
        let Some((first, query)) = searches.first() else {
            return Ok(self.audit.seal(Merged { items: Vec::new(), next: None, total: Some(0) }, Vec::new()));
        };
        let (who, tenant) = (Who::caller(first.caller()), first.tenant());
        let mixed =
            |(permit, other): &(Permit<Search>, Query)| permit.tenant() != tenant || !are_sorted_alike(query, other);
        if searches.iter().any(mixed) {
            return Err(Refusal::new(ErrorKind::Internal, "", "the searches of one list differ in tenant or order"));
        }
        let bound: Vec<u8> = searches.iter().flat_map(|(permit, query)| cursor_binding(&who, query, permit)).collect();
        let after = cursor.map(|text| self.cursors.open(text, &bound)).transpose()?;
        let mut found: Vec<(Position, usize, Seq)> = Vec::new();
        let (mut more, mut total) = (false, Some(0));
        let mut permits = Permits::of(first.caller());
        for (place, (permit, query)) in searches.iter().enumerate() {
            let asked = self.answerable(&mut permits, query)?;
            let hits = self.index.search(tenant, &asked, &within(permit), Window { size, after: after.clone() })?;
            more |= hits.next.is_some();
            total = total.and_then(|sum: u64| Some(sum + hits.total?));
            found.extend(hits.positions.into_iter().zip(hits.seqs).map(|(position, seq)| (position, place, seq)));
        }
        found.sort_by(|a, b| a.0.cmp(&b.0));
        more |= found.len() > size;
        found.truncate(size);
        let next = found.last().filter(|_| more).map(|(position, ..)| position.clone());
        let named = found.iter().filter_map(|(_, place, seq)| {
            searches.get(*place).map(|(permit, query)| Named { seq: *seq, permit, kind: query.kind })
        });
        let items = self.fetch_each(tenant, &named.collect::<Vec<_>>())?;
        let event = self.entry(&who, searches, concern, items.iter());
        let events = [Some(event), permits.denied(self, &who)].into_iter().flatten().collect();
        let next = next.map(|position| self.cursors.seal(&position, &bound, self.entropy.as_ref()));
        let items = found.into_iter().map(|(_, place, _)| place).zip(items).collect();
        Ok(self.audit.seal(Merged { items, next, total }, events))
    }

    /// Runs searches and gives the first page of each, of the size that its query asks for. Where a page does not hold all that
    /// was found, `further` may ask for what else to look for: its finds follow on that page, and the total is what was found in
    /// all, and what the last search still left out.
    ///
    /// # Errors
    /// An index that is being rebuilt, a damaged record.
    pub fn search_each(
        &self,
        searches: &[(Permit<Search>, Query)],
        concern: Concern<'_>,
        further: &Further<'_>,
    ) -> Result<Sealed<Vec<Page>>, Refusal> {
        let Some((first, _)) = searches.first() else { return Ok(self.audit.seal(Vec::new(), Vec::new())) };
        let who = Who::caller(first.caller());
        let mut pages = Vec::with_capacity(searches.len());
        let mut permits = Permits::of(first.caller());
        for (place, (permit, query)) in searches.iter().enumerate() {
            let mut page = self.first_page(&mut permits, permit, query)?;
            while page.is_part() {
                let Some(query) = further(place, &page.items)? else { break };
                let more = self.first_page(&mut permits, permit, &query)?;
                page.total = more.total.map(|total| total + page.items.len() as u64);
                page.items.extend(more.items);
            }
            pages.push(page);
        }
        let event = self.entry(&who, searches, concern, pages.iter().flat_map(|page| &page.items));
        let events = [Some(event), permits.denied(self, &who)].into_iter().flatten().collect();
        Ok(self.audit.seal(pages, events))
    }

    fn first_page(&self, permits: &mut Permits, permit: &Permit<Search>, query: &Query) -> Result<Page, Refusal> {
        let window = Window { size: query.count.unwrap_or(PAGE_DEFAULT), after: None };
        let hits = self.index.search(permit.tenant(), &*self.answerable(permits, query)?, &within(permit), window)?;
        let items = self.fetch(permit, query.kind, &hits.seqs)?;
        Ok(Page { items, included: Vec::new(), next: None, total: hits.total, lifted: false })
    }

    /// The one entry of several searches.
    fn entry<'a>(
        &self,
        who: &Who,
        searches: &[(Permit<Search>, Query)],
        concern: Concern<'_>,
        items: impl Iterator<Item = &'a Stored>,
    ) -> Event {
        let mut event = self.event(who, concern.action);
        event.query = searches.iter().map(|(_, query)| query_text(query)).collect::<Vec<_>>().join(" ");
        event.patients = concern.patient.into_iter().map(str::to_owned).collect();
        describe(&mut event, items);
        event
    }
}
