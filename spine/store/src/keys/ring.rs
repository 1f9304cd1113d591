//! The key ring: finds, makes, unwraps and caches data keys.
//!
//! A key that a write set needs and that does not exist yet is drawn here and stored by that same write set. Until then
//! everybody in this process who needs it shares it through `pending`; if another node (or an entry that expired in
//! between) was faster, the writer refuses the set as raced and [`crate::Tx::commit`] seals it again under the key that won.
//!
//! A key never changes while the database leads one life, so no other node's write makes an entry here wrong. A database that
//! has lost writes may have lost keys with them: every entry goes by the life before its question ([`Backend::lives`]) and is
//! none in another one, and the writer refuses a set whose keys were looked up in another life than the one it is stored in.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use iris_crypto::{Aad, MacKey, SealingKey, derive};
use iris_kernel::{Entropy, RecordId, Tenant};
use parking_lot::Mutex;
use quick_cache::sync::Cache;
use zeroize::Zeroizing;

use super::{KeyError, KeyId, KeyProvider};
use crate::backend::{Backend, RawKey};
use crate::error::StoreError;

/// Above this many entries `pending` is swept of keys that nobody holds any more.
const PENDING_SWEEP: usize = 1_024;

/// What a key is for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum KeyRole<'a> {
    /// Wraps the tenant's other keys.
    Wrapping,
    /// Seals what belongs to no single patient.
    Tenant,
    /// Seals what belongs to this patient alone.
    Patient(RecordId),
    /// Seals what the label says.
    Label(&'a str),
}

/// A key that is not stored yet.
pub(crate) struct FreshKey {
    pub(crate) row: RawKey,
    key: Arc<SealingKey>,
    /// The life in which it was made.
    lives: u64,
    /// The tenant's wrapping key, if that is not stored yet either.
    wrapping: Option<Arc<FreshKey>>,
}

/// A key in use.
pub(crate) struct KeyHandle {
    pub(crate) id: KeyId,
    pub(crate) key: Arc<SealingKey>,
    /// Set if the write set must bring the key along.
    pub(crate) fresh: Option<Arc<FreshKey>>,
}

/// What was found out, and in which life.
#[derive(Clone)]
struct OfLife<T>(u64, T);

impl<T> OfLife<T> {
    fn in_life(self, lives: u64) -> Option<T> {
        (self.0 == lives).then_some(self.1)
    }
}

pub(crate) struct KeyRing {
    provider: Arc<dyn KeyProvider>,
    backend: Arc<dyn Backend>,
    entropy: Arc<dyn Entropy>,
    owners: MacKey,
    by_id: Cache<KeyId, OfLife<Arc<SealingKey>>>,
    by_owner: Cache<[u8; 16], OfLife<KeyId>>,
    pending: Mutex<HashMap<[u8; 16], Weak<FreshKey>>>,
}

impl KeyRing {
    pub(crate) fn new(
        provider: Arc<dyn KeyProvider>,
        backend: Arc<dyn Backend>,
        entropy: Arc<dyn Entropy>,
        cached: usize,
    ) -> Self {
        let owners = MacKey::new(&provider.derive("store/owners"));
        let pending = Mutex::new(HashMap::new());
        Self { provider, backend, entropy, owners, by_id: Cache::new(cached), by_owner: Cache::new(cached), pending }
    }

    /// The key for a purpose, made if there is none yet.
    pub(crate) fn handle(&self, tenant: Tenant, role: KeyRole<'_>) -> Result<KeyHandle, StoreError> {
        let owner = self.owner(tenant, role);
        let lives = self.backend.lives();
        if let Some(id) = self.by_owner.get(&owner).and_then(|id| id.in_life(lives)) {
            return Ok(KeyHandle { id, key: self.by_id(id)?, fresh: None });
        }
        if let Some(fresh) = pending_in(&self.pending.lock(), &owner, lives) {
            return Ok(fresh.into());
        }
        if let Some(row) = self.backend.key_of_owner(&owner)? {
            let key = self.unwrap(&row, lives)?;
            self.by_owner.insert(owner, OfLife(lives, row.key));
            return Ok(KeyHandle { id: row.key, key, fresh: None });
        }
        self.make(tenant, owner, role, lives)
    }

    fn make(&self, tenant: Tenant, owner: [u8; 16], role: KeyRole<'_>, lives: u64) -> Result<KeyHandle, StoreError> {
        let wrapping = match role {
            KeyRole::Wrapping => None,
            _ => Some(self.handle(tenant, KeyRole::Wrapping)?),
        };
        let mut clear = Zeroizing::new([0; 32]);
        self.entropy.fill(clear.as_mut());
        let id = self.backend.key_next()?;
        let wrapped = match &wrapping {
            None => self.provider.wrap(&clear, &provider_aad(tenant, &owner, id))?,
            Some(kek) => kek.key.seal(self.nonce(), &wrap_aad(tenant, &owner, id), clear.as_ref()),
        };
        let row = RawKey { key: id, tenant, owner, kek: wrapping.as_ref().map(|kek| kek.id), wrapped };
        let wrapping = wrapping.and_then(|kek| kek.fresh);
        let fresh = Arc::new(FreshKey { row, key: Arc::new(SealingKey::new(&clear)), lives, wrapping });
        let mut pending = self.pending.lock();
        if let Some(faster) = pending_in(&pending, &owner, lives) {
            return Ok(faster.into());
        }
        if pending.len() >= PENDING_SWEEP {
            pending.retain(|_, key| key.strong_count() > 0);
        }
        pending.insert(owner, Arc::downgrade(&fresh));
        Ok(fresh.into())
    }

    /// A stored key.
    pub(crate) fn by_id(&self, id: KeyId) -> Result<Arc<SealingKey>, StoreError> {
        let lives = self.backend.lives();
        if let Some(key) = self.by_id.get(&id).and_then(|key| key.in_life(lives)) {
            return Ok(key);
        }
        let Some(row) = self.backend.key(id)? else {
            return Err(StoreError::damaged(None, format!("data key {} is missing", id.0)));
        };
        self.unwrap(&row, lives)
    }

    /// Unwraps a stored key and keeps it.
    fn unwrap(&self, row: &RawKey, lives: u64) -> Result<Arc<SealingKey>, StoreError> {
        let key = match row.kek {
            None => self.by_provider(row)?,
            Some(kek) => {
                let wrapping = match self.by_id.get(&kek).and_then(|key| key.in_life(lives)) {
                    Some(key) => key,
                    None => {
                        let key = Arc::new(self.by_provider(&self.wrapping_row(row, kek)?)?);
                        self.by_id.insert(kek, OfLife(lives, Arc::clone(&key)));
                        key
                    }
                };
                under(&wrapping, row)?
            }
        };
        let key = Arc::new(key);
        self.by_id.insert(row.key, OfLife(lives, Arc::clone(&key)));
        Ok(key)
    }

    /// Reads and unwraps a stored key past the cache, and the key that wraps it too: what a new start would find.
    pub(crate) fn check(&self, id: KeyId) -> Result<(), StoreError> {
        let row = self.backend.key(id)?.ok_or_else(|| damaged(id, &"it is missing"))?;
        match row.kek {
            None => self.by_provider(&row).map(drop),
            Some(kek) => under(&self.by_provider(&self.wrapping_row(&row, kek)?)?, &row).map(drop),
        }
    }

    /// The row of the key that wraps another. That one is wrapped by the provider, so that nothing here goes round in circles
    /// whatever the table says.
    fn wrapping_row(&self, row: &RawKey, kek: KeyId) -> Result<RawKey, StoreError> {
        let found = self.backend.key(kek)?;
        let found = found.ok_or_else(|| damaged(row.key, &format!("its wrapping key {} is missing", kek.0)))?;
        if found.kek.is_some() || found.key == row.key || found.tenant != row.tenant {
            return Err(damaged(row.key, &format!("data key {} wraps no key of this tenant", kek.0)));
        }
        Ok(found)
    }

    /// A key that the provider wraps.
    fn by_provider(&self, row: &RawKey) -> Result<SealingKey, StoreError> {
        match self.provider.unwrap(&row.wrapped, &provider_aad(row.tenant, &row.owner, row.key)) {
            Ok(clear) => Ok(SealingKey::new(clear.expose())),
            Err(KeyError::Damaged(why)) => Err(damaged(row.key, &why)),
            Err(other) => Err(other.into()),
        }
    }

    /// Keys that a write set brought along are stored now.
    pub(crate) fn stored(&self, keys: &[Arc<FreshKey>]) {
        for fresh in keys {
            self.by_id.insert(fresh.row.key, OfLife(fresh.lives, Arc::clone(&fresh.key)));
            self.by_owner.insert(fresh.row.owner, OfLife(fresh.lives, fresh.row.key));
        }
        let mut pending = self.pending.lock();
        for fresh in keys {
            forget(&mut pending, fresh);
        }
    }

    /// Somebody else stored a key for one of these owners first: look them up again next time.
    pub(crate) fn raced(&self, keys: &[Arc<FreshKey>]) {
        let mut pending = self.pending.lock();
        for fresh in keys {
            forget(&mut pending, fresh);
        }
    }

    /// A number that nothing else has.
    pub(crate) fn unique(&self) -> [u8; 16] {
        let mut unique = [0; 16];
        self.entropy.fill(&mut unique);
        unique
    }

    /// A nonce for one value.
    pub(crate) fn nonce(&self) -> [u8; 12] {
        let mut nonce = [0; 12];
        self.entropy.fill(&mut nonce);
        nonce
    }

    fn owner(&self, tenant: Tenant, role: KeyRole<'_>) -> [u8; 16] {
        let tenant = tenant.0.to_be_bytes();
        match role {
            KeyRole::Wrapping => self.owners.token(&[&tenant, b"wrapping"]),
            KeyRole::Tenant => self.owners.token(&[&tenant, b"tenant"]),
            KeyRole::Patient(patient) => self.owners.token(&[&tenant, b"patient", &patient.0]),
            KeyRole::Label(label) => self.owners.token(&[&tenant, b"label", label.as_bytes()]),
        }
    }
}

/// A key that waits for its write set in this life.
fn pending_in(pending: &HashMap<[u8; 16], Weak<FreshKey>>, owner: &[u8; 16], lives: u64) -> Option<Arc<FreshKey>> {
    pending.get(owner).and_then(Weak::upgrade).filter(|fresh| fresh.lives == lives)
}

/// Takes a key out of `pending` if the entry is still this very key.
fn forget(pending: &mut HashMap<[u8; 16], Weak<FreshKey>>, fresh: &Arc<FreshKey>) {
    if pending.get(&fresh.row.owner).is_some_and(|entry| std::ptr::eq(entry.as_ptr(), Arc::as_ptr(fresh))) {
        pending.remove(&fresh.row.owner);
    }
}

fn wrap_aad(tenant: Tenant, owner: &[u8; 16], key: KeyId) -> Aad {
    Aad::new().bytes(b"data key").u32(tenant.0).bytes(owner).u64(key.0)
}

/// What the provider binds a key to.
fn provider_aad(tenant: Tenant, owner: &[u8; 16], key: KeyId) -> [u8; 28] {
    let mut place = [0; 28];
    place[..4].copy_from_slice(&tenant.0.to_be_bytes());
    place[4..20].copy_from_slice(owner);
    place[20..].copy_from_slice(&key.0.to_be_bytes());
    place
}

/// A key that another one wraps.
fn under(wrapping: &SealingKey, row: &RawKey) -> Result<SealingKey, StoreError> {
    let aad = wrap_aad(row.tenant, &row.owner, row.key);
    let clear = Zeroizing::new(wrapping.open(&aad, &row.wrapped).map_err(|why| damaged(row.key, &why))?);
    let clear: &[u8; 32] = clear.as_slice().try_into().map_err(|_| damaged(row.key, &"it has another length"))?;
    Ok(SealingKey::new(clear))
}

fn damaged(key: KeyId, why: &dyn std::fmt::Display) -> StoreError {
    KeyError::Damaged(format!("data key {}: {why}", key.0)).into()
}

/// The value in `meta` that tells whether a root belongs to a database.
pub(crate) fn check_value(provider: &dyn KeyProvider) -> [u8; 32] {
    derive(&provider.derive("store/check"), "check")
}

impl FreshKey {
    /// This key and those that must be stored before it.
    pub(crate) fn with_wrapping(self: &Arc<Self>, into: &mut Vec<Arc<FreshKey>>) {
        for key in [self.wrapping.as_ref(), Some(self)].into_iter().flatten() {
            if !into.iter().any(|known| Arc::ptr_eq(known, key)) {
                into.push(Arc::clone(key));
            }
        }
    }
}

impl From<Arc<FreshKey>> for KeyHandle {
    fn from(fresh: Arc<FreshKey>) -> Self {
        Self { id: fresh.row.key, key: Arc::clone(&fresh.key), fresh: Some(fresh) }
    }
}
