//! Which accounts with a second factor show a patient's record: where there is one, the portal's code alone does not open the record
//! (ADR 0017). The list is a hint that is only ever added to; whether an account on it still guards the record is looked up each time.

use iris_access::AccessError;
use iris_kernel::Tenant;
use iris_store::Tx;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::identity::Identity;
use crate::kinds;
use crate::records::{self, Stamp, UserRecord};

/// Most accounts of one patient that are remembered; the one that was added first goes.
const GUARDS_MAX: usize = 8;

/// The accounts that guard a patient's record, as stored.
#[derive(Clone, Default, Serialize, Deserialize)]
struct GuardsRecord {
    accounts: Vec<Uuid>,
}

impl Identity {
    /// Notes in a write set that this account, which has a second factor from now on, shows a patient's record. The portal's own account,
    /// which has no password, is asked for its factors by itself.
    pub(crate) fn guard_put(&self, tx: &mut Tx, stamp: Stamp, user: &UserRecord) -> Result<(), AccessError> {
        let Some(patient) = user.patient.as_deref().filter(|_| !user.password.is_empty()) else { return Ok(()) };
        let before = records::read::<GuardsRecord>(self.store.current(tx.tenant(), kinds::GUARDS, patient)?)?;
        let mut accounts = before.as_ref().map(|before| before.value.accounts.clone()).unwrap_or_default();
        if accounts.contains(&user.id) {
            return Ok(());
        }
        accounts.push(user.id);
        let over = accounts.len().saturating_sub(GUARDS_MAX);
        accounts.drain(..over);
        let next = GuardsRecord { accounts };
        match &before {
            None => records::add(tx, stamp, kinds::GUARDS, patient, &next),
            Some(before) => records::change(tx, stamp, (kinds::GUARDS, patient), before, &next),
        }
    }

    /// Whether an account that shows this patient's record, and may sign in, has a second factor.
    pub(crate) fn is_guarded(&self, tenant: Tenant, patient: &str) -> Result<bool, AccessError> {
        let stored = records::read::<GuardsRecord>(self.store.current(tenant, kinds::GUARDS, patient)?)?;
        for id in stored.map(|stored| stored.value.accounts).unwrap_or_default() {
            let Some(user) = self.user(tenant, id)? else { continue };
            let shows = user.value.enabled && user.value.patient.as_deref() == Some(patient);
            if shows && crate::factors::of(&self.factors(tenant, id)?).any() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
