//! The patient of the plain dialect and the FHIR Patient: one record, two ways to write it down.

mod fields;
mod input;
mod read;
mod write;

#[cfg(test)]
mod tests;

use iris_fhir::json::Writer;
use iris_plain::Record;

pub use fields::{ADDRESS, CONTACT, GENDERS, HISTORY, PATIENT, STATUSES};
pub use input::{AddressInput, ContactInput, PatientInput, Purpose};
pub use write::{create, edit, field_of};

/// System of US social security numbers (HL7 terminology).
pub const SSN_SYSTEM: &str = "http://hl7.org/fhir/sid/us-ssn";
/// System of identifier types (HL7 v2 table 0203).
pub const IDENTIFIER_TYPES: &str = "http://terminology.hl7.org/CodeSystem/v2-0203";
/// System of contact roles (HL7 v2 table 0131).
pub const CONTACT_ROLES: &str = "http://terminology.hl7.org/CodeSystem/v2-0131";
/// The contact role that makes a contact the emergency contact.
pub const EMERGENCY: &str = "C";

/// An address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Address {
    /// `street`
    pub street: Option<String>,
    /// `city`
    pub city: Option<String>,
    /// `state`
    pub state: Option<String>,
    /// `zip_code`
    pub zip_code: Option<String>,
}

/// An emergency contact.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contact {
    /// `name`
    pub name: Option<String>,
    /// `relationship`
    pub relationship: Option<String>,
    /// `phone`
    pub phone: Option<String>,
}

/// What the plain dialect sees of a FHIR Patient.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Patient {
    /// `first_name`: the first given name of the main name.
    pub first_name: Option<String>,
    /// `last_name`
    pub last_name: Option<String>,
    /// `date_of_birth`
    pub date_of_birth: Option<String>,
    /// `gender`
    pub gender: Option<String>,
    /// `ssn`
    pub ssn: Option<String>,
    /// `phone`
    pub phone: Option<String>,
    /// `email`
    pub email: Option<String>,
    /// `medical_record_number`
    pub medical_record_number: Option<String>,
    /// `address`
    pub address: Option<Address>,
    /// `emergency_contact`
    pub emergency_contact: Option<Contact>,
    /// `patient_status`
    pub patient_status: Option<String>,
}

/// The system of the medical record numbers that a tenant of this installation gives out.
#[must_use]
pub fn mrn_system(tenant: iris_kernel::Tenant) -> String {
    format!("urn:iris:tenant:{}:mrn", tenant.0)
}

fn optional(w: &mut Writer, name: &str, value: Option<&String>) {
    if let Some(value) = value {
        w.member(name, value);
    }
}

impl Patient {
    /// Writes the patient object. The caller closes it, after adding what stands beside it.
    pub fn show(&self, record: &Record, w: &mut Writer) {
        w.object();
        w.member("id", &record.id);
        optional(w, "first_name", self.first_name.as_ref());
        optional(w, "last_name", self.last_name.as_ref());
        optional(w, "date_of_birth", self.date_of_birth.as_ref());
        optional(w, "gender", self.gender.as_ref());
        optional(w, "ssn", self.ssn.as_ref());
        optional(w, "phone", self.phone.as_ref());
        optional(w, "email", self.email.as_ref());
        optional(w, "medical_record_number", self.medical_record_number.as_ref());
        if let Some(address) = &self.address {
            w.key("address").object();
            optional(w, "street", address.street.as_ref());
            optional(w, "city", address.city.as_ref());
            optional(w, "state", address.state.as_ref());
            optional(w, "zip_code", address.zip_code.as_ref());
            w.end();
        }
        if let Some(contact) = &self.emergency_contact {
            w.key("emergency_contact").object();
            optional(w, "name", contact.name.as_ref());
            optional(w, "relationship", contact.relationship.as_ref());
            optional(w, "phone", contact.phone.as_ref());
            w.end();
        }
        optional(w, "patient_status", self.patient_status.as_ref());
        w.member("fhir_id", &format!("Patient/{}", record.id));
        record.show(w);
    }
}
