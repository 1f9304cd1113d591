//! The signing key: made once, kept sealed in the store, never made anew beside an existing log.

use iris_crypto::sign::SigningKey;
use iris_kernel::kinds::CHECKPOINT_KEY;
use iris_kernel::{Clock, Entropy, Secret, Tenant, Version};
use iris_store::{CommitError, Conflict, Expect, KeyOwner, Put, Store};

use crate::error::AuditError;

/// Its only id.
const ID: &str = "checkpoints";

/// Loads the signing key, or makes it for a log that is still empty.
pub(crate) fn load(store: &Store, clock: &dyn Clock, entropy: &dyn Entropy) -> Result<SigningKey, AuditError> {
    if let Some(key) = stored(store)? {
        return Ok(key);
    }
    if store.log_size()? > 0 {
        // Another node may have made the key, and signed with it, since it was looked for.
        let gone = || AuditError::Damaged("there are signed checkpoints, but the signing key is gone".to_owned());
        return stored(store)?.ok_or_else(gone);
    }
    let mut bytes = [0; 32];
    entropy.fill(&mut bytes);
    let seed = Secret::new(bytes);
    let mut tx = store.begin(Tenant::PLATFORM);
    tx.put(Put {
        kind: CHECKPOINT_KEY,
        id: ID,
        expect: Expect::Absent,
        version: Version::FIRST,
        born: None,
        at: clock.now(),
        head: &[],
        body: seed.expose(),
        owner: KeyOwner::Tenant,
        deleted: false,
        shadow: None,
    });
    match tx.commit_blocking() {
        Ok(_) => Ok(SigningKey::from_seed(seed.expose())?),
        Err(CommitError::Conflict { which: Conflict::Put(_) }) => {
            stored(store)?.ok_or_else(|| AuditError::Damaged("the signing key appeared and vanished".to_owned()))
        }
        Err(error) => Err(error.into()),
    }
}

fn stored(store: &Store) -> Result<Option<SigningKey>, AuditError> {
    let Some(row) = store.current(Tenant::PLATFORM, CHECKPOINT_KEY, ID)? else { return Ok(None) };
    let seed: Secret<[u8; 32]> = row
        .body
        .as_ref()
        .try_into()
        .map(Secret::new)
        .map_err(|_| AuditError::Damaged("the signing key is not one".to_owned()))?;
    Ok(Some(SigningKey::from_seed(seed.expose())?))
}
