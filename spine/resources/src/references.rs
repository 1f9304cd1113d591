//! Whether what a resource refers to is there.

use std::collections::HashSet;

use iris_fhir::Resource;
use iris_fhir::definitions::definitions;
use iris_fhir::reference::{Reference, references};
use iris_kernel::{ErrorKind, Fault, Kind, Tenant};

use crate::Records;
use crate::refusal::Refusal;

/// Records known to be there, so that each is looked up once per request.
#[derive(Debug, Default)]
pub(crate) struct Known(HashSet<(Kind, String)>);

impl Known {
    /// Notes a record that this very write makes.
    pub(crate) fn add(&mut self, kind: Kind, id: String) {
        self.0.insert((kind, id));
    }
}

impl Records {
    /// Whether a live record is there.
    pub(crate) fn present(&self, tenant: Tenant, kind: Kind, id: &str, known: &mut Known) -> Result<bool, Refusal> {
        let key = (kind, id.to_owned());
        if known.0.contains(&key) {
            return Ok(true);
        }
        let present = self.store.present(tenant, kind, id)?;
        if present {
            known.0.insert(key);
        }
        Ok(present)
    }

    /// Checks every local reference of a single resource, and that it has none of the forms that only a bundle can resolve.
    pub(crate) fn check_references(&self, tenant: Tenant, resource: &Resource) -> Result<(), Refusal> {
        let mut known = Known::default();
        let mut faults = Vec::new();
        for (value, reference) in references(resource) {
            match reference {
                Reference::Local { kind, id, .. } => {
                    if !self.present(tenant, kind, &id, &mut known)? {
                        faults.push(absent(value.pointer(), kind));
                    }
                }
                Reference::Conditional { .. } => faults.push(Fault::new(
                    value.pointer(),
                    "a conditional reference is resolved only in a transaction or batch",
                )),
                Reference::Absolute { .. } | Reference::Contained { .. } | Reference::Urn { .. } | Reference::Other => {
                }
            }
        }
        if faults.is_empty() { Ok(()) } else { Err(Refusal::with(ErrorKind::Invalid, faults)) }
    }
}

/// The fault of a dangling reference. It names the type, not the id: an id can be PHI.
pub(crate) fn absent(at: String, kind: Kind) -> Fault {
    Fault::new(at, format!("refers to a {} that is not there", definitions().name_of(kind)))
}
