//! The data keys of the details, at hand without asking the store for every entry.

use std::collections::HashMap;
use std::sync::Arc;

use iris_crypto::SealingKey;
use iris_kernel::{Tenant, Timestamp};
use iris_store::{KeyId, KeyLabel, Store, StoreError};
use parking_lot::RwLock;

/// Tenants and days whose key is kept at hand.
const KEPT_MAX: usize = 1_024;
const DAY_MICROS: i64 = 86_400_000_000;

/// Keys by tenant and day: the month, which names the key, costs more to find out than the day. A day does not outlast the
/// month, so a key that was destroyed (only those of past months are) is not used again. Nor is one that a shared database may
/// have lost ([`Store::lives`]).
#[derive(Default)]
pub(crate) struct Keys(RwLock<HashMap<(Tenant, i64, u64), DataKey>>);

type DataKey = (KeyId, Arc<SealingKey>);

impl Keys {
    /// The key that seals the details of a tenant's entries of this time.
    pub(crate) fn of(&self, store: &Store, tenant: Tenant, at: Timestamp) -> Result<DataKey, StoreError> {
        let day = (tenant, at.0.div_euclid(DAY_MICROS), store.lives());
        if let Some((id, key)) = self.0.read().get(&day) {
            return Ok((*id, Arc::clone(key)));
        }
        let (id, key) = store.data_key(tenant, &KeyLabel::new(format!("audit:{}", month(at))))?;
        let mut kept = self.0.write();
        if kept.len() >= KEPT_MAX {
            kept.clear();
        }
        kept.insert(day, (id, Arc::clone(&key)));
        Ok((id, key))
    }
}

/// Year and month in UTC, `2026-11`: details of one month share a key.
fn month(at: Timestamp) -> String {
    at.rfc3339().chars().take(7).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_lies_in_one_month() {
        let last = Timestamp::parse("2026-11-30T23:59:59.999999Z").unwrap();
        assert_eq!(month(last), "2026-11");
        let next = Timestamp(last.0 + 1);
        assert_eq!(month(next), "2026-12");
        assert_eq!(last.0.div_euclid(DAY_MICROS) + 1, next.0.div_euclid(DAY_MICROS));
    }
}
