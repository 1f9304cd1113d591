//! A data folder with a store and its audit log, to be opened and closed at will; over SQLite, and over PostgreSQL for the tests that
//! `tests/postgres` is made of.

use std::sync::Arc;

use iris_audit::{Action, Actor, Audit, Event, Filter, Outcome, Page};
use iris_kernel::{Entropy, Kind, Tenant, Version};
use iris_store::{Committed, Database, Expect, KeyOwner, PostgresConfig, Put, Store, StoreConfig, keyfile, testing};
use iris_testkit::{ManualClock, SeededEntropy, postgres};
use tempfile::TempDir;

pub(crate) const NURSE: [u8; 16] = [0x11; 16];

pub(crate) struct Folder {
    pub(crate) path: TempDir,
    pub(crate) clock: Arc<ManualClock>,
    entropy: Arc<SeededEntropy>,
    /// `None`: SQLite in the folder.
    database: Option<postgres::Database>,
}

pub(crate) struct House {
    pub(crate) audit: Audit,
    pub(crate) store: Store,
}

impl Folder {
    pub(crate) fn new() -> Self {
        let path = tempfile::tempdir().unwrap();
        let database = if module_path!().starts_with("postgres::") { database() } else { None };
        Self { path, clock: Arc::default(), entropy: Arc::new(SeededEntropy::new(7)), database }
    }

    /// The store alone, as a start before the audit log finds it.
    pub(crate) fn store(&self) -> Store {
        self.try_store().unwrap()
    }

    pub(crate) fn try_store(&self) -> Result<Store, iris_store::OpenError> {
        let entropy: Arc<dyn Entropy> = self.entropy.clone();
        let data = self.path.path().join("data");
        std::fs::create_dir_all(&data).unwrap();
        let mut config = StoreConfig::new(data);
        if let Some(database) = &self.database {
            config = config.with_database(Database::Postgres(postgres_config(database)));
        }
        let fresh = !Store::exists(&config)?;
        let keys = keyfile::open_or_create(&self.path.path().join("key"), None, entropy.clone(), fresh).unwrap();
        Store::open(config, Arc::new(keys), self.clock.clone(), entropy)
    }

    pub(crate) fn open(&self) -> House {
        let store = self.store();
        let audit = Audit::open(store.clone(), self.clock.clone(), self.entropy.clone()).unwrap();
        House { audit, store }
    }

    pub(crate) fn event(&self, action: Action, patient: &str) -> Event {
        use iris_kernel::Clock as _;
        let actor = Actor::new(NURSE, "nurse.joy");
        let mut event = Event::new(Tenant::DEFAULT, actor, action, Outcome::Success, self.clock.now());
        event.address = "192.0.2.7".to_owned();
        event.patients.push(patient.to_owned());
        event.resources.push(format!("Patient/{patient}"));
        event
    }

    /// Ten entries, five reads and five writes in turn, each with a patient of its own.
    pub(crate) fn ten(&self, house: &House) {
        for number in 0..10 {
            let patient = format!("p{number}");
            if number % 2 == 0 {
                house.audit.record_blocking(&self.event(Action::PhiRead, &patient)).unwrap();
            } else {
                house.write(&self.event(Action::PhiCreate, &patient));
            }
            self.clock.advance(std::time::Duration::from_secs(1));
            if number % 3 == 0 {
                house.audit.settle();
            }
        }
        assert_eq!(house.audit.settle().size, 10);
    }
}

/// An empty database with its tables.
fn database() -> Option<postgres::Database> {
    postgres::Database::from_template(&testing::schema_name(), |empty| testing::make_schema(&postgres_config(empty)))
}

fn postgres_config(database: &postgres::Database) -> PostgresConfig {
    testing::postgres_config(database.url(), database.owner_url())
}

impl House {
    /// A write whose transaction carries its entry.
    pub(crate) fn write(&self, event: &Event) -> Committed {
        let mut tx = self.store.begin(event.tenant);
        let id = format!("{}-{}", event.patients.join("-"), event.at.0);
        tx.put(Put {
            kind: Kind(1),
            id: &id,
            expect: Expect::Absent,
            version: Version::FIRST,
            born: None,
            at: event.at,
            head: &[],
            body: b"{}",
            owner: KeyOwner::Tenant,
            deleted: false,
            shadow: None,
        });
        tx.audit(self.audit.row(event).unwrap());
        tx.commit_blocking().unwrap()
    }

    /// The patients of the entries that match, newest first, with their positions.
    pub(crate) fn found(&self, folder: &Folder, filter: &Filter, page: Page) -> (Vec<(u64, String)>, Option<u64>) {
        let event = folder.event(Action::AuditQuery, "none");
        let sealed = self.audit.query(filter, page, event).unwrap();
        let page = block_on(self.audit.release(sealed)).unwrap();
        let entries = page.entries.iter().map(|entry| match &entry.content {
            iris_audit::Content::Open(details) => (entry.position, details.patients.join(",")),
            other => (entry.position, format!("{other:?}")),
        });
        (entries.collect(), page.next)
    }
}

pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}
