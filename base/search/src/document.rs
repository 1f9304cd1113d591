//! What one resource is found by.

use smallvec::SmallVec;

use super::{Criterion, Order, Sort, SortKey, Term, join_key, term};
use iris_fhir::definitions::kind_of;

/// What a resource is ordered by, see [`SearchDocument::sort_values`].
pub type SortValues = SmallVec<[Option<Box<[u8]>>; 2]>;

/// A stretch of time that a resource carries for one date parameter, in microseconds since the epoch, half-open:
/// `[low, high)`. A missing start is `i64::MIN`, a missing end `i64::MAX`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DateRange {
    /// Which date parameter: 0 is `_lastUpdated`, then the date parameters of the kind from 1 in the definitions' order.
    pub slot: u8,
    /// First microsecond.
    pub low: i64,
    /// First microsecond after the range; always greater than `low`.
    pub high: i64,
}

/// Everything that a search can find one resource by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SearchDocument {
    /// Exact terms, sorted, each once. Unique to the kind of the resource: the same term under another kind means
    /// something else.
    pub terms: Vec<Term>,
    /// Date ranges, sorted by slot. A parameter may have several; each is tested on its own.
    pub dates: Vec<DateRange>,
    /// The resource's own [`super::join_key`]; 0 for one without an id.
    pub own: u64,
}

impl SearchDocument {
    /// Whether one criterion holds.
    #[must_use]
    pub fn satisfies(&self, criterion: &Criterion) -> bool {
        match criterion {
            Criterion::Term(term) => self.terms.binary_search(term).is_ok(),
            Criterion::Prefix(prefix) => {
                let first = self.terms.partition_point(|term| **term < **prefix);
                self.terms.get(first).is_some_and(|term| term.starts_with(prefix))
            }
            Criterion::Date { slot, op, low, high } => {
                self.ranges(*slot).any(|range| op.holds((*low, *high), (range.low, range.high)))
            }
            Criterion::Near(near) => self.under(near.head()).any(|word| near.holds(word)),
            Criterion::Nothing => false,
            Criterion::Scan(scan) => {
                let head = scan.head().first_chunk::<{ term::HEAD_BYTES }>();
                head.is_some_and(|head| self.under(head).any(|value| scan.holds(value)))
            }
            Criterion::Own(targets) => targets.has(self.own),
            Criterion::Refers { param, to } => {
                let head = term::head(*param, term::Mode::Local);
                self.under(&head).filter_map(local_key).any(|key| to.has(key))
            }
            Criterion::All(all) => all.iter().all(|criterion| self.satisfies(criterion)),
            Criterion::Any(any) => any.iter().any(|criterion| self.satisfies(criterion)),
            Criterion::Not(criterion) => !self.satisfies(criterion),
            // Nobody asks a document before these are resolved; where somebody did, finding nothing says no wrong thing but under a
            // `Not`, and `Query::is_resolved` is there to be asked.
            Criterion::Chain(_) | Criterion::Has(_) | Criterion::Listed(_) => false,
        }
    }

    /// Whether it has one of these terms, which are sorted.
    #[must_use]
    pub fn has_any(&self, terms: &[Term]) -> bool {
        let (few, many) = if terms.len() < self.terms.len() { (terms, &*self.terms) } else { (&*self.terms, terms) };
        few.iter().any(|term| many.binary_search(term).is_ok())
    }

    /// The words of the names that a parameter reads, see [`super::words`].
    pub fn words(&self, param: u16) -> impl Iterator<Item = &str> {
        let head = term::word_head(param);
        self.under(&head).collect::<Vec<_>>().into_iter().filter_map(|word| std::str::from_utf8(word).ok())
    }

    /// The values of the terms that start with a parameter and mode.
    fn under<'a>(&'a self, head: &[u8; 3]) -> impl Iterator<Item = &'a [u8]> {
        let head = *head;
        let first = self.terms.partition_point(|term| **term < head[..]);
        self.terms[first..].iter().map_while(move |term| term.strip_prefix(&head))
    }

    /// The ranges of one date parameter.
    pub fn ranges(&self, slot: u8) -> impl Iterator<Item = &DateRange> {
        self.dates.iter().filter(move |range| range.slot == slot)
    }

    /// The values by which this resource is ordered, one for each key: the least when ascending, the greatest when descending, as
    /// bytes that compare in the order wanted by [`super::Order::Ascending`]. `None` where it has no value, which sorts last either
    /// way, and for [`SortKey::Recent`], which the index knows and the document does not.
    #[must_use]
    pub fn sort_values(&self, sort: &[Sort]) -> SortValues {
        sort.iter()
            .map(|sort| match sort.key {
                SortKey::Recent => None,
                // The sign's bit is turned so that the bytes compare as the numbers do.
                SortKey::Date { .. } => self.sort_value(*sort).map(|value| (value ^ i64::MIN).to_be_bytes().into()),
                SortKey::Term { param, mode } => {
                    let head = term::head(param, mode);
                    let mut values = self.under(&head);
                    let value = match sort.order {
                        Order::Ascending => values.next(),
                        Order::Descending => values.last(),
                    };
                    value.map(Into::into)
                }
            })
            .collect()
    }

    /// The value by which this resource is ordered under a date sort: the earliest start when ascending, the latest start
    /// when descending (R4 §3.1.1.5.1: "the earliest or latest, depending on the direction"). `None` when it has no such
    /// date, which sorts last either way, and for [`SortKey::Recent`], which the index knows and the document does not.
    #[must_use]
    pub fn sort_value(&self, sort: Sort) -> Option<i64> {
        let SortKey::Date { slot } = sort.key else { return None };
        let starts = self.ranges(slot).map(|range| range.low);
        match sort.order {
            Order::Ascending => starts.min(),
            Order::Descending => starts.max(),
        }
    }
}

/// The key of the record that a `Type/id` names.
fn local_key(value: &[u8]) -> Option<u64> {
    let (kind, id) = std::str::from_utf8(value).ok()?.split_once('/')?;
    Some(join_key(kind_of(kind)?, id))
}
