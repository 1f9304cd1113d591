//! What one resource is found by.

use super::{Criterion, Order, Sort, SortKey, Term, term};

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
