//! The table in use, which can change while the server runs.

use std::sync::Arc;

use parking_lot::RwLock;

use super::Vaccines;

/// The table in use. Whoever has taken it works with it to the end, even if another takes its place meanwhile.
#[derive(Debug)]
pub struct CurrentVaccines(RwLock<Arc<Vaccines>>);

impl CurrentVaccines {
    /// Begins with this table.
    #[must_use]
    pub fn new(table: Vaccines) -> Self {
        Self(RwLock::new(Arc::new(table)))
    }

    /// The table in use now.
    #[must_use]
    pub fn now(&self) -> Arc<Vaccines> {
        Arc::clone(&self.0.read())
    }

    /// Puts another in its place.
    pub fn replace(&self, table: Vaccines) {
        *self.0.write() = Arc::new(table);
    }
}
