//! Reading by id: the current version, an earlier one.

use iris_access::{Action, Labels, Permit, Read, RecordFacts, VersionRead};
use iris_audit::{Action as AuditAction, Event, Outcome, Sealed};
use iris_fhir::definitions::definitions;
use iris_kernel::{ErrorKind, Kind, Tenant, Timestamp, Version};
use iris_store::Row;

use crate::refusal::Refusal;
use crate::stored::Stored;
use crate::trail::Who;
use crate::{Records, mask};

/// What reading one record came to. Whether it is there is itself something that the log must know before the caller does.
#[derive(Debug)]
pub enum Instance {
    /// The version asked for.
    Found(Box<Stored>),
    /// The record was deleted.
    Gone,
    /// It is not there, or not for this caller.
    Absent,
}

impl Instance {
    /// The record, or the refusal that says why there is none.
    ///
    /// # Errors
    /// [`ErrorKind::Gone`] and [`ErrorKind::NotFound`].
    pub fn found(self) -> Result<Stored, Refusal> {
        match self {
            Self::Found(stored) => Ok(*stored),
            Self::Gone => Err(Refusal::new(ErrorKind::Gone, "", "the record was deleted")),
            Self::Absent => Err(Refusal::not_found()),
        }
    }
}

impl Records {
    /// The current version of a record.
    ///
    /// # Errors
    /// When the store cannot be read or the record is damaged.
    pub fn read(&self, permit: &Permit<Read>, id: &str) -> Result<Sealed<Instance>, Refusal> {
        let kind = kind_of(permit)?;
        let row = self.store.current(permit.tenant(), kind, id)?;
        self.instance(permit, kind, id, row, AuditAction::PhiRead)
    }

    /// One version of a record.
    ///
    /// # Errors
    /// When the store cannot be read or the record is damaged.
    pub fn version_read(
        &self,
        permit: &Permit<VersionRead>,
        id: &str,
        version: Version,
    ) -> Result<Sealed<Instance>, Refusal> {
        let kind = kind_of(permit)?;
        let row = self.store.version(permit.tenant(), kind, id, version)?;
        self.instance(permit, kind, id, row, AuditAction::PhiVersionRead)
    }

    fn instance<A: Action>(
        &self,
        permit: &Permit<A>,
        kind: Kind,
        id: &str,
        row: Option<Row>,
        action: AuditAction,
    ) -> Result<Sealed<Instance>, Refusal> {
        let who = Who::caller(permit.caller());
        let mut event = self.event(&who, action);
        event.resources.push(format!("{}/{id}", definitions().name_of(kind)));
        let Some(stored) = row.map(|row| Stored::from_row(row, id.to_owned())).transpose()? else {
            event.outcome = Outcome::Failure;
            return Ok(self.audit.seal(Instance::Absent, vec![event]));
        };
        let now = if action == AuditAction::PhiRead { Labels::NONE } else { self.labels_now(permit, kind, id)? };
        event.patients.clone_from(&stored.head.patients);
        event.resources[0] = stored.versioned_reference();
        if !permit.admits(&with_labels(&stored, now)) {
            event.action = AuditAction::PhiDenied;
            event.outcome = Outcome::Denied;
            return Ok(self.audit.seal(Instance::Absent, vec![event]));
        }
        let stored = stored.seen_by(permit.caller())?;
        event.fields = mask::classes(std::iter::once(&stored));
        let instance = if stored.deleted {
            event.outcome = Outcome::Failure;
            Instance::Gone
        } else {
            Instance::Found(Box::new(stored))
        };
        Ok(self.audit.seal(instance, vec![event]))
    }

    /// When and by whom the record was first made. Shows nothing of its content, so it needs no entry of its own beside that of
    /// the read that led here.
    ///
    /// # Errors
    /// When the store cannot be read or the first version is damaged.
    pub fn birth(&self, permit: &Permit<Read>, stored: &Stored) -> Result<(Timestamp, [u8; 16]), Refusal> {
        if stored.version == Version::FIRST {
            return Ok((stored.at, stored.head.author));
        }
        let first = self.store.version(permit.tenant(), stored.kind, &stored.id, Version::FIRST)?;
        let first = first.map(|row| Stored::from_row(row, stored.id.clone())).transpose()?;
        let first = first.ok_or_else(|| Refusal::new(ErrorKind::Damaged, "", "the first version is missing"))?;
        Ok((first.at, first.head.author))
    }

    /// The labels that a record has now, as far as something is hidden from the caller: they hold for its earlier versions too, which
    /// say much the same.
    pub(crate) fn labels_now<A: Action>(&self, permit: &Permit<A>, kind: Kind, id: &str) -> Result<Labels, Refusal> {
        // Consents close labels as well, to whoever holds every clearance.
        if permit.restriction().is_none() {
            return Ok(Labels::NONE);
        }
        let row = self.store.current(permit.tenant(), kind, id)?;
        let stored = row.map(|row| Stored::from_row(row, id.to_owned())).transpose()?;
        Ok(stored.map_or(Labels::NONE, |stored| stored.head.labels))
    }

    /// The current version for a write that is about to replace it, unseen by the caller and therefore not sealed. The newest of the
    /// history and not [`iris_store::Store::current`]: a server that follows may answer that one, a moment late.
    pub(crate) fn current(&self, tenant: Tenant, kind: Kind, id: &str) -> Result<Option<Stored>, Refusal> {
        let newest = self.store.history(tenant, kind, id, None, 1)?.pop();
        newest.map(|row| Stored::from_row(row, id.to_owned())).transpose()
    }

    pub(crate) fn event(&self, who: &Who, action: AuditAction) -> Event {
        who.event(action, Outcome::Success, self.clock.now())
    }
}

/// A version with these labels beside its own.
pub(crate) fn with_labels(stored: &Stored, labels: Labels) -> RecordFacts<'_> {
    let facts = stored.head.facts();
    RecordFacts { labels: facts.labels.union(labels), ..facts }
}

/// The resource type of a permit. One for a named thing, such as the audit log, opens no record.
pub(crate) fn kind_of<A: Action>(permit: &Permit<A>) -> Result<Kind, Refusal> {
    permit.kind().ok_or_else(|| Refusal::new(ErrorKind::Internal, "", "the permit is not for records"))
}
