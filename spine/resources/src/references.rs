//! Whether what a resource refers to is there.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use iris_access::{Caller, Restriction, sight};
use iris_fhir::Resource;
use iris_fhir::definitions::definitions;
use iris_fhir::reference::{Reference, references};
use iris_kernel::{ErrorKind, Fault, Kind};

use crate::refusal::Refusal;
use crate::stored::Stored;
use crate::{PATIENT, Records, ReferencePolicy};

/// Records known to be there, so that each is looked up once per request.
#[derive(Debug, Default)]
pub(crate) struct Known {
    there: HashSet<(Kind, String)>,
    deleted: HashSet<(Kind, String)>,
    /// What the caller does not see of a type.
    unseen: HashMap<Kind, Restriction>,
    /// Whether what other nodes had stored when this began is known: a request full of dangling references waits for that once.
    caught_up: bool,
}

impl Known {
    /// Notes a record that this very write deletes.
    pub(crate) fn remove(&mut self, kind: Kind, id: String) {
        self.deleted.insert((kind, id));
    }

    fn is_removed(&self, kind: Kind, id: &str) -> bool {
        self.deleted.contains(&(kind, id.to_owned()))
    }

    fn unseen(&mut self, caller: &Caller, kind: Kind) -> &Restriction {
        self.unseen.entry(kind).or_insert_with(|| sight(caller, kind))
    }

    /// Notes a record that this very write makes.
    pub(crate) fn add(&mut self, kind: Kind, id: String) {
        self.there.insert((kind, id));
    }
}

impl Records {
    /// Whether what a reference names will do: it is there, or need not be. Whoever does not see the records of all patients refers
    /// to patients whom they see, whatever the policy: nothing is added to a record that is closed to its writer.
    pub(crate) fn refers_well(
        &self,
        caller: &Arc<Caller>,
        policy: ReferencePolicy,
        (kind, id): (Kind, &str),
        known: &mut Known,
    ) -> Result<bool, Refusal> {
        let need_not_be = policy == ReferencePolicy::Recorded
            && (kind != *PATIENT || known.unseen(caller, kind).is_open_to_all_patients());
        Ok(need_not_be || self.present(caller, kind, id, known)?)
    }

    /// Whether a live record is there, and not hidden from the caller: for whom it is, is as if it were not there.
    pub(crate) fn present(
        &self,
        caller: &Arc<Caller>,
        kind: Kind,
        id: &str,
        known: &mut Known,
    ) -> Result<bool, Refusal> {
        let key = (kind, id.to_owned());
        if known.deleted.contains(&key) {
            return Ok(false);
        }
        if known.there.contains(&key) {
            return Ok(true);
        }
        let mut present = self.seen(caller, kind, id, known)?;
        if !present && self.store.is_shared() && !known.caught_up {
            // A server that follows may not have it yet, though another node has said that it is stored.
            self.caught_up()?;
            known.caught_up = true;
            present = self.seen(caller, kind, id, known)?;
        }
        if present {
            known.there.insert(key);
        }
        Ok(present)
    }

    fn seen(&self, caller: &Arc<Caller>, kind: Kind, id: &str, known: &mut Known) -> Result<bool, Refusal> {
        let unseen = known.unseen(caller, kind);
        if unseen.is_none() {
            return Ok(self.store.present(caller.tenant, kind, id)?);
        }
        let row = self.store.current(caller.tenant, kind, id)?.filter(|row| !row.deleted);
        let stored = row.map(|row| Stored::from_row(row, id.to_owned())).transpose()?;
        Ok(stored.is_some_and(|stored| unseen.admits(&stored.head.facts())))
    }

    /// Checks every reference of a single resource: by policy that local ones are there, and always that it has none of the forms
    /// that only a bundle can resolve, nor an absolute one to this very server. That one would be kept as sent, as the address of
    /// somebody else's record, and so stay outside its patient's compartment, key and audit entries.
    pub(crate) fn check_references(
        &self,
        caller: &Arc<Caller>,
        resource: &Resource,
        policy: ReferencePolicy,
    ) -> Result<(), Refusal> {
        self.check_new_references(caller, resource, None, policy)
    }

    /// [`Records::check_references`] of a record that is changed in part: what stood in it before may lead nowhere by now. Whoever does not
    /// see a patient to whom the record refers does not change it, and is told what they are told of a record that is not there.
    pub(crate) fn check_new_references(
        &self,
        caller: &Arc<Caller>,
        resource: &Resource,
        before: Option<&Resource>,
        policy: ReferencePolicy,
    ) -> Result<(), Refusal> {
        let standing: HashSet<&[u8]> = before.into_iter().flat_map(references).map(|(value, _)| value.raw()).collect();
        let mut known = Known::default();
        let mut faults = Vec::new();
        for (value, reference) in references(resource) {
            let stands = standing.contains(value.raw());
            match reference {
                Reference::Local { kind, id, .. } => {
                    if self.refers_well(caller, policy, (kind, &id), &mut known)? {
                        continue;
                    }
                    if stands {
                        self.may_stand(caller, (kind, &id), &mut known)?;
                    } else {
                        faults.push(absent(value.pointer(), kind));
                    }
                }
                _ if stands => {}
                Reference::Conditional { .. } => faults.push(Fault::new(
                    value.pointer(),
                    "a conditional reference is resolved only in a transaction or batch",
                )),
                Reference::Absolute(url) if self.own(&url).is_some() => {
                    faults.push(Fault::new(value.pointer(), "is an address of this server; write it as Type/id"));
                }
                Reference::Absolute { .. } | Reference::Contained { .. } | Reference::Urn { .. } | Reference::Other => {
                }
            }
        }
        if faults.is_empty() { Ok(()) } else { Err(Refusal::with(ErrorKind::Invalid, faults)) }
    }

    /// Whether a reference that does not lead to what the caller sees may go on standing in a record. What is hidden from them and what is
    /// not there are answered alike, or a patch would tell which it is: both may stand, unless it is a patient. A patient may stand whom
    /// the caller is told to be deleted, or deletes by this very write.
    pub(crate) fn may_stand(
        &self,
        caller: &Arc<Caller>,
        (kind, id): (Kind, &str),
        known: &mut Known,
    ) -> Result<(), Refusal> {
        let unseen = known.unseen(caller, kind);
        if kind != *PATIENT || unseen.is_open_to_all_patients() {
            return Ok(());
        }
        let row = self.store.current(caller.tenant, kind, id)?.filter(|row| row.deleted);
        let deleted = row.map(|row| Stored::from_row(row, id.to_owned())).transpose()?;
        let is_told = deleted.is_some_and(|stored| unseen.admits(&stored.head.facts()));
        if is_told || known.is_removed(kind, id) { Ok(()) } else { Err(Refusal::not_found()) }
    }

    /// The local form of an absolute address that lies on this server: type, id, and the version if one is named.
    pub(crate) fn own(&self, url: &str) -> Option<(Kind, String, Option<String>)> {
        match Reference::within(&self.base_url, url) {
            Reference::Local { kind, id, version } => Some((kind, id, version)),
            _ => None,
        }
    }
}

/// The fault of a dangling reference. It names the type, not the id: an id can be PHI.
pub(crate) fn absent(at: String, kind: Kind) -> Fault {
    Fault::new(at, format!("refers to a {} that is not there", definitions().name_of(kind)))
}
