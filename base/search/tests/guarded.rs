//! Identifiers that not everybody sees in full are found by those who do, and by nobody else.

#![allow(clippy::unwrap_used, reason = "these are tests")]

use iris_fhir::Resource;
use iris_fhir::definitions::kind_of;
use iris_kernel::Timestamp;
use iris_search::{Criterion, Query, QueryContext, extract, parse_query, sortable};

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

/// Patients and practitioners: one who has what not everybody sees, and the same without it.
fn with_and_without(kind: &str) -> [iris_search::SearchDocument; 2] {
    let guarded = format!(
        r#"{{"system":"{SSN}","value":"123-45-6789","type":{{"text":"Social Security Number",
            "coding":[{{"system":"http://terminology.hl7.org/CodeSystem/v2-0203","code":"SS"}}]}}}}"#
    );
    let open = r#"{"system":"urn:mrn","value":"7"}"#;
    [format!("{guarded},{open}"), open.to_owned()].map(|identifiers| {
        let text = format!(r#"{{"resourceType":"{kind}","id":"p","identifier":[{identifiers}]}}"#);
        extract(&Resource::parse(text).unwrap(), Timestamp(0))
    })
}

#[test]
fn no_modifier_and_no_filter_finds_a_guarded_identifier() {
    let of_type = "http://terminology.hl7.org/CodeSystem/v2-0203|SS|123-45-6789";
    let mut count = 0;
    for kind in ["Patient", "Practitioner", "RelatedPerson"] {
        let [whole, without] = with_and_without(kind);
        for (name, value) in [
            ("identifier:of-type", of_type),
            ("identifier:text", "social"),
            ("identifier:not", "7"),
            ("identifier:missing", "true"),
            ("_filter", "identifier eq 123-45-6789"),
            ("_filter", "identifier ne 7"),
            ("_filter", "not (identifier ne 7)"),
            ("_filter", "identifier ne 123-45-6789"),
            ("_filter", "identifier eq 7 and identifier ne 7"),
            ("_filter", &format!("identifier eq {SSN}|")),
        ] {
            count += 1;
            let query = query(kind, &[(name, value)]);
            let seen = query.without_guarded();
            assert!(!seen.has_guarded(), "{kind}?{name}={value}");
            assert_eq!(seen.matches(&whole), query.matches(&without), "{kind}?{name}={value}");
        }
        for (name, value) in
            [("identifier:of-type", of_type), ("identifier:text", "social"), ("_filter", "identifier ne 7")]
        {
            assert!(query(kind, &[(name, value)]).matches(&whole), "{kind}?{name}={value}: who sees it finds it");
        }
    }
    println!("{count} searches by a guarded identifier");
}

#[test]
fn parts_of_identifiers_are_asked_for_by_nobody() {
    let context = QueryContext::new("http://here", Timestamp(0));
    for (name, value) in [
        ("identifier:contains", "123"),
        ("identifier:exact", "123"),
        ("_filter", "identifier co 123"),
        ("_filter", "identifier sw 123"),
        ("_filter", "identifier gt 123"),
    ] {
        let pairs = [(name.to_owned(), value.to_owned())];
        assert!(parse_query(kind_of("Patient").unwrap(), &pairs, &context).is_err(), "{name}={value}");
    }
}

#[test]
fn nothing_is_ordered_by_a_guarded_identifier() {
    let mut count = 0;
    for kind in ["Patient", "Practitioner", "RelatedPerson"] {
        let [whole, without] = with_and_without(kind);
        let only = extract(
            &Resource::parse(format!(
                r#"{{"resourceType":"{kind}","id":"p","identifier":[{{"system":"{SSN}","value":"123-45-6789"}}]}}"#
            ))
            .unwrap(),
            Timestamp(0),
        );
        for key in sortable(kind_of(kind).unwrap()) {
            for order in ["", "-"] {
                count += 1;
                let sort = query(kind, &[("_sort", &format!("{order}{key}"))]).sort;
                assert_eq!(whole.sort_values(&sort), without.sort_values(&sort), "{kind}?_sort={order}{key}");
                if key == "identifier" {
                    assert_eq!(only.sort_values(&sort)[0], None);
                }
            }
        }
    }
    println!("{count} orders");
}

/// What a chain, a reverse chain or a bracket asks of another record is a query of its own, and that finds nothing either.
#[test]
fn a_chain_into_a_guarded_identifier_finds_nothing_for_who_does_not_see_it() {
    let of_type = "http://terminology.hl7.org/CodeSystem/v2-0203|SS|123-45-6789";
    let [patient, _] = with_and_without("Patient");
    for (kind, name, value) in [
        ("Observation", "subject:Patient.identifier", "123-45-6789"),
        ("Observation", "patient.identifier", &*format!("{SSN}|123-45-6789")),
        ("Observation", "patient.identifier:of-type", of_type),
        ("Observation", "patient.identifier:text", "social"),
        ("Practitioner", "_has:Patient:general-practitioner:identifier", "123-45-6789"),
        ("Observation", "_filter", "subject:Patient.identifier eq 123-45-6789"),
        ("Observation", "_filter", "subject:Patient.identifier ne 7"),
        ("Observation", "_filter", "subject:Patient[identifier eq 123-45-6789]._id eq p"),
    ] {
        let query = query(kind, &[(name, value)]);
        let mut inner = 0;
        for criterion in query.criteria() {
            let asked = match criterion {
                Criterion::Chain(chain) => &chain.inner,
                Criterion::Has(has) => &has.inner,
                _ => continue,
            };
            inner += 1;
            assert!(asked.has_guarded() && asked.matches(&patient), "{kind}?{name}={value}");
            let seen = asked.without_guarded();
            assert!(!seen.has_guarded() && !seen.matches(&patient), "{kind}?{name}={value}");
        }
        assert_eq!(inner, 1, "{kind}?{name}={value}");
    }
}
