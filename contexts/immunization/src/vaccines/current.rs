//! The table in use, which can change while the server runs.

use std::sync::Arc;

use parking_lot::{Mutex, RwLock};

use super::Vaccines;

/// The table in use. Whoever has taken it works with it to the end, even if another takes its place meanwhile.
#[derive(Debug)]
pub struct CurrentVaccines {
    table: RwLock<Arc<Vaccines>>,
    /// Held by whoever brings another table, so that the one that is kept is the one in use.
    change: Mutex<()>,
}

impl CurrentVaccines {
    /// Begins with this table.
    #[must_use]
    pub fn new(table: Vaccines) -> Self {
        Self { table: RwLock::new(Arc::new(table)), change: Mutex::new(()) }
    }

    /// The table in use now.
    #[must_use]
    pub fn now(&self) -> Arc<Vaccines> {
        Arc::clone(&self.table.read())
    }

    /// Puts another in its place once `keep` has kept it; one change at a time.
    ///
    /// # Errors
    /// What `keep` ends with; the table in use stays then.
    pub fn replace<E>(&self, table: Vaccines, keep: impl FnOnce() -> Result<(), E>) -> Result<(), E> {
        let _alone = self.change.lock();
        keep()?;
        *self.table.write() = Arc::new(table);
        Ok(())
    }
}
