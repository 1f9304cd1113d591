//! Batches, transactions and conditions: what they may tell, what they may touch, and what is written down about it.

use iris_testkit::Clinic;
use serde_json::{Value, json};

const BINARY: &str = env!("CARGO_BIN_EXE_iris");

fn entry(method: &str, url: &str, resource: &Value) -> Value {
    let mut entry = json!({ "request": { "method": method, "url": url } });
    if !resource.is_null() {
        entry["resource"] = resource.clone();
    }
    entry
}

fn bundle(kind: &str, entries: &[Value]) -> Value {
    json!({ "resourceType": "Bundle", "type": kind, "entry": entries })
}

fn post(clinic: &Clinic, bearer: &str, bundle: &Value) -> (u16, Value) {
    let answer = clinic.plain(bearer, "POST", "/fhir", bundle);
    (answer.status, answer.json())
}

#[test]
fn a_transaction_resolves_references_to_its_own_entries() {
    let clinic = Clinic::open(BINARY);
    let mut patient = entry("POST", "Patient", &json!({ "resourceType": "Patient" }));
    patient["fullUrl"] = json!("urn:uuid:4e5b7a3c-0c3b-4a6e-8f43-000000000001");
    let observation = entry(
        "POST",
        "Observation",
        &json!({ "resourceType": "Observation", "status": "final", "code": { "text": "x" },
            "subject": { "reference": "urn:uuid:4e5b7a3c-0c3b-4a6e-8f43-000000000001" } }),
    );
    let (status, answer) = post(&clinic, &clinic.bearer, &bundle("transaction", &[observation.clone(), patient]));
    assert_eq!(status, 200, "{answer}");
    let location = answer["entry"][0]["response"]["location"].as_str().unwrap();
    let path = location.split("/_history").next().unwrap().rsplit("Observation/").next().unwrap();
    let stored = clinic.get(&format!("/fhir/Observation/{path}")).expect(200).json();
    let patient = answer["entry"][1]["response"]["location"].as_str().unwrap();
    let reference = stored["subject"]["reference"].as_str().unwrap();
    assert!(reference.starts_with("Patient/") && patient.contains(reference), "{reference} {patient}");
    let (status, answer) = post(&clinic, &clinic.bearer, &bundle("transaction", &[observation]));
    assert_eq!(status, 422, "{answer}");
}

#[test]
fn a_relative_reference_means_the_record_beside_its_own_entry() {
    let clinic = Clinic::open(BINARY);
    let with_url = |url: &str, mut entry: Value| {
        entry["fullUrl"] = json!(url);
        entry
    };
    let patient = |name: &str| json!({ "resourceType": "Patient", "name": [{ "family": name }] });
    let observation = json!({ "resourceType": "Observation", "status": "final", "code": { "text": "x" },
        "subject": { "reference": "Patient/1" } });
    let entries = [
        with_url("http://a.example/fhir/Patient/1", entry("POST", "Patient", &patient("Alpha"))),
        with_url("http://b.example/fhir/Patient/1", entry("POST", "Patient", &patient("Beta"))),
        with_url("http://a.example/fhir/Observation/9", entry("POST", "Observation", &observation)),
    ];
    let (status, answer) = post(&clinic, &clinic.bearer, &bundle("transaction", &entries));
    assert_eq!(status, 200, "{answer}");
    let found = clinic.get("/fhir/Observation").expect(200).json();
    let subject = found["entry"][0]["resource"]["subject"]["reference"].as_str().unwrap().to_owned();
    let subject = clinic.get(&format!("/fhir/{subject}")).expect(200).json();
    assert_eq!(subject["name"][0]["family"], "Alpha");
}

#[test]
fn each_entry_of_a_batch_stands_alone() {
    let clinic = Clinic::open(BINARY);
    let entries = [
        entry("POST", "Patient", &json!({ "resourceType": "Patient", "birthDate": "yesterday" })),
        entry("POST", "Patient", &json!({ "resourceType": "Patient", "active": true })),
        entry("GET", "Patient/absent", &Value::Null),
        entry("GET", "Patient?_count=1", &Value::Null),
        entry("PATCH", "Patient/x", &Value::Null),
    ];
    let (status, answer) = post(&clinic, &clinic.bearer, &bundle("batch", &entries));
    assert_eq!(status, 200, "{answer}");
    let statuses: Vec<&str> =
        (0..5).map(|i| &answer["entry"][i]["response"]["status"].as_str().unwrap()[..3]).collect();
    assert_eq!(statuses, ["422", "201", "404", "200", "422"], "{answer}");
    assert_eq!(clinic.get("/fhir/Patient?_summary=count").expect(200).json()["total"], 1);
}

#[test]
fn a_bundle_that_is_not_one_is_refused_whole() {
    let clinic = Clinic::open(BINARY);
    let made = clinic.fhir("PUT", "/fhir/Patient/p1", br#"{"resourceType":"Patient","id":"p1","active":true}"#);
    let _ = made.expect(201);
    let inactive = json!({ "resourceType": "Patient", "id": "p1", "active": false });
    let with = |member: &str, value: Value, method: &str| {
        let mut entry = entry(method, if method == "PUT" { "Patient/p1" } else { "Patient" }, &inactive);
        entry["request"][member] = value;
        bundle("transaction", &[entry])
    };
    let wrong = [
        json!({ "resourceType": "Bundle", "type": "transaction", "entries": [] }),
        json!({ "resourceType": "Bundle", "type": "transaction", "entry": {} }),
        json!({ "resourceType": "Bundle", "type": "history" }),
        with("ifMatch", json!(3), "PUT"),
        with("ifNoneExist", json!("_id=x"), "PUT"),
        with("ifNoneExist", json!(5), "POST"),
        with("ifMatch", json!("W/\"1\""), "POST"),
    ];
    for bundle in wrong {
        let (status, answer) = post(&clinic, &clinic.bearer, &bundle);
        assert_eq!(status, 422, "{bundle} {answer}");
    }
    assert_eq!(clinic.get("/fhir/Patient/p1").expect(200).json()["active"], true);
}

#[test]
fn only_if_absent_means_that() {
    let clinic = Clinic::open(BINARY);
    let put = |active: bool| {
        let body = json!({ "resourceType": "Patient", "id": "p1", "active": active }).to_string();
        let headers = [
            ("authorization", clinic.bearer.as_str()),
            ("content-type", "application/fhir+json"),
            ("if-none-match", "*"),
        ];
        clinic.server.send("PUT", "/fhir/Patient/p1", &headers, Some(body.as_bytes())).status
    };
    assert_eq!(put(true), 201);
    assert_eq!(put(false), 412);
    assert_eq!(clinic.get("/fhir/Patient/p1").expect(200).json()["active"], true);
}

#[test]
fn conditions_tell_nothing_to_who_may_not_search_and_everything_is_written_down() {
    let clinic = Clinic::open(BINARY);
    let condition = json!({ "resourceType": "Condition", "id": "c1", "code": { "coding": [{ "code": "86406008" }] },
        "subject": { "reference": "Patient/p1" } });
    let _ = clinic.fhir("PUT", "/fhir/Patient/p1", br#"{"resourceType":"Patient","id":"p1"}"#).expect(201);
    let _ = clinic.fhir("PUT", "/fhir/Condition/c1", condition.to_string().as_bytes()).expect(201);
    let registrar = clinic.user("reg", "registrar");
    let auditor = clinic.user("aud", "auditor");
    let dose = |criteria: &str| {
        json!({ "resourceType": "Immunization", "status": "completed", "vaccineCode": { "text": "x" },
            "patient": { "reference": "Patient/p1" }, "occurrenceDateTime": "2026-01-01",
            "reasonReference": [{ "reference": criteria }] })
    };
    for criteria in ["Condition?code=86406008", "Condition?code=1"] {
        let (status, answer) =
            post(&clinic, &registrar, &bundle("transaction", &[entry("POST", "Immunization", &dose(criteria))]));
        assert!(!answer.to_string().contains("matches"), "{answer}");
        assert!(matches!(status, 403 | 422), "{status} {answer}");
    }
    let (status, answer) = post(&clinic, &auditor, &bundle("batch", &[entry("GET", "Condition/c1", &Value::Null)]));
    assert_eq!((status, &answer["entry"][0]["response"]["status"].as_str().unwrap()[..3]), (200, "403"));
    let logs = clinic.plain(&auditor, "GET", "/api/v1/audit/logs?action=phi.denied", &Value::Null).expect(200).json();
    let names: Vec<&str> =
        logs["items"].as_array().unwrap().iter().map(|item| item["user_name"].as_str().unwrap()).collect();
    assert_eq!(names, ["aud", "reg", "reg"], "{logs}");
}

#[test]
fn an_address_of_this_server_is_no_way_around_the_compartment() {
    let clinic = Clinic::open(BINARY);
    let body = json!({ "resourceType": "Observation", "status": "final", "code": { "text": "x" },
        "subject": { "reference": format!("{}/fhir/Patient/p1", clinic.server.base) } });
    let answer = clinic.fhir("POST", "/fhir/Observation", body.to_string().as_bytes()).expect(422);
    assert!(answer.json().to_string().contains("Type/id"));
}

#[test]
fn an_import_without_ids_can_be_run_again() {
    let clinic = Clinic::open(BINARY);
    let folder = tempfile::tempdir().unwrap();
    let entries = [entry("POST", "Patient", &json!({ "resourceType": "Patient", "active": true }))];
    let file = folder.path().join("bundle.json");
    std::fs::write(&file, bundle("transaction", &entries).to_string()).unwrap();
    let lines = folder.path().join("lines.ndjson");
    std::fs::write(&lines, "{\"resourceType\":\"Patient\"}\n{\"resourceType\":\"Patient\"}\n").unwrap();
    for (stored, present) in [(3, 0), (0, 3)] {
        let summary = clinic.command(&["import", folder.path().to_str().unwrap(), "-o", "json"]);
        assert_eq!((&summary["stored"], &summary["present"]), (&json!(stored), &json!(present)), "{summary}");
    }
}
