use proptest::strategy::Strategy as _;

use super::*;
use crate::abilities::modifiers;
use crate::term::Mode;
use crate::{
    Contained, ContainedAs, DateOp, Include, Order, SORT_KEYS_MAX, Sort, SortKey, Summary, Total, date, date_slot,
    parameter, term,
};
use iris_fhir::definitions::kind_of;
use iris_kernel::limits::{
    FHIR_PAGE_MAX, SEARCH_CHAIN_DEPTH_MAX, SEARCH_CHAINS_MAX, SEARCH_FILTER_BYTES_MAX, SEARCH_FILTER_DEPTH_MAX,
    SEARCH_INCLUDES_MAX,
};

#[path = "parse_tests/refused.rs"]
mod refused;

const BASE: &str = "https://iris.example/fhir";

fn now() -> Timestamp {
    Timestamp::parse("2026-11-22T12:00:00Z").unwrap()
}

fn parse(kind: &str, pairs: &[(&str, &str)]) -> Result<Query, Vec<Fault>> {
    parse_with(kind, pairs, true)
}

fn parse_with(kind: &str, pairs: &[(&str, &str)], strict: bool) -> Result<Query, Vec<Fault>> {
    let pairs: Vec<_> = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    parse_query(kind_of(kind).unwrap(), &pairs, &QueryContext { strict, ..QueryContext::new(BASE, now()) })
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
        &[
            ("_count", "50"),
            ("_sort", "-birthdate,family"),
            ("_total", "none"),
            ("_format", "json"),
            ("_cursor", "abc"),
        ],
    )
    .unwrap();
    assert_eq!(query.count, Some(50));
    let family = SortKey::Term { param: index("Patient", "family"), mode: Mode::Folded };
    let keys = [
        Sort { key: SortKey::Date { slot: birth }, order: Order::Descending },
        Sort { key: family, order: Order::Ascending },
    ];
    assert_eq!(query.sort, keys);
    assert!(query.total == Total::None && !query.summary_count && query.all.is_empty());
    assert_eq!(query.cursor.as_deref(), Some("abc"));
    let applied: Vec<_> = query.applied.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(applied, ["_count", "_sort", "_total", "_format"]);
    let plain = parse("Patient", &[]).unwrap();
    assert!(plain.total == Total::Accurate && plain.sort == [Sort::default()] && plain.count.is_none());
    assert!(parse("Patient", &[("_summary", "count")]).unwrap().summary_count);
    assert!(parse("Patient", &[("_count", "0")]).unwrap().summary_count);
    assert_eq!(parse("Patient", &[("_summary", "data")]).unwrap().summary, Summary::Data);
    assert_eq!(parse("Patient", &[("_elements", "name,gender")]).unwrap().elements, ["name", "gender"]);
    assert!(parse("Patient", &[("_format", "application/fhir+xml; fhirVersion=4.0"), ("_pretty", "true")]).is_ok());
}

#[test]
fn what_comes_along_is_named_by_type_reference_and_type() {
    let kind = |name| kind_of(name).unwrap();
    let query = parse(
        "Observation",
        &[
            ("_include", "Observation:subject:Patient"),
            ("_include:iterate", "Patient:organization"),
            ("_include", "*"),
            ("_revinclude", "Provenance:target"),
        ],
    )
    .unwrap();
    let include = |source, param, target, iterate| Include { source: Some(kind(source)), param, target, iterate };
    let subject = Some(index("Observation", "subject"));
    let organization = Some(index("Patient", "organization"));
    assert_eq!(
        query.includes,
        [
            include("Observation", subject, Some(kind("Patient")), false),
            include("Patient", organization, None, true),
            Include { source: None, param: None, target: None, iterate: false },
        ]
    );
    let target = Some(index("Provenance", "target"));
    assert_eq!(query.rev_includes, [include("Provenance", target, None, false)]);
    let all = parse("Observation", &[("_include:iterate", "*"), ("_revinclude", "*")]).unwrap();
    let any = |iterate| [Include { source: None, param: None, target: None, iterate }];
    assert_eq!((&all.includes[..], &all.rev_includes[..]), (&any(true)[..], &any(false)[..]));
    let many = vec![("_include", "Observation:subject"); SEARCH_INCLUDES_MAX];
    assert!(parse("Observation", &many).is_ok());
    let more = vec![("_include", "Observation:subject"); SEARCH_INCLUDES_MAX + 1];
    assert_eq!(parse("Observation", &more).unwrap_err().len(), 1);
}

#[test]
fn what_cannot_be_asked_of_contained_resources_is_refused_by_name() {
    let query =
        parse("Patient", &[("_contained", "both"), ("_containedType", "contained"), ("gender", "male")]).unwrap();
    assert_eq!((query.contained, query.contained_as), (Contained::Both, ContainedAs::Itself));
    let query = parse("Patient", &[("_contained", "true"), ("_elements", "name"), ("_containedType", "contained")]);
    assert_eq!(query.unwrap().contained, Contained::Only);
    for (name, value, at) in [
        ("organization.name", "x", "_contained"),
        ("_has:Observation:patient:code", "x", "_contained"),
        ("_list", "x", "_contained"),
        ("_filter", "organization.name eq \"x\"", "_contained"),
        ("_include", "*", "_contained"),
        ("_revinclude:iterate", "Provenance:target", "_contained"),
        ("_elements", "name", "_elements"),
    ] {
        let faults = parse("Patient", &[(name, value), ("_contained", "true")]).unwrap_err();
        assert_eq!(faults.iter().map(|fault| fault.at.as_str()).collect::<Vec<_>>(), [at], "{name}");
        assert!(parse("Patient", &[(name, value), ("_contained", "false")]).is_ok(), "{name}");
    }
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
    let full = vec![("gender", &*many); SEARCH_CRITERIA_MAX / SEARCH_ALTERNATIVES_MAX];
    assert!(parse("Patient", &full).is_ok());
    let faults = parse("Patient", &[&full[..], &[("gender", "a")]].concat()).unwrap_err();
    assert!(faults.len() == 1 && faults[0].what.contains("10000 values"), "{faults:?}");
    assert!(parse("Patient", &[("gender", "male"); SEARCH_PARAMETERS_MAX]).is_ok());
    let faults = parse("Patient", &[("gender", "male"); SEARCH_PARAMETERS_MAX + 1]).unwrap_err();
    assert_eq!(faults, [Fault::new("", "A search has at most 100 parameters")]);
    let keys = ["_id", "family", "given", "gender", "birthdate", "email", "phone"];
    assert!(parse("Patient", &[("_sort", &keys[..SORT_KEYS_MAX].join(","))]).is_ok());
    assert!(refusal("Patient", "_sort", &keys[..=SORT_KEYS_MAX].join(",")).contains("6 keys"));
}

#[test]
fn references_are_followed_as_far_as_the_limit_and_not_beyond() {
    let chain = |depth: usize| format!("patient{}.family", ".link:Patient".repeat(depth - 1));
    assert!(parse("Observation", &[(&chain(SEARCH_CHAIN_DEPTH_MAX), "x")]).is_ok());
    assert!(parse("Observation", &[(&chain(SEARCH_CHAIN_DEPTH_MAX + 1), "x")]).is_err());
    let has = |depth: usize| format!("{}name", "_has:Organization:partof:".repeat(depth));
    assert!(parse("Organization", &[(&has(SEARCH_CHAIN_DEPTH_MAX), "x")]).is_ok());
    assert!(parse("Organization", &[(&has(SEARCH_CHAIN_DEPTH_MAX + 1), "x")]).is_err());
    // Each of them leads one way.
    let ways = vec![("patient.family", "x"); SEARCH_CHAINS_MAX];
    assert!(parse("Observation", &ways).is_ok());
    let more = vec![("patient.family", "x"); SEARCH_CHAINS_MAX + 1];
    assert_eq!(parse("Observation", &more).unwrap_err().len(), 1);
    // Ways that lead nowhere are ways too: nobody makes a server try thousands.
    let nowhere = format!("{}colour", "part-of.".repeat(SEARCH_CHAIN_DEPTH_MAX - 2));
    assert!(refusal("Observation", &nowhere, "x").contains("64 ways"));
    assert!(refusal("Provenance", "target.status", "x").contains("name one, as in target:Patient.status"));
}

#[test]
fn a_search_of_several_types_has_one_query_for_each() {
    let pairs = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    let context = QueryContext::new(BASE, now());
    let asked = pairs(&[("_type", "Patient,Observation"), ("identifier", "7"), ("_sort", "-_lastUpdated")]);
    let queries = parse_system_query(&asked, &context).unwrap();
    let kinds: Vec<_> = queries.iter().map(|query| definitions().name_of(query.kind)).collect();
    assert_eq!(kinds, ["Patient", "Observation"]);
    assert!(queries.iter().all(|query| query.applied == asked && query.all.len() == 1));
    let faults = parse_system_query(
        &pairs(&[("_type", "Patient,Observation"), ("gender", "male"), ("_sort", "status")]),
        &context,
    );
    let at: Vec<_> = faults.unwrap_err().into_iter().map(|fault| fault.at).collect();
    assert_eq!(at, ["gender", "_sort"]);
    let lenient = QueryContext { strict: false, ..context };
    let queries =
        parse_system_query(&pairs(&[("_type", "Patient,Observation"), ("gender", "male")]), &lenient).unwrap();
    assert!(queries.iter().all(|query| query.all.is_empty() && query.ignored.len() == 1));
    // What comes along is followed from the type that it begins at.
    let asked = pairs(&[("_type", "Patient,Observation"), ("_include", "Observation:subject")]);
    let counts: Vec<_> =
        parse_system_query(&asked, &context).unwrap().iter().map(|query| query.includes.len()).collect();
    assert_eq!(counts, [0, 1]);
}

#[test]
fn every_claim_of_a_modifier_is_taken_and_no_other_is() {
    let all = [
        "missing",
        "exact",
        "contains",
        "text",
        "not",
        "in",
        "not-in",
        "above",
        "below",
        "of-type",
        "identifier",
        "near",
    ];
    let mut count = 0;
    for kind in definitions().kinds() {
        for param in served(kind) {
            let claimed: Vec<_> = modifiers(kind, param.code).into_iter().map(Modifier::code).collect();
            let planned = planned(kind, param.code).unwrap();
            for name in all {
                count += 1;
                assert_eq!(Modifier::read(planned, name).is_ok(), claimed.contains(&name), "{}:{name}", param.url);
            }
        }
    }
    println!("{count} modifiers");
}

/// Pieces of searches, good and bad.
fn piece() -> impl proptest::strategy::Strategy<Value = String> {
    proptest::sample::select(vec![
        "patient",
        "subject",
        ":Patient",
        ".",
        ":",
        "family",
        "_has:",
        "Observation",
        "code",
        ":missing",
        ":not",
        "_id",
        ",",
        "|",
        "$",
        "\\",
        "2013-01",
        "ge",
        "ap",
        "1.5",
        "true",
        "http://loinc.org",
        "_list",
        ":in",
        "value-quantity",
        "*",
    ])
    .prop_map(str::to_owned)
}

proptest::proptest! {
    #[test]
    fn no_value_makes_the_reader_panic(value in r".{0,30}", raw in r#"[a-z0-9|\\,:/#+TZ .$()"-]{0,40}"#) {
        for name in ["family", "birthdate", "gender", "general-practitioner", "_sort", "_count", "_profile", "_filter", "_include", "_elements"] {
            let _ = parse("Patient", &[(name, &value)]);
            let _ = parse("Patient", &[(name, &raw)]);
        }
        for name in ["value-quantity", "code-value-quantity", "date", "code:in", "subject:identifier"] {
            let _ = parse("Observation", &[(name, &value)]);
            let _ = parse("Observation", &[(name, &raw)]);
        }
    }

    #[test]
    fn what_was_understood_is_understood_again(
        names in proptest::collection::vec(proptest::collection::vec(piece(), 1..6), 1..4),
        values in proptest::collection::vec(proptest::collection::vec(piece(), 1..4), 3),
        strict in proptest::bool::ANY,
    ) {
        let pairs: Vec<(String, String)> = names.iter().zip(&values).map(|(name, value)| (name.concat(), value.concat())).collect();
        let context = QueryContext { strict, ..QueryContext::new(BASE, now()) };
        if let Ok(query) = parse_query(kind_of("Observation").unwrap(), &pairs, &context) {
            let again = parse_query(query.kind, &query.applied, &context).unwrap();
            proptest::prop_assert_eq!(Query { ignored: query.ignored.clone(), ..again }, query);
        }
    }
}
