//! Patches: JSON Patch and FHIRPath Patch, as a change of a record (R4 http.html#patch).

use bytes::Bytes;
use iris_fhir::Resource;
use iris_kernel::{ErrorKind, Fault, Timestamp};
use iris_patch::{FhirPathPatch, JsonPatch, PatchFault, PatchFaultKind};

use crate::change::Change;
use crate::refusal::Refusal;

/// A patch that has been read.
#[derive(Clone, Debug)]
pub enum Patch {
    /// RFC 6902.
    Json(JsonPatch),
    /// R4 fhirpatch.html.
    FhirPath(FhirPathPatch),
}

impl Patch {
    /// Reads a JSON Patch.
    ///
    /// # Errors
    /// Everything that is wrong with the document.
    pub fn json(text: impl Into<Bytes>) -> Result<Self, Refusal> {
        JsonPatch::parse(text).map(Self::Json).map_err(|faults| refusal(&faults))
    }

    /// Reads a FHIRPath Patch from its Parameters.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub fn fhirpath(parameters: Resource) -> Result<Self, Refusal> {
        FhirPathPatch::read(parameters).map(Self::FhirPath).map_err(|faults| refusal(&faults))
    }
}

impl Change for Patch {
    fn apply(&self, before: &Resource, now: Timestamp) -> Result<Resource, Refusal> {
        let patched = match self {
            Self::Json(patch) => patch.apply_to(before),
            Self::FhirPath(patch) => patch.apply_to(before, now),
        };
        patched.map_err(|faults| refusal(&faults))
    }
}

/// The faults of a patch; what cannot be read at all stands for all of them.
fn refusal(faults: &[PatchFault]) -> Refusal {
    let kind = faults.iter().map(|fault| kind_of(fault.kind)).find(|kind| *kind != ErrorKind::Invalid);
    Refusal::with(kind.unwrap_or(ErrorKind::Invalid), faults.iter().map(Fault::from).collect())
}

/// A patch that is none is malformed; one that does not fit the record, or whose test fails, is not carried out (R4 http.html#patch).
const fn kind_of(kind: PatchFaultKind) -> ErrorKind {
    match kind {
        PatchFaultKind::Document => ErrorKind::Malformed,
        PatchFaultKind::Limit => ErrorKind::TooLarge,
        PatchFaultKind::Target | PatchFaultKind::Test | PatchFaultKind::Identity => ErrorKind::Invalid,
    }
}
