//! From "what is wanted" to "what will be written": versions, ids, keys, claims and search terms of every change, worked out
//! before the store is touched, so that the writer thread only has rows to insert.

use std::collections::{BTreeSet, HashSet};

use iris_access::{Action, Caller, Denial, Permit, RecordFacts, sight};
use iris_audit::{Action as AuditAction, Event, Outcome};
use iris_fhir::Resource;
use iris_fhir::definitions::definitions;
use iris_fhir::json::Writer;
use iris_fhir::subset::is_subsetted;
use iris_kernel::{ErrorKind, Fault, Kind, RecordId, Seq, Timestamp, Version};
use iris_search::{Crowded, Labels, SearchDocument, extract_whole, labels_of, patients_of};
use iris_store::{ClaimExpect, ClaimScope, Expect, KeyOwner, Put, Tx};

use crate::head::Head;
use crate::lookups::Trail;
use crate::mask::{self, Sensitive, Sight};
use crate::refusal::Refusal;
use crate::rules::Unique;
use crate::stored::Stored;
use crate::trail::Who;
use crate::{PATIENT, Records};

/// What a change does to its record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    Create,
    Update,
    Delete,
}

/// One change, ready to be put into a write set.
#[derive(Debug)]
pub(crate) struct Write {
    pub(crate) op: Op,
    pub(crate) kind: Kind,
    pub(crate) id: String,
    pub(crate) version: Version,
    pub(crate) body: Vec<u8>,
    expect: Expect,
    born: Option<Seq>,
    document: Option<SearchDocument>,
    /// Patients of the new version; for a deletion, of the last one.
    patients: Vec<String>,
    /// Patients of the version before, where that was another.
    patients_before: Vec<String>,
    /// Security labels of the new version; for a deletion, of the last one.
    labels: Labels,
    /// What it has of identifiers that are masked for some.
    sensitive: Sensitive,
    claimed: Vec<Unique>,
    released: Vec<Unique>,
}

impl Write {
    /// What it is found by; a deletion is not.
    pub(crate) fn document(&self) -> Option<&SearchDocument> {
        self.document.as_ref()
    }

    /// What was written, as somebody sees it.
    pub(crate) fn seen_by(&self, caller: &Caller) -> Result<Vec<u8>, Refusal> {
        let sight = Sight::of(caller, self.kind, &self.patients);
        let known = Some(self.sensitive != Sensitive::Absent);
        Ok(mask::seen(self.body.clone().into(), known, sight)?.body.into())
    }

    pub(crate) fn reference(&self) -> String {
        format!("{}/{}", definitions().name_of(self.kind), self.id)
    }
}

/// A claim beside those of the rules: conditional criteria.
#[derive(Debug)]
pub(crate) struct Condition {
    pub(crate) kind: Kind,
    pub(crate) criteria: String,
    pub(crate) expect: ClaimExpect,
    pub(crate) holder: RecordId,
}

/// Everything that one commit writes.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) writes: Vec<Write>,
    pub(crate) conditions: Vec<Condition>,
    /// Records that were found instead of being made, with their patients: the caller learns of them.
    pub(crate) found: Vec<(String, Vec<String>)>,
}

/// Criteria of a conditional create: whoever holds the claim is the record that the criteria stand for.
pub(crate) const CONDITIONAL: ClaimScope = ClaimScope(1);

impl Records {
    /// Plans a new record. `resource` is final except for the server's own elements. What the caller must not learn from it, yet
    /// does, is noted.
    pub(crate) fn plan_create(
        &self,
        caller: &Caller,
        resource: &Resource,
        id: String,
        at: Timestamp,
        before: Option<&Stored>,
        trail: &mut Trail,
    ) -> Result<Write, Refusal> {
        let (version, expect, born) = match before {
            None => (Version::FIRST, Expect::Absent, None),
            Some(current) => (current.version.next(), Expect::Current(current.seq), Some(current.born)),
        };
        if is_subsetted(resource.root()) {
            // Stored, it would take the place of the whole, and what it lacks would be lost without a word.
            let what = "says SUBSETTED: it is a part of a resource, and only whole ones are stored";
            return Err(Refusal::new(ErrorKind::Invalid, "/meta/tag", what));
        }
        let sensitive = mask::unmasked(resource)?;
        let kind = resource.kind();
        let body = resource.with_server_fields(&id, version, at);
        let last = Resource::parse(body.clone())
            .map_err(|e| Refusal::caused(ErrorKind::Internal, "the resource could not be prepared", e))?;
        let crowded = |crowded: Crowded| Refusal::new(ErrorKind::TooLarge, "", crowded.to_string());
        let document = extract_whole(&last, at).map_err(crowded)?;
        let (claimed, released) = self.claims_of(caller, &last, before, trail)?;
        let mut patients = patients_of(&last);
        patients.sort_unstable();
        patients.dedup();
        Ok(Write {
            op: if before.is_some_and(|b| !b.deleted) { Op::Update } else { Op::Create },
            document: Some(document),
            patients_before: before.map(|b| b.head.patients.clone()).unwrap_or_default(),
            kind,
            id,
            version,
            body,
            expect,
            born,
            patients,
            labels: labels_of(&last),
            sensitive,
            claimed,
            released,
        })
    }

    /// Plans the deletion of a record.
    pub(crate) fn plan_delete(&self, current: &Stored) -> Result<Write, Refusal> {
        let released = match self.rules.of(current.kind) {
            Some(rule) => rule.gather(&current.resource()?),
            None => Vec::new(),
        };
        Ok(Write {
            op: Op::Delete,
            kind: current.kind,
            id: current.id.clone(),
            version: current.version.next(),
            body: Vec::new(),
            expect: Expect::Current(current.seq),
            born: Some(current.born),
            document: None,
            patients: current.head.patients.clone(),
            patients_before: Vec::new(),
            labels: current.head.labels,
            sensitive: Sensitive::Absent,
            claimed: Vec::new(),
            released,
        })
    }

    /// The unique values that the new version takes and gives up, after its rule's own check. A value held by another live
    /// record is a conflict that says so; the claim in the write set decides races.
    fn claims_of(
        &self,
        caller: &Caller,
        resource: &Resource,
        before: Option<&Stored>,
        trail: &mut Trail,
    ) -> Result<(Vec<Unique>, Vec<Unique>), Refusal> {
        let tenant = caller.tenant;
        let Some(rule) = self.rules.of(resource.kind()) else { return Ok((Vec::new(), Vec::new())) };
        let faults = rule.check(resource);
        if !faults.is_empty() {
            return Err(Refusal::with(ErrorKind::Invalid, faults));
        }
        let new = rule.gather(resource);
        let old = match before.filter(|current| !current.deleted) {
            Some(current) => rule.gather(&current.resource()?),
            None => Vec::new(),
        };
        let same = |a: &Unique, b: &Unique| a.scope == b.scope && a.value == b.value;
        let released = old.iter().filter(|o| !new.iter().any(|n| same(o, n))).cloned().collect();
        let claimed = new.into_iter().filter(|n| !old.iter().any(|o| same(o, n))).collect::<Vec<_>>();
        let own = resource.id().map(|id| self.store.record_id(tenant, resource.kind(), &id));
        let mut taken = Vec::new();
        let mut free = Vec::with_capacity(claimed.len());
        for unique in claimed {
            match self.store.claim_holder(tenant, unique.scope, &[unique.value.as_bytes()])? {
                None => free.push(unique),
                // An import that is run again meets its own record here.
                Some(holder) if Some(holder) == own => {}
                Some(holder) => {
                    self.note_holder(caller, resource.kind(), holder, trail)?;
                    taken.push(Fault::new(unique.at, unique.taken));
                }
            }
        }
        if taken.is_empty() { Ok((free, released)) } else { Err(Refusal::with(ErrorKind::Conflict, taken)) }
    }

    /// Notes that the caller has learnt that a record has a value, where that record is hidden from them. That two records have one
    /// number is worse than that somebody who knows the number learns that it is somebody's; but it is on the log of that patient.
    fn note_holder(&self, caller: &Caller, kind: Kind, holder: RecordId, trail: &mut Trail) -> Result<(), Refusal> {
        let unseen = sight(caller, kind);
        if unseen.is_none() {
            return Ok(());
        }
        let row = self.store.current_by_record(caller.tenant, kind, holder)?.filter(|row| !row.deleted);
        if let Some(stored) = row.map(Stored::from_found).transpose()?
            && !unseen.admits(&stored.head.facts())
        {
            trail.note_taken(&stored);
        }
        Ok(())
    }

    /// Seals a plan into a write set with its audit entry. `action` overrides the single change's own action, for bundles.
    pub(crate) fn write_set(
        &self,
        plan: Plan,
        who: &Who,
        at: Timestamp,
        action: Option<AuditAction>,
    ) -> Result<Tx, Refusal> {
        let mut tx = self.store.begin(who.tenant);
        let event = change_event(&plan, who, at, action);
        for condition in plan.conditions {
            let value = condition_value(condition.kind, &condition.criteria);
            tx.claim(CONDITIONAL, &[value.as_bytes()], condition.expect, condition.holder);
        }
        for write in plan.writes {
            let record = self.store.record_id(who.tenant, write.kind, &write.id);
            for unique in &write.released {
                tx.release(unique.scope, &[unique.value.as_bytes()], record);
            }
            for unique in &write.claimed {
                tx.claim(unique.scope, &[unique.value.as_bytes()], ClaimExpect::Absent, record);
            }
            let owner = match write.patients.as_slice() {
                [patient] => KeyOwner::Patient(self.store.record_id(who.tenant, *PATIENT, patient)),
                _ => KeyOwner::Tenant,
            };
            let sensitive = Some(write.sensitive != Sensitive::Absent);
            let head = Head { author: who.actor.id, patients: write.patients, labels: write.labels, sensitive };
            tx.put(Put {
                kind: write.kind,
                id: &write.id,
                expect: write.expect,
                version: write.version,
                born: write.born,
                at,
                head: &head.encode(),
                body: &write.body,
                owner,
                deleted: write.op == Op::Delete,
                shadow: write.document.map(|document| Box::new(document) as Box<dyn std::any::Any + Send>),
            });
        }
        tx.event(&outbox_row(&event));
        tx.audit(self.audit.row(&event)?);
        Ok(tx)
    }
}

impl Write {
    /// Whether the caller may make the record what it is to be. `begun` are the patients whose records begin in the same commit: they
    /// are in nobody's care yet, and have denied nothing.
    pub(crate) fn may_be<A: Action>(&self, permit: &Permit<A>, begun: &HashSet<String>) -> Result<(), Denial> {
        if self.op == Op::Delete {
            return Ok(());
        }
        if self.is_of_somebody_new() {
            return permit.may_begin();
        }
        let known: Vec<String> = self.patients.iter().filter(|patient| !begun.contains(*patient)).cloned().collect();
        if known.is_empty() && !self.patients.is_empty() {
            return permit.may_write(&RecordFacts { patients: &self.patients, labels: self.labels });
        }
        permit.may_hold(&RecordFacts { patients: &known, labels: self.labels })
    }

    /// Whether it makes the record of a patient who had none.
    pub(crate) fn is_of_somebody_new(&self) -> bool {
        self.op == Op::Create && self.kind == *PATIENT
    }

    /// Everybody whose record it is or was.
    pub(crate) fn everybody(&self) -> Vec<String> {
        let all: BTreeSet<&String> = self.patients.iter().chain(&self.patients_before).collect();
        all.into_iter().cloned().collect()
    }
}

/// What a conditional claim is taken on.
pub(crate) fn condition_value(kind: Kind, criteria: &str) -> String {
    format!("{}?{criteria}", definitions().name_of(kind))
}

/// The audit entry of a plan: what is written, and what was found instead.
pub(crate) fn change_event(plan: &Plan, who: &Who, at: Timestamp, action: Option<AuditAction>) -> Event {
    let own = match plan.writes.first().map(|write| write.op) {
        Some(Op::Delete) => AuditAction::PhiDelete,
        Some(Op::Update) => AuditAction::PhiUpdate,
        Some(Op::Create) | None => AuditAction::PhiCreate,
    };
    let written = plan.writes.iter().flat_map(|write| write.patients.iter().chain(&write.patients_before));
    let patients: BTreeSet<&String> = written.chain(plan.found.iter().flat_map(|(_, patients)| patients)).collect();
    let mut event = who.event(action.unwrap_or(own), Outcome::Success, at);
    event.patients = patients.into_iter().cloned().collect();
    let written = plan.writes.iter().map(|write| format!("{}/_history/{}", write.reference(), write.version));
    event.fields = mask::classes_of(plan.writes.iter().map(|write| (write.kind, write.sensitive)));
    event.resources = written.chain(plan.found.iter().map(|(reference, _)| reference.clone())).collect();
    event
}

/// The outbox row of a commit: what changed and on whose behalf. One row per commit, in the commit's own transaction.
fn outbox_row(event: &Event) -> Vec<u8> {
    let mut out = Writer::new();
    out.object()
        .member("event_type", "resources.changed")
        .member("timestamp", &event.at.rfc3339())
        .member("source_user_id", &uuid::Uuid::from_bytes(event.actor.id).to_string())
        .member("correlation_id", &event.correlation)
        .key("changes")
        .array();
    for resource in &event.resources {
        out.string(resource);
    }
    out.finish()
}
