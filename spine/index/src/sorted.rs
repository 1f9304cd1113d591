//! Orders by several keys or by terms. Within a segment values are compared as numbers: times, and places in the dictionary. Only the
//! best of each segment are laid over those of the others, by the bytes of their positions.

use std::sync::Arc;

use iris_kernel::Tenant;
use iris_search::{Order, Query, SearchDocument, Sort, SortKey};
use tantivy::{COLLECT_BLOCK_BUFFER_LEN, DocId};

use crate::error::IndexError;
use crate::order::{KEYS_MAX, Place, Position, Value, deciding, ordered, tie_order, time_of};
use crate::ordinals::{Ordinals, OrdinalsCache};
use crate::search::{Best, Sink, Walk};
use crate::segment::{DateColumns, SegmentBody};
use crate::tail::Entry;

/// The number of what has no value: it comes last in both directions.
const MISSING: u64 = u64::MAX;
/// The greatest number of a value.
const NUMBER_MAX: u64 = MISSING - 1;

/// One number for each document of a block.
type Numbers = [u64; COLLECT_BLOCK_BUFFER_LEN];

/// The rank of a document within its segment: smaller comes first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Local {
    keys: [u64; KEYS_MAX],
    born: u64,
}

/// The best matches under an order of several keys.
pub(crate) struct Sorted<'a> {
    sort: &'a [Sort],
    tenant: Tenant,
    query: &'a Query,
    ordinals: &'a OrdinalsCache,
    pub(crate) best: Best<Position>,
}

impl<'a> Sorted<'a> {
    /// Keeps `size` matches after a position.
    ///
    /// # Errors
    /// A position of another order, more keys than a search has.
    pub(crate) fn new(
        tenant: Tenant,
        query: &'a Query,
        ordinals: &'a OrdinalsCache,
        size: usize,
        after: Option<Position>,
    ) -> Result<Self, IndexError> {
        if query.sort.len() > KEYS_MAX {
            return Err(IndexError::Engine("an order of more keys than searches have".to_owned()));
        }
        if let Some(after) = &after {
            Place::of(after, &query.sort)?;
        }
        Ok(Self { sort: &query.sort, tenant, query, ordinals, best: Best::new(size, after) })
    }

    fn keys<'b>(&self, body: &'b SegmentBody) -> Result<Vec<Key<'b>>, IndexError> {
        deciding(self.sort)
            .iter()
            .map(|Sort { key, order }| {
                let values = match *key {
                    SortKey::Recent => Values::Dates(None),
                    SortKey::Date { slot } => Values::Dates(body.dates(slot)?),
                    SortKey::Term { param, mode } => {
                        Values::Terms(self.ordinals.get(body, self.tenant, self.query.kind, param, mode)?)
                    }
                };
                Ok(Key { values, order: *order })
            })
            .collect()
    }

    /// What a position is among the documents of a segment.
    fn local(&self, body: &SegmentBody, keys: &[Key<'_>], position: &Position) -> Result<Local, IndexError> {
        let place = Place::of(position, self.sort)?;
        let mut local = Local { keys: [0; KEYS_MAX], born: turned(tie_order(self.sort), place.born) };
        for ((key, value), number) in keys.iter().zip(&place.values).zip(&mut local.keys) {
            *number = key.number_of(body, value.as_ref())?;
        }
        Ok(local)
    }

    /// Where a document is among those of other segments.
    fn position(&self, body: &SegmentBody, keys: &[Key<'_>], local: &Local) -> Result<Position, IndexError> {
        let values = keys.iter().zip(local.keys).map(|(key, number)| key.value(body, number));
        let values = values.collect::<Result<_, _>>()?;
        Ok(Place { values, born: turned(tie_order(self.sort), local.born) }.position(self.sort))
    }
}

impl Sink for Sorted<'_> {
    fn entry(&mut self, entry: &Entry, document: &SearchDocument) {
        self.best.total += 1;
        let place = Place::of_document(self.sort, document, entry.born);
        self.best.offer(place.position(self.sort), || entry.seq);
    }

    fn known(&mut self, _: u64) -> bool {
        false
    }

    fn segment(&mut self, walk: Walk<'_>) -> Result<(), IndexError> {
        let body = walk.body();
        let keys = self.keys(body)?;
        self.best.sort_out();
        let local = |position: &Option<Position>| {
            position.as_ref().map(|position| self.local(body, &keys, position)).transpose()
        };
        let mut best = Best::new(self.best.size, local(&self.best.after)?);
        best.bar = local(&self.best.bar)?;
        let ties = tie_order(self.sort);
        walk.each(|block| {
            best.total += block.len() as u64;
            offer(&mut best, body, &keys, ties, block);
        });
        self.best.total += best.total;
        for (local, seq) in best.into_sorted() {
            let position = self.position(body, &keys, &local)?;
            self.best.offer(position, || seq);
        }
        Ok(())
    }
}

/// Offers the documents of a block. Most of a long answer are sent away by their first key, before anything else of them is read.
fn offer(best: &mut Best<Local>, body: &SegmentBody, keys: &[Key<'_>], ties: Order, block: &[DocId]) {
    let Some((first, others)) = keys.split_first() else { return };
    let mut numbers: Numbers = [0; COLLECT_BLOCK_BUFFER_LEN];
    first.read(block, &mut numbers);
    let bar = best.bar.map(|bar| bar.keys[0]);
    let mut docs: [DocId; COLLECT_BLOCK_BUFFER_LEN] = [0; COLLECT_BLOCK_BUFFER_LEN];
    let mut ranks = [Local { keys: [0; KEYS_MAX], born: 0 }; COLLECT_BLOCK_BUFFER_LEN];
    let mut count = 0;
    for (&doc, &number) in block.iter().zip(&numbers) {
        if bar.is_none_or(|bar| number <= bar) {
            docs[count] = doc;
            ranks[count].keys[0] = number;
            count += 1;
        }
    }
    let docs = &docs[..count];
    for (place, key) in (1..).zip(others) {
        key.read(docs, &mut numbers);
        ranks.iter_mut().zip(&numbers[..count]).for_each(|(rank, number)| rank.keys[place] = *number);
    }
    for (&doc, rank) in docs.iter().zip(&mut ranks) {
        rank.born = turned(ties, body.born(doc).0);
        best.offer(*rank, || body.seq(doc));
    }
}

fn turned(order: Order, born: u64) -> u64 {
    match order {
        Order::Ascending => born,
        Order::Descending => !born,
    }
}

/// One key in one segment.
struct Key<'a> {
    values: Values<'a>,
    order: Order,
}

enum Values<'a> {
    /// A date's columns, if any document here has one.
    Dates(Option<&'a DateColumns>),
    /// A term's number is odd; even ones are for values that no document here has.
    Terms(Arc<Ordinals>),
}

impl Key<'_> {
    /// The numbers of the documents of a block.
    fn read(&self, block: &[DocId], numbers: &mut Numbers) {
        match &self.values {
            Values::Dates(None) => numbers[..block.len()].fill(MISSING),
            Values::Dates(Some(columns)) => {
                let mut times = [None; COLLECT_BLOCK_BUFFER_LEN];
                columns.sort_values(block, self.order, &mut times);
                for (number, time) in numbers.iter_mut().zip(&times[..block.len()]) {
                    *number = time.map_or(MISSING, |time| self.directed(ordered(time)));
                }
            }
            Values::Terms(ordinals) => {
                for (number, &doc) in numbers.iter_mut().zip(block) {
                    let place = match self.order {
                        Order::Ascending => ordinals.least(doc),
                        Order::Descending => ordinals.greatest(doc),
                    };
                    *number = place.map_or(MISSING, |place| self.directed(u64::from(place) * 2 + 1));
                }
            }
        }
    }

    /// The number of a value that perhaps no document here has.
    fn number_of(&self, body: &SegmentBody, value: Option<&Value>) -> Result<u64, IndexError> {
        Ok(match (&self.values, value) {
            (_, None) => MISSING,
            (Values::Dates(_), Some(Value::Time(time))) => self.directed(ordered(*time)),
            (Values::Terms(ordinals), Some(Value::Bytes(bytes))) => {
                let (place, is_there) = ordinals.seek(body, bytes)?;
                self.directed(u64::from(place) * 2 + u64::from(is_there))
            }
            _ => return Err(IndexError::Page("a position of another order")),
        })
    }

    /// The value of a number that a document here has.
    fn value(&self, body: &SegmentBody, number: u64) -> Result<Option<Value>, IndexError> {
        if number == MISSING {
            return Ok(None);
        }
        let number = self.directed(number);
        Ok(Some(match &self.values {
            Values::Dates(_) => Value::Time(time_of(number)),
            Values::Terms(ordinals) => {
                let place = u32::try_from(number / 2).unwrap_or(u32::MAX);
                Value::Bytes(ordinals.value(body, place)?)
            }
        }))
    }

    /// A number in the direction of the order; the way back is the same.
    fn directed(&self, number: u64) -> u64 {
        let number = number.min(NUMBER_MAX);
        match self.order {
            Order::Ascending => number,
            Order::Descending => NUMBER_MAX - number,
        }
    }
}
