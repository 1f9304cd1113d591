//! What a caller may see at most, in the terms of a search document.

use super::{SearchDocument, Term};

/// One rule over terms: a record that has all of `unless` must have one of `any`.
///
/// With an empty `unless` every record must have one of `any`; with an empty `any` no record may have all of `unless`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Clause {
    /// One of these saves the record.
    pub any: Vec<Term>,
    /// The clause is about the records that have all of these.
    pub unless: Vec<Term>,
}

impl Clause {
    /// Every record must have this term.
    #[must_use]
    pub fn required(term: Term) -> Self {
        Self { any: vec![term], unless: Vec::new() }
    }

    /// Whether a record keeps to it.
    #[must_use]
    pub fn admits(&self, document: &SearchDocument) -> bool {
        let has = |term: &Term| document.terms.binary_search(term).is_ok();
        !self.unless.iter().all(has) || self.any.iter().any(has)
    }
}
