//! The index over the real store: writers on several threads, searches beside them, restarts.
#![allow(clippy::unwrap_used, reason = "these are tests")]

use std::path::Path;
use std::sync::Arc;

use iris_fhir::Resource;
use iris_fhir::definitions::kind_of;
use iris_index::{Index, IndexConfig, Page, Restriction};
use iris_kernel::{Entropy, Secret, Seq, Tenant, Timestamp, Version};
use iris_search::{Query, extract};
use iris_store::{Expect, KeyOwner, Put, Store, StoreConfig, keyfile};
use iris_testkit::{ManualClock, SeededEntropy};

const TENANT: Tenant = Tenant::DEFAULT;
const AT: Timestamp = Timestamp(1_767_225_600_000_000);

fn open(folder: &Path) -> (Store, Arc<Index>) {
    let entropy: Arc<dyn Entropy> = Arc::new(SeededEntropy::new(folder.read_dir().unwrap().count() as u64));
    let is_fresh = !Store::exists(&StoreConfig::new(folder)).unwrap();
    let key = keyfile::open_or_create(&folder.join("key"), None, Arc::clone(&entropy), is_fresh).unwrap();
    let clock = Arc::new(ManualClock::default());
    let store = Store::open(StoreConfig::new(folder), Arc::new(key), clock, Arc::clone(&entropy)).unwrap();
    let config = IndexConfig { folder: folder.join("index"), key: Secret::new(store.derive("index")) };
    let index = Index::open(config, store.clone(), entropy).unwrap();
    index.ready().unwrap();
    (store, index)
}

fn body(id: &str, family: &str) -> String {
    format!(r#"{{"resourceType":"Patient","id":"{id}","name":[{{"family":"{family}"}}]}}"#)
}

/// Writes a version; `old` is what it replaces.
fn put(store: &Store, id: &str, text: Option<&str>, old: Option<(Seq, Seq, Version)>) -> Seq {
    let shadow = text.map(|text| Box::new(extract(&Resource::parse(text.to_owned()).unwrap(), AT)) as _);
    let mut tx = store.begin(TENANT);
    tx.put(Put {
        kind: kind_of("Patient").unwrap(),
        id,
        expect: old.map_or(Expect::Absent, |(seq, ..)| Expect::Current(seq)),
        version: old.map_or(Version::FIRST, |(_, _, version)| version.next()),
        born: old.map(|(_, born, _)| born),
        at: AT,
        head: b"",
        body: text.unwrap_or_default().as_bytes(),
        owner: KeyOwner::Tenant,
        deleted: text.is_none(),
        shadow,
    });
    tx.commit_blocking().unwrap().first
}

fn found(index: &Index) -> Vec<Seq> {
    let query = Query::everything(kind_of("Patient").unwrap());
    index.search(TENANT, &query, &Restriction::NONE, Page { size: 1_000, after: None }).unwrap().seqs
}

#[test]
fn every_writer_finds_its_own_write_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let (store, index) = open(folder.path());
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let (store, index) = (&store, &index);
            scope.spawn(move || {
                for number in 0..40 {
                    let id = format!("p{writer}-{number}");
                    let seq = put(store, &id, Some(&body(&id, "First")), None);
                    assert!(found(index).contains(&seq));
                    let newer = put(store, &id, Some(&body(&id, "Second")), Some((seq, seq, Version::FIRST)));
                    let now = found(index);
                    assert!(now.contains(&newer) && !now.contains(&seq));
                    if number % 4 == 0 {
                        put(store, &id, None, Some((newer, seq, Version(2))));
                        assert!(!found(index).contains(&newer));
                    }
                    if number % 16 == 0 {
                        index.flush().unwrap();
                    }
                }
            });
        }
    });
    assert_eq!(found(&index).len(), 4 * 30);
    let report = index.verify().unwrap();
    assert!(report.is_good(), "{report:?}");
    let before = found(&index);
    index.close();
    drop(index);
    store.close();
    let (_store, index) = open(folder.path());
    assert_eq!(found(&index), before);
    assert!(index.verify().unwrap().is_good());
}
