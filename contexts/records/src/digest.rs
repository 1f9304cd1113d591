//! Short forms of clinical resources: the lists of a patient's summary and the texts of the medical history.

use std::borrow::Cow;
use std::collections::BTreeSet;

use iris_fhir::json::{Value, Writer};
use iris_plain::shown;

/// A part of the digest: which resources it is made of, and how one of them is told.
#[derive(Clone, Copy)]
pub struct Source {
    /// Resource type.
    pub kind: &'static str,
    /// Search parameters besides the patient.
    pub parameters: &'static [(&'static str, &'static str)],
    /// In which list of the summary it stands; none for what only the history shows.
    pub summary: Option<Summary>,
    /// In which list of the history it stands.
    pub history: Option<History>,
}

/// The lists of a summary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Summary {
    /// Conditions.
    Problems,
    /// Allergies and intolerances.
    Allergies,
    /// Requested and stated medications.
    Medications,
    /// Immunizations.
    Immunizations,
    /// The latest value of each vital sign.
    VitalSigns,
}

/// The lists of a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum History {
    /// Conditions.
    Conditions,
    /// Medications.
    Medications,
    /// Allergies.
    Allergies,
    /// Conditions of relatives.
    Family,
    /// Social history, by topic.
    Social,
}

/// Everything that summary and history are made of.
pub const SOURCES: [Source; 8] = [
    source("Condition", &[], Some(Summary::Problems), Some(History::Conditions)),
    source("AllergyIntolerance", &[], Some(Summary::Allergies), Some(History::Allergies)),
    source("MedicationRequest", &[], Some(Summary::Medications), Some(History::Medications)),
    source("MedicationStatement", &[], Some(Summary::Medications), Some(History::Medications)),
    source("Immunization", &[("_sort", "-date")], Some(Summary::Immunizations), None),
    source("Observation", &[("category", "vital-signs"), ("_sort", "-date")], Some(Summary::VitalSigns), None),
    source("FamilyMemberHistory", &[], None, Some(History::Family)),
    source("Observation", &[("category", "social-history"), ("_sort", "-date")], None, Some(History::Social)),
];

const fn source(
    kind: &'static str,
    parameters: &'static [(&'static str, &'static str)],
    summary: Option<Summary>,
    history: Option<History>,
) -> Source {
    Source { kind, parameters, summary, history }
}

impl Summary {
    /// Every list, in the order of the answer.
    pub const ALL: [Self; 5] =
        [Self::Problems, Self::Allergies, Self::Medications, Self::Immunizations, Self::VitalSigns];

    /// Name of the list.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Problems => "problems",
            Self::Allergies => "allergies",
            Self::Medications => "medications",
            Self::Immunizations => "immunizations",
            Self::VitalSigns => "vital_signs",
        }
    }

    /// Writes a list from its resources, newest first where they come so.
    pub fn show(self, resources: &[Value<'_>], w: &mut Writer) {
        w.array();
        let mut seen = BTreeSet::new();
        for resource in resources {
            match self {
                Self::Problems => problem(*resource, w),
                Self::Allergies => allergy(*resource, w),
                Self::Medications => medication(*resource, w),
                Self::Immunizations => immunization(*resource, w),
                // Newest first, so the first of each code is the latest.
                Self::VitalSigns if seen.insert(first_code(*resource)) => vital_sign(*resource, w),
                Self::VitalSigns => {}
            }
        }
        w.end();
    }
}

impl History {
    /// Every list, in the order of the answer.
    pub const ALL: [Self; 5] = [Self::Conditions, Self::Medications, Self::Allergies, Self::Family, Self::Social];

    /// Name of the list.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Conditions => "conditions",
            Self::Medications => "medications",
            Self::Allergies => "allergies",
            Self::Family => "family_history",
            Self::Social => "social_history",
        }
    }

    /// Writes a list from its resources: each text once, in their order.
    pub fn show(self, resources: &[Value<'_>], w: &mut Writer) {
        let mut seen = BTreeSet::new();
        if self == Self::Social {
            w.object();
            for resource in resources {
                let Some(topic) = concept(*resource, "code") else { continue };
                if let Some(value) = observed(*resource).filter(|_| seen.insert(topic.clone())) {
                    w.member(&topic, &value);
                }
            }
            w.end();
            return;
        }
        w.array();
        for text in resources.iter().flat_map(|resource| self.texts(*resource)) {
            if seen.insert(text.clone()) {
                w.string(&text);
            }
        }
        w.end();
    }

    fn texts(self, resource: Value<'_>) -> Vec<String> {
        match self {
            Self::Medications => medication_name(resource).into_iter().collect(),
            Self::Family => {
                let who = concept(resource, "relationship");
                let conditions = items(resource, "condition").filter_map(|condition| concept(condition, "code"));
                conditions.map(|what| who.as_ref().map_or(what.clone(), |who| format!("{who}: {what}"))).collect()
            }
            Self::Conditions | Self::Allergies | Self::Social => concept(resource, "code").into_iter().collect(),
        }
    }
}

fn text<'a>(value: Value<'a>, name: &str) -> Option<Cow<'a, str>> {
    value.str_of(name)
}

fn items<'a>(value: Value<'a>, name: &str) -> impl Iterator<Item = Value<'a>> {
    value.get(name).into_iter().flat_map(Value::items)
}

/// A CodeableConcept as a text: what was written, else the first display, else the first code.
fn concept(owner: Value<'_>, name: &str) -> Option<String> {
    let concept = owner.get(name)?;
    let of_coding = |part: &'static str| items(concept, "coding").find_map(move |coding| text(coding, part));
    text(concept, "text").or_else(|| of_coding("display")).or_else(|| of_coding("code")).map(Cow::into_owned)
}

fn first_code(resource: Value<'_>) -> Option<String> {
    let coded = resource.get("code").and_then(|code| items(code, "coding").find_map(|coding| text(coding, "code")));
    coded.map(Cow::into_owned).or_else(|| concept(resource, "code"))
}

/// The code of a status concept: `active`, `confirmed` …
fn status_code<'a>(owner: Value<'a>, name: &str) -> Option<Cow<'a, str>> {
    items(owner.get(name)?, "coding").find_map(|coding| text(coding, "code"))
}

fn member(w: &mut Writer, name: &str, value: Option<impl AsRef<str>>) {
    if let Some(value) = value {
        w.member(name, value.as_ref());
    }
}

fn time(w: &mut Writer, name: &str, owner: Value<'_>, elements: &[&str]) {
    let found = elements.iter().find_map(|element| match owner.get(element) {
        Some(value) => value.as_str().map(Cow::into_owned).or_else(|| text(value, "start").map(Cow::into_owned)),
        None => None,
    });
    member(w, name, found.map(|at| shown(&at)));
}

fn head(resource: Value<'_>, w: &mut Writer) {
    w.object();
    member(w, "id", text(resource, "id"));
}

fn problem(resource: Value<'_>, w: &mut Writer) {
    head(resource, w);
    member(w, "condition", concept(resource, "code"));
    member(w, "status", status_code(resource, "clinicalStatus"));
    time(w, "onset", resource, &["onsetDateTime", "onsetPeriod", "recordedDate"]);
    w.end();
}

fn allergy(resource: Value<'_>, w: &mut Writer) {
    head(resource, w);
    member(w, "substance", concept(resource, "code"));
    member(w, "reaction", items(resource, "reaction").flat_map(|r| items(r, "manifestation")).find_map(bare_concept));
    let severity = items(resource, "reaction").find_map(|reaction| text(reaction, "severity"));
    member(w, "severity", severity.or_else(|| text(resource, "criticality")));
    member(w, "status", status_code(resource, "clinicalStatus"));
    w.end();
}

fn bare_concept(concept: Value<'_>) -> Option<String> {
    let display = || items(concept, "coding").find_map(|coding| text(coding, "display"));
    text(concept, "text").or_else(display).map(Cow::into_owned)
}

fn medication_name(resource: Value<'_>) -> Option<String> {
    let reference = || text(resource.get("medicationReference")?, "display").map(Cow::into_owned);
    concept(resource, "medicationCodeableConcept").or_else(reference)
}

fn medication(resource: Value<'_>, w: &mut Writer) {
    head(resource, w);
    member(w, "medication_name", medication_name(resource));
    member(w, "status", text(resource, "status"));
    time(w, "since", resource, &["authoredOn", "effectiveDateTime", "effectivePeriod"]);
    w.end();
}

fn immunization(resource: Value<'_>, w: &mut Writer) {
    head(resource, w);
    member(w, "vaccine_name", concept(resource, "vaccineCode"));
    let code =
        resource.get("vaccineCode").and_then(|code| items(code, "coding").find_map(|coding| text(coding, "code")));
    member(w, "vaccine_code", code);
    member(w, "status", text(resource, "status"));
    time(w, "administered_at", resource, &["occurrenceDateTime", "occurrenceString"]);
    w.end();
}

fn vital_sign(resource: Value<'_>, w: &mut Writer) {
    head(resource, w);
    member(w, "name", concept(resource, "code"));
    member(w, "code", first_code(resource));
    value_of(resource, w);
    let mut components = items(resource, "component").peekable();
    if components.peek().is_some() {
        w.key("components").array();
        for component in components {
            w.object();
            member(w, "name", concept(component, "code"));
            value_of(component, w);
            w.end();
        }
        w.end();
    }
    time(w, "at", resource, &["effectiveDateTime", "effectivePeriod", "effectiveInstant", "issued"]);
    w.end();
}

/// A quantity keeps its exact decimal; anything else is told as a text.
fn value_of(owner: Value<'_>, w: &mut Writer) {
    if let Some(quantity) = owner.get("valueQuantity") {
        if let Some(number) = quantity.get("value").and_then(Value::number) {
            w.key("value").raw(number.as_bytes());
        }
        member(w, "unit", text(quantity, "unit").or_else(|| text(quantity, "code")));
    } else {
        member(w, "value", observed(owner));
    }
}

fn observed(owner: Value<'_>) -> Option<String> {
    if let Some(quantity) = owner.get("valueQuantity") {
        let unit = text(quantity, "unit").unwrap_or_default();
        return quantity
            .get("value")
            .and_then(Value::number)
            .map(|number| format!("{number} {unit}").trim().to_owned());
    }
    let plain =
        owner.get("valueString").or_else(|| owner.get("valueDateTime")).and_then(Value::as_str).map(Cow::into_owned);
    let exact = || match (owner.get("valueBoolean"), owner.get("valueInteger")) {
        (Some(value), _) | (None, Some(value)) => Some(String::from_utf8_lossy(value.raw()).into_owned()),
        (None, None) => None,
    };
    plain.or_else(|| concept(owner, "valueCodeableConcept")).or_else(exact)
}

#[cfg(test)]
mod tests {
    use iris_fhir::json::Json;

    use super::*;

    fn told(resources: &[&str], show: impl Fn(&[Value<'_>], &mut Writer)) -> String {
        let parsed: Vec<Json> = resources.iter().map(|text| Json::parse((*text).to_owned()).unwrap()).collect();
        let roots: Vec<Value<'_>> = parsed.iter().map(Json::root).collect();
        let mut w = Writer::new();
        show(&roots, &mut w);
        String::from_utf8(w.finish()).unwrap()
    }

    #[test]
    fn the_latest_vital_sign_of_each_code_is_told_exactly() {
        let new = r#"{"id":"2","code":{"coding":[{"code":"8867-4","display":"Heart rate"}]},
            "valueQuantity":{"value":72.50,"unit":"/min"},"effectiveDateTime":"2025-01-02T10:00:00+02:00"}"#;
        let old = new.replace("72.50", "60").replace("\"2\"", "\"1\"");
        let text = told(&[new, &old], |resources, w| Summary::VitalSigns.show(resources, w));
        let expected = r#"[{"id":"2","name":"Heart rate","code":"8867-4","value":72.50,"unit":"/min","at":"2025-01-02T08:00:00Z"}]"#;
        assert_eq!(text, expected);
    }

    #[test]
    fn the_history_tells_each_text_once() {
        let condition = r#"{"code":{"text":"Asthma"}}"#;
        assert_eq!(told(&[condition, condition], |r, w| History::Conditions.show(r, w)), r#"["Asthma"]"#);
        let family = r#"{"relationship":{"text":"father"},"condition":[{"code":{"text":"Heart disease"}}]}"#;
        assert_eq!(told(&[family], |r, w| History::Family.show(r, w)), r#"["father: Heart disease"]"#);
        let smoking = r#"{"code":{"text":"smoking"},"valueCodeableConcept":{"text":"Never"}}"#;
        assert_eq!(told(&[smoking], |r, w| History::Social.show(r, w)), r#"{"smoking":"Never"}"#);
    }
}
