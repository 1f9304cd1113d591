//! Every rule beyond structure, with what keeps it and what breaks it; what it costs; what `$validate` answers.

use iris_fhir::Json;
use iris_fhir::definitions::kind_of;
use iris_kernel::limits::FAULTS_MAX;

use super::*;

fn issues(text: &str) -> Vec<Issue> {
    validate(&Resource::parse(text.to_owned()).unwrap(), Settings::ALL).issues
}

fn errors(text: &str) -> Vec<String> {
    let errors = issues(text).into_iter().filter(|issue| issue.severity == Severity::Error);
    errors.map(|issue| format!("{}: {}", issue.expression, issue.what)).collect()
}

fn patient(members: &str) -> String {
    format!(r#"{{"resourceType":"Patient",{members}}}"#)
}

#[track_caller]
fn good(text: &str) {
    assert_eq!(errors(text), [""; 0], "{text}");
    assert!(Valid::check(Resource::parse(text.to_owned()).unwrap()).is_ok());
}

/// Exactly one error, which starts so and has this in it.
#[track_caller]
fn bad(text: &str, start: &str, part: &str) {
    let errors = errors(text);
    assert!(errors.len() == 1 && errors[0].starts_with(start) && errors[0].contains(part), "{text}\n{errors:#?}");
    assert!(Valid::check(Resource::parse(text.to_owned()).unwrap()).is_err());
}

#[track_caller]
fn warned(text: &str, start: &str, part: &str) {
    good(text);
    let found = issues(text).iter().any(|issue| {
        issue.severity == Severity::Warning && issue.expression.starts_with(start) && issue.what.contains(part)
    });
    assert!(found, "{text}\n{:#?}", issues(text));
}

#[test]
fn invariants_are_held_where_they_are_defined() {
    bad(&patient(r#""contact":[{"gender":"male"}]"#), "Patient.contact[0]: ", "(pat-1)");
    good(&patient(r#""contact":[{"gender":"male","name":{"text":"x"}}]"#));
    bad(&patient(r#""telecom":[{"value":"1"}]"#), "Patient.telecom[0]: ", "(cpt-2)");
    bad(
        &patient(r#""name":[{"period":{"start":"2020-02-02","end":"2020-01-01"}}]"#),
        "Patient.name[0].period: ",
        "(per-1)",
    );
    let organization =
        r#"{"resourceType":"Organization","name":"x","address":[{"use":"work","city":"a"},{"use":"home","city":"b"}]}"#;
    bad(organization, "Organization.address[1]: ", "(org-2)");
    let observation =
        |value: &str| format!(r#"{{"resourceType":"Observation","status":"final","code":{{"text":"x"}},{value}}}"#);
    bad(&observation(r#""valueString":"x","dataAbsentReason":{"text":"y"}"#), "Observation: ", "(obs-6)");
    bad(&observation(r#""valueQuantity":{"value":1,"code":"mg"}"#), "Observation.value.ofType(Quantity): ", "(qty-3)");
    let assessment = |probability: &str| {
        format!(
            r#"{{"resourceType":"RiskAssessment","status":"final","subject":{{"reference":"Patient/1"}},"prediction":[{{{probability}}}]}}"#
        )
    };
    good(&assessment(r#""probabilityDecimal":0.5"#));
    bad(&assessment(r#""probabilityDecimal":101"#), "RiskAssessment.prediction[0]: ", "(ras-2)");
    bad(
        &assessment(r#""probabilityRange":{"low":{"value":1,"system":"http://unitsofmeasure.org","code":"mg"}}"#),
        "RiskAssessment.prediction[0].probability.ofType(Range): ",
        "(ras-1)",
    );
}

#[test]
fn mended_invariants_say_what_their_words_say() {
    let item =
        |item: &str| format!(r#"{{"resourceType":"Questionnaire","status":"draft","item":[{{"linkId":"1",{item}}}]}}"#);
    let when = r#"{"question":"1","operator":"exists","answerBoolean":true}"#;
    good(&item(&format!(r#""type":"string","enableWhen":[{when}]"#)));
    bad(&item(&format!(r#""type":"string","enableWhen":[{when},{when}]"#)), "Questionnaire.item[0]: ", "(que-12)");
    warned(&item(r#""type":"group""#), "Questionnaire.item[0]", "(que-1)");
    bad(&item(r#""type":"display","item":[{"linkId":"2","type":"string"}]"#), "Questionnaire.item[0]: ", "(que-1)");
    bad(
        &item(r#""type":"string","enableWhen":[{"question":"1","operator":"exists","answerInteger":1}]"#),
        "Questionnaire.item[0].enableWhen[0]: ",
        "(que-7)",
    );
}

#[test]
fn an_element_is_more_than_an_id() {
    bad(&patient(r#""name":[{"id":"a"}]"#), "Patient.name[0]: ", "(ele-1)");
    bad(&patient(r#""_birthDate":{"id":"a"}"#), "Patient.birthDate: ", "(ele-1)");
    good(&patient(r#""birthDate":"2000","_birthDate":{"id":"a"}"#));
    good(&patient(r#""id":"a""#));
}

#[test]
fn bindings_are_told_by_strength() {
    bad(
        &patient(r#""gender":"f""#),
        "Patient.gender: ",
        "administrative-gender, which has female, male, other, unknown",
    );
    warned(
        &patient(r#""maritalStatus":{"coding":[{"system":"urn:x","code":"M"}]}"#),
        "Patient.maritalStatus",
        "marital-status",
    );
    warned(&patient(r#""maritalStatus":{"text":"x"}"#), "Patient.maritalStatus", "marital-status");
    let known = patient(
        r#""maritalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-MaritalStatus","code":"M"}]}"#,
    );
    assert!(!issues(&known).iter().any(|issue| issue.code == IssueCode::CodeInvalid));
    bad(
        &patient(r#""maritalStatus":{"coding":[{"system":"x","code":"M"}]}"#),
        "Patient.maritalStatus.coding[0].system: ",
        "absolute",
    );
}

#[test]
fn references_have_the_type_that_they_may() {
    bad(
        &patient(r#""managingOrganization":{"reference":"Patient/1"}"#),
        "Patient.managingOrganization.reference: ",
        "Organization",
    );
    bad(
        &patient(r#""managingOrganization":{"type":"Patient","display":"x"}"#),
        "Patient.managingOrganization.type: ",
        "Organization",
    );
    bad(
        &patient(r#""generalPractitioner":[{"type":"Organization","reference":"Practitioner/1"}]"#),
        "Patient.generalPractitioner[0].type: ",
        "leads to Practitioner",
    );
    good(&patient(r#""managingOrganization":{"reference":"http://example.org/fhir/Whatever/1"}"#));
    let team = |member: &str| {
        format!(
            r#"{{"resourceType":"CareTeam","participant":[{{"member":{{"reference":"{member}"}},"onBehalfOf":{{"display":"x"}}}}]}}"#
        )
    };
    good(&team("Practitioner/1"));
    good(&team("urn:uuid:3f5d1f3e-5a3a-4f0e-9a4f-0f2b1b3c4d5e"));
    bad(&team("Patient/1"), "CareTeam.participant[0]: ", "(ctm-1)");
}

#[test]
fn contained_resources_belong_to_their_container() {
    let contained = |own: &str, rest: &str| {
        patient(&format!(r#""contained":[{{"resourceType":"Organization","id":"a","name":"x"{own}}}]{rest}"#))
    };
    good(&contained("", r##","managingOrganization":{"reference":"#a"}"##));
    bad(&contained("", ""), "Patient.contained[0]: ", "(dom-3)");
    good(&contained(r##","extension":[{"url":"urn:x","valueReference":{"reference":"#"}}]"##, ""));
    good(&contained("", r##","extension":[{"url":"urn:x","valueUri":"#a"}]"##));
    bad(
        &contained(r#","meta":{"security":[{"code":"R"}]}"#, r##","managingOrganization":{"reference":"#a"}"##),
        "Patient.contained[0].meta.security: ",
        "(dom-5)",
    );
    bad(
        &patient(r##""managingOrganization":{"reference":"#a"}"##),
        "Patient.managingOrganization.reference: ",
        "(ref-1)",
    );
    warned(&patient(r#""active":true"#), "Patient", "(dom-6)");
}

#[test]
fn extensions_are_named_and_stand_where_they_may() {
    bad(&patient(r#""extension":[{"url":"x","valueCode":"y"}]"#), "Patient.extension[0].url: ", "absolute");
    good(&patient(r#""extension":[{"url":"urn:x","extension":[{"url":"y","valueCode":"z"}]}]"#));
    let own = "http://hl7.org/fhir/StructureDefinition";
    let named = |at: &str| format!(r#"{{"url":"{own}/humanname-mothers-family","valueString":"x"}}{at}"#);
    bad(
        &patient(&format!(r#""name":[{{"extension":[{}]}}]"#, named(""))),
        "Patient.name[0].extension[0]: ",
        "HumanName.family",
    );
    good(&patient(&format!(r#""name":[{{"family":"y","_family":{{"extension":[{}]}}}}]"#, named(""))));
    bad(
        &patient(&format!(r#""extension":[{{"url":"{own}/patient-birthPlace","valueString":"x"}}]"#)),
        "Patient.extension[0].value.ofType(string): ",
        "Address",
    );
    bad(
        &patient(&format!(
            r#""extension":[{{"url":"{own}/patient-animal","extension":[{{"url":"breed","valueCodeableConcept":{{"text":"x"}}}}]}}]"#
        )),
        "Patient.extension[0]: ",
        "species",
    );
    good(&patient(&format!(
        r#""_birthDate":{{"extension":[{{"url":"{own}/data-absent-reason","valueCode":"unknown"}}]}}"#
    )));
    good(&patient(r#""extension":[{"url":"http://hl7.org/fhir/StructureDefinition/nobody-knows","valueCode":"x"}]"#));
}

#[test]
fn narrative_is_judged_at_its_place() {
    let text = |div: &str| patient(&format!(r#""text":{{"status":"generated","div":"{div}"}}"#));
    good(&text("<div xmlns=\\\"http://www.w3.org/1999/xhtml\\\">x</div>"));
    bad(
        &text("<div xmlns=\\\"http://www.w3.org/1999/xhtml\\\">x<script>y</script></div>"),
        "Patient.text.div: ",
        "(txt-1)",
    );
    warned(&text("<div xmlns=\\\"http://www.w3.org/1999/xhtml\\\"> </div>"), "Patient.text.div", "(txt-2)");
    bad(&text("<div xmlns=\\\"http://www.w3.org/1999/xhtml\\\">x<p></div>"), "Patient.text.div: ", "well-formed");
}

#[test]
fn text_that_looks_like_tags_is_kept_and_told() {
    let text = patient(r#""name":[{"text":"<script>x</script>"}]"#);
    warned(&text, "Patient.name[0].text", "HTML");
    let settings = Settings { markup: Markup::Refused, ..Settings::WRITE };
    assert!(!validate(&Resource::parse(text).unwrap(), settings).is_valid());
    for plain in ["a < b > c", "x<3", "<", "5 <6>", "</"] {
        let issues = issues(&patient(&format!(r#""name":[{{"text":"{plain}"}}]"#)));
        assert!(!issues.iter().any(|issue| issue.what.contains("HTML")), "{plain}");
    }
}

fn entry(url: &str, resource: &str) -> String {
    format!(r#"{{"fullUrl":"{url}","resource":{resource}}}"#)
}

fn bundle(of: &str, entries: &[String]) -> String {
    format!(r#"{{"resourceType":"Bundle","type":"{of}","entry":[{}]}}"#, entries.join(","))
}

#[test]
fn entries_have_names_of_their_own() {
    let patient = |id: &str| format!(r#"{{"resourceType":"Patient","id":"{id}"}}"#);
    let url = "http://example.org/Patient/a";
    good(&bundle("collection", &[entry(url, &patient("a"))]));
    bad(&bundle("collection", &[entry(url, &patient("b"))]), "Bundle.entry[0].fullUrl: ", "another id");
    bad(&bundle("collection", &[entry("Patient/a", &patient("a"))]), "Bundle.entry[0].fullUrl: ", "absolute");
    bad(
        &bundle("collection", &[entry("http://example.org/Group/a", &patient("a"))]),
        "Bundle.entry[0].fullUrl: ",
        "Group",
    );
    bad(&bundle("collection", &[entry(url, &patient("a")), entry(url, &patient("a"))]), "Bundle.entry[1]: ", "(bdl-7)");
    bad(
        &bundle(
            "searchset",
            &[entry("urn:uuid:3f5d1f3e-5a3a-4f0e-9a4f-0f2b1b3c4d5e", r#"{"resourceType":"Patient"}"#)],
        ),
        "Bundle.entry[0].resource: ",
        "id",
    );
    bad(
        &bundle("document", &[entry(url, &patient("a"))]).replace(
            r#""type":"document","#,
            r#""type":"document","timestamp":"2020-01-01T00:00:00Z","identifier":{"system":"urn:x","value":"1"},"#,
        ),
        "Bundle: ",
        "(bdl-11)",
    );
}

#[test]
fn references_lead_to_entries_of_the_right_type() {
    let (one, two) = ("urn:uuid:3f5d1f3e-5a3a-4f0e-9a4f-0f2b1b3c4d5e", "urn:uuid:4f5d1f3e-5a3a-4f0e-9a4f-0f2b1b3c4d5e");
    let with = |reference: &str| {
        format!(r#"{{"resourceType":"Patient","managingOrganization":{{"reference":"{reference}"}}}}"#)
    };
    let organization = r#"{"resourceType":"Organization","name":"x"}"#;
    good(&bundle("collection", &[entry(one, &with(two)), entry(two, organization)]));
    let at = "Bundle.entry[0].resource.managingOrganization.reference: ";
    bad(
        &bundle("collection", &[entry(one, &with(two)), entry(two, r#"{"resourceType":"Patient","active":true}"#)]),
        at,
        "Organization only",
    );
    bad(
        &bundle(
            "collection",
            &[
                entry(one, &with(&format!("Organization/{}", &two[9..]))),
                entry(two, r#"{"resourceType":"Patient","active":true}"#),
            ],
        ),
        at,
        "is a Patient",
    );
}

#[test]
fn all_faults_come_at_once_and_are_bounded() {
    let contacts = vec![r#"{"gender":"x"}"#; 2 * FAULTS_MAX].join(",");
    let all = errors(&patient(&format!(r#""contact":[{contacts}]"#)));
    assert_eq!(all.len(), FAULTS_MAX + 1);
    assert!(all.last().unwrap().contains("300 more"), "{:?}", all.last());
}

#[test]
fn no_message_repeats_a_value() {
    let secret = "Secret-4711";
    let text = patient(&format!(
        r#""gender":"{secret}","birthDate":"{secret}","maritalStatus":{{"coding":[{{"system":"{secret}","code":"{secret}"}}]}},
        "name":[{{"text":"<b>{secret}</b>","period":{{"start":"{secret}"}}}}],"contact":[{{"gender":"{secret}"}}],
        "extension":[{{"url":"{secret}","valueString":"{secret}"}}],"managingOrganization":{{"reference":"{secret}"}},
        "text":{{"status":"generated","div":"<div>{secret}<script>{secret}</script></div>"}},"photo":[{{"data":"{secret}","size":1}}]"#
    ));
    let found = issues(&text);
    assert!(found.len() >= 10, "{found:#?}");
    for issue in found {
        assert!(
            !issue.what.contains(secret) && !issue.expression.contains(secret) && !issue.at.contains(secret),
            "{issue:?}"
        );
    }
}

#[test]
fn attack_five_thousand_entries_are_judged_in_a_moment() {
    for count in [5_000_usize, 10_000] {
        let entries: Vec<String> = (0..count)
            .map(|number| {
                let next = (number + 1) % count;
                let resource = format!(
                    r#"{{"resourceType":"Patient","id":"p{number}","link":[{{"type":"seealso","other":{{"reference":"Patient/p{next}"}}}}]}}"#
                );
                entry(&format!("http://example.org/fhir/Patient/p{number}"), &resource)
            })
            .collect();
        let bundle = bundle("collection", &entries);
        // Whoever makes this quadratic waits for it.
        good(&bundle);
    }
}

#[test]
fn attack_one_name_for_all_entries_is_told_and_costs_no_more() {
    let entries = vec![
        entry(
            "urn:uuid:3f5d1f3e-5a3a-4f0e-9a4f-0f2b1b3c4d5e",
            r#"{"resourceType":"Patient","link":[{"type":"refer","other":{"reference":"urn:uuid:3f5d1f3e-5a3a-4f0e-9a4f-0f2b1b3c4d5e"}}]}"#
        );
        10_000
    ];
    let errors = errors(&bundle("collection", &entries));
    assert_eq!(errors.len(), FAULTS_MAX + 1);
}

#[test]
fn attack_invariants_that_compare_all_with_all_end() {
    let component = |number: usize| {
        let codings: Vec<String> =
            (0..60).map(|code| format!(r#"{{"system":"urn:x","code":"c{number}-{code}"}}"#)).collect();
        format!(r#"{{"code":{{"coding":[{}]}},"valueString":"x"}}"#, codings.join(","))
    };
    let components: Vec<String> = (0..400).map(component).collect();
    let codings: Vec<String> = (0..2_000).map(|code| format!(r#"{{"system":"urn:x","code":"d{code}"}}"#)).collect();
    let text = format!(
        r#"{{"resourceType":"Observation","status":"final","code":{{"coding":[{}]}},"valueString":"x","component":[{}]}}"#,
        codings.join(","),
        components.join(",")
    );
    // Either it is judged, or it is refused as too large; it does not take for ever.
    let errors = errors(&text);
    assert!(errors.iter().all(|error| error.contains("too large")), "{errors:?}");
}

#[test]
fn attack_depth_and_breadth_are_walked() {
    let depth = 28;
    let deep =
        format!(r#"{}"valueBoolean":true{}"#, r#""extension":[{"url":"urn:x","#.repeat(depth), "}]".repeat(depth));
    good(&patient(&deep));
    let items: Vec<String> = (0..20_000).map(|number| format!(r#"{{"linkId":"{number}","type":"string"}}"#)).collect();
    good(&format!(r#"{{"resourceType":"Questionnaire","status":"draft","item":[{}]}}"#, items.join(",")));
    let references: Vec<String> = (0..20_000).map(|number| format!(r##"{{"reference":"#{number}"}}"##)).collect();
    let text = patient(&format!(
        r##""contained":[{{"resourceType":"Practitioner","id":"0"}}],"generalPractitioner":[{}]"##,
        references.join(",")
    ));
    assert_eq!(errors(&text).len(), FAULTS_MAX + 1);
}

fn operation(body: &str, on: Target<'_>) -> Result<Operation, Vec<Fault>> {
    Operation::read(Resource::parse(body.to_owned()).unwrap(), on)
}

#[test]
fn validate_answers_what_it_was_asked() {
    let kind = kind_of("Patient").unwrap();
    let on = Target::Type(kind);
    let narrated = r#"{"resourceType":"Patient","text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">x</div>"}}"#;
    let report = operation(narrated, on).unwrap().report(on);
    assert!(report.is_valid());
    let outcome = Json::parse(report.outcome()).unwrap();
    let issue = outcome.root().get("issue").unwrap().items().next().unwrap();
    assert_eq!(issue.str_of("severity").as_deref(), Some("information"));
    assert_eq!(issue.get("details").unwrap().str_of("text").as_deref(), Some("All OK"));
    let asked = |mode: &str| {
        format!(
            r#"{{"resourceType":"Parameters","parameter":[{{"name":"resource","resource":{narrated}}},{{"name":"mode","valueCode":"{mode}"}}]}}"#
        )
    };
    assert!(operation(&asked("create"), on).unwrap().report(on).is_valid());
    // An update needs an id.
    let report = operation(&asked("update"), on).unwrap().report(on);
    assert_eq!(report.issues[0].expression, "Patient.id");
    assert!(operation(&asked("delete"), Target::Instance(kind, "a")).unwrap().report(on).is_valid());
    let refused = operation(&asked("profile"), on).unwrap_err();
    assert!(refused[0].what.contains("profile is not supported"), "{refused:?}");
    let body = r#"{"resourceType":"Parameters","parameter":[{"name":"profile","valueUri":"urn:x"},{"name":"colour","valueCode":"x"}]}"#;
    let refused = operation(body, on).unwrap_err();
    assert_eq!(refused.len(), 2, "{refused:?}");
    // Another type than that of the path is told as an issue.
    let report = operation(r#"{"resourceType":"Group","type":"person","actual":true}"#, on).unwrap().report(on);
    assert!(!report.is_valid() && report.issues[0].what.contains("Expected Patient, found Group"));
    // Parameters on Parameters are the content.
    let on = Target::Type(kind_of("Parameters").unwrap());
    let body = r#"{"resourceType":"Parameters","parameter":[{"name":"x","valueCode":"y"}]}"#;
    assert!(operation(body, on).unwrap().report(on).is_valid());
}

#[test]
fn what_validate_answers_is_valid_itself() {
    let report = validate(&Resource::parse(patient(r#""gender":"x","colour":1"#)).unwrap(), Settings::ALL);
    good(std::str::from_utf8(&report.outcome()).unwrap());
    good(std::str::from_utf8(&Report { issues: Vec::new() }.outcome()).unwrap());
}

#[test]
fn validity_is_carried_by_the_type() {
    let valid = Valid::check(Resource::parse(patient(r#""id":"a""#)).unwrap()).unwrap();
    assert_eq!(valid.id().as_deref(), Some("a"));
    assert_eq!(valid.into_inner().kind_name(), "Patient");
    let (back, faults) = Valid::check(Resource::parse(patient(r#""id":"a_b""#)).unwrap()).unwrap_err();
    assert_eq!((back.kind_name(), faults.len(), faults[0].code), ("Patient", 1, "value"));
    assert_eq!((faults[0].at.as_str(), faults[0].expression.as_str()), ("/id", "Patient.id"));
}
