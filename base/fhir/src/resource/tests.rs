use iris_kernel::{Timestamp, Version};
use proptest::prelude::*;

use super::*;

const AT: Timestamp = Timestamp(1_700_000_000_123_456);

fn served(text: &str) -> String {
    let resource = Resource::parse(text.to_owned()).unwrap();
    String::from_utf8(resource.with_server_fields("new", Version(3), AT)).unwrap()
}

#[test]
fn the_server_sets_its_fields_and_nothing_else() {
    let sent = r#" { "status" : "final", "meta" : { "tag" : [ {"code":"a"} ], "versionId":"9", "profile":["p"] },
        "id":"old", "valueQuantity":{"value": 1.10 }, "note":[{"text":"a\u00e9\/ b"}], "resourceType":"Observation" }"#;
    let expected = concat!(
        r#"{"resourceType":"Observation","id":"new","meta":{"versionId":"3","lastUpdated":"2023-11-14T22:13:20.123Z","#,
        r#""tag":[{"code":"a"}],"profile":["p"]},"status":"final","valueQuantity":{"value":1.10},"note":[{"text":"a\u00e9\/ b"}]}"#
    );
    assert_eq!(served(sent), expected);
    assert_eq!(served(&served(sent)), expected, "setting them again changes nothing");
}

#[test]
fn a_resource_without_id_or_meta_gets_both() {
    let expected =
        r#"{"resourceType":"Patient","id":"new","meta":{"versionId":"3","lastUpdated":"2023-11-14T22:13:20.123Z"}}"#;
    assert_eq!(served(r#"{"resourceType":"Patient"}"#), expected);
    // What is no object has been refused by validation; here it only must not get through.
    assert_eq!(served(r#"{"resourceType":"Patient","meta":[1]}"#), expected);
}

#[test]
fn what_is_no_resource_is_refused() {
    assert!(matches!(Resource::parse("{"), Err(ParseError::Json(_))));
    assert_eq!(Resource::parse("[]").unwrap_err(), ParseError::NotAnObject);
    assert_eq!(Resource::parse("{}").unwrap_err(), ParseError::NoType);
    assert_eq!(Resource::parse(r#"{"resourceType":1}"#).unwrap_err(), ParseError::NoType);
    for (name, shown) in
        [("Dog", true), ("DomainResource", true), ("SubscriptionStatus", true), ("Jane Doe", false), ("", true)]
    {
        let fault = Resource::parse(format!(r#"{{"resourceType":"{name}"}}"#)).unwrap_err();
        assert_eq!(fault, ParseError::UnknownType(shown.then(|| name.to_owned())));
        assert_eq!(fault.to_string().contains(&format!("\"{name}\"")), shown);
    }
}

#[test]
fn a_nested_resource_can_be_cut_out() {
    let bundle = Json::parse(r#"{"entry":[{"resource":{ "resourceType" : "Patient", "id" : "x" }}]}"#).unwrap();
    let entry = bundle.root().get("entry").unwrap().items().next().unwrap();
    let patient = Resource::from_value(entry.get("resource").unwrap()).unwrap();
    assert_eq!(patient.kind_name(), "Patient");
    assert_eq!(patient.id().as_deref(), Some("x"));
    assert_eq!(&patient.json().text()[..], br#"{"resourceType":"Patient","id":"x"}"#);
}

proptest! {
    /// Whatever else is in the resource comes back byte for byte, in its order.
    #[test]
    fn all_else_stays_as_sent(members in proptest::collection::btree_map("[a-z]{1,6}", crate::json::laws::json_text(), 0..6)) {
        let rest: Vec<String> = members
            .iter()
            .filter(|(name, _)| !matches!(name.as_str(), "id" | "meta"))
            .map(|(name, value)| format!("\"{name}\":{value}"))
            .collect();
        let sent = format!("{{\"resourceType\":\"Basic\"{}}}", rest.iter().map(|m| format!(",{m}")).collect::<String>());
        let compact = String::from_utf8(Json::parse(sent.clone()).unwrap().compact()).unwrap();
        let out = served(&sent);
        let kept = out.split_once("\"}").unwrap().1;
        prop_assert_eq!(kept, compact.strip_prefix("{\"resourceType\":\"Basic\"").unwrap());
    }
}
