//! A patient's record with a canary in every text: one resource of each type that a chart has, and of those that are about a
//! patient without being in R4's compartment of one.

use serde_json::{Value, json};

use super::canary::Canaries;

const CATEGORY: &str = "http://terminology.hl7.org/CodeSystem/observation-category";
const LOINC: &str = "http://loinc.org";
/// A name space of the house, by which records are searched.
pub(super) const HOUSE: &str = "urn:house";

/// A patient, as the plain dialect takes one.
pub(super) fn person(c: &Canaries, number: u32) -> Value {
    let (ssn, born) = (format!("987-65-43{number:02}"), format!("1931-03-{number:02}"));
    let phones = [format!("555-0173-0{number:02}"), format!("555-0173-1{number:02}")];
    c.known(&ssn, &format!("986-56-43{number:02}"));
    c.known(&born, &format!("1932-07-{number:02}"));
    for phone in &phones {
        c.known(phone, &phone.replace("0173", "0137"));
    }
    json!({
        "first_name": c.word(), "last_name": c.word(), "date_of_birth": born, "gender": "female", "ssn": ssn, "phone": phones[0],
        "email": format!("{}@example.org", c.word()),
        "address": {"street": c.word(), "city": c.word(), "state": c.word(), "zip_code": c.word()},
        "emergency_contact": {"name": c.word(), "relationship": c.word(), "phone": phones[1]}
    })
}

/// What makes resources about one patient.
pub(super) struct Chart<'a> {
    pub(super) c: &'a Canaries,
    pub(super) patient: &'a str,
}

impl Chart<'_> {
    fn text(&self) -> Value {
        json!({"text": self.c.word()})
    }

    fn notes(&self) -> Value {
        json!([self.text()])
    }

    fn subject(&self) -> Value {
        json!({"reference": format!("Patient/{}", self.patient), "display": self.c.word()})
    }

    /// What every resource has: a narrative, an identifier and an extension with text.
    fn of(&self, kind: &str, mut body: Value) -> Value {
        let div = format!("<div xmlns=\"http://www.w3.org/1999/xhtml\">{}</div>", self.c.word());
        body["resourceType"] = json!(kind);
        body["text"] = json!({"status": "generated", "div": div});
        body["extension"] = json!([{"url": "urn:x:remark", "valueString": self.c.word()}]);
        if !["DocumentReference", "Bundle"].contains(&kind) && body.get("identifier").is_none() {
            body["identifier"] = json!([{"system": HOUSE, "value": self.c.word()}]);
        }
        body
    }

    /// A laboratory result or a vital sign.
    pub(super) fn observation(&self, category: &str, code: &str, day: u32) -> Value {
        let value = format!("7310.1{day:02}7");
        self.c.known(&value, &value.replace("7310", "7301"));
        let mut made = self.of(
            "Observation",
            json!({"status": "final", "subject": self.subject(), "note": self.notes(), "interpretation": [self.text()],
                "category": [{"coding": [{"system": CATEGORY, "code": category}]}], "effectiveDateTime": format!("2025-01-{day:02}"),
                "code": {"coding": [{"system": LOINC, "code": code, "display": self.c.word()}]},
                "valueQuantity": {"unit": "mg/dL", "system": "http://unitsofmeasure.org", "code": "mg/dL"}}),
        );
        made["valueQuantity"]["value"] = json!(value.parse::<f64>().unwrap());
        made
    }

    /// The clinical record, in the compartment of the patient.
    pub(super) fn clinical(&self) -> Vec<Value> {
        let subject = || self.subject();
        let active = json!({"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]});
        vec![
            self.of("Encounter", json!({"status": "finished", "class": {"code": "AMB", "display": self.c.word()}, "subject": subject(),
                "type": [self.text()], "reasonCode": [self.text()], "serviceProvider": {"display": self.c.word()},
                "period": {"start": "2025-01-01T09:00:00Z", "end": "2025-01-01T09:30:00Z"},
                "participant": [{"individual": {"display": self.c.word()}}]})),
            self.of("Condition", json!({"subject": subject(), "code": self.text(), "clinicalStatus": active, "onsetDateTime": "2025-01-05",
                "note": self.notes(), "bodySite": [self.text()]})),
            self.of("AllergyIntolerance", json!({"patient": subject(), "code": self.text(), "recordedDate": "2025-01-08",
                "clinicalStatus": {"coding": [
                    {"system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical", "code": "active"}]},
                "note": self.notes(), "reaction": [{"manifestation": [self.text()], "description": self.c.word()}]})),
            self.of("MedicationRequest", json!({"status": "active", "intent": "order", "subject": subject(), "note": self.notes(),
                "medicationCodeableConcept": self.text(), "authoredOn": "2025-01-06", "dosageInstruction": [self.text()]})),
            self.of("MedicationStatement", json!({"status": "active", "subject": subject(), "medicationCodeableConcept": self.text(),
                "effectiveDateTime": "2025-01-07", "note": self.notes(), "reasonCode": [self.text()]})),
            self.of("DiagnosticReport", json!({"status": "final", "subject": subject(), "code": self.text(),
                "effectiveDateTime": "2025-01-09", "conclusion": self.c.word(), "conclusionCode": [self.text()]})),
            self.of("Procedure", json!({"status": "completed", "subject": subject(), "code": self.text(),
                "performedDateTime": "2025-01-10", "note": self.notes(), "outcome": self.text()})),
            self.of("Flag", json!({"status": "active", "subject": subject(), "code": self.text(), "category": [self.text()]})),
            self.of("CarePlan", json!({"status": "active", "intent": "plan", "subject": subject(), "title": self.c.word(),
                "description": self.c.word(), "note": self.notes()})),
            self.of("Goal", json!({"lifecycleStatus": "active", "description": self.text(), "subject": subject(), "note": self.notes()})),
            self.of("FamilyMemberHistory", json!({"status": "completed", "patient": subject(), "name": self.c.word(),
                "relationship": self.text(), "condition": [{"code": self.text()}]})),
            self.of("ServiceRequest", json!({"status": "active", "intent": "order", "subject": subject(), "code": self.text(),
                "patientInstruction": self.c.word(), "note": self.notes()})),
            self.of("ImagingStudy", json!({"status": "available", "subject": subject(), "description": self.c.word(), "note": self.notes()})),
            self.of("Specimen", json!({"subject": subject(), "type": self.text(), "note": self.notes()})),
        ]
    }

    /// Who somebody is and who belongs to them, documents, appointments, insurance, work.
    pub(super) fn around(&self) -> Vec<Value> {
        let subject = || self.subject();
        let one = || json!({"system": HOUSE, "value": self.c.word()});
        vec![
            self.of("RelatedPerson", json!({"patient": subject(), "name": [{"family": self.c.word(), "given": [self.c.word()]}],
                "relationship": [self.text()], "telecom": [{"system": "email", "value": self.c.word()}]})),
            self.of("DocumentReference", json!({"status": "current", "subject": subject(), "description": self.c.word(),
                "date": "2025-01-11T10:00:00Z",
                "content": [{"attachment": {"contentType": "text/plain", "title": self.c.word(), "data": self.c.content()}}]})),
            self.of("Composition", json!({"status": "final", "type": self.text(), "subject": subject(), "date": "2025-01-11",
                "author": [{"display": self.c.word()}], "title": self.c.word(), "identifier": one()})),
            self.of("QuestionnaireResponse", json!({"status": "completed", "subject": subject(), "identifier": one(),
                "item": [{"linkId": "1", "text": self.c.word(), "answer": [{"valueString": self.c.word()}]}]})),
            self.of("Coverage", json!({"status": "active", "beneficiary": subject(), "subscriberId": self.c.word(),
                "payor": [{"display": self.c.word()}]})),
            self.of("Appointment", json!({"status": "booked", "description": self.c.word(), "comment": self.c.word(),
                "start": "2025-02-01T09:00:00Z", "end": "2025-02-01T09:30:00Z",
                "participant": [{"actor": subject(), "status": "accepted"}]})),
            self.of("Communication", json!({"status": "completed", "subject": subject(), "note": self.notes(),
                "payload": [{"contentString": self.c.word()}]})),
            self.of("Task", json!({"status": "requested", "intent": "order", "for": subject(), "description": self.c.word(),
                "note": self.notes()})),
            self.of("List", json!({"status": "current", "mode": "working", "title": self.c.word(), "subject": subject(),
                "note": self.notes()})),
        ]
    }

    /// What is about a patient by a reference that R4's compartment does not know.
    pub(super) fn beyond(&self) -> Vec<Value> {
        let subject = || self.subject();
        vec![
            self.of(
                "Device",
                json!({"patient": subject(), "lotNumber": self.c.word(), "note": self.notes(),
                "deviceName": [{"name": self.c.word(), "type": "user-friendly-name"}]}),
            ),
            self.of(
                "GuidanceResponse",
                json!({"status": "success", "subject": subject(), "moduleUri": "urn:x:module",
                "reasonCode": [self.text()], "note": self.notes()}),
            ),
            self.of("Contract", json!({"status": "executed", "subject": [subject()], "title": self.c.word()})),
            json!({"resourceType": "Binary", "contentType": "text/plain", "data": self.c.content(),
                "securityContext": {"reference": format!("Patient/{}", self.patient)}}),
            json!({"resourceType": "Bundle", "type": "collection", "entry": [{"fullUrl": format!("http://iris.test/fhir/Patient/{}", self.patient),
                "resource": {"resourceType": "Patient", "id": self.patient, "name": [{"family": self.c.word()}]}}]}),
        ]
    }
}
