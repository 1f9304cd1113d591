//! What a clinic asks: mostly reads, some searches, some writes, each of them safe to send twice.

use iris_testkit::Nodes;
use iris_testkit::load::{Outcome, Request};
use serde_json::{Value, json};

const FHIR: (&str, &str) = ("content-type", "application/fhir+json");
const SYSTEM: &str = "urn:test:load";
/// Patients that are there before the load begins.
const PATIENTS: usize = 200;

/// The patients and the name of a load.
pub(crate) struct Mix {
    pub(crate) name: &'static str,
    patients: Vec<String>,
}

impl Mix {
    /// Puts the patients there, with an observation each.
    pub(crate) fn over(nodes: &Nodes, name: &'static str) -> Self {
        let mut entries = Vec::new();
        for number in 0..PATIENTS {
            let patient = format!("{name}-patient-{number}");
            entries.push(put(
                &patient,
                &json!({ "resourceType": "Patient", "id": patient,
                "name": [{ "family": format!("Family{number}") }] }),
            ));
            let observation = format!("{name}-first-{number}");
            entries.push(put(&observation, &observed(&observation, &patient)));
        }
        for part in entries.chunks(100) {
            let bundle = json!({ "resourceType": "Bundle", "type": "transaction", "entry": part });
            let headers = [("authorization", nodes.bearer.as_str()), FHIR];
            let _ = nodes.caller().send("POST", "/fhir", &headers, Some(bundle.to_string().as_bytes())).expect(200);
        }
        let patients = (0..PATIENTS).map(|number| format!("{name}-patient-{number}")).collect();
        Self { name, patients }
    }

    /// The request of that number: of ten, three write, one searches, six read.
    pub(crate) fn request(&self, number: u64) -> Request {
        let patient = &self.patients[usize::try_from(number).unwrap() * 7 % self.patients.len()];
        let get = |what, path| Request { what, method: "GET", path, headers: Vec::new(), body: None };
        let fhir = (FHIR.0, FHIR.1.to_owned());
        let own = format!("{}-{number}", self.name);
        match number % 10 {
            0 => Request {
                what: "put",
                method: "PUT",
                path: format!("/fhir/Observation/{own}"),
                headers: vec![fhir],
                body: Some(observed(&own, patient).to_string()),
            },
            1 => Request {
                what: "create",
                method: "POST",
                path: "/fhir/Patient".to_owned(),
                headers: vec![fhir, ("if-none-exist", format!("identifier={SYSTEM}|{own}"))],
                body: Some(
                    json!({ "resourceType": "Patient", "identifier": [{ "system": SYSTEM, "value": own }] })
                        .to_string(),
                ),
            },
            2 => Request {
                what: "dose",
                method: "POST",
                path: format!("/api/v1/patients/{patient}/immunizations"),
                headers: vec![("content-type", "application/json".to_owned()), ("idempotency-key", own.clone())],
                body: Some(json!({ "vaccine_code": "08", "vaccine_name": "Hepatitis B", "notes": own }).to_string()),
            },
            3 => get("search", format!("/fhir/Observation?patient={patient}&_sort=-date&_count=5")),
            4 => get("plain", format!("/api/v1/patients/{patient}")),
            _ => get("read", format!("/fhir/Patient/{patient}")),
        }
    }

    /// Where an acknowledged write can be read, and the text that must stand there. `None` for reads, and for what failed.
    pub(crate) fn written(&self, outcome: &Outcome) -> Option<(String, String)> {
        let answer = outcome.answer.as_ref().ok().filter(|_| outcome.succeeded())?;
        let id = || answer.json()["id"].as_str().unwrap().to_owned();
        let kind = match outcome.what {
            "put" => "Observation",
            "create" => "Patient",
            "dose" => "Immunization",
            _ => return None,
        };
        Some((format!("/fhir/{kind}/{}", id()), format!("\"{}-{}\"", self.name, outcome.number)))
    }
}

fn put(id: &str, resource: &Value) -> Value {
    let url = format!("{}/{id}", resource["resourceType"].as_str().unwrap());
    json!({ "resource": resource, "request": { "method": "PUT", "url": url } })
}

fn observed(id: &str, patient: &str) -> Value {
    json!({ "resourceType": "Observation", "id": id, "status": "final", "code": { "text": "load" },
        "effectiveDateTime": "2026-01-01T10:00:00Z", "valueString": id,
        "subject": { "reference": format!("Patient/{patient}") } })
}
