//! Chains, reverse chains and lists: what a search asks of other records is asked first, each time with the caller's own permit for
//! the type that is looked through, and what was found there takes its place.
//!
//! What is hidden from the caller is not there for a chain either: neither its existence nor a word in it can be told from what a
//! chain finds.

use std::borrow::Cow;
use std::sync::Arc;

use iris_fhir::definitions::definitions;
use iris_fhir::reference::Reference;
use iris_index::{CHAIN_TARGETS_MAX, Page as Window, Wanted};
use iris_kernel::limits::{FHIR_PAGE_MAX, SEARCH_CHAIN_DEPTH_MAX};
use iris_kernel::{ErrorKind, Kind};
use iris_search::{Chain, Criterion, Has, Link, Query, Targets, join_key, refers_by_address};

use crate::permits::{Ids, Permits, Whose};
use crate::refusal::Refusal;
use crate::{Records, mask};

/// Most records that a chain over canonical addresses may lead to: each is read for its address and version.
const CANONICAL_TARGETS_MAX: usize = FHIR_PAGE_MAX;

impl Records {
    /// The search as the index and a document can answer it: without what the caller may not ask for, and with what was found in the
    /// place of what is asked of other records.
    ///
    /// # Errors
    /// A chain that leads through more than [`CHAIN_TARGETS_MAX`] records or more than `SEARCH_CHAIN_DEPTH_MAX` references.
    pub(crate) fn answerable<'q>(&self, permits: &mut Permits, query: &'q Query) -> Result<Cow<'q, Query>, Refusal> {
        self.answerable_at(permits, query, 0)
    }

    fn answerable_at<'q>(
        &self,
        permits: &mut Permits,
        query: &'q Query,
        depth: usize,
    ) -> Result<Cow<'q, Query>, Refusal> {
        let asked = mask::asked_by(&permits.caller, query);
        if asked.is_resolved() {
            return Ok(asked);
        }
        if depth >= SEARCH_CHAIN_DEPTH_MAX {
            let what = format!("a chain follows at most {SEARCH_CHAIN_DEPTH_MAX} references");
            return Err(Refusal::new(ErrorKind::TooLarge, "", what));
        }
        let mut query = asked.into_owned();
        let kind = query.kind;
        for criterion in query.all.iter_mut().chain(&mut query.none).flatten() {
            self.resolve_one(permits, kind, criterion, depth)?;
        }
        Ok(Cow::Owned(query))
    }

    fn resolve_one(
        &self,
        permits: &mut Permits,
        kind: Kind,
        criterion: &mut Criterion,
        depth: usize,
    ) -> Result<(), Refusal> {
        let found = match criterion {
            Criterion::All(inner) | Criterion::Any(inner) => {
                return inner.iter_mut().try_for_each(|inner| self.resolve_one(permits, kind, inner, depth));
            }
            Criterion::Not(inner) => return self.resolve_one(permits, kind, inner, depth),
            Criterion::Chain(chain) => match chain.link {
                Link::Reference => self.chain(permits, chain, depth)?,
                Link::Canonical => self.canonical_chain(permits, chain, depth)?,
            },
            Criterion::Has(has) => self.has(permits, kind, has, depth)?,
            Criterion::Listed(list) => self.listed(permits, kind, list)?,
            Criterion::Term(_)
            | Criterion::Prefix(_)
            | Criterion::Date { .. }
            | Criterion::Near(_)
            | Criterion::Nothing
            | Criterion::Scan(_)
            | Criterion::Refers { .. }
            | Criterion::Own(_) => return Ok(()),
        };
        *criterion = found;
        Ok(())
    }

    /// Which references lead to a match of the inner search.
    fn chain(&self, permits: &mut Permits, chain: &Chain, depth: usize) -> Result<Criterion, Refusal> {
        let to = self.targets(permits, &chain.inner, Wanted::Own, depth)?;
        Ok(if to.is_empty() { Criterion::Nothing } else { Criterion::Refers { param: chain.param, to } })
    }

    /// Which canonical addresses name a match of the inner search. Only the records themselves tell which version goes with which
    /// address.
    fn canonical_chain(&self, permits: &mut Permits, chain: &Chain, depth: usize) -> Result<Criterion, Refusal> {
        let Some(granted) = permits.get(chain.inner.kind) else { return Ok(Criterion::Nothing) };
        let inner = self.answerable_at(permits, &chain.inner, depth + 1)?;
        let window = Window { size: CANONICAL_TARGETS_MAX, after: None };
        let hits = self.index.search(permits.caller.tenant, &inner, &granted.restriction, window)?;
        if hits.next.is_some() {
            let what = format!("a chain over canonical addresses leads to at most {CANONICAL_TARGETS_MAX} records");
            return Err(Refusal::new(ErrorKind::TooLarge, "", what));
        }
        let mut named = Vec::new();
        for stored in self.fetch(&granted.permit, chain.inner.kind, &hits.seqs)? {
            named.extend(refers_by_address(chain.param, &stored.resource()?));
        }
        Ok(Criterion::Any(named))
    }

    /// Which records a match of the inner search refers to.
    fn has(&self, permits: &mut Permits, kind: Kind, has: &Has, depth: usize) -> Result<Criterion, Refusal> {
        let wanted = Wanted::Referred { param: has.param, kind };
        Ok(own(self.targets(permits, &has.inner, wanted, depth)?))
    }

    fn targets(
        &self,
        permits: &mut Permits,
        inner: &Query,
        wanted: Wanted,
        depth: usize,
    ) -> Result<Arc<Targets>, Refusal> {
        let Some(granted) = permits.get(inner.kind) else { return Ok(Arc::default()) };
        let inner = self.answerable_at(permits, inner, depth + 1)?;
        let tenant = permits.caller.tenant;
        Ok(self.index.targets(tenant, &inner, &granted.restriction, wanted, CHAIN_TARGETS_MAX)?)
    }

    /// The records that a List names and does not call deleted.
    fn listed(&self, permits: &mut Permits, kind: Kind, id: &str) -> Result<Criterion, Refusal> {
        let Some(list) = definitions().kind_of("List") else { return Ok(Criterion::Nothing) };
        let wanted = Ids::from([(list, [id.to_owned()].into())]);
        let Some(list) = self.fetch_ids(permits, &wanted, Whose::All)?.pop() else { return Ok(Criterion::Nothing) };
        let list = list.resource()?;
        let entries = list.root().get("entry").into_iter().flat_map(|entries| entries.items());
        let mut keys = Vec::new();
        for entry in entries.filter(|entry| entry.get("deleted").and_then(|flag| flag.as_bool()) != Some(true)) {
            let reference = entry.get("item").and_then(|item| item.get("reference")).and_then(|text| text.as_str());
            match reference.map(|text| Reference::within(&self.base_url, &text)) {
                Some(Reference::Local { kind: named, id, .. }) if named == kind => keys.push(join_key(kind, &id)),
                _ => {}
            }
        }
        if keys.len() > CHAIN_TARGETS_MAX {
            let what = format!("names more than {CHAIN_TARGETS_MAX} records");
            return Err(Refusal::new(ErrorKind::TooLarge, "_list", what));
        }
        Ok(own(Targets::shared(keys)))
    }
}

fn own(targets: Arc<Targets>) -> Criterion {
    if targets.is_empty() { Criterion::Nothing } else { Criterion::Own(targets) }
}
