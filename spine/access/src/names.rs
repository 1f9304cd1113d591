//! Names of resource types, from the definitions.

pub(crate) use iris_fhir::definitions::{kind_of, name_of};

/// Every resource type.
#[cfg(test)]
pub(crate) fn every_kind() -> Vec<iris_kernel::Kind> {
    iris_fhir::definitions::definitions().kinds().collect()
}
