//! The timeline: every kind of event, by when it happened.

use std::borrow::Cow;

use iris_fhir::json::{Value, Writer};

use super::Names;
use super::item::{dosage, encounter_type, reaction, reason};
use super::observation::told;
use super::read::{concept, first_concept, head, status_code, text, time_of};

/// One sort of record on the timeline. Several may share a kind.
pub struct Event {
    /// The kind, as callers filter by it: one of [`super::fields::KINDS`].
    pub kind: &'static str,
    /// Resource type.
    pub resource: &'static str,
    /// The search parameter that orders it, latest first.
    pub sort: &'static str,
    /// Elements that hold the time which the search parameter sorts by.
    at: &'static [&'static str],
    title: fn(Value<'_>, &Names) -> Option<String>,
    detail: fn(Value<'_>) -> Option<String>,
}

impl std::fmt::Debug for Event {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Event").field("kind", &self.kind).field("resource", &self.resource).finish_non_exhaustive()
    }
}

/// Everything that a timeline is made of.
pub const EVENTS: &[Event] = &[
    event("encounter", "Encounter", "-date", &["period"], visit, reason),
    event("immunization", "Immunization", "-date", &["occurrenceDateTime"], vaccine, lot),
    event(
        "observation",
        "Observation",
        "-date",
        &["effectiveDateTime", "effectivePeriod", "effectiveInstant"],
        code,
        told,
    ),
    event("condition", "Condition", "-onset-date", &["onsetDateTime", "onsetPeriod"], code, severity),
    event("medication", "MedicationRequest", "-authoredon", &["authoredOn"], medication, dosage),
    event(
        "medication",
        "MedicationStatement",
        "-effective",
        &["effectiveDateTime", "effectivePeriod"],
        medication,
        dosage,
    ),
    event("allergy", "AllergyIntolerance", "-date", &["recordedDate"], code, reaction),
    event("report", "DiagnosticReport", "-date", &["effectiveDateTime", "effectivePeriod"], code, conclusion),
    event("procedure", "Procedure", "-date", &["performedDateTime", "performedPeriod"], code, reason),
    event("document", "DocumentReference", "-date", &["date"], document, category),
];

const fn event(
    kind: &'static str,
    resource: &'static str,
    sort: &'static str,
    at: &'static [&'static str],
    title: fn(Value<'_>, &Names) -> Option<String>,
    detail: fn(Value<'_>) -> Option<String>,
) -> Event {
    Event { kind, resource, sort, at, title, detail }
}

impl Event {
    /// Writes one record as an object.
    pub fn item(&self, resource: Value<'_>, names: &Names, w: &mut Writer) {
        head(resource, w);
        w.member("kind", self.kind);
        or_null(w, "at", time_of(resource, self.at));
        or_null(w, "title", (self.title)(resource, names));
        or_null(w, "detail", (self.detail)(resource));
        or_null(w, "status", status(resource));
        w.end();
    }
}

/// The status; of conditions and allergies the clinical one, but that something is not so stands before that it is active.
fn status(resource: Value<'_>) -> Option<String> {
    const UNTRUE: [&str; 2] = ["refuted", "entered-in-error"];
    let verification = || status_code(resource, "verificationStatus");
    let untrue = verification().filter(|status| UNTRUE.contains(&&**status));
    let status = untrue.or_else(|| text(resource, "status")).or_else(|| status_code(resource, "clinicalStatus"));
    status.or_else(verification).map(Cow::into_owned)
}

fn or_null(w: &mut Writer, name: &str, value: Option<String>) {
    w.key(name);
    match value {
        Some(value) => w.string(&value),
        None => w.null(),
    };
}

fn visit(resource: Value<'_>, _: &Names) -> Option<String> {
    encounter_type(resource)
}

fn medication(resource: Value<'_>, names: &Names) -> Option<String> {
    names.medication(resource)
}

fn code(resource: Value<'_>, _: &Names) -> Option<String> {
    concept(resource, "code")
}

fn vaccine(resource: Value<'_>, _: &Names) -> Option<String> {
    concept(resource, "vaccineCode")
}

fn lot(resource: Value<'_>) -> Option<String> {
    text(resource, "lotNumber").map(Cow::into_owned)
}

fn severity(resource: Value<'_>) -> Option<String> {
    concept(resource, "severity")
}

fn conclusion(resource: Value<'_>) -> Option<String> {
    text(resource, "conclusion").map(Cow::into_owned)
}

fn document(resource: Value<'_>, _: &Names) -> Option<String> {
    text(resource, "description").map(Cow::into_owned).or_else(|| concept(resource, "type"))
}

fn category(resource: Value<'_>) -> Option<String> {
    first_concept(resource, "category")
}
