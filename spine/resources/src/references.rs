//! Whether what a resource refers to is there.

use std::collections::HashSet;

use iris_fhir::Resource;
use iris_fhir::definitions::definitions;
use iris_fhir::reference::{Reference, references};
use iris_kernel::{ErrorKind, Fault, Kind, Tenant};

use crate::refusal::Refusal;
use crate::{Records, ReferencePolicy};

/// Records known to be there, so that each is looked up once per request.
#[derive(Debug, Default)]
pub(crate) struct Known {
    there: HashSet<(Kind, String)>,
    deleted: HashSet<(Kind, String)>,
    /// Whether what other nodes had stored when this began is known: a request full of dangling references waits for that once.
    caught_up: bool,
}

impl Known {
    /// Notes a record that this very write deletes.
    pub(crate) fn remove(&mut self, kind: Kind, id: String) {
        self.deleted.insert((kind, id));
    }

    /// Notes a record that this very write makes.
    pub(crate) fn add(&mut self, kind: Kind, id: String) {
        self.there.insert((kind, id));
    }
}

impl Records {
    /// Whether a live record is there.
    pub(crate) fn present(&self, tenant: Tenant, kind: Kind, id: &str, known: &mut Known) -> Result<bool, Refusal> {
        let key = (kind, id.to_owned());
        if known.deleted.contains(&key) {
            return Ok(false);
        }
        if known.there.contains(&key) {
            return Ok(true);
        }
        let mut present = self.store.present(tenant, kind, id)?;
        if !present && self.store.is_shared() && !known.caught_up {
            // A server that follows may not have it yet, though another node has said that it is stored.
            self.caught_up()?;
            known.caught_up = true;
            present = self.store.present(tenant, kind, id)?;
        }
        if present {
            known.there.insert(key);
        }
        Ok(present)
    }

    /// Checks every reference of a single resource: by policy that local ones are there, and always that it has none of the forms
    /// that only a bundle can resolve, nor an absolute one to this very server. That one would be kept as sent, as the address of
    /// somebody else's record, and so stay outside its patient's compartment, key and audit entries.
    pub(crate) fn check_references(
        &self,
        tenant: Tenant,
        resource: &Resource,
        policy: ReferencePolicy,
    ) -> Result<(), Refusal> {
        let mut known = Known::default();
        let mut faults = Vec::new();
        for (value, reference) in references(resource) {
            match reference {
                Reference::Local { kind, id, .. } => {
                    if policy == ReferencePolicy::Checked && !self.present(tenant, kind, &id, &mut known)? {
                        faults.push(absent(value.pointer(), kind));
                    }
                }
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
}

impl Records {
    /// The local form of an absolute address that lies on this server.
    pub(crate) fn own(&self, url: &str) -> Option<(Kind, String)> {
        match Reference::within(&self.base_url, url) {
            Reference::Local { kind, id, .. } => Some((kind, id)),
            _ => None,
        }
    }
}

/// The fault of a dangling reference. It names the type, not the id: an id can be PHI.
pub(crate) fn absent(at: String, kind: Kind) -> Fault {
    Fault::new(at, format!("refers to a {} that is not there", definitions().name_of(kind)))
}
