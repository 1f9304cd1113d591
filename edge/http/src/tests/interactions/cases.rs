//! The table of searches and what they find (`base/search/tests/cases`), asked of the whole server.

use std::fmt::Write as _;
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use iris_resources::{Policy, ReferencePolicy};
use iris_testkit::{Expect, SearchCase, SearchResource, SearchWorld, search_worlds};

use super::*;

/// Where the table's absolute references point to.
const HERE: &str = "https://iris.example";
/// From when the clock of tests starts to the moment at which the table is read, 2026-11-22T12:00:00Z.
const UNTIL_NOW: Duration = Duration::from_secs(325 * 86_400 + 12 * 3_600);
/// Every so many cases the parameters are sent in a form instead of the address.
const POST_EVERY: usize = 7;
/// Fewest cases: a table that shrinks by accident is no table.
const CASES_MIN: usize = 400;
/// Most pages of one answer.
const PAGES_MAX: usize = 10;

/// A server in which the resources of the file are, in its order: by a transaction, or, where some refer to what is not there, which only
/// single writes may, by a batch.
async fn loaded(table: &SearchWorld) -> (World, String) {
    let world = World::at(HERE);
    world.clock.advance(UNTIL_NOW);
    let policy = world.app.records.policy();
    world.app.records.policy_set(Policy { references: ReferencePolicy::Recorded, ..policy });
    let token = world.admin().await;
    let put = |one: &SearchResource| {
        entry("PUT", &format!("{}/{}", one.kind, one.id), Some(serde_json::from_str(&one.json).unwrap()))
    };
    let entries: Vec<Value> = table.resources.iter().map(put).collect();
    let mut reply = world.post("/fhir", &token, bundle("transaction", &entries)).await;
    if reply.status == 422 {
        reply = world.post("/fhir", &token, bundle("batch", &entries)).await;
    }
    let answer = reply.expect(200).json();
    assert!(statuses(&answer).iter().all(|status| status == "201"), "{}: {answer}", table.name);
    (world, token)
}

/// The answer to a case: what is found, page by page, or the names in the refusal.
async fn answered(world: &World, token: &str, case: &SearchCase, by_post: bool) -> Result<Vec<String>, Vec<String>> {
    let pairs = form_urlencoded::Serializer::new(String::new()).extend_pairs(&case.pairs).finish();
    let path = case.kind.as_ref().map_or_else(|| "/fhir".to_owned(), |kind| format!("/fhir/{kind}"));
    let mut reply = if by_post {
        let request = Request::post(format!("{path}/_search")).header("authorization", format!("Bearer {token}"));
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        world.send(request.body(Body::from(pairs)).unwrap()).await
    } else {
        world.get(&format!("{path}?{pairs}"), token).await
    };
    let mut found = Vec::new();
    for _ in 0..PAGES_MAX {
        if !reply.status.is_success() {
            return Err(names(&reply));
        }
        let page = reply.json();
        let entries = page["entry"].as_array().cloned().unwrap_or_default();
        let matches = entries.iter().filter(|entry| entry["search"]["mode"] == "match");
        found.extend(matches.map(|entry| {
            let (kind, id) = (&entry["resource"]["resourceType"], entry["resource"]["id"].as_str().unwrap());
            if case.kind.is_some() { id.to_owned() } else { format!("{}/{id}", kind.as_str().unwrap()) }
        }));
        let next = page["link"].as_array().unwrap().iter().find(|link| link["relation"] == "next");
        let Some(next) = next else { return Ok(found) };
        reply = world.get(next["url"].as_str().unwrap().strip_prefix(HERE).unwrap(), token).await;
    }
    panic!("{}: an answer of more than {PAGES_MAX} pages", case.at);
}

/// What a refusal names, each as the caller wrote it.
fn names(reply: &Reply) -> Vec<String> {
    let issues = reply.json()["issue"].as_array().cloned().unwrap_or_default();
    let name = |issue: &Value| {
        let place = issue["expression"][0].as_str().unwrap_or_default();
        place.strip_prefix("http.").unwrap_or(place).to_owned()
    };
    issues.iter().map(name).collect()
}

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names
}

#[tokio::test]
async fn every_search_of_the_table_finds_over_http_what_it_says() {
    let (mut count, mut posted, mut wrong) = (0, 0, String::new());
    for table in search_worlds() {
        let (world, token) = loaded(&table).await;
        for case in &table.cases {
            let by_post = count % POST_EVERY == 0;
            count += 1;
            posted += usize::from(by_post);
            let answer = answered(&world, &token, case, by_post).await;
            let is_right = match (&case.expect, &answer) {
                (Expect::Found(ids), Ok(found)) => sorted(ids.clone()) == sorted(found.clone()),
                (Expect::Ordered(ids), Ok(found)) => ids == found,
                (Expect::Refused(names), Err(told)) => sorted(names.clone()) == sorted(told.clone()),
                _ => false,
            };
            if !is_right {
                let (at, text, expect) = (&case.at, &case.text, &case.expect);
                writeln!(wrong, "{at}: {text}\n    wanted {expect:?}\n    got    {answer:?}").unwrap();
            }
        }
    }
    assert!(wrong.is_empty(), "of {count}, these are wrong:\n{wrong}");
    println!("{count} searches over HTTP, {posted} of them by POST");
    assert!(count >= CASES_MIN, "{count} searches");
}
