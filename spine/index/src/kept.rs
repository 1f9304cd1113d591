//! What was read out of segments at some cost, kept while it is asked for. A segment never changes, so neither does what is read of it.

use std::sync::Arc;

use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};
use tantivy::index::SegmentId;

use crate::error::IndexError;
use crate::segment::SegmentBody;

/// About how many are kept: parameters that are asked for so, for each segment.
const KEPT_EXPECTED: usize = 256;

/// Of which segment, and of which stretch of its dictionary: what its terms start with.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    segment: SegmentId,
    start: Box<[u8]>,
}

/// What takes memory while it is kept.
pub(crate) trait Weighs {
    /// About how much, in bytes.
    fn bytes(&self) -> u64;
}

#[derive(Clone)]
struct Weight;

impl<T: Weighs> Weighter<Key, Arc<T>> for Weight {
    fn weight(&self, key: &Key, kept: &Arc<T>) -> u64 {
        kept.bytes() + (size_of::<T>() + key.start.len()) as u64
    }
}

/// What was read, for all searches.
pub(crate) struct Kept<T: Weighs>(Cache<Key, Arc<T>, Weight>);

impl<T: Weighs> Kept<T> {
    /// Keeps so many bytes at most.
    pub(crate) fn new(bytes_max: u64) -> Self {
        let options = OptionsBuilder::new()
            // One: what is heavier than its share of a shard would never be kept.
            .shards(1)
            .estimated_items_capacity(KEPT_EXPECTED)
            .weight_capacity(bytes_max)
            .build();
        Self(match options {
            Ok(options) => {
                Cache::with_options(options, Weight, DefaultHashBuilder::default(), DefaultLifecycle::default())
            }
            Err(_) => Cache::with_weighter(KEPT_EXPECTED, bytes_max, Weight),
        })
    }

    /// What a stretch of a segment came to, or what `read` says that it comes to. Who comes while another reads the same waits for it.
    ///
    /// # Errors
    /// What `read` says.
    pub(crate) fn get(
        &self,
        body: &SegmentBody,
        start: &[u8],
        read: impl FnOnce() -> Result<T, IndexError>,
    ) -> Result<Arc<T>, IndexError> {
        let key = Key { segment: body.id, start: start.into() };
        self.0.get_or_insert_with(&key, || read().map(Arc::new))
    }
}
