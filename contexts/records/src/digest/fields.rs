//! The short forms as field tables: what `/openapi.json` says of them, and what the tests hold the writers to.

use iris_plain::{Field, Form};

/// Longest text, in characters.
const TEXT: usize = 10_000;

const fn text(name: &'static str, what: &'static str) -> Field {
    Field::returned(name, Form::Text(TEXT), what)
}

const fn time(name: &'static str, what: &'static str) -> Field {
    Field::returned(name, Form::Time, what)
}

const ID: Field = Field::always("id", Form::Text(64), "The record's id.");
const RESOURCE: Field =
    Field::always("resource", Form::Text(128), "Reference of the record in the FHIR API, `Type/id`.");
const CODE: Field = text("code", "Its code.");
const SYSTEM: Field = text("system", "System of the code.");
const STATUS: Field = text("status", "Status, as FHIR has it.");
const VERIFICATION: Field =
    text("verification", "Whether it is confirmed, provisional, refuted, entered-in-error …, as FHIR has it.");

/// How many records there are of each list.
pub const COUNTS: &[Field] = &[
    count("alerts", "Flags that are in force."),
    count("problems", "Conditions."),
    count("allergies", "Allergies and intolerances."),
    count("medications", "Medications."),
    count("immunizations", "Immunizations."),
    count("encounters", "Encounters."),
];

const fn count(name: &'static str, what: &'static str) -> Field {
    Field::returned(name, Form::Integer, what)
}

/// A flag.
pub const ALERT: &[Field] = &[
    ID,
    RESOURCE,
    text("title", "What to know."),
    CODE,
    SYSTEM,
    STATUS,
    text("category", "What sort of alert it is."),
    time("since", "From when it holds."),
    time("until", "Until when it holds."),
];

/// A condition.
pub const CONDITION: &[Field] = &[
    ID,
    RESOURCE,
    text("condition", "The condition."),
    CODE,
    SYSTEM,
    text("category", "Problem list item, encounter diagnosis …"),
    text("severity", "Severity."),
    text("status", "Clinical status."),
    VERIFICATION,
    time("onset", "Since when."),
    time("abated", "Until when."),
    time("recorded_at", "When it was written down."),
];

/// An allergy or intolerance.
pub const ALLERGY: &[Field] = &[
    ID,
    RESOURCE,
    text("substance", "The substance."),
    CODE,
    SYSTEM,
    text("category", "food, medication, environment or biologic."),
    text("reaction", "The worst reaction."),
    text("severity", "Severity of the worst reaction; where none is known, the criticality."),
    text("criticality", "low, high or unable-to-assess."),
    text("status", "Clinical status."),
    VERIFICATION,
    time("onset", "Since when."),
    time("recorded_at", "When it was written down."),
];

/// A requested or stated medication.
pub const MEDICATION: &[Field] = &[
    ID,
    RESOURCE,
    text("medication_name", "The medication."),
    CODE,
    SYSTEM,
    text("dosage", "How it is to be taken."),
    text("reason", "What it is for."),
    text("intent", "order, plan, proposal …; for requests."),
    STATUS,
    time("since", "Since when."),
];

/// An immunization.
pub const IMMUNIZATION: &[Field] = &[
    ID,
    RESOURCE,
    text("vaccine_name", "The vaccine."),
    text("vaccine_code", "Its code."),
    STATUS,
    time("administered_at", "When it was given."),
];

/// An encounter.
pub const ENCOUNTER: &[Field] = &[
    ID,
    RESOURCE,
    text("encounter_type", "What sort of encounter it was."),
    CODE,
    SYSTEM,
    text("class", "Code of the setting: AMB, IMP, EMER …"),
    STATUS,
    text("reason", "Why."),
    text("provider", "Who took part, by name."),
    text("place", "Where: the organization or location, by name."),
    time("start", "When it began."),
    time("end", "When it ended."),
];

const VALUE: Field = Field::returned("value", Form::Observed, "The value: a number exactly as stored, or a text.");
const UNIT: Field = text("unit", "The unit, in UCUM where the record has it so.");
const LOW: Field = Field::returned("low", Form::Decimal, "Lower end of the reference range, in the same unit.");
const HIGH: Field = Field::returned("high", Form::Decimal, "Upper end of the reference range, in the same unit.");
const INTERPRETATION: Field = text("interpretation", "Code of the interpretation: N, L, H, LL, HH, A …");

/// A part of an observation, such as systolic pressure.
pub const COMPONENT: &[Field] =
    &[text("name", "What was measured."), CODE, SYSTEM, VALUE, UNIT, LOW, HIGH, INTERPRETATION];

/// A vital sign or a laboratory result.
pub const OBSERVATION: &[Field] = &[
    ID,
    RESOURCE,
    text("name", "What was measured."),
    CODE,
    SYSTEM,
    VALUE,
    UNIT,
    LOW,
    HIGH,
    INTERPRETATION,
    Field::returned("components", Form::Objects(COMPONENT), "Parts, such as systolic and diastolic pressure."),
    STATUS,
    time("at", "When."),
];

/// One value of a series.
pub const TREND_POINT: &[Field] = &[
    Field::always("id", Form::Text(64), "Id of the observation."),
    Field::always("at", Form::Time, "When."),
    Field::always("value", Form::Decimal, "The value, exactly as stored."),
    Field::or_null("interpretation", Form::Text(TEXT), "Code of the interpretation: N, L, H, LL, HH, A …"),
];

/// The values of one code in one unit.
pub const TREND_SERIES: &[Field] = &[
    Field::or_null("code", Form::Text(TEXT), "Its code."),
    Field::or_null("system", Form::Text(TEXT), "System of the code."),
    Field::always("name", Form::Text(TEXT), "What was measured."),
    Field::or_null("unit", Form::Text(TEXT), "The unit, in UCUM where the records have it so."),
    Field::or_null("low", Form::Decimal, "Lower end of the newest reference range."),
    Field::or_null("high", Form::Decimal, "Upper end of the newest reference range."),
    Field::always("points", Form::ListOf("TrendPoint"), "The values, oldest first."),
];

/// Kinds of a timeline.
pub const KINDS: &[&str] = &[
    "encounter",
    "immunization",
    "observation",
    "condition",
    "medication",
    "allergy",
    "report",
    "procedure",
    "document",
];

/// One thing that happened.
pub const TIMELINE: &[Field] = &[
    Field::or_null("at", Form::Time, "When; for a period, when it began."),
    Field::always("kind", Form::Choice(KINDS), "What sort of record it is."),
    ID,
    RESOURCE,
    Field::or_null("title", Form::Text(TEXT), "What it is, by name."),
    Field::or_null("detail", Form::Text(TEXT), "What it came to: value, dose, reason …"),
    Field::or_null("status", Form::Text(64), "Status, as FHIR has it."),
];
