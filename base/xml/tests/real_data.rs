//! What the specification and others have published: every resource goes to XML and comes back as it was. Skipped where the
//! test data are not.
#![allow(clippy::unwrap_used, clippy::panic, reason = "the helpers of tests fail like tests")]

use iris_fhir::{Resource, Value, ValueKind, Writer};
use iris_testkit::files;
use iris_xml::{Layout, parse, to_json, write};

/// The document without white space between tokens, and with strings spelt our way; in the order sent.
fn respelt(value: Value<'_>, json: &mut Writer) {
    match value.kind() {
        ValueKind::Object => {
            json.object();
            for (name, value) in value.members() {
                respelt(value, json.key(&name));
            }
            json.end();
        }
        ValueKind::Array => {
            json.array();
            value.items().for_each(|item| respelt(item, json));
            json.end();
        }
        ValueKind::String => drop(json.string(&value.as_str().unwrap())),
        ValueKind::Null | ValueKind::Bool | ValueKind::Number => drop(json.raw(value.raw())),
    }
}

/// How a resource came back: whether its text was the very same, white space between tokens and the spelling of strings aside.
fn there_and_back(resource: &Resource, name: &str) -> bool {
    let mut back = Vec::new();
    for layout in [Layout::Compact, Layout::Pretty] {
        let xml = write(resource.root(), layout).unwrap_or_else(|faults| panic!("{name}: {faults:?}"));
        back = to_json(&xml).unwrap_or_else(|faults| panic!("{name}: {faults:?}"));
        let read = Resource::parse(back.clone()).unwrap();
        // Numbers are compared as they are spelt.
        assert!(resource.root().same_as(read.root()), "{name} came back as another");
    }
    let mut sent = Writer::new();
    respelt(resource.root(), &mut sent);
    back == sent.finish()
}

#[test]
fn every_example_of_the_specification_comes_back_unchanged() {
    let Some(examples) = iris_testkit::examples() else { return };
    let (count, mut same_bytes) = (examples.len(), 0);
    for (name, text) in examples {
        same_bytes += usize::from(there_and_back(&Resource::parse(text).unwrap(), &name));
    }
    println!("examples through XML: {count} of {count} identical, {same_bytes} byte for byte");
    assert_eq!(count, 526);
}

#[test]
fn every_resource_of_synthea_comes_back_unchanged() {
    let Some(all) = iris_testkit::synthea() else { return };
    let (mut bundles, mut entries, mut same_bytes) = (0, 0, 0);
    for (file, text) in all {
        let bundle = Resource::parse(text).unwrap();
        entries += bundle.root().get("entry").map_or(0, Value::len);
        bundles += 1;
        same_bytes += usize::from(there_and_back(&bundle, file.to_str().unwrap()));
    }
    println!("Synthea through XML: {bundles} bundles of {entries} entries identical, {same_bytes} byte for byte");
    assert!(bundles > 60 && entries > 40_000, "{bundles} bundles, {entries} entries");
}

/// What is wrong XML of FHIR. The first three are meant to be, and the reference validator names the same; the last one has an
/// extension after the element that it must stand before (R4 xml.html: the order is normative).
const REFUSED: [(&str, &str); 4] = [
    (
        "Observation-ex-pain.xml",
        "Observation.status.@something: status has no such attribute (line 3, column 21); \
         Observation.valueInteger.value: Element has no such element (line 5, column 5); \
         Observation.valueInteger: An element has a value, an id or extensions (line 6, column 18)",
    ),
    (
        "xml-bad-entities.xml",
        "Encounter.text: This entity is not declared: XML has lt, gt, amp, quot and apos only, other characters are written as \
         such or by number (line 6, column 911)",
    ),
    (
        "xml-fail.xml",
        "Bundle: There is text between elements (line 8, column 30); \
         Bundle.entry[0].resource.connectionType.coding: Coding has no such element (line 22, column 11); \
         Bundle: There is text between elements (line 45, column 12)",
    ),
    (
        "observation-example.xml",
        "Observation.extension: This element stands before status by the definitions (line 5, column 2)",
    ),
];

#[test]
fn the_xml_of_the_validator_cases_and_the_fhirpath_suite_is_read() {
    let Some(cases) = iris_testkit::archive("fhir-r4-validator-cases") else { return };
    let Some(suite) = iris_testkit::archive("fhirpath-and-patch-r4") else { return };
    let (mut read, mut refused) = (0, Vec::new());
    for file in [files(&cases.path().join("cases"), ".xml"), files(&suite.path().join("input"), ".xml")].concat() {
        let name = file.file_name().unwrap().to_str().unwrap().to_owned();
        match parse(&std::fs::read(&file).unwrap()) {
            Ok(resource) => {
                read += 1;
                there_and_back(&resource, &name);
            }
            Err(faults) => refused.push((name, faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))),
        }
    }
    let shown: Vec<(&str, &str)> = refused.iter().map(|(name, faults)| (&**name, &**faults)).collect();
    println!("XML inputs: {read} read, {} refused by name", shown.len());
    assert_eq!(shown, REFUSED);
    assert_eq!(read, 38);
}
