//! Sets of documents within one segment, walked in ascending order.

use std::rc::Rc;
use std::sync::Arc;

use iris_kernel::{Kind, Tenant};
use iris_search::{Criterion, DateOp, Targets, Term, prefix_end};
use tantivy::columnar::Column;
use tantivy::postings::{SegmentPostings, TermInfo};
use tantivy::schema::IndexRecordOption;
use tantivy::termdict::TermStreamer;
use tantivy::{COLLECT_BLOCK_BUFFER_LEN, DocId, DocSet as _, TERMINATED};

use crate::docs::Docs;
use crate::effort::{Effort, Table};
use crate::error::IndexError;
use crate::lists::ListReader;
use crate::near::lists_near;
use crate::refers::referring;
use crate::scan::scanned;
use crate::schema::{Lookup, lookup, scope, scoped_prefix};
use crate::segment::{DateColumns, SegmentBody};
use crate::tree;
use crate::values::ValuesCache;
use crate::wide::Wide;

/// A union of at most this many posting lists is walked list by list when another set leads with far fewer documents.
const UNION_MAX: usize = 16;
/// How many times smaller the leading set must be for that.
const UNION_FACTOR: u64 = 8;
/// A union of less than one in so many documents is a sorted list, else a bitmap.
const LIST_SHARE: u64 = 32;

/// What a search works on at a time.
pub(crate) type Block = [DocId; COLLECT_BLOCK_BUFFER_LEN];

/// Documents in ascending order.
pub(crate) enum Set {
    Postings(Box<SegmentPostings>),
    List { docs: Vec<DocId>, at: usize },
    Bits { words: Arc<[u64]>, doc: DocId },
    Union(Vec<SegmentPostings>),
}

impl Set {
    /// The document it stands on; `TERMINATED` at the end. Not for [`Set::Union`], which only answers [`Set::contains`].
    pub(crate) fn doc(&self) -> DocId {
        match self {
            Self::Postings(postings) => postings.doc(),
            Self::List { docs, at } => docs.get(*at).copied().unwrap_or(TERMINATED),
            Self::Bits { doc, .. } => *doc,
            Self::Union(lists) => lists.iter().map(|list| list.doc()).min().unwrap_or(TERMINATED),
        }
    }

    /// Moves to the first document that is `target` or later, and tells it. Never moves back.
    pub(crate) fn seek(&mut self, target: DocId) -> DocId {
        match self {
            Self::Postings(postings) => {
                if postings.doc() < target {
                    postings.seek(target)
                } else {
                    postings.doc()
                }
            }
            Self::List { docs, at } => {
                let ahead = &docs[*at..];
                if ahead.first().is_some_and(|&doc| doc < target) {
                    *at += gallop(ahead, target);
                }
                self.doc()
            }
            Self::Bits { words, doc } => {
                if *doc < target {
                    *doc = next_bit(words, target);
                }
                *doc
            }
            Self::Union(lists) => {
                for list in lists.iter_mut() {
                    if list.doc() < target {
                        list.seek(target);
                    }
                }
                self.doc()
            }
        }
    }

    /// Whether `target` is in it. Targets must not go back.
    fn contains(&mut self, target: DocId) -> bool {
        match self {
            Self::Bits { words, .. } => words[target as usize / 64] >> (target % 64) & 1 == 1,
            Self::Union(lists) => lists.iter_mut().any(|list| {
                let doc = if list.doc() < target { list.seek(target) } else { list.doc() };
                doc == target
            }),
            Self::Postings(_) | Self::List { .. } => self.seek(target) == target,
        }
    }

    /// Moves the next documents into `block`; 0 at the end.
    pub(crate) fn fill(&mut self, block: &mut Block) -> usize {
        if let Self::Postings(postings) = self {
            return postings.fill_buffer(block);
        }
        let mut filled = 0;
        let mut doc = self.doc();
        while doc != TERMINATED && filled < block.len() {
            block[filled] = doc;
            filled += 1;
            doc = self.seek(doc + 1);
        }
        filled
    }
}

/// Index of the first element that is `target` or greater, looking in steps that double.
fn gallop(docs: &[DocId], target: DocId) -> usize {
    let mut step = 1;
    while step < docs.len() && docs[step] < target {
        step *= 2;
    }
    let from = step / 2;
    from + docs[from..docs.len().min(step + 1)].partition_point(|&doc| doc < target)
}

/// The first set bit at `from` or later.
fn next_bit(words: &[u64], from: DocId) -> DocId {
    let first = from as usize / 64;
    let Some(&word) = words.get(first) else { return TERMINATED };
    let masked = word & (u64::MAX << (from % 64));
    if masked != 0 {
        return (first as DocId) * 64 + masked.trailing_zeros();
    }
    for (place, &word) in words.iter().enumerate().skip(first + 1) {
        if word != 0 {
            return place as DocId * 64 + word.trailing_zeros();
        }
    }
    TERMINATED
}

/// A comparison with the ranges of one date slot.
pub(crate) struct DateTest<'a> {
    columns: &'a DateColumns,
    op: DateOp,
    asked: (i64, i64),
}

/// Whether a record is one of some.
pub(crate) struct OwnTest<'a> {
    column: &'a Column<u64>,
    keys: Rc<Table>,
}

impl OwnTest<'_> {
    /// Marks the documents of a block that are.
    fn mark(&self, block: &[DocId], marks: &mut [bool]) {
        let mut own = [0; COLLECT_BLOCK_BUFFER_LEN];
        self.column.values.get_vals(block, &mut own[..block.len()]);
        marks.iter_mut().zip(own).for_each(|(mark, key)| *mark = *mark || self.keys.has(key));
    }
}

/// What one search looks at in one segment: the records of a tenant's kind. And what may be spent on it.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'a> {
    pub(crate) body: &'a SegmentBody,
    pub(crate) tenant: Tenant,
    pub(crate) kind: Kind,
    pub(crate) effort: &'a Effort,
    pub(crate) values: &'a ValuesCache,
}

/// What a criterion came to that is answered by many terms.
#[derive(Default)]
pub(crate) struct Found {
    /// Lists of documents.
    pub(crate) lists: Vec<TermInfo>,
    /// Documents beside those of the lists.
    pub(crate) docs: Docs,
}

/// One group of alternatives in one segment.
#[derive(Default)]
pub(crate) struct Group<'a> {
    pub(crate) lists: Vec<TermInfo>,
    /// Documents beside those of the lists.
    docs: Docs,
    dates: Vec<DateTest<'a>>,
    owns: Vec<OwnTest<'a>>,
    /// The documents themselves, which then stand for everything else: what a long list of terms came to here, or a tree.
    wide: Option<Arc<Wide>>,
}

impl<'a> Group<'a> {
    pub(crate) fn open(scope: Scope<'a>, any: &[Criterion]) -> Result<Self, IndexError> {
        if any.iter().any(tree::is_tree) {
            let words = tree::any_of(scope, any, tree::TREE_DEPTH_MAX)?;
            let docs = words.iter().map(|word| u64::from(word.count_ones())).sum();
            return Ok(Self { wide: Some(Arc::new(Wide { words: words.into(), docs })), ..Self::default() });
        }
        Self::of_leaves(scope, any.iter())
    }

    /// Criteria that are not made of others.
    pub(crate) fn of_leaves<'c>(
        scope: Scope<'a>,
        any: impl Iterator<Item = &'c Criterion>,
    ) -> Result<Self, IndexError> {
        let Scope { body, tenant, kind, .. } = scope;
        let mut group = Self::default();
        // What looks at many terms does so once, however often it is asked.
        let mut wide: Vec<&Criterion> = Vec::new();
        for criterion in any {
            if let Criterion::Prefix(_) | Criterion::Near(_) | Criterion::Scan(_) | Criterion::Refers { .. } = criterion
            {
                if wide.contains(&criterion) {
                    continue;
                }
                wide.push(criterion);
            }
            match criterion {
                Criterion::Term(term) => group.add_term(body, tenant, kind, term)?,
                Criterion::Prefix(prefix) => group.add_prefix(scope, &scoped_prefix(tenant, kind, prefix)?)?,
                Criterion::Date { slot, op, low, high } => {
                    if let Some(columns) = body.dates(*slot)? {
                        group.dates.push(DateTest { columns, op: *op, asked: (*low, *high) });
                    }
                }
                Criterion::Near(near) => lists_near(body, tenant, kind, near, &mut group.lists)?,
                Criterion::Scan(scan) => group.add(body, scanned(scope, scan)?),
                Criterion::Refers { param, to } => group.add(body, referring(scope, *param, to)?),
                Criterion::Own(targets) => group.add_own(scope, targets)?,
                Criterion::Nothing => {}
                Criterion::All(_)
                | Criterion::Any(_)
                | Criterion::Not(_)
                | Criterion::Chain(_)
                | Criterion::Has(_)
                | Criterion::Listed(_) => return Err(IndexError::Unresolved),
            }
        }
        Ok(group)
    }

    /// The records that have one of these terms.
    pub(crate) fn of_terms(body: &SegmentBody, tenant: Tenant, kind: Kind, terms: &[Term]) -> Result<Self, IndexError> {
        let mut group = Self::default();
        terms.iter().try_for_each(|term| group.add_term(body, tenant, kind, term))?;
        Ok(group)
    }

    fn add_term(&mut self, body: &SegmentBody, tenant: Tenant, kind: Kind, term: &Term) -> Result<(), IndexError> {
        match lookup(tenant, kind, term) {
            Lookup::Exact(term) => self.lists.extend(body.terms.terms().get(term)?),
            Lookup::Prefix(start) => {
                // The types of records with one id: few.
                let mut stream = range_from(body, &start, &start)?;
                while stream.advance() {
                    self.lists.push(stream.value().clone());
                }
            }
        }
        Ok(())
    }

    fn add(&mut self, body: &SegmentBody, found: Found) {
        self.lists.extend(found.lists);
        found.docs.each(&mut |docs| self.docs.extend(docs, body.documents));
    }

    fn add_own(&mut self, scope: Scope<'a>, targets: &Arc<Targets>) -> Result<(), IndexError> {
        if !targets.is_empty() {
            self.owns.push(OwnTest { column: scope.body.own()?, keys: scope.effort.keys(targets) });
        }
        Ok(())
    }

    /// All records here, whose one list this is.
    pub(crate) fn everything(list: TermInfo) -> Self {
        Self { lists: vec![list], ..Self::default() }
    }

    /// All records here.
    pub(crate) fn everything_in(at: Scope<'_>) -> Result<Self, IndexError> {
        let list = at.body.terms.terms().get(scope(at.tenant, at.kind))?;
        Ok(list.map(Self::everything).unwrap_or_default())
    }

    /// The records that have one of these terms, of which there are so many that what they came to is kept.
    pub(crate) fn of_shared(
        body: &SegmentBody,
        tenant: Tenant,
        kind: Kind,
        terms: &Arc<[Term]>,
    ) -> Result<Self, IndexError> {
        if !Wide::is_worth(terms) {
            return Self::of_terms(body, tenant, kind, terms);
        }
        let of_lists = || -> Result<Wide, IndexError> {
            let group = Self::of_terms(body, tenant, kind, terms)?;
            Ok(Wide { words: group.words(body)?.into(), docs: group.cost() })
        };
        Ok(Self { wide: Some(body.wide.get(tenant, kind, terms, of_lists)?), ..Self::default() })
    }

    pub(crate) fn is_empty(&self) -> bool {
        !self.has_lists() && !self.has_tests()
    }

    /// Whether something here is asked document by document.
    pub(crate) fn has_tests(&self) -> bool {
        !self.dates.is_empty() || !self.owns.is_empty()
    }

    /// Whether something here is found by a term.
    pub(crate) fn has_lists(&self) -> bool {
        self.wide.as_ref().map_or(!self.lists.is_empty() || !self.docs.is_empty(), |wide| wide.docs > 0)
    }

    fn add_prefix(&mut self, scope: Scope<'_>, prefix: &[u8]) -> Result<(), IndexError> {
        let mut stream = range_from(scope.body, prefix, prefix)?;
        while stream.advance() {
            scope.effort.list()?;
            self.lists.push(stream.value().clone());
        }
        Ok(())
    }

    /// Most documents that its lists can hold.
    pub(crate) fn cost(&self) -> u64 {
        let listed = || self.docs.len() + self.lists.iter().map(|list| u64::from(list.doc_freq)).sum::<u64>();
        self.wide.as_ref().map_or_else(listed, |wide| wide.docs)
    }

    /// Its lists as one set; `led_by` is how many documents will be asked for, if another set leads.
    pub(crate) fn set(&self, body: &SegmentBody, led_by: Option<u64>) -> Result<Set, IndexError> {
        if let Some(wide) = &self.wide {
            return Ok(bits(Arc::clone(&wide.words)));
        }
        let open = |list: &TermInfo| body.terms.read_postings_from_terminfo(list, IndexRecordOption::Basic);
        if let ([list], true) = (self.lists.as_slice(), self.docs.is_empty()) {
            return Ok(Set::Postings(Box::new(open(list)?)));
        }
        let is_led = led_by.is_some_and(|docs| docs.saturating_mul(UNION_FACTOR) < self.cost());
        if is_led && self.docs.is_empty() && self.lists.len() <= UNION_MAX {
            return Ok(Set::Union(self.lists.iter().map(open).collect::<Result<_, _>>()?));
        }
        if self.cost() < u64::from(body.documents) / LIST_SHARE {
            let mut docs = Vec::with_capacity(usize::try_from(self.cost()).unwrap_or(0));
            self.each_doc(body, |block| docs.extend_from_slice(block))?;
            docs.sort_unstable();
            docs.dedup();
            return Ok(Set::List { docs, at: 0 });
        }
        Ok(bits(self.words(body)?.into()))
    }

    /// Its lists as a bitmap.
    pub(crate) fn words(&self, body: &SegmentBody) -> Result<Vec<u64>, IndexError> {
        if let Some(wide) = &self.wide {
            return Ok(wide.words.to_vec());
        }
        let mut words = vec![0_u64; (body.documents as usize).div_ceil(64)];
        self.each_doc(body, |block| block.iter().for_each(|doc| words[*doc as usize / 64] |= 1 << (doc % 64)))?;
        Ok(words)
    }

    /// Shows all documents, list after list, in blocks.
    fn each_doc(&self, body: &SegmentBody, mut each: impl FnMut(&[DocId])) -> Result<(), IndexError> {
        self.docs.each(&mut each);
        let mut reader = ListReader::default();
        self.lists.iter().try_for_each(|list| reader.each(body, list, &mut each))
    }
}

fn bits(words: Arc<[u64]>) -> Set {
    let doc = next_bit(&words, 0);
    Set::Bits { words, doc }
}

/// The terms that start with `start`, from one of them on.
pub(crate) fn range_from<'b>(body: &'b SegmentBody, start: &[u8], from: &[u8]) -> Result<TermStreamer<'b>, IndexError> {
    let range = body.terms.terms().range().ge(from);
    let range = match prefix_end(start) {
        Some(end) => range.lt(end),
        None => range,
    };
    Ok(range.into_stream()?)
}

/// A group that is asked document by document, because a test is among its alternatives or because it must not hold.
pub(crate) struct Filter<'a> {
    set: Option<Set>,
    dates: Vec<DateTest<'a>>,
    owns: Vec<OwnTest<'a>>,
}

impl<'a> Filter<'a> {
    pub(crate) fn open(body: &SegmentBody, group: Group<'a>, led_by: Option<u64>) -> Result<Self, IndexError> {
        let set = if group.has_lists() { Some(group.set(body, led_by)?) } else { None };
        Ok(Self { set, dates: group.dates, owns: group.owns })
    }

    /// Marks the documents of a block for which it holds.
    pub(crate) fn mark(&mut self, block: &[DocId], marks: &mut [bool]) {
        if let Some(set) = &mut self.set {
            block.iter().zip(marks.iter_mut()).for_each(|(&doc, mark)| *mark = set.contains(doc));
        }
        for DateTest { columns, op, asked } in &self.dates {
            columns.mark(block, *op, *asked, marks);
        }
        self.owns.iter().for_each(|own| own.mark(block, marks));
    }
}

impl Set {
    /// `doc` if it is in the set, else a later document up to which nothing is: where the leading set goes on.
    pub(crate) fn seek_or_contain(&mut self, doc: DocId) -> DocId {
        match self {
            Self::Union(_) => {
                if self.contains(doc) {
                    doc
                } else {
                    doc + 1
                }
            }
            Self::Postings(_) | Self::List { .. } | Self::Bits { .. } => self.seek(doc),
        }
    }
}
