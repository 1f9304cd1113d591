//! What the tests of access share: a store of its own, with everything real in it. The same tests run over SQLite and, from
//! `tests/postgres.rs`, over PostgreSQL.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "these are tests"
)]

pub mod clinic;

use std::sync::Arc;
use std::time::Duration;

use iris_access::{
    AccessError, Caller, Create, Facts, Named, Origin, Permit, Role, RoleSet, Search, TenantPolicy, Update, decide,
};
use iris_audit::{Action, Actor, Audit, Content, Event, Outcome};
use iris_identity::{Identity, Keeping, Login, NewUser, Tokens, UserView};
use iris_kernel::{Clock, Secret, Tenant, Version};
use iris_store::{Database, Expect, KeyOwner, PostgresConfig, Put, Store, StoreConfig, keyfile, testing};
use iris_testkit::{ManualClock, SeededEntropy, postgres};
use tempfile::TempDir;

pub const PASSWORD: &str = "correct horse battery staple";

pub struct World {
    pub identity: Arc<Identity>,
    pub audit: Arc<Audit>,
    pub store: Store,
    pub clock: Arc<ManualClock>,
    place: Place,
}

/// Where a world's data are.
struct Place {
    folder: TempDir,
    /// `None`: SQLite in the folder.
    database: Option<postgres::Database>,
}

impl Place {
    /// PostgreSQL for the tests that `tests/postgres.rs` is made of, where it is installed.
    fn new() -> Self {
        let database = if module_path!().starts_with("postgres::") { database() } else { None };
        Self { folder: tempfile::tempdir().unwrap(), database }
    }

    /// A node with a folder of its own; all nodes have one key.
    fn store(&self, node: &str, clock: &Arc<ManualClock>, entropy: &Arc<SeededEntropy>) -> Store {
        let path = self.folder.path().join(node);
        std::fs::create_dir_all(&path).unwrap();
        let mut config = StoreConfig { readers: 4, segment_bytes: 2 << 20, ..StoreConfig::new(&path) };
        if let Some(database) = &self.database {
            config = config.with_database(Database::Postgres(postgres_config(database)));
        }
        let key = keyfile::open_or_create(&self.folder.path().join("key"), None, entropy.clone(), true).unwrap();
        Store::open(config, Arc::new(key), clock.clone(), entropy.clone()).unwrap()
    }
}

/// An empty database with its tables.
fn database() -> Option<postgres::Database> {
    postgres::Database::from_template(&testing::schema_name(), |empty| testing::make_schema(&postgres_config(empty)))
}

fn postgres_config(database: &postgres::Database) -> PostgresConfig {
    testing::postgres_config(database.url(), database.owner_url())
}

/// A second node.
pub struct Another {
    pub identity: Arc<Identity>,
    pub store: Store,
    _audit: Arc<Audit>,
}

impl Another {
    /// Waits until it knows of everything that was written until now.
    pub fn caught_up(&self) {
        self.store.catch_up().unwrap();
    }
}

impl World {
    pub fn new() -> Self {
        Self::open(Place::new(), 1, Arc::new(ManualClock::default()))
    }

    fn open(place: Place, seed: u64, clock: Arc<ManualClock>) -> Self {
        let entropy = Arc::new(SeededEntropy::new(seed));
        let store = place.store("data", &clock, &entropy);
        let audit = Arc::new(Audit::open(store.clone(), clock.clone(), entropy.clone()).unwrap());
        let identity = Identity::open(store.clone(), Arc::clone(&audit), clock.clone(), entropy).unwrap();
        Self { identity: Arc::new(identity), audit, store, clock, place }
    }

    /// Another node over the same database; over SQLite as much of one as one process can have: an access of its own that is told
    /// of the same changes.
    pub fn another(&self) -> Another {
        let entropy = Arc::new(SeededEntropy::new(99));
        let (store, audit) = if self.store.is_shared() {
            let store = self.place.store("another", &self.clock, &entropy);
            let audit = Audit::open(store.clone(), self.clock.clone(), entropy.clone()).unwrap();
            (store, Arc::new(audit))
        } else {
            (self.store.clone(), Arc::clone(&self.audit))
        };
        let identity = Identity::open(store.clone(), Arc::clone(&audit), self.clock.clone(), entropy).unwrap();
        Another { identity: Arc::new(identity), store, _audit: audit }
    }

    /// Stops and starts again on the same data.
    pub fn restarted(self) -> Self {
        let World { identity, audit, store, clock, place } = self;
        drop((identity, audit));
        store.close();
        Self::open(place, 2, clock)
    }

    pub fn folder(&self) -> &std::path::Path {
        self.place.folder.path()
    }

    pub fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    pub fn system(tenant: Tenant) -> Arc<Caller> {
        Arc::new(Caller::system(tenant, "test", "c-1"))
    }

    pub fn create(tenant: Tenant) -> Permit<Create> {
        decide(&Self::system(tenant), Create, &Facts::named(Named::Accounts)).unwrap()
    }

    pub fn update(tenant: Tenant) -> Permit<Update> {
        decide(&Self::system(tenant), Update, &Facts::named(Named::Accounts)).unwrap()
    }

    pub fn search(tenant: Tenant) -> Permit<Search> {
        decide(&Self::system(tenant), Search, &Facts::named(Named::Accounts)).unwrap()
    }

    /// Asks the holders of these roles of the first tenant for a second factor.
    pub async fn mfa_roles(&self, roles: &[&str]) {
        let mfa_roles = roles.iter().map(|role| (*role).to_owned()).collect();
        let policy = TenantPolicy { mfa_roles, ..TenantPolicy::default() };
        self.identity.policies().policy_change(&Self::update(Tenant::DEFAULT), None, policy).await.unwrap().unwrap();
    }

    pub async fn user(&self, tenant: Tenant, name: &str, roles: &[Role]) -> UserView {
        let user = new_user(name, roles);
        self.identity.user_create(&Self::create(tenant), user).await.unwrap()
    }

    /// Stores a Patient, past the write path.
    pub async fn patient(&self, tenant: Tenant, id: &str) {
        let mut tx = self.store.begin(tenant);
        tx.put(Put {
            kind: iris_fhir::definitions::kind_of("Patient").unwrap(),
            id,
            expect: Expect::Absent,
            version: Version::FIRST,
            born: None,
            at: self.clock.now(),
            head: &[],
            body: br#"{"resourceType":"Patient"}"#,
            owner: KeyOwner::Tenant,
            deleted: false,
            shadow: None,
        });
        tx.commit().await.unwrap();
    }

    pub async fn login(&self, name: &str) -> Tokens {
        signed_in(&self.identity, name, &origin("10.0.0.1")).await
    }

    /// With other rules.
    pub fn with(self, change: impl FnOnce(Identity) -> Identity) -> Self {
        let identity = Arc::into_inner(self.identity).expect("nobody else has it yet");
        Self { identity: Arc::new(change(identity)), ..self }
    }

    /// The audit entries of a tenant, oldest first, as `action outcome details`, with everything in the details.
    pub async fn entries(&self, tenant: Tenant) -> Vec<(Action, Outcome, String)> {
        let event = Event::new(tenant, Actor::system(), Action::AuditQuery, Outcome::Success, self.clock.now());
        let page = iris_audit::Page { before: None, size: 10_000 };
        let sealed = self.audit.query(&iris_audit::Filter::tenant(tenant), page, event).unwrap();
        let mut entries = self.audit.release(sealed).await.unwrap().entries;
        entries.reverse();
        let text = |content| match content {
            Content::Open(details) => serde_json::to_string(&*details).unwrap(),
            other => panic!("{other:?}"),
        };
        entries.into_iter().map(|entry| (entry.header.action, entry.header.outcome, text(entry.content))).collect()
    }

    pub async fn actions(&self, tenant: Tenant) -> Vec<Action> {
        self.entries(tenant).await.into_iter().map(|(action, _, _)| action).collect()
    }
}

pub fn new_user(name: &str, roles: &[Role]) -> NewUser {
    NewUser { name: name.to_owned(), password: secret(PASSWORD), roles: RoleSet::of(roles), patient: None }
}

pub fn secret(text: &str) -> Secret<String> {
    Secret::new(text.to_owned())
}

pub fn origin(address: &str) -> Origin {
    Origin { address: Some(address.into()), agent: Some("test".into()), correlation: "c-1".into(), ..Origin::default() }
}

pub fn refresh_of(tokens: &Tokens) -> String {
    tokens.refresh.as_ref().unwrap().expose().clone()
}

/// Signs a user of the first tenant in, with the password of all tests.
pub async fn signed_in(identity: &Identity, name: &str, from: &Origin) -> Tokens {
    tokens(identity.login(Tenant::DEFAULT, name, &secret(PASSWORD), Keeping::Program, from).await.unwrap())
}

/// What a sign-in gives that needs no second step.
pub fn tokens(login: Login) -> Tokens {
    match login {
        Login::Done(tokens) => *tokens,
        Login::Challenge(challenge) => panic!("{challenge:?}"),
    }
}

/// No second factor, or not a good one: nobody was signed in.
#[track_caller]
pub fn factor_refused(result: Result<Tokens, AccessError>) {
    match result {
        Err(AccessError::Factor) => {}
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("signed in"),
    }
}
