//! One record of a list as an object. The members are those of the tables in [`super::fields`].

use std::borrow::Cow;

use iris_fhir::json::{Value, Writer};
use iris_plain::shown;

use super::Names;
use super::read::{
    codes, concept, concept_text, display, first_concept, head, items, member, status_code, text, time_of,
};

pub(super) fn alert(resource: Value<'_>, w: &mut Writer) {
    head(resource, w);
    member(w, "title", concept(resource, "code"));
    codes(resource, "code", w);
    member(w, "status", text(resource, "status"));
    member(w, "category", first_concept(resource, "category"));
    let period = resource.get("period");
    member(w, "since", period.and_then(|period| time_of(period, &["start"])));
    member(w, "until", period.and_then(|period| time_of(period, &["end"])));
    w.end();
}

pub(super) fn condition(resource: Value<'_>, w: &mut Writer) {
    head(resource, w);
    member(w, "condition", concept(resource, "code"));
    codes(resource, "code", w);
    member(w, "category", first_concept(resource, "category"));
    member(w, "severity", concept(resource, "severity"));
    member(w, "status", status_code(resource, "clinicalStatus"));
    member(w, "verification", status_code(resource, "verificationStatus"));
    member(w, "onset", time_of(resource, &["onsetDateTime", "onsetPeriod", "recordedDate"]));
    member(w, "abated", time_of(resource, &["abatementDateTime", "abatementPeriod"]));
    member(w, "recorded_at", time_of(resource, &["recordedDate"]));
    w.end();
}

pub(super) fn allergy(resource: Value<'_>, w: &mut Writer) {
    head(resource, w);
    member(w, "substance", concept(resource, "code"));
    codes(resource, "code", w);
    member(w, "category", items(resource, "category").find_map(Value::as_str));
    member(w, "reaction", reaction(resource));
    let severity = reactions(resource).first().and_then(|worst| text(*worst, "severity"));
    member(w, "severity", severity.or_else(|| text(resource, "criticality")));
    member(w, "criticality", text(resource, "criticality"));
    member(w, "status", status_code(resource, "clinicalStatus"));
    member(w, "verification", status_code(resource, "verificationStatus"));
    member(w, "onset", time_of(resource, &["onsetDateTime", "onsetPeriod"]));
    member(w, "recorded_at", time_of(resource, &["recordedDate"]));
    w.end();
}

/// How it showed: at its worst.
pub(super) fn reaction(resource: Value<'_>) -> Option<String> {
    reactions(resource).into_iter().flat_map(|reaction| items(reaction, "manifestation")).find_map(concept_text)
}

/// The reactions, the worst first: a rash that was written down before must not hide an anaphylaxis.
fn reactions(resource: Value<'_>) -> Vec<Value<'_>> {
    const SEVERITIES: [&str; 3] = ["severe", "moderate", "mild"];
    let rank = |reaction: &Value<'_>| {
        let severity = text(*reaction, "severity");
        SEVERITIES.iter().position(|known| severity.as_deref() == Some(known)).unwrap_or(SEVERITIES.len())
    };
    let mut reactions: Vec<Value<'_>> = items(resource, "reaction").collect();
    reactions.sort_by_key(rank);
    reactions
}

/// How a medication is to be taken: the texts of the instructions.
pub(super) fn dosage(resource: Value<'_>) -> Option<String> {
    let texts: Vec<_> = items(resource, "dosageInstruction")
        .chain(items(resource, "dosage"))
        .filter_map(|dosage| text(dosage, "text").or_else(|| text(dosage, "patientInstruction")))
        .map(|text| text.trim().to_owned())
        .collect();
    (!texts.is_empty()).then(|| texts.join("; "))
}

pub(super) fn medication(resource: Value<'_>, names: &Names, w: &mut Writer) {
    head(resource, w);
    member(w, "medication_name", names.medication(resource));
    codes(resource, "medicationCodeableConcept", w);
    member(w, "dosage", dosage(resource));
    let referred = || items(resource, "reasonReference").find_map(|reason| text(reason, "display"));
    member(w, "reason", first_concept(resource, "reasonCode").or_else(|| referred().map(Cow::into_owned)));
    member(w, "intent", text(resource, "intent"));
    member(w, "status", text(resource, "status"));
    member(w, "since", time_of(resource, &["authoredOn", "effectiveDateTime", "effectivePeriod"]));
    w.end();
}

pub(super) fn immunization(resource: Value<'_>, w: &mut Writer) {
    head(resource, w);
    member(w, "vaccine_name", concept(resource, "vaccineCode"));
    member(w, "vaccine_code", super::read::coding(resource, "vaccineCode").and_then(|coding| text(coding, "code")));
    member(w, "status", text(resource, "status"));
    member(w, "administered_at", time_of(resource, &["occurrenceDateTime", "occurrenceString"]));
    w.end();
}

/// What sort of encounter it was: its type, else its class.
pub(super) fn encounter_type(resource: Value<'_>) -> Option<String> {
    let class = || {
        let class = resource.get("class")?;
        text(class, "display").or_else(|| text(class, "code")).map(Cow::into_owned)
    };
    first_concept(resource, "type").or_else(class)
}

pub(super) fn reason(resource: Value<'_>) -> Option<String> {
    let referred = || items(resource, "reasonReference").find_map(|reason| text(reason, "display"));
    first_concept(resource, "reasonCode").or_else(|| referred().map(Cow::into_owned))
}

pub(super) fn encounter(resource: Value<'_>, w: &mut Writer) {
    head(resource, w);
    member(w, "encounter_type", encounter_type(resource));
    if let Some(kind) = items(resource, "type").next() {
        let coded = items(kind, "coding").find(|coding| coding.get("code").is_some());
        member(w, "code", coded.and_then(|coding| text(coding, "code")));
        member(w, "system", coded.and_then(|coding| text(coding, "system")));
    }
    member(w, "class", resource.get("class").and_then(|class| text(class, "code")));
    member(w, "status", text(resource, "status"));
    member(w, "reason", reason(resource));
    let people: Vec<_> = items(resource, "participant").filter_map(|part| display(part, "individual")).collect();
    member(w, "provider", (!people.is_empty()).then(|| people.join(", ")));
    let location = || items(resource, "location").find_map(|place| display(place, "location"));
    member(w, "place", location().or_else(|| display(resource, "serviceProvider")));
    if let Some(period) = resource.get("period") {
        member(w, "start", text(period, "start").map(|at| shown(&at)));
        member(w, "end", text(period, "end").map(|at| shown(&at)));
    }
    w.end();
}
