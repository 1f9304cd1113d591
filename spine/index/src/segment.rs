//! The segments of one commit, opened for searching. What does not change from commit to commit (dictionary, columns) is
//! opened once per segment and shared; only the set of living documents is read again.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use iris_kernel::Seq;
use iris_search::{DateOp, Order};
use tantivy::columnar::{Cardinality, Column};
use tantivy::directory::META_LOCK;
use tantivy::fastfield::{AliveBitSet, FastFieldReaders};
use tantivy::index::{InvertedIndexReader, SegmentId};
use tantivy::{COLLECT_BLOCK_BUFFER_LEN, Directory as _, DocId, Index, Opstamp, SegmentReader};

use crate::error::IndexError;
use crate::schema::{AGE, DATE_SLOTS, Fields, OWN, SEQ, high_of, low_name, width_name};
use crate::wide::WideCache;

/// Everything that is searched of one commit.
#[derive(Default)]
pub(crate) struct Generation {
    pub(crate) segments: Vec<Arc<SegmentView>>,
    /// The last change of the store that is in it.
    pub(crate) applied: Seq,
}

/// One segment as of one commit.
pub(crate) struct SegmentView {
    pub(crate) body: Arc<SegmentBody>,
    deletes: Option<Opstamp>,
    pub(crate) alive: Option<AliveBitSet>,
    pub(crate) living: u32,
}

/// The part of a segment that never changes.
pub(crate) struct SegmentBody {
    pub(crate) id: SegmentId,
    /// Not the whole reader, which would keep files open that no search reads.
    columns: FastFieldReaders,
    pub(crate) terms: Arc<InvertedIndexReader>,
    seq: Column<u64>,
    age: Column<u64>,
    own: OnceLock<Column<u64>>,
    dates: [OnceLock<Option<DateColumns>>; DATE_SLOTS],
    /// What long lists of terms came to here.
    pub(crate) wide: WideCache,
    pub(crate) documents: DocId,
}

/// The ranges of one date slot.
pub(crate) struct DateColumns {
    low: Column<i64>,
    width: Column<u64>,
}

impl DateColumns {
    /// The ranges of a document as (low, high).
    pub(crate) fn ranges(&self, doc: DocId) -> impl Iterator<Item = (i64, i64)> + '_ {
        // Both columns got one value per range in the same order, so the rows of one are the rows of the other.
        self.low.index.value_row_ids(doc).map(|row| {
            let low = self.low.values.get_val(row);
            (low, high_of(low, self.width.values.get_val(row)))
        })
    }

    /// Whether one of a document's ranges satisfies a comparison.
    pub(crate) fn holds(&self, doc: DocId, op: DateOp, asked: (i64, i64)) -> bool {
        self.low.index.value_row_ids(doc).any(|row| {
            let low = self.low.values.get_val(row);
            decided_by_low(op, asked, low)
                .unwrap_or_else(|| op.holds(asked, (low, high_of(low, self.width.values.get_val(row)))))
        })
    }

    /// Marks the documents of a block for which [`DateColumns::holds`].
    pub(crate) fn mark(&self, block: &[DocId], op: DateOp, asked: (i64, i64), marks: &mut [bool]) {
        if self.low.get_cardinality() == Cardinality::Multivalued {
            for (&doc, mark) in block.iter().zip(marks) {
                *mark = *mark || self.holds(doc, op, asked);
            }
            return;
        }
        let mut lows = [None; COLLECT_BLOCK_BUFFER_LEN];
        self.low.first_vals(block, &mut lows[..block.len()]);
        for ((&doc, low), mark) in block.iter().zip(lows).zip(marks) {
            let decided = low.map_or(Some(false), |low| decided_by_low(op, asked, low));
            *mark = *mark || decided.unwrap_or_else(|| self.holds(doc, op, asked));
        }
    }

    /// What the documents of a block are sorted by, see [`iris_search::SearchDocument::sort_value`].
    pub(crate) fn sort_values(
        &self,
        block: &[DocId],
        order: Order,
        values: &mut [Option<i64>; COLLECT_BLOCK_BUFFER_LEN],
    ) {
        if self.low.get_cardinality() != Cardinality::Multivalued {
            self.low.first_vals(block, &mut values[..block.len()]);
            return;
        }
        for (&doc, value) in block.iter().zip(values) {
            let lows = self.low.values_for_doc(doc);
            *value = match order {
                Order::Ascending => lows.min(),
                Order::Descending => lows.max(),
            };
        }
    }
}

/// Whether a comparison holds, where the start of a range tells, which spares the second column. A range ends after it starts.
const fn decided_by_low(op: DateOp, asked: (i64, i64), low: i64) -> Option<bool> {
    let (is_before, is_beyond) = (low < asked.0, low >= asked.1);
    match op {
        DateOp::Lt => Some(is_before),
        DateOp::Sa => Some(is_beyond),
        DateOp::Ge if !is_before => Some(true),
        DateOp::Gt if is_beyond => Some(true),
        DateOp::Le if is_before => Some(true),
        DateOp::Le if is_beyond => Some(false),
        DateOp::Eq if is_before || is_beyond => Some(false),
        DateOp::Ne if is_before || is_beyond => Some(true),
        DateOp::Eb if !is_before => Some(false),
        DateOp::Ap if is_beyond => Some(false),
        DateOp::Ap if !is_before => Some(true),
        DateOp::Contains if is_beyond => Some(false),
        DateOp::Contains | DateOp::Ap | DateOp::Eq | DateOp::Ne | DateOp::Gt | DateOp::Ge | DateOp::Le | DateOp::Eb => {
            None
        }
    }
}

impl SegmentBody {
    fn open(id: SegmentId, reader: &SegmentReader, fields: &Fields) -> Result<Self, IndexError> {
        Ok(Self {
            id,
            terms: reader.inverted_index(fields.term)?,
            seq: reader.fast_fields().u64(SEQ)?,
            age: reader.fast_fields().u64(AGE)?,
            own: OnceLock::new(),
            dates: std::array::from_fn(|_| OnceLock::new()),
            wide: WideCache::default(),
            documents: reader.max_doc(),
            columns: reader.fast_fields().clone(),
        })
    }

    /// The row's sequence number.
    pub(crate) fn seq(&self, doc: DocId) -> Seq {
        Seq(self.seq.values.get_val(doc))
    }

    /// The record's birth sequence.
    pub(crate) fn born(&self, doc: DocId) -> Seq {
        Seq(self.seq.values.get_val(doc).wrapping_sub(self.age.values.get_val(doc)))
    }

    /// The birth sequences of the documents of a block.
    pub(crate) fn each_born(&self, block: &[DocId], mut each: impl FnMut(DocId, Seq)) {
        let (mut seqs, mut ages) = ([0; COLLECT_BLOCK_BUFFER_LEN], [0; COLLECT_BLOCK_BUFFER_LEN]);
        self.seq.values.get_vals(block, &mut seqs[..block.len()]);
        self.age.values.get_vals(block, &mut ages[..block.len()]);
        for ((&doc, seq), age) in block.iter().zip(seqs).zip(ages) {
            each(doc, Seq(seq.wrapping_sub(age)));
        }
    }

    /// The keys of the records themselves, opened when first asked for: eight bytes of memory a document from then on.
    pub(crate) fn own(&self) -> Result<&Column<u64>, IndexError> {
        if let Some(own) = self.own.get() {
            return Ok(own);
        }
        let own = self.columns.u64(OWN)?;
        Ok(self.own.get_or_init(|| own))
    }

    /// The columns of a date slot, opened when first asked for; `None` if no document here has one.
    pub(crate) fn dates(&self, slot: u8) -> Result<Option<&DateColumns>, IndexError> {
        let slot = usize::from(slot);
        let Some(cell) = self.dates.get(slot) else { return Ok(None) };
        if let Some(columns) = cell.get() {
            return Ok(columns.as_ref());
        }
        let low = self.columns.column_opt::<i64>(&low_name(slot))?;
        let width = self.columns.column_opt::<u64>(&width_name(slot))?;
        let columns = low.zip(width).map(|(low, width)| DateColumns { low, width });
        Ok(cell.get_or_init(|| columns).as_ref())
    }
}

impl SegmentView {
    /// Whether the document is still current in this commit.
    pub(crate) fn is_alive(&self, doc: DocId) -> bool {
        self.alive.as_ref().is_none_or(|alive| alive.is_alive(doc))
    }
}

impl Generation {
    /// Opens the last commit, sharing what `before` had open already.
    pub(crate) fn open(index: &Index, fields: &Fields, before: &Self, applied: Seq) -> Result<Self, IndexError> {
        // Holding this lock keeps the files of the commit from being collected before they are open.
        let _lock =
            index.directory().acquire_lock(&META_LOCK).map_err(|error| IndexError::Engine(error.to_string()))?;
        let known: HashMap<SegmentId, &Arc<SegmentView>> =
            before.segments.iter().map(|view| (view.body.id, view)).collect();
        let mut segments = Vec::new();
        for segment in index.searchable_segments()? {
            let (id, deletes) = (segment.id(), segment.meta().delete_opstamp());
            let old = known.get(&id).copied();
            if let Some(view) = old.filter(|view| view.deletes == deletes) {
                segments.push(Arc::clone(view));
                continue;
            }
            let reader = SegmentReader::open(&segment)?;
            let (alive, living) = (reader.alive_bitset().cloned(), reader.num_docs());
            let body = match old {
                Some(view) => Arc::clone(&view.body),
                None => Arc::new(SegmentBody::open(id, &reader, fields)?),
            };
            segments.push(Arc::new(SegmentView { body, deletes, alive, living }));
        }
        segments.sort_by_key(|view| view.body.seq.max_value());
        Ok(Self { segments, applied })
    }

    /// The segments in the order in which they are likely to hold the best matches: then most documents of the later ones
    /// are sent away at the first look.
    pub(crate) fn in_order(&self, order: Order) -> impl Iterator<Item = &Arc<SegmentView>> {
        let last = self.segments.len();
        (0..last).map(move |place| match order {
            Order::Ascending => &self.segments[place],
            Order::Descending => &self.segments[last - 1 - place],
        })
    }

    /// The segments it consists of, to see whether a merge has changed them.
    pub(crate) fn segment_ids(&self) -> Vec<SegmentId> {
        self.segments.iter().map(|view| view.body.id).collect()
    }

    /// Living documents.
    pub(crate) fn living(&self) -> u64 {
        self.segments.iter().map(|view| u64::from(view.living)).sum()
    }
}

#[cfg(test)]
mod tests {
    use iris_search::DateOp;
    use proptest::prelude::*;

    use super::decided_by_low;

    proptest! {
        #[test]
        fn what_the_start_decides_is_what_the_whole_range_says(
            asked in (-6_i64..6, 1_i64..6),
            had in (-9_i64..9, 1_i64..9),
        ) {
            let (asked, had) = ((asked.0, asked.0 + asked.1), (had.0, had.0 + had.1));
            let ops = [
                DateOp::Eq, DateOp::Ne, DateOp::Gt, DateOp::Lt, DateOp::Ge, DateOp::Le, DateOp::Sa, DateOp::Eb,
                DateOp::Ap,
            ];
            for op in ops {
                if let Some(decided) = decided_by_low(op, asked, had.0) {
                    prop_assert_eq!(decided, op.holds(asked, had), "{:?} {:?} {:?}", op, asked, had);
                }
            }
        }
    }
}
