//! What the index reads of the store.

use iris_kernel::{Seq, Tenant};
use iris_store::{Row, Store, StoreError};

/// The truth that the index is a shadow of. The store, but for tests that want thousands of small histories.
pub(crate) trait Source: Send + Sync {
    /// The last change.
    fn head(&self) -> Seq;
    /// The changes of all tenants after one, in order.
    fn feed(&self, after: Seq, limit: usize) -> Result<Vec<Row>, StoreError>;
    /// One row.
    fn row(&self, tenant: Tenant, seq: Seq) -> Result<Option<Row>, StoreError>;
}

impl Source for Store {
    fn head(&self) -> Seq {
        Store::head(self)
    }

    fn feed(&self, after: Seq, limit: usize) -> Result<Vec<Row>, StoreError> {
        Store::feed(self, after, limit)
    }

    fn row(&self, tenant: Tenant, seq: Seq) -> Result<Option<Row>, StoreError> {
        Ok(self.rows(tenant, &[seq])?.into_iter().next().flatten())
    }
}
