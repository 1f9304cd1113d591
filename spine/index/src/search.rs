//! Answering one search: the segments of the last commit, the tail, and one order over both.

use iris_kernel::{Seq, Tenant};
use iris_search::{Query, SearchDocument, Sort, SortKey};
use tantivy::{COLLECT_BLOCK_BUFFER_LEN, DocId};

use crate::effort::Effort;
use crate::error::IndexError;
use crate::limits::Limits;
use crate::matches::Matches;
use crate::order::{Rank, tie_order};
use crate::segment::{DateColumns, Generation, SegmentBody, SegmentView};
use crate::set::{Block, Scope};
use crate::tail::{Entry, TailView, matches};
use crate::values::ValuesCache;

/// One search with everything that narrows it.
pub(crate) struct Ask<'a> {
    pub(crate) tenant: Tenant,
    pub(crate) query: &'a Query,
    /// What every match must keep to, whatever was asked.
    pub(crate) limits: &'a Limits<'a>,
    /// What it may still cost.
    pub(crate) effort: &'a Effort,
    /// What scans look at.
    pub(crate) values: &'a ValuesCache,
}

/// What becomes of the matches of a search.
pub(crate) trait Sink {
    /// Takes a match that is held in memory.
    fn entry(&mut self, entry: &Entry, document: &SearchDocument);

    /// Takes the number of matches in a segment if that is all that is wanted; tells whether it is.
    fn known(&mut self, count: u64) -> bool;

    /// Takes the matches in a segment.
    ///
    /// # Errors
    /// Damage.
    fn segment(&mut self, walk: Walk<'_>) -> Result<(), IndexError>;
}

/// The matches of one segment, to be walked through.
pub(crate) struct Walk<'a> {
    view: &'a SegmentView,
    tail: &'a TailView,
    found: Matches<'a>,
}

impl<'a> Walk<'a> {
    /// The segment.
    pub(crate) fn body(&self) -> &'a SegmentBody {
        self.view.body.as_ref()
    }

    fn all_alive(&self) -> bool {
        self.view.alive.is_none() && self.tail.hides_nothing()
    }

    /// Calls `each` with the matches that are current, in blocks.
    pub(crate) fn each(self, mut each: impl FnMut(&[DocId])) {
        let all_alive = self.all_alive();
        let Self { view, tail, found } = self;
        let hides = !tail.hides_nothing();
        let is_current = |doc: DocId| view.is_alive(doc) && !(hides && tail.hides(view.body.seq(doc)));
        found.for_each_block(|block| {
            let mut current = [0; COLLECT_BLOCK_BUFFER_LEN];
            each(if all_alive { block } else { keep(block, &mut current, is_current) });
        });
    }
}

/// The best matches so far, by ranks of which the smaller comes first, and how many there were.
pub(crate) struct Best<R> {
    pub(crate) size: usize,
    pub(crate) after: Option<R>,
    /// Matches among which the best `size` are; sorted out whenever it is full, which costs less than keeping them in order
    /// when many documents in a row are each better than all before, as under "newest first".
    kept: Vec<(R, Seq)>,
    /// The rank that a match must beat.
    pub(crate) bar: Option<R>,
    pub(crate) total: u64,
}

/// Fewest matches that are kept before they are sorted out.
const KEPT_MIN: usize = 128;

impl<R: Ord + Clone> Best<R> {
    /// Keeps `size` matches that come after a position.
    pub(crate) fn new(size: usize, after: Option<R>) -> Self {
        Self { size, after, kept: Vec::new(), bar: None, total: 0 }
    }

    pub(crate) fn offer(&mut self, rank: R, seq: impl FnOnce() -> Seq) {
        if self.after.as_ref().is_some_and(|after| rank <= *after) || self.bar.as_ref().is_some_and(|bar| rank >= *bar)
        {
            return;
        }
        self.kept.push((rank, seq()));
        if self.kept.len() >= KEPT_MIN.max(2 * self.size) {
            self.sort_out();
        }
    }

    /// Leaves the best, so that [`Best::bar`] is what it can be.
    pub(crate) fn sort_out(&mut self) {
        let Some(last) = self.size.checked_sub(1).filter(|&last| last < self.kept.len()) else { return };
        let (_, worst, _) = self.kept.select_nth_unstable(last);
        self.bar = Some(worst.0.clone());
        self.kept.truncate(self.size);
    }

    /// The matches in order.
    pub(crate) fn into_sorted(mut self) -> Vec<(R, Seq)> {
        self.sort_out();
        self.kept.sort_unstable();
        self.kept
    }
}

impl Ask<'_> {
    /// Looks at one entry of the tail.
    pub(crate) fn collect_entry(&self, sink: &mut impl Sink, tail: &TailView, entry: &Entry) {
        if !tail.hides(entry.seq)
            && matches(entry, self.tenant, self.query, self.limits)
            && let Some(document) = &entry.document
        {
            sink.entry(entry, document);
        }
    }

    /// Looks at everything that is committed, and at the closed chunks of the tail.
    pub(crate) fn collect(
        &self,
        sink: &mut impl Sink,
        generation: &Generation,
        tail: &TailView,
    ) -> Result<(), IndexError> {
        for chunk in tail.chunks.iter() {
            chunk.candidates(self.query, self.limits, |entry| self.collect_entry(sink, tail, entry));
        }
        for view in generation.in_order(tie_order(&self.query.sort)) {
            let body = view.body.as_ref();
            let Self { tenant, effort, values, .. } = *self;
            let scope = Scope { body, tenant, kind: self.query.kind, effort, values };
            let Some(found) = Matches::open(scope, self.query, self.limits)? else { continue };
            let walk = Walk { view, tail, found };
            if let (true, Some(count)) = (walk.all_alive(), walk.found.count_known())
                && sink.known(count)
            {
                continue;
            }
            sink.segment(walk)?;
        }
        Ok(())
    }
}

/// The best matches under an order that a number is enough for, see [`crate::order::narrow`].
pub(crate) struct Narrow {
    pub(crate) sort: Sort,
    pub(crate) best: Best<Rank>,
}

impl Narrow {
    /// Nothing but the number of matches.
    pub(crate) fn counting() -> Self {
        Self { sort: Sort::default(), best: Best::new(0, None) }
    }
}

impl Sink for Narrow {
    fn entry(&mut self, entry: &Entry, document: &SearchDocument) {
        self.best.total += 1;
        if self.best.size > 0 {
            self.best.offer(Rank::of_document(self.sort, document, entry.born), || entry.seq);
        }
    }

    fn known(&mut self, count: u64) -> bool {
        if self.best.size > 0 {
            return false;
        }
        self.best.total += count;
        true
    }

    fn segment(&mut self, walk: Walk<'_>) -> Result<(), IndexError> {
        let sorter = Sorter::open(walk.body(), self.sort)?;
        let best = &mut self.best;
        walk.each(|block| {
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
            SortKey::Recent | SortKey::Term { .. } => None,
            SortKey::Date { slot } => body.dates(slot)?,
        };
        Ok(Self { body, sort, dates })
    }

    /// Offers the documents of a block: columns are read for the block, not document by document.
    fn offer(&self, best: &mut Best<Rank>, block: &[DocId]) {
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

    fn offer_one(&self, best: &mut Best<Rank>, doc: DocId, value: Option<i64>, born: Seq) {
        best.offer(Rank::new(self.sort.order, value, born), || self.body.seq(doc));
    }
}
