//! The patient object of `/api/v1` (fields.md).

use iris_plain::{Field, Form, Presence};

/// Longest name, street or other short text, in characters.
const WORD_CHARS_MAX: usize = 250;

/// An address.
pub const ADDRESS: &[Field] = &[
    Field::both("street", Form::Text(WORD_CHARS_MAX), "Street and number."),
    Field::both("city", Form::Text(WORD_CHARS_MAX), "City."),
    Field::both("state", Form::Text(WORD_CHARS_MAX), "State or province."),
    Field::both("zip_code", Form::Text(WORD_CHARS_MAX), "Postal code."),
];

/// An emergency contact.
pub const CONTACT: &[Field] = &[
    Field::both("name", Form::Text(WORD_CHARS_MAX), "Full name."),
    Field::both("relationship", Form::Text(WORD_CHARS_MAX), "What the contact is to the patient."),
    Field::both("phone", Form::Text(WORD_CHARS_MAX), "Telephone number."),
];

/// What is known of a patient's history, as texts.
pub const HISTORY: &[Field] = &[
    Field::returned("conditions", Form::Texts, "Conditions."),
    Field::returned("medications", Form::Texts, "Medications."),
    Field::returned("allergies", Form::Texts, "Allergies and intolerances."),
    Field::returned("family_history", Form::Texts, "Conditions of relatives."),
    Field::returned("social_history", Form::Open, "Social history by topic."),
];

/// Genders of FHIR (AdministrativeGender).
pub const GENDERS: &[&str] = &["male", "female", "other", "unknown"];
/// States of a patient's record.
pub const STATUSES: &[&str] = &["active", "inactive", "deceased"];

/// The patient object.
pub const PATIENT: &[Field] = &[
    Field::always("id", Form::Text(64), "The record's id."),
    Field::needed("first_name", Form::Text(WORD_CHARS_MAX), "First given name."),
    Field::needed("last_name", Form::Text(WORD_CHARS_MAX), "Family name."),
    Field::needed("date_of_birth", Form::Date, "Date of birth."),
    Field::both("gender", Form::Choice(GENDERS), "Administrative gender."),
    Field::both(
        "ssn",
        Form::Text(11),
        "US social security number, 123-45-6789; `***-**-6789` to callers without the permission healthcare:identifiers. A masked \
         value is refused.",
    ),
    Field::both("phone", Form::Text(WORD_CHARS_MAX), "Telephone number."),
    Field::both("email", Form::Text(WORD_CHARS_MAX), "E-mail address."),
    Field::both(
        "medical_record_number",
        Form::Text(64),
        "Number of the record in this house, unique in the tenant; made with a check digit where none is given.",
    ),
    Field::both("address", Form::Object(ADDRESS), "Home address."),
    Field::taken("address_line1", Form::Text(WORD_CHARS_MAX), "Street, for callers with a flat address."),
    Field::taken("city", Form::Text(WORD_CHARS_MAX), "City, for callers with a flat address."),
    Field::taken("state", Form::Text(WORD_CHARS_MAX), "State, for callers with a flat address."),
    Field::taken("zip_code", Form::Text(WORD_CHARS_MAX), "Postal code, for callers with a flat address."),
    Field::both("emergency_contact", Form::Object(CONTACT), "Whom to call in an emergency."),
    Field::both("patient_status", Form::Choice(STATUSES), "State of the record; active where nothing is said."),
    Field::always("fhir_id", Form::Text(80), "Reference of the same record in the FHIR API."),
    Field {
        presence: Presence::SometimesOrNull,
        ..Field::returned(
            "medical_history",
            Form::Object(HISTORY),
            "What is known of the patient's history; on a single read only, and null while the search is away.",
        )
    },
    Field::always("created_at", Form::Time, "When the record was made."),
    Field::always("created_by", Form::Text(64), "Id of the user or client that made it."),
    Field::always("updated_at", Form::Time, "When this version was made."),
    Field::always("updated_by", Form::Text(64), "Id of the user or client that made this version."),
    Field::always("version", Form::Integer, "Number of this version."),
];
