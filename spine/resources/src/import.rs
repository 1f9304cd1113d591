//! Importing: records keep their ids, what is there already is passed over, and what differs is never overwritten.
//!
//! Everything about an import is decided by its input alone (a record without an id gets one made from its content and place),
//! so that an import which was broken off is simply run again.

use std::borrow::Cow;
use std::sync::Arc;

use iris_access::{Caller, Create, Facts, decide};
use iris_audit::Action as AuditAction;
use iris_crypto::digest::sha256;
use iris_fhir::Resource;
use iris_fhir::json::{Edits, Value, ValueKind};
use iris_kernel::{ErrorKind, Fault, Kind};
use iris_store::CommitError;
use iris_validation::Valid;

use crate::Records;
use crate::bundle::{BundleInput, BundleKind, Done, EntryInput, Ids, Request, Worked};
use crate::lookups::Trail;
use crate::plan::Plan;
use crate::refusal::Refusal;
use crate::stored::Stored;
use crate::trail::Who;
use crate::write::contended;

/// How often an item is planned anew after another change came first.
const ATTEMPTS_MAX: usize = 4;

/// Something that an import file holds.
#[derive(Debug)]
pub enum ImportItem {
    /// One resource by itself, as in NDJSON. It may refer to what comes later, so its references are recorded as sent.
    Single(Valid),
    /// The entries of a bundle, which stand or fall together.
    Together(BundleInput),
}

/// What became of an item.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportOutcome {
    /// How many records were stored, by type.
    pub stored: Vec<(Kind, u64)>,
    /// How many were there already with the same content.
    pub present: u64,
}

impl ImportItem {
    /// Reads one document of an import file: a resource, or a bundle whose entries are taken apart. `place` tells two equal
    /// records without ids apart, for example by line number.
    ///
    /// # Errors
    /// Every fault, by JSON pointer.
    pub fn parse(text: Vec<u8>, place: u64) -> Result<Self, Refusal> {
        let resource = Resource::parse(text).map_err(|e| Refusal::new(ErrorKind::Malformed, "", e.to_string()))?;
        if resource.kind_name() != "Bundle" {
            return identified(resource, place).map(Self::Single);
        }
        match resource.root().str_of("type").as_deref() {
            Some("transaction" | "batch") => {
                BundleInput::parse(&resource).and_then(|bundle| additions(bundle, place)).map(Self::Together)
            }
            _ => contents(&resource, place).map(Self::Together),
        }
    }

    /// How many records it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Single(_) => 1,
            Self::Together(bundle) => bundle.entries.len(),
        }
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The bundle, if it does nothing but add records; each gets an id of its own if it has none.
fn additions(bundle: BundleInput, place: u64) -> Result<BundleInput, Refusal> {
    let mut entries = Vec::with_capacity(bundle.entries.len());
    let mut faults = Vec::new();
    for (index, entry) in bundle.entries.into_iter().enumerate() {
        let at = format!("/entry/{index}");
        let request = match entry.request {
            Request::Create { resource, if_none_exist } if resource.id().is_none() => {
                identified(resource.into_inner(), place ^ ((index as u64) << 32))
                    .map(|resource| Request::Create { resource, if_none_exist })
            }
            Request::Create { .. } | Request::Update { .. } => Ok(entry.request),
            Request::Faulty(refusal) => Err(refusal),
            Request::Patch { .. } | Request::Delete { .. } | Request::Read { .. } | Request::Search { .. } => {
                Err(Refusal::new(ErrorKind::NotSupported, "/request/method", "an import only adds records"))
            }
        };
        match request {
            Ok(request) => entries.push(EntryInput { full_url: entry.full_url, request }),
            Err(refusal) => faults.extend(refusal.below(&at).faults),
        }
    }
    if faults.is_empty() {
        Ok(BundleInput { kind: bundle.kind, entries })
    } else {
        Err(Refusal::with(ErrorKind::Invalid, faults))
    }
}

/// The resources of a collection, searchset or document, as records to be made.
fn contents(bundle: &Resource, place: u64) -> Result<BundleInput, Refusal> {
    let mut entries = Vec::new();
    let mut faults = Vec::new();
    for (index, entry) in bundle.root().get("entry").map(Value::items).into_iter().flatten().enumerate() {
        let Some(value) = entry.get("resource").filter(|value| value.kind() == ValueKind::Object) else {
            faults.push(Fault::new(format!("/entry/{index}/resource"), "required"));
            continue;
        };
        let parsed = Resource::from_value(value).map_err(|e| Refusal::new(ErrorKind::Malformed, "", e.to_string()));
        match parsed.and_then(|resource| identified(resource, place ^ ((index as u64) << 32))) {
            Ok(resource) => entries.push(EntryInput {
                full_url: entry.str_of("fullUrl").map(Cow::into_owned),
                request: Request::Create { resource, if_none_exist: None },
            }),
            Err(refusal) => faults.extend(refusal.below(&format!("/entry/{index}/resource")).faults),
        }
    }
    if faults.is_empty() {
        Ok(BundleInput { kind: BundleKind::Transaction, entries })
    } else {
        Err(Refusal::with(ErrorKind::Invalid, faults))
    }
}

/// The resource, checked, with an id of its own: one that it lacks is made from its content and place.
fn identified(resource: Resource, place: u64) -> Result<Valid, Refusal> {
    if resource.id().is_some() {
        return checked(resource);
    }
    let digest = sha256(&[resource.json().text(), &place.to_be_bytes()]);
    let mut id = [0; 16];
    id.copy_from_slice(&digest[..16]);
    let id = uuid::Builder::from_random_bytes(id).into_uuid().to_string();
    let mut edits = Edits::new();
    edits.insert_first(resource.root(), "id", format!("\"{id}\""));
    let resource = Resource::parse(resource.json().edited(edits))
        .map_err(|e| Refusal::caused(ErrorKind::Internal, "the record could not be given an id", e))?;
    checked(resource)
}

fn checked(resource: Resource) -> Result<Valid, Refusal> {
    Valid::check(resource).map_err(|(_, faults)| Refusal::with(ErrorKind::Invalid, faults))
}

impl Records {
    /// Stores one bundle, or several single resources in one commit. Runs on a thread that may block.
    ///
    /// # Errors
    /// Every fault; nothing of the item was stored then.
    pub fn import(&self, caller: &Arc<Caller>, items: &ImportBatch) -> Result<ImportOutcome, Refusal> {
        let who = Who::caller(caller);
        for _ in 0..ATTEMPTS_MAX {
            let mut worked = match items {
                ImportBatch::Singles(resources) => {
                    let mut trail = Trail::default();
                    let worked = self.work_out_singles(caller, resources, &mut trail);
                    self.write_down_blocking(&who, &trail)?;
                    worked?
                }
                ImportBatch::Bundle(bundle) => {
                    let mut trail = Trail::default();
                    let worked = self.work_out(caller, &who, bundle, Ids::Kept, &mut trail);
                    self.write_down_blocking(&who, &trail)?;
                    worked?
                }
            };
            let present = self.pass_over(&who, &mut worked)?;
            let mut outcome = ImportOutcome { stored: Vec::new(), present: present + found(&worked) };
            for write in &worked.plan.writes {
                match outcome.stored.iter_mut().find(|(kind, _)| *kind == write.kind) {
                    Some((_, count)) => *count += 1,
                    None => outcome.stored.push((write.kind, 1)),
                }
            }
            if worked.plan.writes.is_empty() {
                return Ok(outcome);
            }
            let tx = self.write_set(worked.plan, &who, worked.at, Some(AuditAction::ImportStore))?;
            match tx.commit_blocking() {
                Ok(committed) => {
                    let _receipt = self.audit.receipt(&committed);
                    return Ok(outcome);
                }
                Err(CommitError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(contended())
    }

    fn work_out_singles(
        &self,
        caller: &Arc<Caller>,
        resources: &[Valid],
        trail: &mut Trail,
    ) -> Result<Worked, Refusal> {
        let at = self.clock.now();
        let mut plan = Plan::default();
        for resource in resources {
            let permit = decide(caller, Create, &Facts::kind(resource.kind()))?;
            trail.may_write(&permit, resource)?;
            let id = resource.id().map(Cow::into_owned).unwrap_or_default();
            let write = self.plan_create(caller, resource, id, at, None, trail)?;
            trail.may_be(&permit, &write)?;
            plan.writes.push(write);
        }
        Ok(Worked { plan, outcomes: Vec::new(), at })
    }

    /// Drops from the plan what is stored already with equal content.
    ///
    /// A record that is there with other content is a fault: an import never overwrites.
    fn pass_over(&self, who: &Who, worked: &mut Worked) -> Result<u64, Refusal> {
        let mut present = 0;
        let mut faults = Vec::new();
        let mut kept = Vec::with_capacity(worked.plan.writes.len());
        for write in std::mem::take(&mut worked.plan.writes) {
            match self.current(who.tenant, write.kind, &write.id)? {
                None => kept.push(write),
                Some(stored) if equal(&stored, &write.body)? => present += 1,
                Some(_) => faults.push(Fault::new(
                    write.reference(),
                    "is stored with other content, or was deleted; an import does not overwrite it",
                )),
            }
        }
        worked.plan.writes = kept;
        if faults.is_empty() { Ok(present) } else { Err(Refusal::with(ErrorKind::Conflict, faults)) }
    }
}

/// What goes into one commit.
#[derive(Debug)]
pub enum ImportBatch {
    /// Resources by themselves; one that is refused refuses the batch, so the caller tries them one by one then.
    Singles(Vec<Valid>),
    /// One bundle.
    Bundle(BundleInput),
}

fn found(worked: &Worked) -> u64 {
    let existed = |done: &&Done| matches!(done, Done::Wrote(it) if it.outcome == crate::write::Outcome::Existed);
    worked.outcomes.iter().filter(existed).count() as u64
}

/// Whether two versions differ only in what the server sets: `meta.versionId` and `meta.lastUpdated`.
fn equal(stored: &Stored, body: &[u8]) -> Result<bool, Refusal> {
    if stored.deleted {
        return Ok(false);
    }
    let new = Resource::parse(body.to_vec())
        .map_err(|e| Refusal::caused(ErrorKind::Internal, "the record could not be compared", e))?;
    let alike = |r: &Resource| r.with_server_fields(&stored.id, stored.version, stored.at);
    Ok(alike(&new) == alike(&stored.resource()?))
}
