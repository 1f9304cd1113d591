//! Settings of the whole installation that were changed while it ran: one internal record, the same for all nodes. What a
//! setting means and which values it takes is the affair of whoever applies it.

use std::collections::BTreeMap;

use iris_audit::{Action as AuditAction, Outcome};
use iris_kernel::{Tenant, Timestamp, Version};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::identity::Identity;
use crate::kinds;
use crate::records::{self, Stored};
use iris_access::trail::{Happened, Try, commit};
use iris_access::{AccessError, Action, Caller, Denial, Named, Permission, Permit, Read, Target, Update};

/// Id of the one record of settings.
const SETTINGS_ID: &str = "all";

/// One setting with another value than the one at the start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangedSetting {
    /// The value as text.
    pub value: String,
    /// Who set it.
    pub by: Uuid,
    /// Their name at that time.
    pub by_name: String,
    /// When, in microseconds.
    at: i64,
}

impl ChangedSetting {
    /// When it was set.
    #[must_use]
    pub const fn at(&self) -> Timestamp {
        Timestamp(self.at)
    }
}

/// The settings that were changed while the installation ran.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChangedSettings {
    /// Version of the record; `None` as long as nobody has changed anything.
    pub version: Option<Version>,
    /// When it was written; the epoch as long as there is none.
    pub at: Timestamp,
    /// By name.
    pub settings: BTreeMap<String, ChangedSetting>,
}

/// The record as stored.
#[derive(Clone, Default, Serialize, Deserialize)]
struct SettingsRecord {
    at: i64,
    settings: BTreeMap<String, ChangedSetting>,
}

impl Identity {
    /// What was changed, for the node itself, which has to obey it. It holds no secret and no record.
    ///
    /// # Errors
    /// The store cannot be read, or the record is damaged.
    pub fn settings(&self) -> Result<ChangedSettings, AccessError> {
        Ok(self.settings_record()?.map_or_else(ChangedSettings::default, view))
    }

    /// The same for a caller.
    ///
    /// # Errors
    /// The permit is not one on the installation as a whole; the store cannot be read.
    pub fn settings_read(&self, permit: &Permit<Read>) -> Result<ChangedSettings, AccessError> {
        on_installation(permit)?;
        self.settings()
    }

    /// Sets values, or with `None` takes back what was set, and writes down who did. `before` is the version that the caller
    /// has seen; `Ok(None)` means that there is another one by now and nothing was stored.
    ///
    /// # Errors
    /// The permit is not one on the installation as a whole; the store or the audit log cannot take it.
    pub async fn settings_change(
        &self,
        permit: &Permit<Update>,
        before: Option<Version>,
        changes: &[(String, Option<String>)],
    ) -> Result<Option<ChangedSettings>, AccessError> {
        let caller = on_installation(permit)?;
        let stored = self.settings_record()?;
        if stored.as_ref().map(|stored| stored.version) != before {
            return Ok(None);
        }
        let stamp = self.stamp(caller.subject.id);
        let mut next = stored.as_ref().map(|stored| stored.value.clone()).unwrap_or_default();
        next.at = stamp.at.0;
        for (name, value) in changes {
            match value {
                None => drop(next.settings.remove(name)),
                Some(value) => {
                    let (by, by_name) = (caller.subject.id, caller.subject.name.to_string());
                    let set = ChangedSetting { value: value.clone(), by, by_name, at: stamp.at.0 };
                    next.settings.insert(name.clone(), set);
                }
            }
        }
        let mut tx = self.store.begin(Tenant::PLATFORM);
        match &stored {
            None => records::add(&mut tx, stamp, kinds::SETTINGS, SETTINGS_ID, &next)?,
            Some(stored) => records::change(&mut tx, stamp, (kinds::SETTINGS, SETTINGS_ID), stored, &next)?,
        }
        let words = changes.iter().map(|(name, value)| match value {
            Some(value) => format!("{name}={value}"),
            None => format!("{name} as at the start"),
        });
        let detail = words.collect::<Vec<_>>().join(", ");
        let what = Happened::new(AuditAction::ConfigChange, Outcome::Success, Some("Config/all".to_owned()));
        tx.audit(self.audit.row(&self.event_by(caller, what.because(&detail)))?);
        match commit(tx).await? {
            Try::Again => Ok(None),
            Try::Done => {
                let version = before.map_or(Version::FIRST, Version::next);
                Ok(Some(ChangedSettings { version: Some(version), at: stamp.at, settings: next.settings }))
            }
        }
    }

    fn settings_record(&self) -> Result<Option<Stored<SettingsRecord>>, AccessError> {
        records::read(self.store.current(Tenant::PLATFORM, kinds::SETTINGS, SETTINGS_ID)?)
    }
}

fn view(stored: Stored<SettingsRecord>) -> ChangedSettings {
    let Stored { value, version, .. } = stored;
    ChangedSettings { version: Some(version), at: Timestamp(value.at), settings: value.settings }
}

/// Whether the permit is one on running the installation; one on patients or accounts is none.
pub(crate) fn on_operation<A: Action>(permit: &Permit<A>) -> Result<(), AccessError> {
    let family = permit.target().family();
    match permit.target() {
        Target::Named(Named::Operation) => Ok(()),
        _ => Err(AccessError::Denied(Denial::Never { action: permit.action(), family })),
    }
}

/// The installation belongs to the first tenant and to the platform itself: the administrator of another tenant must not
/// decide for all.
pub(crate) fn on_installation<A: Action>(permit: &Permit<A>) -> Result<&Caller, AccessError> {
    on_operation(permit)?;
    let family = permit.target().family();
    if matches!(permit.tenant(), Tenant::DEFAULT | Tenant::PLATFORM) {
        return Ok(permit.caller());
    }
    Err(AccessError::Denied(Denial::Permission { missing: Permission::SystemAdmin, family }))
}
