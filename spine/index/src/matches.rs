//! What matches a search within one segment: groups of sets that lead, are sought in, asked, or left out.

use iris_search::{Clause, Criterion, Query};
use tantivy::{COLLECT_BLOCK_BUFFER_LEN, DocId, TERMINATED};

use crate::error::IndexError;
use crate::limits::Limits;
use crate::set::{Block, Filter, Group, Scope, Set};

/// Documents that are left out: those for which all of its filters hold, but for those that `saved` holds for.
struct Without<'a> {
    all: Vec<Filter<'a>>,
    saved: Option<Filter<'a>>,
}

impl Without<'_> {
    /// Marks the documents of a block that stay.
    fn mark_kept(&mut self, block: &[DocId], keeps: &mut [bool]) {
        for filter in &mut self.all {
            let mut marks = [false; COLLECT_BLOCK_BUFFER_LEN];
            filter.mark(block, &mut marks[..block.len()]);
            keeps.iter_mut().zip(marks).for_each(|(keep, mark)| *keep |= !mark);
        }
        if let Some(saved) = &mut self.saved {
            let mut marks = [false; COLLECT_BLOCK_BUFFER_LEN];
            saved.mark(block, &mut marks[..block.len()]);
            keeps.iter_mut().zip(marks).for_each(|(keep, mark)| *keep |= mark);
        }
    }
}

/// What is left out, before it is known how many documents lead.
#[derive(Default)]
struct Left<'a> {
    all: Vec<Group<'a>>,
    saved: Group<'a>,
}

/// The documents of one segment that match, dead ones included.
pub(crate) struct Matches<'a> {
    lead: Set,
    others: Vec<Set>,
    filters: Vec<Filter<'a>>,
    /// Groups that must not hold whole.
    without: Vec<Without<'a>>,
}

/// A search in one segment on its way to [`Matches`].
struct Opening<'a> {
    scope: Scope<'a>,
    /// Groups that lead or are sought in.
    walked: Vec<Group<'a>>,
    /// Groups that are asked document by document.
    asked: Vec<Group<'a>>,
    left: Vec<Left<'a>>,
}

impl<'a> Opening<'a> {
    /// Adds a group of which every match must have something; false if nothing here has.
    fn require(&mut self, group: Group<'a>) -> bool {
        match (!group.has_lists(), !group.has_tests()) {
            (true, true) => return false,
            (false, true) => self.walked.push(group),
            (_, false) => self.asked.push(group),
        }
        true
    }

    /// Leaves out what all of these criteria hold for.
    fn leave_out(&mut self, all: &[Criterion]) -> Result<(), IndexError> {
        let groups = all.iter().map(|one| Group::open(self.scope, std::slice::from_ref(one)));
        let all = groups.collect::<Result<Vec<_>, _>>()?;
        // Where one of its criteria finds nothing here, the group holds for nothing here.
        if !all.iter().any(Group::is_empty) {
            self.left.push(Left { all, ..Left::default() });
        }
        Ok(())
    }

    /// Adds what a restriction asks for; false if nothing here is within it.
    fn restrict(&mut self, limits: &Limits<'_>) -> Result<bool, IndexError> {
        let Scope { body, tenant, kind, .. } = self.scope;
        for any in &limits.required {
            let group = Group::of_terms(body, tenant, kind, any)?;
            if !self.require(group) {
                return Ok(false);
            }
        }
        let never = Group::of_terms(body, tenant, kind, &limits.never)?;
        if !never.is_empty() {
            self.left.push(Left { all: vec![never], ..Left::default() });
        }
        for clause in &limits.conditional {
            if !self.restrict_by(clause)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn restrict_by(&mut self, clause: &Clause) -> Result<bool, IndexError> {
        let Scope { body, tenant, kind, .. } = self.scope;
        let one = |term| Group::of_terms(body, tenant, kind, std::slice::from_ref(term));
        let all = clause.unless().iter().map(one).collect::<Result<Vec<_>, _>>()?;
        if all.iter().any(Group::is_empty) {
            return Ok(true);
        }
        let saved = Group::of_shared(body, tenant, kind, clause.any_shared())?;
        let everybody = Group::everything_in(self.scope)?.cost();
        if all.iter().all(|group| group.cost() == everybody) {
            // Every document here is concerned, so that one of the others may lead instead of being asked for each.
            return Ok(self.require(saved));
        }
        self.left.push(Left { all, saved });
        Ok(true)
    }

    fn finish(self) -> Result<Option<Matches<'a>>, IndexError> {
        let Self { scope, mut walked, asked, left } = self;
        let body = scope.body;
        walked.sort_by_key(Group::cost);
        let mut walked = walked.into_iter();
        let leading = match walked.next() {
            Some(group) => group,
            None => Group::everything_in(scope)?,
        };
        if leading.is_empty() {
            return Ok(None);
        }
        let led_by = Some(leading.cost());
        let open = |group| Filter::open(body, group, led_by);
        let without = left.into_iter().map(|Left { all, saved }| {
            let saved = if saved.is_empty() { None } else { Some(open(saved)?) };
            Ok(Without { all: all.into_iter().map(open).collect::<Result<_, _>>()?, saved })
        });
        Ok(Some(Matches {
            lead: leading.set(body, None)?,
            others: walked.map(|group| group.set(body, led_by)).collect::<Result<_, _>>()?,
            filters: asked.into_iter().map(open).collect::<Result<_, _>>()?,
            without: without.collect::<Result<_, IndexError>>()?,
        }))
    }
}

impl<'a> Matches<'a> {
    /// Opens what the query asks for within the limits; `None` if nothing here can match.
    pub(crate) fn open(scope: Scope<'a>, query: &Query, limits: &Limits<'_>) -> Result<Option<Self>, IndexError> {
        let mut opening = Opening { scope, walked: Vec::new(), asked: Vec::new(), left: Vec::new() };
        for any in &query.all {
            let group = Group::open(scope, any)?;
            if !opening.require(group) {
                return Ok(None);
            }
        }
        if !opening.restrict(limits)? {
            return Ok(None);
        }
        query.none.iter().try_for_each(|all| opening.leave_out(all))?;
        opening.finish()
    }

    /// The number of matches, dead ones included, if it is known without walking.
    pub(crate) fn count_known(&self) -> Option<u64> {
        match &self.lead {
            Set::Postings(postings) if self.others.is_empty() && !self.asks_each() => {
                Some(u64::from(postings.doc_freq()))
            }
            _ => None,
        }
    }

    /// Whether something is asked document by document.
    fn asks_each(&self) -> bool {
        !self.filters.is_empty() || !self.without.is_empty()
    }

    /// Moves the documents of a block that match to its beginning, and tells how many they are.
    fn keep(&mut self, block: &mut Block, filled: usize) -> usize {
        let mut kept = filled;
        for filter in &mut self.filters {
            let mut marks = [false; COLLECT_BLOCK_BUFFER_LEN];
            filter.mark(&block[..kept], &mut marks[..kept]);
            kept = keep_marked(block, &marks[..kept]);
        }
        for group in &mut self.without {
            let mut keeps = [false; COLLECT_BLOCK_BUFFER_LEN];
            group.mark_kept(&block[..kept], &mut keeps[..kept]);
            kept = keep_marked(block, &keeps[..kept]);
        }
        kept
    }

    /// Calls `each` with every match, in blocks.
    pub(crate) fn for_each_block(mut self, mut each: impl FnMut(&[DocId])) {
        let mut block = [0; COLLECT_BLOCK_BUFFER_LEN];
        if self.others.is_empty() {
            loop {
                let filled = self.lead.fill(&mut block);
                if filled == 0 {
                    return;
                }
                let kept = self.keep(&mut block, filled);
                each(&block[..kept]);
            }
        }
        let mut filled = 0;
        let mut doc = self.lead.doc();
        while doc != TERMINATED {
            match self.others.iter_mut().map(|set| set.seek_or_contain(doc)).find(|&found| found != doc) {
                Some(later) => doc = self.lead.seek(later),
                None => {
                    block[filled] = doc;
                    filled += 1;
                    doc = self.lead.seek(doc + 1);
                    if filled == block.len() {
                        let kept = self.keep(&mut block, filled);
                        each(&block[..kept]);
                        filled = 0;
                    }
                }
            }
        }
        let kept = self.keep(&mut block, filled);
        each(&block[..kept]);
    }
}

fn keep_marked(block: &mut Block, marks: &[bool]) -> usize {
    let mut to = 0;
    for (from, _) in marks.iter().enumerate().filter(|(_, mark)| **mark) {
        block[to] = block[from];
        to += 1;
    }
    to
}
