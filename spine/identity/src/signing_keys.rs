//! The keys that sign access tokens as this node knows them: made once for all nodes, changed by age or on demand without signing
//! anybody out, read again when any node changes them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use iris_access::error::internal;
use iris_access::trail::{Happened, TRIES_MAX, Try, commit};
use iris_access::{AccessError, Permit, Read, Update};
use iris_audit::{Action, Actor, Audit, Event, Outcome};
use iris_kernel::{Tenant, Timestamp};
use iris_store::{Change, CommitError, Follower, Store};
use parking_lot::RwLock;
use uuid::Uuid;

use crate::identity::Identity;
use crate::kinds;
use crate::records::{self, Stamp, Stored};
use crate::settings::on_installation;
use crate::signing_key::KeyAlgorithm;
use crate::token::{KeyRing, StoredKeys};
use crate::views::SigningKeyView;

/// Id of the one record of signing keys.
const SIGNING_KEYS_ID: &str = "access-token";
/// How often at most an unknown `kid` makes a node read the keys again: garbage must not become reads of the database.
const UNKNOWN_EVERY: Duration = Duration::from_secs(1);

/// What an operator decides about signing keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyRules {
    /// After how long a new key takes over by itself; `None` if never.
    pub age: Option<Duration>,
    /// The algorithm of keys that are made from now on.
    pub algorithm: KeyAlgorithm,
}

impl Default for KeyRules {
    /// RS256, for ninety days.
    fn default() -> Self {
        Self { age: Some(Duration::from_secs(90 * 86_400)), algorithm: KeyAlgorithm::default() }
    }
}

/// The keys in use. Follows the store's changes.
pub(crate) struct SigningKeys {
    ring: RwLock<Arc<KeyRing>>,
    /// The stored keys have changed since they were read.
    stale: AtomicBool,
    /// When they were read because of an unknown key, in microseconds.
    asked: AtomicI64,
}

impl SigningKeys {
    /// Reads the keys, or makes them, and follows them from then on. Two first starts cannot both make them: the record is expected
    /// to be absent, and the slower one takes those of the other.
    pub(crate) fn open(store: &Store, audit: &Audit, at: Timestamp) -> Result<Arc<Self>, AccessError> {
        let stored = match read(store)? {
            Some(stored) => stored.value,
            None => make(store, audit, at)?,
        };
        let ring = RwLock::new(Arc::new(KeyRing::open(&stored)?));
        // Stale, because nobody told of changes before the next line.
        let keys = Arc::new(Self { ring, stale: AtomicBool::new(true), asked: AtomicI64::new(i64::MIN) });
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

    /// The keys, looked at again because a token names one that is not among them: another node may have made it this moment, and its
    /// change not have come here yet. `None` if they were looked at a moment ago.
    pub(crate) fn ring_again(&self, store: &Store, now: Timestamp) -> Result<Option<Arc<KeyRing>>, AccessError> {
        let asked = self.asked.load(Ordering::Acquire);
        let wait = i64::try_from(UNKNOWN_EVERY.as_micros()).unwrap_or(i64::MAX);
        let is_early = now.0 < asked.saturating_add(wait);
        if is_early || self.asked.compare_exchange(asked, now.0, Ordering::AcqRel, Ordering::Acquire).is_err() {
            return Ok(None);
        }
        self.read_again(store)?;
        Ok(Some(Arc::clone(&self.ring.read())))
    }

    /// They were changed by this node.
    fn changed(&self) {
        self.stale.store(true, Ordering::Release);
    }

    fn read_again(&self, store: &Store) -> Result<(), AccessError> {
        let stored = read(store)?.ok_or_else(|| AccessError::Damaged("the signing keys are gone".into()))?;
        if !self.ring.read().is_of(&stored.value) {
            let ring = Arc::new(KeyRing::open(&stored.value)?);
            *self.ring.write() = ring;
        }
        Ok(())
    }
}

impl Follower for SigningKeys {
    fn committed(&self, changes: &mut [Change]) {
        if changes.iter().any(|change| change.kind == kinds::SIGNING_KEYS) {
            self.changed();
        }
    }
}

impl Identity {
    /// With other rules for signing keys.
    #[must_use]
    pub fn with_key_rules(self, key_rules: KeyRules) -> Self {
        Self { key_rules, ..self }
    }

    /// The keys that sign access tokens: their names and dates.
    ///
    /// # Errors
    /// The permit is one on something else.
    pub fn signing_keys(&self, permit: &Permit<Read>) -> Result<Vec<SigningKeyView>, AccessError> {
        crate::settings::on_operation(permit)?;
        Ok(self.keys()?.list(self.clock.now()))
    }

    /// Makes a key that signs from now on. Nobody is signed out: tokens of the other keys count until they run out.
    ///
    /// # Errors
    /// The permit is not one on the installation as a whole; there are too many keys already; the store or the log cannot take it.
    pub async fn signing_key_rotate(&self, permit: &Permit<Update>) -> Result<Vec<SigningKeyView>, AccessError> {
        let caller = on_installation(permit)?;
        for _ in 0..TRIES_MAX {
            let stored = self.stored_keys()?;
            let what =
                |kid: &str| Happened::new(Action::KeyRotate, Outcome::Success, Some(format!("SigningKey/{kid}")));
            let stamp = self.stamp(caller.subject.id);
            if let Try::Done = self.rotate_keys(&stored, stamp, |kid| self.event_by(caller, what(kid))).await? {
                return Ok(self.keys()?.list(self.clock.now()));
            }
        }
        Err(AccessError::Conflict)
    }

    /// Makes a new key if the one that signs is older than the rules say, and tells whether it did. Of several nodes one does.
    ///
    /// # Errors
    /// The store or the log cannot take it.
    pub async fn signing_key_rotate_if_due(&self) -> Result<bool, AccessError> {
        let Some(age) = self.key_rules.age else { return Ok(false) };
        let stored = self.stored_keys()?;
        let now = self.clock.now();
        // A key from before ages were noted is older than any.
        if stored.value.age(now).is_some_and(|old| old < age) {
            return Ok(false);
        }
        let event = |kid: &str| {
            let mut event = Event::new(Tenant::PLATFORM, Actor::system(), Action::KeyRotate, Outcome::Success, now);
            event.resources.push(format!("SigningKey/{kid}"));
            "the key that signed was old".clone_into(&mut event.query);
            event
        };
        // A conflict means that another node was faster.
        let tried = self.rotate_keys(&stored, Stamp { author: Uuid::nil().into_bytes(), at: now }, event).await?;
        Ok(matches!(tried, Try::Done))
    }

    /// Looks once an hour whether a new key is due. Never ends.
    pub async fn keep_keys(self: Arc<Self>) {
        const EVERY: Duration = Duration::from_secs(3_600);
        loop {
            match self.signing_key_rotate_if_due().await {
                Ok(true) => {
                    tracing::info!("a new key signs access tokens; the old one verifies until its tokens have run out");
                }
                Ok(false) => {}
                Err(error) => tracing::warn!(%error, "whether a new signing key is due could not be seen to"),
            }
            tokio::time::sleep(EVERY).await;
        }
    }

    async fn rotate_keys(
        &self,
        stored: &Stored<StoredKeys>,
        stamp: Stamp,
        event: impl Fn(&str) -> Event,
    ) -> Result<Try, AccessError> {
        let (before, algorithm) = (stored.value.clone(), self.key_rules.algorithm);
        let made = tokio::task::spawn_blocking(move || before.rotated(algorithm, stamp.at)).await;
        let next = made.map_err(internal)??;
        let mut tx = self.store.begin(Tenant::PLATFORM);
        records::change(&mut tx, stamp, (kinds::SIGNING_KEYS, SIGNING_KEYS_ID), stored, &next)?;
        tx.audit(self.audit.row(&event(&next.active))?);
        let tried = commit(tx).await?;
        if let Try::Done = tried {
            self.keys.changed();
        }
        Ok(tried)
    }

    fn stored_keys(&self) -> Result<Stored<StoredKeys>, AccessError> {
        read(&self.store)?.ok_or_else(|| AccessError::Damaged("the signing keys are gone".into()))
    }
}

fn read(store: &Store) -> Result<Option<Stored<StoredKeys>>, AccessError> {
    records::read(store.current(Tenant::PLATFORM, kinds::SIGNING_KEYS, SIGNING_KEYS_ID)?)
}

fn make(store: &Store, audit: &Audit, at: Timestamp) -> Result<StoredKeys, AccessError> {
    let keys = StoredKeys::generate(KeyAlgorithm::default(), at)?;
    let mut tx = store.begin(Tenant::PLATFORM);
    let stamp = Stamp { author: Uuid::nil().into_bytes(), at };
    records::add(&mut tx, stamp, kinds::SIGNING_KEYS, SIGNING_KEYS_ID, &keys)?;
    let mut event = Event::new(Tenant::PLATFORM, Actor::system(), Action::KeyCreate, Outcome::Success, at);
    event.resources.push(format!("SigningKey/{}", keys.active));
    tx.audit(audit.row(&event)?);
    match tx.commit_blocking() {
        Ok(_) => Ok(keys),
        Err(CommitError::Conflict { .. }) => Ok(read(store)?.ok_or(AccessError::Conflict)?.value),
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
        assert_eq!(first.jwks(at), same.ring(&store).unwrap().jwks(at));

        let before = read(&store).unwrap().unwrap();
        let mut tx = store.begin(Tenant::PLATFORM);
        let stamp = Stamp { author: [0; 16], at };
        let next = StoredKeys::generate(KeyAlgorithm::EdDsa, at).unwrap();
        records::change(&mut tx, stamp, (kinds::SIGNING_KEYS, SIGNING_KEYS_ID), &before, &next).unwrap();
        tx.commit_blocking().unwrap();
        let second = keys.ring(&store).unwrap();
        assert_ne!(first.jwks(at), second.jwks(at));
        assert_eq!(second.jwks(at), same.ring(&store).unwrap().jwks(at));
    }
}
