//! Random histories: whatever happens, a search answers what looking at every current resource answers.

use iris_kernel::{Kind, Tenant};
use iris_search::term::{self, Mode};
use iris_search::{Criterion, Query, Targets};
use proptest::prelude::*;

use super::criteria::{clause, criterion, refers, sort_key};
use super::{Shadow, World, document, kind};
use crate::schema::reference_of_term;
use crate::{IndexError, Restriction, Wanted};

/// What a record can be about; small domains, so that searches find several.
#[derive(Clone, Debug)]
struct Facts {
    name: usize,
    code: usize,
    patient: usize,
    dates: Vec<usize>,
    labels: usize,
    /// What is measured, and who did it.
    value: usize,
}

#[derive(Clone, Debug)]
enum Step {
    Write {
        kind: usize,
        id: usize,
        tenant: usize,
        facts: Option<Facts>,
        is_shadowed: bool,
    },
    Search {
        tenant: usize,
        seeds: Vec<Vec<u64>>,
        without: Vec<Vec<u64>>,
        /// Seeds of sort keys.
        sort: Vec<u64>,
        /// Seeds of clauses.
        restricted: Vec<u64>,
        kind: usize,
        size: usize,
    },
    /// Where a search leads to.
    Targets {
        tenant: usize,
        seeds: Vec<Vec<u64>>,
        restricted: Vec<u64>,
        kind: usize,
        wanted: u64,
    },
    Flush,
    Restart,
    Crash,
    Rebuild,
    Verify,
}

const KINDS: [&str; 4] = ["Patient", "Observation", "MedicationRequest", "RiskAssessment"];
const META: [&str; 4] = [
    "",
    "",
    r#","meta":{"security":[{"code":"HIV"}]}"#,
    r#","meta":{"security":[{"code":"HIV"},{"system":"http://terminology.hl7.org/CodeSystem/v3-Confidentiality","code":"V"}]}"#,
];
const NAMES: [&str; 8] =
    ["Smith", "Smithson", "Müller", "Muñoz", "O'Hara", "de la Cruz", "Gonzalez-Smith", "Smyth Gonzales"];
const PERFORMERS: [&str; 3] = ["Patient", "Practitioner", "Patient"];
const QUANTITIES: [&str; 6] = [
    r#","valueQuantity":{"value":5.4,"unit":"mg","system":"http://unitsofmeasure.org","code":"mg"}"#,
    r#","valueQuantity":{"value":0.0054,"unit":"g","system":"http://unitsofmeasure.org","code":"g"}"#,
    r#","valueQuantity":{"value":120,"unit":"mm[Hg]","system":"http://unitsofmeasure.org","code":"mm[Hg]"}"#,
    r#","valueQuantity":{"value":-3,"unit":"things","comparator":"<"}"#,
    r#","valueString":"Nothing to be seen""#,
    "",
];
const DATES: [&str; 6] = ["1980", "1980-05", "1980-05-17", "1999-12-31", "2020-02-29", "2020-02-29"];
const INSTANTS: [&str; 6] = [
    "1980-05-17T10:00:00Z",
    "1980-05-17T10:00:00.250+02:00",
    "1999-12-31T23:59:59Z",
    "2020-02-29T00:00:00Z",
    "2020-02-29T12:30:00-05:00",
    "2021-06-01T08:00:00Z",
];

pub(super) fn uuid(number: usize) -> String {
    format!("0f8fad5b-d9cb-469f-a165-70867728950{number}")
}

fn body(kind: usize, id: &str, facts: &Facts) -> String {
    let Facts { name, code, patient, dates, labels, value } = facts;
    let meta = META[*labels];
    // Now and then a record of nobody.
    let subject = match patient {
        3 => String::new(),
        patient => format!(r#","subject":{{"reference":"Patient/{}"}}"#, uuid(*patient)),
    };
    match KINDS[kind] {
        "Patient" => {
            let given: Vec<String> = dates.iter().map(|date| format!("\"{}\"", NAMES[*date])).collect();
            let given = given.join(",");
            let birth = dates.first().map_or(String::new(), |&date| format!(r#","birthDate":"{}""#, DATES[date]));
            format!(
                r#"{{"resourceType":"Patient","id":"{id}"{meta},"active":{},"name":[{{"family":"{}","given":[{given}]}}],"identifier":[{{"system":"http://example.org/{}","value":"{}{value}"}}]{birth}}}"#,
                code % 2 == 0,
                NAMES[*name],
                "a-system/".repeat(code * 12),
                // Longer than what is compared, and alike up to there.
                "i".repeat(value * 40),
            )
        }
        "Observation" => {
            let performers: Vec<String> = dates
                .iter()
                .map(|&date| format!(r#"{{"reference":"{}/{}"}}"#, PERFORMERS[date % 3], uuid(date)))
                .collect();
            let performers = match performers.as_slice() {
                [] => String::new(),
                some => format!(r#","performer":[{}]"#, some.join(",")),
            };
            let when = match dates.as_slice() {
                [] => String::new(),
                [one] => format!(r#","effectiveDateTime":"{}""#, INSTANTS[*one]),
                [from, to, ..] => format!(
                    r#","effectivePeriod":{{"start":"{}","end":"{}"}}"#,
                    INSTANTS[*from.min(to)],
                    INSTANTS[*from.max(to)]
                ),
            };
            format!(
                r#"{{"resourceType":"Observation","id":"{id}"{meta},"status":"final","code":{{"coding":[{{"system":"http://loinc.org","code":"c{code}","display":"Test {name} of {code}"}}]}}{subject}{when}{performers}{}}}"#,
                QUANTITIES[*value],
            )
        }
        "RiskAssessment" => format!(
            r#"{{"resourceType":"RiskAssessment","id":"{id}"{meta},"status":"final"{subject},"prediction":[{{"probabilityDecimal":0.{value}}},{{"probabilityDecimal":0.{name}5}}]}}"#,
        ),
        _ => {
            let events: Vec<String> = dates.iter().map(|&date| format!("\"{}\"", INSTANTS[date])).collect();
            let timing = if events.is_empty() {
                String::new()
            } else {
                format!(r#","dosageInstruction":[{{"timing":{{"event":[{}]}}}}]"#, events.join(","))
            };
            format!(
                r#"{{"resourceType":"MedicationRequest","id":"{id}"{meta},"status":"active","intent":"order","medicationCodeableConcept":{{"coding":[{{"code":"c{code}"}}]}}{subject}{timing}}}"#,
            )
        }
    }
}

fn facts() -> impl Strategy<Value = Facts> {
    let dates = prop::collection::vec(0..DATES.len(), 0..4);
    (0..NAMES.len(), 0..3_usize, 0..4_usize, dates, 0..META.len(), 0..QUANTITIES.len())
        .prop_map(|(name, code, patient, dates, labels, value)| Facts { name, code, patient, dates, labels, value })
}

fn step() -> impl Strategy<Value = Step> {
    let write =
        (0..KINDS.len(), 0..6_usize, 0..2_usize, prop::option::weighted(0.8, facts()), prop::bool::weighted(0.9))
            .prop_map(|(kind, id, tenant, facts, is_shadowed)| Step::Write { kind, id, tenant, facts, is_shadowed });
    let seeds = prop::collection::vec(prop::collection::vec(any::<u64>(), 1..4), 0..3);
    let without = prop::collection::vec(prop::collection::vec(any::<u64>(), 1..3), 0..3);
    let restricted = prop_oneof![2 => Just(Vec::new()), 1 => prop::collection::vec(any::<u64>(), 1..5)];
    let targets = (0..2_usize, seeds.clone(), restricted.clone(), 0..KINDS.len(), any::<u64>()).prop_map(
        |(tenant, seeds, restricted, kind, wanted)| Step::Targets { tenant, seeds, restricted, kind, wanted },
    );
    let sort = prop::collection::vec(any::<u64>(), 0..4);
    let search = (0..2_usize, seeds, without, sort, restricted, 0..KINDS.len(), 1..5_usize).prop_map(
        |(tenant, seeds, without, sort, restricted, kind, size)| Step::Search {
            tenant,
            seeds,
            without,
            sort,
            restricted,
            kind,
            size,
        },
    );
    prop_oneof![
        30 => write,
        24 => search,
        4 => targets,
        3 => Just(Step::Flush),
        1 => Just(Step::Restart),
        1 => Just(Step::Crash),
        1 => Just(Step::Verify),
        1 => Just(Step::Rebuild),
    ]
}

fn groups(world: &World, kind: Kind, seeds: &[Vec<u64>]) -> Vec<Vec<Criterion>> {
    seeds.iter().map(|group| group.iter().map(|&seed| criterion(world, kind, seed)).collect()).collect()
}

/// Compares where a search leads to with a look at every match.
fn check_targets(world: &World, tenant: Tenant, query: &Query, restriction: &Restriction, seed: u64) {
    let matching = world.expected(tenant, query, restriction);
    let rows = world.current.values().filter(|row| matching.contains(&row.seq));
    let documents: Vec<_> = rows.filter_map(|row| Some((row.seq, document(row)?))).collect();
    let (wanted, keys) = match refers(&documents, seed) {
        Criterion::Refers { param, .. } if seed.is_multiple_of(2) => {
            let kind = kind(PERFORMERS[usize::from(seed.is_multiple_of(3))]);
            let head = term::head(param, Mode::Local);
            let terms =
                documents.iter().flat_map(|(_, document)| &document.terms).filter(|term| term.starts_with(&head));
            let keys = terms.filter_map(|term| reference_of_term(term)).filter(|(of, _)| *of == kind);
            (Wanted::Referred { param, kind }, keys.map(|(_, key)| key).collect())
        }
        _ => (Wanted::Own, documents.iter().map(|(_, document)| document.own).collect()),
    };
    let expected = Targets::new(keys);
    let found = world.index().targets(tenant, query, restriction, wanted, expected.len()).unwrap();
    assert_eq!(found.keys(), expected.keys(), "{query:?} {wanted:?}");
    if let Some(fewer) = expected.len().checked_sub(1) {
        let refused = world.index().targets(tenant, query, restriction, wanted, fewer);
        assert!(matches!(refused, Err(IndexError::TooManyTargets)), "{query:?} {wanted:?}");
    }
}

fn run(world: &mut World, step: &Step) {
    match step {
        Step::Write { kind: place, id, tenant, facts, is_shadowed } => {
            let (tenant, kind, id) = (Tenant(1 + u32::try_from(*tenant).unwrap()), kind(KINDS[*place]), uuid(*id));
            let is_there = world.current.get(&(tenant, kind, id.clone())).is_some_and(|row| !row.deleted);
            if facts.is_none() && !is_there {
                return;
            }
            let body = facts.as_ref().map(|facts| body(*place, &id, facts));
            let shadow = if *is_shadowed { Shadow::Sent } else { Shadow::Absent };
            world.write(tenant, kind, &id, body.as_deref(), shadow);
        }
        Step::Search { tenant, seeds, without, sort, restricted, kind: place, size } => {
            let kind = kind(KINDS[*place]);
            let mut query = Query::everything(kind);
            (query.all, query.none) = (groups(world, kind, seeds), groups(world, kind, without));
            query.sort = sort.iter().map(|&seed| sort_key(world, kind, seed)).collect();
            let restriction = Restriction { clauses: restricted.iter().map(|&seed| clause(seed)).collect() };
            world.check(Tenant(1 + u32::try_from(*tenant).unwrap()), &query, &restriction, *size);
        }
        Step::Targets { tenant, seeds, restricted, kind: place, wanted } => {
            let kind = kind(KINDS[*place]);
            let mut query = Query::everything(kind);
            query.all = groups(world, kind, seeds);
            let restriction = Restriction { clauses: restricted.iter().map(|&seed| clause(seed)).collect() };
            check_targets(world, Tenant(1 + u32::try_from(*tenant).unwrap()), &query, &restriction, *wanted);
        }
        Step::Flush => world.index().flush().unwrap(),
        Step::Restart => world.restart(),
        Step::Crash => world.crash(),
        Step::Rebuild => world.index().rebuild().unwrap(),
        Step::Verify => world.check_verified(),
    }
}

proptest! {
    // `PROPTEST_CASES` asks for more.
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn searches_answer_what_looking_at_everything_answers(steps in prop::collection::vec(step(), 1..120)) {
        let mut world = World::new();
        for step in &steps {
            run(&mut world, step);
        }
        world.check_verified();
    }
}
