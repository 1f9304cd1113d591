//! Searches that a write makes on its way, for conditional creates and references, and permissions that it lacks: each needs its
//! own permit and is written down before the caller learns anything from it.

use std::collections::HashSet;
use std::sync::Arc;

use iris_access::{Action, Caller, Denial, Facts, Permit, RecordFacts, Search, decide, sight};
use iris_audit::{Action as AuditAction, Event, Outcome};
use iris_fhir::Resource;
use iris_kernel::limits::FHIR_PAGE_MAX;
use iris_kernel::{ErrorKind, Kind};
use iris_search::{Query, labels_of, patients_of};

use crate::permits::Permits;
use crate::plan::Write;
use crate::refusal::Refusal;
use crate::search::query_text;
use crate::stored::Stored;
use crate::trail::Who;
use crate::{PATIENT, Records, mask};

/// What must be written down about one request beside what it writes.
#[derive(Debug, Default)]
pub(crate) struct Trail {
    searches: Vec<String>,
    resources: Vec<String>,
    patients: Vec<String>,
    denials: Vec<String>,
    /// Hidden records of which a taken value told, with their patients.
    taken: Vec<(String, Vec<String>)>,
    /// Patients whose records begin in this very write.
    begun: HashSet<String>,
    /// Patients of whom something was read.
    pub(crate) concerns: Vec<String>,
}

impl Trail {
    /// The permit for one step of a larger request; a denial is noted.
    pub(crate) fn permit<A: Action>(
        &mut self,
        caller: &Arc<Caller>,
        action: A,
        kind: Kind,
    ) -> Result<Permit<A>, Denial> {
        decide(caller, action, &Facts::kind(kind)).inspect_err(|denial| self.denials.push(denial.to_string()))
    }

    /// Whether the caller may ask for what a search asks for; a denial is noted.
    pub(crate) fn searchable(&mut self, caller: &Caller, query: &Query) -> Result<(), Denial> {
        mask::searchable(caller, query).inspect_err(|denial| self.denials.push(denial.to_string()))
    }

    /// Whether a record may be written with the labels that it carries; a denial is noted.
    pub(crate) fn may_write<A: Action>(&mut self, permit: &Permit<A>, resource: &Resource) -> Result<(), Denial> {
        let labels = labels_of(resource);
        if !permit.restriction().hidden().meets(labels) {
            return Ok(());
        }
        let patients = patients_of(resource);
        permit
            .may_write(&RecordFacts { patients: &patients, labels })
            .inspect_err(|denial| self.denials.push(denial.to_string()))
    }

    /// Whether a record that the caller sees, be it by another rule, is theirs to change; a denial is noted. What they do not see is not
    /// told of here.
    pub(crate) fn may_change<A: Action>(&mut self, permit: &Permit<A>, before: Option<&Stored>) -> Result<(), Denial> {
        let Some(before) = before else { return Ok(()) };
        let facts = before.head.facts();
        if permit.admits(&facts) || !sight(permit.caller(), before.kind).admits(&facts) {
            return Ok(());
        }
        self.denials.push(Denial::Closed.to_string());
        Err(Denial::Closed)
    }

    /// Whether a record may become what is planned; a denial is noted.
    pub(crate) fn may_be<A: Action>(&mut self, permit: &Permit<A>, write: &Write) -> Result<(), Denial> {
        write.may_be(permit, &self.begun).inspect_err(|denial| self.denials.push(denial.to_string()))
    }

    /// Whether a record may be replaced by `after`, or deleted; a denial is noted.
    pub(crate) fn may_replace(
        &mut self,
        caller: &Caller,
        before: Option<&Stored>,
        after: Option<&Resource>,
    ) -> Result<(), Refusal> {
        let Some(before) = before.filter(|before| !before.deleted && caller.guards(before.kind)) else { return Ok(()) };
        let may = caller.may_replace(before.kind, before.resource()?.root(), after.map(Resource::root));
        Ok(may.inspect_err(|denial| self.denials.push(denial.to_string()))?)
    }

    /// Notes that the record of a patient begins in this very write.
    pub(crate) fn begin(&mut self, kind: Kind, id: &str) {
        if kind == *PATIENT {
            self.begun.insert(id.to_owned());
        }
    }

    /// Notes that a taken value told of a record that is hidden from the caller.
    pub(crate) fn note_taken(&mut self, holder: &Stored) {
        self.taken.push((holder.versioned_reference(), holder.head.patients.clone()));
    }

    /// The entries of the log: one for all searches, one for all denials, one for what taken values told.
    pub(crate) fn events(&self, records: &Records, who: &Who) -> Vec<Event> {
        let mut events = Vec::new();
        if !self.searches.is_empty() {
            let mut event = records.event(who, AuditAction::PhiSearch);
            event.query = self.searches.join(" ");
            event.resources.clone_from(&self.resources);
            event.patients.clone_from(&self.patients);
            event.patients.sort_unstable();
            event.patients.dedup();
            events.push(event);
        }
        if !self.denials.is_empty() {
            let mut event = records.event(who, AuditAction::PhiDenied);
            event.outcome = Outcome::Denied;
            event.query = self.denials.join("; ");
            events.push(event);
        }
        if !self.taken.is_empty() {
            let mut event = records.event(who, AuditAction::PhiDenied);
            event.outcome = Outcome::Denied;
            "a value was asked for that a record hidden from the caller has".clone_into(&mut event.query);
            event.resources = self.taken.iter().map(|(reference, _)| reference.clone()).collect();
            event.patients = self.taken.iter().flat_map(|(_, patients)| patients.iter().cloned()).collect();
            event.patients.sort_unstable();
            event.patients.dedup();
            events.push(event);
        }
        events
    }
}

impl Records {
    /// The live records that criteria match, at most `limit`. Two are enough where more than one is never what a condition means.
    pub(crate) fn lookup(
        &self,
        caller: &Arc<Caller>,
        query: &Query,
        limit: usize,
        trail: &mut Trail,
    ) -> Result<Vec<Stored>, Refusal> {
        let permit = trail.permit(caller, Search, query.kind)?;
        trail.searchable(caller, query)?;
        let mut permits = Permits::of(caller);
        let found = self.matching(&mut permits, &permit, query, limit.min(FHIR_PAGE_MAX));
        // A refusal tells of records as well: that there are too many of them.
        trail.denials.extend(permits.into_denials());
        trail.searches.push(query_text(query));
        let found = found?;
        trail.resources.extend(found.iter().map(Stored::versioned_reference));
        trail.patients.extend(found.iter().flat_map(|stored| stored.head.patients.iter().cloned()));
        if limit > FHIR_PAGE_MAX && found.len() == FHIR_PAGE_MAX {
            // What is looked for may stand behind these, which the write under way deletes or replaces.
            return Err(Refusal::new(ErrorKind::TooLarge, "", "the criteria match too many records of this bundle"));
        }
        Ok(found)
    }

    /// Makes a trail durable.
    pub(crate) async fn write_down(&self, who: &Who, trail: &Trail) -> Result<(), Refusal> {
        let events = trail.events(self, who);
        if !events.is_empty() {
            let _receipt = self.audit.record_all(&events).await?;
        }
        Ok(())
    }

    /// [`Records::write_down`] on a thread that may block.
    pub(crate) fn write_down_blocking(&self, who: &Who, trail: &Trail) -> Result<(), Refusal> {
        for event in trail.events(self, who) {
            let _receipt = self.audit.record_blocking(&event)?;
        }
        Ok(())
    }
}
