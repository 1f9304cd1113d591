//! The test for nearly the same word, as an automaton over a segment's dictionary.

use std::cell::Cell;

use iris_kernel::{Kind, Tenant};
use iris_search::Near;
use tantivy_fst::Automaton;

use crate::error::IndexError;
use crate::schema::scope;
use crate::segment::SegmentBody;

/// Steps that one search of a dictionary may take, of some ten nanoseconds each. A million different words need fewer.
const STEPS_MAX: u32 = 4_000_000;
/// Words of one segment that may be alike. A list of its documents is read for each.
const WORDS_MAX: usize = 20_000;

/// Walks the dictionary: first down to the words of a parameter, then along the automaton of the asked word.
struct Walk<'a> {
    start: Vec<u8>,
    near: &'a Near,
    /// Counted down; at 0 the walk ends and what it found is not used.
    steps_left: &'a Cell<u32>,
}

/// Where in a term the walk is.
#[derive(Clone, Copy)]
enum At {
    /// So many bytes of the start agree.
    Start(usize),
    /// Within the word, in this state of its automaton.
    Word(u32),
    /// Where nothing can match.
    Out,
}

impl Automaton for Walk<'_> {
    type State = At;

    fn start(&self) -> At {
        At::Start(0)
    }

    fn is_match(&self, at: &At) -> bool {
        matches!(at, At::Word(state) if self.near.holds_at(*state))
    }

    fn can_match(&self, at: &At) -> bool {
        match at {
            At::Start(_) => true,
            At::Word(state) => Near::can_hold(*state) && self.steps_left.get() > 0,
            At::Out => false,
        }
    }

    fn accept(&self, at: &At, byte: u8) -> At {
        self.steps_left.set(self.steps_left.get().saturating_sub(1));
        match *at {
            At::Start(agreed) if self.start.get(agreed) != Some(&byte) => At::Out,
            At::Start(agreed) if agreed + 1 == self.start.len() => At::Word(self.near.start()),
            At::Start(agreed) => At::Start(agreed + 1),
            At::Word(state) => At::Word(self.near.step(state, byte)),
            At::Out => At::Out,
        }
    }
}

/// The posting lists of the words of a segment for which `near` holds.
///
/// # Errors
/// [`IndexError::TooWide`] past the limits: an answer that leaves words out would depend on how segments happen to lie.
pub(crate) fn lists_near(
    body: &SegmentBody,
    tenant: Tenant,
    kind: Kind,
    near: &Near,
    found: &mut Vec<tantivy::postings::TermInfo>,
) -> Result<(), IndexError> {
    lists_within(body, tenant, kind, near, STEPS_MAX, WORDS_MAX, found)
}

fn lists_within(
    body: &SegmentBody,
    tenant: Tenant,
    kind: Kind,
    near: &Near,
    steps: u32,
    words: usize,
    found: &mut Vec<tantivy::postings::TermInfo>,
) -> Result<(), IndexError> {
    let steps_left = Cell::new(steps);
    let mut start = scope(tenant, kind);
    start.extend_from_slice(near.head());
    let mut stream = body.terms.terms().search(Walk { start, near, steps_left: &steps_left }).into_stream()?;
    let before = found.len();
    while stream.advance() {
        if found.len() - before == words {
            return Err(IndexError::TooWide);
        }
        found.push(stream.value().clone());
    }
    if steps_left.get() == 0 { Err(IndexError::TooWide) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use iris_search::{Criterion, Query, Reach, parameter};

    use super::*;
    use crate::tests::{Shadow, World, kind};
    use crate::{Page, Restriction};

    const TENANT: Tenant = Tenant(1);

    #[test]
    fn a_walk_past_its_limits_is_refused_and_one_within_them_is_whole() {
        let mut world = World::new();
        for (id, name) in [("a", "garcia"), ("b", "garcias"), ("c", "gracia"), ("d", "smith")] {
            let body = format!(r#"{{"resourceType":"Patient","id":"{id}","name":[{{"family":"{name}"}}]}}"#);
            world.write(TENANT, kind("Patient"), id, Some(&body), Shadow::Sent);
        }
        world.index().flush().unwrap();
        let name = parameter(kind("Patient"), "name").unwrap().index;
        let near = Near::new(name, "garcia", Reach::Whole).unwrap();
        let generation = world.index().shared.state.read().generation.clone();
        let body = &generation.segments[0].body;
        let walked = |steps, words| {
            let mut found = Vec::new();
            lists_within(body, TENANT, kind("Patient"), &near, steps, words, &mut found).map(|()| found.len())
        };
        assert_eq!(walked(1_000, 3).unwrap(), 3);
        assert!(matches!(walked(1_000, 2), Err(IndexError::TooWide)));
        assert!(matches!(walked(10, 3), Err(IndexError::TooWide)));
        let mut query = Query::everything(kind("Patient"));
        query.all = vec![vec![Criterion::Near(near.clone())]];
        let page = Page { size: 10, after: None };
        let total = |tenant| world.index().search(tenant, &query, &Restriction::NONE, page.clone()).unwrap().total;
        assert_eq!((total(TENANT), total(Tenant(2))), (Some(3), Some(0)));
    }
}
