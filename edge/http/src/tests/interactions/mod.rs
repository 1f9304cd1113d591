//! FHIR's interactions, each over both stores.

mod bundles;
mod cases;
mod conditional;
mod history;
mod hostile;
mod meta;
mod patch;
mod races;

use serde_json::{Value, json};

use super::{BASE, Reply, World};

/// A JSON Patch is told from other JSON by its type alone.
const JSON_PATCH: (&str, &str) = ("content-type", "application/json-patch+json");
const FHIR_JSON: (&str, &str) = ("content-type", "application/fhir+json");

/// A patient known by a number that nobody masks.
fn patient(number: &str) -> Value {
    json!({"resourceType": "Patient", "identifier": [{"system": "urn:x", "value": number}], "active": true,
        "name": [{"family": "Smith"}]})
}

/// The Parameters of a FHIRPath Patch with one operation.
fn operation(kind: &str, path: &str, value: Option<(&str, Value)>) -> Value {
    let mut parts = vec![json!({"name": "type", "valueCode": kind}), json!({"name": "path", "valueString": path})];
    if let Some((name, value)) = value {
        parts.push(json!({"name": "value", name: value}));
    }
    json!({"resourceType": "Parameters", "parameter": [{"name": "operation", "part": parts}]})
}

/// What these tests ask of a world. A trait, because they stand here twice: over SQLite and over PostgreSQL.
trait Asked {
    async fn with(&self, method: &str, path: &str, token: &str, body: Value) -> Reply;
    async fn json_patch(&self, path: &str, token: &str, body: Value) -> Reply;
    /// Makes the patient with this number, and gives its path.
    async fn known(&self, token: &str, number: &str) -> String;
    /// How many there are.
    async fn count(&self, token: &str, query: &str) -> u64;
}

impl Asked for World {
    async fn with(&self, method: &str, path: &str, token: &str, body: Value) -> Reply {
        self.call(method, path, token, &[], Some(body)).await
    }

    async fn json_patch(&self, path: &str, token: &str, body: Value) -> Reply {
        self.call("PATCH", path, token, &[JSON_PATCH], Some(body)).await
    }

    async fn known(&self, token: &str, number: &str) -> String {
        let made = self.post("/fhir/Patient", token, patient(number)).await.expect(201).json();
        format!("/fhir/Patient/{}", made["id"].as_str().unwrap())
    }

    async fn count(&self, token: &str, query: &str) -> u64 {
        let found = self.get(&format!("/fhir/{query}&_summary=count"), token).await.expect(200).json();
        found["total"].as_u64().unwrap()
    }
}

fn entry(method: &str, url: &str, resource: Option<Value>) -> Value {
    let mut entry = json!({"request": {"method": method, "url": url}});
    if let Some(resource) = resource {
        entry["resource"] = resource;
    }
    entry
}

fn bundle(kind: &str, entries: &[Value]) -> Value {
    json!({"resourceType": "Bundle", "type": kind, "entry": entries})
}

fn statuses(answer: &Value) -> Vec<String> {
    let entries = answer["entry"].as_array().cloned().unwrap_or_default();
    let status = |entry: &Value| entry["response"]["status"].as_str().unwrap_or_default()[..3].to_owned();
    entries.iter().map(status).collect()
}
