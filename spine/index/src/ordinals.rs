//! Which values of one parameter the documents of a segment have: what a sort by terms compares, and what references are followed by.
//!
//! The dictionary has the values in order, each with its documents. One pass over a parameter's stretch of it turns that round: a
//! number for each document, which is the value's place in the stretch. A segment never changes, so neither does what was made of
//! it; it is kept while it is asked for, within [`KEPT_BYTES_MAX`].

use std::sync::Arc;

use iris_kernel::{Kind, Tenant};
use iris_search::term::Mode;
use tantivy::DocId;

use crate::error::IndexError;
use crate::kept::{Kept, Weighs};
use crate::lists::ListReader;
use crate::order::VALUE_BYTES_MAX;
use crate::schema::{reference_of, stretch};
use crate::segment::SegmentBody;
use crate::set::range_from;

/// Memory that all of them take together. One takes four bytes for each document that has a value, and a fifth of one for each that
/// has none; sixteen for each different reference.
const KEPT_BYTES_MAX: u64 = 64 << 20;
/// No value.
const NONE: u32 = u32::MAX;

/// The values of one parameter and mode in one segment, by document.
pub(crate) struct Ordinals {
    /// The first bytes of the stretch: scope and head.
    start: Vec<u8>,
    /// The place of the stretch's first term in the dictionary.
    base: u64,
    /// How many terms are in the stretch.
    terms: u32,
    /// A bit for each document that has a value.
    present: Box<[u64]>,
    /// How many documents with a value are before each word of `present`.
    before: Box<[u32]>,
    /// The least value of each of them.
    least: Box<[u32]>,
    /// The greatest value of each, if any document has several.
    greatest: Option<Box<[u32]>>,
    /// The further values of documents that have several, in order.
    further: Box<[(DocId, u32)]>,
    /// Of references, by number: where each leads.
    pub(crate) leads_to: Box<[Lead]>,
}

/// Where a reference leads.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lead {
    /// The type; `None` for what is no reference to a record.
    pub(crate) kind: Option<Kind>,
    /// The key of the record.
    pub(crate) key: u64,
}

impl Lead {
    fn of(value: &[u8]) -> Self {
        reference_of(value).map_or(Self { kind: None, key: 0 }, |(kind, key)| Self { kind: Some(kind), key })
    }
}

impl Ordinals {
    /// Reads a stretch of a segment's dictionary. Values that are alike in the bytes that are compared have one number.
    fn read(body: &SegmentBody, start: &[u8], mode: Mode) -> Result<Self, IndexError> {
        let mut least = vec![NONE; body.documents as usize];
        let mut further: Vec<(DocId, u32)> = Vec::new();
        let mut leads_to = Vec::new();
        let mut stream = range_from(body, start, start)?;
        let (mut base, mut terms, mut number) = (None, 0_u32, 0_u32);
        let mut last = Vec::new();
        let mut lists = ListReader::default();
        while stream.advance() {
            let first = *base.get_or_insert(stream.term_ord());
            let place = u32::try_from(stream.term_ord() - first)
                .ok()
                .filter(|place| *place < NONE)
                .ok_or_else(|| IndexError::Engine("a parameter with too many values".to_owned()))?;
            terms = place + 1;
            let value = compared(stream.key(), start);
            if mode == Mode::Local {
                leads_to.push(Lead::of(value));
            }
            if place == 0 || value != last {
                number = place;
                last.clear();
                last.extend_from_slice(value);
            }
            lists.each(body, stream.value(), |docs| {
                for &doc in docs {
                    let slot = &mut least[doc as usize];
                    match *slot {
                        NONE => *slot = number,
                        had if had != number => further.push((doc, number)),
                        _ => {}
                    }
                }
            })?;
        }
        further.sort_unstable();
        further.dedup();
        let packed = Self::pack(start.to_vec(), base.unwrap_or(0), terms, &least, further);
        Ok(Self { leads_to: leads_to.into_boxed_slice(), ..packed })
    }

    /// Leaves out the documents that have no value.
    fn pack(start: Vec<u8>, base: u64, terms: u32, all: &[u32], further: Vec<(DocId, u32)>) -> Self {
        let mut present = vec![0_u64; all.len().div_ceil(64)];
        let mut least = Vec::new();
        for (doc, &number) in all.iter().enumerate().filter(|(_, number)| **number != NONE) {
            present[doc / 64] |= 1 << (doc % 64);
            least.push(number);
        }
        let mut counted = 0_u32;
        let count = |word: &u64| {
            counted += word.count_ones();
            counted - word.count_ones()
        };
        let before = present.iter().map(count).collect();
        let mut ordinals = Self {
            start,
            base,
            terms,
            present: present.into_boxed_slice(),
            before,
            least: least.into_boxed_slice(),
            greatest: None,
            further: further.into_boxed_slice(),
            leads_to: Box::default(),
        };
        if !ordinals.further.is_empty() {
            let mut greatest = ordinals.least.clone();
            // In order, so that the last one of a document stays.
            for &(doc, number) in &ordinals.further {
                if let Some(place) = ordinals.place(doc) {
                    greatest[place] = number;
                }
            }
            ordinals.greatest = Some(greatest);
        }
        ordinals
    }

    /// Where the values of a document stand, if it has any.
    fn place(&self, doc: DocId) -> Option<usize> {
        let (word, bit) = (doc as usize / 64, doc % 64);
        let bits = self.present[word];
        if bits >> bit & 1 == 0 {
            return None;
        }
        let below = bits & ((1 << bit) - 1);
        Some((self.before[word] + below.count_ones()) as usize)
    }

    /// The number of a document's least value.
    pub(crate) fn least(&self, doc: DocId) -> Option<u32> {
        self.place(doc).map(|place| self.least[place])
    }

    /// The number of a document's greatest value.
    pub(crate) fn greatest(&self, doc: DocId) -> Option<u32> {
        self.place(doc).map(|place| self.greatest.as_ref().unwrap_or(&self.least)[place])
    }

    /// Calls `each` with the numbers of all values of the documents of a block.
    pub(crate) fn each(&self, block: &[DocId], mut each: impl FnMut(u32)) {
        for &doc in block {
            let Some(place) = self.place(doc) else { continue };
            each(self.least[place]);
            if self.greatest.as_ref().is_some_and(|greatest| greatest[place] != self.least[place]) {
                let first = self.further.partition_point(|(other, _)| *other < doc);
                self.further[first..]
                    .iter()
                    .take_while(|(other, _)| *other == doc)
                    .for_each(|(_, number)| each(*number));
            }
        }
    }

    /// The value with a number, as far as it is compared.
    ///
    /// # Errors
    /// A number that is not in the dictionary.
    pub(crate) fn value(&self, body: &SegmentBody, number: u32) -> Result<Vec<u8>, IndexError> {
        let mut term = Vec::new();
        if !body.terms.terms().ord_to_term(self.base + u64::from(number), &mut term)? {
            return Err(IndexError::Damaged("a term of the dictionary is not there".to_owned()));
        }
        Ok(compared(&term, &self.start).to_vec())
    }

    /// Where a value would stand: the number of the first value that is not before it, and whether that is the value itself.
    pub(crate) fn seek(&self, body: &SegmentBody, value: &[u8]) -> Result<(u32, bool), IndexError> {
        let from = [&*self.start, value].concat();
        let mut stream = range_from(body, &self.start, &from)?;
        if !stream.advance() {
            return Ok((self.terms, false));
        }
        let number = u32::try_from(stream.term_ord() - self.base).unwrap_or(self.terms);
        Ok((number, compared(stream.key(), &self.start) == value))
    }
}

/// The bytes of a term that are compared.
fn compared<'t>(term: &'t [u8], start: &[u8]) -> &'t [u8] {
    let value = term.get(start.len()..).unwrap_or_default();
    &value[..value.len().min(VALUE_BYTES_MAX)]
}

impl Weighs for Ordinals {
    fn bytes(&self) -> u64 {
        let numbers =
            self.least.len() + self.before.len() + self.greatest.as_ref().map_or(0, |greatest| greatest.len());
        let leads = size_of_val(&*self.leads_to);
        (numbers * 4 + self.present.len() * 8 + self.further.len() * 8 + self.start.len() + leads) as u64
    }
}

/// What was made of segments, for all searches.
pub(crate) struct OrdinalsCache(Kept<Ordinals>);

impl OrdinalsCache {
    /// Reads them, or finds them read.
    ///
    /// # Errors
    /// A mode whose values do not stand in order, damage.
    pub(crate) fn get(
        &self,
        body: &SegmentBody,
        tenant: Tenant,
        kind: Kind,
        param: u16,
        mode: Mode,
    ) -> Result<Arc<Ordinals>, IndexError> {
        let start = stretch(tenant, kind, param, mode)?;
        self.0.get(body, &start, || Ordinals::read(body, &start, mode))
    }
}

impl Default for OrdinalsCache {
    fn default() -> Self {
        Self(Kept::new(KEPT_BYTES_MAX))
    }
}
