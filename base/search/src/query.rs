//! What a search asks for, in the language of [`SearchDocument`].

use std::sync::Arc;

use iris_kernel::Kind;

use super::{Chain, Has, Include, Near, Scan, SearchDocument, Sort, Targets, Term, term};
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
    /// The order of the answer: 1 to `SORT_KEYS_MAX` keys, the first counts most.
    pub sort: Vec<Sort>,
    /// Page size, if one was asked for: 1 to `FHIR_PAGE_MAX` (0 became [`Query::summary_count`]).
    pub count: Option<usize>,
    /// Whether only the number of matches is wanted (`_summary=count` or `_count=0`).
    pub summary_count: bool,
    /// Whether the answer carries the number of matches.
    pub total: Total,
    /// Which part of each resource is wanted (`_summary`); [`Query::summary_count`] is `_summary=count`.
    pub summary: Summary,
    /// The elements that are wanted (`_elements`); empty for all.
    pub elements: Vec<String>,
    /// Whether resources are found that stand within others (`_contained`).
    pub contained: Contained,
    /// As what those are answered (`_containedType`).
    pub contained_as: ContainedAs,
    /// What comes along with the matches: what they refer to (`_include`).
    pub includes: Vec<Include>,
    /// What comes along with the matches: what refers to them (`_revinclude`).
    pub rev_includes: Vec<Include>,
    /// The parameters that were left out because the caller asked for it (`Prefer: handling=lenient`), each with the reason.
    pub ignored: Vec<(String, String)>,
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
            sort: vec![Sort::default()],
            count: None,
            summary_count: false,
            total: Total::Accurate,
            summary: Summary::False,
            elements: Vec::new(),
            contained: Contained::No,
            contained_as: ContainedAs::Container,
            includes: Vec::new(),
            rev_includes: Vec::new(),
            ignored: Vec::new(),
            cursor: None,
            applied: Vec::new(),
        }
    }

    /// The query for a caller who does not see every identifier in full: it finds nothing by one that is masked. What is asked of
    /// other records, through chains, is for whoever resolves those.
    #[must_use]
    pub fn without_guarded(&self) -> Self {
        let mut query = self.clone();
        for criterion in query.all.iter_mut().chain(&mut query.none).flatten() {
            criterion.leave_out_guarded();
        }
        query
    }

    /// Whether anything is asked that [`Query::without_guarded`] leaves out.
    #[must_use]
    pub fn has_guarded(&self) -> bool {
        self.criteria().any(|criterion| criterion.is_guarded())
    }

    /// Whether it asks by name for identifiers that not everybody sees: by the system of social security numbers, for one. Who does
    /// not see them is better told so than answered that there are none.
    #[must_use]
    pub fn names_guarded(&self) -> bool {
        self.criteria().any(|criterion| match criterion {
            Criterion::Term(term) => term::guarded_system(term).is_some_and(is_known_system),
            _ => false,
        })
    }

    /// Whether nothing is asked that only other searches can answer: an index and a document answer such queries alone.
    #[must_use]
    pub fn is_resolved(&self) -> bool {
        let open =
            |criterion: &Criterion| matches!(criterion, Criterion::Chain(_) | Criterion::Has(_) | Criterion::Listed(_));
        !self.criteria().any(open)
    }

    /// Every criterion, those within others included, but not what is asked of other records.
    pub fn criteria(&self) -> impl Iterator<Item = &Criterion> {
        let mut open: Vec<&Criterion> = self.all.iter().chain(&self.none).flatten().collect();
        std::iter::from_fn(move || {
            let next = open.pop()?;
            match next {
                Criterion::All(inner) | Criterion::Any(inner) => open.extend(inner),
                Criterion::Not(inner) => open.push(inner),
                _ => {}
            }
            Some(next)
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
    /// Has a term under a head whose value passes a test.
    Scan(Scan),
    /// A reference of this parameter leads to one of these records.
    Refers {
        /// The reference parameter, by its index.
        param: u16,
        /// The records.
        to: Arc<Targets>,
    },
    /// Is one of these records.
    Own(Arc<Targets>),
    /// All of these hold; of none they do.
    All(Vec<Criterion>),
    /// One of these holds; of none it does not.
    Any(Vec<Criterion>),
    /// This does not hold.
    Not(Box<Criterion>),
    /// A reference leads to a match of another search. Turned into [`Criterion::Refers`] before an index sees it.
    Chain(Box<Chain>),
    /// A match of another search refers to it. Turned into [`Criterion::Own`] before an index sees it.
    Has(Box<Has>),
    /// Is named by the List with this id. Turned into [`Criterion::Own`] before an index sees it.
    Listed(String),
}

impl Criterion {
    /// Whether it asks for an identifier that not everybody sees in full.
    fn is_guarded(&self) -> bool {
        match self {
            Self::Term(term) | Self::Prefix(term) => term::is_guarded(term),
            Self::Scan(scan) => scan.is_guarded(),
            _ => false,
        }
    }

    /// Puts [`Criterion::Nothing`] in the place of what asks for an identifier that not everybody sees in full: as if nothing had one.
    fn leave_out_guarded(&mut self) {
        match self {
            Self::All(inner) | Self::Any(inner) => inner.iter_mut().for_each(Self::leave_out_guarded),
            Self::Not(inner) => inner.leave_out_guarded(),
            _ if self.is_guarded() => *self = Self::Nothing,
            _ => {}
        }
    }
}

/// Whether an answer carries the number of matches (`_total`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Total {
    /// It does not.
    None,
    /// It may be about right; here it is exact all the same.
    Estimate,
    /// It is exact.
    Accurate,
}

impl Total {
    /// Whether a number is wanted.
    #[must_use]
    pub const fn is_wanted(self) -> bool {
        !matches!(self, Self::None)
    }
}

/// Whether resources are found that stand within others (`_contained`, R4 search.html#contained).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contained {
    /// Only resources that stand by themselves.
    No,
    /// Only resources that stand within others.
    Only,
    /// Both.
    Both,
}

/// As what a resource that stands within another one is answered (`_containedType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContainedAs {
    /// The one that contains it, once.
    Container,
    /// That resource alone.
    Itself,
}

/// Which part of each resource is wanted (`_summary`, R4 search.html#summary). `count` is [`Query::summary_count`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Summary {
    /// The whole.
    False,
    /// The elements that the definitions have in a summary.
    True,
    /// The narrative and what must be there.
    Text,
    /// Everything but the narrative.
    Data,
}

/// The comparison prefixes of dates, numbers and quantities (R4 §3.1.1.4.3).
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
    /// The two ranges have something in common; the asked one has been widened to what counts as near.
    Ap,
    /// The resource's range contains the asked one: `co` of a filter, and no prefix.
    Contains,
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
            Self::Ap => had.0 < asked.1 && asked.0 < had.1,
            Self::Contains => had.0 <= asked.0 && asked.1 <= had.1,
        }
    }
}

#[cfg(test)]
#[path = "query_tests.rs"]
mod tests;
