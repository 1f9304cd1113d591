//! The tail: what is newer than the last commit of the index, searched in memory by the one evaluator.
//!
//! Changes are pushed by the store's writer thread before the writer is answered, so a search on this node sees its own
//! writes. Pushing only moves pointers. Every [`CHUNK_CHANGES`] changes the chunk becomes immutable and shared; a search
//! takes the shared chunks by reference count and holds the lock only while it looks through the small active one.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{Arc, OnceLock};

use iris_kernel::{Kind, RecordId, Seq, Tenant, Timestamp, Version};
use iris_search::{Criterion, Query, SearchDocument, Term};
use iris_store::{Change, Row};

use crate::limits::Limits;

/// Changes after which a chunk is closed: what a search looks through under the lock.
pub(crate) const CHUNK_CHANGES: usize = 256;

/// One change of the store.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) tenant: Tenant,
    pub(crate) kind: Kind,
    pub(crate) seq: Seq,
    /// Which row of which history.
    pub(crate) mark: Mark,
    pub(crate) born: Seq,
    /// The row that this change took the place of.
    pub(crate) superseded: Option<Seq>,
    /// What the resource is found by from now on; `None` if it is deleted or not searched for.
    pub(crate) document: Option<Box<SearchDocument>>,
}

/// Tells a row from any other that could have its sequence in another history of the store: a copy that is put back, or takes over
/// without the newest writes, goes on with the same sequences and other rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) seq: Seq,
    pub(crate) record: RecordId,
    pub(crate) version: Version,
    pub(crate) at: Timestamp,
}

impl From<&Row> for Mark {
    fn from(row: &Row) -> Self {
        Self { seq: row.seq, record: row.record, version: row.version, at: row.at }
    }
}

impl From<&Change> for Mark {
    fn from(change: &Change) -> Self {
        Self { seq: change.seq, record: change.record, version: change.version, at: change.at }
    }
}

/// Sequence numbers of rows that are no longer current.
pub(crate) type Hidden = HashSet<u64, BuildHasherDefault<SeqHasher>>;

/// Spreads sequence numbers, which are unique and need no more than that, and terms.
#[derive(Default)]
pub(crate) struct SeqHasher(u64);

impl Hasher for SeqHasher {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for part in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..part.len()].copy_from_slice(part);
            self.write_u64(u64::from_le_bytes(word));
        }
    }
    fn write_u64(&mut self, value: u64) {
        self.0 = (self.0.rotate_left(5) ^ value).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}

/// A run of changes that no longer grows.
#[derive(Debug)]
pub(crate) struct Chunk {
    pub(crate) entries: Vec<Entry>,
    terms: OnceLock<TermPlaces>,
}

/// Where in a chunk a term stands, by its hash; made by the first search that can use it.
#[derive(Debug)]
struct TermPlaces {
    places: HashMap<u64, Vec<u16>, BuildHasherDefault<SeqHasher>>,
}

impl TermPlaces {
    fn new(entries: &[Entry]) -> Self {
        let mut places = HashMap::<u64, Vec<u16>, _>::default();
        for (place, entry) in (0_u16..).zip(entries) {
            for term in entry.document.iter().flat_map(|document| &document.terms) {
                places.entry(term_hash(term)).or_default().push(place);
            }
        }
        Self { places }
    }

    fn of(&self, term: &Term) -> &[u16] {
        self.places.get(&term_hash(term)).map_or(&[], Vec::as_slice)
    }
}

/// A quick hash: terms that share one are only looked at twice.
fn term_hash(term: &Term) -> u64 {
    let mut hasher = SeqHasher::default();
    hasher.write(term);
    hasher.finish()
}

impl Chunk {
    fn new(entries: Vec<Entry>) -> Self {
        Self { entries, terms: OnceLock::new() }
    }

    /// Calls `each` for every entry that may match: all of them, or those with one of the terms that are asked for.
    pub(crate) fn candidates<'a>(&'a self, query: &Query, limits: &Limits<'_>, mut each: impl FnMut(&'a Entry)) {
        let Some(asked) = asked_terms(query, limits) else {
            self.entries.iter().for_each(each);
            return;
        };
        let places = self.terms.get_or_init(|| TermPlaces::new(&self.entries));
        let mut found: Vec<u16> = asked.iter().flat_map(|term| places.of(term)).copied().collect();
        found.sort_unstable();
        found.dedup();
        for place in found {
            each(&self.entries[usize::from(place)]);
        }
    }
}

/// Terms of which every match has at least one: those of the smallest group that asks for nothing else.
fn asked_terms<'a>(query: &'a Query, limits: &'a Limits<'_>) -> Option<Vec<&'a Term>> {
    let groups = query.all.iter().filter_map(|group| {
        let terms = group.iter().map(|criterion| match criterion {
            Criterion::Term(term) => Some(term),
            _ => None,
        });
        terms.collect::<Option<Vec<_>>>()
    });
    groups.chain(limits.required.iter().map(|any| any.iter().collect())).min_by_key(Vec::len)
}

/// Whether an entry is a match.
pub(crate) fn matches(entry: &Entry, tenant: Tenant, query: &Query, limits: &Limits<'_>) -> bool {
    let Some(document) = &entry.document else { return false };
    entry.tenant == tenant && entry.kind == query.kind && limits.admit(document) && query.matches(document)
}

/// All changes since the last commit of the index, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    chunks: Arc<Vec<Arc<Chunk>>>,
    active: Vec<Entry>,
    /// Rows that a change in `chunks` made old.
    hidden: Arc<Hidden>,
    /// Rows that a change in `active` made old.
    hidden_active: Arc<Hidden>,
}

/// The tail as one search sees it.
#[derive(Debug)]
pub(crate) struct TailView {
    pub(crate) chunks: Arc<Vec<Arc<Chunk>>>,
    hidden: Arc<Hidden>,
    hidden_active: Arc<Hidden>,
}

impl TailView {
    /// Whether the row has been superseded by a change in the tail.
    pub(crate) fn hides(&self, seq: Seq) -> bool {
        self.hidden.contains(&seq.0) || self.hidden_active.contains(&seq.0)
    }

    /// Whether no row is superseded, so that nothing need be asked.
    pub(crate) fn hides_nothing(&self) -> bool {
        self.hidden.is_empty() && self.hidden_active.is_empty()
    }
}

impl Tail {
    /// Takes a change in.
    pub(crate) fn push(&mut self, entry: Entry) {
        if let Some(Seq(old)) = entry.superseded {
            Arc::make_mut(&mut self.hidden_active).insert(old);
        }
        self.active.push(entry);
        if self.active.len() == CHUNK_CHANGES {
            self.close_chunk();
        }
    }

    fn close_chunk(&mut self) {
        if self.active.is_empty() {
            return;
        }
        let entries = std::mem::replace(&mut self.active, Vec::with_capacity(CHUNK_CHANGES));
        Arc::make_mut(&mut self.chunks).push(Arc::new(Chunk::new(entries)));
        if !self.hidden_active.is_empty() {
            let newly = std::mem::take(&mut self.hidden_active);
            Arc::make_mut(&mut self.hidden).extend(newly.iter());
        }
    }

    /// The tail as it stands, but for the active entries, which are looked through under the lock.
    pub(crate) fn view(&self) -> TailView {
        TailView {
            chunks: Arc::clone(&self.chunks),
            hidden: Arc::clone(&self.hidden),
            hidden_active: Arc::clone(&self.hidden_active),
        }
    }

    /// The entries that are not yet in a closed chunk.
    pub(crate) fn active(&self) -> &[Entry] {
        &self.active
    }

    /// Closes the active chunk and hands out everything, to be indexed.
    pub(crate) fn take_stock(&mut self) -> Arc<Vec<Arc<Chunk>>> {
        self.close_chunk();
        Arc::clone(&self.chunks)
    }

    /// Drops the changes up to and including `applied`, which the index now shows itself. A commit ends with a chunk; a
    /// catch-up from the store's feed may end within one. Hands back what is dropped, to be freed without the lock.
    pub(crate) fn forget(&mut self, applied: Seq) -> Arc<Vec<Arc<Chunk>>> {
        self.close_chunk();
        let mut hidden = Hidden::default();
        let mut kept = Vec::new();
        for chunk in self.chunks.iter() {
            let newer = chunk.entries.iter().filter(|entry| entry.seq > applied);
            hidden.extend(newer.clone().filter_map(|entry| entry.superseded).map(|Seq(old)| old));
            let is_whole = chunk.entries.first().is_some_and(|first| first.seq > applied);
            if is_whole {
                kept.push(Arc::clone(chunk));
            } else if newer.clone().next().is_some() {
                kept.push(Arc::new(Chunk::new(newer.cloned().collect())));
            }
        }
        self.hidden = Arc::new(hidden);
        std::mem::replace(&mut self.chunks, Arc::new(kept))
    }

    /// The oldest change.
    pub(crate) fn first(&self) -> Option<&Entry> {
        self.chunks.iter().flat_map(|chunk| &chunk.entries).chain(&self.active).next()
    }

    /// The newest change.
    pub(crate) fn last(&self) -> Option<&Entry> {
        self.active.last().or_else(|| self.chunks.last()?.entries.last())
    }

    /// How many changes there are.
    pub(crate) fn len(&self) -> usize {
        self.active.len() + self.chunks.iter().map(|chunk| chunk.entries.len()).sum::<usize>()
    }
}
