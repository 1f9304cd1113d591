//! A transaction: every entry or none, in one commit.

use std::collections::HashSet;
use std::sync::Arc;

use iris_access::{Caller, Create, Delete, Permit, Update};
use iris_audit::Action as AuditAction;
use iris_fhir::Resource;
use iris_kernel::limits::FAULTS_MAX;
use iris_kernel::{ErrorKind, Fault, Kind, Timestamp, Version};
use iris_store::CommitError;
use iris_validation::Valid;

use crate::bundle::batch::EntryOutcome;
use crate::bundle::input::{BundleInput, EntryInput, Request};
use crate::bundle::resolve::{Ids, Naming, Resolution};
use crate::lookups::Trail;
use crate::mask;
use crate::plan::{Plan, change_event};
use crate::refusal::Refusal;
use crate::stored::Stored;
use crate::trail::Who;
use crate::write::{Written, contended, existing, written};
use crate::{Records, ReferencePolicy};

/// How often a transaction is planned anew after another change came first.
const ATTEMPTS_MAX: usize = 4;

/// An entry on its way from what was sent to what is written.
enum Step<'a> {
    /// A record to be made or replaced.
    Put { resource: &'a Valid, full_url: Option<&'a str>, id: String, before: Option<Box<Stored>>, permit: Putting },
    /// A record to be deleted.
    Delete(Box<Stored>),
    /// Nothing to write: the record is there.
    Found(Box<Stored>),
    /// Nothing to write: another entry makes it.
    Twin(Kind, String),
}

/// With what a record is made or replaced.
enum Putting {
    Create(Permit<Create>),
    Update(Permit<Update>),
}

/// A transaction worked out, not yet committed.
pub(crate) struct Worked {
    pub(crate) plan: Plan,
    /// One answer per entry, in the order sent.
    pub(crate) outcomes: Vec<Written>,
    pub(crate) at: Timestamp,
}

impl Records {
    /// Carries out a transaction. The heavy part runs on a thread that may block.
    ///
    /// # Errors
    /// Every faulty entry by name; nothing was stored then.
    pub async fn transaction(&self, caller: Arc<Caller>, input: BundleInput) -> Result<Vec<EntryOutcome>, Refusal> {
        // What is logged over there belongs to this request as well.
        let (records, span) = (self.clone(), tracing::Span::current());
        let work = move || span.in_scope(|| records.transaction_blocking(&caller, &input));
        tokio::task::spawn_blocking(work).await.map_err(|e| {
            Refusal::caused(ErrorKind::Internal, "the transaction was broken off; nothing was stored", e)
        })?
    }

    /// [`Records::transaction`] on the calling thread.
    ///
    /// # Errors
    /// The same.
    pub fn transaction_blocking(
        &self,
        caller: &Arc<Caller>,
        input: &BundleInput,
    ) -> Result<Vec<EntryOutcome>, Refusal> {
        let who = Who::caller(caller);
        for _ in 0..ATTEMPTS_MAX {
            let mut trail = Trail::default();
            let worked = self.work_out(caller, &who, input, Ids::Fresh, &mut trail);
            self.write_down_blocking(&who, &trail)?;
            let Worked { plan, outcomes, at } = worked?;
            if plan.writes.is_empty() {
                let _receipt =
                    self.audit.record_blocking(&change_event(&plan, &who, at, Some(AuditAction::PhiTransaction)))?;
                return Ok(outcomes.into_iter().map(EntryOutcome::Written).collect());
            }
            match self.write_set(plan, &who, at, Some(AuditAction::PhiTransaction))?.commit_blocking() {
                Ok(committed) => {
                    let _receipt = self.audit.receipt(&committed);
                    return Ok(outcomes.into_iter().map(EntryOutcome::Written).collect());
                }
                Err(CommitError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(contended())
    }

    /// Names every entry, resolves every reference and plans every write.
    pub(crate) fn work_out(
        &self,
        caller: &Arc<Caller>,
        who: &Who,
        input: &BundleInput,
        ids: Ids,
        trail: &mut Trail,
    ) -> Result<Worked, Refusal> {
        let mut resolution = Resolution::new(ReferencePolicy::Checked);
        resolution.trail = std::mem::take(trail);
        let worked = self.work_out_with(caller, who, input, ids, &mut resolution);
        *trail = resolution.trail;
        worked
    }

    fn work_out_with(
        &self,
        caller: &Arc<Caller>,
        who: &Who,
        input: &BundleInput,
        ids: Ids,
        resolution: &mut Resolution,
    ) -> Result<Worked, Refusal> {
        let mut plan = Plan::default();
        let mut gathered = Gathered::default();
        let mut steps = Vec::with_capacity(input.entries.len());
        for (index, entry) in input.entries.iter().enumerate() {
            let step = self.step(caller, who, entry, ids, resolution, &mut plan);
            if let Some(step) = gathered.take(index, step)? {
                steps.push((index, step));
            }
        }
        gathered.refuse()?;
        let at = self.clock.now();
        let mut gathered = Gathered::default();
        let mut outcomes = Vec::with_capacity(steps.len());
        let mut touched = HashSet::new();
        for (index, step) in steps {
            let outcome = self.carry_out(caller, step, at, resolution, &mut touched, &mut plan);
            outcomes.extend(gathered.take(index, outcome)?);
        }
        gathered.refuse()?;
        Ok(Worked { plan, outcomes, at })
    }

    /// First pass: who may, what is there, what will it be called.
    fn step<'a>(
        &self,
        caller: &Arc<Caller>,
        who: &Who,
        entry: &'a EntryInput,
        ids: Ids,
        resolution: &mut Resolution,
        plan: &mut Plan,
    ) -> Result<Step<'a>, Refusal> {
        let full_url = entry.full_url.as_deref();
        if full_url.is_some_and(|url| resolution.has_name(url)) {
            return Err(Refusal::new(ErrorKind::Invalid, "/fullUrl", "stands at an earlier entry too"));
        }
        match &entry.request {
            Request::Create { resource, if_none_exist } => {
                let kind = resource.kind();
                let permit = resolution.trail.permit(caller, Create, kind)?;
                resolution.trail.may_write(&permit, resource)?;
                let kept = if ids == Ids::Kept { resource.id() } else { None };
                let own = kept.map_or_else(|| self.entropy.uuid().to_string(), std::borrow::Cow::into_owned);
                let naming = self.name_entry(caller, resource, if_none_exist.as_deref(), own, resolution)?;
                Ok(match naming {
                    Naming::New(id, condition) => {
                        resolution.name(full_url, kind, &id);
                        resolution.trail.begin(kind, &id);
                        plan.conditions.extend(condition);
                        Step::Put { resource, full_url, id, before: None, permit: Putting::Create(permit) }
                    }
                    Naming::Found(found) => {
                        resolution.name(full_url, kind, &found.id);
                        Step::Found(found)
                    }
                    Naming::Twin(id) => {
                        resolution.name(full_url, kind, &id);
                        Step::Twin(kind, id)
                    }
                })
            }
            Request::Update { id, resource, if_match } => {
                let permit = resolution.trail.permit(caller, Update, resource.kind())?;
                resolution.trail.may_write(&permit, resource)?;
                let before = self.current(who.tenant, resource.kind(), id)?;
                resolution.trail.may_change(&permit, before.as_ref())?;
                self.may_update(&permit, before.as_ref(), (*if_match).into())?;
                resolution.name(full_url, resource.kind(), id);
                if before.is_none() {
                    resolution.trail.begin(resource.kind(), id);
                }
                let before = before.map(Box::new);
                Ok(Step::Put { resource, full_url, id: id.clone(), before, permit: Putting::Update(permit) })
            }
            Request::Delete { kind, id, if_match } => {
                let permit = resolution.trail.permit(caller, Delete, *kind)?;
                let current = self.deletable(&permit, *kind, id, *if_match)?;
                resolution.known.remove(*kind, id.clone());
                Ok(if current.deleted { Step::Found(Box::new(current)) } else { Step::Delete(Box::new(current)) })
            }
            Request::Faulty(refusal) => Err(refusal.again()),
            Request::Read { .. } | Request::Search { .. } => {
                Err(Refusal::new(ErrorKind::NotSupported, "/request/method", "GET is not supported in a transaction"))
            }
        }
    }

    /// Second pass, when every entry has its name: references become final and the change is planned.
    fn carry_out(
        &self,
        caller: &Arc<Caller>,
        step: Step<'_>,
        at: Timestamp,
        resolution: &mut Resolution,
        touched: &mut HashSet<(Kind, String)>,
        plan: &mut Plan,
    ) -> Result<Written, Refusal> {
        let write = match step {
            Step::Found(found) => {
                plan.found.push((found.versioned_reference(), found.head.patients.clone()));
                return Ok(existing(*found));
            }
            Step::Twin(kind, id) => return Ok(twin(kind, id, at)),
            Step::Delete(current) => {
                resolution.trail.may_replace(caller, Some(&current), None)?;
                self.plan_delete(&current)?
            }
            Step::Put { resource, full_url, id, before, permit } => {
                let resolved = self
                    .resolve(caller, resource, full_url, resolution)
                    .map_err(|refusal| refusal.below("/resource"))?;
                let last: &Resource = resolved.as_ref().unwrap_or(resource);
                let kept =
                    mask::with_unseen(caller, before.as_deref(), last).map_err(|refusal| refusal.below("/resource"))?;
                let last = kept.as_ref().unwrap_or(last);
                let (before, trail) = (before.as_deref(), &mut resolution.trail);
                trail.may_replace(caller, before, Some(last))?;
                let write = self.plan_create(caller, last, id, at, before, trail)?;
                let beside = match &permit {
                    Putting::Create(permit) => {
                        trail.may_be(permit, &write)?;
                        self.plan_care_relation(permit, &write, at)?
                    }
                    Putting::Update(permit) => {
                        trail.may_be(permit, &write)?;
                        None
                    }
                };
                plan.writes.extend(beside);
                write
            }
        };
        if !touched.insert((write.kind, write.id.clone())) {
            return Err(Refusal::new(ErrorKind::Invalid, "", "an earlier entry changes the same record"));
        }
        let outcome = written(&write, at, caller)?;
        plan.writes.push(write);
        Ok(outcome)
    }
}

/// An entry whose record another one, with the same criteria, makes.
fn twin(kind: Kind, id: String, at: Timestamp) -> Written {
    let outcome = crate::write::Outcome::Existed;
    Written { kind, id, version: Version::FIRST, at, outcome, body: Vec::new(), patients: Vec::new() }
}

/// Faults of all entries, each below its entry; the kind of the first refusal stands for all.
#[derive(Default)]
struct Gathered {
    kind: Option<ErrorKind>,
    faults: Vec<Fault>,
}

impl Gathered {
    /// The value of an entry, or its faults noted. A failure that is not the caller's, or one fault too many, ends it at once.
    fn take<T>(&mut self, index: usize, result: Result<T, Refusal>) -> Result<Option<T>, Refusal> {
        let refusal = match result {
            Ok(value) => return Ok(Some(value)),
            Err(refusal) => refusal.below(&format!("/entry/{index}")),
        };
        if refusal.is_ours() {
            return Err(refusal);
        }
        self.kind.get_or_insert(refusal.kind);
        self.faults.extend(refusal.faults);
        if self.faults.len() >= FAULTS_MAX { self.refuse().map(|()| None) } else { Ok(None) }
    }

    fn refuse(&mut self) -> Result<(), Refusal> {
        match self.kind {
            None => Ok(()),
            Some(kind) => Err(Refusal::with(kind, std::mem::take(&mut self.faults))),
        }
    }
}
