//! Real documents: the specification's examples, Synthea's patients, the reference validator's cases. They are not part of the
//! project; without them these tests say so and pass.

#![allow(clippy::unwrap_used, clippy::panic, reason = "the helpers of tests fail like tests")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use iris_fhir::{Json, Resource, Value, references, validate};
use iris_kernel::{Timestamp, Version};

/// What every real resource must survive.
fn survives(text: &[u8], name: &str) {
    let resource = Resource::parse(text.to_vec()).unwrap_or_else(|fault| panic!("{name}: {fault}"));
    assert_eq!(validate(&resource), [], "{name}");
    let compact = Json::parse(resource.json().compact()).unwrap();
    assert!(compact.root().same_as(resource.root()), "{name}: compacting changed it");
    let judged: serde_json::Value = serde_json::from_slice(text).unwrap();
    assert_eq!(serde_json::from_slice::<serde_json::Value>(compact.text()).unwrap(), judged, "{name}");
    // What the server sets must be all that changes: put back, it is the document that was sent.
    let served = Json::parse(resource.with_server_fields("x", Version(7), Timestamp(0))).unwrap();
    for (member, value) in resource.root().members().filter(|(member, _)| !matches!(&**member, "id" | "meta")) {
        assert!(served.root().get(&member).is_some_and(|kept| kept.same_as(value)), "{name}: {member}");
    }
    let meta = resource.root().get("meta");
    for (member, value) in meta.iter().flat_map(|meta| meta.members()) {
        if !matches!(&*member, "versionId" | "lastUpdated") {
            let kept = served.root().get("meta").and_then(|meta| meta.get(&member));
            assert!(kept.is_some_and(|kept| kept.same_as(value)), "{name}: meta.{member}");
        }
    }
    let faults = validate(&Resource::from_json(served).unwrap());
    assert_eq!(faults, [], "{name}: as served");
}

#[test]
fn every_example_of_the_specification_is_valid_and_stays_itself() {
    let Some(examples) = iris_testkit::examples() else { return };
    assert_eq!(examples.len(), 526);
    let mut kinds = BTreeMap::new();
    for (name, text) in examples {
        survives(&text, &name);
        *kinds.entry(Resource::parse(text).unwrap().kind()).or_insert(0) += 1;
    }
    assert!(kinds.len() >= 100, "{} types", kinds.len());
}

#[test]
fn every_synthea_resource_is_valid_and_stays_itself() {
    let Some(bundles) = iris_testkit::synthea() else { return };
    let mut count = 0;
    for (path, text) in bundles {
        let bundle = Resource::parse(text).unwrap();
        assert_eq!(validate(&bundle), [], "{}", path.display());
        assert!(references(&bundle).iter().all(|(_, reference)| *reference != iris_fhir::Reference::Other));
        let resources: Vec<Value<'_>> =
            bundle.root().get("entry").unwrap().items().filter_map(|e| e.get("resource")).collect();
        // Validated above as entries; by themselves a few of each file are enough.
        for resource in resources.iter().step_by(37) {
            survives(resource.raw(), &resource.pointer());
        }
        count += resources.len();
    }
    assert_eq!(count, 43_516);
}

/// What the reference validator says of a case: its errors, of which those that any structural reader must find.
struct Judged {
    errors: usize,
    structural: usize,
}

/// How the reference validator words structural errors.
const STRUCTURAL: [&str; 9] = [
    "minimum required = ",
    "Unrecognized property",
    "is not a valid Base64",
    "Array cannot be empty",
    "Invalid Resource id",
    "longer than permitted maximum length",
    "must be an Object, not a Null",
    "JSON",
    "not a valid date",
];

fn judged(outcome: &Path) -> Judged {
    let outcome: serde_json::Value = serde_json::from_slice(&fs::read(outcome).unwrap()).unwrap();
    let issues = outcome["issue"].as_array().cloned().unwrap_or_default();
    let errors: Vec<&str> = issues
        .iter()
        .filter(|issue| matches!(issue["severity"].as_str(), Some("error" | "fatal")))
        .map(|issue| issue["details"]["text"].as_str().unwrap_or_default())
        .collect();
    // Errors about what a profile of the case demands beyond the base definition are none of ours.
    let of_base = |error: &&&str| {
        STRUCTURAL.iter().any(|words| error.contains(words)) && !error.contains("StructureDefinition/bp|")
    };
    Judged { errors: errors.len(), structural: errors.iter().filter(of_base).count() }
}

/// The reviewed table of what we say to the reference validator's cases. To review a change, print the new table and compare.
#[test]
fn the_reference_validator_agrees_on_structure() {
    let Some(folder) = iris_testkit::archive("fhir-r4-validator-cases") else { return };
    let manifest = iris_testkit::files(folder.path(), "/manifest.json").remove(0);
    let root = manifest.parent().unwrap();
    let cases: Vec<serde_json::Value> = serde_json::from_slice(&fs::read(&manifest).unwrap()).unwrap();
    let mut rows = BTreeMap::new();
    for case in &cases {
        let file = case["file"].as_str().unwrap();
        // We speak JSON; the XML cases and the one of several resources are not for us.
        if !file.ends_with(".json") {
            continue;
        }
        let ours = match Resource::parse(fs::read(root.join(file)).unwrap()) {
            Ok(resource) => validate(&resource).len().to_string(),
            Err(_) => "unreadable".to_owned(),
        };
        let theirs = case["outcome"].as_str().map(|outcome| judged(&root.join(outcome)));
        let refused = ours != "0";
        let (verdict, theirs) = match theirs {
            None => (if refused { "refused, no outcome given" } else { "accepted, no outcome given" }, "-".to_owned()),
            Some(Judged { errors, structural }) => {
                let verdict = match (refused, structural > 0, errors > 0) {
                    (true, true, _) => "both refuse",
                    (false, false, false) => "both accept",
                    (false, false, true) => "accepted: not a matter of structure",
                    (true, false, _) => "only we refuse",
                    (false, true, _) => "only they refuse",
                };
                (verdict, format!("{structural} of {errors}"))
            }
        };
        rows.insert(case["name"].as_str().unwrap().to_owned(), (verdict, ours, theirs));
    }
    let mut table = String::new();
    for (name, (verdict, ours, theirs)) in &rows {
        writeln!(table, "{name} | {verdict} | {ours} | {theirs}").unwrap();
    }
    let golden = include_str!("validator_cases.txt");
    let golden: String = golden.lines().filter(|line| !line.starts_with('#')).flat_map(|line| [line, "\n"]).collect();
    assert!(table == golden, "the table of validator cases changed:\n{table}");
}
