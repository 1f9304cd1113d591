//! Writing one record: create, update, delete.

use std::sync::Arc;

use iris_access::{Action, Caller, Create, Delete, Permit, RecordFacts, Update, sight};
use iris_audit::Action as AuditAction;
use iris_fhir::Resource;
use iris_kernel::{ErrorKind, Kind, Timestamp, Version};
use iris_store::{CommitError, Tx};
use iris_validation::Valid;

use crate::conditional::{Criteria, Gone};
use crate::idempotency::{IdempotencyKey, Repeat};
use crate::lookups::Trail;
use crate::plan::{Plan, Write};
use crate::read::kind_of;
use crate::refusal::Refusal;
use crate::stored::Stored;
use crate::trail::Who;
use crate::{ClientIds, Records, ReferencePolicy};

/// How often a write is planned anew after another change came first, before the caller is told.
pub(crate) const ATTEMPTS_MAX: usize = 64;

/// A write that is durable, audited and searchable.
#[derive(Debug)]
pub struct Written {
    /// The resource type.
    pub kind: Kind,
    /// The logical id.
    pub id: String,
    /// The version that was written; for an unchanged record, the current one.
    pub version: Version,
    /// `meta.lastUpdated`.
    pub at: Timestamp,
    /// Whether the record is new, changed, or was there already.
    pub outcome: Outcome,
    /// What was written, as its writer may see it; empty after a deletion and for a record that was found instead: showing that is
    /// a read, with a permit and an audit entry of its own.
    pub body: Vec<u8>,
    /// The patients in whose compartment the record is, or was until now.
    pub patients: Vec<String>,
}

/// What a write did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The record was made.
    Created,
    /// A new version was made.
    Updated,
    /// The record is deleted now.
    Deleted,
    /// Nothing was written: conditional criteria or an idempotency key found the record, or it was deleted already.
    Existed,
}

/// How a commit ended.
#[derive(PartialEq, Eq)]
pub(crate) enum Commit {
    /// It is durable.
    Done,
    /// Another change came first; the write must be planned anew.
    Overtaken,
}

/// What must be true of a record before it is replaced (RFC 9110 §13.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precondition {
    /// Nothing.
    None,
    /// This version is the current one (`If-Match`).
    Match(Version),
    /// There is no such record (`If-None-Match: *`).
    Absent,
}

impl From<Option<Version>> for Precondition {
    fn from(if_match: Option<Version>) -> Self {
        if_match.map_or(Self::None, Self::Match)
    }
}

/// What goes with a create.
#[derive(Debug, Default)]
pub struct CreateOptions {
    /// Criteria that must match nothing (`If-None-Exist`).
    pub if_none_exist: Option<Criteria>,
    /// Makes a repeated request find the record that the first one made.
    pub key: Option<IdempotencyKey>,
    /// Overrides the installation's policy about absent references.
    pub references: Option<ReferencePolicy>,
}

impl Records {
    /// Makes a record with an id of ours.
    ///
    /// # Errors
    /// Dangling references, a unique value that is taken, ambiguous criteria, a full disk, a store that is away.
    pub async fn create(
        &self,
        permit: &Permit<Create>,
        resource: &Valid,
        options: &CreateOptions,
    ) -> Result<Written, Refusal> {
        let who = Who::caller(permit.caller());
        self.labels_allowed(permit, resource).await?;
        self.references_allowed(permit.caller(), resource, options.references)?;
        for _ in 0..ATTEMPTS_MAX {
            let at = self.clock.now();
            if let Some(key) = &options.key
                && let Repeat::Of(earlier) = self.repeat_of(&who, key)?
            {
                return self.found(&who, *earlier, "found by its idempotency key").await;
            }
            let id = self.entropy.uuid().to_string();
            let mut plan = Plan::default();
            if let Some(criteria) = &options.if_none_exist {
                let mut trail = Trail::default();
                let found = self.conditional(permit.caller(), criteria, (&id, &Gone::new()), &mut trail);
                self.write_down(&who, &trail).await?;
                match found? {
                    Ok(found) => return Ok(existing(found)),
                    Err(condition) => plan.conditions.extend(condition),
                }
            }
            let mut trail = Trail::default();
            let planned = self.plan_new(permit, resource, id, at, &mut trail);
            self.write_down(&who, &trail).await?;
            let (write, beside) = planned?;
            let written = written(&write, at, permit.caller())?;
            plan.writes.push(write);
            plan.writes.extend(beside);
            let mut tx = self.write_set(plan, &who, at, None)?;
            if let Some(key) = &options.key {
                self.remember(&mut tx, &who, key, &written);
            }
            if self.commit(tx).await? == Commit::Done {
                return Ok(written);
            }
        }
        Err(contended())
    }

    /// Plans a record that is new, and the care relation that goes with it.
    pub(crate) fn plan_new(
        &self,
        permit: &Permit<Create>,
        resource: &Resource,
        id: String,
        at: Timestamp,
        trail: &mut Trail,
    ) -> Result<(Write, Option<Write>), Refusal> {
        let write = self.plan_create(permit.caller(), resource, id, at, None, trail)?;
        trail.may_be(permit, &write)?;
        let beside = self.plan_care_relation(permit, &write, at)?;
        Ok((write, beside))
    }

    /// Who registers a patient treats them, where only who treats somebody sees them: the record that says so, if the rule of the type
    /// makes one.
    pub(crate) fn plan_care_relation<A: Action>(
        &self,
        permit: &Permit<A>,
        write: &Write,
        at: Timestamp,
    ) -> Result<Option<Write>, Refusal> {
        if !write.is_of_somebody_new() || !permit.asks_care_relation() {
            return Ok(None);
        }
        let made = self.rules.of(write.kind).and_then(|rule| rule.care_relation(permit.caller(), &write.id));
        let Some(made) = made else { return Ok(None) };
        let unready = |e| Refusal::caused(ErrorKind::Internal, "the care relation could not be prepared", e);
        let made = Resource::parse(made).map_err(unready)?;
        let id = self.entropy.uuid().to_string();
        self.plan_create(permit.caller(), &made, id, at, None, &mut Trail::default()).map(Some)
    }

    /// Deletes a record; its versions stay readable by `vread` and in the history.
    ///
    /// # Errors
    /// The record is not there, the version is not the current one, the store is away.
    pub async fn delete(
        &self,
        permit: &Permit<Delete>,
        id: &str,
        if_match: Option<Version>,
    ) -> Result<Written, Refusal> {
        let who = Who::caller(permit.caller());
        let kind = kind_of(permit)?;
        for _ in 0..ATTEMPTS_MAX {
            let at = self.clock.now();
            let current = self.deletable(permit, kind, id, if_match)?;
            if current.deleted {
                return Ok(existing(current));
            }
            let mut trail = Trail::default();
            let may = trail.may_replace(permit.caller(), Some(&current), None);
            self.write_down(&who, &trail).await?;
            may?;
            let write = self.plan_delete(&current)?;
            let written = written(&write, at, permit.caller())?;
            let plan = Plan { writes: vec![write], ..Plan::default() };
            if self.commit(self.write_set(plan, &who, at, None)?).await? == Commit::Done {
                return Ok(written);
            }
        }
        Err(contended())
    }

    /// Answers with a record that was found instead of being made; that it was found is written down first.
    async fn found(&self, who: &Who, found: Stored, by: &str) -> Result<Written, Refusal> {
        let mut event = self.event(who, AuditAction::PhiSearch);
        event.resources.push(found.versioned_reference());
        event.patients.clone_from(&found.head.patients);
        by.clone_into(&mut event.query);
        let _receipt = self.audit.record(event).await?;
        Ok(existing(found))
    }

    pub(crate) async fn commit(&self, tx: Tx) -> Result<Commit, Refusal> {
        match tx.commit().await {
            Ok(committed) => {
                let _receipt = self.audit.receipt(&committed);
                Ok(Commit::Done)
            }
            Err(CommitError::Conflict { .. }) => Ok(Commit::Overtaken),
            Err(error) => Err(error.into()),
        }
    }

    /// Refuses labels that the caller may not see, once that is written down.
    pub(crate) async fn labels_allowed<A: Action>(
        &self,
        permit: &Permit<A>,
        resource: &Resource,
    ) -> Result<(), Refusal> {
        let mut trail = Trail::default();
        let allowed = trail.may_write(permit, resource);
        self.write_down(&Who::caller(permit.caller()), &trail).await?;
        Ok(allowed?)
    }

    pub(crate) fn references_allowed(
        &self,
        caller: &Arc<Caller>,
        resource: &Resource,
        policy: Option<ReferencePolicy>,
    ) -> Result<(), Refusal> {
        self.check_references(caller, resource, policy.unwrap_or(self.policy().references))
    }

    /// The record that is about to be deleted.
    pub(crate) fn deletable(
        &self,
        permit: &Permit<Delete>,
        kind: Kind,
        id: &str,
        if_match: Option<Version>,
    ) -> Result<Stored, Refusal> {
        let current = self
            .current(permit.tenant(), kind, id)?
            .filter(|current| {
                permit.admits(&current.head.facts()) && sight(permit.caller(), kind).admits(&current.head.facts())
            })
            .ok_or_else(Refusal::not_found)?;
        current_is(&current, if_match)?;
        Ok(current)
    }

    /// Whether the current version may be replaced, and an absent record be made. Nobody replaces what they do not see, even where it
    /// is only seeing that is closed to them: a patient may deny one and not the other.
    pub(crate) fn may_update(
        &self,
        permit: &Permit<Update>,
        current: Option<&Stored>,
        precondition: Precondition,
    ) -> Result<(), Refusal> {
        let seen = sight(permit.caller(), kind_of(permit)?);
        let is_seen = |facts: &RecordFacts<'_>| permit.admits(facts) && seen.admits(facts);
        let current = current.filter(|current| is_seen(&current.head.facts()));
        let if_match = match precondition {
            Precondition::None => None,
            Precondition::Match(version) => Some(version),
            Precondition::Absent if current.is_some_and(|current| !current.deleted) => {
                let what = "the record is there already; nothing was stored";
                let concerns = current.map_or(&[][..], |current| &current.head.patients);
                return Err(Refusal::new(ErrorKind::LostUpdate, "If-None-Match", what).about(concerns));
            }
            Precondition::Absent => None,
        };
        match current {
            Some(current) => current_is(current, if_match),
            None if if_match.is_some() => Err(lost_update()),
            // Were a new record made under an id that is free, it would tell that the ids of hidden records are not.
            None if self.policy().client_ids == ClientIds::Refused
                || !permit.restriction().is_none()
                || !seen.is_none() =>
            {
                Err(Refusal::new(
                    ErrorKind::Method,
                    "id",
                    "there is no such record, and this server does not take ids from callers; POST makes a record",
                ))
            }
            None => Ok(()),
        }
    }
}

/// Refuses a version that is no longer current (RFC 9110 §13.1.1).
pub(crate) fn current_is(current: &Stored, if_match: Option<Version>) -> Result<(), Refusal> {
    if if_match.is_some_and(|wanted| wanted != current.version) {
        return Err(lost_update().about(&current.head.patients));
    }
    Ok(())
}

pub(crate) fn lost_update() -> Refusal {
    Refusal::new(ErrorKind::LostUpdate, "If-Match", "somebody changed the record since you read it; nothing was stored")
}

pub(crate) fn contended() -> Refusal {
    Refusal::new(
        ErrorKind::Conflict,
        "",
        "too many others are changing the same records; nothing was stored, try again",
    )
}

/// What the caller is told of a write, as the caller may see it.
pub(crate) fn written(write: &Write, at: Timestamp, caller: &Caller) -> Result<Written, Refusal> {
    Ok(Written {
        kind: write.kind,
        id: write.id.clone(),
        version: write.version,
        at,
        outcome: write.op.into(),
        body: write.seen_by(caller)?,
        patients: write.everybody(),
    })
}

/// A record that was found instead of being written.
pub(crate) fn existing(found: Stored) -> Written {
    Written {
        kind: found.kind,
        id: found.id,
        version: found.version,
        at: found.at,
        outcome: Outcome::Existed,
        body: Vec::new(),
        patients: found.head.patients,
    }
}

impl From<crate::plan::Op> for Outcome {
    fn from(op: crate::plan::Op) -> Self {
        match op {
            crate::plan::Op::Create => Self::Created,
            crate::plan::Op::Update => Self::Updated,
            crate::plan::Op::Delete => Self::Deleted,
        }
    }
}
