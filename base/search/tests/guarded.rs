//! Identifiers that not everybody sees in full are found by those who do, and by nobody else.

#![allow(clippy::unwrap_used, reason = "these are tests")]

use iris_fhir::Resource;
use iris_fhir::definitions::kind_of;
use iris_kernel::Timestamp;
use iris_search::{Query, QueryContext, extract, parse_query};

const SSN: &str = "http://hl7.org/fhir/sid/us-ssn";

fn query(kind: &str, pairs: &[(&str, &str)]) -> Query {
    let pairs: Vec<_> = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let context = QueryContext::new("http://here", Timestamp(0));
    parse_query(kind_of(kind).unwrap(), &pairs, &context).unwrap()
}

fn patient(identifiers: &str) -> Resource {
    Resource::parse(format!(r#"{{"resourceType":"Patient","id":"p","identifier":[{identifiers}]}}"#)).unwrap()
}

#[test]
fn only_the_whole_query_finds_by_a_guarded_identifier() {
    let licence = r#"{"type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0203","code":"DL"}]},"value":"S999"}"#;
    let both =
        patient(&format!(r#"{{"system":"{SSN}","value":"123-45-6789"}},{licence},{{"system":"urn:mrn","value":"7"}}"#));
    let document = extract(&both, Timestamp(0));
    for value in
        ["123-45-6789", &format!("{SSN}|123-45-6789"), &format!("{SSN}|"), "S999", "|S999", "nothing,123-45-6789"]
    {
        let query = query("Patient", &[("identifier", value)]);
        assert!(query.has_guarded() && query.matches(&document), "{value}");
        assert!(!query.without_guarded().matches(&document), "{value}");
        assert!(!query.without_guarded().has_guarded());
    }
    for value in ["7", "urn:mrn|7", "urn:mrn|", "nothing,7"] {
        let query = query("Patient", &[("identifier", value)]);
        assert!(query.matches(&document) && query.without_guarded().matches(&document), "{value}");
    }
    let left_out = query("Patient", &[("identifier", "123-45-6789")]);
    let none = left_out.all.into_iter().flatten().map(|criterion| vec![criterion]).collect();
    let without = Query { none, ..Query::everything(left_out.kind) };
    assert!(!without.matches(&document) && without.without_guarded().matches(&document), "nor by leaving it out");
}

#[test]
fn who_asks_for_a_guarded_system_by_name_can_be_told() {
    for (value, named) in [
        (format!("{SSN}|1"), true),
        (format!("{SSN}|"), true),
        ("https://hl7.org/fhir/sid/us-ssn/|1".to_owned(), true),
        (format!("urn:mrn|1,{SSN}|1"), true),
        ("urn:mrn|1".to_owned(), false),
        ("|1".to_owned(), false),
        ("123-45-6789".to_owned(), false),
        (SSN.to_owned(), false),
    ] {
        assert_eq!(query("Patient", &[("identifier", &value)]).names_guarded(), named, "{value}");
        assert_eq!(query("Practitioner", &[("identifier", &value)]).names_guarded(), named, "{value}");
    }
}

#[test]
fn a_mask_is_found_by_nothing() {
    let masked = extract(&patient(&format!(r#"{{"system":"{SSN}","value":"***-**-6789"}}"#)), Timestamp(0));
    for value in ["***-**-6789", &format!("{SSN}|***-**-6789"), &format!("{SSN}|"), "6789"] {
        assert!(!query("Patient", &[("identifier", value)]).matches(&masked), "{value}");
    }
    let none = extract(&Resource::parse(r#"{"resourceType":"Patient","id":"p"}"#).unwrap(), Timestamp(0));
    assert_eq!(masked, none);
}
