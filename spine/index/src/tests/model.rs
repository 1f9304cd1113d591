//! Random histories: whatever happens, a search answers what looking at every current resource answers.

use iris_kernel::{Kind, Tenant};
use iris_search::term::Mode;
use iris_search::{Clause, Criterion, DateOp, Label, Near, Order, Query, Reach, SearchDocument, Sort, SortKey};
use iris_search::{compartment_term, compartments_term, label_term, words};
use proptest::prelude::*;

use super::{Shadow, World, document, kind};
use crate::Restriction;

/// What a record can be about; small domains, so that searches find several.
#[derive(Clone, Debug)]
struct Facts {
    name: usize,
    code: usize,
    patient: usize,
    dates: Vec<usize>,
    labels: usize,
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
        sort: u64,
        /// Seeds of clauses.
        restricted: Vec<u64>,
        kind: usize,
        size: usize,
    },
    Flush,
    Restart,
    Crash,
    Rebuild,
    Verify,
}

const KINDS: [&str; 3] = ["Patient", "Observation", "MedicationRequest"];
const META: [&str; 4] = [
    "",
    "",
    r#","meta":{"security":[{"code":"HIV"}]}"#,
    r#","meta":{"security":[{"code":"HIV"},{"system":"http://terminology.hl7.org/CodeSystem/v3-Confidentiality","code":"V"}]}"#,
];
const NAMES: [&str; 8] =
    ["Smith", "Smithson", "Müller", "Muñoz", "O'Hara", "de la Cruz", "Gonzalez-Smith", "Smyth Gonzales"];
const DATES: [&str; 6] = ["1980", "1980-05", "1980-05-17", "1999-12-31", "2020-02-29", "2020-02-29"];
const INSTANTS: [&str; 6] = [
    "1980-05-17T10:00:00Z",
    "1980-05-17T10:00:00.250+02:00",
    "1999-12-31T23:59:59Z",
    "2020-02-29T00:00:00Z",
    "2020-02-29T12:30:00-05:00",
    "2021-06-01T08:00:00Z",
];

fn uuid(number: usize) -> String {
    format!("0f8fad5b-d9cb-469f-a165-70867728950{number}")
}

fn body(kind: usize, id: &str, facts: &Facts) -> String {
    let Facts { name, code, patient, dates, labels } = facts;
    let meta = META[*labels];
    // Now and then a record of nobody.
    let subject = match patient {
        3 => String::new(),
        patient => format!(r#","subject":{{"reference":"Patient/{}"}}"#, uuid(*patient)),
    };
    match KINDS[kind] {
        "Patient" => {
            let birth = dates.first().map_or(String::new(), |&date| format!(r#","birthDate":"{}""#, DATES[date]));
            format!(
                r#"{{"resourceType":"Patient","id":"{id}"{meta},"active":{},"name":[{{"family":"{}"}}]{birth}}}"#,
                code % 2 == 0,
                NAMES[*name],
            )
        }
        "Observation" => {
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
                r#"{{"resourceType":"Observation","id":"{id}"{meta},"status":"final","code":{{"coding":[{{"system":"http://loinc.org","code":"c{code}"}}]}}{subject}{when}}}"#,
            )
        }
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

/// A criterion made of what some current resource has, so that most of them find something.
fn criterion(world: &World, kind: Kind, seed: u64) -> Criterion {
    let documents: Vec<_> = world
        .current
        .values()
        .filter(|row| row.kind == kind)
        .filter_map(|row| Some((row.seq, document(row)?)))
        .collect();
    let mut documents = documents;
    documents.sort_by_key(|(seq, _)| *seq);
    let pick = |bound: usize, shift: u32| usize::try_from((seed >> shift) % bound.max(1) as u64).unwrap();
    let Some((_, document)) = documents.get(pick(documents.len(), 8)) else { return Criterion::Nothing };
    match seed % 10 {
        0 => Criterion::Nothing,
        1 | 2 => {
            let ops = [DateOp::Eq, DateOp::Ne, DateOp::Gt, DateOp::Lt, DateOp::Ge, DateOp::Le, DateOp::Sa, DateOp::Eb];
            let date = document.dates[pick(document.dates.len(), 16)];
            Criterion::Date { slot: date.slot, op: ops[pick(ops.len(), 24)], low: date.low, high: date.high }
        }
        3 => {
            let folded: Vec<_> = document.terms.iter().filter(|term| term[2] == Mode::Folded as u8).collect();
            let Some(term) = folded.get(pick(folded.len(), 16)) else { return Criterion::Nothing };
            Criterion::Prefix(term[..term.len().min(4 + pick(6, 24))].into())
        }
        8 | 9 => word(document, seed),
        _ => Criterion::Term(document.terms[pick(document.terms.len(), 16)].clone()),
    }
}

/// A clause over compartments and labels, of each sort that there is.
fn clause(seed: u64) -> Clause {
    let pick = |bound: usize, shift: u32| usize::try_from((seed >> shift) % bound as u64).unwrap();
    let term = |shift: u32| match pick(6, shift) {
        0 => label_term(Label::Hiv),
        1 => label_term(Label::VeryRestricted),
        2 => compartments_term(),
        patient => compartment_term(&uuid(patient - 3)),
    };
    let any = (0..pick(4, 0) as u32).map(|place| term(4 + 8 * place)).collect();
    let unless = (0..pick(3, 2) as u32).map(|place| term(32 + 8 * place)).collect();
    Clause::new(any, unless)
}

/// A word of a name: its beginning, or a word like it with one or two letters left out, turned round or put in.
fn word(document: &SearchDocument, seed: u64) -> Criterion {
    let words: Vec<_> = document.terms.iter().filter(|term| term[2] == Mode::Word as u8).collect();
    let pick = |bound: usize, shift: u32| usize::try_from((seed >> shift) % bound.max(1) as u64).unwrap();
    let Some(term) = words.get(pick(words.len(), 16)) else { return Criterion::Nothing };
    let param = u16::from_be_bytes([term[0], term[1]]);
    let mut letters: Vec<char> = std::str::from_utf8(&term[3..]).unwrap().chars().collect();
    if seed % 10 == 8 && pick(2, 48) == 0 {
        letters.truncate(1 + pick(6, 24));
        return words::beginning(param, &letters.into_iter().collect::<String>());
    }
    for shift in [24, 36] {
        let at = pick(letters.len(), shift + 4);
        match pick(4, shift) {
            0 if letters.len() > 1 => drop(letters.remove(at)),
            1 if at > 0 => letters.swap(at - 1, at),
            2 => letters.insert(at, 'x'),
            _ => {}
        }
    }
    let reach = if pick(2, 52) == 0 { Reach::Whole } else { Reach::Beginning };
    let asked: String = letters.into_iter().collect();
    Near::new(param, &asked, reach).map_or(Criterion::Nothing, Criterion::Near)
}

fn facts() -> impl Strategy<Value = Facts> {
    (0..NAMES.len(), 0..3_usize, 0..4_usize, prop::collection::vec(0..DATES.len(), 0..4), 0..META.len())
        .prop_map(|(name, code, patient, dates, labels)| Facts { name, code, patient, dates, labels })
}

fn step() -> impl Strategy<Value = Step> {
    let write =
        (0..KINDS.len(), 0..6_usize, 0..2_usize, prop::option::weighted(0.8, facts()), prop::bool::weighted(0.9))
            .prop_map(|(kind, id, tenant, facts, is_shadowed)| Step::Write { kind, id, tenant, facts, is_shadowed });
    let seeds = prop::collection::vec(prop::collection::vec(any::<u64>(), 1..4), 0..3);
    let without = prop::collection::vec(prop::collection::vec(any::<u64>(), 1..3), 0..3);
    let restricted = prop_oneof![2 => Just(Vec::new()), 1 => prop::collection::vec(any::<u64>(), 1..5)];
    let search = (0..2_usize, seeds, without, any::<u64>(), restricted, 0..KINDS.len(), 1..5_usize).prop_map(
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
        20 => search,
        3 => Just(Step::Flush),
        1 => Just(Step::Restart),
        1 => Just(Step::Crash),
        1 => Just(Step::Verify),
        1 => Just(Step::Rebuild),
    ]
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
            let groups = |seeds: &[Vec<u64>]| -> Vec<Vec<Criterion>> {
                seeds.iter().map(|group| group.iter().map(|&seed| criterion(world, kind, seed)).collect()).collect()
            };
            (query.all, query.none) = (groups(seeds), groups(without));
            let key = if sort % 4 == 0 {
                SortKey::Recent
            } else {
                SortKey::Date { slot: u8::try_from(sort / 4 % 4).unwrap() }
            };
            let order = if sort / 16 % 2 == 0 { Order::Ascending } else { Order::Descending };
            query.sort = vec![Sort { key, order }];
            let restriction = Restriction { clauses: restricted.iter().map(|&seed| clause(seed)).collect() };
            world.check(Tenant(1 + u32::try_from(*tenant).unwrap()), &query, &restriction, *size);
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
