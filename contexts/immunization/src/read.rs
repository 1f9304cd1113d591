//! Seeing the plain immunization in a FHIR Immunization.

use std::borrow::Cow;

use iris_fhir::json::Value;

use crate::{ACCOUNTS, CVX, Dose, Quantity, REPORTABLE, VaccineCode};

impl Dose {
    /// What the plain dialect sees.
    #[must_use]
    pub fn of(root: Value<'_>) -> Self {
        let vaccine = root.get("vaccineCode");
        let coding = vaccine.and_then(main_coding).map(|(_, coding)| coding);
        let patient = root.get("patient").and_then(|patient| patient.str_of("reference"));
        Self {
            patient_id: patient.as_deref().and_then(|r| r.strip_prefix("Patient/")).map(str::to_owned),
            vaccine_code: coding
                .and_then(|coding| Some(VaccineCode { system: text(coding, "system"), code: text(coding, "code")? })),
            vaccine_name: vaccine.and_then(concept_text),
            administered_at: text(root, "occurrenceDateTime").or_else(|| text(root, "occurrenceString")),
            lot_number: text(root, "lotNumber"),
            manufacturer: root.get("manufacturer").and_then(|maker| {
                let coded = || maker.get("identifier").and_then(|identifier| text(identifier, "value"));
                text(maker, "display").or_else(coded)
            }),
            expiration_date: text(root, "expirationDate"),
            site: root.get("site").and_then(concept_text),
            route: root.get("route").and_then(concept_text),
            dose_volume: root.get("doseQuantity").and_then(quantity),
            provider_id: performer(root).and_then(|(_, performer)| provider(performer)),
            status: text(root, "status"),
            status_reason: root.get("statusReason").and_then(concept_text),
            notes: items(root, "note").next().and_then(|(_, note)| text(note, "text")),
            iris_reportable: reportable(root).and_then(|(_, extension)| extension.get("valueBoolean")?.as_bool()),
        }
    }
}

fn text(owner: Value<'_>, name: &str) -> Option<String> {
    owner.str_of(name).map(Cow::into_owned)
}

fn items<'a>(owner: Value<'a>, name: &str) -> impl Iterator<Item = (usize, Value<'a>)> {
    owner.get(name).into_iter().flat_map(Value::items).enumerate()
}

fn is(owner: Value<'_>, name: &str, wanted: &str) -> bool {
    owner.str_of(name).is_some_and(|text| text == wanted)
}

/// The coding that the plain dialect shows: CVX, else the first.
pub(crate) fn main_coding(vaccine: Value<'_>) -> Option<(usize, Value<'_>)> {
    let cvx = items(vaccine, "coding").find(|(_, coding)| is(*coding, "system", CVX));
    cvx.or_else(|| items(vaccine, "coding").next())
}

fn concept_text(concept: Value<'_>) -> Option<String> {
    let of_coding = |part: &'static str| items(concept, "coding").find_map(move |(_, coding)| text(coding, part));
    text(concept, "text").or_else(|| of_coding("display")).or_else(|| of_coding("code"))
}

fn quantity(quantity: Value<'_>) -> Option<Quantity> {
    let value = quantity.get("value")?.number()?.to_owned();
    let unit = text(quantity, "code").or_else(|| text(quantity, "unit"))?;
    Some(Quantity { value, unit })
}

/// Who gave it: the performer with the function "administering provider", else the first.
pub(crate) fn performer(root: Value<'_>) -> Option<(usize, Value<'_>)> {
    let gave = |performer: Value<'_>| {
        let function = performer.get("function");
        function.is_some_and(|function| items(function, "coding").any(|(_, coding)| is(coding, "code", "AP")))
    };
    items(root, "performer").find(|(_, performer)| gave(*performer)).or_else(|| items(root, "performer").next())
}

fn provider(performer: Value<'_>) -> Option<String> {
    let actor = performer.get("actor")?;
    let reference = actor.str_of("reference");
    let practitioner =
        reference.as_deref().and_then(|reference| reference.strip_prefix("Practitioner/")).map(str::to_owned);
    practitioner.or_else(|| {
        let identifier = actor.get("identifier").filter(|identifier| is(*identifier, "system", ACCOUNTS))?;
        text(identifier, "value")
    })
}

pub(crate) fn reportable(root: Value<'_>) -> Option<(usize, Value<'_>)> {
    items(root, "extension").find(|(_, extension)| is(*extension, "url", REPORTABLE))
}
