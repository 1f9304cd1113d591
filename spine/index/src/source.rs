//! What the index reads of the store.

use iris_kernel::{Seq, Tenant};
use iris_store::{Row, Store, StoreError};

/// The truth that the index is a shadow of: the store, but for tests and measurements that want thousands of small histories
/// or a million rows without a disk.
pub trait Source: Send + Sync {
    /// The last change.
    fn head(&self) -> Seq;
    /// The changes of all tenants after one, in order; fewer than `limit` only at the end.
    ///
    /// # Errors
    /// As [`Store::feed`].
    fn feed(&self, after: Seq, limit: usize) -> Result<Vec<Row>, StoreError>;
    /// Whether others write into it too, so that it may turn out to be another history than the one that was followed.
    fn is_shared(&self) -> bool {
        false
    }
    /// One row.
    ///
    /// # Errors
    /// As [`Store::rows`].
    fn row(&self, tenant: Tenant, seq: Seq) -> Result<Option<Row>, StoreError>;
}

impl Source for Store {
    fn head(&self) -> Seq {
        Store::head(self)
    }

    fn is_shared(&self) -> bool {
        Store::is_shared(self)
    }

    fn feed(&self, after: Seq, limit: usize) -> Result<Vec<Row>, StoreError> {
        Store::feed(self, after, limit)
    }

    fn row(&self, tenant: Tenant, seq: Seq) -> Result<Option<Row>, StoreError> {
        Ok(self.rows(tenant, &[seq])?.into_iter().next().flatten())
    }
}
