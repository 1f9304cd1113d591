//! Comparing the index with the store, term by term.

use std::collections::HashMap;
use std::collections::hash_map::Entry as MapEntry;

use iris_crypto::sha256;
use iris_kernel::{RecordId, Seq};
use tantivy::postings::SegmentPostings;
use tantivy::schema::IndexRecordOption;
use tantivy::{DocSet as _, TERMINATED};

use crate::engine::entry_of;
use crate::error::IndexError;
use crate::schema::{DATE_SLOTS, indexed, scope};
use crate::segment::{Generation, SegmentBody};
use crate::source::Source;
use crate::tail::Entry;

/// Rows read from the feed at a time.
const FEED_ROWS: usize = 1_000;
/// Most sequence numbers that a report names of each sort.
const NAMED_MAX: usize = 20;

/// What a comparison found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VerifyReport {
    /// The comparison covers the store up to here.
    pub applied: Seq,
    /// Current rows that are to be found by searches.
    pub rows: u64,
    /// Living documents.
    pub documents: u64,
    /// Current rows without a document: how many, and the first of them.
    pub missing: (u64, Vec<Seq>),
    /// Documents without a current row.
    pub extra: (u64, Vec<Seq>),
    /// Documents that are found by something else than what their row's body says.
    pub different: (u64, Vec<Seq>),
}

impl VerifyReport {
    /// Whether index and store agree.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.missing.0 == 0 && self.extra.0 == 0 && self.different.0 == 0 && self.rows == self.documents
    }
}

/// What a document is found by, in 64 bits: the sum of the digests of its terms, dates and key, in any order.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Fingerprint(u64);

impl Fingerprint {
    fn add_term(&mut self, term: &[u8]) {
        self.add(&[b"term", term]);
    }

    fn add_date(&mut self, slot: usize, (low, high): (i64, i64)) {
        self.add(&[b"date", &slot.to_be_bytes(), &low.to_be_bytes(), &high.to_be_bytes()]);
    }

    fn add_own(&mut self, key: u64) {
        self.add(&[b"own", &key.to_be_bytes()]);
    }

    fn add(&mut self, parts: &[&[u8]]) {
        self.0 = self.0.wrapping_add(digest(parts));
    }

    fn of(entry: &Entry) -> Option<Self> {
        let document = entry.document.as_ref()?;
        let mut fingerprint = Self::default();
        fingerprint.add_term(&scope(entry.tenant, entry.kind));
        let indexed = document.terms.iter().filter_map(|term| indexed(entry.tenant, entry.kind, term));
        indexed.for_each(|term| fingerprint.add_term(&term));
        fingerprint.add_own(document.own);
        for date in &document.dates {
            fingerprint.add_date(usize::from(date.slot), (date.low, date.high));
        }
        Some(fingerprint)
    }
}

fn digest(parts: &[&[u8]]) -> u64 {
    let digest = sha256(parts);
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    u64::from_be_bytes(first)
}

/// Compares a commit with the store as it was then.
pub(crate) fn verify(generation: &Generation, store: &dyn Source) -> Result<VerifyReport, IndexError> {
    let mut wanted = wanted(store, generation.applied)?;
    let mut report = VerifyReport { applied: generation.applied, rows: wanted.len() as u64, ..VerifyReport::default() };
    for view in &generation.segments {
        let found = fingerprints(&view.body)?;
        for doc in (0..view.body.documents).filter(|&doc| view.is_alive(doc)) {
            report.documents += 1;
            let seq = view.body.seq(doc);
            match wanted.remove(&seq.0) {
                None => note(&mut report.extra, seq),
                Some(row) if found.get(doc as usize) != Some(&row) => note(&mut report.different, seq),
                Some(_) => {}
            }
        }
    }
    let mut missing: Vec<u64> = wanted.into_keys().collect();
    missing.sort_unstable();
    missing.into_iter().for_each(|seq| note(&mut report.missing, Seq(seq)));
    Ok(report)
}

fn note(list: &mut (u64, Vec<Seq>), seq: Seq) {
    list.0 += 1;
    if list.1.len() < NAMED_MAX {
        list.1.push(seq);
    }
}

/// The current rows up to `applied` by sequence, with what they should be found by.
fn wanted(store: &dyn Source, applied: Seq) -> Result<HashMap<u64, Fingerprint>, IndexError> {
    let mut current: HashMap<RecordId, (u64, Option<Fingerprint>)> = HashMap::new();
    let mut after = Seq(0);
    while after < applied {
        let rows = store.feed(after, FEED_ROWS)?;
        let Some(last) = rows.last() else { break };
        after = last.seq;
        for row in rows.iter().filter(|row| row.seq <= applied && row.kind.is_fhir()) {
            let now = (row.seq.0, Fingerprint::of(&entry_of(row)?));
            match current.entry(row.record) {
                MapEntry::Occupied(mut old) => *old.get_mut() = now,
                MapEntry::Vacant(new) => {
                    new.insert(now);
                }
            }
        }
    }
    let living = current.into_values().filter_map(|(seq, fingerprint)| Some((seq, fingerprint?)));
    Ok(living.collect())
}

/// What every document of a segment is found by, read from the dictionary and the columns.
fn fingerprints(body: &SegmentBody) -> Result<Vec<Fingerprint>, IndexError> {
    let mut found = vec![Fingerprint::default(); body.documents as usize];
    let mut terms = body.terms.terms().stream()?;
    while let Some((term, info)) = terms.next() {
        let digest = digest(&[b"term", term]);
        let mut postings: SegmentPostings = body.terms.read_postings_from_terminfo(info, IndexRecordOption::Basic)?;
        let mut doc = postings.doc();
        while doc != TERMINATED {
            let fingerprint = &mut found[doc as usize];
            fingerprint.0 = fingerprint.0.wrapping_add(digest);
            doc = postings.advance();
        }
    }
    let own = body.own()?;
    for (doc, fingerprint) in (0..body.documents).zip(&mut found) {
        own.values_for_doc(doc).for_each(|key| fingerprint.add_own(key));
    }
    for slot in 0..DATE_SLOTS {
        let Some(columns) = u8::try_from(slot).ok().map(|slot| body.dates(slot)).transpose()?.flatten() else {
            continue;
        };
        for (doc, fingerprint) in (0..body.documents).zip(&mut found) {
            columns.ranges(doc).for_each(|range| fingerprint.add_date(slot, range));
        }
    }
    Ok(found)
}
