//! The order of answers: one comparable key for every sort, and positions to go on from.

use std::cmp::Ordering;

use iris_kernel::Seq;
use iris_search::{Order, SearchDocument, Sort, SortKey};

/// Where a page ended: the sort value and the birth sequence of its last resource. Nothing that is written meanwhile moves
/// a resource across it, unless its own sort value changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Position {
    /// The value sorted by, in microseconds; `None` for a resource without one, and always for [`SortKey::Recent`].
    pub value: Option<i64>,
    /// The sequence in which the resource was first stored: breaks ties.
    pub born: Seq,
}

impl Position {
    /// Which of two positions comes first in an answer of this order, also where the answers are to different searches.
    #[must_use]
    pub fn compare(self, other: Self, order: Order) -> Ordering {
        Rank::new(order, self).cmp(&Rank::new(order, other))
    }
}

/// A position as a number that compares in the order of the answer: smaller comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rank {
    is_missing: bool,
    value: i64,
    born: u64,
}

impl Rank {
    /// The rank of a position under a sort. Resources without a value come last in both directions.
    pub(crate) fn new(order: Order, position: Position) -> Self {
        let Position { value, born: Seq(born) } = position;
        let (is_missing, value) = (value.is_none(), value.unwrap_or(0));
        match order {
            Order::Ascending => Self { is_missing, value, born },
            // The complement turns the order round without overflowing at either end.
            Order::Descending => Self { is_missing, value: if is_missing { 0 } else { !value }, born: !born },
        }
    }

    /// The position that has this rank.
    pub(crate) fn position(self, order: Order) -> Position {
        let (value, born) = match order {
            Order::Ascending => (self.value, self.born),
            Order::Descending => (!self.value, !self.born),
        };
        Position { value: (!self.is_missing).then_some(value), born: Seq(born) }
    }

    /// Whether a resource with this sort value can still come before this rank, whatever its birth.
    pub(crate) fn admits(self, order: Order, value: Option<i64>) -> bool {
        let first = match order {
            Order::Ascending => Seq(0),
            Order::Descending => Seq(u64::MAX),
        };
        Self::new(order, Position { value, born: first }) <= self
    }
}

/// The rank of a document that is held in memory.
pub(crate) fn rank_of(sort: Sort, document: &SearchDocument, born: Seq) -> Rank {
    let value = match sort.key {
        SortKey::Recent => None,
        SortKey::Date { .. } => document.sort_value(sort),
    };
    Rank::new(sort.order, Position { value, born })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_compare_in_the_order_of_the_answer() {
        let at = |value, born| Position { value, born: Seq(born) };
        let ascending =
            [at(Some(i64::MIN), 1), at(Some(-5), 9), at(Some(7), 2), at(Some(7), 3), at(None, 1), at(None, 2)];
        let descending =
            [at(Some(i64::MAX), 1), at(Some(7), 3), at(Some(7), 2), at(Some(i64::MIN), 9), at(None, 2), at(None, 1)];
        for (order, positions) in [(Order::Ascending, ascending), (Order::Descending, descending)] {
            for pair in positions.windows(2) {
                assert_eq!(pair[0].compare(pair[1], order), Ordering::Less, "{pair:?}");
            }
            for position in positions {
                assert_eq!(Rank::new(order, position).position(order), position);
                assert!(Rank::new(order, position).admits(order, position.value));
            }
        }
    }
}
