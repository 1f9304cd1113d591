//! Changing a resource by a list of operations: JSON Patch (RFC 6902, R4 http.html#patch) over JSON Pointers (RFC 6901),
//! and `FHIRPath` Patch (R4 fhirpatch.html).
//!
//! All operations are applied or none. What no operation touches keeps its text, numbers to the last digit; what an operation
//! brings is taken over as it is spelt there. Whether the outcome is a valid resource is for [`iris_fhir::validate()`] to say.
//!
//! Pure, like all of `base`.

mod equal;
mod fault;
mod fhirpath_patch;
mod json_patch;
mod node;
mod pointer;
mod same;
mod work;

#[cfg(test)]
mod tests;

use iris_kernel::limits;

pub use fault::{PatchFault, PatchFaultKind};
pub use fhirpath_patch::FhirPathPatch;
pub use json_patch::JsonPatch;
pub use pointer::Pointer;
pub use same::identity_faults;

/// Most operations of one patch.
pub const OPERATIONS_MAX: usize = 1_000;
/// Largest outcome of a patch, in bytes.
pub const OUTCOME_BYTES_MAX: usize = limits::BODY_BYTES_MAX;
/// Most work that one patch may cause: a unit is about a byte that is copied or compared, or an item that is passed over.
/// Copying the largest document a few times fits; copying it a thousand times does not.
pub const WORK_MAX: usize = 4 * limits::BODY_BYTES_MAX;
/// Steps that the path of an operation of a `FHIRPath` Patch may take in any case; many operations share
/// [`iris_fhirpath::FUEL_MAX`].
pub const PATH_STEPS_MIN: u64 = 50_000;
