//! The permits of one search beyond its own: each type that it looks through, follows a reference to or is led to by one, is asked
//! for by itself. What the caller may not search is as if it were not there, and the log has that it was asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use iris_access::{Caller, Facts, Permit, Search, decide};
use iris_audit::{Action as AuditAction, Event, Outcome};
use iris_index::{Page as Window, Restriction};
use iris_kernel::limits::SEARCH_ALTERNATIVES_MAX;
use iris_kernel::{Kind, Seq};
use iris_search::{Criterion, Query, compartments_term, parameter, term};

use crate::Records;
use crate::refusal::Refusal;
use crate::search::{Named, within};
use crate::stored::Stored;
use crate::trail::Who;

/// A permit with what it leaves out, in the index's terms: made once for all that one search asks of a type.
pub(crate) struct Granted {
    pub(crate) permit: Permit<Search>,
    pub(crate) restriction: Restriction,
}

/// Whose records are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    /// Anybody's.
    All,
    /// Those that are in the compartment of no patient.
    Nobodys,
}

/// Logical ids by their types.
pub(crate) type Ids = BTreeMap<Kind, BTreeSet<String>>;

/// What one caller may search, decided once for each type.
pub(crate) struct Permits {
    pub(crate) caller: Arc<Caller>,
    granted: BTreeMap<Kind, Option<Arc<Granted>>>,
    denials: BTreeSet<String>,
    /// Whether what an emergency opens is left out: to learn what it has opened.
    unlifted: bool,
}

impl Permits {
    pub(crate) fn of(caller: &Arc<Caller>) -> Self {
        Self { caller: Arc::clone(caller), granted: BTreeMap::new(), denials: BTreeSet::new(), unlifted: false }
    }

    /// The same caller as without the emergencies that they declared.
    pub(crate) fn unlifted(caller: &Arc<Caller>) -> Self {
        Self { unlifted: true, ..Self::of(caller) }
    }

    /// The permit for a type; `None` where there is none, which is noted.
    pub(crate) fn get(&mut self, kind: Kind) -> Option<Arc<Granted>> {
        if let Some(known) = self.granted.get(&kind) {
            return known.clone();
        }
        let granted = match decide(&self.caller, Search, &Facts::kind(kind)) {
            Ok(permit) => Some(Arc::new(self.grant(permit))),
            Err(denial) => {
                self.denials.insert(denial.to_string());
                None
            }
        };
        self.granted.insert(kind, granted.clone());
        granted
    }

    /// The permit for a type that nobody named: where there is none, that is no denial, as in a search of all types.
    pub(crate) fn get_unasked(&mut self, kind: Kind) -> Option<Arc<Granted>> {
        let is_new = !self.granted.contains_key(&kind);
        if is_new && decide(&self.caller, Search, &Facts::kind(kind)).is_err() {
            return None;
        }
        self.get(kind)
    }

    fn grant(&self, permit: Permit<Search>) -> Granted {
        let restriction = self.within(&permit);
        Granted { permit, restriction }
    }

    /// What a permit of this caller lets a search find.
    pub(crate) fn within(&self, permit: &Permit<Search>) -> Restriction {
        match permit.restriction().unlifted().filter(|_| self.unlifted) {
            Some(unlifted) => Restriction { clauses: unlifted.clauses() },
            None => within(permit),
        }
    }

    /// What was not allowed.
    pub(crate) fn into_denials(self) -> impl Iterator<Item = String> {
        self.denials.into_iter()
    }

    /// The entry of what was not allowed, if something was not.
    pub(crate) fn denied(&self, records: &Records, who: &Who) -> Option<Event> {
        if self.denials.is_empty() {
            return None;
        }
        let mut event = records.event(who, AuditAction::PhiDenied);
        event.outcome = Outcome::Denied;
        event.query = self.denials.iter().map(String::as_str).collect::<Vec<_>>().join("; ");
        Some(event)
    }
}

impl Records {
    /// The current records with these ids, as far as the caller may see them: found by the index, which leaves out what they may not,
    /// and read from the store at once. Absent, deleted and hidden ones are all just not there.
    pub(crate) fn fetch_ids(&self, permits: &mut Permits, wanted: &Ids, whose: Whose) -> Result<Vec<Stored>, Refusal> {
        let mut found: Vec<(Seq, Kind, Arc<Granted>)> = Vec::new();
        for (&kind, ids) in wanted.iter().filter(|(_, ids)| !ids.is_empty()) {
            let (Some(granted), Some(param)) = (permits.get(kind), parameter(kind, "_id")) else { continue };
            let ids: Vec<&String> = ids.iter().collect();
            for ids in ids.chunks(SEARCH_ALTERNATIVES_MAX) {
                let mut query = Query::everything(kind);
                query.all.push(ids.iter().map(|id| Criterion::Term(term::code(param.index, id))).collect());
                if whose == Whose::Nobodys {
                    query.none.push(vec![Criterion::Term(compartments_term())]);
                }
                let window = Window { size: ids.len(), after: None };
                let hits = self.index.search(permits.caller.tenant, &query, &granted.restriction, window)?;
                found.extend(hits.seqs.into_iter().map(|seq| (seq, kind, Arc::clone(&granted))));
            }
        }
        let named: Vec<Named<'_>> = found
            .iter()
            .map(|(seq, kind, granted)| Named { seq: *seq, permit: &granted.permit, kind: *kind })
            .collect();
        self.fetch_each(permits.caller.tenant, &named)
    }
}
