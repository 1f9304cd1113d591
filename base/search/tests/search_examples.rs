//! Every example of the specification is found by all that it is found by. Skipped where the test data are not.
#![allow(clippy::unwrap_used, clippy::panic, reason = "the helpers of tests fail like tests")]

use std::collections::BTreeSet;

use iris_fhir::definitions::definitions;
use iris_fhir::{Json, Resource};
use iris_kernel::Timestamp;
use iris_search::{self as search, Criterion, DateOp, Query, QueryContext, SearchDocument, parse_query};

const AT: Timestamp = Timestamp(1_795_253_400_000_000);

fn examples() -> Option<Vec<(String, Resource)>> {
    let examples = iris_testkit::examples()?;
    assert!(examples.len() >= 500, "{} examples", examples.len());
    Some(examples.into_iter().map(|(name, text)| (name, Resource::parse(text).unwrap())).collect())
}

fn query(resource: &Resource, pairs: &[(&str, &str)]) -> Query {
    let pairs: Vec<_> = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let context = QueryContext::new("https://iris.example/fhir", Timestamp(0));
    parse_query(resource.kind(), &pairs, &context).unwrap_or_else(|faults| panic!("{pairs:?}: {faults:?}"))
}

fn with(document: &SearchDocument, resource: &Resource, criterion: Criterion) -> bool {
    let query = Query { all: vec![vec![criterion]], ..Query::everything(resource.kind()) };
    query.matches(document)
}

#[test]
fn every_example_is_found_by_its_id_and_by_each_of_its_own_terms_and_dates() {
    let Some(examples) = examples() else { return };
    let mut terms = 0;
    for (name, resource) in &examples {
        let document = search::extract(resource, AT);
        if let Some(id) = resource.id() {
            assert!(query(resource, &[("_id", &id)]).matches(&document), "{name}");
            assert!(!query(resource, &[("_id", "another")]).matches(&document), "{name}");
        }
        assert!(document.terms.is_sorted_by(|a, b| a < b), "{name}");
        assert!(document.dates.is_sorted(), "{name}");
        for term in &document.terms {
            terms += 1;
            assert!(with(&document, resource, Criterion::Term(term.clone())), "{name}");
            assert!(with(&document, resource, Criterion::Prefix(term.clone())), "{name}");
        }
        for range in &document.dates {
            assert!(range.low < range.high, "{name}");
            let (slot, low, high) = (range.slot, range.low, range.high);
            assert!(with(&document, resource, Criterion::Date { slot, op: DateOp::Eq, low, high }), "{name}");
        }
    }
    assert!(terms > 10_000, "{terms} terms");
}

/// Compares extraction with a reading of the JSON that knows nothing of expressions or types: whatever stands at a path of
/// plain member names must be found through the parameter that the specification points at it.
#[test]
fn plain_paths_of_the_examples_are_found_through_their_parameters() {
    let Some(examples) = examples() else { return };
    let paths: &[(&str, &str, &[&str])] = &[
        ("Patient", "family", &["name", "family"]),
        ("Patient", "given", &["name", "given"]),
        ("Patient", "identifier", &["identifier", "value"]),
        ("Patient", "gender", &["gender"]),
        ("Patient", "address-city", &["address", "city"]),
        ("Patient", "organization", &["managingOrganization", "reference"]),
        ("Observation", "code", &["code", "coding", "code"]),
        ("Observation", "status", &["status"]),
        ("Observation", "subject", &["subject", "reference"]),
        ("Observation", "component-code", &["component", "code", "coding", "code"]),
        ("Observation", "combo-code", &["component", "code", "coding", "code"]),
        ("Observation", "has-member", &["hasMember", "reference"]),
        ("Observation", "date", &["effectiveDateTime"]),
        ("Immunization", "vaccine-code", &["vaccineCode", "coding", "code"]),
        ("Immunization", "date", &["occurrenceDateTime"]),
        ("Immunization", "lot-number", &["lotNumber"]),
        ("Immunization", "patient", &["patient", "reference"]),
        ("Encounter", "class", &["class", "code"]),
        ("Encounter", "participant", &["participant", "individual", "reference"]),
        ("Condition", "code", &["code", "coding", "code"]),
        ("Condition", "onset-date", &["onsetDateTime"]),
        ("Condition", "evidence", &["evidence", "code", "coding", "code"]),
        ("Condition", "subject", &["subject", "reference"]),
        ("MedicationRequest", "code", &["medicationCodeableConcept", "coding", "code"]),
        ("MedicationRequest", "medication", &["medicationReference", "reference"]),
        ("DiagnosticReport", "result", &["result", "reference"]),
        ("ValueSet", "reference", &["compose", "include", "system"]),
        ("Composition", "section", &["section", "code", "coding", "code"]),
        ("PlanDefinition", "title", &["title"]),
    ];
    let mut seen = BTreeSet::new();
    for (name, resource) in &examples {
        let document = search::extract(resource, AT);
        for (_, code, path) in paths.iter().filter(|(kind, ..)| *kind == resource.kind_name()) {
            for value in at_path(resource.json(), path) {
                let escaped = value.replace('\\', r"\\").replace(',', r"\,").replace('|', r"\|");
                if value.starts_with('#') || escaped.len() > 1_024 {
                    continue;
                }
                assert!(query(resource, &[(code, &escaped)]).matches(&document), "{name}: {code}={escaped}");
                seen.insert(*code);
            }
        }
    }
    assert!(seen.len() >= 20, "{seen:?}");
}

fn at_path(json: &Json, path: &[&str]) -> Vec<String> {
    let mut values = vec![json.root()];
    for name in path {
        values = values
            .into_iter()
            .filter_map(|value| value.get(name))
            .flat_map(|value| if value.is_empty() { vec![value] } else { members_or_items(value) })
            .collect();
    }
    values.into_iter().filter_map(|value| value.as_str()).map(|text| text.into_owned()).collect()
}

fn members_or_items(value: iris_fhir::Value<'_>) -> Vec<iris_fhir::Value<'_>> {
    if value.kind() == iris_fhir::ValueKind::Array { value.items().collect() } else { vec![value] }
}

#[test]
fn every_reference_to_a_patient_in_a_compartment_parameter_is_a_compartment() {
    let Some(examples) = examples() else { return };
    for (name, resource) in &examples {
        let document = search::extract(resource, AT);
        let patients = search::patients_of(resource);
        for patient in &patients {
            assert!(with(&document, resource, Criterion::Term(search::compartment_term(patient))), "{name}");
            for code in definitions().patient_compartment(resource.kind()) {
                let local = format!("Patient/{patient}");
                let by_param = query(resource, &[(code, &local)]).matches(&document);
                let others: BTreeSet<_> = definitions().patient_compartment(resource.kind()).iter().collect();
                let own = resource.kind_name() == "Patient" && resource.id().as_deref() == Some(patient);
                let by_another = others.iter().any(|other| query(resource, &[(other, &local)]).matches(&document));
                assert!(by_param || by_another || own, "{name}: {local}");
            }
        }
    }
}
