//! Criteria that stand for a record: conditional creates and conditional references.

use std::sync::Arc;

use iris_access::{Caller, sight};
use iris_kernel::{ErrorKind, Fault, Kind};
use iris_search::{Query, QueryContext, extract, parse_query};
use iris_store::ClaimExpect;

use crate::lookups::Trail;
use crate::permits::Permits;
use crate::plan::{CONDITIONAL, Condition, condition_value};
use crate::refusal::Refusal;
use crate::stored::Stored;
use crate::Records;

impl Records {
    /// Looks for the record that criteria stand for. `Ok(Ok(..))` is that record; `Ok(Err(..))` is the claim that makes the record
    /// about to be written under `id` the only one: of two writers with the same criteria, one commits and the other finds it. There is
    /// no claim where one that is hidden from the caller holds it: that must neither be told nor taken away.
    pub(crate) fn conditional(
        &self,
        caller: &Arc<Caller>,
        query: &Query,
        criteria: &str,
        id: &str,
        trail: &mut Trail,
    ) -> Result<Result<Stored, Option<Condition>>, Refusal> {
        let tenant = caller.tenant;
        let mut found = self.lookup(caller, query, trail)?;
        if found.len() > 1 {
            let what = "the criteria match more than one record";
            return Err(Refusal::new(ErrorKind::MultipleMatches, "If-None-Exist", what));
        }
        if let Some(found) = found.pop() {
            return Ok(Ok(found));
        }
        let value = condition_value(query.kind, criteria);
        let expect = match self.store.claim_holder(tenant, CONDITIONAL, &[value.as_bytes()])? {
            None => ClaimExpect::Absent,
            Some(holder) => {
                // The holder committed, yet the index did not show it: either it no longer matches, or it came after the search.
                // Then it must be looked at where it is: whoever took it for one that is gone would take its claim away.
                self.caught_up()?;
                let row = self.store.current_by_record(tenant, query.kind, holder)?.filter(|row| !row.deleted);
                if let Some(stored) = row.map(Stored::from_found).transpose()?
                    && self.answerable(&mut Permits::of(caller), query)?.matches(&extract(&stored.resource()?, stored.at))
                {
                    let seen = sight(caller, query.kind).admits(&stored.head.facts());
                    return Ok(if seen { Ok(stored) } else { Err(None) });
                }
                ClaimExpect::HeldBy(holder)
            }
        };
        let holder = self.store.record_id(tenant, query.kind, id);
        Ok(Err(Some(Condition { kind: query.kind, criteria: criteria.to_owned(), expect, holder })))
    }

    /// What searches are read against: this server's own address, and no leniency.
    #[must_use]
    pub fn query_context(&self) -> QueryContext<'_> {
        QueryContext::new(&self.base_url, self.clock.now())
    }

    /// Reads `name=value&…` as criteria. They must say something: criteria that match everything stand for nothing.
    pub(crate) fn criteria(&self, kind: Kind, text: &str) -> Result<Query, Vec<Fault>> {
        let pairs: Vec<(String, String)> = form_urlencoded::parse(text.as_bytes()).into_owned().collect();
        let query = parse_query(kind, &pairs, &self.query_context())?;
        if query.all.is_empty() { Err(vec![Fault::new("", "the criteria are empty")]) } else { Ok(query) }
    }

    /// The one live record that a conditional reference stands for, or what is wrong with the reference.
    ///
    /// # Errors
    /// A part that is needed is away or damaged, for which the reference can do nothing.
    pub(crate) fn referred(
        &self,
        caller: &Arc<Caller>,
        kind: Kind,
        criteria: &str,
        trail: &mut Trail,
    ) -> Result<Result<Stored, Vec<Fault>>, Refusal> {
        let query = match self.criteria(kind, criteria) {
            Ok(query) => query,
            Err(faults) => return Ok(Err(faults)),
        };
        let fault = |what: &str| Err(vec![Fault::new("", what)]);
        let mut found = match self.lookup(caller, &query, trail) {
            Ok(found) => found,
            Err(refusal) if refusal.is_ours() => return Err(refusal),
            Err(refusal) => return Ok(Err(refusal.faults)),
        };
        Ok(match (found.pop(), found.pop()) {
            (Some(one), None) => Ok(one),
            (None, _) => fault("the conditional reference matches nothing"),
            (Some(_), Some(_)) => fault("the conditional reference matches more than one record"),
        })
    }
}
