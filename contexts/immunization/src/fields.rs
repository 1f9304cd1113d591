//! The immunization object of `/api/v1` (fields.md).

use iris_plain::{Field, Form};

/// Longest name or other short text, in characters.
const WORD_CHARS_MAX: usize = 250;
/// Longest note, in characters.
const NOTE_CHARS_MAX: usize = 10_000;

/// States of an immunization in FHIR.
pub const STATUSES: &[&str] = &["completed", "entered-in-error", "not-done"];

/// The immunization object.
pub const IMMUNIZATION: &[Field] = &[
    Field::always("id", Form::Text(64), "The record's id."),
    Field::both("patient_id", Form::Text(64), "Id of the patient; cannot be changed."),
    Field::both(
        "vaccine_code",
        Form::Code,
        "CVX code; codes of other systems as `{system, code}`. A code in no known table is kept as text, with a warning.",
    ),
    Field::both(
        "vaccine_name",
        Form::Text(WORD_CHARS_MAX),
        "Name of the vaccine; where no code is given, a name that stands for exactly one CVX code is coded.",
    )
    .or(&["vaccine"]),
    Field::both("administered_at", Form::Time, "When it was given; now where nothing is said.")
        .or(&["date_administered", "administration_date"]),
    Field::both("lot_number", Form::Text(WORD_CHARS_MAX), "Lot number."),
    Field::both("manufacturer", Form::Text(WORD_CHARS_MAX), "Manufacturer, by name or MVX code."),
    Field::both("expiration_date", Form::Date, "Expiration date of the lot."),
    Field::both("site", Form::Text(WORD_CHARS_MAX), "Where in the body.").or(&["site_administered"]),
    Field::both("route", Form::Text(WORD_CHARS_MAX), "How it entered the body."),
    Field::both("dose_volume", Form::Quantity("mL"), "Amount given."),
    Field::both("provider_id", Form::Text(64), "Id of the practitioner, or of the account, that gave it.")
        .or(&["administered_by"]),
    Field::both(
        "status",
        Form::Choice(STATUSES),
        "completed where nothing is said. entered-in-error voids the record: it stays, with its history, and counts no more.",
    ),
    Field::both("status_reason", Form::Text(WORD_CHARS_MAX), "Why it was not done, or why it is void."),
    Field::both("notes", Form::Text(NOTE_CHARS_MAX), "Notes."),
    Field::both("iris_reportable", Form::Boolean, "Whether it is to be reported to the immunization registry."),
    Field::always("fhir_id", Form::Text(80), "Reference of the same record in the FHIR API."),
    Field::always("created_at", Form::Time, "When the record was made."),
    Field::always("created_by", Form::Text(64), "Id of the user or client that made it."),
    Field::always("updated_at", Form::Time, "When this version was made."),
    Field::always("updated_by", Form::Text(64), "Id of the user or client that made this version."),
    Field::always("version", Form::Integer, "Number of this version."),
    Field::returned(
        "warnings",
        Form::Texts,
        "What was taken but may not be what was meant; in answers to a change only.",
    ),
];
