//! What must happen once happens once, on whichever node it is asked for.

use std::collections::BTreeSet;

use iris_testkit::Answer;
use iris_testkit::postgres::Database;
use serde_json::json;

use crate::truth::nodes;

/// Parallel requests for the same thing.
const PARALLEL: usize = 50;
const ROUNDS: usize = 5;

#[test]
fn fifty_parallel_conditional_creates_over_three_nodes_make_one() {
    let Some(database) = Database::empty() else { return };
    let Some(nodes) = nodes(3, &database.url(), &database.owner_url()) else { return };
    for round in 0..ROUNDS {
        let value = format!("once-{round}");
        let body = json!({ "resourceType": "Patient", "identifier": [{ "system": "urn:test:once", "value": value }] });
        let condition = format!("identifier=urn:test:once|{value}");
        let headers = [
            ("authorization", nodes.bearer.as_str()),
            ("content-type", "application/fhir+json"),
            ("if-none-exist", condition.as_str()),
        ];
        let answers = at_once(|at| {
            let node = nodes.node(at % nodes.count());
            node.send("POST", "/fhir/Patient", &headers, Some(body.to_string().as_bytes()))
        });
        one_was_made(&answers);
        for at in 0..nodes.count() {
            let headers = [("authorization", nodes.bearer.as_str()), ("x-iris-consistency", "strong")];
            let found = nodes.node(at).get(&format!("/fhir/Patient?{condition}"), &headers).expect(200).json();
            assert_eq!(found["total"], 1, "on node {at}");
        }
    }
}

#[test]
fn fifty_parallel_requests_with_one_idempotency_key_over_three_nodes_make_one() {
    let Some(database) = Database::empty() else { return };
    let Some(nodes) = nodes(3, &database.url(), &database.owner_url()) else { return };
    for round in 0..ROUNDS {
        let key = format!("once-{round}");
        let body =
            json!({ "first_name": "Ada", "last_name": "Once", "date_of_birth": "1990-01-01", "gender": "female" });
        let headers = [
            ("authorization", nodes.bearer.as_str()),
            ("content-type", "application/json"),
            ("idempotency-key", key.as_str()),
        ];
        let answers = at_once(|at| {
            let node = nodes.node(at % nodes.count());
            node.send("POST", "/api/v1/patients", &headers, Some(body.to_string().as_bytes()))
        });
        let ids =
            answers.iter().map(|answer| answer.json()["id"].as_str().unwrap().to_owned()).collect::<BTreeSet<_>>();
        assert_eq!(ids.len(), 1, "{ids:?}");
    }
}

fn at_once(ask: impl Fn(usize) -> Answer + Sync) -> Vec<Answer> {
    std::thread::scope(|scope| {
        let asked = (0..PARALLEL)
            .map(|at| {
                scope.spawn({
                    let ask = &ask;
                    move || ask(at)
                })
            })
            .collect::<Vec<_>>();
        asked.into_iter().map(|answer| answer.join().unwrap()).collect()
    })
}

fn one_was_made(answers: &[Answer]) {
    let count = |status: u16| answers.iter().filter(|answer| answer.status == status).count();
    assert_eq!(
        (count(201), count(200)),
        (1, PARALLEL - 1),
        "{:?}",
        answers.iter().map(|a| a.status).collect::<Vec<_>>()
    );
    let ids = answers.iter().map(|answer| answer.json()["id"].as_str().unwrap().to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(ids.len(), 1, "{ids:?}");
}
