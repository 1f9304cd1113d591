//! What a patient's record is made of here: one resource of each sort, each with a canary in it.

use serde_json::{Value, json};

use super::scene::Target;

pub(super) const BORN: &str = "1985-05-15";
pub(super) const FIRST: &str = "Carla";
/// A number that nobody may learn who may not see the patient.
pub(super) const SSN: &str = "123-45-6789";
const LABELS: &str = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality";
const CATEGORY: &str = "http://terminology.hl7.org/CodeSystem/observation-category";

/// Every sort of record that a target has. `VitalSign` is an Observation.
pub(super) const SORTS: [&str; 18] = [
    "Patient",
    "Consent",
    "Coverage",
    "Immunization",
    "Observation",
    "Appointment",
    "Communication",
    "DocumentReference",
    "ImagingStudy",
    "Practitioner",
    "ValueSet",
    "AuditEvent",
    "Subscription",
    "VitalSign",
    "Condition",
    "AllergyIntolerance",
    "MedicationRequest",
    "Encounter",
];

/// A dose as the plain dialect has it, without its patient.
pub(super) fn dose() -> Value {
    json!({"vaccine_code": "115", "administered_at": "2025-01-02", "lot_number": "finch"})
}

/// The record of this sort as it is stored: with its id, and labelled where the target is.
pub(super) fn of(sort: &str, target: &Target) -> Value {
    let mut body = plain(sort, target);
    body["id"] = json!(target.id(sort));
    if let Some(label) = target.label_of(sort) {
        body["meta"] = json!({"security": [{"system": LABELS, "code": label}]});
    }
    body
}

/// The same with the number that is masked for some.
pub(super) fn whole(sort: &str, target: &Target) -> Value {
    let mut body = of(sort, target);
    if sort == "Patient" {
        body["identifier"] = json!([{"system": "http://hl7.org/fhir/sid/us-ssn", "value": SSN}]);
    }
    body
}

/// Another record of this sort, of the same patient: without a label, and without a canary, since it is seen by more.
pub(super) fn new(sort: &str, target: &Target) -> Value {
    match sort {
        "Patient" => json!({"resourceType": "Patient", "name": [{"family": "New", "given": ["Person"]}]}),
        _ => serde_json::from_str(&plain(sort, target).to_string().replace("canary", "finch")).unwrap(),
    }
}

fn plain(sort: &str, target: &Target) -> Value {
    let patient = json!({"reference": format!("Patient/{}", target.id("Patient"))});
    let mut body = match sort {
        "Patient" => {
            json!({"name": [{"family": target.last_name(), "given": [FIRST]}], "birthDate": BORN, "gender": "female"})
        }
        "Practitioner" => json!({"name": [{"family": "Canary"}]}),
        "ValueSet" => json!({"status": "active", "title": "canary"}),
        "Subscription" => json!({"status": "requested", "reason": "canary", "criteria": "Observation?status=final",
            "channel": {"type": "rest-hook", "endpoint": "https://example.org/hook"}}),
        "Consent" => json!({"status": "inactive", "patient": patient, "dateTime": "2025-01-01",
            "scope": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}]},
            "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
            "policyRule": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "OPTIN"}], "text": "canary"}}),
        "Coverage" => json!({"status": "active", "beneficiary": patient, "payor": [{"display": "canary"}]}),
        "Immunization" => {
            json!({"status": "completed", "patient": patient, "lotNumber": "canary", "occurrenceDateTime": "2025-01-02",
            "vaccineCode": {"coding": [{"system": "http://hl7.org/fhir/sid/cvx", "code": "115"}]}})
        }
        "Observation" => measured(&patient, "laboratory"),
        "VitalSign" => measured(&patient, "vital-signs"),
        "Appointment" => json!({"status": "proposed", "description": "canary",
            "participant": [{"actor": patient, "status": "accepted"}]}),
        "Communication" => json!({"status": "completed", "subject": patient, "payload": [{"contentString": "canary"}]}),
        "DocumentReference" => json!({"status": "current", "subject": patient, "description": "canary",
            "content": [{"attachment": {"contentType": "text/plain"}}]}),
        "ImagingStudy" => json!({"status": "available", "subject": patient, "description": "canary"}),
        "AuditEvent" => json!({"recorded": "2025-01-01T00:00:00Z", "source": {"observer": {"display": "canary"}},
            "type": {"system": "http://terminology.hl7.org/CodeSystem/audit-event-type", "code": "rest"},
            "agent": [{"requestor": true}], "entity": [{"what": patient}]}),
        "Condition" => json!({"subject": patient, "code": {"text": "canary"}}),
        "AllergyIntolerance" => json!({"patient": patient, "code": {"text": "canary"}, "clinicalStatus": {"coding": [
            {"system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical", "code": "active"}]}}),
        "MedicationRequest" => json!({"status": "active", "intent": "order", "subject": patient,
            "medicationCodeableConcept": {"text": "canary"}}),
        "Encounter" => {
            json!({"status": "finished", "class": {"code": "AMB"}, "subject": patient, "type": [{"text": "canary"}]})
        }
        other => panic!("no body for {other}"),
    };
    body["resourceType"] = json!(type_of(sort));
    body
}

/// The type of FHIR that a sort of record is.
pub(super) fn type_of(sort: &str) -> &str {
    if sort == "VitalSign" { "Observation" } else { sort }
}

fn measured(patient: &Value, category: &str) -> Value {
    json!({"status": "final", "subject": patient, "code": {"text": "canary"}, "effectiveDateTime": "2025-01-01",
        "category": [{"coding": [{"system": CATEGORY, "code": category}]}],
        "valueQuantity": {"value": 5.5, "unit": "mg/dL", "system": "http://unitsofmeasure.org", "code": "mg/dL"}})
}
