//! Wrong input gets a clear answer that names the fault, and leaves nothing behind.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where something is not as it must be")]

use std::io::Write;

use iris_testkit::Clinic;
use serde_json::{Value, json};

const BINARY: &str = env!("CARGO_BIN_EXE_iris");

/// What the OperationOutcome of a refusal says, in one text.
fn said(outcome: &Value) -> String {
    assert_eq!(outcome["resourceType"], "OperationOutcome", "{outcome}");
    outcome["issue"].to_string()
}

#[test]
fn malformed_documents_are_refused_by_name() {
    let clinic = Clinic::open(BINARY);
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let cases: [(&str, Vec<u8>, u16); 9] = [
        ("cut off", br#"{"resourceType":"Patient","active":tr"#.to_vec(), 400),
        ("not JSON", b"<Patient/>".to_vec(), 400),
        ("empty", Vec::new(), 400),
        ("deep", deep.into_bytes(), 400),
        ("duplicate key", br#"{"resourceType":"Patient","active":true,"active":false}"#.to_vec(), 400),
        ("not UTF-8", b"{\"resourceType\":\"Patient\",\"id\":\"\xff\"}".to_vec(), 400),
        ("no type", br#"{"active":true}"#.to_vec(), 400),
        ("unknown type", br#"{"resourceType":"Patiant"}"#.to_vec(), 400),
        ("other type", br#"{"resourceType":"Observation","status":"final","code":{"text":"x"}}"#.to_vec(), 400),
    ];
    for (name, body, status) in cases {
        let answer = clinic.fhir("POST", "/fhir/Patient", &body);
        assert_eq!(answer.status, status, "{name}: {}", String::from_utf8_lossy(&answer.body));
        said(&answer.json());
    }
    let unknown = clinic.fhir("POST", "/fhir/Patiant", b"{}");
    assert_eq!(unknown.status, 404, "{}", String::from_utf8_lossy(&unknown.body));
    assert_eq!(clinic.get("/fhir/Patient?_summary=count").expect(200).json()["total"], 0);
}

#[test]
fn every_fault_of_a_resource_is_named_at_once() {
    let clinic = Clinic::open(BINARY);
    let body = json!({
        "resourceType": "Patient", "birthDate": "2026-02-30", "gender": "unknwn", "nmae": [], "active": "yes",
        "name": [{ "family": ["A", "B"] }], "deceasedBoolean": true, "deceasedDateTime": "2026-01-01",
    });
    let answer = clinic.fhir("POST", "/fhir/Patient", body.to_string().as_bytes()).expect(422);
    let said = said(&answer.json());
    for place in ["birthDate", "gender", "nmae", "active", "family", "deceased"] {
        assert!(said.contains(place), "{place} is not named: {said}");
    }
}

#[test]
fn oversized_bodies_and_bombs_are_refused_before_they_are_read() {
    let clinic = Clinic::open(BINARY);
    let headers = [("authorization", clinic.bearer.as_str()), ("content-type", "application/fhir+json")];
    let large = vec![b' '; 65 << 20];
    match clinic.server.try_send("POST", "/fhir/Patient", &headers, Some(&large)) {
        Ok(answer) => assert_eq!(answer.status, 413),
        // The server may close the connection while the client is still sending.
        Err(error) => println!("connection closed: {error}"),
    }
    let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    for _ in 0..200 {
        bomb.write_all(&vec![b' '; 1 << 20]).unwrap();
    }
    let bomb = bomb.finish().unwrap();
    let headers = [headers[0], headers[1], ("content-encoding", "gzip")];
    let answer = clinic.server.send("POST", "/fhir/Patient", &headers, Some(&bomb));
    assert_eq!(answer.status, 413, "{}", String::from_utf8_lossy(&answer.body));
    let _ = clinic.get("/health").expect(200);
}

#[test]
fn one_bad_entry_stores_nothing_of_a_transaction_and_is_named() {
    let clinic = Clinic::open(BINARY);
    let patient = |family: &str| json!({ "resourceType": "Patient", "name": [{ "family": family }] });
    let entry =
        |resource: Value, url: &str| json!({ "resource": resource, "request": { "method": "POST", "url": url } });
    let dangling = json!({ "resourceType": "Observation", "status": "final", "code": { "text": "x" },
        "subject": { "reference": "Patient/absent" } });
    for (bad, status) in [
        (entry(json!({ "resourceType": "Patient", "birthDate": "yesterday" }), "Patient"), 422),
        (entry(json!({ "resourceType": "NoSuch" }), "NoSuch"), 422),
        (entry(dangling, "Observation"), 422),
    ] {
        let bundle = json!({ "resourceType": "Bundle", "type": "transaction",
            "entry": [entry(patient("Good"), "Patient"), bad, entry(patient("Good"), "Patient")] });
        let answer = clinic.fhir("POST", "/fhir", bundle.to_string().as_bytes());
        assert_eq!(answer.status, status, "{}", String::from_utf8_lossy(&answer.body));
        let said = said(&answer.json());
        assert!(said.contains("entry") && said.contains('1'), "{said}");
    }
    assert_eq!(clinic.get("/fhir/Patient?family=Good").expect(200).json()["total"].as_u64().unwrap_or(0), 0);
    assert_eq!(clinic.get("/fhir/Patient?_summary=count").expect(200).json()["total"], 0);
}

#[test]
fn a_lost_update_is_refused_and_nothing_is_overwritten() {
    let clinic = Clinic::open(BINARY);
    let made = clinic.fhir("POST", "/fhir/Patient", br#"{"resourceType":"Patient","active":true}"#).expect(201);
    let mut patient = made.json();
    let path = format!("/fhir/Patient/{}", patient["id"].as_str().unwrap());
    patient["active"] = json!(false);
    let body = patient.to_string();
    let update = |tag: &str| {
        let headers =
            [("authorization", clinic.bearer.as_str()), ("content-type", "application/fhir+json"), ("if-match", tag)];
        clinic.server.send("PUT", &path, &headers, Some(body.as_bytes())).status
    };
    assert_eq!(update("W/\"1\""), 200);
    assert_eq!(update("W/\"1\""), 412);
    assert_eq!(clinic.get(&path).expect(200).json()["meta"]["versionId"], "2");
}

#[test]
fn what_is_not_supported_is_refused_by_name() {
    let clinic = Clinic::open(BINARY);
    for (query, named) in [
        ("Patient?nmae=x", "nmae"),
        ("Patient?name:contians=x", "contians"),
        ("Observation?subject.nmae=x", "subject.nmae"),
        ("Observation?subject:Device.birthdate=2020", "subject:Device.birthdate"),
        ("Patient?_include=Patient:organisation", "_include"),
        ("Patient?birthdate=zz2020", "birthdate"),
        ("Patient?birthdate=2020-13-01", "birthdate"),
        ("Patient?_sort=nmae", "_sort"),
        ("Patient?_contained=perhaps", "_contained"),
        ("Patient?_count=many", "_count"),
    ] {
        let answer = clinic.get(&format!("/fhir/{query}"));
        assert_eq!(answer.status, 400, "{query}: {}", String::from_utf8_lossy(&answer.body));
        let said = said(&answer.json());
        assert!(said.contains(named), "{query}: {said}");
    }
}

#[test]
fn hostile_text_is_stored_and_returned_as_it_is() {
    let clinic = Clinic::open(BINARY);
    let hostile = ["'; DROP TABLE version; --", "<script>alert(1)</script>", "\u{202e}\u{0}x", "%00%n", "\"}],\"x\":{"];
    for text in hostile.iter().filter(|text| !text.contains('\u{0}')) {
        let body = json!({ "resourceType": "Patient", "name": [{ "family": text, "text": text }] });
        let made = clinic.fhir("POST", "/fhir/Patient", body.to_string().as_bytes()).expect(201).json();
        assert_eq!(made["name"][0]["family"], *text);
        let mut query = String::new();
        for byte in text.bytes() {
            // A comma, a dollar, a bar and a backslash have a meaning in a search value and are escaped.
            match byte {
                b',' | b'$' | b'|' | b'\\' => query.push_str(&format!("%5C%{byte:02X}")),
                _ => query.push_str(&format!("%{byte:02X}")),
            }
        }
        let found = clinic.get(&format!("/fhir/Patient?family:exact={query}")).expect(200).json();
        assert_eq!(found["entry"][0]["resource"]["id"], made["id"], "{text}");
    }
}

#[test]
fn forged_and_missing_tokens_open_nothing() {
    let clinic = Clinic::open(BINARY);
    let real = clinic.bearer.strip_prefix("Bearer ").unwrap();
    let parts: Vec<&str> = real.split('.').collect();
    // {"alg":"none","typ":"JWT"}
    let none = format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{}.", parts[1]);
    let signature: String = parts[2].chars().rev().collect();
    let forged = format!("{}.{}.{signature}", parts[0], parts[1]);
    for token in ["", "x", &none, &forged, &real[..real.len() - 4]] {
        let answer = clinic.server.get("/fhir/Patient", &[("authorization", &format!("Bearer {token}"))]);
        assert_eq!(answer.status, 401, "{token}");
        assert!(answer.header("www-authenticate").is_some());
    }
    assert_eq!(clinic.server.get("/api/v1/patients", &[]).status, 401);
}
