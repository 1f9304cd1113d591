use super::*;
use crate::{DateOp, date, parameter, term};
use iris_fhir::definitions::kind_of;

const BASE: &str = "https://iris.example/fhir";

fn parse(kind: &str, pairs: &[(&str, &str)]) -> Result<Query, Vec<Fault>> {
    parse_with(kind, pairs, true)
}

fn parse_with(kind: &str, pairs: &[(&str, &str)], strict: bool) -> Result<Query, Vec<Fault>> {
    let pairs: Vec<_> = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    parse_query(kind_of(kind).unwrap(), &pairs, &QueryContext { base_url: BASE, strict })
}

/// The groups of a query that is fine.
fn groups(kind: &str, pairs: &[(&str, &str)]) -> Vec<Vec<Criterion>> {
    parse(kind, pairs).unwrap_or_else(|faults| panic!("{pairs:?}: {faults:?}")).all
}

/// The one fault of a query with one parameter.
fn refusal(kind: &str, name: &str, value: &str) -> String {
    let faults = parse(kind, &[(name, value)]).unwrap_err();
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert_eq!(faults[0].at, name);
    faults[0].what.clone()
}

fn index(kind: &str, code: &str) -> u16 {
    parameter(kind_of(kind).unwrap(), code).unwrap().index
}

#[test]
fn tokens_in_their_four_forms() {
    let gender = index("Patient", "gender");
    let term = |value: &str| groups("Patient", &[("gender", value)]);
    assert_eq!(term("male"), [[Criterion::Term(term::code(gender, "male"))]]);
    assert_eq!(term("http://s|male"), [[Criterion::Term(term::system_code(gender, "http://s", "male"))]]);
    assert_eq!(term("http://s|"), [[Criterion::Term(term::system(gender, "http://s"))]]);
    assert_eq!(term("|male"), [[Criterion::Term(term::no_system(gender, "male"))]]);
    assert_eq!(term(r"a\|b\,c"), [[Criterion::Term(term::code(gender, "a|b,c"))]]);
}

#[test]
fn commas_are_or_and_repeats_are_and() {
    let gender = index("Patient", "gender");
    let code = |code| Criterion::Term(term::code(gender, code));
    assert_eq!(
        groups("Patient", &[("gender", "male,female"), ("gender", "other")]),
        [vec![code("male"), code("female")], vec![code("other")]]
    );
}

#[test]
fn strings_are_folded_prefixes_or_exact() {
    let family = index("Patient", "family");
    assert_eq!(groups("Patient", &[("family", "Müller")]), [[Criterion::Prefix(term::folded(family, "muller"))]]);
    assert_eq!(groups("Patient", &[("family:exact", "Müller")]), [[Criterion::Term(term::exact(family, "Müller"))]]);
}

#[test]
fn references_in_every_form() {
    let subject = index("Observation", "subject");
    let local = Criterion::Term(term::local(subject, "Patient", "1"));
    let own = Criterion::Term(term::uri(subject, "https://iris.example/fhir/Patient/1"));
    let both = [vec![local.clone(), own.clone()]];
    assert_eq!(groups("Observation", &[("subject", "Patient/1")]), both);
    assert_eq!(groups("Observation", &[("subject", "https://iris.example/fhir/Patient/1")]), both);
    assert_eq!(groups("Observation", &[("subject:Patient", "1")]), both);
    assert_eq!(groups("Observation", &[("subject:Patient", "Patient/1")]), both);
    let any = &groups("Observation", &[("subject", "1")])[0];
    assert!(any.contains(&Criterion::Term(term::local_id(subject, "1"))) && any.contains(&own));
    assert_eq!(any.len(), 5, "the id in any type, and under the own address each of four types");
    let foreign = "http://other.example/fhir/Patient/1";
    assert_eq!(groups("Observation", &[("subject", foreign)]), [[Criterion::Term(term::uri(subject, foreign))]]);
    assert_eq!(
        groups("Observation", &[("subject", "urn:uuid:5")]),
        [[Criterion::Term(term::uri(subject, "urn:uuid:5"))]]
    );
}

#[test]
fn dates_with_every_prefix() {
    let (low, high) = date::range("2013-01").unwrap();
    let slot = date_slot(kind_of("Observation").unwrap(), "date").unwrap();
    for (prefix, op) in [
        ("", DateOp::Eq),
        ("eq", DateOp::Eq),
        ("ne", DateOp::Ne),
        ("gt", DateOp::Gt),
        ("lt", DateOp::Lt),
        ("ge", DateOp::Ge),
        ("le", DateOp::Le),
        ("sa", DateOp::Sa),
        ("eb", DateOp::Eb),
    ] {
        let value = format!("{prefix}2013-01");
        assert_eq!(groups("Observation", &[("date", &value)]), [[Criterion::Date { slot, op, low, high }]], "{value}");
    }
    let updated = groups("Observation", &[("_lastUpdated", "gt2013-01")]);
    assert_eq!(updated, [[Criterion::Date { slot: 0, op: DateOp::Gt, low, high }]]);
}

#[test]
fn what_every_type_has() {
    assert_eq!(groups("Basic", &[("_id", "a-1")]), [[Criterion::Term(term::code(index("Basic", "_id"), "a-1"))]]);
    for name in ["_tag", "_security", "_profile", "_source"] {
        assert_eq!(groups("Basic", &[(name, "http://x")]).len(), 1, "{name}");
    }
}

#[test]
fn controls_shape_the_answer() {
    let birth = date_slot(kind_of("Patient").unwrap(), "birthdate").unwrap();
    let query = parse(
        "Patient",
        &[("_count", "50"), ("_sort", "-birthdate"), ("_total", "none"), ("_format", "json"), ("_cursor", "abc")],
    )
    .unwrap();
    assert_eq!(query.count, Some(50));
    assert_eq!(query.sort, [Sort { key: SortKey::Date { slot: birth }, order: Order::Descending }]);
    assert!(!query.total.is_wanted() && !query.summary_count && query.all.is_empty());
    assert_eq!(query.cursor.as_deref(), Some("abc"));
    let applied: Vec<_> = query.applied.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(applied, ["_count", "_sort", "_total", "_format"]);

    let updated = parse("Patient", &[("_sort", "_lastUpdated")]).unwrap();
    assert_eq!(updated.sort, [Sort { key: SortKey::Date { slot: 0 }, order: Order::Ascending }]);
    let plain = parse("Patient", &[]).unwrap();
    assert!(plain.total == Total::Accurate && plain.sort == [Sort::default()] && plain.count.is_none());
    assert!(parse("Patient", &[("_summary", "count")]).unwrap().summary_count);
    assert!(parse("Patient", &[("_count", "0")]).unwrap().summary_count);
    assert!(parse("Patient", &[("_format", "application/fhir+json; fhirVersion=4.0")]).is_ok());
}

#[test]
fn limits_hold_at_the_limit_and_one_past_it() {
    assert!(parse("Patient", &[("_count", &FHIR_PAGE_MAX.to_string())]).is_ok());
    assert!(refusal("Patient", "_count", &(FHIR_PAGE_MAX + 1).to_string()).contains("0 to 1000"));
    let value = "x".repeat(SEARCH_VALUE_BYTES_MAX);
    assert!(parse("Patient", &[("family", &value)]).is_ok());
    assert!(refusal("Patient", "family", &format!("{value}x")).contains("1024 bytes"));
    assert!(refusal("Patient", "family", &"ﷺ".repeat(SEARCH_VALUE_BYTES_MAX / 3)).contains("too long"));
    let many = vec!["a"; SEARCH_ALTERNATIVES_MAX].join(",");
    assert!(parse("Patient", &[("gender", &many)]).is_ok());
    assert!(refusal("Patient", "gender", &format!("{many},a")).contains("1000 alternatives"));
    assert!(parse("Patient", &[("gender", "male"); PARAMETERS_MAX]).is_ok());
    let faults = parse("Patient", &[("gender", "male"); PARAMETERS_MAX + 1]).unwrap_err();
    assert_eq!(faults, [Fault::new("", "A search has at most 100 parameters")]);
}

#[test]
fn everything_else_is_refused_by_name_with_what_there_is_instead() {
    for (kind, name, value, says) in [
        ("Patient", "nonsense", "1", "is no search parameter of Patient; supported are _id, _lastUpdated,"),
        ("Patient", "Family", "1", "is no search parameter of Patient"),
        ("Patient", "family:contains", "x", "only the modifier :exact"),
        ("Patient", "family:missing", "true", "only the modifier :exact"),
        ("Patient", "gender:not", "male", "no modifier"),
        ("Patient", "birthdate:missing", "true", "no modifier"),
        ("Patient", "_id:exact", "1", "no modifier"),
        ("Observation", "subject:Organization", "1", ":Device, :Group, :Location, :Patient"),
        ("Observation", "subject:identifier", "s|1", "only the modifiers :"),
        ("Observation", "subject:Patient", "Group/1", "one type in the modifier"),
        ("Observation", "subject", "Horse/1", "needs an id, Type/id"),
        ("Observation", "subject", "Patient/1/_history/2", "version"),
        ("Observation", "subject", "#p", "needs an id"),
        ("Observation", "subject.name", "x", "chained parameters are not supported"),
        ("Observation", "subject:Patient.name", "x", "chained parameters are not supported"),
        ("Observation", "value-quantity", "5", "is a quantity parameter of Observation that is not supported"),
        ("Observation", "code-value-date", "a$2013", "is a composite parameter of Observation that is not supported"),
        ("ValueSet", "url", "http://x", "is a uri parameter of ValueSet that is not supported"),
        ("RiskAssessment", "probability", "1", "is a number parameter"),
        ("Location", "near", "1|1", "is a special parameter"),
        ("Patient", "_has:Observation:patient:code", "x", "reverse chaining"),
        ("Patient", "_include", "Patient:organization", "including"),
        ("Patient", "_revinclude:iterate", "Observation:patient", "including"),
        ("Patient", "_elements", "name", "not supported"),
        ("Patient", "_text", "x", "not supported"),
        ("Patient", "_content", "x", "not supported"),
        ("Patient", "_filter", "x", "not supported"),
        ("Patient", "_list", "1", "not supported"),
        ("Patient", "_count:exact", "1", "no modifier"),
        ("Patient", "_count", "-1", "whole number"),
        ("Patient", "_count", "ten", "whole number"),
        ("Patient", "_summary", "true", "count and false"),
        ("Patient", "_total", "estimate", "accurate and none"),
        ("Patient", "_format", "xml", "only json"),
        ("Patient", "_sort", "family", "one key out of _lastUpdated, birthdate, death-date"),
        ("Patient", "_sort", "birthdate,-_lastUpdated", "one key"),
        ("Patient", "_sort", "", "one key"),
        ("Patient", "birthdate", "ap2013", "prefix ap"),
        ("Patient", "birthdate", "xx2013", "prefixes eq, ne"),
        ("Patient", "birthdate", "14.01.2013", "needs a date"),
        ("Patient", "birthdate", "2013-02-30", "needs a date"),
        ("Patient", "birthdate", "ge", "needs a date"),
        ("Patient", "active", "yes", "true and false"),
        ("Patient", "deceased", "1", "true and false"),
        ("Patient", "gender", "", "empty value"),
        ("Patient", "gender", "male,", "empty value"),
        ("Patient", "gender", "|", "neither a system"),
        ("Patient", "gender", r"a\b", "backslash"),
        ("Patient", "family", " ", "without letters"),
        ("Patient", "phonetic", "Ann Lee", "one word"),
        ("Patient", "phonetic:exact", "Ann", "no modifier"),
    ] {
        let what = refusal(kind, name, value);
        assert!(what.contains(says), "{kind}?{name}={value}: {what}");
    }
}

#[test]
fn all_faults_come_at_once_and_repeat_no_value() {
    let pairs = [("nonsense", "Smith"), ("family", "ok"), ("birthdate", "Smith"), ("_count", "Smith"), ("_count", "2")];
    let faults = parse("Patient", &pairs).unwrap_err();
    let places: Vec<_> = faults.iter().map(|fault| fault.at.as_str()).collect();
    assert_eq!(places, ["nonsense", "birthdate", "_count", "_count"]);
    assert!(faults.iter().all(|fault| !fault.what.contains("Smith")));
    assert_eq!(faults[3].what, "may stand only once");
    let long = "n".repeat(1_000);
    assert_eq!(parse("Patient", &[(&long, "1")]).unwrap_err()[0].at, format!("{}…", &long[..NAME_CHARS_MAX]));
}

#[test]
fn lenient_handling_leaves_unknown_names_out_and_says_so() {
    let query = parse_with("Patient", &[("nonsense", "1"), ("gender", "male")], false).unwrap();
    assert_eq!(query.applied, [("gender".to_owned(), "male".to_owned())]);
    assert_eq!(query.all.len(), 1);
    for (name, value) in [("family:contains", "x"), ("_include", "*"), ("birthdate", "x"), ("_sort", "x")] {
        assert!(parse_with("Patient", &[(name, value)], false).is_err(), "{name}");
    }
}

proptest::proptest! {
    #[test]
    fn no_value_makes_the_reader_panic(value in r".{0,30}", raw in r"[a-z0-9|\\,:/#+TZ .-]{0,20}") {
        for name in ["family", "birthdate", "gender", "general-practitioner", "_sort", "_count", "_profile"] {
            let _ = parse("Patient", &[(name, &value)]);
            let _ = parse("Patient", &[(name, &raw)]);
        }
    }
}
