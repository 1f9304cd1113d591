//! What a caller may see at most, in the terms of a search document.

use std::sync::Arc;

use super::{SearchDocument, Term};

/// One rule over terms: a record that has all of `unless` must have one of `any`.
///
/// With an empty `unless` every record must have one of `any`; with an empty `any` no record may have all of `unless`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Clause {
    /// One of these saves the record. Sorted.
    any: Arc<[Term]>,
    /// The clause is about the records that have all of these.
    unless: Vec<Term>,
}

impl Clause {
    /// A clause of these terms, in any order.
    #[must_use]
    pub fn new(mut any: Vec<Term>, unless: Vec<Term>) -> Self {
        any.sort_unstable();
        any.dedup();
        Self::among(any.into(), unless)
    }

    /// A clause of terms that stand in order already, each once: a long list is shared by all searches of whoever it is about.
    #[must_use]
    pub fn among(any: Arc<[Term]>, unless: Vec<Term>) -> Self {
        Self { any, unless }
    }

    /// Every record must have this term.
    #[must_use]
    pub fn required(term: Term) -> Self {
        Self { any: Arc::from([term]), unless: Vec::new() }
    }

    /// One of these saves a record; in order.
    #[must_use]
    pub fn any(&self) -> &[Term] {
        &self.any
    }

    /// The list of [`Clause::any`] itself, which searches that carry the same one have in common.
    #[must_use]
    pub const fn any_shared(&self) -> &Arc<[Term]> {
        &self.any
    }

    /// The clause is about the records that have all of these.
    #[must_use]
    pub fn unless(&self) -> &[Term] {
        &self.unless
    }

    /// Whether a record keeps to it.
    #[must_use]
    pub fn admits(&self, document: &SearchDocument) -> bool {
        !self.unless.iter().all(|term| document.terms.binary_search(term).is_ok()) || document.has_any(&self.any)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::term;

    fn terms() -> impl Strategy<Value = Vec<Term>> {
        prop::collection::vec((0..12_u8).prop_map(|number| term::code(1, &number.to_string())), 0..14)
    }

    proptest! {
        #[test]
        fn a_clause_means_what_it_says(any in terms(), unless in terms(), mut had in terms()) {
            had.sort_unstable();
            had.dedup();
            let said = !unless.iter().all(|term| had.contains(term)) || any.iter().any(|term| had.contains(term));
            let document = SearchDocument { terms: had, dates: Vec::new(), own: 0 };
            prop_assert_eq!(Clause::new(any, unless).admits(&document), said);
        }
    }
}
