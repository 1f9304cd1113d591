//! Patches of both sorts, mutated: they end, within bounds, and change a document into a document or not at all.
#![allow(clippy::unwrap_used, reason = "the helpers of tests fail like tests")]

use iris_fhir::{Json, Resource};
use iris_kernel::Timestamp;
use iris_patch::{FhirPathPatch, JsonPatch};
use iris_testkit::Fuzz;

const PATIENT: &[u8] = br#"{"resourceType":"Patient","id":"p1","active":true,"name":[{"family":"A","given":["B","C"]},{"text":"D"}],"birthDate":"1980-02-29","contact":[{"name":{"family":"E"}}]}"#;

#[test]
fn hostile_json_patches_change_a_document_rightly_or_not_at_all() {
    let samples: [&[u8]; 2] = [
        br#"[{"op":"test","path":"/active","value":true},{"op":"add","path":"/name/-","value":{"family":"F"}},{"op":"replace","path":"/birthDate","value":"1981-01-01"}]"#,
        br#"[{"op":"move","from":"/name/0","path":"/name/1"},{"op":"copy","from":"/contact","path":"/link"},{"op":"remove","path":"/contact/0/name/family"}]"#,
    ];
    let tokens: [&[u8]; 14] = [
        b"~0",
        b"~1",
        b"~2",
        b"/-",
        b"/0",
        b"/name",
        b"\"\"",
        b"{\"op\":\"copy\",\"from\":\"/name\",\"path\":\"/name/0/x\"},",
        b"\"op\":\"add\",",
        b"01",
        b"-1",
        b"99999999999999999999",
        b"\"value\":null",
        b"{\"op\":\"remove\",\"path\":\"\"},",
    ];
    let document = Json::parse(PATIENT.to_vec()).unwrap();
    Fuzz { name: "JSON Patch", samples: &samples, tokens: &tokens, megabytes_max: 160 }.run(|input| {
        let Ok(patch) = JsonPatch::parse(input.to_vec()) else { return false };
        if let Ok(outcome) = patch.apply(&document) {
            Json::parse(outcome).unwrap();
        }
        true
    });
}

#[test]
fn hostile_fhirpath_patches_change_a_resource_rightly_or_not_at_all() {
    let samples: [&[u8]; 2] = [
        br#"{"resourceType":"Parameters","parameter":[{"name":"operation","part":[{"name":"type","valueCode":"replace"},{"name":"path","valueString":"Patient.birthDate"},{"name":"value","valueDate":"1981-01-01"}]},{"name":"operation","part":[{"name":"type","valueCode":"insert"},{"name":"path","valueString":"Patient.name[0].given"},{"name":"index","valueInteger":1},{"name":"value","valueString":"X"}]}]}"#,
        br#"{"resourceType":"Parameters","parameter":[{"name":"operation","part":[{"name":"type","valueCode":"add"},{"name":"path","valueString":"Patient"},{"name":"name","valueString":"contact"},{"name":"value","part":[{"name":"name","valueHumanName":{"family":"Z"}}]}]},{"name":"operation","part":[{"name":"type","valueCode":"delete"},{"name":"path","valueString":"Patient.name.where(text.exists())"}]},{"name":"operation","part":[{"name":"type","valueCode":"move"},{"name":"path","valueString":"Patient.name"},{"name":"source","valueInteger":1},{"name":"destination","valueInteger":0}]}]}"#,
    ];
    let tokens: [&[u8]; 16] = [
        b".where(",
        b")",
        b".repeat($this)",
        b".descendants()",
        b"[0]",
        b"|",
        b"'",
        b".matches('(a+)+$')",
        b"\"valueInteger\":-1",
        b"\"part\":[",
        b"Patient.",
        b"%resource",
        b"insert",
        b"delete",
        b"add",
        b"{\"name\":\"operation\",\"part\":[]},",
    ];
    let resource = Resource::parse(PATIENT.to_vec()).unwrap();
    Fuzz { name: "FHIRPath Patch", samples: &samples, tokens: &tokens, megabytes_max: 160 }.run(|input| {
        let Ok(parameters) = Resource::parse(input.to_vec()) else { return false };
        let Ok(patch) = FhirPathPatch::read(parameters) else { return false };
        if let Ok(outcome) = patch.apply_to(&resource, Timestamp(0)) {
            assert_eq!(outcome.kind_name(), "Patient");
        }
        true
    });
}
