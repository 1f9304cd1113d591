use super::*;
use crate::fhirpath::parse;
use iris_fhir::json::Json;

/// The raw texts that an expression leads to in a resource.
fn found(expression: &str, resource: &str) -> Vec<String> {
    let json = Json::parse(resource.to_owned()).unwrap();
    let name = json.root().str_of("resourceType").unwrap();
    let kind = definitions().kind_of(&name).unwrap();
    let program = compile(&parse(expression).unwrap(), kind).unwrap();
    let mut found = Vec::new();
    match program.output {
        Output::Nodes(branches) => {
            for branch in branches {
                let mut visit =
                    |value: iris_fhir::Value<'_>| found.push(String::from_utf8(value.raw().to_vec()).unwrap());
                branch.each(json.root(), json.root(), &mut visit);
            }
        }
        Output::Test(test) => found.push(format!("{:?}", test.holds(json.root(), json.root()))),
    }
    found
}

fn refused(expression: &str, kind: &str) -> String {
    let kind = definitions().kind_of(kind).unwrap();
    compile(&parse(expression).unwrap(), kind).unwrap_err().to_string()
}

const PATIENT: &str = r##"{
    "resourceType": "Patient",
    "name": [{"family": "Lee", "given": ["Ann", null, "Bo"]}, {"family": "Li"}],
    "telecom": [{"system": "phone", "value": "1"}, {"value": "2"}, {"system": "email", "value": "3"}],
    "extension": [{"url": "u", "valueString": "x"}, {"url": "v", "valueString": "y"}],
    "contained": [{"resourceType": "Practitioner", "id": "p"}],
    "generalPractitioner": [
        {"reference": "Practitioner/1"}, {"reference": "http://h/f/Organization/2/_history/3"}, {"reference": "#p"},
        {"type": "Practitioner", "identifier": {"value": "4"}}, {"reference": "urn:uuid:5"}, {"reference": "#none"}
    ],
    "deceasedDateTime": "2013",
    "active": true
}"##;

#[test]
fn paths_flatten_arrays_and_skip_nulls() {
    assert_eq!(found("Patient.name.given", PATIENT), [r#""Ann""#, r#""Bo""#]);
    assert_eq!(found("name.given", PATIENT), [r#""Ann""#, r#""Bo""#]);
    assert_eq!(found("Resource.active | Patient.birthDate", PATIENT), ["true"]);
}

#[test]
fn one_item_is_picked_from_the_whole_collection() {
    assert_eq!(found("Patient.name.given[1]", PATIENT), [r#""Bo""#]);
    assert_eq!(found("Patient.name.family.first()", PATIENT), [r#""Lee""#]);
    assert_eq!(found("Patient.name.last().family", PATIENT), [r#""Li""#]);
    assert!(found("Patient.name[7].family", PATIENT).is_empty());
}

#[test]
fn choices_are_told_apart_by_type() {
    let observation = r#"{"resourceType": "Observation", "valueString": "s"}"#;
    for same in
        ["(Observation.value as string)", "Observation.value.as(string)", "Observation.value.ofType(FHIR.string)"]
    {
        assert_eq!(found(same, observation), [r#""s""#], "{same}");
    }
    assert_eq!(found("Observation.value", observation), [r#""s""#]);
    assert!(found("Observation.value as Quantity", observation).is_empty());
    assert_eq!(found("(Patient.deceased as dateTime)", PATIENT), [r#""2013""#]);
    assert_eq!(found("Observation.value is string", observation), ["Some(true)"]);
    assert_eq!(found("Observation.value is Quantity", observation), ["Some(false)"]);
}

#[test]
fn filters_test_each_value() {
    assert_eq!(found("Patient.telecom.where(system = 'phone').value", PATIENT), [r#""1""#]);
    assert_eq!(found("Patient.telecom.where(system.empty()).value", PATIENT), [r#""2""#]);
    assert_eq!(found("Patient.telecom.where(system != 'phone').value", PATIENT), [r#""3""#]);
    assert_eq!(found("Patient.telecom.where(system.exists() and value = '3').value", PATIENT), [r#""3""#]);
    assert_eq!(found("Patient.telecom.where(system = 'phone' or value = '2').value", PATIENT), [r#""1""#, r#""2""#]);
    assert_eq!(found("Patient.extension('v').value", PATIENT), [r#""y""#]);
    assert_eq!(found("Patient.name.exists(given.exists())", PATIENT), ["Some(true)"]);
}

#[test]
fn references_are_told_apart_by_the_type_they_lead_to() {
    let practitioners = found("Patient.generalPractitioner.where(resolve() is Practitioner)", PATIENT);
    assert_eq!(practitioners.len(), 3, "{practitioners:?}");
    assert_eq!(found("Patient.generalPractitioner.where(resolve() is Organization).reference", PATIENT).len(), 1);
    assert!(found("Patient.generalPractitioner.where(resolve() is Patient)", PATIENT).is_empty());
}

#[test]
fn a_dead_patient_is_deceased_whichever_way_it_is_said() {
    let deceased = "Patient.deceased.exists() and Patient.deceased != false";
    assert_eq!(found(deceased, PATIENT), ["Some(true)"]);
    assert_eq!(found(deceased, r#"{"resourceType": "Patient", "deceasedBoolean": true}"#), ["Some(true)"]);
    assert_eq!(found(deceased, r#"{"resourceType": "Patient", "deceasedBoolean": false}"#), ["Some(false)"]);
    assert_eq!(found(deceased, r#"{"resourceType": "Patient"}"#), ["Some(false)"]);
}

#[test]
fn what_has_no_program_is_an_error_in_words() {
    assert_eq!(refused("Patient.nam", "Patient"), "Patient has no element nam");
    assert_eq!(refused("Patient.name.famly", "Patient"), "HumanName has no element famly");
    assert_eq!(refused("Observation.code", "Patient"), "the resource is no Observation");
    assert_eq!(refused("Patient.name.select(family)", "Patient"), "the function select() is not supported");
    assert_eq!(refused("Patient.name.where(resolve() is Horse)", "Patient"), "the resource is no Horse");
    assert_eq!(
        refused("Observation.value.first()", "Observation"),
        "one item out of values of several types is not supported"
    );
}
