//! What a patch must not change (R4 http.html#patch).

use iris_fhir::Resource;

use crate::fault::{PatchFault, PatchFaultKind};

/// Whether the outcome of a patch is still the same resource: of the same type, with the same id. Empty if it is.
#[must_use]
pub fn identity_faults(before: &Resource, after: &Resource) -> Vec<PatchFault> {
    let mut faults = Vec::new();
    if before.kind() != after.kind() {
        faults.push(PatchFault::whole(PatchFaultKind::Identity, "A patch cannot change the type of a resource"));
    }
    if before.id() != after.id() {
        faults.push(PatchFault::whole(PatchFaultKind::Identity, "A patch cannot change the id of a resource"));
    }
    faults
}
