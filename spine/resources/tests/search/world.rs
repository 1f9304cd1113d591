//! Records over a real store, index, audit log and access, in one process, with callers of every sort.

use std::sync::Arc;

use iris_access::{
    Caller, Create, Delete, Facts, Named, Permit, Policies, Proven, Read, Role, RoleSet, Search, SubjectKind, Update,
    decide,
};
use iris_audit::{
    Action, Actor, Audit, Content, Details, Entry, Event, Filter, Header, Outcome, Page as LogPage, Sealed,
};
use iris_fhir::Resource;
use iris_fhir::definitions::kind_of;
use iris_index::{Index, IndexConfig};
use iris_kernel::{Clock, Kind, Secret, Tenant};
use iris_resources::{
    ClientIds, CursorKey, Everything, MultipleDeletes, Page, Parts, Policy, Precondition, Records, ReferencePolicy,
    Refusal, Rules, Which,
};
use iris_search::{Query, QueryContext, parse_query};
use iris_store::{Database, Store, StoreConfig, keyfile, testing};
use iris_testkit::{ManualClock, SeededEntropy, postgres};
use iris_validation::Valid;
use serde_json::{Value, json};
use uuid::Uuid;

pub(crate) const ONE: Tenant = Tenant::DEFAULT;
pub(crate) const TWO: Tenant = Tenant(2);
pub(crate) const SSN: &str = "http://hl7.org/fhir/sid/us-ssn";

pub(crate) struct World {
    pub(crate) records: Records,
    pub(crate) index: Arc<Index>,
    pub(crate) audit: Arc<Audit>,
    pub(crate) clock: Arc<ManualClock>,
    policies: Policies,
    _folder: tempfile::TempDir,
    _database: Option<postgres::Database>,
}

/// A world over SQLite, and one over PostgreSQL where that is installed.
pub(crate) fn worlds() -> Vec<World> {
    let config = |database: &postgres::Database| testing::postgres_config(database.url(), database.owner_url());
    let database =
        postgres::Database::from_template(&testing::schema_name(), |empty| testing::make_schema(&config(empty)));
    let mut worlds = vec![World::over(None)];
    worlds.extend(database.map(|database| World::over(Some(database))));
    println!("stores: {}", worlds.len());
    worlds
}

pub(crate) fn kind(name: &str) -> Kind {
    kind_of(name).unwrap()
}

pub(crate) fn pairs(text: &str) -> Vec<(String, String)> {
    form_urlencoded::parse(text.as_bytes()).into_owned().collect()
}

/// `Type/id` of each.
pub(crate) fn names(found: &[iris_resources::Stored]) -> Vec<String> {
    found.iter().map(iris_resources::Stored::reference).collect()
}

impl World {
    fn over(database: Option<postgres::Database>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (clock, entropy) = (Arc::new(ManualClock::default()), Arc::new(SeededEntropy::new(7)));
        let key = keyfile::open_or_create(&folder.path().join("key"), None, entropy.clone(), true).unwrap();
        let mut config =
            StoreConfig { readers: 2, segment_bytes: 2 << 20, ..StoreConfig::new(folder.path().join("store")) };
        if let Some(database) = &database {
            let server = testing::postgres_config(database.url(), database.owner_url());
            config = config.with_database(Database::Postgres(server));
        }
        let store = Store::open(config, Arc::new(key), clock.clone(), entropy.clone()).unwrap();
        let audit = Arc::new(Audit::open(store.clone(), clock.clone(), entropy.clone()).unwrap());
        let config = IndexConfig { folder: folder.path().join("index"), key: Secret::new(store.derive("index")) };
        let index = Index::open(config, store.clone(), entropy.clone()).unwrap();
        index.ready().unwrap();
        let policies = Policies::new(store.clone(), audit.clone(), clock.clone(), entropy.clone());
        let cursors = CursorKey::new(&store.derive("cursor"));
        let records = Records::new(Parts {
            store,
            index: index.clone(),
            audit: audit.clone(),
            clock: clock.clone(),
            entropy,
            policy: Policy {
                references: ReferencePolicy::Recorded,
                client_ids: ClientIds::Allowed,
                multiple_deletes: MultipleDeletes::Refused,
            },
            rules: Rules::default(),
            cursors,
            base_url: "http://iris.test/fhir".into(),
        });
        Self { records, index, audit, clock, policies, _folder: folder, _database: database }
    }

    pub(crate) fn system(tenant: Tenant) -> Arc<Caller> {
        Arc::new(Caller::system(tenant, "test", "c-1"))
    }

    /// Somebody with a role, and what consents and emergencies say of them now.
    pub(crate) fn user(&self, role: Role) -> Arc<Caller> {
        let mut caller = Caller::pretend(ONE, "joy", RoleSet::of(&[role]), None);
        let who = Proven {
            subject: caller.subject.clone(),
            tenant: ONE,
            roles: caller.roles,
            rules: caller.rules.clone(),
            scopes: None,
            patient: None,
            practitioner: None,
            departments: Arc::default(),
            authenticated_at: None,
            factor: None,
            limited: None,
            session: None,
            token: Uuid::nil(),
        };
        assert_eq!(who.subject.kind, SubjectKind::User);
        caller.view = self.policies.view(&who, self.clock.now()).unwrap();
        Arc::new(caller)
    }

    /// The entries of the access log of one sort, the newest first.
    pub(crate) fn logged(&self, action: Action) -> Vec<(Details, Header)> {
        self.audit.settle();
        let filter = Filter { actions: vec![action], ..Filter::tenant(ONE) };
        let asking = Event::new(ONE, Actor::system(), Action::PhiRead, Outcome::Success, self.clock.now());
        let page = LogPage { before: None, size: 100 };
        let found = self.released(self.audit.query(&filter, page, asking).unwrap());
        let open = |entry: Entry| match entry.content {
            Content::Open(details) => Some((*details, entry.header)),
            _ => None,
        };
        found.entries.into_iter().filter_map(open).collect()
    }

    fn released<T>(&self, sealed: Sealed<T>) -> T {
        tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(self.audit.release(sealed))).unwrap()
    }

    /// An emergency of this caller over a patient.
    pub(crate) async fn break_glass(&self, caller: &Arc<Caller>, patient: &str) {
        let permit = decide(caller, Create, &Facts::named(Named::BreakGlass)).unwrap();
        self.policies.glass_break(&permit, (patient, "no time to ask"), None).await.unwrap();
    }

    /// Stores a resource as the system itself.
    pub(crate) async fn put(&self, tenant: Tenant, body: Value) {
        let resource = Resource::parse(body.to_string()).unwrap();
        let valid = Valid::check(resource).unwrap_or_else(|(_, faults)| panic!("{body}: {faults:?}"));
        let permit = decide(&Self::system(tenant), Update, &Facts::kind(valid.kind())).unwrap();
        let id = body["id"].as_str().unwrap();
        let content = iris_resources::Content::Sent(&valid);
        self.records.update(&permit, Which::Id(id), content, Precondition::None, None).await.unwrap();
    }

    /// Deletes a resource as the system itself.
    pub(crate) async fn remove(&self, name: &str, id: &str) {
        let permit = decide(&Self::system(ONE), Delete, &Facts::kind(kind(name))).unwrap();
        self.records.delete(&permit, id, None).await.unwrap();
    }

    pub(crate) async fn put_all(&self, bodies: &[Value]) {
        for body in bodies {
            self.put(ONE, body.clone()).await;
        }
    }

    pub(crate) fn query(&self, caller: &Arc<Caller>, path: &str) -> Result<Query, Refusal> {
        let (name, text) = path.split_once('?').unwrap_or((path, ""));
        let codes = self.records.terminology(caller);
        let context = QueryContext { terminology: &codes, ..self.records.query_context() };
        parse_query(kind(name), &pairs(text), &context)
            .map_err(|faults| Refusal::with(iris_kernel::ErrorKind::NotSupported, faults))
    }

    pub(crate) fn permit(caller: &Arc<Caller>, kind: Kind) -> Permit<Search> {
        decide(caller, Search, &Facts::kind(kind)).unwrap()
    }

    pub(crate) async fn try_search(&self, caller: &Arc<Caller>, path: &str) -> Result<Page, Refusal> {
        let query = self.query(caller, path)?;
        let sealed = self.records.search(&Self::permit(caller, query.kind), &query)?;
        Ok(self.audit.release(sealed).await.unwrap())
    }

    #[track_caller]
    pub(crate) fn search_blocking(&self, caller: &Arc<Caller>, path: &str) -> Page {
        let query = self.query(caller, path).unwrap_or_else(|refusal| panic!("{path}: {refusal}"));
        let sealed = self.records.search(&Self::permit(caller, query.kind), &query);
        let sealed = sealed.unwrap_or_else(|refusal| panic!("{path}: {refusal} {:?}", refusal.cause));
        self.released(sealed)
    }

    /// The matches by id, in alphabetical order.
    #[track_caller]
    pub(crate) fn ids(&self, caller: &Arc<Caller>, path: &str) -> Vec<String> {
        let mut ids: Vec<_> = self.search_blocking(caller, path).items.into_iter().map(|item| item.id).collect();
        ids.sort_unstable();
        ids
    }

    /// What comes along, in alphabetical order.
    #[track_caller]
    pub(crate) fn along(&self, caller: &Arc<Caller>, path: &str) -> Vec<String> {
        let mut names = names(&self.search_blocking(caller, path).included);
        names.sort_unstable();
        names
    }

    /// The same parameters over several types.
    pub(crate) fn searches(&self, caller: &Arc<Caller>, kinds: &[&str], text: &str) -> Vec<(Permit<Search>, Query)> {
        let one =
            |name: &&str| (Self::permit(caller, kind(name)), self.query(caller, &format!("{name}?{text}")).unwrap());
        kinds.iter().map(one).collect()
    }

    pub(crate) async fn everything(&self, caller: &Arc<Caller>, id: &str, text: &str) -> Result<Page, Refusal> {
        let asked = Everything::parse(&pairs(text))?;
        let permit = decide(caller, Read, &Facts::kind(kind("Patient"))).unwrap();
        self.audit.release(self.records.everything(&permit, id, &asked)?).await.unwrap()
    }
}

/// A patient with a name and a social security number.
pub(crate) fn patient(id: &str, family: &str, ssn: &str) -> Value {
    json!({"resourceType": "Patient", "id": id, "name": [{"family": family}], "birthDate": "1985-05-15",
        "identifier": [{"system": SSN, "value": ssn}, {"system": "urn:house", "value": format!("H-{id}")}],
        "managingOrganization": {"reference": "Organization/clinic"}})
}

/// An observation of a patient by a practitioner.
pub(crate) fn observation(id: &str, of: &str, code: &str, day: &str) -> Value {
    json!({"resourceType": "Observation", "id": id, "status": "final", "code": {"coding": [{"system": "urn:codes", "code": code}]},
        "subject": {"reference": format!("Patient/{of}")}, "performer": [{"reference": "Practitioner/gray"}],
        "effectiveDateTime": day})
}
