//! Replacing one record: with what was sent, or with what a change makes of it; under its id, or under criteria that stand for it.

use std::sync::Arc;

use iris_access::{Caller, Create, Permit, Update, sight};
use iris_fhir::Resource;
use iris_kernel::{ErrorKind, Timestamp};
use iris_validation::Valid;

use crate::conditional::{Criteria, Gone};
use crate::lookups::Trail;
use crate::plan::{Condition, Plan, Write};
use crate::read::kind_of;
use crate::refusal::Refusal;
use crate::stored::Stored;
use crate::trail::Who;
use crate::veil::Veiled;
use crate::write::{ATTEMPTS_MAX, Commit, Precondition, Written, contended, lost_update, written};
use crate::{Records, ReferencePolicy, mask};

/// Which record is to be changed.
#[derive(Clone, Copy, Debug)]
pub enum Which<'a> {
    /// The one with this id.
    Id(&'a str),
    /// The one that the criteria stand for (R4 http.html#cond-update).
    Criteria(&'a Criteria),
}

/// Makes another resource of a resource: a patch, a change of its labels.
pub trait Change: Send + Sync {
    /// The resource as it is to be.
    ///
    /// # Errors
    /// Everything for which it cannot be done.
    fn apply(&self, before: &Resource, now: Timestamp) -> Result<Resource, Refusal>;
}

/// What is to stand in the place of a record.
#[derive(Clone, Copy)]
pub enum Content<'a> {
    /// This, from somebody who may not see all of the record: identifiers that they see masked stay where they are left out.
    Sent(&'a Valid),
    /// This, made from all of the record ([`Stored::whole`]): what it leaves out is to go.
    Whole(&'a Valid),
    /// What a change makes of it. There must be one. Of what its caller does not see, nothing is shown to the change, and nothing is
    /// lost by it.
    Changed(&'a dyn Change),
}

/// One request to change a record.
struct Asked<'a> {
    which: Which<'a>,
    content: Content<'a>,
    precondition: Precondition,
    references: ReferencePolicy,
}

/// A change, worked out.
pub(crate) struct Planned {
    pub(crate) write: Write,
    /// What goes with a record that is new.
    pub(crate) beside: Option<Write>,
    /// The claim on the criteria under which it is made.
    pub(crate) condition: Option<Condition>,
}

/// What is to be made because criteria stand for nothing.
pub(crate) struct Fresh {
    pub(crate) id: String,
    /// Whether the caller has given the id.
    pub(crate) is_given: bool,
    /// The record with that id, which was deleted.
    pub(crate) before: Option<Stored>,
    /// The claim on the criteria.
    pub(crate) condition: Option<Condition>,
}

/// The record that criteria stand for.
pub(crate) enum Meant {
    /// This one, which is there.
    There(Box<Stored>),
    /// None yet: one is to be made.
    New(Box<Fresh>),
    /// It was changed while it was looked for.
    Moved,
}

impl Records {
    /// Replaces a record, or changes it as it is when it is written. Where there is none under the caller's id, it is made if the policy
    /// allows that; where criteria stand for none, under the id that the resource has or under one of ours (R4 3.1.0.4.3). Of parallel
    /// requests with the same criteria one makes it. What a change makes is validated.
    ///
    /// # Errors
    /// As [`Records::create`]; a version in `precondition` that is not the current one is a lost update; a masked copy of the record;
    /// criteria that match several records; an id in the resource that is not that of the record they stand for; what a change says.
    pub async fn update(
        &self,
        permit: &Permit<Update>,
        which: Which<'_>,
        content: Content<'_>,
        precondition: Precondition,
        references: Option<ReferencePolicy>,
    ) -> Result<Written, Refusal> {
        let who = Who::caller(permit.caller());
        let asked = Asked { which, content, precondition, references: references.unwrap_or(self.policy().references) };
        if let Content::Sent(resource) | Content::Whole(resource) = content {
            self.labels_allowed(permit, resource).await?;
            self.references_allowed(permit.caller(), resource, references)?;
        }
        for _ in 0..ATTEMPTS_MAX {
            let at = self.clock.now();
            let mut trail = Trail::default();
            let planned = self.plan_change(permit, &asked, at, &mut trail);
            self.write_down(&who, &trail).await?;
            let Some(Planned { write, beside, condition }) = planned? else { continue };
            let written = written(&write, at, permit.caller())?;
            let mut plan = Plan { writes: vec![write], ..Plan::default() };
            plan.writes.extend(beside);
            plan.conditions.extend(condition);
            if self.commit(self.write_set(plan, &who, at, None)?).await? == Commit::Done {
                return Ok(written);
            }
        }
        Err(contended())
    }

    /// Works a change out; nothing where the record was changed while it was looked for.
    fn plan_change(
        &self,
        permit: &Permit<Update>,
        asked: &Asked<'_>,
        at: Timestamp,
        trail: &mut Trail,
    ) -> Result<Option<Planned>, Refusal> {
        let kind = kind_of(permit)?;
        let (id, current, condition) = match asked.which {
            Which::Id(id) => (id.to_owned(), self.current(permit.tenant(), kind, id)?, None),
            Which::Criteria(criteria) => {
                let given = match asked.content {
                    Content::Sent(resource) | Content::Whole(resource) => resource.id(),
                    Content::Changed(_) => None,
                };
                match self.meant(permit, criteria, (given.as_deref(), &Gone::new()), trail)? {
                    Meant::Moved => return Ok(None),
                    Meant::There(stored) => (stored.id.clone(), Some(*stored), None),
                    Meant::New(fresh) if !fresh.is_given => {
                        let Fresh { id, condition, .. } = *fresh;
                        let (Content::Sent(resource) | Content::Whole(resource)) = asked.content else {
                            return Err(Refusal::not_found());
                        };
                        if matches!(asked.precondition, Precondition::Match(_)) {
                            return Err(lost_update());
                        }
                        let create = trail.permit(permit.caller(), Create, kind)?;
                        let (write, beside) = self.plan_new(&create, resource, id, at, trail)?;
                        return Ok(Some(Planned { write, beside, condition }));
                    }
                    Meant::New(fresh) => (fresh.id, fresh.before, fresh.condition),
                }
            }
        };
        let current = current.as_ref();
        trail.may_change(permit, current)?;
        if let Content::Changed(_) = asked.content {
            self.changeable(permit, current)?;
        }
        self.may_update(permit, current, asked.precondition)?;
        let write = match asked.content {
            Content::Sent(resource) => {
                let kept = mask::with_unseen(permit.caller(), current, resource)?;
                self.plan_next(permit, kept.as_ref().unwrap_or(resource), &id, at, current, trail)?
            }
            Content::Whole(resource) => self.plan_next(permit, resource, &id, at, current, trail)?,
            Content::Changed(change) => {
                let before = current.ok_or_else(Refusal::not_found)?;
                let (resource, standing) = self.changed(permit.caller(), before, change, at)?;
                trail.may_write(permit, &resource)?;
                self.check_new_references(permit.caller(), &resource, Some(&standing), asked.references)?;
                self.plan_next(permit, &resource, &id, at, current, trail)?
            }
        };
        Ok(Some(Planned { write, beside: None, condition }))
    }

    /// Plans what stands in the place of a record.
    pub(crate) fn plan_next(
        &self,
        permit: &Permit<Update>,
        resource: &Resource,
        id: &str,
        at: Timestamp,
        before: Option<&Stored>,
        trail: &mut Trail,
    ) -> Result<Write, Refusal> {
        trail.may_replace(permit.caller(), before, Some(resource))?;
        let write = self.plan_create(permit.caller(), resource, id.to_owned(), at, before, trail)?;
        trail.may_be(permit, &write)?;
        Ok(write)
    }

    /// What a change makes of a record, valid, and the record as it stood; what its caller does not see is neither shown to the change
    /// nor lost.
    pub(crate) fn changed(
        &self,
        caller: &Caller,
        before: &Stored,
        change: &dyn Change,
        now: Timestamp,
    ) -> Result<(Valid, Resource), Refusal> {
        let standing = before.whole()?;
        let resource = match Veiled::of(caller, before, &standing, self.entropy.as_ref())? {
            None => change.apply(&standing, now)?,
            Some(veiled) => veiled.lifted(&change.apply(veiled.resource(), now)?)?,
        };
        let valid = Valid::check(resource).map_err(|(_, faults)| Refusal::with(ErrorKind::Invalid, faults))?;
        Ok((valid, standing))
    }

    /// Refuses to change what is not there, or not for this caller.
    pub(crate) fn changeable(&self, permit: &Permit<Update>, current: Option<&Stored>) -> Result<(), Refusal> {
        let seen = sight(permit.caller(), kind_of(permit)?);
        let current = current.filter(|current| {
            let facts = current.head.facts();
            permit.admits(&facts) && seen.admits(&facts)
        });
        match current {
            None => Err(Refusal::not_found()),
            Some(gone) if gone.deleted => {
                Err(Refusal::new(ErrorKind::Gone, "", "the record was deleted").about(&gone.head.patients))
            }
            Some(_) => Ok(()),
        }
    }

    /// Looks for the record that criteria stand for, beside those that the write under way deletes. `given` is the id that the caller has given to it.
    pub(crate) fn meant(
        &self,
        permit: &Permit<Update>,
        criteria: &Criteria,
        (given, gone): (Option<&str>, &Gone),
        trail: &mut Trail,
    ) -> Result<Meant, Refusal> {
        let caller: &Arc<Caller> = permit.caller();
        let kind = kind_of(permit)?;
        let id = given.map_or_else(|| self.entropy.uuid().to_string(), str::to_owned);
        let found = match self.conditional(caller, criteria, (&id, gone), trail)? {
            Ok(found) => found,
            Err(condition) => {
                let mut fresh = Fresh { id, is_given: given.is_some(), before: None, condition };
                if fresh.is_given {
                    fresh.before = self.current(permit.tenant(), kind, &fresh.id)?;
                    let seen = sight(caller, kind);
                    if fresh.before.as_ref().is_some_and(|it| !it.deleted && seen.admits(&it.head.facts())) {
                        let what = "the record with this id is another one than the criteria stand for";
                        return Err(Refusal::new(ErrorKind::Conflict, "/id", what));
                    }
                }
                return Ok(Meant::New(Box::new(fresh)));
            }
        };
        if given.is_some_and(|given| given != found.id) {
            let what = "is not the id of the record that the criteria stand for";
            return Err(Refusal::new(ErrorKind::Malformed, "/id", what).about(&found.head.patients));
        }
        // The index may be a moment behind: what is replaced must be what was found.
        let current = self.current(permit.tenant(), kind, &found.id)?;
        Ok(current.filter(|current| current.seq == found.seq).map_or(Meant::Moved, |it| Meant::There(Box::new(it))))
    }
}
