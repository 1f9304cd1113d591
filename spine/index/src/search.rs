//! Answering one search: the segments of the last commit, the tail, and one order over both.

use iris_kernel::{Seq, Tenant};
use iris_search::{Query, Sort, SortKey};
use tantivy::{COLLECT_BLOCK_BUFFER_LEN, DocId};

use crate::error::IndexError;
use crate::limits::Limits;
use crate::matches::Matches;
use crate::order::{Position, Rank, rank_of};
use crate::segment::{DateColumns, Generation, SegmentBody, SegmentView};
use crate::set::Block;
use crate::tail::{Entry, TailView, matches};

/// One search with everything that narrows it.
pub(crate) struct Ask<'a> {
    pub(crate) tenant: Tenant,
    pub(crate) query: &'a Query,
    /// What every match must keep to, whatever was asked.
    pub(crate) limits: &'a Limits<'a>,
}

/// The best matches so far, and how many there were.
pub(crate) struct Best {
    size: usize,
    after: Option<Rank>,
    /// Matches among which the best `size` are; sorted out whenever it is full, which costs less than keeping them in order
    /// when many documents in a row are each better than all before, as under "newest first".
    kept: Vec<(Rank, Seq)>,
    /// The rank that a match must beat.
    bar: Option<Rank>,
    pub(crate) total: u64,
}

/// Fewest matches that are kept before they are sorted out.
const KEPT_MIN: usize = 128;

impl Best {
    /// Keeps `size` matches that come after a position.
    pub(crate) fn new(size: usize, after: Option<Rank>) -> Self {
        Self { size, after, kept: Vec::new(), bar: None, total: 0 }
    }

    fn offer(&mut self, rank: Rank, seq: impl FnOnce() -> Seq) {
        if self.after.is_some_and(|after| rank <= after) || self.bar.is_some_and(|bar| rank >= bar) {
            return;
        }
        self.kept.push((rank, seq()));
        if self.kept.len() >= KEPT_MIN.max(2 * self.size) {
            self.sort_out();
        }
    }

    fn sort_out(&mut self) {
        let Some(last) = self.size.checked_sub(1).filter(|&last| last < self.kept.len()) else { return };
        let (_, worst, _) = self.kept.select_nth_unstable(last);
        self.bar = Some(worst.0);
        self.kept.truncate(self.size);
    }

    /// The matches in order.
    pub(crate) fn into_sorted(mut self) -> Vec<(Rank, Seq)> {
        self.sort_out();
        self.kept.sort_unstable();
        self.kept
    }
}

impl Ask<'_> {
    /// Looks at one entry of the tail.
    pub(crate) fn collect_entry(&self, best: &mut Best, tail: &TailView, entry: &Entry) {
        if !tail.hides(entry.seq) && matches(entry, self.tenant, self.query, self.limits) {
            self.count_entry(best, entry);
        }
    }

    fn count_entry(&self, best: &mut Best, entry: &Entry) {
        best.total += 1;
        if best.size == 0 {
            return;
        }
        if let Some(document) = &entry.document {
            best.offer(rank_of(self.query.sort, document, entry.born), || entry.seq);
        }
    }

    /// Looks at everything that is committed, and at the closed chunks of the tail.
    pub(crate) fn collect(&self, best: &mut Best, generation: &Generation, tail: &TailView) -> Result<(), IndexError> {
        for chunk in tail.chunks.iter() {
            chunk.candidates(self.query, self.limits, |entry| self.collect_entry(best, tail, entry));
        }
        for view in generation.in_order(self.query.sort.order) {
            if let Some(found) = Matches::open(&view.body, self.tenant, self.query, self.limits)? {
                self.collect_segment(best, view, tail, found)?;
            }
        }
        Ok(())
    }

    fn collect_segment(
        &self,
        best: &mut Best,
        view: &SegmentView,
        tail: &TailView,
        found: Matches<'_>,
    ) -> Result<(), IndexError> {
        let all_alive = view.alive.is_none() && tail.hides_nothing();
        if let (true, 0, Some(known)) = (all_alive, best.size, found.count_known()) {
            best.total += known;
            return Ok(());
        }
        let body = view.body.as_ref();
        let sorter = Sorter::open(body, self.query.sort)?;
        let hides = !tail.hides_nothing();
        let is_current = |doc: DocId| view.is_alive(doc) && !(hides && tail.hides(body.seq(doc)));
        found.for_each_block(|block| {
            let mut current = [0; COLLECT_BLOCK_BUFFER_LEN];
            let block = if all_alive { block } else { keep(block, &mut current, is_current) };
            best.total += block.len() as u64;
            if best.size > 0 {
                sorter.offer(best, block);
            }
        });
        Ok(())
    }
}

/// The documents of a block for which something holds.
fn keep<'a>(block: &[DocId], kept: &'a mut Block, holds: impl Fn(DocId) -> bool) -> &'a [DocId] {
    let mut count = 0;
    for &doc in block.iter().filter(|&&doc| holds(doc)) {
        kept[count] = doc;
        count += 1;
    }
    &kept[..count]
}

/// Reads the sort value of the documents of one segment.
struct Sorter<'a> {
    body: &'a SegmentBody,
    sort: Sort,
    dates: Option<&'a DateColumns>,
}

impl<'a> Sorter<'a> {
    fn open(body: &'a SegmentBody, sort: Sort) -> Result<Self, IndexError> {
        let dates = match sort.key {
            SortKey::Recent => None,
            SortKey::Date { slot } => body.dates(slot)?,
        };
        Ok(Self { body, sort, dates })
    }

    /// Offers the documents of a block: columns are read for the block, not document by document.
    fn offer(&self, best: &mut Best, block: &[DocId]) {
        if self.sort.key == SortKey::Recent {
            self.body.each_born(block, |doc, born| self.offer_one(best, doc, None, born));
            return;
        }
        let mut values = [None; COLLECT_BLOCK_BUFFER_LEN];
        if let Some(dates) = self.dates {
            dates.sort_values(block, self.sort.order, &mut values);
        }
        for (&doc, &value) in block.iter().zip(&values) {
            // Most documents of a long answer are sent away here, before their birth is read.
            if best.bar.is_none_or(|bar| bar.admits(self.sort.order, value)) {
                self.offer_one(best, doc, value, self.body.born(doc));
            }
        }
    }

    fn offer_one(&self, best: &mut Best, doc: DocId, value: Option<i64>, born: Seq) {
        best.offer(Rank::new(self.sort.order, Position { value, born }), || self.body.seq(doc));
    }
}
