//! Writing the plain consent into a FHIR Consent. A field that did not change leaves its element alone.

use iris_access::consent::{ACCOUNTS, CLIENTS};
use iris_fhir::json::{Value, Writer};
use iris_plain::element::{Change, List, object, string};

use super::input::LEVELS;
use super::{ACT_CODE, Consent, Provision, REVOKE_REASON, SCOPE_SYSTEM, Span};

const CONFIDENTIALITY: &str = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality";
const PURPOSES: &str = "http://terminology.hl7.org/CodeSystem/v3-ActReason";
const PARTICIPATION: &str = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType";
const TYPES: &str = "http://hl7.org/fhir/resource-types";
const ACTIONS: &str = "http://terminology.hl7.org/CodeSystem/consentaction";

/// A new FHIR Consent of a patient; active and about privacy where nothing is said.
#[must_use]
pub fn create(consent: &Consent, patient: &str) -> Vec<u8> {
    let or = |value: &Option<String>, otherwise: &str| Some(value.clone().unwrap_or_else(|| otherwise.to_owned()));
    let consent = Consent {
        patient_id: Some(patient.to_owned()),
        status: or(&consent.status, "active"),
        scope: or(&consent.scope, "patient-privacy"),
        category: or(&consent.category, "Patient consent"),
        ..consent.clone()
    };
    let mut changes = vec![("resourceType", Some(string("Consent")))];
    differences(None, &Consent::default(), &consent, &mut changes);
    object(None, &changes).unwrap_or_default()
}

/// The stored Consent with the changes from what the plain dialect sees in it to `after`.
#[must_use]
pub fn edit(stored: Value<'_>, after: &Consent) -> Vec<u8> {
    let mut changes = Vec::new();
    differences(Some(stored), &Consent::of(stored), after, &mut changes);
    object(Some(stored), &changes).unwrap_or_default()
}

/// The stored Consent, taken back.
#[must_use]
pub fn revoke(stored: Value<'_>, reason: Option<&str>) -> Vec<u8> {
    let mut changes = vec![("status", Some(string("inactive"))), ("_status", None)];
    if let Some(reason) = reason {
        let found = stored.get("extension");
        let is_reason = |one: Value<'_>| one.str_of("url").is_some_and(|url| url == REVOKE_REASON);
        let place = found.and_then(|list| list.items().position(is_reason));
        let mut list = List::of(found);
        list.set(place, object(None, &[("url", Some(string(REVOKE_REASON))), ("valueString", Some(string(reason)))]));
        changes.push(("extension", list.finish()));
    }
    object(Some(stored), &changes).unwrap_or_default()
}

fn differences(root: Option<Value<'_>>, before: &Consent, after: &Consent, changes: &mut Vec<Change<'static>>) {
    let element = |name: &str| root.and_then(|root| root.get(name));
    if before.status != after.status {
        changes.push(("status", after.status.as_deref().map(string)));
        changes.push(("_status", None));
    }
    if before.scope != after.scope {
        changes.push(("scope", after.scope.as_deref().and_then(|code| concept(&[coding(SCOPE_SYSTEM, code)], None))));
    }
    if before.category != after.category {
        let mut list = List::of(element("category"));
        list.set(Some(0), after.category.as_deref().and_then(category));
        changes.push(("category", list.finish()));
    }
    if before.patient_id != after.patient_id {
        let patient = after.patient_id.as_ref().map(|id| string(&format!("Patient/{id}")));
        changes.push(("patient", object(None, &[("reference", patient)])));
    }
    if before.given_at != after.given_at {
        changes.push(("dateTime", after.given_at.as_deref().map(string)));
        changes.push(("_dateTime", None));
    }
    if (&before.decision, &before.policy_text) != (&after.decision, &after.policy_text) {
        changes.push(("policyRule", rule(after)));
    }
    if (&before.verified_by, &before.verified_at) != (&after.verified_by, &after.verified_at) {
        let mut list = List::of(element("verification"));
        list.set(Some(0), verification(after));
        changes.push(("verification", list.finish()));
    }
    let is_decided_otherwise = before.decision != after.decision;
    if is_decided_otherwise || before.period != after.period || before.provisions != after.provisions {
        let mut parts: Vec<Change<'static>> = Vec::new();
        if is_decided_otherwise {
            // R4: the root has no type; the rule behind the consent says it.
            parts.push(("type", None));
        }
        if before.period != after.period {
            parts.push(("period", after.period.as_ref().and_then(Span::write)));
        }
        if before.provisions != after.provisions {
            parts.push(("provision", list(after.provisions.iter().map(provision))));
        }
        changes.push(("provision", object(element("provision"), &parts)));
    }
}

fn list(items: impl Iterator<Item = Vec<u8>>) -> Option<Vec<u8>> {
    let mut list = List::of(None);
    items.for_each(|item| list.set(None, Some(item)));
    list.finish()
}

fn coding(system: &str, code: &str) -> Vec<u8> {
    let mut w = Writer::new();
    w.object().member("system", system).member("code", code);
    w.finish()
}

fn concept(codings: &[Vec<u8>], text: Option<&str>) -> Option<Vec<u8>> {
    object(None, &[("coding", list(codings.iter().cloned())), ("text", text.map(string))])
}

/// R4 wants a category; this is LOINC's for any consent of a patient, with what the caller calls it.
fn category(text: &str) -> Option<Vec<u8>> {
    concept(&[coding("http://loinc.org", "59284-0")], Some(text))
}

fn rule(consent: &Consent) -> Option<Vec<u8>> {
    let code = match consent.decision.as_deref() {
        Some("permit") => "OPTIN",
        _ => "OPTOUT",
    };
    concept(&[coding(ACT_CODE, code)], consent.policy_text.as_deref())
}

fn verification(consent: &Consent) -> Option<Vec<u8>> {
    if consent.verified_by.is_none() && consent.verified_at.is_none() {
        return None;
    }
    let with = consent.verified_by.as_deref().and_then(reference);
    let at = consent.verified_at.as_deref().map(string);
    object(None, &[("verified", Some(b"true".to_vec())), ("verifiedWith", with), ("verificationDate", at)])
}

/// A Reference to what the plain dialect calls `Type/id`: accounts are no resources and are named by their id.
pub(crate) fn reference(text: &str) -> Option<Vec<u8>> {
    let named = |system: &str, id: &str| object(None, &[("system", Some(string(system))), ("value", Some(string(id)))]);
    match text.split_once('/') {
        Some(("Account", id)) => object(None, &[("identifier", named(ACCOUNTS, id))]),
        Some(("Client", id)) => object(None, &[("identifier", named(CLIENTS, id))]),
        _ => object(None, &[("reference", Some(string(text)))]),
    }
}

fn provision(provision: &Provision) -> Vec<u8> {
    let actor = |text: &String| {
        let role = concept(&[coding(PARTICIPATION, "IRCP")], None);
        object(None, &[("role", role), ("reference", reference(text))])
    };
    let codings = |system: &'static str, codes: &[String]| list(codes.iter().map(|code| coding(system, code)));
    let label = |code: &String| {
        let system = if LEVELS.contains(&code.as_str()) { CONFIDENTIALITY } else { ACT_CODE };
        coding(system, code)
    };
    let action = |code: &String| concept(&[coding(ACTIONS, code)], None);
    let parts = [
        ("type", Some(string(&provision.decision))),
        ("period", provision.period.as_ref().and_then(Span::write)),
        ("actor", list(provision.actors.iter().filter_map(actor))),
        ("action", list(provision.actions.iter().filter_map(action))),
        ("securityLabel", list(provision.labels.iter().map(label))),
        ("purpose", codings(PURPOSES, &provision.purposes)),
        ("class", codings(TYPES, &provision.classes)),
    ];
    object(None, &parts).unwrap_or_default()
}

/// The plain field behind a place in the FHIR Consent, as a JSON pointer: for faults that were found in the FHIR form.
#[must_use]
pub fn field_of(pointer: &str) -> String {
    let mut parts = pointer.trim_start_matches('/').split('/');
    let element = parts.next().unwrap_or_default();
    match element.trim_start_matches('_') {
        "status" => "/status".to_owned(),
        "scope" => "/scope".to_owned(),
        "category" => "/category".to_owned(),
        "patient" => "/patient_id".to_owned(),
        "dateTime" => "/given_at".to_owned(),
        "policyRule" => "/decision".to_owned(),
        "verification" => "/verified_by".to_owned(),
        "provision" => match (parts.next(), parts.next(), parts.next()) {
            (Some("period"), ..) => "/period".to_owned(),
            (Some("provision"), Some(place), Some("actor")) => format!("/provisions/{place}/actors"),
            (Some("provision"), Some(place), _) => format!("/provisions/{place}"),
            _ => "/provisions".to_owned(),
        },
        // An element that the plain dialect does not know keeps its own place.
        _ => pointer.to_owned(),
    }
}
