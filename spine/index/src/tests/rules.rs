//! What the index promises, one by one.

use iris_fhir::definitions::definitions;
use iris_kernel::limits::FHIR_PAGE_MAX;
use iris_kernel::{Kind, Seq, Tenant};
use iris_search::{Order, Query, Sort, SortKey, compartment_term, date_slot, parse_query};

use super::{Shadow, World, context, kind};
use crate::schema::DATE_SLOTS;
use crate::worker::COMMIT_CHANGES;
use crate::{IndexError, Page, Phase, Position, Restriction};

const TENANT: Tenant = Tenant(1);

fn observation(id: &str, patient: &str) -> String {
    format!(
        r#"{{"resourceType":"Observation","id":"{id}","status":"final","code":{{"text":"x"}},"subject":{{"reference":"Patient/{patient}"}}}}"#
    )
}

#[test]
fn a_write_is_found_before_it_is_committed_and_after() {
    let mut world = World::new();
    let query = Query::everything(kind("Observation"));
    for number in 0..300 {
        world.write(
            TENANT,
            kind("Observation"),
            &format!("o{number}"),
            Some(&observation(&format!("o{number}"), "p")),
            Shadow::Sent,
        );
        if number % 100 == 0 {
            world.check(TENANT, &query, &Restriction::NONE, 1_000);
        }
    }
    world.check(TENANT, &query, &Restriction::NONE, 1_000);
    world.index().flush().unwrap();
    let status = world.index().status();
    assert_eq!((status.committed, status.applied, status.tail), (Seq(300), Seq(300), 0));
    world.check(TENANT, &query, &Restriction::NONE, 1_000);
}

#[test]
fn unions_and_intersections_of_every_size_agree_with_looking_at_everything() {
    let mut world = World::new();
    for number in 0..2_000_u32 {
        let id = format!("o{number}");
        // One common code, ten less common ones, hundreds of rare ones; a text that starts with one of 26 letters.
        let (common, rare) = (number % 10, number % 499);
        let letter = char::from(b'a' + u8::try_from(number * 7 % 26).unwrap());
        let body = format!(
            r#"{{"resourceType":"Patient","id":"{id}","active":true,"gender":"{}","name":[{{"family":"{letter}{rare}"}}],"identifier":[{{"value":"common{common}"}},{{"value":"rare{rare}"}}]}}"#,
            if number % 2 == 0 { "male" } else { "female" },
        );
        world.write(TENANT, kind("Patient"), &id, Some(&body), Shadow::Sent);
        if number == 1_500 {
            world.index().flush().unwrap();
        }
    }
    world.index().flush().unwrap();
    for number in (0..2_000).step_by(97) {
        world.write(TENANT, kind("Patient"), &format!("o{number}"), None, Shadow::Sent);
    }
    let many = |word: &str, count: usize| (0..count).map(|n| format!("{word}{}", n * 3)).collect::<Vec<_>>().join(",");
    let asked = [
        vec![("identifier", many("rare", 2))],
        vec![("identifier", many("rare", 12))],
        vec![("identifier", many("rare", 100))],
        vec![("identifier", many("common", 4))],
        vec![("gender", "male".to_owned()), ("identifier", many("rare", 3))],
        vec![("gender", "male,female".to_owned()), ("identifier", "rare7".to_owned())],
        vec![("identifier", many("common", 3)), ("identifier", "rare9".to_owned())],
        vec![("identifier", many("common", 3)), ("gender", "female".to_owned()), ("active", "true".to_owned())],
        vec![("family", "a".to_owned())],
        vec![("family", "a1,b1,c1".to_owned()), ("gender", "male".to_owned())],
        vec![("family", "zz".to_owned())],
        vec![("active", "false".to_owned())],
    ];
    for pairs in asked {
        let pairs: Vec<(String, String)> = pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let query = parse_query(kind("Patient"), &pairs, &context()).unwrap();
        world.check(TENANT, &query, &Restriction::NONE, 1_000);
    }
}

#[test]
fn a_restriction_holds_for_matches_pages_and_totals() {
    let mut world = World::new();
    for number in 0..40 {
        let (id, patient) = (format!("o{number}"), format!("p{}", number % 3));
        world.write(TENANT, kind("Observation"), &id, Some(&observation(&id, &patient)), Shadow::Sent);
        if number == 20 {
            world.index().flush().unwrap();
        }
    }
    let query = Query::everything(kind("Observation"));
    for patient in ["p0", "p1", "p2", "nobody"] {
        let restriction = Restriction::required(compartment_term(patient));
        world.check(TENANT, &query, &restriction, 5);
    }
    let none = world.index().count(Tenant(2), &query, &Restriction::NONE).unwrap();
    assert_eq!(none, 0, "another tenant");
}

#[test]
fn pages_do_not_move_under_writes() {
    let mut world = World::new();
    let write = |world: &mut World, number: u64| {
        let id = format!("o{number}");
        world.write(TENANT, kind("Observation"), &id, Some(&observation(&id, "p")), Shadow::Sent)
    };
    let before: Vec<Seq> = (0..30).map(|number| write(&mut world, number)).collect();
    let mut query = Query::everything(kind("Observation"));
    query.sort = vec![Sort { key: SortKey::Recent, order: Order::Descending }];
    let mut found = Vec::new();
    let mut after: Option<Position> = None;
    for round in 0..10 {
        let page = Page { size: 4, after: after.take() };
        let hits = world.index().search(TENANT, &query, &Restriction::NONE, page).unwrap();
        found.extend(hits.seqs);
        after = hits.next;
        if after.is_none() {
            break;
        }
        write(&mut world, 100 + round);
        if round == 3 {
            world.index().flush().unwrap();
        }
    }
    let expected: Vec<Seq> = before.into_iter().rev().collect();
    assert_eq!(found, expected);
}

#[test]
fn page_sizes_have_a_limit() {
    let world = World::new();
    let query = Query::everything(kind("Observation"));
    let ask = |size| world.index().search(TENANT, &query, &Restriction::NONE, Page { size, after: None });
    assert!(ask(FHIR_PAGE_MAX).is_ok());
    assert!(matches!(ask(FHIR_PAGE_MAX + 1), Err(IndexError::Page(_))));
    let counted = ask(0).unwrap();
    assert_eq!((counted.total, counted.next, counted.seqs.len()), (Some(0), None, 0));
}

#[test]
fn internal_records_are_followed_but_not_found() {
    let mut world = World::new();
    let internal = Kind(Kind::INTERNAL + 1);
    world.write(TENANT, internal, "user", Some("no resource"), Shadow::Absent);
    world.index().flush().unwrap();
    assert_eq!(world.index().applied(), Seq(1));
    assert_eq!(world.index().status().documents, 0);
    world.crash();
    world.check_verified();
}

#[test]
fn a_bulk_import_cannot_outrun_the_index() {
    let mut world = World::new();
    let count = COMMIT_CHANGES * 6;
    for number in 0..count {
        let id = format!("o{number}");
        world.write(TENANT, kind("Observation"), &id, Some(&observation(&id, "p")), Shadow::Sent);
    }
    assert!(world.index().status().tail <= crate::worker::TAIL_MAX);
    let query = Query::everything(kind("Observation"));
    assert_eq!(world.index().count(TENANT, &query, &Restriction::NONE).unwrap(), count as u64);
    world.check_verified();
}

#[test]
fn an_index_of_another_store_is_rebuilt() {
    let mut world = World::new();
    for number in 0..10 {
        let id = format!("o{number}");
        world.write(TENANT, kind("Observation"), &id, Some(&observation(&id, "p")), Shadow::Sent);
    }
    world.index().close();
    world.index = None;
    // A backup of the store was put back: it is behind the index.
    world.store.rows.lock().truncate(4);
    world.current.retain(|_, row| row.seq <= Seq(4));
    world.open();
    world.check_verified();
    world.index().close();
    world.index = None;
    // Another history with as many changes.
    world.store.rows.lock()[3].at.0 += 1_000_000;
    world.open();
    world.check_verified();
}

#[test]
fn a_closed_index_answers_nothing() {
    let world = World::new();
    world.index().close();
    let query = Query::everything(kind("Patient"));
    assert!(matches!(world.index().count(TENANT, &query, &Restriction::NONE), Err(IndexError::Unavailable)));
    assert!(world.index().flush().is_err());
    assert_eq!(world.index().status().phase, Phase::Closed);
}

#[test]
fn every_kind_has_room_for_its_dates() {
    for kind in definitions().kinds() {
        let slots = definitions().params_of(kind).iter().filter_map(|param| date_slot(kind, param.code)).max();
        assert!(slots.is_none_or(|slot| usize::from(slot) < DATE_SLOTS), "{kind:?}: {slots:?}");
    }
}

#[test]
fn the_first_deletion_after_an_opening_survives_the_merge_that_it_meets() {
    let mut world = World::new();
    let kind = kind("Observation");
    let query = Query::everything(kind);
    // The merge runs beside the commit, so that one round alone does not always meet it.
    for round in 0..12 {
        let id = |number: u32| format!("r{round}-{number}");
        // An update in each segment: enough of it is superseded to be merged at the next commit.
        for number in (0..4).chain([0, 1]) {
            world.write(TENANT, kind, &id(number), Some(&observation(&id(number), "p")), Shadow::Sent);
            if number == 3 {
                world.index().flush().unwrap();
            }
        }
        world.restart();
        world.write(TENANT, kind, &id(2), None, Shadow::Sent);
        world.write(TENANT, kind, &id(9), Some(&observation(&id(9), "p")), Shadow::Sent);
        world.index().flush().unwrap();
        world.restart();
        world.check(TENANT, &query, &Restriction::NONE, 1_000);
    }
    world.check_verified();
}
