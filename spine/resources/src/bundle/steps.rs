//! The first pass of a transaction: who may, what is there, what will each entry be called.

use std::borrow::Cow;
use std::sync::Arc;

use iris_access::{Caller, Create, Delete, Permit, Read, Update, VersionRead};
use iris_fhir::Resource;
use iris_kernel::{ErrorKind, Kind, Timestamp, Version};
use iris_validation::Valid;

use crate::Records;
use crate::bundle::batch::unconditional;
use crate::bundle::input::{EntryInput, Request, Whose};
use crate::bundle::resolve::{Ids, Naming, Resolution};
use crate::change::{Fresh, Meant};
use crate::conditional::Criteria;
use crate::patch::Patch;
use crate::plan::Plan;
use crate::refusal::Refusal;
use crate::stored::Stored;
use crate::write::{Precondition, contended, lost_update};

/// How often a record that criteria stand for is looked for anew because it was changed meanwhile.
const LOOKS_MAX: usize = 4;

/// An entry on its way from what was sent to what is written.
pub(crate) enum Step<'a> {
    /// A record to be made or replaced.
    Put(Box<Putting<'a>>),
    /// Records to be deleted; of criteria, which may match several or none.
    Delete(Vec<Stored>, Whole),
    /// Nothing to write: the record is there.
    Found(Box<Stored>),
    /// Nothing to write: another entry makes it.
    Twin(Kind, String),
    /// Nothing to write: it reads.
    Look,
}

/// A record to be made or replaced.
pub(crate) struct Putting<'a> {
    pub(crate) resource: Cow<'a, Valid>,
    pub(crate) full_url: Option<&'a str>,
    pub(crate) id: String,
    pub(crate) before: Option<Stored>,
    pub(crate) permit: By,
    /// The criteria that stand for it.
    pub(crate) criteria: Option<Box<Criteria>>,
    /// The record as it stood, where a patch made the resource of it: what the resource leaves out is to go then.
    pub(crate) standing: Option<Resource>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whole {
    Yes,
    No,
}

/// With what a record is made or replaced.
pub(crate) enum By {
    Create(Permit<Create>),
    Update(Permit<Update>),
}

/// The order in which the entries of a transaction are carried out (R4 http.html#3.1.0.11.2).
pub(crate) const fn turn(request: &Request) -> u8 {
    match request {
        Request::Faulty(_) | Request::Delete { .. } => 0,
        Request::Create { .. } => 1,
        Request::Update { .. } | Request::Patch { .. } => 2,
        Request::Read { .. } | Request::Search { .. } => 3,
    }
}

impl Records {
    /// First pass, in the order of the specification: who may, what is there, what will it be called.
    pub(crate) fn step<'a>(
        &self,
        caller: &Arc<Caller>,
        entry: &'a EntryInput,
        (ids, at): (Ids, Timestamp),
        resolution: &mut Resolution,
        plan: &mut Plan,
    ) -> Result<Step<'a>, Refusal> {
        let full_url = entry.full_url.as_deref();
        if full_url.is_some_and(|url| resolution.has_name(url)) {
            return Err(Refusal::new(ErrorKind::Invalid, "/fullUrl", "stands at an earlier entry too"));
        }
        match &entry.request {
            Request::Create { resource, if_none_exist } => {
                self.step_create(caller, (resource, full_url), if_none_exist.as_deref(), ids, resolution, plan)
            }
            Request::Update { whose, resource, precondition } => {
                let permit = resolution.trail.permit(caller, Update, resource.kind())?;
                resolution.trail.may_write(&permit, resource)?;
                self.step_update(permit, (resource, full_url), whose, *precondition, resolution, plan)
            }
            Request::Patch { kind, whose, patch, if_match } => {
                let permit = resolution.trail.permit(caller, Update, *kind)?;
                self.step_patch(permit, (patch, full_url), whose, (*if_match).into(), at, resolution)
            }
            Request::Delete { kind, whose, if_match } => {
                self.step_delete(caller, (*kind, whose), *if_match, resolution)
            }
            Request::Faulty(refusal) => Err(refusal.again()),
            Request::Read { kind, id, version, .. } => {
                if version.is_some() {
                    resolution.trail.permit(caller, VersionRead, *kind)?;
                } else {
                    resolution.trail.permit(caller, Read, *kind)?;
                    if !self.present(caller, *kind, id, &mut resolution.known)? {
                        return Err(Refusal::not_found());
                    }
                }
                Ok(Step::Look)
            }
            Request::Search { kind, criteria, .. } => {
                self.search_of(caller, *kind, criteria, &mut resolution.trail)?;
                Ok(Step::Look)
            }
        }
    }

    fn step_create<'a>(
        &self,
        caller: &Arc<Caller>,
        (resource, full_url): (&'a Valid, Option<&'a str>),
        if_none_exist: Option<&str>,
        ids: Ids,
        resolution: &mut Resolution,
        plan: &mut Plan,
    ) -> Result<Step<'a>, Refusal> {
        let kind = resource.kind();
        let permit = resolution.trail.permit(caller, Create, kind)?;
        resolution.trail.may_write(&permit, resource)?;
        let kept = if ids == Ids::Kept { resource.id() } else { None };
        let own = kept.map_or_else(|| self.entropy.uuid().to_string(), Cow::into_owned);
        let (id, criteria) = match self.name_entry(caller, resource, if_none_exist, own, resolution)? {
            Naming::New(id) => (id, None),
            Naming::Claimed(id, condition, criteria) => {
                plan.conditions.extend(condition);
                (id, Some(criteria))
            }
            Naming::Found(found) => {
                resolution.name(full_url, resource, &found.id, found.version);
                return Ok(Step::Found(found));
            }
            Naming::Twin(id) => {
                resolution.name(full_url, resource, &id, Version::FIRST);
                return Ok(Step::Twin(kind, id));
            }
        };
        resolution.name(full_url, resource, &id, Version::FIRST);
        resolution.trail.begin(kind, &id);
        let (resource, permit) = (Cow::Borrowed(resource), By::Create(permit));
        let putting = Putting { resource, full_url, id, before: None, permit, criteria, standing: None };
        Ok(Step::Put(Box::new(putting)))
    }

    fn step_update<'a>(
        &self,
        permit: Permit<Update>,
        (resource, full_url): (&'a Valid, Option<&'a str>),
        whose: &Whose,
        precondition: Precondition,
        resolution: &mut Resolution,
        plan: &mut Plan,
    ) -> Result<Step<'a>, Refusal> {
        let (kind, caller) = (resource.kind(), permit.caller().clone());
        let criteria = match whose {
            Whose::Id(_) => None,
            Whose::Criteria(text) => Some(Box::new(self.criteria_in_url(&permit, text)?)),
        };
        let (id, before, by) = match (whose, &criteria) {
            (Whose::Id(id), _) => (id.clone(), self.current(permit.tenant(), kind, id)?, By::Update(permit)),
            (Whose::Criteria(_), None) => return Err(Refusal::not_found()),
            (Whose::Criteria(_), Some(criteria)) => {
                let given = resource.id();
                match self.meant_now(&permit, criteria, given.as_deref(), resolution)? {
                    Meant::There(stored) => (stored.id.clone(), Some(*stored), By::Update(permit)),
                    Meant::Moved => return Err(contended()),
                    Meant::New(fresh) => {
                        let Fresh { id, is_given, before, condition } = *fresh;
                        let named = condition.as_ref().map(|condition| (kind, condition.criteria.clone()));
                        if named.is_some_and(|key| resolution.created.insert(key, id.clone()).is_some()) {
                            let what = "an earlier entry makes the record that these criteria stand for";
                            return Err(Refusal::new(ErrorKind::Invalid, "/request/url", what));
                        }
                        plan.conditions.extend(condition);
                        match precondition {
                            _ if is_given => (id, before, By::Update(permit)),
                            Precondition::Match(_) => return Err(lost_update()),
                            _ => (id, None, By::Create(resolution.trail.permit(&caller, Create, kind)?)),
                        }
                    }
                }
            }
        };
        if let By::Update(permit) = &by {
            resolution.trail.may_change(permit, before.as_ref())?;
            self.may_update(permit, before.as_ref(), precondition)?;
        }
        let version = before.as_ref().map_or(Version::FIRST, |before| before.version.next());
        resolution.name(full_url, resource, &id, version);
        if before.is_none() {
            resolution.trail.begin(kind, &id);
        }
        let resource = Cow::Borrowed(resource);
        let putting = Putting { resource, full_url, id, before, permit: by, criteria, standing: None };
        Ok(Step::Put(Box::new(putting)))
    }

    fn step_patch<'a>(
        &self,
        permit: Permit<Update>,
        (patch, full_url): (&Patch, Option<&'a str>),
        whose: &Whose,
        precondition: Precondition,
        at: Timestamp,
        resolution: &mut Resolution,
    ) -> Result<Step<'a>, Refusal> {
        let kind = crate::read::kind_of(&permit)?;
        let (before, criteria) = match whose {
            Whose::Id(id) => (self.current(permit.tenant(), kind, id)?, None),
            Whose::Criteria(text) => {
                let criteria = self.criteria_in_url(&permit, text)?;
                let before = match self.meant_now(&permit, &criteria, None, resolution)? {
                    Meant::There(stored) => Some(*stored),
                    Meant::New(_) | Meant::Moved => None,
                };
                (before, Some(Box::new(criteria)))
            }
        };
        resolution.trail.may_change(&permit, before.as_ref())?;
        self.changeable(&permit, before.as_ref())?;
        self.may_update(&permit, before.as_ref(), precondition)?;
        let current = before.as_ref().ok_or_else(Refusal::not_found)?;
        let changed = self.changed(permit.caller(), current, patch, at);
        let (made, standing) = changed.map_err(|refusal| refusal.below("/resource"))?;
        resolution.trail.may_write(&permit, &made)?;
        let id = current.id.clone();
        resolution.name(full_url, &made, &id, current.version.next());
        let (resource, permit, standing) = (Cow::Owned(made), By::Update(permit), Some(standing));
        Ok(Step::Put(Box::new(Putting { resource, full_url, id, before, permit, criteria, standing })))
    }

    fn step_delete<'a>(
        &self,
        caller: &Arc<Caller>,
        (kind, whose): (Kind, &Whose),
        if_match: Option<Version>,
        resolution: &mut Resolution,
    ) -> Result<Step<'a>, Refusal> {
        let permit = resolution.trail.permit(caller, Delete, kind)?;
        let (found, whole) = match whose {
            Whose::Id(id) => (vec![self.deletable(&permit, kind, id, if_match)?], Whole::Yes),
            Whose::Criteria(text) => {
                unconditional(if_match)?;
                let criteria = self.criteria(caller, kind, text).map_err(|refusal| refusal.below("/request/url"))?;
                let mut found = None;
                for _ in 0..LOOKS_MAX {
                    found = self.deleted_by(&permit, &criteria, &mut resolution.trail)?;
                    if found.is_some() {
                        break;
                    }
                }
                (found.ok_or_else(contended)?, Whole::No)
            }
        };
        for stored in &found {
            resolution.known.remove(kind, stored.id.clone());
            resolution.gone.insert(self.store.record_id(caller.tenant, kind, &stored.id));
        }
        Ok(Step::Delete(found, whole))
    }

    fn criteria_in_url(&self, permit: &Permit<Update>, text: &str) -> Result<Criteria, Refusal> {
        let kind = crate::read::kind_of(permit)?;
        self.criteria(permit.caller(), kind, text).map_err(|refusal| refusal.below("/request/url"))
    }

    /// The record that the criteria of an entry stand for, when what is deleted is gone.
    fn meant_now(
        &self,
        permit: &Permit<Update>,
        criteria: &Criteria,
        given: Option<&str>,
        resolution: &mut Resolution,
    ) -> Result<Meant, Refusal> {
        for _ in 0..LOOKS_MAX {
            let Resolution { gone, trail, .. } = resolution;
            match self.meant(permit, criteria, (given, gone), trail)? {
                Meant::Moved => {}
                meant => return Ok(meant),
            }
        }
        Ok(Meant::Moved)
    }
}
