//! Paging while others write: nothing twice, nothing left out that was there all the time, whatever it is sorted by.
#![allow(clippy::unwrap_used, reason = "these are tests")]

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering as Memory};
use std::time::Duration;

use iris_fhir::Resource;
use iris_fhir::definitions::kind_of;
use iris_index::{Index, IndexConfig, Page, Position, Restriction};
use iris_kernel::{Entropy, Secret, Seq, Tenant, Timestamp, Version};
use iris_search::term::Mode;
use iris_search::{Order, Query, Sort, SortKey, extract, parameter};
use iris_store::{Expect, KeyOwner, Put, Store, StoreConfig, keyfile};
use iris_testkit::{ManualClock, SeededEntropy, wait};

const TENANT: Tenant = Tenant::DEFAULT;
const AT: Timestamp = Timestamp(1_767_225_600_000_000);
/// Who writes beside the reader.
const WRITERS: usize = 8;
/// Records that are there all the time; each writer changes its own share, but nothing that is sorted by.
const STEADY: usize = 160;
/// How long it goes on.
const SPAN: Duration = Duration::from_secs(3);
const SPAN_SOAK: Duration = Duration::from_secs(60);

/// A patient: names, birth date and identifier say where it stands in every order, `version` says nothing of that.
fn body(id: &str, number: usize, version: u32) -> String {
    format!(
        r#"{{"resourceType":"Patient","id":"{id}","active":{},"name":[{{"family":"Family{}","given":["{}"]}}],"birthDate":"19{:02}-01-01"}}"#,
        version.is_multiple_of(2),
        number % 11,
        ["Ann", "Bea", "Cy"][number % 3],
        number % 17,
    )
}

/// What a record was written as last.
#[derive(Clone, Copy)]
struct Written {
    seq: Seq,
    born: Seq,
    version: Version,
}

fn put(store: &Store, id: &str, text: Option<&str>, old: Option<Written>) -> Written {
    let shadow = text.map(|text| Box::new(extract(&Resource::parse(text.to_owned()).unwrap(), AT)) as _);
    let version = old.map_or(Version::FIRST, |old| old.version.next());
    let mut tx = store.begin(TENANT);
    tx.put(Put {
        kind: kind_of("Patient").unwrap(),
        id,
        expect: old.map_or(Expect::Absent, |old| Expect::Current(old.seq)),
        version,
        born: old.map(|old| old.born),
        at: AT,
        head: b"",
        body: text.unwrap_or_default().as_bytes(),
        owner: KeyOwner::Tenant,
        deleted: text.is_none(),
        shadow,
    });
    let seq = tx.commit_blocking().unwrap().first;
    Written { seq, born: old.map_or(seq, |old| old.born), version }
}

/// Ends the writers, also where the reader fails.
struct Ending<'a>(&'a AtomicBool);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.store(true, Memory::Relaxed);
    }
}

/// Changes its share of the steady records, and makes and deletes records of its own, until it is told to end.
fn write(store: &Store, writer: usize, mut steady: Vec<(usize, Written)>, ends: &AtomicBool, writes: &AtomicUsize) {
    let mut own: Vec<(String, Written)> = Vec::new();
    let mut round: u32 = 0;
    while !ends.load(Memory::Relaxed) {
        let place = round as usize % steady.len();
        let (number, old) = steady[place];
        let id = format!("steady-{number}");
        steady[place].1 = put(store, &id, Some(&body(&id, number, round)), Some(old));
        let id = format!("new-{writer}-{round}");
        own.push((id.clone(), put(store, &id, Some(&body(&id, round as usize, round)), None)));
        if own.len() > 20 {
            let (id, old) = own.swap_remove(round as usize % 20);
            put(store, &id, None, Some(old));
        }
        writes.fetch_add(2, Memory::Relaxed);
        round += 1;
    }
}

/// The orders that are paged through: one key and several, terms and dates, both directions.
fn orders() -> Vec<Vec<Sort>> {
    let patient = kind_of("Patient").unwrap();
    let term = |code: &str, mode, order| {
        let param = parameter(patient, code).unwrap().index;
        Sort { key: SortKey::Term { param, mode }, order }
    };
    let slot = iris_search::date_slot(patient, "birthdate").unwrap();
    let date = |order| Sort { key: SortKey::Date { slot }, order };
    vec![
        vec![Sort { key: SortKey::Recent, order: Order::Ascending }],
        vec![date(Order::Descending)],
        vec![term("family", Mode::Folded, Order::Ascending)],
        vec![term("_id", Mode::Code, Order::Descending)],
        vec![
            term("family", Mode::Folded, Order::Descending),
            date(Order::Ascending),
            term("given", Mode::Folded, Order::Descending),
        ],
    ]
}

/// Pages through everything once and tells the births of what was found, in the order in which it was.
fn page_through(index: &Index, store: &Store, sort: &[Sort], size: usize) -> Vec<Seq> {
    let mut query = Query::everything(kind_of("Patient").unwrap());
    query.sort = sort.to_vec();
    let mut births = Vec::new();
    let mut after: Option<Position> = None;
    loop {
        let hits = index.search(TENANT, &query, &Restriction::NONE, Page { size, after: after.take() }).unwrap();
        assert!(hits.positions.is_sorted(), "{sort:?}");
        births.extend(store.rows(TENANT, &hits.seqs).unwrap().into_iter().map(|row| row.unwrap().born));
        after = hits.next;
        if after.is_none() {
            return births;
        }
    }
}

#[test]
fn pages_beside_eight_writers_have_everything_once() {
    let folder = tempfile::tempdir().unwrap();
    let entropy: Arc<dyn Entropy> = Arc::new(SeededEntropy::new(3));
    let key = keyfile::open_or_create(&folder.path().join("key"), None, Arc::clone(&entropy), true).unwrap();
    let clock = Arc::new(ManualClock::default());
    let store = Store::open(StoreConfig::new(folder.path()), Arc::new(key), clock, Arc::clone(&entropy)).unwrap();
    let config = IndexConfig { folder: folder.path().join("index"), key: Secret::new(store.derive("index")) };
    let index = Index::open(config, store.clone(), entropy).unwrap();
    index.ready().unwrap();
    let steady: Vec<(usize, Written)> = (0..STEADY)
        .map(|number| {
            let id = format!("steady-{number}");
            (number, put(&store, &id, Some(&body(&id, number, 0)), None))
        })
        .collect();
    let births: HashMap<Seq, usize> = steady.iter().map(|(number, written)| (written.born, *number)).collect();
    let span = if std::env::var_os("IRIS_SOAK").is_some() { SPAN_SOAK } else { SPAN };
    let (ends, writes) = (AtomicBool::new(false), AtomicUsize::new(0));
    let mut walks = 0;
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let share = steady.iter().copied().filter(|(number, _)| number % WRITERS == writer).collect();
            let (store, ends, writes) = (&store, &ends, &writes);
            scope.spawn(move || write(store, writer, share, ends, writes));
        }
        let _ending = Ending(&ends);
        let mut spent = Duration::ZERO;
        while spent < span {
            let ((), taken) = wait::timed(|| {
                for (place, sort) in orders().iter().enumerate() {
                    let found = page_through(&index, &store, sort, 7 + place * 9);
                    let once: HashSet<Seq> = found.iter().copied().collect();
                    assert_eq!(once.len(), found.len(), "something twice under {sort:?}");
                    let missed = births.iter().filter(|(born, _)| !once.contains(born)).count();
                    assert_eq!(missed, 0, "something left out under {sort:?}");
                    walks += 1;
                }
            });
            spent += taken;
        }
    });
    println!("{walks} walks through all pages beside {} writes by {WRITERS} writers", writes.load(Memory::Relaxed));
    let report = index.verify().unwrap();
    assert!(report.is_good(), "{report:?}");
}
