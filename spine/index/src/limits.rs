//! What a search may find at most, sorted out once for all that it looks through.

use iris_search::{Clause, SearchDocument, Term};

/// What a caller may see at most; every match, count and page is within it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Restriction {
    /// Each must hold for a record. None: the whole tenant.
    pub clauses: Vec<Clause>,
}

impl Restriction {
    /// Everything of the tenant.
    pub const NONE: Restriction = Restriction { clauses: Vec::new() };

    /// Only what has this term, such as [`iris_search::compartment_term`].
    #[must_use]
    pub fn required(term: Term) -> Self {
        Self { clauses: vec![Clause::required(term)] }
    }
}

/// The clauses of a restriction by what they ask for: there can be thousands of patients in them.
#[derive(Debug, Default)]
pub(crate) struct Limits<'a> {
    /// One term of each of these must be there.
    pub(crate) required: Vec<&'a [Term]>,
    /// None of these may be there. Sorted.
    pub(crate) never: Vec<Term>,
    /// The others.
    pub(crate) conditional: Vec<&'a Clause>,
}

impl<'a> Limits<'a> {
    pub(crate) fn new(restriction: &'a Restriction) -> Self {
        let mut limits = Self::default();
        for clause in &restriction.clauses {
            match (clause.any(), clause.unless()) {
                (any, []) => limits.required.push(any),
                ([], [one]) => limits.never.push(one.clone()),
                _ => limits.conditional.push(clause),
            }
        }
        limits.never.sort_unstable();
        limits
    }

    /// Whether a record is within.
    pub(crate) fn admit(&self, document: &SearchDocument) -> bool {
        self.required.iter().all(|any| document.has_any(any))
            && !document.has_any(&self.never)
            && self.conditional.iter().all(|clause| clause.admits(document))
    }
}
