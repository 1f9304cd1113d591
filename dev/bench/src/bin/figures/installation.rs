//! An installation in this process, for what is measured without HTTP.

use std::sync::Arc;

use iris_audit::Audit;
use iris_kernel::Entropy;
use iris_store::{Store, StoreConfig, keyfile};
use iris_testkit::{ManualClock, SeededEntropy};

use crate::Outcome;

/// A store over SQLite in a folder of its own, with its access log.
pub(crate) struct Installation {
    pub(crate) store: Store,
    pub(crate) audit: Arc<Audit>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    _folder: tempfile::TempDir,
}

impl Installation {
    pub(crate) fn open() -> Outcome<Self> {
        let folder = tempfile::tempdir()?;
        let entropy: Arc<dyn Entropy> = Arc::new(SeededEntropy::new(1));
        let clock = Arc::new(ManualClock::default());
        let keys = keyfile::open_or_create(&folder.path().join("key"), None, entropy.clone(), true)?;
        let data = folder.path().join("data");
        let store = Store::open(StoreConfig::new(data), Arc::new(keys), clock.clone(), entropy.clone())?;
        let audit = Arc::new(Audit::open(store.clone(), clock.clone(), entropy.clone())?);
        Ok(Self { store, audit, clock, entropy, _folder: folder })
    }
}
