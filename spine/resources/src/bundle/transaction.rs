//! A transaction: every entry or none, in one commit; what reads is carried out when that is durable.

use std::collections::HashSet;
use std::sync::Arc;

use iris_access::Caller;
use iris_audit::Action as AuditAction;
use iris_fhir::Resource;
use iris_fhir::reference::{Reference, references};
use iris_kernel::limits::FAULTS_MAX;
use iris_kernel::{ErrorKind, Fault, Kind, Timestamp, Version};
use iris_search::extract;
use iris_store::CommitError;
use iris_validation::Valid;

use crate::bundle::batch::{Batched, EntryOutcome, Room};
use crate::bundle::called::Called;
use crate::bundle::input::{BundleInput, EntryInput};
use crate::bundle::overlap::Meaning;
use crate::bundle::resolve::{Ids, Resolution};
use crate::bundle::steps::{By, Putting, Step, Whole, turn};
use crate::lookups::Trail;
use crate::mask;
use crate::plan::{Plan, change_event};
use crate::refusal::Refusal;
use crate::trail::Who;
use crate::write::{Written, contended, existing, written};
use crate::{Records, ReferencePolicy};

/// How often a transaction is planned anew after another change came first.
const ATTEMPTS_MAX: usize = 16;

/// What an entry came to.
#[derive(Debug)]
pub(crate) enum Done {
    /// It is written, or was there.
    Wrote(Written),
    /// What its criteria matched is deleted.
    Deleted(Vec<Written>),
    /// It is yet to be read.
    Look,
}

/// A transaction worked out, not yet committed.
pub(crate) struct Worked {
    pub(crate) plan: Plan,
    /// One for each entry, in the order sent.
    pub(crate) outcomes: Vec<Done>,
    pub(crate) at: Timestamp,
}

impl Records {
    /// Carries out a transaction. The heavy part runs on a thread that may block. What reads sees what the others have written; were
    /// that changed by somebody else before it is read, its outcome says so.
    ///
    /// # Errors
    /// Every faulty entry by name; nothing was stored then.
    pub async fn transaction(&self, caller: Arc<Caller>, input: BundleInput) -> Result<Batched, Refusal> {
        // What is logged over there belongs to this request as well.
        let (records, span) = (self.clone(), tracing::Span::current());
        let (here, input) = (caller.clone(), Arc::new(input));
        let sent = input.clone();
        let work = move || span.in_scope(|| records.transaction_blocking(&here, &sent));
        let done = tokio::task::spawn_blocking(work).await.map_err(|e| {
            Refusal::caused(ErrorKind::Internal, "the transaction was broken off; nothing was stored", e)
        })??;
        let who = Who::caller(&caller);
        let mut batched = Batched::default();
        let mut room = Room::new();
        for (entry, done) in input.entries.iter().zip(done) {
            let mut trail = Trail::default();
            let outcome = match done {
                Done::Wrote(written) => Ok(EntryOutcome::Written(written)),
                Done::Deleted(all) => Ok(EntryOutcome::Deleted(all)),
                Done::Look => {
                    let looked = self.look(&caller, &entry.request, &mut room, &mut trail).await;
                    self.write_down(&who, &trail).await?;
                    looked
                }
            };
            batched.take(outcome, &mut trail);
        }
        Ok(batched)
    }

    /// What a transaction writes, on the calling thread.
    fn transaction_blocking(&self, caller: &Arc<Caller>, input: &BundleInput) -> Result<Vec<Done>, Refusal> {
        let who = Who::caller(caller);
        for _ in 0..ATTEMPTS_MAX {
            let mut trail = Trail::default();
            let worked = self.work_out(caller, &who, input, Ids::Fresh, &mut trail);
            self.write_down_blocking(&who, &trail)?;
            let Worked { plan, outcomes, at } = worked?;
            if plan.writes.is_empty() {
                let _receipt =
                    self.audit.record_blocking(&change_event(&plan, &who, at, Some(AuditAction::PhiTransaction)))?;
                return Ok(outcomes);
            }
            match self.write_set(plan, &who, at, Some(AuditAction::PhiTransaction))?.commit_blocking() {
                Ok(committed) => {
                    let _receipt = self.audit.receipt(&committed);
                    return Ok(outcomes);
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
        let at = self.clock.now();
        let mut order: Vec<(usize, &EntryInput)> = input.entries.iter().enumerate().collect();
        order.sort_by_key(|(_, entry)| turn(&entry.request));
        let mut steps = Vec::with_capacity(input.entries.len());
        let called = Called::of(&input.entries);
        for (index, entry) in order {
            let step = called
                .by_none(&entry.request)
                .and_then(|()| self.step(caller, entry, (ids, at), resolution, &mut plan));
            if let Some(step) = gathered.take(index, step)? {
                steps.push((index, step));
            }
        }
        gathered.refuse()?;
        steps.sort_by_key(|(index, _)| *index);
        self.prepare(who, &steps, at, resolution);
        let mut gathered = Gathered::default();
        let mut outcomes = Vec::with_capacity(steps.len());
        let mut touched = HashSet::new();
        let mut meanings = Vec::new();
        for (index, mut step) in steps {
            if let Step::Put(putting) = &mut step
                && let Some(criteria) = putting.criteria.take()
            {
                meanings.push(Meaning { index, id: putting.id.clone(), criteria: *criteria });
            }
            let outcome = self.carry_out(caller, step, at, resolution, &mut touched, &mut plan);
            outcomes.extend(gathered.take(index, outcome)?);
        }
        for (index, refusal) in self.overlaps(caller, &meanings, &plan, resolution)? {
            gathered.take::<()>(index, Err(refusal))?;
        }
        gathered.refuse()?;
        Ok(Worked { plan, outcomes, at })
    }

    /// Makes what the bundle writes known to its conditional references.
    fn prepare(&self, who: &Who, steps: &[(usize, Step<'_>)], at: Timestamp, resolution: &mut Resolution) {
        let puts =
            || steps.iter().filter_map(|(_, step)| if let Step::Put(putting) = step { Some(putting) } else { None });
        let mut wanted = HashSet::new();
        for putting in puts() {
            // Most resources have no conditional reference, and their bytes show it.
            if putting.resource.json().text().contains(&b'?') {
                wanted.extend(references(&putting.resource).into_iter().filter_map(|(_, reference)| match reference {
                    Reference::Conditional { kind, .. } => Some(kind),
                    _ => None,
                }));
            }
        }
        if wanted.is_empty() {
            return;
        }
        for putting in puts().filter(|putting| wanted.contains(&putting.resource.kind())) {
            let kind = putting.resource.kind();
            resolution.touched.insert(self.store.record_id(who.tenant, kind, &putting.id));
            let document = extract(&putting.resource, at);
            resolution.pending.entry(kind).or_default().push((putting.id.clone(), document));
        }
        resolution.touched.extend(resolution.gone.iter().copied());
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
    ) -> Result<Done, Refusal> {
        let mut touch = |kind: Kind, id: &str| {
            let what = "another entry changes the same record";
            let is_new = touched.insert((kind, id.to_owned()));
            if is_new { Ok(()) } else { Err(Refusal::new(ErrorKind::Invalid, "", what)) }
        };
        match step {
            Step::Found(found) => {
                plan.found.push((found.versioned_reference(), found.head.patients.clone()));
                Ok(Done::Wrote(existing(*found)))
            }
            Step::Twin(kind, id) => Ok(Done::Wrote(twin(kind, id, at))),
            Step::Look => Ok(Done::Look),
            Step::Delete(found, whole) => {
                let mut done = Vec::with_capacity(found.len());
                for current in found {
                    touch(current.kind, &current.id)?;
                    if current.deleted {
                        plan.found.push((current.versioned_reference(), current.head.patients.clone()));
                        done.push(existing(current));
                        continue;
                    }
                    resolution.trail.may_replace(caller, Some(&current), None)?;
                    let write = self.plan_delete(&current)?;
                    done.push(written(&write, at, caller)?);
                    plan.writes.push(write);
                }
                match (whole, done.pop()) {
                    (Whole::Yes, Some(one)) => Ok(Done::Wrote(one)),
                    (_, last) => {
                        done.extend(last);
                        Ok(Done::Deleted(done))
                    }
                }
            }
            Step::Put(putting) => {
                touch(putting.resource.kind(), &putting.id)?;
                self.put(caller, *putting, at, resolution, plan).map(Done::Wrote)
            }
        }
    }

    fn put(
        &self,
        caller: &Arc<Caller>,
        putting: Putting<'_>,
        at: Timestamp,
        resolution: &mut Resolution,
        plan: &mut Plan,
    ) -> Result<Written, Refusal> {
        let Putting { resource, full_url, id, before, permit, standing, .. } = putting;
        let resource: &Valid = &resource;
        let below = |refusal: Refusal| refusal.below("/resource");
        let resolved = self.resolve(caller, resource, (full_url, standing.as_ref()), resolution).map_err(below)?;
        let last: &Resource = resolved.as_ref().unwrap_or(resource);
        let before = before.as_ref();
        let kept = match standing {
            Some(_) => None,
            None => mask::with_unseen(caller, before, last).map_err(below)?,
        };
        let last = kept.as_ref().unwrap_or(last);
        let trail = &mut resolution.trail;
        trail.may_replace(caller, before, Some(last))?;
        let write = self.plan_create(caller, last, id, at, before, trail)?;
        match &permit {
            By::Create(permit) => {
                trail.may_be(permit, &write)?;
                plan.writes.extend(self.plan_care_relation(permit, &write, at)?);
            }
            By::Update(permit) => trail.may_be(permit, &write)?,
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
