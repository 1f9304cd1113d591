//! The whole edge against a real store, index, audit log and access, in one process and without a socket.

mod access;
mod admin;
mod attacks;
mod break_glass;
mod chart;
mod claims;
mod closed;
mod consents;
mod consistency;
mod contained;
mod correlation;
mod documents;
mod fhir;
mod find;
mod forms;
mod frame;
mod health;
mod hidden;
mod immunizations;
mod interactions;
mod logs;
mod masks;
mod matrix;
mod messages;
mod nodes;
mod own_account;
mod page_sessions;
mod pages;
mod patients;
mod place;
#[allow(clippy::duplicate_mod, reason = "the same tests over another database")]
mod postgres;
mod replay;
mod reviews;
mod roles;
mod second_factor;
mod serving;
mod settings;
mod several;
mod shape;
mod summary;
mod tenants;
mod vaccines;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt;
use iris_access::{Caller, Create, Facts, Named, Role, RoleSet, decide};
use iris_audit::Audit;
use iris_identity::{Identity, NewUser};
use iris_immunization::{CurrentVaccines, Vaccines};
use iris_index::{Index, IndexConfig};
use iris_kernel::{Secret, Tenant};
use iris_records::PatientRule;
use iris_resources::{
    ClientIds, CursorKey, MultipleDeletes, Parts as RecordParts, Policy, Records, ReferencePolicy, Rules,
};
use iris_store::{Store, keyfile};
use iris_testkit::{ManualClock, SeededEntropy};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::{App, Parts, router};
use place::Place;

const PASSWORD: &str = "correct horse battery staple";
const BASE: &str = "http://iris.test";

struct World {
    app: Arc<App>,
    router: Router,
    identity: Arc<Identity>,
    clock: Arc<ManualClock>,
    _place: Arc<Place>,
}

struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Reply {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|e| panic!("{e}: {} {:?}", self.status, String::from_utf8_lossy(&self.body)))
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    #[track_caller]
    fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", String::from_utf8_lossy(&self.body));
        self
    }
}

impl World {
    fn new() -> Self {
        Self::at(BASE)
    }

    /// A server that callers reach under this address.
    fn at(base: &str) -> Self {
        Self::made(base, false)
    }

    fn made(base: &str, behind_proxy: bool) -> Self {
        Self::node(Arc::new(Place::new()), (base, behind_proxy), 7, Arc::default())
    }

    /// Two nodes over one PostgreSQL database; `None` where it is not installed.
    fn two() -> Option<[Self; 2]> {
        let (place, clock) = (Arc::new(Place::shared()?), Arc::new(ManualClock::default()));
        Some([7, 8].map(|seed| Self::node(Arc::clone(&place), (BASE, false), seed, Arc::clone(&clock))))
    }

    /// A node of a place; each has its own chance and all have one key.
    fn node(place: Arc<Place>, (base, behind_proxy): (&str, bool), seed: u64, clock: Arc<ManualClock>) -> Self {
        let entropy = Arc::new(SeededEntropy::new(seed));
        let config = place.config(&format!("node{seed}"));
        let path = config.folder.clone();
        let key = keyfile::open_or_create(&place.folder.path().join("key"), None, entropy.clone(), true).unwrap();
        let store = Store::open(config, Arc::new(key), clock.clone(), entropy.clone()).unwrap();
        let audit = Arc::new(Audit::open(store.clone(), clock.clone(), entropy.clone()).unwrap());
        let config = IndexConfig { folder: path.join("index"), key: Secret::new(store.derive("iris index v1")) };
        let index = Index::open(config, store.clone(), entropy.clone()).unwrap();
        index.ready().unwrap();
        let identity = Identity::open(store.clone(), audit.clone(), clock.clone(), entropy.clone()).unwrap();
        let identity = Arc::new(identity);
        let records = Records::new(RecordParts {
            store: store.clone(),
            index: index.clone(),
            audit: audit.clone(),
            clock: clock.clone(),
            entropy: entropy.clone(),
            policy: Policy {
                references: ReferencePolicy::Checked,
                client_ids: ClientIds::Allowed,
                multiple_deletes: MultipleDeletes::Refused,
            },
            rules: Rules::default().with(Arc::new(PatientRule)),
            cursors: CursorKey::new(&store.derive("iris cursor v1")),
            base_url: format!("{base}/fhir").into(),
        });
        let app = App::new(Parts {
            records,
            identity: identity.clone(),
            audit,
            index,
            store,
            vaccines: Arc::new(CurrentVaccines::new(Vaccines::shipped().unwrap())),
            clock: clock.clone(),
            entropy,
            base_url: base.into(),
            behind_proxy,
            version: "0.0.0-test",
            settings: crate::settings::Settings::defaults(),
            traces: None,
        });
        let router = router(&app);
        Self { app, router, identity, clock, _place: place }
    }

    async fn send(&self, request: Request<Body>) -> Reply {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes().to_vec();
        Reply { status: parts.status, headers: parts.headers, body }
    }

    /// A request with a token, headers and a JSON body, as needed.
    async fn call(
        &self,
        method: &str,
        path: &str,
        token: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> Reply {
        let mut request = Request::builder().method(Method::from_bytes(method.as_bytes()).unwrap()).uri(path);
        if !token.is_empty() {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = match body {
            Some(body) => {
                if !headers.iter().any(|(name, _)| *name == "content-type") {
                    request = request.header("content-type", "application/json");
                }
                Body::from(body.to_string())
            }
            None => Body::empty(),
        };
        self.send(request.body(body).unwrap()).await
    }

    async fn get(&self, path: &str, token: &str) -> Reply {
        self.call("GET", path, token, &[], None).await
    }

    async fn post(&self, path: &str, token: &str, body: Value) -> Reply {
        self.call("POST", path, token, &[], Some(body)).await
    }

    async fn put(&self, path: &str, token: &str, body: Value) -> Reply {
        self.call("PUT", path, token, &[], Some(body)).await
    }

    /// Makes a user and signs them in.
    async fn user(&self, name: &str, role: Role, patient: Option<&str>) -> String {
        let system = Arc::new(Caller::system(Tenant::DEFAULT, "test", "c-1"));
        let permit = decide(&system, Create, &Facts::named(Named::Accounts)).unwrap();
        let user = NewUser {
            name: name.to_owned(),
            password: Secret::new(PASSWORD.to_owned()),
            roles: RoleSet::of(&[role]),
            patient: patient.map(str::to_owned),
        };
        self.identity.user_create(&permit, user).await.unwrap();
        let body = json!({"username": name, "password": PASSWORD});
        let reply = self.post("/api/v1/auth/login", "", body).await.expect(200);
        reply.json()["access_token"].as_str().unwrap().to_owned()
    }

    async fn admin(&self) -> String {
        self.user("root", Role::Admin, None).await
    }

    /// Makes a patient and gives its id.
    async fn patient(&self, token: &str, first: &str, last: &str) -> String {
        let body = json!({"first_name": first, "last_name": last, "date_of_birth": "1985-05-15"});
        let made = self.post("/api/v1/patients", token, body).await.expect(201);
        made.json()["id"].as_str().unwrap().to_owned()
    }
}
