//! Immunizations: the plain immunization of `/api/v1` and the FHIR Immunization, with CDC's vaccine and manufacturer codes.
//! Pure mapping; reading and writing is `iris-resources`' business and HTTP is the edge's.

mod dose;
mod doubts;
mod fields;
mod input;
mod places;
mod read;
pub mod search;
mod vaccines;
mod write;

#[cfg(test)]
mod tests;

pub use dose::{Dose, Quantity, VaccineCode};
pub use fields::{IMMUNIZATION, STATUSES};
pub use input::{DoseInput, Purpose};
pub use vaccines::{CurrentVaccines, Found, Manufacturer, Product, Status, Vaccine, Vaccines};
pub use write::{Provider, create, edit, field_of};

/// System of CVX vaccine codes.
pub const CVX: &str = "http://hl7.org/fhir/sid/cvx";
/// System of MVX manufacturer codes.
pub const MVX: &str = "http://hl7.org/fhir/sid/mvx";
/// System of UCUM units.
pub const UCUM: &str = "http://unitsofmeasure.org";
/// Extension that says whether the dose is to be reported to the immunization registry.
pub const REPORTABLE: &str = "urn:iris:extension:registry-reportable";
/// System of account ids, for a provider who is known as an account and not as a Practitioner.
pub const ACCOUNTS: &str = "urn:iris:account";
