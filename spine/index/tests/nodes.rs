//! The indexes of two nodes over one PostgreSQL database.
#![allow(clippy::unwrap_used, clippy::panic, reason = "these are tests")]
#![allow(clippy::disallowed_methods, reason = "how long it takes is the question")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use iris_fhir::Resource;
use iris_fhir::definitions::kind_of;
use iris_index::{Index, IndexConfig, Page, Restriction};
use iris_kernel::{Entropy, Secret, Seq, Tenant, Timestamp, Version};
use iris_search::{Query, extract};
use iris_store::{Database, Expect, KeyOwner, PostgresConfig, Put, Store, StoreConfig, keyfile, testing};
use iris_testkit::{ManualClock, SeededEntropy, postgres};

const TENANT: Tenant = Tenant::DEFAULT;
const AT: Timestamp = Timestamp(1_767_225_600_000_000);

struct Nodes {
    folder: tempfile::TempDir,
    database: postgres::Database,
}

struct Node {
    store: Store,
    index: Arc<Index>,
}

fn config(database: &postgres::Database) -> PostgresConfig {
    testing::postgres_config(database.url(), database.owner_url())
}

impl Nodes {
    /// `None` where PostgreSQL is not installed.
    fn new() -> Option<Self> {
        let fill = |empty: &postgres::Database| testing::make_schema(&config(empty));
        let database = postgres::Database::from_template(&testing::schema_name(), fill)?;
        Some(Self { folder: tempfile::tempdir().unwrap(), database })
    }

    fn open(&self, name: &str) -> Node {
        let seed = name.bytes().map(u64::from).sum();
        let entropy: Arc<dyn Entropy> = Arc::new(SeededEntropy::new(seed));
        let folder = self.folder.path().join(name);
        let key = keyfile::open_or_create(&self.folder.path().join("key"), None, Arc::clone(&entropy), true).unwrap();
        let store = StoreConfig::new(&folder).with_database(Database::Postgres(config(&self.database)));
        let store = Store::open(store, Arc::new(key), Arc::new(ManualClock::default()), Arc::clone(&entropy)).unwrap();
        let config = IndexConfig { folder: folder.join("index"), key: Secret::new(store.derive("index")) };
        let index = Index::open(config, store.clone(), entropy).unwrap();
        index.ready().unwrap();
        Node { store, index }
    }
}

impl Node {
    /// Writes a version; `old` is what it replaces.
    fn put(&self, id: &str, family: Option<&str>, old: Option<(Seq, Seq, Version)>) -> Seq {
        let text = family
            .map(|family| format!(r#"{{"resourceType":"Patient","id":"{id}","name":[{{"family":"{family}"}}]}}"#));
        let shadow = text.as_ref().map(|text| Box::new(extract(&Resource::parse(text.clone()).unwrap(), AT)) as _);
        let mut tx = self.store.begin(TENANT);
        tx.put(Put {
            kind: kind_of("Patient").unwrap(),
            id,
            expect: old.map_or(Expect::Absent, |(seq, ..)| Expect::Current(seq)),
            version: old.map_or(Version::FIRST, |(_, _, version)| version.next()),
            born: old.map(|(_, born, _)| born),
            at: AT,
            head: b"",
            body: text.as_deref().unwrap_or_default().as_bytes(),
            owner: KeyOwner::Tenant,
            deleted: text.is_none(),
            shadow,
        });
        tx.commit_blocking().unwrap().first
    }

    fn found(&self) -> Vec<Seq> {
        let query = Query::everything(kind_of("Patient").unwrap());
        self.index.search(TENANT, &query, &Restriction::NONE, Page { size: 1_000, after: None }).unwrap().seqs
    }

    fn found_strongly(&self) -> Vec<Seq> {
        self.store.catch_up().unwrap();
        self.found()
    }
}

#[test]
fn what_one_node_writes_the_other_finds_at_once_if_asked_and_within_a_second_anyway() {
    let Some(nodes) = Nodes::new() else { return };
    let (here, there) = (nodes.open("here"), nodes.open("there"));
    for number in 0..10 {
        let id = format!("p{number}");
        let first = here.put(&id, Some("First"), None);
        assert!(here.found().contains(&first), "on its own node at once");
        assert!(there.found_strongly().contains(&first));
        let second = there.put(&id, Some("Second"), Some((first, first, Version::FIRST)));
        assert!(!there.found().contains(&first));
        let now = here.found_strongly();
        assert!(now.contains(&second) && !now.contains(&first), "the old version is hidden elsewhere too");
        if number % 3 == 0 {
            here.put(&id, None, Some((second, first, Version(2))));
            assert!(!there.found_strongly().contains(&second));
        }
    }
    let newest = here.put("alone", Some("Nobody asks"), None);
    let since = Instant::now();
    while !there.found().contains(&newest) {
        assert!(since.elapsed() < Duration::from_secs(1), "within a second by itself");
        std::thread::yield_now();
    }
    for node in [&here, &there] {
        let report = node.index.verify().unwrap();
        assert!(report.is_good(), "{report:?}");
    }
}

#[test]
fn writers_on_both_nodes_each_find_their_own_at_once_and_all_in_the_end() {
    let Some(nodes) = Nodes::new() else { return };
    let both = [nodes.open("here"), nodes.open("there")];
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let node = &both[writer % 2];
            scope.spawn(move || {
                for number in 0..30 {
                    let id = format!("w{writer}-{number}");
                    let seq = node.put(&id, Some("First"), None);
                    assert!(node.found().contains(&seq));
                    let newer = node.put(&id, Some("Second"), Some((seq, seq, Version::FIRST)));
                    let now = node.found();
                    assert!(now.contains(&newer) && !now.contains(&seq));
                    if number % 10 == 0 {
                        node.index.flush().unwrap();
                    }
                }
            });
        }
    });
    let expected = both[0].found_strongly();
    assert_eq!(expected.len(), 4 * 30);
    assert_eq!(both[1].found_strongly(), expected);
    // A node that comes later, and one that comes back, know the same.
    let [here, Node { store, index }] = both;
    index.close();
    drop(index);
    store.close();
    let seq = here.put("meanwhile", Some("Third"), None);
    for node in [nodes.open("there"), nodes.open("new")] {
        assert!(node.found().contains(&seq));
        assert_eq!(node.found().len(), expected.len() + 1);
        assert!(node.index.verify().unwrap().is_good());
    }
}

#[test]
fn connections_that_are_cut_lose_no_change() {
    let Some(nodes) = Nodes::new() else { return };
    let (here, there) = (nodes.open("here"), nodes.open("there"));
    for round in 0..5 {
        here.put(&format!("p{round}"), Some("First"), None);
        nodes.database.disconnect();
        // A question that meets a connection that was cut may have to be asked again.
        let caught_up = (0..10).any(|_| there.store.catch_up().is_ok());
        assert!(caught_up);
        assert_eq!(there.found().len(), round + 1);
        assert!((0..10).any(|_| here.store.catch_up().is_ok()));
    }
    assert!(there.index.verify().unwrap().is_good());
}
