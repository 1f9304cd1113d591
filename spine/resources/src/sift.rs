//! Searches whose order only the records themselves tell: the index names candidates, a judge looks at each, the best are
//! answered.

use std::collections::HashSet;

use iris_access::{Permit, Search};
use iris_audit::{Action as AuditAction, Sealed};
use iris_index::Page as Window;
use iris_search::Query;

use crate::Records;
use crate::everything::describe;
use crate::permits::Permits;
use crate::refusal::Refusal;
use crate::search::{query_text, within};
use crate::stored::Stored;
use crate::trail::Who;

/// Tells how good a candidate is. A judge keeps nothing of what it sees: the candidates that are not answered are not in the
/// log either.
pub trait Judge {
    /// How good; a smaller one is better.
    type Verdict: Ord;

    /// The verdict on a candidate; `None` leaves it out.
    ///
    /// # Errors
    /// A record that cannot be read.
    fn judge(&self, candidate: &Stored) -> Result<Option<Self::Verdict>, Refusal>;
}

/// When enough has been looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// Each round finds what the round before finds, and worse. When there are more than are wanted, or when the first `rounds`,
    /// those of good finds, have found `items` or more: poor finds beside so many good ones are noise.
    Enough {
        /// How many rounds look for good finds.
        rounds: usize,
        /// How many good finds are enough.
        items: usize,
    },
    /// After the last round.
    Last,
}

impl Until {
    /// Whether nothing more is looked for after so many rounds that found so many.
    const fn is_reached(self, rounds: usize, found: usize, wanted: usize) -> bool {
        match self {
            // One more than is wanted, to know that there are more.
            Self::Enough { rounds: good, items } => found > wanted || (rounds >= good && found >= items),
            Self::Last => false,
        }
    }
}

/// How much is looked at and answered.
#[derive(Clone, Copy, Debug)]
pub struct Measure {
    /// Most records that are answered.
    pub wanted: usize,
    /// Most candidates of one round, the newest; up to `FHIR_PAGE_MAX`.
    pub candidates: usize,
    /// When enough has been looked at.
    pub until: Until,
}

/// The best candidates.
#[derive(Debug)]
pub struct Sifted<V> {
    /// Each with its verdict, best first; those that are equally good in the order in which they were first stored.
    pub items: Vec<(Stored, V)>,
    /// Whether there are more than were answered or looked at.
    pub more: bool,
}

impl Records {
    /// Runs searches one after the other and answers the best of what they find. The log has one search, described by the
    /// first query, over the records that are answered; what the caller may not see is left out before anything is looked at.
    ///
    /// # Errors
    /// An index that is being rebuilt, a damaged record, a search that is too wide.
    pub fn sift<J: Judge>(
        &self,
        permit: &Permit<Search>,
        rounds: &[Query],
        judge: &J,
        measure: Measure,
    ) -> Result<Sealed<Sifted<J::Verdict>>, Refusal> {
        let restriction = within(permit);
        let mut permits = Permits::of(permit.caller());
        let mut seen = HashSet::new();
        let mut items = Vec::new();
        let mut more = false;
        for (round, query) in rounds.iter().enumerate() {
            let window = Window { size: measure.candidates, after: None };
            let asked = self.answerable(&mut permits, query)?;
            let hits = self.index.search(permit.tenant(), &asked, &restriction, window)?;
            more = more || hits.next.is_some();
            let new: Vec<_> = hits.seqs.into_iter().filter(|seq| seen.insert(*seq)).collect();
            for candidate in self.fetch(permit, query.kind, &new)? {
                if let Some(verdict) = judge.judge(&candidate)? {
                    items.push((candidate, verdict));
                }
            }
            if measure.until.is_reached(round + 1, items.len(), measure.wanted) {
                break;
            }
        }
        items.sort_by(|(a, good), (b, better)| good.cmp(better).then(a.born.cmp(&b.born)));
        more = more || items.len() > measure.wanted;
        items.truncate(measure.wanted);
        let mut event = self.event(&Who::caller(permit.caller()), AuditAction::PhiSearch);
        event.query = rounds.first().map(query_text).unwrap_or_default();
        describe(&mut event, items.iter().map(|(stored, _)| stored));
        let events = [Some(event), permits.denied(self, &Who::caller(permit.caller()))].into_iter().flatten().collect();
        Ok(self.audit.seal(Sifted { items, more }, events))
    }
}
