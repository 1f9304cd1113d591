use proptest::prelude::*;

use super::*;
use crate::json::{Json, laws};

const PATIENT: &str = r#"{"resourceType":"Patient","id":"a","meta":{"versionId":"3","tag":[{"code":"mine"}]},
    "text":{"status":"generated","div":"<div>x</div>"},"extension":[{"url":"u","valueCode":"x"}],"active":true,
    "_birthDate":{"extension":[{"url":"u","valueCode":"x"}]},"birthDate":"1970-01-01",
    "photo":[{"contentType":"image/png","data":"AAAA"}],"name":[{"family":"F","extension":[{"url":"u","valueCode":"x"}]}],
    "link":[{"id":"l","other":{"reference":"Patient/b"},"type":"seealso"}],
    "contact":[{"name":{"family":"C"}}],"identifier":[{"extension":[{"url":"u","valueCode":"x"}]}]}"#;

fn part(text: &str, subset: &Subset) -> String {
    let json = Json::parse(text.to_owned()).unwrap();
    let made = subset.of(json.root());
    String::from_utf8(made).unwrap()
}

const TAGS: &str =
    r#""tag":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationValue","code":"SUBSETTED"}]"#;

#[test]
fn a_summary_has_what_the_definitions_say_and_stays_a_resource() {
    let made = part(PATIENT, &Subset::Summary);
    for kept in [
        r#""active":true"#,
        r#""birthDate":"1970-01-01""#,
        r#""name":[{"family":"F"}]"#,
        "seealso",
        r#""versionId":"3""#,
        "mine",
    ] {
        assert!(made.contains(kept), "{kept}: {made}");
    }
    for dropped in ["div", "photo", "contact"] {
        assert!(!made.contains(dropped), "{dropped}: {made}");
    }
    // What would be empty in a summary stays as it is, and a primitive's extensions go with its value.
    assert!(made.contains(r#""identifier":[{"extension""#) && made.contains(r#""_birthDate":{"extension""#), "{made}");
    let resource = crate::Resource::parse(made).unwrap();
    assert_eq!(crate::validate(&resource), []);
    assert!(is_subsetted(resource.root()));
}

#[test]
fn text_data_and_elements() {
    let observation = r#"{"resourceType":"Observation","text":{"status":"empty","div":"<div/>"},"status":"final",
        "code":{"text":"c"},"valueString":"v","note":[{"text":"n"}],"implicitRules":"urn:x"}"#;
    let head = format!(r#"{{"resourceType":"Observation","meta":{{{TAGS}}}"#);
    let always = r#""status":"final","code":{"text":"c"}"#;
    let narrative = r#""text":{"status":"empty","div":"<div/>"}"#;
    let cases = [
        (Subset::Text, format!(r#"{head},{narrative},{always},"implicitRules":"urn:x"}}"#)),
        (
            Subset::Data,
            format!(r#"{head},{always},"valueString":"v","note":[{{"text":"n"}}],"implicitRules":"urn:x"}}"#),
        ),
        (
            Subset::Elements(vec!["value".to_owned()]),
            format!(r#"{head},{always},"valueString":"v","implicitRules":"urn:x"}}"#),
        ),
    ];
    for (subset, expected) in cases {
        assert_eq!(part(observation, &subset), expected, "{subset:?}");
    }
}

#[test]
fn elements_are_of_the_type_or_are_refused_by_name() {
    let kind = definitions().kind_of("Patient");
    assert!(Subset::elements(["name", "birthDate"].into_iter(), kind).is_ok());
    let faults = Subset::elements(["name", "colour", "<x>"].into_iter(), kind).unwrap_err();
    let said: Vec<String> = faults.iter().map(ToString::to_string).collect();
    assert_eq!(said, ["_elements: colour is no element of Patient", "_elements: x is no element of Patient"]);
    assert!(Subset::elements(["dosage"].into_iter(), None).is_ok());
    assert!(Subset::elements(["colour"].into_iter(), None).is_err());
}

proptest! {
    /// Whatever comes in, the part has nothing that the whole has not, but for the tag; and asking twice changes nothing.
    #[test]
    fn a_part_only_leaves_out(text in laws::json_text(), which in 0..3_usize) {
        let subset = [Subset::Summary, Subset::Text, Subset::Data][which].clone();
        let whole = format!(r#"{{"resourceType":"Patient","active":true,"name":[{{"family":"F"}}],"contained":[{text}]}}"#);
        let Ok(json) = Json::parse(whole) else { return Ok(()) };
        let made = subset.of(json.root());
        let once = Json::parse(made.clone()).unwrap();
        for (name, value) in once.root().members().filter(|(name, _)| name != "meta") {
            let before = json.root().get(&name).unwrap();
            prop_assert!(value.raw().len() <= before.raw().len());
        }
        prop_assert_eq!(subset.of(once.root()), made);
    }
}
