//! The values of one parameter and mode in a segment, each with its documents, in the order of the dictionary: what scans and long
//! chains look at. Walking a dictionary and opening its lists costs many times what a test on a value does.

use std::sync::Arc;

use iris_search::{Scan, Stretch};
use tantivy::DocId;

use crate::effort::Effort;
use crate::error::IndexError;
use crate::kept::{Kept, Weighs};
use crate::lists::ListReader;
use crate::schema::HEAD_LEN;
use crate::segment::SegmentBody;
use crate::set::range_from;

/// Memory that all of them take together.
const KEPT_BYTES_MAX: u64 = 32 << 20;
/// Memory that those of one parameter in one segment may take; longer ones are walked each time.
const VALUES_BYTES_MAX: usize = 8 << 20;

/// Values with their documents.
#[derive(Default)]
pub(crate) struct Values {
    /// The bytes of all values, one after another, without what all of them start with.
    bytes: Vec<u8>,
    /// The documents of all values, one value after another.
    docs: Vec<DocId>,
    /// Where bytes and documents of each value end.
    ends: Vec<(u32, u32)>,
    /// Whether there are more than are kept: then none are.
    is_too_long: bool,
}

impl Values {
    /// Reads a stretch of a segment's dictionary.
    fn read(body: &SegmentBody, start: &[u8], effort: &Effort) -> Result<Self, IndexError> {
        let mut values = Self::default();
        let mut stream = range_from(body, start, start)?;
        let mut lists = ListReader::default();
        while stream.advance() {
            effort.read()?;
            values.bytes.extend_from_slice(stream.key().get(start.len()..).unwrap_or_default());
            lists.each(body, stream.value(), |docs| values.docs.extend_from_slice(docs))?;
            // Both are far below four thousand million: the limit comes first.
            values.ends.push((values.bytes.len() as u32, values.docs.len() as u32));
            if values.bytes() > VALUES_BYTES_MAX as u64 {
                return Ok(Self { is_too_long: true, ..Self::default() });
            }
        }
        values.bytes.shrink_to_fit();
        values.docs.shrink_to_fit();
        values.ends.shrink_to_fit();
        Ok(values)
    }

    /// Where the bytes and the documents of a value begin.
    fn begin(&self, place: usize) -> (usize, usize) {
        let before = place.checked_sub(1).and_then(|before| self.ends.get(before));
        before.map_or((0, 0), |(bytes, docs)| (*bytes as usize, *docs as usize))
    }

    fn value(&self, place: usize) -> &[u8] {
        &self.bytes[self.begin(place).0..self.begin(place + 1).0]
    }

    fn docs(&self, place: usize) -> &[DocId] {
        &self.docs[self.begin(place).1..self.begin(place + 1).1]
    }

    /// The place of the first value from a place on that is not before this one. Looks in steps that double, because what is asked for
    /// in order is near.
    fn seek(&self, from: usize, value: &[u8]) -> usize {
        let (mut low, mut step) = (from, 1);
        while low + step <= self.ends.len() && self.value(low + step - 1) < value {
            low += step;
            step *= 2;
        }
        let mut high = (low + step).min(self.ends.len());
        while low < high {
            let middle = low.midpoint(high);
            if self.value(middle) < value { low = middle + 1 } else { high = middle }
        }
        low
    }

    /// Calls `each` with the values that start with one of these, which are in order.
    pub(crate) fn each_under(
        &self,
        starts: impl Iterator<Item = [u8; 8]>,
        mut each: impl FnMut(&[u8], &[DocId]) -> Result<(), IndexError>,
    ) -> Result<(), IndexError> {
        let mut place = 0;
        for start in starts {
            place = self.seek(place, &start);
            while place < self.ends.len() && self.value(place).starts_with(&start) {
                each(self.value(place), self.docs(place))?;
                place += 1;
            }
        }
        Ok(())
    }

    /// Calls `each` with the values of the stretches that a scan can hold for.
    pub(crate) fn each_of(
        &self,
        scan: &Scan,
        mut each: impl FnMut(&[u8], &[DocId]) -> Result<(), IndexError>,
    ) -> Result<(), IndexError> {
        let head = scan.head().get(..HEAD_LEN).unwrap_or_default();
        for Stretch { from, to } in scan.stretches() {
            let first = from.strip_prefix(head).map_or(0, |from| self.seek(0, from));
            let end = to.and_then(|to| Some(self.seek(first, to.strip_prefix(head)?))).unwrap_or(self.ends.len());
            (first..end).try_for_each(|place| each(self.value(place), self.docs(place)))?;
        }
        Ok(())
    }
}

impl Weighs for Values {
    fn bytes(&self) -> u64 {
        (self.bytes.len() + size_of_val(&*self.docs) + size_of_val(&*self.ends)) as u64
    }
}

/// What was read of segments, for all searches.
pub(crate) struct ValuesCache(Kept<Values>);

impl ValuesCache {
    /// The values under this start, read or found read; `None` for more than are kept, or than the search may still read.
    pub(crate) fn get(
        &self,
        body: &SegmentBody,
        start: &[u8],
        effort: &Effort,
    ) -> Result<Option<Arc<Values>>, IndexError> {
        match self.0.get(body, start, || Values::read(body, start, effort)) {
            Err(IndexError::TooWide) => Ok(None),
            values => Ok(Some(values?).filter(|values| !values.is_too_long)),
        }
    }
}

impl Default for ValuesCache {
    fn default() -> Self {
        Self(Kept::new(KEPT_BYTES_MAX))
    }
}
