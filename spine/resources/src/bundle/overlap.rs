//! Criteria of one entry that mean what another entry makes, or changes so that they mean it. Entries are carried out one after the
//! other (R4 http.html#3.1.0.11.2), and resources that overlap so make a transaction fail: were the criteria asked of the store alone,
//! there would be two records of one thing afterwards.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use iris_access::Caller;
use iris_kernel::{ErrorKind, Kind};
use iris_search::{Criterion, Query, SearchDocument, Term};

use crate::Records;
use crate::bundle::resolve::Resolution;
use crate::conditional::Criteria;
use crate::permits::Permits;
use crate::plan::Plan;
use crate::refusal::Refusal;

/// What an entry with criteria writes.
pub(crate) struct Meaning {
    /// The number of the entry.
    pub(crate) index: usize,
    /// The id of the record that it makes or replaces.
    pub(crate) id: String,
    pub(crate) criteria: Criteria,
}

/// What the bundle makes of one type, by the terms that are asked for.
#[derive(Default)]
struct Made<'p> {
    all: Vec<(&'p str, &'p SearchDocument)>,
    by_term: HashMap<&'p Term, Vec<usize>>,
}

impl Records {
    /// The entries whose criteria another entry makes a match of, each with its refusal.
    ///
    /// # Errors
    /// More comparisons than there may be; a part that is needed is away.
    pub(crate) fn overlaps(
        &self,
        caller: &Arc<Caller>,
        meanings: &[Meaning],
        plan: &Plan,
        resolution: &mut Resolution,
    ) -> Result<Vec<(usize, Refusal)>, Refusal> {
        let mut permits = Permits::of(caller);
        let mut queries = Vec::with_capacity(meanings.len());
        for meaning in meanings {
            queries.push(self.answerable(&mut permits, &meaning.criteria.query)?);
        }
        let wanted: HashSet<&Term> = queries.iter().flat_map(|query| terms(query)).collect();
        let kinds: HashSet<Kind> = queries.iter().map(|query| query.kind).collect();
        let mut made: HashMap<Kind, Made<'_>> = HashMap::new();
        for write in plan.writes.iter().filter(|write| kinds.contains(&write.kind)) {
            let Some(document) = write.document() else { continue };
            let made = made.entry(write.kind).or_default();
            for term in document.terms.iter().filter(|term| wanted.contains(term)) {
                made.by_term.entry(term).or_default().push(made.all.len());
            }
            made.all.push((&write.id, document));
        }
        let mut found = Vec::new();
        for (meaning, query) in meanings.iter().zip(&queries) {
            let Some(made) = made.get(&query.kind) else { continue };
            let mut candidates = made.candidates(query);
            resolution.compare(candidates.len())?;
            candidates.retain(|at| made.all.get(*at).is_some_and(|(id, it)| *id != meaning.id && query.matches(it)));
            if !candidates.is_empty() {
                let what = "another entry makes a record, or changes one, so that these criteria stand for it as well";
                found.push((meaning.index, Refusal::new(ErrorKind::MultipleMatches, "/request", what)));
            }
        }
        Ok(found)
    }
}

/// Terms of which a match has one, where the search says so.
fn terms(query: &Query) -> Vec<&Term> {
    let exact = |group: &&Vec<Criterion>| group.iter().all(|it| matches!(it, Criterion::Term(_)));
    let group = query.all.iter().find(exact).into_iter().flatten();
    group.filter_map(|it| if let Criterion::Term(term) = it { Some(term) } else { None }).collect()
}

impl Made<'_> {
    /// Which of them may match.
    fn candidates(&self, query: &Query) -> Vec<usize> {
        let terms = terms(query);
        if terms.is_empty() {
            return (0..self.all.len()).collect();
        }
        terms.into_iter().filter_map(|term| self.by_term.get(term)).flatten().copied().collect()
    }
}
