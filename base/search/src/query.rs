//! What a search asks for, in the language of [`SearchDocument`].

use iris_kernel::Kind;

use super::{Near, SearchDocument, Term, term};
use iris_fhir::classes::is_known_system;

/// A checked search over one kind of resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// The kind that is searched.
    pub kind: Kind,
    /// All groups must hold; in each group one criterion is enough. Empty finds everything.
    pub all: Vec<Vec<Criterion>>,
    /// None of these groups may hold; one holds where all of its criteria do, and an empty one where everything does. No parameter
    /// of a request asks for it: what a caller may not leave out, such as a record without a status, is found so.
    pub none: Vec<Vec<Criterion>>,
    /// The order of the answer.
    pub sort: Sort,
    /// Page size, if one was asked for: 1 to `FHIR_PAGE_MAX` (0 became [`Query::summary_count`]).
    pub count: Option<usize>,
    /// Whether only the number of matches is wanted (`_summary=count` or `_count=0`).
    pub summary_count: bool,
    /// Whether the answer carries the exact number of matches: true unless `_total=none`.
    pub total: bool,
    /// The opaque position after which the page starts, as the caller sent it; whoever made it must check it.
    pub cursor: Option<String>,
    /// The parameters that were understood, as sent and in order, without the cursor: what the `self` link shows.
    pub applied: Vec<(String, String)>,
}

impl Query {
    /// A query that finds every resource of a kind, newest first.
    #[must_use]
    pub fn everything(kind: Kind) -> Self {
        Self {
            kind,
            all: Vec::new(),
            none: Vec::new(),
            sort: Sort::default(),
            count: None,
            summary_count: false,
            total: true,
            cursor: None,
            applied: Vec::new(),
        }
    }

    /// The query for a caller who does not see every identifier in full: it finds nothing by one that is masked.
    #[must_use]
    pub fn without_guarded(&self) -> Self {
        let mut query = self.clone();
        for group in &mut query.all {
            group.retain(|criterion| !criterion.is_guarded());
        }
        // One that does not hold keeps its whole group from holding.
        query.none.retain(|group| !group.iter().any(Criterion::is_guarded));
        query
    }

    /// Whether anything is asked that [`Query::without_guarded`] leaves out.
    #[must_use]
    pub fn has_guarded(&self) -> bool {
        self.all.iter().chain(&self.none).flatten().any(Criterion::is_guarded)
    }

    /// Whether it asks by name for identifiers that not everybody sees: by the system of social security numbers, for one. Who does
    /// not see them is better told so than answered that there are none.
    #[must_use]
    pub fn names_guarded(&self) -> bool {
        self.all.iter().chain(&self.none).flatten().any(|criterion| match criterion {
            Criterion::Term(term) => term::guarded_system(term).is_some_and(is_known_system),
            _ => false,
        })
    }

    /// Whether a resource of the query's kind, found by `document`, is a match.
    #[must_use]
    pub fn matches(&self, document: &SearchDocument) -> bool {
        let holds = |criterion: &Criterion| document.satisfies(criterion);
        self.all.iter().all(|group| group.iter().any(holds)) && !self.none.iter().any(|group| group.iter().all(holds))
    }
}

/// One test on a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Criterion {
    /// Has exactly this term.
    Term(Term),
    /// Has a term that starts with these bytes.
    Prefix(Box<[u8]>),
    /// Has a date range in this slot for which the comparison holds.
    Date {
        /// The date parameter, as in [`super::DateRange::slot`].
        slot: u8,
        /// The comparison.
        op: DateOp,
        /// First microsecond of the asked range.
        low: i64,
        /// First microsecond after the asked range.
        high: i64,
    },
    /// Has a word in a name that is nearly this one.
    Near(Near),
    /// Never holds.
    Nothing,
}

impl Criterion {
    /// Whether it asks for an identifier that not everybody sees in full.
    fn is_guarded(&self) -> bool {
        matches!(self, Self::Term(term) if term::is_guarded(term))
    }
}

/// The comparison prefixes of date searches (R4 §3.1.1.4.3). `ap` is not served: how near is near is left open by R4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DateOp {
    /// The asked range contains the resource's.
    Eq,
    /// The asked range does not contain the resource's.
    Ne,
    /// The resource's range reaches beyond the end of the asked one.
    Gt,
    /// The resource's range begins before the asked one.
    Lt,
    /// `Gt` or `Eq`.
    Ge,
    /// `Lt` or `Eq`.
    Le,
    /// The resource's range starts after the end of the asked one.
    Sa,
    /// The resource's range ends before the start of the asked one.
    Eb,
}

impl DateOp {
    /// Whether the comparison holds between an asked range and one that a resource carries; both half-open `[low, high)`
    /// and not empty.
    #[must_use]
    pub const fn holds(self, asked: (i64, i64), had: (i64, i64)) -> bool {
        let within = asked.0 <= had.0 && had.1 <= asked.1;
        let above = had.1 > asked.1;
        let below = had.0 < asked.0;
        match self {
            Self::Eq => within,
            Self::Ne => !within,
            Self::Gt => above,
            Self::Lt => below,
            Self::Ge => above || within,
            Self::Le => below || within,
            Self::Sa => had.0 >= asked.1,
            Self::Eb => had.1 <= asked.0,
        }
    }
}

/// The order of an answer. Ties are broken by the sequence of birth, so that paging is stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Sort {
    /// What is compared.
    pub key: SortKey,
    /// In which direction.
    pub order: Order,
}

impl Default for Sort {
    /// Newest first: what a caller gets who does not ask.
    fn default() -> Self {
        Self { key: SortKey::Recent, order: Order::Descending }
    }
}

/// What a sort compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SortKey {
    /// The sequence in which the resources were first stored.
    Recent,
    /// The start of a date parameter, see [`SearchDocument::sort_value`].
    Date {
        /// The date parameter, as in [`super::DateRange::slot`].
        slot: u8,
    },
}

/// The direction of a sort.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Order {
    /// Smallest first.
    Ascending,
    /// Greatest first.
    Descending,
}

#[cfg(test)]
#[path = "query_tests.rs"]
mod tests;
