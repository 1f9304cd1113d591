//! Every structural rule, with what keeps it and what breaks it.

use iris_kernel::limits;

use super::*;

fn faults(text: &str) -> Vec<String> {
    validate(&Resource::parse(text.to_owned()).unwrap()).iter().map(ToString::to_string).collect()
}

/// A Patient with these members.
fn patient(members: &str) -> String {
    format!(r#"{{"resourceType":"Patient",{members}}}"#)
}

#[track_caller]
fn good(text: &str) {
    assert_eq!(faults(text), [""; 0], "{text}");
}

/// Exactly one fault, which starts so.
#[track_caller]
fn bad(text: &str, start: &str) {
    let faults = faults(text);
    assert!(faults.len() == 1 && faults[0].starts_with(start), "{text}\n{faults:#?}");
}

#[test]
fn only_elements_of_the_type_are_allowed() {
    good(&patient(r#""active":true"#));
    good(r#"{"resourceType":"Patient"}"#);
    bad(&patient(r#""colour":"red""#), "/colour: Patient has no such element");
    bad(&patient(r#""name":[{"family":"a","nick":"b"}]"#), "/name/0/nick: HumanName has no such element");
    bad(
        &patient(r#""contact":[{"gender":"male","resourceType":"x"}]"#),
        "/contact/0/resourceType: Patient.contact has no",
    );
    bad(&patient(r#""fhir_comments":["x"]"#), "/fhir_comments: ");
    bad(&patient(r#""":1"#), "/: Patient has no such element");
    bad(&patient(r#""_":{"id":"x"}"#), "/_: ");
    bad(&patient(r#""__active":{"id":"x"}"#), "/__active: ");
    bad(r#"{"resourceType":"Bundle","type":"batch","text":{"status":"empty","div":"<div/>"}}"#, "/text: Bundle has no");
    good(r#"{"resourceType":"Patient","\u0061ctive":true}"#);
}

#[test]
fn elements_are_there_as_often_as_they_must() {
    bad(r#"{"resourceType":"Observation","status":"final"}"#, "/code: A required element is missing");
    bad(&patient(r#""link":[{"type":"refer"}]"#), "/link/0/other: A required element is missing");
    bad(
        r#"{"resourceType":"MedicationRequest","status":"active","intent":"order","subject":{"display":"x"}}"#,
        "/medication[x]: ",
    );
    good(
        r#"{"resourceType":"Observation","_status":{"extension":[{"url":"u","valueCode":"unknown"}]},"code":{"text":"x"}}"#,
    );
    bad(&patient(r#""name":{"family":"a"}"#), "/name: This element repeats");
    bad(&patient(r#""active":[true]"#), "/active: This element does not repeat");
    bad(&patient(r#""maritalStatus":[{"text":"x"}]"#), "/maritalStatus: This element does not repeat");
    bad(&patient(r#""name":[{"given":"a"}]"#), "/name/0/given: This element repeats");
}

#[test]
fn nothing_is_empty() {
    bad(&patient(r#""name":[]"#), "/name: An array must not be empty");
    bad(&patient(r#""name":[{}]"#), "/name/0: An object must not be empty");
    bad(&patient(r#""name":[{"given":[]}]"#), "/name/0/given: An array must not be empty");
    bad(&patient(r#""maritalStatus":{}"#), "/maritalStatus: An object must not be empty");
    bad(&patient(r#""name":[{"family":""}]"#), "/name/0/family: A string must not be empty");
    bad(&patient(r#""active":true,"_active":{}"#), "/_active: An object must not be empty");
}

#[test]
fn null_fills_arrays_of_primitives_only() {
    let extended = r#""_given":[null,{"extension":[{"url":"u","valueString":"x"}]}]"#;
    good(&patient(&format!(r#""name":[{{"given":["a",null],{extended}}}]"#)));
    good(&patient(&format!(r#""name":[{{{extended},"given":["a","b"]}}]"#)));
    good(&patient(r#""name":[{"_given":[{"extension":[{"url":"u","valueCode":"x"}]}]}]"#));
    let crossed = faults(&patient(&format!(r#""name":[{{"given":[null,"b"],{extended}}}]"#)));
    assert!(
        crossed.len() == 2
            && crossed[0].starts_with("/name/0/given/0: ")
            && crossed[1].starts_with("/name/0/_given/0: ")
    );
    bad(&patient(r#""name":[{"given":["a",null]}]"#), "/name/0/given/1: null stands only");
    bad(
        &patient(r#""name":[{"_given":[null,{"extension":[{"url":"u","valueCode":"x"}]}]}]"#),
        "/name/0/_given/0: null stands only",
    );
    for (members, at) in
        [(r#""active":null"#, "/active"), (r#""name":null"#, "/name"), (r#""_active":null"#, "/_active")]
    {
        bad(&patient(members), &format!("{at}: null is only allowed"));
    }
    bad(&patient(r#""name":[null]"#), "/name/0: Expected an object");
    bad(&patient(r#""name":[{"given":[null]}]"#), "/name/0/given/0: null stands only");
}

#[test]
fn siblings_carry_ids_and_extensions_of_primitives() {
    good(&patient(r#""birthDate":"1970","_birthDate":{"id":"a","extension":[{"url":"u","valueTime":"10:00:00"}]}"#));
    good(&patient(r#""_deceasedBoolean":{"id":"x","extension":[{"url":"u","valueCode":"x"}]}"#));
    bad(&patient(r#""_deceasedBoolean":{"id":"x"}"#), "/_deceasedBoolean: An element has a value or children");
    bad(&patient(r#""_birthDate":{"value":"1970"}"#), "/_birthDate/value: Element has no such element");
    bad(&patient(r#""_birthDate":[{"id":"x"}]"#), "/_birthDate: This element does not repeat");
    bad(&patient(r#""_birthDate":"x""#), "/_birthDate: Expected an object");
    bad(&patient(r#""name":[{"_given":{"id":"x"}}]"#), "/name/0/_given: This element repeats");
    bad(&patient(r#""_maritalStatus":{"id":"x"}"#), "/_maritalStatus: Patient has no such element");
    bad(&patient(r#""id":"a","_id":{"id":"x"}"#), "/_id: Patient has no such element");
    bad(
        &patient(r#""extension":[{"url":"u","_url":{"id":"x"},"valueCode":"x"}]"#),
        "/extension/0/_url: Extension has no",
    );
}

#[test]
fn a_choice_has_one_type_that_is_allowed() {
    good(&patient(r#""deceasedDateTime":"2001-02-03","_deceasedDateTime":{"id":"x"}"#));
    bad(
        &patient(r#""deceasedBoolean":true,"deceasedDateTime":"2001""#),
        "/deceasedDateTime: deceased[x] may have only one type",
    );
    bad(
        &patient(r#""deceasedBoolean":true,"_deceasedDateTime":{"extension":[{"url":"u","valueCode":"x"}]}"#),
        "/_deceasedDateTime: deceased[x] may have only",
    );
    bad(&patient(r#""deceasedString":"x""#), "/deceasedString: Patient has no such element");
    bad(&patient(r#""deceased":true"#), "/deceased: Patient has no such element");
    bad(&patient(r#""multipleBirthInteger":"1""#), "/multipleBirthInteger: An integer is");
}

#[test]
fn types_have_their_json_shape() {
    bad(&patient(r#""maritalStatus":"M""#), "/maritalStatus: Expected an object (CodeableConcept)");
    bad(&patient(r#""name":["x"]"#), "/name/0: Expected an object (HumanName)");
    bad(&patient(r#""active":"true""#), "/active: A boolean is");
    bad(&patient(r#""birthDate":{"a":1}"#), "/birthDate: Expected a JSON string");
    bad(&patient(r#""name":[{"family":1}]"#), "/name/0/family: Expected a JSON string");
    bad(&patient(r#""name":[{"given":[["x"]]}]"#), "/name/0/given/0: Expected a JSON string");
    bad(&patient(r#""multipleBirthBoolean":1"#), "/multipleBirthBoolean: A boolean is");
}

#[test]
fn required_codes_are_in_their_list() {
    good(&patient(r#""gender":"other""#));
    bad(&patient(r#""gender":"Male""#), "/gender: This code is not in the required value set administrative-gender");
    let allergy = |status: &str| {
        format!(
            r#"{{"resourceType":"AllergyIntolerance","patient":{{"reference":"Patient/1"}},"clinicalStatus":{status}}}"#
        )
    };
    let system = "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical";
    good(&allergy(&format!(r#"{{"coding":[{{"system":"x","code":"y"}},{{"system":"{system}","code":"resolved"}}]}}"#)));
    good(&allergy(r#"{"extension":[{"url":"u","valueCode":"unknown"}]}"#));
    bad(
        &allergy(&format!(r#"{{"coding":[{{"system":"{system}","code":"gone"}}]}}"#)),
        "/clinicalStatus/coding: No coding is in",
    );
    bad(&allergy(r#"{"coding":[{"code":"active"}]}"#), "/clinicalStatus/coding: No coding is in");
    bad(&allergy(r#"{"text":"active"}"#), "/clinicalStatus/coding: A code of the required value set");
}

#[test]
fn an_extension_has_a_url_and_a_value_or_extensions() {
    let extended = |extension: &str| patient(&format!(r#""extension":[{extension}]"#));
    good(&extended(r#"{"url":"u","valueCode":"x"}"#));
    good(&extended(r#"{"url":"u","_valueCode":{"extension":[{"url":"u","valueCode":"x"}]}}"#));
    good(&extended(r#"{"url":"u","extension":[{"url":"v","valueBoolean":false}]}"#));
    bad(&extended(r#"{"valueCode":"x"}"#), "/extension/0/url: A required element is missing");
    bad(&extended(r#"{"url":"u"}"#), "/extension/0: An extension has a value or nested extensions");
    bad(
        &extended(r#"{"url":"u","valueCode":"x","extension":[{"url":"v","valueCode":"x"}]}"#),
        "/extension/0: An extension has a",
    );
    bad(
        &extended(r#"{"url":"u","valueCode":"x","valueString":"x"}"#),
        "/extension/0/valueString: value[x] may have only one",
    );
    bad(&extended(r#"{"url":"u","valueAnimal":"x"}"#), "/extension/0/valueAnimal: Extension has no such element");
    bad(&extended(r#"{"url":"a b","valueCode":"x"}"#), "/extension/0/url: A URI has no white space");
}

#[test]
fn contained_resources_are_parts() {
    let containing = |contained: &str, id: &str| {
        patient(&format!(r##""contained":[{contained}],"managingOrganization":{{"reference":"#{id}"}}"##))
    };
    let organization = r##"{"resourceType":"Organization","id":"o","partOf":{"reference":"#"}}"##;
    good(&containing(organization, "o"));
    bad(&containing(organization, "p"), "/managingOrganization/reference: There is no contained resource with this id");
    bad(
        &containing(r#"{"resourceType":"Patient","id":"o"}"#, "o"),
        "/managingOrganization/reference: This element may refer to",
    );
    bad(
        &patient(r#""contained":[{"resourceType":"Organization","name":"x"}]"#),
        "/contained/0/id: A contained resource needs an id",
    );
    bad(&patient(r#""contained":[{"id":"x"}]"#), "/contained/0: The resource has no resourceType");
    bad(
        &patient(r#""contained":[{"resourceType":"Dog","id":"x"}]"#),
        "/contained/0/resourceType: R4 has no resource type \"Dog\"",
    );
    bad(
        &patient(r#""contained":[{"resourceType":"Basic","id":"x","code":{"text":"x"},"nope":1}]"#),
        "/contained/0/nope: Basic has no",
    );
    let twins = format!("{organization},{organization}");
    bad(&containing(&twins, "o"), "/contained/1/id: Two contained resources have this id");
    let nested = r#"{"resourceType":"Organization","id":"o","contained":[{"resourceType":"Organization","id":"n"}]}"#;
    bad(&patient(&format!(r#""contained":[{nested}]"#)), "/contained/0/contained: A contained resource cannot contain");
    let versioned = r#"{"resourceType":"Organization","id":"o","meta":{"versionId":"1"}}"#;
    bad(
        &patient(&format!(r#""contained":[{versioned}]"#)),
        "/contained/0/meta/versionId: A contained resource has no versions",
    );
}

#[test]
fn nested_resources_are_validated_where_they_stand() {
    let bundle = |resource: &str| {
        format!(r#"{{"resourceType":"Bundle","type":"collection","entry":[{{"resource":{resource}}}]}}"#)
    };
    good(&bundle(r#"{"resourceType":"Patient","active":true}"#));
    bad(&bundle(r#"{"resourceType":"Patient","active":1}"#), "/entry/0/resource/active: A boolean is");
    bad(&bundle("1"), "/entry/0/resource: A resource is a JSON object");
    bad(&bundle("[]"), "/entry/0/resource: This element does not repeat");
    bad(&bundle(r#"{"active":true}"#), "/entry/0/resource: The resource has no resourceType");
    bad(
        r#"{"resourceType":"Parameters","parameter":[{"name":"a","part":[{"name":"b","resource":{"resourceType":"Patient","x":1}}]}]}"#,
        "/parameter/0/part/0/resource/x: Patient has no such element",
    );
    // A reference is resolved in the entry's own resource, not in a neighbour's.
    let containing = r#"{"resourceType":"Patient","contained":[{"resourceType":"Organization","id":"o"}]}"#;
    let referring = r##"{"resourceType":"Patient","managingOrganization":{"reference":"#o"}}"##;
    bad(
        &bundle(&format!(r#"{containing}}},{{"resource":{referring}"#)),
        "/entry/1/resource/managingOrganization/reference: There is",
    );
}

#[test]
fn references_have_a_form_and_an_allowed_type() {
    let managed = |reference: &str| patient(&format!(r#""managingOrganization":{{"reference":"{reference}"}}"#));
    for reference in [
        "Organization/1",
        "Organization/1/_history/2",
        "http://x.org/fhir/Organization/1",
        "https://x.org/anything?q",
        "urn:uuid:5c5b8d8e-0000-4000-8000-000000000000",
        "urn:oid:1.2.3",
        "Organization?identifier=s|v",
    ] {
        good(&managed(reference));
    }
    for reference in ["Organization", "Dog/1", "1", "Organization/a b", "org anization", "mailto:x", "Organization/1/2"]
    {
        bad(&managed(reference), "/managingOrganization/reference: Not a reference");
    }
    bad(&managed("http://x.org/a b"), "/managingOrganization/reference: A reference has no white space");
    bad(&managed("Patient/1"), "/managingOrganization/reference: This element may refer to Organization only");
    bad(&managed("Patient?name=x"), "/managingOrganization/reference: This element may refer to Organization only");
    bad(
        &patient(r#""managingOrganization":{"reference":1}"#),
        "/managingOrganization/reference: Expected a JSON string",
    );
    good(&patient(r#""managingOrganization":{"display":"somebody"}"#));
}

#[test]
fn every_fault_is_listed_and_none_repeats_a_value() {
    let text = patient(
        r#""name":[{"family":"Canary\u0009","period":{"start":"Canary"}}],"gender":"Canary","birthDate":"Canary","x":"Canary""#,
    );
    let faults = faults(&text);
    assert_eq!(faults.len(), 4, "{faults:#?}");
    assert!(!faults.concat().contains("Canary"));
}

#[test]
fn the_list_of_faults_is_capped_and_the_rest_counted() {
    let with = |count: usize| patient(&format!(r#""name":[{}]"#, vec![r#"{"x":1}"#; count].join(",")));
    assert_eq!(faults(&with(limits::FAULTS_MAX)).len(), limits::FAULTS_MAX);
    let more = faults(&with(limits::FAULTS_MAX + 5));
    assert_eq!(more.len(), limits::FAULTS_MAX + 1);
    assert_eq!(more.last().unwrap(), "There are 5 more faults");
    let long = faults(&patient(&format!(r#""{}":1"#, "ä".repeat(1_000))));
    assert!(long[0].len() < 600, "a pointer is cut");
}

#[test]
fn what_is_large_is_walked_once() {
    // Each of these would take hours if an item were looked for from the start every time.
    let nulls = vec!["null"; 200_000].join(",");
    assert!(!faults(&patient(&format!(r#""name":[{{"given":[{nulls}],"_given":[{nulls}]}}]"#))).is_empty());
    let (mut contained, mut links) = (Vec::new(), Vec::new());
    for at in 0..20_000 {
        contained.push(format!(r#"{{"resourceType":"Patient","id":"p{at}"}}"#));
        links.push(format!(r##"{{"type":"refer","other":{{"reference":"#p{at}"}}}}"##));
    }
    good(&patient(&format!(r#""contained":[{}],"link":[{}]"#, contained.join(","), links.join(","))));
}

#[test]
fn the_deepest_document_is_walked() {
    let depth = limits::JSON_DEPTH_MAX / 2 - 1;
    let deep = |depth: usize| {
        format!(r#"{}"valueBoolean":1{}"#, r#""extension":[{"url":"u","#.repeat(depth), "}]".repeat(depth))
    };
    bad(&patient(&deep(depth)), "/extension/0/extension/0/");
}
