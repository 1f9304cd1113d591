//! The consent object of `/api/v1`.

use iris_plain::{Field, Form};

/// Longest short text, in characters.
const WORD_CHARS_MAX: usize = 250;
/// Longest text of a policy, in characters.
const POLICY_CHARS_MAX: usize = 10_000;

/// What a consent or a provision says.
pub(super) const DECISIONS: &[&str] = &["permit", "deny"];
/// States of a consent in FHIR (consent-state-codes).
pub(super) const STATUSES: &[&str] = &["draft", "proposed", "active", "rejected", "inactive", "entered-in-error"];
/// What a consent is about (consentscope).
pub(super) const SCOPES: &[&str] = &["patient-privacy", "research", "treatment", "adr"];
/// Actions of a provision (consentaction).
pub(super) const ACTIONS: &[&str] = &["collect", "access", "use", "disclose", "correct"];

/// A span of time.
pub const PERIOD: &[Field] = &[
    Field::both("start", Form::Time, "When it begins; a date is a whole day in UTC."),
    Field::both("end", Form::Time, "When it ends; that moment or day is still in it."),
];

/// An exception to what a consent says.
pub const PROVISION: &[Field] = &[
    Field::needed("decision", Form::Choice(DECISIONS), "What it does where all of the following holds."),
    Field::both(
        "actors",
        Form::Texts,
        "Whom it names: `Practitioner/…`, `Organization/…` (a department), `CareTeam/…`, `Patient/…`, `Account/…` (a user's id) \
         or `Client/…` (a machine's). One of them is enough; nobody named means everybody.",
    ),
    Field::both("purposes", Form::Texts, "For what: codes of v3-PurposeOfUse such as TREAT or HRESCH."),
    Field::both("classes", Form::Texts, "What: resource types such as Observation."),
    Field::both("labels", Form::Texts, "Which records: security labels such as R, HIV, PSY, SUD, SEX, SDV, GDIS."),
    Field::both("actions", Form::Texts, "What is done: collect, access, use, disclose, correct."),
    Field::both("period", Form::Object(PERIOD), "When the access happens."),
    Field::returned(
        "further",
        Form::Boolean,
        "Whether it has parts that only the FHIR API shows and changes, such as exceptions of its own.",
    ),
];

/// The consent object.
pub const CONSENT: &[Field] = &[
    Field::always("id", Form::Text(64), "The record's id."),
    Field::always("patient_id", Form::Text(64), "Whose consent it is."),
    Field::both("status", Form::Choice(STATUSES), "active where nothing is said; only active ones count."),
    Field::needed("decision", Form::Choice(DECISIONS), "What holds where no provision says otherwise."),
    Field::both(
        "scope",
        Form::Choice(SCOPES),
        "patient-privacy where nothing is said; only that decides about access here.",
    ),
    Field::both("category", Form::Text(WORD_CHARS_MAX), "What sort of consent it is."),
    Field::both("given_at", Form::Time, "When it was given; now where nothing is said."),
    Field::both("period", Form::Object(PERIOD), "When it counts; outside of it the consent says nothing."),
    Field::both("provisions", Form::Objects(PROVISION), "Exceptions. Where several apply, a denial wins."),
    Field::both("policy_text", Form::Text(POLICY_CHARS_MAX), "What the patient agreed to, in words."),
    Field::both(
        "verified_by",
        Form::Text(WORD_CHARS_MAX),
        "With whom it was verified: `Patient/…` or `RelatedPerson/…`.",
    ),
    Field::both("verified_at", Form::Time, "When it was verified."),
    Field::returned("revoke_reason", Form::Text(WORD_CHARS_MAX), "Why it was taken back."),
    Field::always("counts", Form::Boolean, "Whether it decides about access now."),
    Field::always("fhir_id", Form::Text(80), "Reference of the same record in the FHIR API."),
    Field::always("created_at", Form::Time, "When the record was made."),
    Field::always("created_by", Form::Text(64), "Id of the user or client that made it."),
    Field::always("updated_at", Form::Time, "When this version was made."),
    Field::always("updated_by", Form::Text(64), "Id of the user or client that made this version."),
    Field::always("version", Form::Integer, "Number of this version."),
    Field::always("warnings", Form::Texts, "What cannot be taken as exactly as it was written, and how it is taken."),
];
