//! Reading and changing what a tenant has decided about access.

use iris_audit::{Action as AuditAction, Outcome};
use iris_kernel::kinds::POLICY;
use iris_kernel::{Tenant, Timestamp, Version};

use crate::action::{Read, Update};
use crate::error::AccessError;
use crate::permit::Permit;
use crate::policies::{POLICY_ID, Policies};
use crate::policy::TenantPolicy;
use crate::records::{self, Stamp, Stored};
use crate::trail::{Happened, Try, commit, event_by, on_accounts};

/// What a tenant has decided, with its version; none while nobody has decided anything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredPolicy {
    /// What was decided.
    pub policy: TenantPolicy,
    /// The version of the record.
    pub version: Option<Version>,
    /// When it was written.
    pub at: Timestamp,
}

/// What stands in the store.
#[derive(serde::Serialize, serde::Deserialize)]
struct PolicyRecord {
    #[serde(flatten)]
    policy: TenantPolicy,
    /// When: microseconds since 1970.
    #[serde(default)]
    at: i64,
}

impl Policies {
    /// What the tenant has decided, read where it is written.
    ///
    /// # Errors
    /// The permit is not one on accounts; the store cannot be read.
    pub fn policy_read(&self, permit: &Permit<Read>) -> Result<StoredPolicy, AccessError> {
        on_accounts(permit)?;
        Ok(self.policy_record(permit.tenant())?.map_or_else(StoredPolicy::default, shown))
    }

    /// Replaces what the tenant has decided, and writes down what changed. `before` is the version that the caller has seen;
    /// `Ok(None)` means that there is another one by now and nothing was stored.
    ///
    /// # Errors
    /// The permit is not one on accounts; the store or the audit log cannot take it.
    pub async fn policy_change(
        &self,
        permit: &Permit<Update>,
        before: Option<Version>,
        policy: TenantPolicy,
    ) -> Result<Option<StoredPolicy>, AccessError> {
        let (caller, tenant) = (on_accounts(permit)?, permit.tenant());
        let stored = self.policy_record(tenant)?;
        if stored.as_ref().map(|stored| stored.version) != before {
            return Ok(None);
        }
        let was = stored.as_ref().map(|stored| stored.value.policy.clone()).unwrap_or_default();
        let (at, by) = (self.clock.now(), caller.subject.id);
        let stamp = Stamp { author: by.into_bytes(), at };
        let record = PolicyRecord { policy, at: at.0 };
        let mut tx = self.store.begin(tenant);
        match &stored {
            None => records::add(&mut tx, stamp, POLICY, POLICY_ID, &record)?,
            Some(stored) => records::change(&mut tx, stamp, (POLICY, POLICY_ID), stored, &record)?,
        }
        let detail = record.policy.changes(&was);
        let what = Happened::new(AuditAction::ConfigChange, Outcome::Success, Some("Policy/tenant".to_owned()));
        tx.audit(self.audit.row(&event_by(caller, what.because(&detail), at))?);
        match commit(tx).await? {
            Try::Again => Ok(None),
            Try::Done => {
                let version = before.map_or(Version::FIRST, Version::next);
                Ok(Some(StoredPolicy { policy: record.policy, version: Some(version), at }))
            }
        }
    }

    fn policy_record(&self, tenant: Tenant) -> Result<Option<Stored<PolicyRecord>>, AccessError> {
        records::read(self.store.current(tenant, POLICY, POLICY_ID)?)
    }
}

fn shown(stored: Stored<PolicyRecord>) -> StoredPolicy {
    let Stored { value, version, .. } = stored;
    StoredPolicy { policy: value.policy, version: Some(version), at: Timestamp(value.at) }
}
