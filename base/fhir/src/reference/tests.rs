use super::*;

fn local(name: &str, id: &str, version: Option<&str>) -> Reference {
    let kind = definitions().kind_of(name).unwrap();
    Reference::Local { kind, id: id.to_owned(), version: version.map(str::to_owned) }
}

#[test]
fn every_form_is_told_apart() {
    let patient = definitions().kind_of("Patient").unwrap();
    let table = [
        ("Patient/1", local("Patient", "1", None)),
        ("Patient/1/_history/2", local("Patient", "1", Some("2"))),
        ("#p1", Reference::Contained("p1".to_owned())),
        ("#", Reference::Contained(String::new())),
        ("urn:uuid:0a-b", Reference::Urn("urn:uuid:0a-b".to_owned())),
        ("urn:oid:1.2", Reference::Urn("urn:oid:1.2".to_owned())),
        ("https://x.org/fhir/Patient/1", Reference::Absolute("https://x.org/fhir/Patient/1".to_owned())),
        ("Patient?identifier=a|b", Reference::Conditional { kind: patient, query: "identifier=a|b".to_owned() }),
    ];
    for (text, expected) in table {
        assert_eq!(Reference::parse(text), expected, "{text}");
    }
    let others = [
        "",
        "Patient",
        "Patient/",
        "Patient/a b",
        "Dog/1",
        "patient/1",
        "Patient/1/",
        "Patient/1/_history",
        "Patient/1/x/2",
        "/Patient/1",
    ];
    for text in others.into_iter().chain(["://x", "1http://x", "http://", "Dog?x=1", "urn:x", "Patient/1/_history/2/3"])
    {
        assert_eq!(Reference::parse(text), Reference::Other, "{text}");
    }
}

#[test]
fn a_url_under_the_own_base_is_local() {
    for base in ["http://here/fhir", "http://here/fhir/"] {
        assert_eq!(Reference::within(base, "http://here/fhir/Patient/1"), local("Patient", "1", None));
        assert_eq!(Reference::within(base, "Patient/1"), local("Patient", "1", None));
        assert!(matches!(Reference::within(base, "http://here/fhirs/Patient/1"), Reference::Absolute(_)));
        assert!(matches!(Reference::within(base, "http://there/fhir/Patient/1"), Reference::Absolute(_)));
        assert!(matches!(Reference::within(base, "http://here/fhir/metadata"), Reference::Absolute(_)));
    }
    assert_eq!(Reference::within("", "/Patient/1"), Reference::Other);
}

#[test]
fn references_are_found_by_type_not_by_name() {
    let text = r##"{"resourceType":"Bundle","type":"batch","entry":[{"resource":{"resourceType":"DetectedIssue","status":"final",
        "reference":"http://no.reference/1","patient":{"reference":"Patient/1"},"contained":[{"resourceType":"Observation","id":"o",
        "subject":{"reference":"#"}}],"_status":{"extension":[{"url":"u","valueReference":{"reference":"Group/2"}}]},
        "extension":[{"url":"u","valueReference":{"reference":"urn:uuid:x","display":"reference"}}],
        "author":{"identifier":{"assigner":{"reference":"Organization/3"}}},"unknown":{"reference":"Patient/9"}}}]}"##;
    let resource = Resource::parse(text).unwrap();
    let found: Vec<_> =
        references(&resource).into_iter().map(|(value, _)| value.as_str().unwrap().into_owned()).collect();
    assert_eq!(found, ["Patient/1", "#", "Group/2", "urn:uuid:x", "Organization/3"]);
    assert_eq!(references(&resource)[0].0.pointer(), "/entry/0/resource/patient/reference");
}

#[test]
fn what_a_reference_may_lead_to_is_known_where_it_stands() {
    let text = r#"{"resourceType":"Observation","subject":{"reference":"urn:uuid:1"},"hasMember":[{"type":"Observation",
        "reference":"urn:uuid:2"}],"extension":[{"url":"u","valueReference":{"reference":"urn:uuid:3"}}]}"#;
    let resource = Resource::parse(text).unwrap();
    let misled = |name: &str| -> Vec<bool> {
        let kind = definitions().kind_of(name).unwrap();
        placed_references(&resource).iter().map(|placed| placed.misleads_to(kind).is_some()).collect()
    };
    assert_eq!(misled("Patient"), [false, true, false]);
    assert_eq!(misled("Observation"), [true, false, false]);
    assert_eq!(misled("MolecularSequence"), [true, true, false], "the type beside it is another one");
}

#[test]
fn links_are_found_by_type_not_by_name() {
    let text = r#"{"resourceType":"Observation","implicitRules":"urn:a","meta":{"profile":["urn:canonical"],"source":"urn:b"},
        "text":{"status":"generated","div":"<div/>"},"status":"final","code":{"coding":[{"system":"urn:c","code":"urn:code"}]},
        "contained":[{"resourceType":"Endpoint","id":"e","address":"urn:d"}],"_status":{"extension":[{"url":"urn:e","valueUuid":"urn:f"}]},
        "extension":[{"url":"urn:g","valueOid":"urn:h"},{"url":"urn:i","valueString":"urn:text"}],"valueString":"urn:text"}"#;
    let resource = Resource::parse(text).unwrap();
    let found: Vec<_> =
        links(&resource).iter().map(|link| (link.value.as_str().unwrap().into_owned(), link.form)).collect();
    let (uri, name) = (LinkForm::Uri, LinkForm::Name);
    let expected = [
        ("urn:a", uri),
        ("urn:b", uri),
        ("<div/>", LinkForm::Narrative),
        ("urn:c", uri),
        ("urn:d", uri),
        ("urn:e", uri),
        ("urn:f", name),
        ("urn:g", uri),
        ("urn:h", name),
        ("urn:i", uri),
    ];
    assert_eq!(found, expected.map(|(text, form)| (text.to_owned(), form)));
}
