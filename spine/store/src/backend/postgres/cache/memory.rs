//! Rows in this process.

use std::sync::Arc;

use iris_kernel::Seq;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::super::life::Life;
use super::Held;

/// What a row takes beside its body, in bytes: its columns, and the cache's own part.
const ROW_BYTES: u64 = 256;
/// What a usual row takes in all, by which the cache's tables are sized.
const USUAL_BYTES: u64 = 1_024;

/// As many rows as fit into so many bytes; those that are asked for again stay.
pub(super) struct Memory(Cache<Seq, Arc<Held>, Weight>);

#[derive(Clone)]
struct Weight;

impl Weighter<Seq, Arc<Held>> for Weight {
    fn weight(&self, _: &Seq, held: &Arc<Held>) -> u64 {
        ROW_BYTES + held.row.body.len() as u64
    }
}

impl Memory {
    pub(super) fn new(bytes: u64) -> Self {
        let rows = usize::try_from(bytes / USUAL_BYTES).unwrap_or(usize::MAX);
        Self(Cache::with_weighter(rows, bytes, Weight))
    }

    pub(super) fn get(&self, life: &Life, seq: Seq) -> Option<Arc<Held>> {
        self.0.get(&seq).filter(|held| held.life == *life)
    }

    pub(super) fn put(&self, held: Arc<Held>) {
        self.0.insert(held.row.seq, held);
    }

    pub(super) fn remove(&self, seq: Seq) {
        self.0.remove(&seq);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::row;
    use super::*;

    #[test]
    fn it_holds_what_fits() {
        let (life, memory): (Life, _) = ("a".into(), Memory::new(64 << 10));
        for seq in 1..=200 {
            memory.put(Arc::new(Held { life: Arc::clone(&life), row: row(seq, &[0; 1_000]) }));
        }
        let kept = (1..=200).filter(|seq| memory.get(&life, Seq(*seq)).is_some()).count();
        assert!((30..=52).contains(&kept), "{kept}");
    }
}
