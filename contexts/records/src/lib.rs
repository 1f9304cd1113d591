//! Patient records: the plain patient of `/api/v1` and the FHIR Patient, medical record numbers, searches, the summary and the
//! history. Pure mapping; reading and writing is `iris-resources`' business and HTTP is the edge's.

pub mod care_team;
pub mod consent;
pub mod digest;
pub mod duplicates;
pub mod find;
pub mod mrn;
pub mod patient;
mod rule;
pub mod search;

pub use patient::{Patient, PatientInput, Purpose};
pub use rule::PatientRule;
