//! The real job: whole patient records go in by `iris import`, all of them, and come out equal.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where something is not as it must be")]

use std::collections::BTreeMap;
use std::path::Path;

use iris_testkit::{Clinic, Server, data_dir, synthea};
use serde_json::Value;

const BINARY: &str = env!("CARGO_BIN_EXE_iris");

#[test]
fn synthea_goes_in_whole_and_comes_out_equal() {
    let Some(data) = data_dir() else { return };
    let folder = data.join("synthea");
    let mut clinic = Clinic::open(BINARY);
    let summary = clinic.command(&["import", folder.to_str().unwrap(), "-o", "json"]);
    assert_eq!(summary["rejected"], 0, "{summary}");
    let input = resources();
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for resource in &input {
        *counts.entry(resource["resourceType"].as_str().unwrap()).or_default() += 1;
    }
    for (kind, count) in &counts {
        let total = clinic.get(&format!("/fhir/{kind}?_summary=count")).expect(200).json();
        assert_eq!(total["total"], *count, "{kind}");
    }
    for resource in &input {
        let path = format!("/fhir/{}/{}", resource["resourceType"].as_str().unwrap(), resource["id"].as_str().unwrap());
        let stored = clinic.get(&path).expect(200).json();
        assert_same(resource, &stored, &path);
    }
    again_changes_nothing(&clinic, &folder, input.len() as u64);
    assert_eq!(clinic.server.terminate(), Some(0));
    for check in [["index", "verify"], ["audit", "verify"], ["store", "verify"]] {
        let output = Server::run(BINARY, clinic.data(), &[check[0], check[1], "-o", "json"]);
        assert!(output.status.success(), "{check:?}: {output:?}");
    }
}

fn again_changes_nothing(clinic: &Clinic, synthea: &Path, records: u64) {
    let summary = clinic.command(&["import", synthea.to_str().unwrap(), "-o", "json"]);
    assert_eq!((&summary["stored"], &summary["present"]), (&Value::from(0), &Value::from(records)), "{summary}");
}

fn resources() -> Vec<Value> {
    let mut out = Vec::new();
    for (_, text) in synthea().into_iter().flatten() {
        let bundle: Value = serde_json::from_slice(&text).unwrap();
        out.extend(bundle["entry"].as_array().unwrap().iter().map(|entry| entry["resource"].clone()));
    }
    out
}

/// Equal but for what the server sets and for references, which must have become local ones.
fn assert_same(sent: &Value, stored: &Value, path: &str) {
    match (sent, stored) {
        (Value::Object(sent), Value::Object(stored)) => {
            for (name, value) in stored {
                if name == "versionId" || name == "lastUpdated" || (name == "meta" && !sent.contains_key("meta")) {
                    continue;
                }
                let was = sent.get(name).unwrap_or_else(|| panic!("{path}: {name} was not sent"));
                match (name.as_str(), was.as_str(), value.as_str()) {
                    ("reference", Some(was), Some(is)) => assert_reference(was, is, path),
                    _ => assert_same(was, value, path),
                }
            }
            for name in sent.keys() {
                assert!(stored.contains_key(name), "{path}: {name} is gone");
            }
        }
        (Value::Array(sent), Value::Array(stored)) => {
            assert_eq!(sent.len(), stored.len(), "{path}");
            for (sent, stored) in sent.iter().zip(stored) {
                assert_same(sent, stored, path);
            }
        }
        _ => assert_eq!(sent, stored, "{path}"),
    }
}

fn assert_reference(was: &str, is: &str, path: &str) {
    match was.strip_prefix("urn:uuid:") {
        Some(id) => assert!(is.ends_with(id) && is.contains('/') && !is.contains(':'), "{path}: {was} became {is}"),
        None if was.contains('?') => assert!(!is.contains('?'), "{path}: {was} was not resolved"),
        None => assert_eq!(was, is, "{path}"),
    }
}
