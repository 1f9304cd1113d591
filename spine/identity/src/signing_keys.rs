//! The keys that sign access tokens as this node knows them: made once for all nodes, read again when any node changes them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use iris_audit::{Action, Actor, Audit, Event, Outcome};
use iris_kernel::{Tenant, Timestamp};
use iris_store::{Change, CommitError, Follower, Store};
use parking_lot::RwLock;
use uuid::Uuid;

use crate::kinds;
use crate::records::{self, Stamp};
use crate::token::{KeyRing, StoredKeys};
use iris_access::AccessError;

/// Id of the one record of signing keys.
const SIGNING_KEYS_ID: &str = "access-token";

/// The keys in use. Follows the store's changes.
pub(crate) struct SigningKeys {
    ring: RwLock<Arc<KeyRing>>,
    /// The stored keys have changed since they were read.
    stale: AtomicBool,
}

impl SigningKeys {
    /// Reads the keys, or makes them, and follows them from then on. Two first starts cannot both make them: the record is expected
    /// to be absent, and the slower one takes those of the other.
    pub(crate) fn open(store: &Store, audit: &Audit, at: Timestamp) -> Result<Arc<Self>, AccessError> {
        let stored = match read(store)? {
            Some(stored) => stored,
            None => make(store, audit, at)?,
        };
        let ring = RwLock::new(Arc::new(KeyRing::open(&stored)?));
        // Stale, because nobody told of changes before the next line.
        let keys = Arc::new(Self { ring, stale: AtomicBool::new(true) });
        store.follow(Arc::clone(&keys) as _);
        Ok(keys)
    }

    /// The keys as they are stored now.
    pub(crate) fn ring(&self, store: &Store) -> Result<Arc<KeyRing>, AccessError> {
        if self.stale.swap(false, Ordering::AcqRel)
            && let Err(error) = self.read_again(store)
        {
            self.stale.store(true, Ordering::Release);
            return Err(error);
        }
        Ok(Arc::clone(&self.ring.read()))
    }

    fn read_again(&self, store: &Store) -> Result<(), AccessError> {
        let stored = read(store)?.ok_or_else(|| AccessError::Damaged("the signing keys are gone".into()))?;
        if !self.ring.read().is_of(&stored) {
            let ring = Arc::new(KeyRing::open(&stored)?);
            *self.ring.write() = ring;
        }
        Ok(())
    }
}

impl Follower for SigningKeys {
    fn committed(&self, changes: &mut [Change]) {
        if changes.iter().any(|change| change.kind == kinds::SIGNING_KEYS) {
            self.stale.store(true, Ordering::Release);
        }
    }
}

fn read(store: &Store) -> Result<Option<StoredKeys>, AccessError> {
    let row = store.current(Tenant::PLATFORM, kinds::SIGNING_KEYS, SIGNING_KEYS_ID)?;
    Ok(records::read::<StoredKeys>(row)?.map(|stored| stored.value))
}

fn make(store: &Store, audit: &Audit, at: Timestamp) -> Result<StoredKeys, AccessError> {
    let keys = StoredKeys::generate(at)?;
    let mut tx = store.begin(Tenant::PLATFORM);
    let stamp = Stamp { author: Uuid::nil().into_bytes(), at };
    records::add(&mut tx, stamp, kinds::SIGNING_KEYS, SIGNING_KEYS_ID, &keys)?;
    let mut event = Event::new(Tenant::PLATFORM, Actor::system(), Action::KeyCreate, Outcome::Success, at);
    event.resources.push(format!("SigningKey/{}", keys.active));
    tx.audit(audit.row(&event)?);
    match tx.commit_blocking() {
        Ok(_) => Ok(keys),
        Err(CommitError::Conflict { .. }) => read(store)?.ok_or(AccessError::Conflict),
        Err(other) => Err(other.into()),
    }
}

#[cfg(test)]
mod tests {
    use iris_kernel::{Clock as _, Entropy};
    use iris_store::{StoreConfig, keyfile};
    use iris_testkit::{ManualClock, SeededEntropy};

    use super::*;

    #[test]
    fn keys_that_another_node_changed_are_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let (clock, entropy) = (Arc::new(ManualClock::default()), Arc::new(SeededEntropy::new(5)));
        let chance: Arc<dyn Entropy> = entropy.clone();
        let key = keyfile::open_or_create(&folder.path().join("key"), None, chance, true).unwrap();
        let store =
            Store::open(StoreConfig::new(folder.path()), Arc::new(key), clock.clone(), entropy.clone()).unwrap();
        let audit = Audit::open(store.clone(), clock.clone(), entropy).unwrap();
        let at = clock.now();
        let (keys, same) =
            (SigningKeys::open(&store, &audit, at).unwrap(), SigningKeys::open(&store, &audit, at).unwrap());
        let first = keys.ring(&store).unwrap();
        assert_eq!(first.jwks(), same.ring(&store).unwrap().jwks());

        let before =
            records::read::<StoredKeys>(store.current(Tenant::PLATFORM, kinds::SIGNING_KEYS, SIGNING_KEYS_ID).unwrap());
        let before = before.unwrap().unwrap();
        let mut tx = store.begin(Tenant::PLATFORM);
        let stamp = Stamp { author: [0; 16], at };
        let next = StoredKeys::generate(at).unwrap();
        records::change(&mut tx, stamp, (kinds::SIGNING_KEYS, SIGNING_KEYS_ID), &before, &next).unwrap();
        tx.commit_blocking().unwrap();
        let second = keys.ring(&store).unwrap();
        assert_ne!(first.jwks(), second.jwks());
        assert_eq!(second.jwks(), same.ring(&store).unwrap().jwks());
    }
}
