//! The table of searches and what they find (`cases/*.txt`), asked of the one meaning of a search: every resource is looked at, and
//! chains, reverse chains and lists are followed by looking at every resource again.
#![allow(clippy::unwrap_used, clippy::panic, reason = "the helpers of tests fail like tests")]

use std::cmp::Ordering;
use std::collections::HashSet;

use iris_fhir::Resource;
use iris_fhir::definitions::{kind_of, name_of};
use iris_fhir::json::Value;
use iris_kernel::{Fault, Kind, Timestamp};
use iris_search::{
    Contained, ContainedAs, Criterion, Link, Order, Query, QueryContext, SearchDocument, SortKey, Targets, contained,
    extract, join_key, parse_query, parse_system_query, refers_by_address,
};
use iris_testkit::{Expect, SearchCase, SearchWorld, search_worlds};

/// Fewest cases: a table that shrinks by accident is no table.
const CASES_MIN: usize = 200;

/// A resource as the table's reader sees it.
struct Held {
    kind: Kind,
    id: String,
    resource: Resource,
    document: SearchDocument,
    /// What it contains.
    inner: Vec<Held>,
}

/// Something that is found.
struct Hit<'h> {
    /// What it is found by, and in which place of the file.
    by: &'h SearchDocument,
    birth: usize,
    /// What is answered.
    shown: &'h Held,
}

fn now() -> Timestamp {
    Timestamp::parse("2026-11-22T12:00:00Z").unwrap()
}

fn hold(world: &SearchWorld) -> Vec<Held> {
    world.resources.iter().map(|given| held(&given.json)).collect()
}

fn held(json: &str) -> Held {
    let resource = Resource::parse(json.to_owned()).unwrap();
    let inner = |inner: Value<'_>| {
        let mut held = held(std::str::from_utf8(inner.raw()).unwrap());
        // It is not the record that has the same id.
        held.document.own = 0;
        held
    };
    let (inner, id) = (contained(&resource).map(inner).collect(), resource.id().unwrap().into_owned());
    Held { kind: resource.kind(), id, document: extract(&resource, now()), resource, inner }
}

/// The query with chains, reverse chains and lists replaced by the records that they lead to.
fn resolved(query: &Query, held: &[Held]) -> Query {
    let mut query = query.clone();
    for criterion in query.all.iter_mut().chain(&mut query.none).flatten() {
        resolve(criterion, held);
    }
    query
}

fn resolve(criterion: &mut Criterion, held: &[Held]) {
    match criterion {
        Criterion::All(inner) | Criterion::Any(inner) => inner.iter_mut().for_each(|one| resolve(one, held)),
        Criterion::Not(inner) => resolve(inner, held),
        Criterion::Chain(chain) => {
            assert_eq!(chain.inner.kind, chain.target);
            let found = matches(&chain.inner, held);
            *criterion = match chain.link {
                Link::Reference => {
                    let keys = found.iter().map(|held| held.document.own).collect();
                    Criterion::Refers { param: chain.param, to: Targets::shared(keys) }
                }
                Link::Canonical => Criterion::Any(
                    found.iter().flat_map(|held| refers_by_address(chain.param, &held.resource)).collect(),
                ),
            };
        }
        Criterion::Has(has) => {
            assert_eq!(has.inner.kind, has.kind);
            let referring = matches(&has.inner, held);
            let is_referred_to = |one: &&Held| {
                let refers = Criterion::Refers { param: has.param, to: Targets::shared(vec![one.document.own]) };
                referring.iter().any(|held| held.document.satisfies(&refers))
            };
            let keys = held.iter().filter(is_referred_to).map(|held| held.document.own).collect();
            *criterion = Criterion::Own(Targets::shared(keys));
        }
        Criterion::Listed(id) => {
            let list = held.iter().find(|held| name_of(held.kind) == "List" && held.id == *id);
            let entries = list.into_iter().filter_map(|list| list.resource.root().get("entry"));
            let items = entries.flat_map(Value::items).filter_map(|entry| entry.get("item"));
            let keys = items.filter_map(|item| {
                let text = item.str_of("reference")?;
                let (kind, id) = text.split_once('/')?;
                Some(join_key(kind_of(kind)?, id))
            });
            *criterion = Criterion::Own(Targets::shared(keys.collect()));
        }
        _ => {}
    }
}

/// The matches, in the order of the file.
fn matches<'h>(query: &Query, held: &'h [Held]) -> Vec<&'h Held> {
    let query = resolved(query, held);
    assert!(query.is_resolved());
    held.iter().filter(|held| held.kind == query.kind && query.matches(&held.document)).collect()
}

/// What the query finds, in its order; the file's is that of birth.
fn ordered<'h>(query: &Query, held: &'h [Held]) -> Vec<&'h Held> {
    let query = resolved(query, held);
    let mut found: Vec<Hit<'_>> = Vec::new();
    for (birth, one) in held.iter().enumerate() {
        let is_match = |one: &Held| one.kind == query.kind && query.matches(&one.document);
        let itself = query.contained != Contained::Only && is_match(one);
        found.extend(itself.then_some(Hit { by: &one.document, birth, shown: one }));
        let inner = one.inner.iter().filter(|inner| query.contained != Contained::No && is_match(inner));
        let inner = inner.map(|inner| Hit { by: &inner.document, birth, shown: inner });
        match query.contained_as {
            ContainedAs::Itself => found.extend(inner),
            ContainedAs::Container if itself => {}
            ContainedAs::Container => {
                let first = inner.min_by(|a, b| compared(&query, a, b));
                found.extend(first.map(|first| Hit { shown: one, ..first }));
            }
        }
    }
    found.sort_by(|a, b| compared(&query, a, b));
    found.into_iter().map(|hit| hit.shown).collect()
}

fn compared(query: &Query, a: &Hit<'_>, b: &Hit<'_>) -> Ordering {
    let values = (a.by.sort_values(&query.sort), b.by.sort_values(&query.sort));
    for (at, sort) in query.sort.iter().enumerate() {
        let order = match (&values.0[at], &values.1[at]) {
            (Some(a), Some(b)) if sort.order == Order::Ascending => a.cmp(b),
            (Some(a), Some(b)) => b.cmp(a),
            // What has no value comes last either way.
            (a, b) => a.is_none().cmp(&b.is_none()),
        };
        if order.is_ne() {
            return order;
        }
    }
    let is_newest_first = query.sort.first().is_some_and(|sort| sort.key == SortKey::Recent);
    let order = a.birth.cmp(&b.birth);
    if is_newest_first { order.reverse() } else { order }
}

fn answer(case: &SearchCase, held: &[Held]) -> Result<Vec<String>, Vec<Fault>> {
    let context = QueryContext::new("https://iris.example/fhir", now());
    if let Some(kind) = &case.kind {
        let kind = kind_of(kind).unwrap_or_else(|| panic!("{}: no type", case.at));
        let query = parse_query(kind, &case.pairs, &context)?;
        again(&query, case, &context);
        return Ok(ordered(&query, held).iter().map(|held| held.id.clone()).collect());
    }
    let queries = parse_system_query(&case.pairs, &context)?;
    let mut found: Vec<&Held> = queries.iter().flat_map(|query| ordered(query, held)).collect();
    // What contains several that were found is answered once.
    let mut seen = HashSet::new();
    found.retain(|one| seen.insert(std::ptr::from_ref(*one)));
    Ok(found.iter().map(|held| format!("{}/{}", name_of(held.kind), held.id)).collect())
}

/// What was understood, asked again, is the same query.
fn again(query: &Query, case: &SearchCase, context: &QueryContext<'_>) {
    let again = parse_query(query.kind, &query.applied, context);
    assert_eq!(again.as_ref(), Ok(query), "{}: {}", case.at, case.text);
}

fn sorted(mut ids: Vec<String>) -> Vec<String> {
    ids.sort();
    ids
}

#[test]
fn every_search_of_the_table_finds_what_it_says() {
    let (mut count, mut wrong) = (0, Vec::new());
    for world in search_worlds() {
        let held = hold(&world);
        for case in &world.cases {
            count += 1;
            let answer = answer(case, &held);
            let is_right = match (&case.expect, &answer) {
                (Expect::Found(ids), Ok(found)) => sorted(ids.clone()) == sorted(found.clone()),
                (Expect::Ordered(ids), Ok(found)) => ids == found,
                (Expect::Refused(names), Err(faults)) => {
                    sorted(names.clone()) == sorted(faults.iter().map(|fault| fault.at.clone()).collect())
                }
                _ => false,
            };
            if !is_right {
                wrong.push(format!("{}: {}\n    wanted {:?}\n    got    {answer:?}", case.at, case.text, case.expect));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {count} wrong:\n{}", wrong.len(), wrong.join("\n"));
    println!("{count} searches");
    assert!(count >= CASES_MIN, "{count} searches");
}
