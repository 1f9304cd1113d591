//! `FHIRPath` Patch beyond the official suite.

use iris_fhir::{Resource, validate};
use iris_kernel::Timestamp;

use super::*;

/// An operation of these parts: name, member, JSON of the value.
fn operation(parts: &[(&str, &str, &str)]) -> String {
    let parts: Vec<String> =
        parts.iter().map(|(name, member, value)| format!(r#"{{"name":"{name}","{member}":{value}}}"#)).collect();
    format!(r#"{{"name":"operation","part":[{}]}}"#, parts.join(","))
}

fn parameters(operations: &str) -> Resource {
    Resource::parse(format!(r#"{{"resourceType":"Parameters","parameter":[{operations}]}}"#)).unwrap()
}

const PATIENT: &str = r#"{"resourceType":"Patient","id":"a","extension":[{"url":"u","valueDecimal":1.50}],"name":[{"given":["x",null,"z"],"_given":[null,{"extension":[{"url":"u","valueCode":"y"}]},null]},{"text":"t"}],"deceasedBoolean":true,"contained":[{"resourceType":"Organization","id":"o","name":"n"}]}"#;

fn patched(operations: &str) -> Result<String, String> {
    let shown = |faults: Vec<PatchFault>| faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    let patient = Resource::parse(PATIENT.to_owned()).unwrap();
    let patch = FhirPathPatch::read(parameters(operations)).map_err(shown)?;
    let outcome = patch.apply_to(&patient, Timestamp(0)).map_err(shown)?;
    assert!(validate(&outcome).is_empty(), "{:?}", validate(&outcome));
    Ok(String::from_utf8(outcome.json().compact()).unwrap())
}

/// What an operation makes of a piece of the patient.
#[track_caller]
fn good(parts: &[(&str, &str, &str)], from: &str, to: &str) {
    assert_eq!(patched(&operation(parts)), Ok(PATIENT.replace(from, to)));
    assert!(from.is_empty() || PATIENT.contains(from));
}

#[track_caller]
fn bad(parts: &[(&str, &str, &str)], fault: &str) {
    assert_eq!(patched(&operation(parts)), Err(fault.to_owned()));
}

fn code(name: &str) -> (&'static str, &'static str, String) {
    ("type", "valueCode", format!("\"{name}\""))
}

#[test]
fn lists_of_primitives_keep_what_stands_beside() {
    let given = r#""given":["x",null,"z"],"_given":[null,{"extension":[{"url":"u","valueCode":"y"}]},null]"#;
    let of = |of_type: &str| code(of_type).2;
    let path = ("path", "valueString", r#""Patient.name[0].given""#);
    good(
        &[
            ("type", "valueCode", &of("insert")),
            path,
            ("index", "valueInteger", "1"),
            ("value", "valueString", "\"w\""),
        ],
        given,
        r#""given":["x","w",null,"z"],"_given":[null,null,{"extension":[{"url":"u","valueCode":"y"}]},null]"#,
    );
    good(
        &[
            ("type", "valueCode", &of("move")),
            path,
            ("source", "valueInteger", "1"),
            ("destination", "valueInteger", "0"),
        ],
        given,
        r#""given":[null,"x","z"],"_given":[{"extension":[{"url":"u","valueCode":"y"}]},null,null]"#,
    );
    good(
        &[("type", "valueCode", &of("delete")), ("path", "valueString", r#""Patient.name[0].given[1]""#)],
        given,
        r#""given":["x","z"]"#,
    );
    good(
        &[("type", "valueCode", &of("delete")), ("path", "valueString", r#""Patient.name[0].given[0]""#)],
        given,
        r#""given":[null,"z"],"_given":[{"extension":[{"url":"u","valueCode":"y"}]},null]"#,
    );
    good(
        &[
            ("type", "valueCode", &of("replace")),
            ("path", "valueString", r#""Patient.name[0].given[1]""#),
            ("value", "valueString", "\"q\""),
        ],
        given,
        r#""given":["x","q","z"]"#,
    );
}

#[test]
fn choices_change_their_type_and_nothing_stays_empty() {
    let of = |of_type: &str| code(of_type).2;
    good(
        &[
            ("type", "valueCode", &of("replace")),
            ("path", "valueString", r#""Patient.deceased""#),
            ("value", "valueDateTime", "\"2020\""),
        ],
        r#""deceasedBoolean":true"#,
        r#""deceasedDateTime":"2020""#,
    );
    good(
        &[("type", "valueCode", &of("delete")), ("path", "valueString", r#""Patient.name[1].text""#)],
        r#",{"text":"t"}"#,
        "",
    );
    good(
        &[("type", "valueCode", &of("delete")), ("path", "valueString", r#""Patient.extension""#)],
        r#""extension":[{"url":"u","valueDecimal":1.50}],"#,
        "",
    );
    // What is not there need not be deleted, and what is contained is within reach.
    good(&[("type", "valueCode", &of("delete")), ("path", "valueString", r#""Patient.birthDate""#)], "", "");
    good(
        &[
            ("type", "valueCode", &of("replace")),
            ("path", "valueString", r#""Patient.contained[0].ofType(Organization).name""#),
            ("value", "valueString", "\"m\""),
        ],
        r#""name":"n""#,
        r#""name":"m""#,
    );
    good(
        &[
            ("type", "valueCode", &of("add")),
            ("path", "valueString", r#""Patient.extension[0]""#),
            ("name", "valueString", "\"id\""),
            ("value", "valueString", "\"e\""),
        ],
        r#""valueDecimal":1.50"#,
        r#""valueDecimal":1.50,"id":"e""#,
    );
}

/// Type and path of an operation, its other parts, and why it cannot be applied.
type Refused = (&'static str, &'static str, &'static [(&'static str, &'static str, &'static str)], &'static str);

const VALUE: (&str, &str, &str) = ("value", "valueString", "\"v\"");

const REFUSED: &[Refused] = &[
    ("replace", "Patient.name.given", &[VALUE], "/0: There is more than one element at this path"),
    ("replace", "Patient.birthDate", &[VALUE], "/0: There is nothing at this path"),
    ("replace", "Patient", &[VALUE], "/0: The whole resource cannot be replaced, moved or deleted by a patch"),
    ("delete", "Patient.name", &[], "/0: There is more than one element at this path"),
    ("delete", "Patient.name.count()", &[], "/0: The path gives values, not elements of the resource"),
    ("delete", "Patient.colour", &[], "/0: The path has no meaning for Patient: Patient has no element colour"),
    ("delete", "Observation.status", &[], "/0: The path has no meaning for Patient: the focus is no Observation"),
    ("replace", "Patient.deceased", &[VALUE], "/0: The value does not fit deceased"),
    ("replace", "Patient.name[0]", &[VALUE], "/0: The value does not fit name"),
    (
        "insert",
        "Patient.name",
        &[("index", "valueInteger", "3"), ("value", "valueHumanName", "{}")],
        "/0: The position is not in the list",
    ),
    (
        "insert",
        "Patient.telecom",
        &[("index", "valueInteger", "0"), VALUE],
        "/0: There is no list at this path; what is not there yet is added by its name",
    ),
    (
        "move",
        "Patient.name.where(text = 't')",
        &[("source", "valueInteger", "0"), ("destination", "valueInteger", "0")],
        "/0: The path does not lead to one whole list",
    ),
    (
        "move",
        "Patient.deceased",
        &[("source", "valueInteger", "0"), ("destination", "valueInteger", "0")],
        "/0: The element at this path does not repeat",
    ),
];

#[test]
fn what_cannot_be_applied_is_refused_by_name() {
    let of = |of_type: &str| code(of_type).2;
    for (of_type, path, more, fault) in REFUSED.iter().copied() {
        let (of_type, path) = (of(of_type), format!("\"{path}\""));
        let mut parts = vec![("type", "valueCode", &*of_type), ("path", "valueString", &*path)];
        parts.extend(more);
        bad(&parts, fault);
    }
    let add = |path: &str, name: &str, member: &str, value: &str| {
        let (path, name) = (format!("\"{path}\""), format!("\"{name}\""));
        patched(&operation(&[
            ("type", "valueCode", "\"add\""),
            ("path", "valueString", &path),
            ("name", "valueString", &name),
            ("value", member, value),
        ]))
    };
    assert_eq!(add("Patient", "colour", "valueString", "\"v\"").unwrap_err(), "/0: Patient has no such element");
    assert_eq!(
        add("Patient", "deceased", "valueDateTime", "\"2020\"").unwrap_err(),
        "/0: This element does not repeat and is there already; replace it"
    );
    assert_eq!(
        add("Patient", "multipleBirthInteger", "valueBoolean", "true").unwrap_err(),
        "/0: The value has another type than the name says"
    );
    assert!(add("Patient", "multipleBirth", "valueInteger", "2").unwrap().contains(r#""multipleBirthInteger":2"#));
    assert_eq!(
        add("Patient.id", "x", "valueString", "\"v\"").unwrap_err(),
        "/0: Nothing can be added to a primitive by its name; replace it"
    );
    bad(
        &[
            ("type", "valueCode", "\"replace\""),
            ("path", "valueString", "\"Patient.id\""),
            ("value", "valueId", "\"b\""),
        ],
        "A patch cannot change the id of a resource",
    );
}

#[test]
fn every_fault_of_the_document_is_named_at_once() {
    let operations = [
        r#"{"name":"other"}"#.to_owned(),
        operation(&[("path", "valueString", "\"Patient.\"")]),
        operation(&[("type", "valueCode", "\"put\""), ("path", "valueString", "\"Patient\"")]),
        operation(&[
            ("type", "valueCode", "\"delete\""),
            ("path", "valueString", "\"Patient\""),
            ("index", "valueInteger", "1"),
            ("more", "valueInteger", "1"),
        ]),
        operation(&[
            ("type", "valueCode", "\"insert\""),
            ("path", "valueString", "\"Patient\""),
            ("index", "valueInteger", "-1"),
            ("value", "id", "\"x\""),
        ]),
        operation(&[("type", "valueCode", "\"add\""), ("type", "valueCode", "\"add\"")]),
    ];
    let faults = FhirPathPatch::read(parameters(&operations.join(","))).unwrap_err();
    let shown: Vec<String> = faults.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "/0: Every parameter of a patch is an operation",
            "/1/path: The path is no FHIRPath expression: name expected at byte 8",
            "/1/type: An operation has a type: add, insert, delete, replace or move",
            "/2/type: There is no such operation: it is add, insert, delete, replace or move",
            "/3/index: This operation has no such part",
            "/3: An operation has no such part: it has type, path, name, value, index, source, destination",
            "/4/index: A position is a valueInteger from 0 on",
            "/4/value: The value is one value[x], one resource, or named parts that are",
            "/5/path: An operation has a path: a FHIRPath expression in valueString",
            "/5/type: This part is there twice",
            "/5/name: This operation needs this part",
            "/5/value: This operation needs this part",
        ]
    );
    let other = FhirPathPatch::read(Resource::parse(PATIENT.to_owned()).unwrap()).unwrap_err();
    assert_eq!(other[0].what, "A FHIRPath Patch is a Parameters resource");
    let many = vec![
        operation(&[("type", "valueCode", "\"delete\""), ("path", "valueString", "\"Patient.active\"")]);
        OPERATIONS_MAX + 1
    ];
    assert!(patched(&many[1..].join(",")).is_ok());
    assert_eq!(patched(&many.join(",")).unwrap_err(), "A patch has at most 1000 operations");
}

#[test]
fn attack_long_lists_and_many_parts_are_walked_once() {
    let parts = vec![r#"{"name":"type","valueCode":"add"}"#; 200_000].join(",");
    let many = Resource::parse(format!(
        r#"{{"resourceType":"Parameters","parameter":[{{"name":"operation","part":[{parts}]}}]}}"#
    ));
    let faults = FhirPathPatch::read(many.unwrap()).unwrap_err();
    assert!(
        faults.len() < 20 && faults.iter().any(|fault| fault.what == "An operation has at most 7 parts"),
        "{faults:?}"
    );
    let names = vec![r#"{"text":"x"}"#; 100_000].join(",");
    let patient = Resource::parse(format!(r#"{{"resourceType":"Patient","name":[{names}]}}"#)).unwrap();
    let reorder = operation(&[
        ("type", "valueCode", "\"move\""),
        ("path", "valueString", "\"Patient.name\""),
        ("source", "valueInteger", "99999"),
        ("destination", "valueInteger", "0"),
    ]);
    let patch = FhirPathPatch::read(parameters(&reorder)).unwrap();
    assert_eq!(patch.apply_to(&patient, Timestamp(0)).unwrap().json().compact(), patient.json().compact());
    // A path that looks at everything again and again has only so many steps.
    let product = operation(&[
        ("type", "valueCode", "\"delete\""),
        ("path", "valueString", "\"Patient.name.where(%resource.name.where(text = 'y').exists())\""),
    ]);
    let faults = FhirPathPatch::read(parameters(&product)).unwrap().apply_to(&patient, Timestamp(0)).unwrap_err();
    assert_eq!(faults[0].what, "The path cannot be evaluated: the evaluation has reached its limit of steps");
}
