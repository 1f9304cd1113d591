//! Criteria made of criteria: a bitmap of the documents of a segment for each, laid over each other.

use iris_search::{Criterion, FILTER_LEVELS_MAX};
use tantivy::{COLLECT_BLOCK_BUFFER_LEN, DocId};

use crate::error::IndexError;
use crate::set::{Filter, Group, Scope};

/// How deep criteria may stand in each other. Who makes them has a lower limit; this one keeps a fault there from taking the stack.
pub(crate) const TREE_DEPTH_MAX: usize = 64;
/// How deep the criteria of one comparison may stand in each other, and what joins those of a path.
const COMPARISON_DEPTH_MAX: usize = 8;
const _: () =
    assert!(FILTER_LEVELS_MAX + COMPARISON_DEPTH_MAX <= TREE_DEPTH_MAX, "every filter that is read can be answered");

/// Whether a criterion is made of others.
pub(crate) const fn is_tree(criterion: &Criterion) -> bool {
    matches!(criterion, Criterion::All(_) | Criterion::Any(_) | Criterion::Not(_))
}

/// The documents for which one of these holds.
pub(crate) fn any_of(scope: Scope<'_>, any: &[Criterion], depth: usize) -> Result<Vec<u64>, IndexError> {
    let (trees, leaves): (Vec<_>, Vec<_>) = any.iter().partition(|criterion| is_tree(criterion));
    let mut words = of_group(scope, Group::of_leaves(scope, leaves.into_iter())?)?;
    for tree in trees {
        let more = of_tree(scope, tree, depth)?;
        words.iter_mut().zip(more).for_each(|(word, more)| *word |= more);
    }
    Ok(words)
}

fn of_tree(scope: Scope<'_>, criterion: &Criterion, depth: usize) -> Result<Vec<u64>, IndexError> {
    let depth = depth.checked_sub(1).ok_or(IndexError::TooWide)?;
    match criterion {
        Criterion::Any(any) => any_of(scope, any, depth),
        Criterion::All(all) => all_of(scope, all, depth),
        Criterion::Not(one) => {
            let mut words = of_group(scope, Group::everything_in(scope)?)?;
            let without = any_of(scope, std::slice::from_ref(one), depth)?;
            words.iter_mut().zip(without).for_each(|(word, without)| *word &= !without);
            Ok(words)
        }
        leaf => any_of(scope, std::slice::from_ref(leaf), depth),
    }
}

/// The documents for which all of these hold; those of none are all.
fn all_of(scope: Scope<'_>, all: &[Criterion], depth: usize) -> Result<Vec<u64>, IndexError> {
    let mut words: Option<Vec<u64>> = None;
    for one in all {
        let more = any_of(scope, std::slice::from_ref(one), depth)?;
        match &mut words {
            None => words = Some(more),
            Some(words) => words.iter_mut().zip(more).for_each(|(word, more)| *word &= more),
        }
        if words.as_ref().is_some_and(|words| words.iter().all(|word| *word == 0)) {
            break;
        }
    }
    match words {
        Some(words) => Ok(words),
        None => of_group(scope, Group::everything_in(scope)?),
    }
}

/// The documents of a group; where something is asked document by document, of every one of the kind.
fn of_group(scope: Scope<'_>, group: Group<'_>) -> Result<Vec<u64>, IndexError> {
    if !group.has_tests() {
        return group.words(scope.body);
    }
    let mut words = vec![0_u64; (scope.body.documents as usize).div_ceil(64)];
    let everything = Group::everything_in(scope)?;
    if everything.is_empty() {
        return Ok(words);
    }
    let mut lead = everything.set(scope.body, None)?;
    let mut filter = Filter::open(scope.body, group, None)?;
    let mut block: [DocId; COLLECT_BLOCK_BUFFER_LEN] = [0; COLLECT_BLOCK_BUFFER_LEN];
    loop {
        let filled = lead.fill(&mut block);
        if filled == 0 {
            return Ok(words);
        }
        let mut marks = [false; COLLECT_BLOCK_BUFFER_LEN];
        filter.mark(&block[..filled], &mut marks[..filled]);
        for (doc, _) in block[..filled].iter().zip(marks).filter(|(_, mark)| *mark) {
            words[*doc as usize / 64] |= 1 << (doc % 64);
        }
    }
}
