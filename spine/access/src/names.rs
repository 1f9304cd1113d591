//! Names of resource types, from the definitions.

pub(crate) use iris_fhir::definitions::{kind_of, name_of};
