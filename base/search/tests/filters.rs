//! `_filter` against a reading of the resource that knows nothing of terms: every operator, and comparisons joined in every way.
#![allow(clippy::unwrap_used, clippy::panic, reason = "the helpers of tests fail like tests")]

use iris_fhir::Resource;
use iris_fhir::definitions::kind_of;
use iris_kernel::Timestamp;
use iris_search::{QueryContext, SearchDocument, extract, parse_query};
use proptest::prelude::*;
use serde_json::{Value, json};

fn document(resource: &Value) -> SearchDocument {
    extract(&Resource::parse(resource.to_string()).unwrap(), Timestamp(0))
}

fn passes(kind: &str, filter: &str, document: &SearchDocument) -> bool {
    let pairs = [("_filter".to_owned(), filter.to_owned())];
    let query = parse_query(kind_of(kind).unwrap(), &pairs, &QueryContext::new("http://here", Timestamp(0)));
    query.unwrap_or_else(|faults| panic!("{filter}: {faults:?}")).matches(document)
}

const TEXT_OPERATORS: [&str; 9] = ["eq", "ne", "co", "sw", "ew", "gt", "lt", "ge", "le"];

fn text_holds(operator: &str, had: &str, asked: &str) -> bool {
    let fold = |text: &str| text.to_lowercase().replace('á', "a");
    let (had, asked) = (fold(had), fold(asked));
    match operator {
        "eq" => had == asked,
        "ne" => had != asked,
        "co" => had.contains(&asked),
        "sw" => had.starts_with(&asked),
        "ew" => had.ends_with(&asked),
        "gt" => had > asked,
        "lt" => had < asked,
        "ge" => had >= asked,
        _ => had <= asked,
    }
}

/// A filter over a patient's family names, gender and activity.
#[derive(Clone, Debug)]
enum Tree {
    Family(usize, String),
    Gender(bool, usize),
    Active(bool),
    Not(Box<Tree>),
    /// From left to right, each with whether it is joined by `and`.
    Joined(Box<Tree>, Vec<(bool, Tree)>),
}

const GENDERS: [&str; 3] = ["male", "female", "other"];

struct Patient {
    families: Vec<String>,
    gender: Option<usize>,
    active: Option<bool>,
}

impl Tree {
    fn text(&self) -> String {
        match self {
            Self::Family(operator, value) => format!("family {} \"{value}\"", TEXT_OPERATORS[*operator]),
            Self::Gender(equal, of) => format!("gender {} {}", if *equal { "eq" } else { "ne" }, GENDERS[*of]),
            Self::Active(is) => format!("active pr {is}"),
            Self::Not(inner) => format!("not ({})", inner.text()),
            Self::Joined(first, more) => {
                let inner = |tree: &Self| match tree {
                    Self::Joined(..) => format!("({})", tree.text()),
                    _ => tree.text(),
                };
                let more =
                    more.iter().map(|(and, tree)| format!(" {} {}", if *and { "and" } else { "or" }, inner(tree)));
                inner(first) + &more.collect::<String>()
            }
        }
    }

    fn holds(&self, patient: &Patient) -> bool {
        match self {
            Self::Family(operator, value) => {
                patient.families.iter().any(|own| text_holds(TEXT_OPERATORS[*operator], own, value))
            }
            Self::Gender(equal, of) => patient.gender.is_some_and(|own| (own == *of) == *equal),
            Self::Active(is) => patient.active.is_some() == *is,
            Self::Not(inner) => !inner.holds(patient),
            Self::Joined(first, more) => more.iter().fold(first.holds(patient), |before, (and, tree)| {
                if *and { before && tree.holds(patient) } else { before || tree.holds(patient) }
            }),
        }
    }
}

fn tree() -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![
        (0..TEXT_OPERATORS.len(), "[a-cA-Cá]{1,2}").prop_map(|(operator, value)| Tree::Family(operator, value)),
        (any::<bool>(), 0..GENDERS.len()).prop_map(|(equal, of)| Tree::Gender(equal, of)),
        any::<bool>().prop_map(Tree::Active),
    ];
    leaf.prop_recursive(4, 16, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|tree| Tree::Not(Box::new(tree))),
            (inner.clone(), proptest::collection::vec((any::<bool>(), inner), 1..4))
                .prop_map(|(first, more)| Tree::Joined(Box::new(first), more)),
        ]
    })
}

/// Longest text that an index has whole.
const TEXT_BYTES: usize = iris_search::term::TEXT_BYTES_MAX;

#[test]
fn the_end_of_a_text_that_is_cut_is_not_known() {
    let family = |length: usize| format!("{}end", "x".repeat(length - 3));
    for (length, found) in [(TEXT_BYTES - 1, true), (TEXT_BYTES, false), (TEXT_BYTES + 1, false)] {
        let name = json!([{"family": family(length)}]);
        let document = document(&json!({"resourceType": "Patient", "id": "p", "name": name}));
        assert_eq!(passes("Patient", "family ew end", &document), found, "{length}");
        assert!(!passes("Patient", "family ew en", &document), "{length}");
        assert!(passes("Patient", "family sw xxx", &document), "{length}");
    }
}

#[test]
fn a_composite_finds_a_long_text_by_its_beginning() {
    use iris_search::composite::TEXT_BYTES_MAX;
    for length in [5, TEXT_BYTES_MAX, TEXT_BYTES_MAX + 1, 5_000] {
        let document = document(&json!({"resourceType": "Observation", "id": "o", "code": {"coding": [{"code": "c"}]},
            "valueString": "x".repeat(length)}));
        let finds =
            |asked: usize| passes("Observation", &format!("code-value-string eq c${}", "x".repeat(asked)), &document);
        assert!(finds(5), "{length}");
        assert_eq!(finds(TEXT_BYTES_MAX), length >= TEXT_BYTES_MAX, "{length}");
    }
    let long = format!("code-value-string eq c${}", "x".repeat(TEXT_BYTES_MAX + 1));
    let pairs = [("_filter".to_owned(), long)];
    assert!(
        parse_query(kind_of("Observation").unwrap(), &pairs, &QueryContext::new("http://here", Timestamp(0))).is_err()
    );
}

#[test]
fn a_filter_has_so_many_levels_and_no_more() {
    use iris_search::FILTER_LEVELS_MAX;
    let kind = kind_of("Patient").unwrap();
    let read = |filter: String| {
        parse_query(kind, &[("_filter".to_owned(), filter)], &QueryContext::new("http://here", Timestamp(0)))
    };
    let turns = |levels: usize| {
        let joined = (1..levels).map(|at| if at % 2 == 0 { " and active eq true" } else { " or active eq true" });
        joined.fold("active eq true".to_owned(), |all, more| all + more)
    };
    assert!(read(turns(FILTER_LEVELS_MAX)).is_ok());
    let faults = read(turns(FILTER_LEVELS_MAX + 1)).unwrap_err();
    assert!(format!("{faults:?}").contains(&format!("more than {FILTER_LEVELS_MAX} levels")), "{faults:?}");
    // What is joined alike is one level.
    assert!(read(vec!["active eq true"; 100].join(" and ")).is_ok());
}

proptest! {
    #[test]
    fn comparisons_of_texts(values in proptest::collection::vec("[A-Ca-cÁá]{1,4}", 0..4), asked in "[A-Ca-cÁá]{1,3}") {
        let names: Vec<_> = values.iter().map(|value| json!({"family": value})).collect();
        let document = document(&json!({"resourceType": "Patient", "id": "p", "name": names}));
        for operator in TEXT_OPERATORS {
            let expected = values.iter().any(|own| text_holds(operator, own, &asked));
            prop_assert_eq!(passes("Patient", &format!("family {operator} {asked}"), &document), expected, "{}", operator);
        }
    }

    #[test]
    fn filters_are_read_from_left_to_right(
        families in proptest::collection::vec("[a-cA-Cá]{1,2}", 0..3), gender in proptest::option::of(0_usize..3),
        active in proptest::option::of(any::<bool>()), tree in tree(),
    ) {
        let mut resource = json!({"resourceType": "Patient", "id": "p"});
        resource["name"] = families.iter().map(|family| json!({"family": family})).collect();
        if let Some(gender) = gender { resource["gender"] = json!(GENDERS[gender]); }
        if let Some(active) = active { resource["active"] = json!(active); }
        let patient = Patient { families, gender, active };
        prop_assert_eq!(passes("Patient", &tree.text(), &document(&resource)), tree.holds(&patient), "{}", tree.text());
    }

    /// A coding without a code is no value that could be another one.
    #[test]
    fn other_tokens(codings in proptest::collection::vec((0_usize..3, 1_usize..4), 0..4), system in 0_usize..3, code in 1_usize..4) {
        let coding = |(system, code): &(usize, usize)| {
            let mut coding = json!({"code": format!("c{code}")});
            if *system > 0 { coding["system"] = json!(format!("urn:s{system}")); }
            coding
        };
        let concept = json!({"coding": codings.iter().map(coding).collect::<Vec<_>>()});
        let document = document(&json!({"resourceType": "Observation", "id": "o", "code": concept}));
        let any = |fits: &dyn Fn(usize, usize) -> bool| codings.iter().any(|(system, code)| fits(*system, *code));
        let ne = |value: &str| passes("Observation", &format!("code ne {value}"), &document);
        prop_assert_eq!(ne(&format!("c{code}")), any(&|_, own| own != code));
        let both = if system == 0 { format!("|c{code}") } else { format!("urn:s{system}|c{code}") };
        prop_assert_eq!(ne(&both), any(&|own, other| (own, other) != (system, code)));
        if system > 0 {
            prop_assert_eq!(ne(&format!("urn:s{system}|")), any(&|own, _| own != system));
        }
    }

    #[test]
    fn addresses(path in "[abAB/]{0,6}", part in "[abAB/]{1,3}", version in proptest::option::of(1_u8..3)) {
        let url = format!("http://u.example/{path}");
        let whole = version.map_or_else(|| url.clone(), |version| format!("{url}|{version}"));
        let document = document(&json!({"resourceType": "Patient", "id": "p", "meta": {"profile": [whole]}}));
        let passes = |filter: String| passes("Patient", &filter, &document);
        prop_assert_eq!(passes(format!("_profile co {part}")), url.contains(&part));
        prop_assert_eq!(passes(format!("_profile ew {part}")), url.ends_with(&part));
        prop_assert_eq!(passes(format!("_profile sw http://u.example/{part}")), path.starts_with(&part));
        prop_assert_eq!(passes(format!("_profile ne http://u.example/{part}")), path != part);
    }

    #[test]
    fn dates_within_and_across(start in 1_u32..28, length in 0_u32..10, asked in 1_u32..28, wide in any::<bool>()) {
        let end = (start + length).min(28);
        let day = |day: u32| format!("2013-03-{day:02}");
        let period = json!({"start": day(start), "end": day(end)});
        let document = document(&json!({"resourceType": "Encounter", "id": "e", "status": "planned", "period": period}));
        let (value, low, high) = if wide { ("2013-03".to_owned(), 1, 31) } else { (day(asked), asked, asked) };
        let within = start <= low && high <= end;
        let overlaps = start <= high && low <= end;
        prop_assert_eq!(passes("Encounter", &format!("date co {value}"), &document), within);
        prop_assert_eq!(passes("Encounter", &format!("date po {value}"), &document), overlaps);
    }
}
