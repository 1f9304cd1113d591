//! Finding patients, and records that may be of one person.

use iris_plain::{Field, Form};
use iris_records::duplicates::Certainty;
use iris_records::patient::PATIENT;

use super::{NEXT, Object, TOTAL, answer, change};

/// A patient and why it was found.
const FOUND_PATIENT: &[Field] = {
    const FIELDS: [Field; PATIENT.len() + 1] = {
        let mut fields = [Field::returned(
            "matched",
            Form::Texts,
            "With `q`, what of it was found: name, name_spelling, name_sound, date_of_birth, phone, email, \
             medical_record_number, ssn, identifier.",
        ); PATIENT.len() + 1];
        let mut i = 0;
        while i < PATIENT.len() {
            fields[i] = PATIENT[i];
            i += 1;
        }
        fields
    };
    &FIELDS
};

const PATIENT_SEARCH: &[Field] = &[
    Field::always("items", Form::ListOf("FoundPatient"), "The patients; with `q` the best finds first."),
    NEXT,
    TOTAL,
    Field::returned(
        "more",
        Form::Boolean,
        "With `q`, whether more patients match than are listed; type more to narrow.",
    ),
];

const DUPLICATE: &[Field] = &[
    Field::always("patient", Form::Named("Patient"), "The record that may be of the same person."),
    Field::always("score", Form::Integer, "How alike, from 0 to 100."),
    Field::always("certainty", Form::Choice(&Certainty::WORDS), "How sure it is; a person decides."),
    Field::always(
        "reasons",
        Form::Texts,
        "What speaks for one person, as words such as same_birth_date and similar_name.",
    ),
    Field::always("against", Form::Texts, "What speaks against it, as words such as other_first_name."),
];

const DUPLICATE_LIST: &[Field] = &[
    Field::always("items", Form::ListOf("Duplicate"), "The records, the likest first."),
    Field::returned(
        "not_compared",
        Form::Texts,
        "Fields that were given and not compared, because the caller may not search by them: ssn without healthcare:identifiers.",
    ),
];

/// Every object of this theme.
pub(super) const SCHEMAS: &[Object] = &[
    answer("FoundPatient", FOUND_PATIENT),
    answer("PatientSearch", PATIENT_SEARCH),
    change("PatientFields", PATIENT),
    answer("Duplicate", DUPLICATE),
    answer("DuplicateList", DUPLICATE_LIST),
];
