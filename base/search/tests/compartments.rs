//! Whose compartments a resource is in, worked out by hand from R4 and from what is about a patient beyond it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "the helpers of tests fail like tests")]

use iris_fhir::Resource;
use iris_fhir::definitions::kind_of;
use iris_kernel::Timestamp;
use iris_search as search;
use iris_search::patients_of;

fn resource(text: &str) -> Resource {
    Resource::parse(text.to_owned()).unwrap()
}

#[test]
fn compartments_follow_the_definitions() {
    let patients = |text| patients_of(&resource(text));
    let linked = r#"{"resourceType": "Patient", "id": "ann", "link": [{"other": {"reference": "Patient/old"}, "type": "replaces"}]}"#;
    assert_eq!(patients(linked), ["ann", "old"]);
    assert_eq!(
        patients(
            r#"{"resourceType": "Observation", "subject": {"reference": "Patient/1"}, "performer": [{"reference": "Patient/2"}, {"reference": "Practitioner/3"}]}"#
        ),
        ["2", "1"]
    );
    assert!(patients(r#"{"resourceType": "Observation", "subject": {"reference": "Group/1"}, "focus": [{"reference": "Patient/1"}]}"#).is_empty());
    assert!(
        patients(r#"{"resourceType": "Observation", "subject": {"reference": "http://other.example/fhir/Patient/1"}}"#)
            .is_empty()
    );
    assert!(patients(r#"{"resourceType": "Organization", "id": "1"}"#).is_empty());
    assert!(patients(r#"{"resourceType": "Patient"}"#).is_empty());
    assert_eq!(search::patients_of_as(&resource(r#"{"resourceType": "Patient", "id": "sent"}"#), "given"), ["given"]);
    let document = search::extract_as(&resource(r#"{"resourceType": "Patient", "id": "sent"}"#), "given", Timestamp(0));
    assert!(document.terms.binary_search(&search::compartment_term("given")).is_ok());
    assert!(document.terms.binary_search(&search::compartment_term("sent")).is_err());
}

/// R4's compartment leaves these out, and their content is about a patient all the same.
#[test]
fn what_is_about_a_patient_beyond_the_compartment_is_in_it_as_well() {
    let patients = |text: &str| patients_of(&resource(text));
    let of = |name: &str, member: &str| {
        patients(&format!(r#"{{"resourceType": "{name}", "{member}": {{"reference": "Patient/1"}}}}"#))
    };
    for (name, member) in
        [("Device", "patient"), ("GuidanceResponse", "subject"), ("Contract", "subject"), ("Binary", "securityContext")]
    {
        assert_eq!(of(name, member), ["1"], "{name}");
        assert!(search::may_be_of_patients(kind_of(name).unwrap()), "{name}");
    }
    assert!(of("Organization", "partOf").is_empty() && !search::may_be_of_patients(kind_of("Organization").unwrap()));
    let bundle = r#"{"resourceType": "Bundle", "type": "document", "entry": [
        {"resource": {"resourceType": "Composition", "subject": {"reference": "Patient/1"}}},
        {"resource": {"resourceType": "Patient", "id": "2"}},
        {"resource": {"resourceType": "Bundle", "entry": [
            {"resource": {"resourceType": "Observation", "subject": {"reference": "Patient/3"}}}]}},
        {"fullUrl": "urn:uuid:1"}, {"resource": {"resourceType": "Nothing"}}]}"#;
    assert_eq!(patients(bundle), ["1", "2", "3"]);
}
