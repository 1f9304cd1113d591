//! How long scans, sorts by terms, chains and reverse chains take. Run it with `cargo nextest run -p iris-index --release --run-ignored
//! only --no-capture scans_sorts_and_joins`.

use std::time::Duration;

use iris_kernel::Tenant;
use iris_search::term::{self, Mode};
use iris_search::{Criterion, Order, Query, Scan, ScanTest, Sort, SortKey, parameter, parse_query};
use iris_testkit::wait;

use super::speed::name;
use super::{Shadow, World, context, kind};
use crate::{CHAIN_TARGETS_MAX, Page, Restriction, Wanted};

const TENANT: Tenant = Tenant(1);
const PATIENTS: u32 = 100_000;
const OBSERVATIONS: u32 = 300_000;
/// Patients whom two thirds of the observations are of.
const FREQUENT: u32 = 1_000;
const ROUNDS: usize = 60;

/// 100,000 patients, each of another city; 1,000 of them male, 50,000 female. 300,000 observations of 100,000 different values.
fn world() -> World {
    let mut world = World::new();
    for number in 0..PATIENTS {
        let gender = match number {
            0..FREQUENT => "male",
            FREQUENT..51_000 => "female",
            _ => "other",
        };
        let id = format!("p{number}");
        let body = format!(
            r#"{{"resourceType":"Patient","id":"{id}","gender":"{gender}","name":[{{"family":"{}"}}],"address":[{{"city":"City {number}"}}],"birthDate":"19{:02}-{:02}-{:02}"}}"#,
            name(number),
            number % 100,
            1 + number % 12,
            1 + number % 28,
        );
        world.write(TENANT, kind("Patient"), &id, Some(&body), Shadow::Sent);
    }
    for number in 0..OBSERVATIONS {
        let patient = if number % 3 == 0 { number / 3 % PATIENTS } else { number % FREQUENT };
        let id = format!("o{number}");
        let body = format!(
            r#"{{"resourceType":"Observation","id":"{id}","status":"final","code":{{"coding":[{{"code":"c{}"}}]}},"subject":{{"reference":"Patient/p{patient}"}},"effectiveDateTime":"20{:02}-{:02}-{:02}","valueQuantity":{{"value":{}.5,"system":"http://unitsofmeasure.org","code":"mg"}}}}"#,
            number % 200,
            number % 24,
            1 + number % 12,
            1 + number % 28,
            number / 3,
        );
        world.write(TENANT, kind("Observation"), &id, Some(&body), Shadow::Sent);
    }
    world.index().flush().unwrap();
    world
}

/// Prints what the first call takes, the middle one, and that which one in twenty exceeds.
fn measure(what: &str, mut search: impl FnMut() -> u64) {
    let (found, first) = wait::timed(&mut search);
    let mut later: Vec<Duration> = (0..ROUNDS).map(|_| wait::timed(&mut search).1).collect();
    later.sort_unstable();
    let (middle, high) = (later[ROUNDS / 2], later[ROUNDS * 19 / 20]);
    println!("{what}: first {first:?}, then p50 {middle:?}, p95 {high:?}; {found} found");
}

fn asked(of: &str, pairs: &[(&str, &str)]) -> Query {
    let pairs: Vec<_> = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    parse_query(kind(of), &pairs, &context()).unwrap()
}

fn count(world: &World, query: &Query) -> u64 {
    let page = Page { size: 20, after: None };
    world.index().search(TENANT, query, &Restriction::NONE, page).unwrap().total.unwrap()
}

#[test]
#[ignore = "takes a minute; prints figures"]
fn scans_sorts_and_joins() {
    let world = world();
    let patient = kind("Patient");
    let index = |of: &str, code: &str| parameter(kind(of), code).unwrap().index;
    let city =
        Scan::new(term::head(index("Patient", "address-city"), Mode::Folded), ScanTest::Contains((*b"777").into()));
    let mut query = Query::everything(patient);
    query.all = vec![vec![Criterion::Scan(city)]];
    measure("scan over 100,000 texts, :contains", || count(&world, &query));
    for value in ["gt99000", "lt50000||mg", "5||mg", "ne5"] {
        let query = asked("Observation", &[("value-quantity", value)]);
        measure(&format!("scan over 100,000 quantities, {value}"), || count(&world, &query));
    }
    let family = |order| Sort { key: SortKey::Term { param: index("Patient", "family"), mode: Mode::Folded }, order };
    let birth = Sort {
        key: SortKey::Date { slot: iris_search::date_slot(patient, "birthdate").unwrap() },
        order: Order::Ascending,
    };
    for (what, sort) in [
        ("family", vec![family(Order::Ascending)]),
        ("family, descending", vec![family(Order::Descending)]),
        ("family and birth date", vec![family(Order::Ascending), birth]),
    ] {
        let mut query = Query::everything(patient);
        query.sort = sort;
        measure(&format!("sort of 100,000 patients by {what}"), || count(&world, &query));
    }
    let subject = index("Observation", "subject");
    for (gender, narrowed) in [("male", false), ("male", true), ("female", false), ("female", true)] {
        let inner = asked("Patient", &[("gender", gender)]);
        let mut query = Query::everything(kind("Observation"));
        if narrowed {
            query = asked("Observation", &[("code", "c7")]);
        }
        query.sort = vec![Sort { key: SortKey::Date { slot: 0 }, order: Order::Descending }];
        measure(&format!("chain over {gender} patients, {} by code", if narrowed { "and" } else { "not" }), || {
            let to = world.index().targets(TENANT, &inner, &Restriction::NONE, Wanted::Own, CHAIN_TARGETS_MAX).unwrap();
            let mut query = query.clone();
            query.all.push(vec![Criterion::Refers { param: subject, to }]);
            count(&world, &query)
        });
    }
    for (what, inner) in
        [("1,500", asked("Observation", &[("code", "c7")])), ("300,000", Query::everything(kind("Observation")))]
    {
        measure(&format!("_has over {what} observations"), || {
            let wanted = Wanted::Referred { param: subject, kind: patient };
            let own = world.index().targets(TENANT, &inner, &Restriction::NONE, wanted, CHAIN_TARGETS_MAX).unwrap();
            let mut query = Query::everything(patient);
            query.all = vec![vec![Criterion::Own(own)]];
            count(&world, &query)
        });
    }
}
