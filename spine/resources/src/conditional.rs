//! Criteria that stand for a record: conditional creates and conditional references.

use std::collections::HashSet;
use std::sync::Arc;

use iris_access::{Caller, sight};
use iris_kernel::{ErrorKind, Fault, Kind, RecordId};
use iris_search::{Query, QueryContext, extract, parse_query};
use iris_store::ClaimExpect;

use crate::Records;
use crate::lookups::Trail;
use crate::permits::Permits;
use crate::plan::{CONDITIONAL, Condition, condition_value};
use crate::refusal::Refusal;
use crate::stored::Stored;

/// Records that the write under way deletes: whatever is looked for, they are not there.
pub(crate) type Gone = HashSet<RecordId>;

/// Most parameters of criteria.
const CRITERIA_MAX: usize = 100;
/// What shapes the answer to a search and says nothing of what is searched for (R4 search.html#Summary).
const RESULTS: [&str; 12] = [
    "_count",
    "_cursor",
    "_sort",
    "_summary",
    "_elements",
    "_total",
    "_include",
    "_revinclude",
    "_contained",
    "_containedType",
    "_format",
    "_pretty",
];

/// Criteria that stand for a record, or for none: read, and not empty.
#[derive(Clone, Debug)]
pub struct Criteria {
    pub(crate) query: Query,
    /// In one spelling, whatever the order in which they were sent.
    pub(crate) text: String,
}

impl Criteria {
    /// The resource type that is looked through.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.query.kind
    }
}

impl Records {
    /// Looks for the record that criteria stand for. `Ok(Ok(..))` is that record; `Ok(Err(..))` is the claim that makes the record
    /// about to be written under `id` the only one: of two writers with the same criteria, one commits and the other finds it. There is
    /// no claim where one that is hidden from the caller holds it: that must neither be told nor taken away.
    pub(crate) fn conditional(
        &self,
        caller: &Arc<Caller>,
        Criteria { query, text: criteria }: &Criteria,
        (id, gone): (&str, &Gone),
        trail: &mut Trail,
    ) -> Result<Result<Stored, Option<Condition>>, Refusal> {
        let tenant = caller.tenant;
        let mut found = self.lookup(caller, query, 2 + gone.len(), trail)?;
        found.retain(|stored| !gone.contains(&self.store.record_id(tenant, stored.kind, &stored.id)));
        if found.len() > 1 {
            let what = "the criteria match more than one record";
            return Err(Refusal::new(ErrorKind::MultipleMatches, "", what));
        }
        if let Some(found) = found.pop() {
            return Ok(Ok(found));
        }
        let value = condition_value(query.kind, criteria);
        let expect = match self.store.claim_holder(tenant, CONDITIONAL, &[value.as_bytes()])? {
            None => ClaimExpect::Absent,
            Some(holder) if gone.contains(&holder) => ClaimExpect::HeldBy(holder),
            Some(holder) => {
                // The holder committed, yet the index did not show it: either it no longer matches, or it came after the search.
                // Then it must be looked at where it is: whoever took it for one that is gone would take its claim away.
                self.caught_up()?;
                let row = self.store.current_by_record(tenant, query.kind, holder)?.filter(|row| !row.deleted);
                if let Some(stored) = row.map(Stored::from_found).transpose()?
                    && self
                        .answerable(&mut Permits::of(caller), query)?
                        .matches(&extract(&stored.resource()?, stored.at))
                {
                    let seen = sight(caller, query.kind).admits(&stored.head.facts());
                    return Ok(if seen { Ok(stored) } else { Err(None) });
                }
                ClaimExpect::HeldBy(holder)
            }
        };
        let holder = self.store.record_id(tenant, query.kind, id);
        Ok(Err(Some(Condition { kind: query.kind, criteria: criteria.clone(), expect, holder })))
    }

    /// What searches are read against: this server's own address, and no leniency.
    #[must_use]
    pub fn query_context(&self) -> QueryContext<'_> {
        QueryContext::new(&self.base_url, self.clock.now())
    }

    /// Reads a query by the stored value sets and code systems that the caller sees.
    pub(crate) fn query_of(
        &self,
        caller: &Arc<Caller>,
        kind: Kind,
        pairs: &[(String, String)],
    ) -> Result<Query, Vec<Fault>> {
        let codes = self.terminology(caller);
        parse_query(kind, pairs, &QueryContext { terminology: &codes, ..self.query_context() })
    }

    /// Reads `name=value&…` as criteria, by the stored value sets and code systems that the caller sees.
    ///
    /// # Errors
    /// Every parameter that is no criterion or not supported, by name; criteria that say nothing.
    pub fn criteria(&self, caller: &Arc<Caller>, kind: Kind, text: &str) -> Result<Criteria, Refusal> {
        let pairs: Vec<(String, String)> =
            form_urlencoded::parse(text.as_bytes()).into_owned().take(CRITERIA_MAX + 1).collect();
        self.criteria_of(caller, kind, &pairs)
    }

    /// [`Records::criteria`] of a query that is taken apart already. They must say something: criteria that match everything stand
    /// for nothing.
    ///
    /// # Errors
    /// The same.
    pub fn criteria_of(
        &self,
        caller: &Arc<Caller>,
        kind: Kind,
        pairs: &[(String, String)],
    ) -> Result<Criteria, Refusal> {
        if pairs.len() > CRITERIA_MAX {
            let what = format!("there are at most {CRITERIA_MAX} criteria");
            return Err(Refusal::new(ErrorKind::TooLarge, "", what));
        }
        let idle = pairs.iter().filter(|(name, _)| RESULTS.contains(&name.split(':').next().unwrap_or_default()));
        let mut faults: Vec<Fault> =
            idle.map(|(name, _)| Fault::new(name.clone(), "does not say which record is meant")).collect();
        let query = match self.query_of(caller, kind, pairs) {
            Ok(query) => query,
            Err(found) => {
                faults.extend(found);
                return Err(Refusal::with(ErrorKind::NotSupported, faults));
            }
        };
        if !faults.is_empty() {
            return Err(Refusal::with(ErrorKind::NotSupported, faults));
        }
        if query.all.is_empty() && query.none.is_empty() {
            return Err(Refusal::new(ErrorKind::Invalid, "", "the criteria are empty"));
        }
        // Two who write the same in another order mean the same record.
        let mut named: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
        named.sort_unstable();
        Ok(Criteria { query, text: named.join("&") })
    }
}
