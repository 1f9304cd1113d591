//! Documents of one segment that are gathered one after another: a list while that is shorter than a bitmap, then a bitmap.

use tantivy::{COLLECT_BLOCK_BUFFER_LEN, DocId};

/// Documents in any order. However many are added, they take a bit for each document of the segment at most.
#[derive(Default)]
pub(crate) struct Docs {
    list: Vec<DocId>,
    /// Empty while they are a list.
    words: Vec<u64>,
    /// How many they are; in a list one may stand twice.
    len: u64,
}

impl Docs {
    /// Adds some of a segment of so many documents.
    pub(crate) fn extend(&mut self, docs: &[DocId], documents: u32) {
        if self.words.is_empty() && (self.list.len() + docs.len()) < (documents / DocId::BITS) as usize {
            self.list.extend_from_slice(docs);
            self.len = self.list.len() as u64;
            return;
        }
        if self.words.is_empty() && !docs.is_empty() {
            self.words = vec![0; (documents as usize).div_ceil(64)];
            self.len = 0;
            let list = std::mem::take(&mut self.list);
            self.mark(&list);
        }
        self.mark(docs);
    }

    fn mark(&mut self, docs: &[DocId]) {
        for doc in docs {
            let word = &mut self.words[*doc as usize / 64];
            let bit = 1 << (doc % 64);
            self.len += u64::from(*word & bit == 0);
            *word |= bit;
        }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Most documents that they can be.
    pub(crate) const fn len(&self) -> u64 {
        self.len
    }

    /// Shows all of them, in blocks.
    pub(crate) fn each(&self, each: &mut impl FnMut(&[DocId])) {
        each(&self.list);
        let mut block = [0; COLLECT_BLOCK_BUFFER_LEN];
        for (word, first) in self.words.iter().zip((0..).step_by(64)) {
            let (mut left, mut filled) = (*word, 0);
            while left != 0 {
                block[filled] = first + left.trailing_zeros();
                filled += 1;
                left &= left - 1;
            }
            each(&block[..filled]);
        }
    }

    /// Bytes that they take.
    #[cfg(test)]
    fn bytes(&self) -> usize {
        self.list.capacity() * size_of::<DocId>() + size_of_val(&*self.words)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn they_are_what_was_added(
            documents in 1_u32..5_000, added in prop::collection::vec(prop::collection::vec(any::<u32>(), 0..90), 0..9),
        ) {
            let mut docs = Docs::default();
            let added: Vec<Vec<u32>> =
                added.into_iter().map(|some| some.into_iter().map(|doc| doc % documents).collect()).collect();
            added.iter().for_each(|some| docs.extend(some, documents));
            let expected: BTreeSet<u32> = added.into_iter().flatten().collect();
            let mut shown = BTreeSet::new();
            docs.each(&mut |block| shown.extend(block));
            prop_assert!(docs.len() >= expected.len() as u64);
            prop_assert_eq!(docs.is_empty(), expected.is_empty());
            prop_assert_eq!(shown, expected);
        }
    }

    #[test]
    fn a_thousand_times_all_documents_take_a_bit_each() {
        let all: Vec<DocId> = (0..100_000).collect();
        let mut docs = Docs::default();
        for _ in 0..1_000 {
            docs.extend(&all, 100_000);
        }
        assert_eq!(docs.len(), 100_000);
        assert!(docs.bytes() <= 100_000 / 8 + 8, "{}", docs.bytes());
    }
}
