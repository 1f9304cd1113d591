//! The limits of scans, trees, orders and joins, at the limit and one past it.

use iris_kernel::Tenant;
use iris_search::term::{self, Mode};
use iris_search::{Chain, Criterion, Link, Order, Query, Scan, ScanTest, Sort, SortKey, Targets, TextOrder, parameter};

use super::{Shadow, World, kind};
use crate::effort::Effort;
use crate::scan::{self, WALKED_FIRST};
use crate::set::{Group, Scope};
use crate::tree::TREE_DEPTH_MAX;
use crate::{CHAIN_TARGETS_MAX, IndexError, Page, Position, Restriction, Wanted};

const TENANT: Tenant = Tenant(1);

fn patients(families: &[&str]) -> World {
    let mut world = World::new();
    for (place, family) in families.iter().enumerate() {
        let id = format!("p{place}");
        let body = format!(r#"{{"resourceType":"Patient","id":"{id}","name":[{{"family":"{family}"}}]}}"#);
        world.write(TENANT, kind("Patient"), &id, Some(&body), Shadow::Sent);
    }
    world.index().flush().unwrap();
    world
}

fn family() -> u16 {
    parameter(kind("Patient"), "family").unwrap().index
}

fn search(world: &World, query: &Query, after: Option<Position>) -> Result<crate::Hits, IndexError> {
    world.index().search(TENANT, query, &Restriction::NONE, Page { size: 2, after })
}

#[test]
fn a_scan_past_its_limits_is_refused_and_one_within_them_is_whole() {
    let world = patients(&["Garcia", "Marcia", "Smith", "Barcia"]);
    let scan = Scan::new(term::head(family(), Mode::Folded), ScanTest::Contains((*b"arcia").into()));
    let generation = world.index().shared.state.read().generation.clone();
    let scanned = |entries, lists| {
        let effort = Effort::new(entries, lists, 0);
        let body = &generation.segments[0].body;
        let values = &world.index().shared.values;
        let scope = Scope { body, tenant: TENANT, kind: kind("Patient"), effort: &effort, values };
        scan::scanned(scope, &scan).map(|found| found.lists.len() as u64 + found.docs.len())
    };
    assert_eq!(scanned(4, 3).unwrap(), 3);
    assert!(matches!(scanned(3, 3), Err(IndexError::TooWide)));
    assert!(matches!(scanned(4, 2), Err(IndexError::TooWide)));
    let digests = Scan::new(term::head(family(), Mode::Exact), ScanTest::Contains((*b"arcia").into()));
    let mut query = Query::everything(kind("Patient"));
    query.all = vec![vec![Criterion::Scan(digests)]];
    assert!(matches!(search(&world, &query, None), Err(IndexError::Engine(_))));
}

#[test]
fn prefixes_lay_as_many_lists_together_as_scans_and_no_more() {
    let world = patients(&["Garcia", "Garner", "Smith"]);
    let generation = world.index().shared.state.read().generation.clone();
    let body = &generation.segments[0].body;
    let values = &world.index().shared.values;
    let opened = |lists| {
        let effort = Effort::new(0, lists, 0);
        let scope = Scope { body, tenant: TENANT, kind: kind("Patient"), effort: &effort, values };
        // However often it is asked.
        let any = vec![Criterion::Prefix(term::folded(family(), "gar")); 3];
        Group::open(scope, &any).map(|group| group.cost())
    };
    assert_eq!(opened(2).unwrap(), 2);
    assert!(matches!(opened(1), Err(IndexError::TooWide)));
}

#[test]
fn a_short_stretch_is_walked_and_a_long_one_is_read() {
    let names: Vec<String> = (0..WALKED_FIRST + 2).map(|place| format!("name{place}")).collect();
    let world = patients(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let generation = world.index().shared.state.read().generation.clone();
    let body = &generation.segments[0].body;
    let values = &world.index().shared.values;
    let scanned = |from: usize| {
        let effort = Effort::new(100, 100, 0);
        let scope = Scope { body, tenant: TENANT, kind: kind("Patient"), effort: &effort, values };
        let test = ScanTest::Order(TextOrder::From, names[from].as_bytes().into());
        let found = scan::scanned(scope, &Scan::new(term::head(family(), Mode::Folded), test)).unwrap();
        ((found.lists.len(), found.docs.len() as usize), effort.was_read() as usize)
    };
    assert_eq!(scanned(2), ((WALKED_FIRST, 0), 0));
    assert_eq!(scanned(1), ((0, WALKED_FIRST + 1), names.len()));
    assert_eq!(scanned(1).1, 0, "what was read is kept");
}

#[test]
fn trees_have_a_depth() {
    let world = patients(&["Garcia", "Smith"]);
    let nested = |depth: usize| {
        let one = Criterion::Prefix(term::folded(family(), "gar"));
        let mut query = Query::everything(kind("Patient"));
        let tree = (0..depth).fold(one, |inner, _| Criterion::Not(Box::new(inner)));
        query.all = vec![vec![tree]];
        search(&world, &query, None).map(|hits| hits.total)
    };
    assert_eq!(nested(TREE_DEPTH_MAX).unwrap(), Some(1));
    assert!(matches!(nested(TREE_DEPTH_MAX + 1), Err(IndexError::TooWide)));
}

#[test]
fn what_only_other_searches_can_answer_is_refused() {
    let world = patients(&["Garcia"]);
    let inner = Query::everything(kind("Patient"));
    let chain = Chain { param: family(), link: Link::Reference, target: kind("Patient"), inner };
    for criterion in [Criterion::Chain(Box::new(chain)), Criterion::Listed("list".to_owned())] {
        let mut query = Query::everything(kind("Patient"));
        query.all = vec![vec![Criterion::Not(Box::new(criterion))]];
        assert!(matches!(search(&world, &query, None), Err(IndexError::Unresolved)));
        let count = world.index().count(TENANT, &query, &Restriction::NONE);
        assert!(matches!(count, Err(IndexError::Unresolved)));
        let targets = world.index().targets(TENANT, &query, &Restriction::NONE, Wanted::Own, CHAIN_TARGETS_MAX);
        assert!(matches!(targets, Err(IndexError::Unresolved)));
    }
}

#[test]
fn positions_of_other_orders_and_orders_of_digests_are_refused() {
    let world = patients(&["Garcia", "Smith", "Marcia"]);
    let mut query = Query::everything(kind("Patient"));
    let by = |mode| vec![Sort { key: SortKey::Term { param: family(), mode }, order: Order::Ascending }];
    query.sort = by(Mode::Folded);
    let next = search(&world, &query, None).unwrap().next.unwrap();
    assert_eq!(search(&world, &query, Some(next.clone())).unwrap().seqs.len(), 1);
    query.sort = vec![Sort::default()];
    assert!(matches!(search(&world, &query, Some(next)), Err(IndexError::Page(_))));
    query.sort = by(Mode::Exact);
    assert!(matches!(search(&world, &query, None), Err(IndexError::Engine(_))));
}

#[test]
fn nobody_is_sorted_or_joined_across_tenants() {
    let mut world = patients(&["Garcia", "Smith"]);
    let body = r#"{"resourceType":"Patient","id":"p0","name":[{"family":"Aaron"}]}"#;
    world.write(Tenant(2), kind("Patient"), "p0", Some(body), Shadow::Sent);
    world.index().flush().unwrap();
    let mut query = Query::everything(kind("Patient"));
    query.sort = vec![Sort { key: SortKey::Term { param: family(), mode: Mode::Folded }, order: Order::Descending }];
    for tenant in [TENANT, Tenant(2), Tenant(3)] {
        world.check(tenant, &query, &Restriction::NONE, 1);
    }
    // The same id in both tenants has one key, and each search stays within its own.
    let everybody = |tenant| {
        world.index().targets(tenant, &query, &Restriction::NONE, Wanted::Own, CHAIN_TARGETS_MAX).unwrap().len()
    };
    assert_eq!([TENANT, Tenant(2), Tenant(3)].map(everybody), [2, 1, 0]);
    query.all = vec![vec![Criterion::Own(Targets::shared(vec![iris_search::join_key(kind("Patient"), "p0")]))]];
    for tenant in [TENANT, Tenant(2), Tenant(3)] {
        world.check(tenant, &query, &Restriction::NONE, 1);
    }
}

/// What only some see in full is under other terms, which no order reads.
#[test]
fn a_masked_identifier_is_not_sorted_by() {
    let mut world = World::new();
    for (id, system, value) in [
        ("a", "http://hl7.org/fhir/sid/us-ssn", "111-11-1111"),
        ("b", "http://example.org/mrn", "5"),
        ("c", "http://example.org/mrn", "4"),
    ] {
        let body = format!(
            r#"{{"resourceType":"Patient","id":"{id}","identifier":[{{"system":"{system}","value":"{value}"}}]}}"#
        );
        world.write(TENANT, kind("Patient"), id, Some(&body), Shadow::Sent);
    }
    let param = parameter(kind("Patient"), "identifier").unwrap().index;
    let mut query = Query::everything(kind("Patient"));
    query.sort = vec![Sort { key: SortKey::Term { param, mode: Mode::Code }, order: Order::Ascending }];
    for _ in 0..2 {
        let page = Page { size: 3, after: None };
        let hits = world.index().search(TENANT, &query, &Restriction::NONE, page).unwrap();
        assert_eq!(hits.seqs.iter().map(|seq| seq.0).collect::<Vec<_>>(), [3, 2, 1], "without a value, last");
        world.index().flush().unwrap();
    }
}
