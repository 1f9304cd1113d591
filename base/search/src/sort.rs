//! The order of an answer.

use super::term::Mode;

/// Most keys of one order.
pub const SORT_KEYS_MAX: usize = 6;

/// One key of the order of an answer. Ties of all keys are broken by the sequence of birth, so that paging is stable.
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
    /// The start of a date parameter, see [`super::SearchDocument::sort_value`].
    Date {
        /// The date parameter, as in [`super::DateRange::slot`].
        slot: u8,
    },
    /// The least or greatest of a record's terms under a parameter and mode, by their bytes, see
    /// [`super::SearchDocument::sort_values`].
    Term {
        /// The parameter, by its index.
        param: u16,
        /// The mode of the terms.
        mode: Mode,
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
