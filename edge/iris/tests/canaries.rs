//! A thief of the data folder finds no value of any record in it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where something is not as it must be")]

use std::io::Write;
use std::path::Path;

use base64::Engine as _;
use iris_testkit::Clinic;
use serde_json::json;

const BINARY: &str = env!("CARGO_BIN_EXE_iris");
const CANARIES: usize = 200;

/// A value that occurs nowhere by chance.
fn canary(number: usize) -> String {
    format!("Qzkanari{:04}Vrxwelt", number * 37)
}

#[test]
fn two_hundred_planted_values_are_nowhere_in_the_folder() {
    let mut clinic = Clinic::open(BINARY);
    let physician = clinic.user("dr.canary", "physician");
    let bearer = clinic.bearer.clone();
    for chunk in (0..CANARIES).collect::<Vec<_>>().chunks(8) {
        let value = |i: usize| canary(chunk[i]);
        // A client-chosen id, names, an address, an identifier, a search, and a plain patient: every way a value comes in.
        let patient = json!({
            "resourceType": "Patient", "id": value(0),
            "name": [{ "family": value(1), "given": [value(2)] }],
            "identifier": [{ "system": "urn:test", "value": value(3) }],
            "address": [{ "line": [value(4)] }],
        });
        let path = format!("/fhir/Patient/{}", value(0));
        let _ = clinic.fhir("PUT", &path, patient.to_string().as_bytes()).expect(201);
        let _ = clinic.get(&path).expect(200);
        let _ = clinic.get(&format!("/fhir/Patient?family={}", value(5))).expect(200);
        let plain = json!({ "first_name": value(6), "last_name": value(7), "date_of_birth": "1980-02-03" });
        let _ = clinic.plain(&physician, "POST", "/api/v1/patients", &plain).expect(201);
        // Values that are refused must not be logged either.
        let wrong = json!({ "resourceType": "Patient", "birthDate": value(6) });
        let _ = clinic.fhir("POST", "/fhir/Patient", wrong.to_string().as_bytes()).expect(422);
    }
    let _ = clinic.plain(&bearer, "GET", &format!("/fhir/Patient/{}", canary(0)), &json!(null)).expect(200);
    scan(clinic.data());
    assert_eq!(clinic.server.terminate(), Some(0));
    scan(clinic.data());
}

fn scan(folder: &Path) {
    let mut needles = Vec::new();
    for number in 0..CANARIES {
        let value = canary(number);
        let bytes = value.as_bytes();
        needles.push(bytes.to_vec());
        needles.push(value.to_lowercase().into_bytes());
        for offset in 0..3 {
            // Base64 of a longer text shows one of three forms of what is inside it.
            let shifted = [vec![0; offset], bytes.to_vec()].concat();
            let text = base64::engine::general_purpose::STANDARD_NO_PAD.encode(shifted);
            needles.push(text.as_bytes()[4..text.len() - 4].to_vec());
        }
        needles.push(bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into_bytes());
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        gzip.write_all(bytes).unwrap();
        needles.push(gzip.finish().unwrap()[10..24].to_vec());
    }
    let searcher = memchr_set(&needles);
    let mut scanned = 0;
    walk(folder, &mut |path, content| {
        scanned += content.len();
        if let Some(found) = searcher(content) {
            panic!("{} holds {:?}", path.display(), String::from_utf8_lossy(&found));
        }
    });
    assert!(scanned > 100_000, "only {scanned} bytes were scanned");
}

/// Finds any of the needles: all have at least eight bytes, so a table of first four bytes rules out nearly every place.
fn memchr_set(needles: &[Vec<u8>]) -> impl Fn(&[u8]) -> Option<Vec<u8>> {
    let mut table = std::collections::HashMap::<[u8; 4], Vec<Vec<u8>>>::new();
    for needle in needles {
        table.entry(needle[..4].try_into().unwrap()).or_default().push(needle.clone());
    }
    move |content| {
        content.windows(4).enumerate().find_map(|(at, window)| {
            let candidates = table.get(window)?;
            candidates.iter().find(|needle| content[at..].starts_with(needle)).cloned()
        })
    }
}

fn walk(folder: &Path, seen: &mut dyn FnMut(&Path, &[u8])) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, seen);
        } else if path.is_file() {
            seen(&path, &std::fs::read(&path).unwrap());
        }
    }
}

#[test]
fn the_scan_finds_what_is_there() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("x"), [vec![0; 200_000], canary(7).into_bytes()].concat()).unwrap();
    assert!(std::panic::catch_unwind(|| scan(folder.path())).is_err());
}
