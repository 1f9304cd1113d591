//! How long a search takes for somebody who treats a few, or very many. Run it with `cargo nextest run -p iris-index --run-ignored only
//! --no-capture among_the_patients`.

use std::sync::Arc;

use iris_kernel::Tenant;
use iris_search::{Clause, Query, Term, compartment_term, compartments_term, parse_query};
use iris_testkit::wait;

use super::{Shadow, World, context, kind};
use crate::{Page, Restriction};

const TENANT: Tenant = Tenant(1);
const PATIENTS: usize = 50_000;
const ROUNDS: u32 = 20;

/// What somebody sees who treats these.
fn treating(patients: usize) -> Restriction {
    let every = PATIENTS / patients;
    let mut terms: Vec<Term> = (0..patients).map(|number| compartment_term(&format!("p{}", number * every))).collect();
    terms.sort_unstable();
    Restriction { clauses: vec![Clause::among(terms.into(), vec![compartments_term()])] }
}

fn search(parameters: &[(&str, &str)]) -> Query {
    let pairs: Vec<_> = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    parse_query(kind("Observation"), &pairs, &context()).unwrap()
}

#[test]
#[ignore = "takes a minute; prints figures"]
fn a_search_among_the_patients_whom_somebody_treats() {
    let mut world = World::new();
    for number in 0..PATIENTS * 2 {
        let body = format!(
            r#"{{"resourceType":"Observation","id":"o{number}","status":"final","code":{{"text":"x","coding":[{{"code":"c{}"}}]}},"subject":{{"reference":"Patient/p{}"}}}}"#,
            number % 1_000,
            number % PATIENTS
        );
        world.write(TENANT, kind("Observation"), &format!("o{number}"), Some(&body), Shadow::Sent);
    }
    world.index().flush().unwrap();
    let page = || Page { size: 20, after: None };
    let asked = [
        ("the newest", search(&[])),
        ("by a code", search(&[("code", "c7")])),
        ("of one", search(&[("patient", "Patient/p0")])),
    ];
    for patients in [1, 100, 5_000, 50_000] {
        let restriction = treating(patients);
        for (what, query) in &asked {
            let (hits, first) = wait::timed(|| world.index().search(TENANT, query, &restriction, page()).unwrap());
            let ((), later) = wait::timed(|| {
                for _ in 0..ROUNDS {
                    world.index().search(TENANT, query, &restriction, page()).unwrap();
                }
            });
            println!("{patients} patients, {what}: first {first:?}, then {:?}; {:?} found", later / ROUNDS, hits.total);
        }
    }
}

/// What is kept for one list is nobody else's: another list, the same list of another tenant, and a list that takes the place of one that
/// is gone.
#[test]
fn what_a_long_list_came_to_is_found_under_that_list_alone() {
    let mut world = World::new();
    for (tenant, number) in (1..3).flat_map(|tenant| (0..600).map(move |number| (Tenant(tenant), number))) {
        let body = format!(
            r#"{{"resourceType":"Observation","id":"o{number}","status":"final","code":{{"text":"x"}},"subject":{{"reference":"Patient/p{number}"}}}}"#
        );
        world.write(tenant, kind("Observation"), &format!("o{number}"), Some(&body), Shadow::Sent);
    }
    world.index().flush().unwrap();
    let query = search(&[]);
    for round in 0..200_usize {
        let terms = |from: usize, count: usize| {
            let mut terms: Vec<Term> =
                (from..from + count).map(|number| compartment_term(&format!("p{number}"))).collect();
            terms.sort_unstable();
            let terms: Arc<[Term]> = terms.into();
            Restriction { clauses: vec![Clause::among(terms, vec![compartments_term()])] }
        };
        let restriction = terms(round * 2, 300 - round);
        for tenant in [Tenant(1), Tenant(2), Tenant(1), Tenant(3)] {
            let found = world.index().count(tenant, &query, &restriction).unwrap();
            let expected = if tenant == Tenant(3) { 0 } else { (600 - round * 2).min(300 - round) };
            assert_eq!(found, expected as u64, "{round}");
        }
    }
}
