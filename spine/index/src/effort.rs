//! What one search may cost, and what it works out once for all segments.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use iris_kernel::Kind;
use iris_search::Targets;
use iris_search::join::digest_of_join_key;

use crate::error::IndexError;

/// Entries of dictionaries that one search may look at in scans, in all segments together: some tenths of a microsecond each.
pub(crate) const SCAN_ENTRIES_MAX: u64 = 4_000_000;
/// Lists of documents that scans of one search may lay together, in all segments together: about a microsecond each.
pub(crate) const SCAN_LISTS_MAX: u64 = 400_000;

/// Entries of dictionaries that one search may read in order to keep them, in all segments together; beyond, it walks the dictionary.
pub(crate) const READ_ENTRIES_MAX: u64 = 4_000_000;

/// Lists of documents that refer to the targets of chains which one search may lay together, in all segments together: ten segments in
/// which two chains have as many targets as they may.
pub(crate) const FOLLOWED_MAX: u64 = 2_000_000;

/// A table that was made for this search.
struct Known {
    /// Of which records.
    targets: Arc<Targets>,
    /// Of the digests of their ids, under this type; `None` for the keys.
    kind: Option<Kind>,
    table: Rc<Table>,
}

/// What is left of what a search may cost.
pub(crate) struct Effort {
    entries: Cell<u64>,
    lists: Cell<u64>,
    read: Cell<u64>,
    followed: Cell<u64>,
    tables: RefCell<Vec<Known>>,
}

impl Default for Effort {
    fn default() -> Self {
        Self::new(SCAN_ENTRIES_MAX, SCAN_LISTS_MAX, FOLLOWED_MAX)
    }
}

impl Effort {
    pub(crate) fn new(entries: u64, lists: u64, followed: u64) -> Self {
        let [entries, lists, followed] = [entries, lists, followed].map(Cell::new);
        Self { entries, lists, read: Cell::new(READ_ENTRIES_MAX), followed, tables: RefCell::default() }
    }

    /// Looks at an entry of a dictionary.
    ///
    /// # Errors
    /// [`IndexError::TooWide`] past the limit: an answer that leaves values out would depend on how segments happen to lie.
    pub(crate) fn entry(&self) -> Result<(), IndexError> {
        take(&self.entries)
    }

    /// Lays a list of documents beside others.
    ///
    /// # Errors
    /// As [`Effort::entry`].
    pub(crate) fn list(&self) -> Result<(), IndexError> {
        take(&self.lists)
    }

    /// Reads an entry of a dictionary in order to keep it.
    ///
    /// # Errors
    /// [`IndexError::TooWide`] past the limit.
    pub(crate) fn read(&self) -> Result<(), IndexError> {
        take(&self.read)
    }

    /// Entries that were read so.
    #[cfg(test)]
    pub(crate) fn was_read(&self) -> u64 {
        READ_ENTRIES_MAX - self.read.get()
    }

    /// Lays the list of those that refer to one record beside others.
    ///
    /// # Errors
    /// As [`Effort::entry`].
    pub(crate) fn followed(&self) -> Result<(), IndexError> {
        take(&self.followed)
    }

    /// The keys of some records.
    pub(crate) fn keys(&self, targets: &Arc<Targets>) -> Rc<Table> {
        self.table(targets, None, || Table::new(targets.keys().to_vec()))
    }

    /// The first bytes of the digests of the ids of some records, all of this kind: what references to them start with.
    pub(crate) fn digests(&self, targets: &Arc<Targets>, kind: Kind) -> Rc<Table> {
        self.table(targets, Some(kind), || {
            let digests = targets.keys().iter().map(|key| u64::from_be_bytes(digest_of_join_key(kind, *key)));
            let mut digests: Vec<u64> = digests.collect();
            digests.sort_unstable();
            Table::new(digests)
        })
    }

    fn table(&self, targets: &Arc<Targets>, kind: Option<Kind>, make: impl FnOnce() -> Table) -> Rc<Table> {
        let mut tables = self.tables.borrow_mut();
        let known = tables.iter().find(|known| Arc::ptr_eq(&known.targets, targets) && known.kind == kind);
        if let Some(known) = known {
            return Rc::clone(&known.table);
        }
        let table = Rc::new(make());
        tables.push(Known { targets: Arc::clone(targets), kind, table: Rc::clone(&table) });
        table
    }
}

fn take(left: &Cell<u64>) -> Result<(), IndexError> {
    let now = left.get().checked_sub(1).ok_or(IndexError::TooWide)?;
    left.set(now);
    Ok(())
}

/// Numbers that are spread evenly, such as parts of digests, to be asked for one by one.
pub(crate) struct Table {
    /// In order.
    numbers: Vec<u64>,
    /// Where the numbers begin that start with so many bits; one more at the end.
    starts: Vec<u32>,
    shift: u32,
}

impl Table {
    /// Of numbers in order.
    fn new(numbers: Vec<u64>) -> Self {
        // About one number under each start. Limits of callers keep them far below four thousand million.
        let bits = numbers.len().max(2).ilog2();
        let shift = u64::BITS - bits;
        let mut starts = Vec::with_capacity((1 << bits) + 1);
        let mut at = 0;
        for start in 0..1_u64 << bits {
            while numbers.get(at).is_some_and(|number| number >> shift < start) {
                at += 1;
            }
            starts.push(u32::try_from(at).unwrap_or(u32::MAX));
        }
        starts.push(u32::try_from(numbers.len()).unwrap_or(u32::MAX));
        Self { numbers, starts, shift }
    }

    /// The numbers in order.
    pub(crate) fn numbers(&self) -> &[u64] {
        &self.numbers
    }

    /// Whether it is one of them.
    pub(crate) fn has(&self, number: u64) -> bool {
        let start = (number >> self.shift) as usize;
        self.numbers[self.starts[start] as usize..self.starts[start + 1] as usize].contains(&number)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_table_has_what_it_was_made_of(mut numbers in prop::collection::vec(any::<u64>(), 0..300), other in any::<u64>()) {
            numbers.extend([0, u64::MAX].iter().filter(|_| other % 2 == 0));
            numbers.sort_unstable();
            numbers.dedup();
            let table = Table::new(numbers.clone());
            prop_assert!(numbers.iter().all(|number| table.has(*number)));
            prop_assert_eq!(table.has(other), numbers.contains(&other));
        }
    }

    #[test]
    fn effort_ends_at_its_limit() {
        let effort = Effort::new(2, 1, 0);
        assert!(effort.entry().is_ok() && effort.entry().is_ok() && effort.list().is_ok());
        assert!(matches!(effort.followed(), Err(IndexError::TooWide)));
        assert!(matches!(effort.entry(), Err(IndexError::TooWide)));
        assert!(matches!(effort.list(), Err(IndexError::TooWide)));
    }
}
