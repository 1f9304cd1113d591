//! Damaged files: an error or the same answer, never another one.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use iris_kernel::{Secret, Seq, Tenant};
use iris_search::{Criterion, Order, Query, Sort, SortKey};
use iris_testkit::SeededEntropy;

use super::{Shadow, World, document, kind};
use crate::engine::{Engine, Place};
use crate::source::Source;
use crate::{IndexError, Page, Phase, Restriction};

const TENANT: Tenant = Tenant(1);
const PATIENTS: usize = 600;

/// A world with several segments, deletions and a committed index that is closed.
fn closed_world() -> World {
    let mut world = World::new();
    for round in 0..3 {
        for number in 0..PATIENTS / 3 {
            let id = format!("p{}", round * PATIENTS / 3 + number);
            let body = format!(
                r#"{{"resourceType":"Patient","id":"{id}","name":[{{"family":"canary-{number}"}}],"birthDate":"19{:02}-03-0{}"}}"#,
                number % 90 + 10,
                number % 9 + 1,
            );
            world.write(TENANT, kind("Patient"), &id, Some(&body), Shadow::Sent);
            if number % 10 == 0 && round > 0 {
                world.write(TENANT, kind("Patient"), &format!("p{number}"), None, Shadow::Sent);
            }
        }
        world.index().flush().unwrap();
    }
    world.index().close();
    world.index = None;
    world
}

fn queries(world: &World) -> Vec<Query> {
    let some = world.current.values().filter_map(document).next().unwrap();
    let mut queries = vec![Query::everything(kind("Patient"))];
    for order in [Order::Ascending, Order::Descending] {
        for slot in 0..2 {
            let mut query = Query::everything(kind("Patient"));
            query.sort = vec![Sort { key: SortKey::Date { slot }, order }];
            queries.push(query);
        }
    }
    for term in some.terms {
        let mut query = Query::everything(kind("Patient"));
        query.all = vec![vec![Criterion::Term(term)]];
        queries.push(query);
    }
    queries
}

fn files(world: &World) -> Vec<PathBuf> {
    let entries = fs::read_dir(world.index_folder()).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn a_flipped_byte_anywhere_is_an_error_or_changes_nothing() {
    let world = closed_world();
    let queries = queries(&world);
    let page = Page { size: 1_000, after: None };
    let expected: Vec<Vec<Seq>> =
        queries.iter().map(|query| world.expected(TENANT, query, &Restriction::NONE)).collect();
    let pristine: Vec<(PathBuf, Vec<u8>)> =
        files(&world).into_iter().map(|file| (file.clone(), fs::read(&file).unwrap())).collect();
    assert!(pristine.len() > 10);
    let restore = || {
        fs::remove_dir_all(world.index_folder()).unwrap();
        fs::create_dir_all(world.index_folder()).unwrap();
        pristine.iter().for_each(|(file, bytes)| fs::write(file, bytes).unwrap());
    };
    for (file, bytes) in &pristine {
        for place in [0, bytes.len() / 3, bytes.len() / 2, bytes.len() - 1] {
            restore();
            let mut damaged = bytes.clone();
            damaged[place] ^= 0x10;
            fs::write(file, damaged).unwrap();
            let index = world.try_open().unwrap();
            for (query, expected) in queries.iter().zip(&expected) {
                match index.search(TENANT, query, &Restriction::NONE, page.clone()) {
                    Ok(hits) => assert_eq!(&hits.seqs, expected, "{} at {place}", file.display()),
                    Err(IndexError::Damaged(_) | IndexError::Unavailable) => {}
                    Err(other) => panic!("{other}"),
                }
            }
            index.ready().unwrap();
            for (query, expected) in queries.iter().zip(&expected) {
                let hits = index.search(TENANT, query, &Restriction::NONE, page.clone()).unwrap();
                assert_eq!(&hits.seqs, expected, "{} at {place}, afterwards", file.display());
            }
        }
    }
}

#[test]
fn damage_found_by_a_search_is_reported_and_repaired_in_the_background() {
    let mut world = closed_world();
    world.open();
    let mut query = Query::everything(kind("Patient"));
    query.sort = vec![Sort { key: SortKey::Date { slot: 1 }, order: Order::Ascending }];
    for file in files(&world).iter().filter(|file| file.extension().is_some_and(|end| end == "fast")) {
        let mut bytes = fs::read(file).unwrap();
        bytes[60] ^= 1;
        fs::write(file, bytes).unwrap();
    }
    let page = Page { size: 10, after: None };
    let answers: Vec<_> =
        (0..2).map(|_| world.index().search(TENANT, &query, &Restriction::NONE, page.clone())).collect();
    // Small files may still stand in the cache of chunks; then there was nothing to notice yet.
    let is_noticed = matches!(answers[0], Err(IndexError::Damaged(_)));
    assert!(is_noticed || answers[0].is_ok(), "{answers:?}");
    world.index().ready().unwrap();
    assert_eq!(world.index().status().phase, Phase::Ready);
    world.check(TENANT, &query, &Restriction::NONE, 100);
    world.write(TENANT, kind("Patient"), "new", Some(r#"{"resourceType":"Patient","id":"new"}"#), Shadow::Sent);
    world.check(TENANT, &query, &Restriction::NONE, 100);
    world.check_verified();
}

/// A name, and what it does to the folder.
type Spoiling<'a> = (&'static str, Box<dyn Fn() + 'a>);

#[test]
fn a_missing_file_a_wrong_key_and_rubbish_lead_to_a_rebuild() {
    let world = closed_world();
    let query = Query::everything(kind("Patient"));
    let expected = world.expected(TENANT, &query, &Restriction::NONE).len() as u64;
    let spoil: [Spoiling<'_>; 4] = [
        ("no meta.json", Box::new(|| fs::remove_file(world.index_folder().join("meta.json")).unwrap())),
        (
            "a segment file is gone",
            Box::new(|| {
                let file = files(&world).into_iter().find(|file| file.extension().is_some_and(|end| end == "idx"));
                fs::remove_file(file.unwrap()).unwrap();
            }),
        ),
        ("rubbish", Box::new(|| fs::write(world.index_folder().join("meta.json"), b"{}").unwrap())),
        (
            "an empty folder",
            Box::new(|| {
                fs::remove_dir_all(world.index_folder()).unwrap();
                fs::create_dir(world.index_folder()).unwrap();
            }),
        ),
    ];
    for (what, spoil) in spoil {
        spoil();
        let index = world.try_open().unwrap();
        index.ready().unwrap();
        assert_eq!(index.count(TENANT, &query, &Restriction::NONE).unwrap(), expected, "{what}");
        assert!(index.verify().unwrap().is_good(), "{what}");
        index.close();
    }
    let other_key = super::open(&world.index_folder(), &world.store, 8).unwrap();
    other_key.ready().unwrap();
    assert_eq!(other_key.count(TENANT, &query, &Restriction::NONE).unwrap(), expected);
}

#[test]
fn no_file_shows_a_value() {
    let world = closed_world();
    for file in files(&world) {
        let bytes = fs::read(&file).unwrap();
        for canary in [&b"canary"[..], b"CANARY", b"Y2FuYXJ5", b"63616e617279", b"seq", b"term"] {
            // Four bytes of ciphertext look like a short word by chance now and then; six hardly ever do.
            let is_there = canary.len() > 5 && bytes.windows(canary.len()).any(|window| window == canary);
            assert!(!is_there, "{}", file.display());
        }
        assert!(!bytes.starts_with(b"{"), "{}", file.display());
    }
}

#[test]
fn an_index_that_was_ended_before_its_first_rows_is_gone_on_with() {
    let world = World::new();
    let place = Place {
        folder: world.folder.path().join("begun"),
        key: Secret::new([7; 32]),
        entropy: Arc::new(SeededEntropy::new(7)),
        store: Arc::clone(&world.store) as Arc<dyn Source>,
    };
    drop(Engine::create(&place).unwrap());
    let found = Engine::open_existing(&place).unwrap().expect("the index that was begun");
    assert_eq!(found.applied, Seq(0));
}
