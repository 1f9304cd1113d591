//! What the handlers work with, put together once by the binary.

use std::future::Future;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use bytes::Bytes;
use iris_audit::Audit;
use iris_identity::Identity;
use iris_immunization::CurrentVaccines;
use iris_index::Index;
use iris_kernel::{Clock, Entropy};
use iris_resources::Records;
use iris_store::Store;
use tokio::sync::Semaphore;

use crate::body::Budget;
use crate::endpoint::{Endpoint, routes};
use crate::frame::Frame;
use crate::pages;
use crate::platform::health::Looks;
use crate::settings::Settings;
use crate::traces::Traces;

/// Everything that the binary hands in.
pub struct Parts {
    /// Records, for both dialects.
    pub records: Records,
    /// Who is who.
    pub identity: Arc<Identity>,
    /// The access log.
    pub audit: Arc<Audit>,
    /// The search index, for the state of health only.
    pub index: Arc<Index>,
    /// The store, for the state of health only: records are reached through [`Records`].
    pub store: Store,
    /// The vaccine table, which can change while the server runs.
    pub vaccines: Arc<CurrentVaccines>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub entropy: Arc<dyn Entropy>,
    /// The address under which callers reach this server, without a slash at the end: `http://127.0.0.1:8080`.
    pub base_url: Arc<str>,
    /// Whether something in front of this server ends TLS and says in `X-Forwarded-For` who called it.
    pub behind_proxy: bool,
    /// The version that this server tells.
    pub version: &'static str,
    /// What can be changed while the server runs.
    pub settings: Arc<Settings>,
    /// Who collects traces of requests, if anybody does.
    pub traces: Option<Arc<dyn Traces>>,
}

/// What every handler can reach.
pub struct App {
    pub(crate) records: Records,
    pub(crate) identity: Arc<Identity>,
    pub(crate) audit: Arc<Audit>,
    pub(crate) index: Arc<Index>,
    pub(crate) store: Store,
    pub(crate) vaccines: Arc<CurrentVaccines>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) base_url: Arc<str>,
    pub(crate) behind_proxy: bool,
    pub(crate) version: &'static str,
    pub(crate) settings: Arc<Settings>,
    pub(crate) traces: Option<Arc<dyn Traces>>,
    pub(crate) budget: Budget,
    pub(crate) documents: Documents,
    /// How the parts of the server were when they were last looked at.
    pub(crate) looks: Looks,
    /// Places for exports and checks of the whole access log, each of which keeps a thread busy.
    pub(crate) exports: Arc<Semaphore>,
    /// Places for looks into the access log.
    pub(crate) lookups: Arc<Semaphore>,
    /// Places for gathering whole records.
    pub(crate) gatherings: Arc<Semaphore>,
}

/// Most exports and checks of the whole access log at the same time.
pub(crate) const EXPORTS_MAX: usize = 2;
/// Most looks into the access log at the same time; others wait for their turn. Each may open thousands of entries.
pub(crate) const LOOKUPS_MAX: usize = 4;
/// Most whole records that are gathered at the same time; others wait for their turn, though not for long. Each page may walk through
/// all of a record.
pub(crate) const GATHERINGS_MAX: usize = 4;

/// A session counts as active while somebody has asked for something in it within this time.
pub(crate) const ACTIVE_WITHIN: Duration = Duration::from_secs(15 * 60);

/// Documents that stay the same while the server runs: made when first asked for, then shared by all who read them.
#[derive(Debug, Default)]
pub(crate) struct Documents {
    pub(crate) capabilities: OnceLock<Bytes>,
    pub(crate) openapi: OnceLock<Bytes>,
}

impl App {
    /// Puts the parts together.
    #[must_use]
    pub fn new(parts: Parts) -> Arc<Self> {
        let Parts {
            records,
            identity,
            audit,
            index,
            store,
            vaccines,
            clock,
            entropy,
            base_url,
            behind_proxy,
            version,
            settings,
            traces,
        } = parts;
        let (budget, documents) = (Budget::default(), Documents::default());
        Arc::new(Self {
            records,
            identity,
            audit,
            index,
            store,
            vaccines,
            clock,
            entropy,
            base_url,
            behind_proxy,
            version,
            settings,
            traces,
            budget,
            documents,
            looks: Looks::default(),
            exports: Arc::new(Semaphore::new(EXPORTS_MAX)),
            lookups: Arc::new(Semaphore::new(LOOKUPS_MAX)),
            gatherings: Arc::new(Semaphore::new(GATHERINGS_MAX)),
        })
    }

    /// Makes the settings that were changed count here, to be awaited before anybody is served.
    pub async fn take_over_settings(&self) {
        crate::settings::take_over(&self.settings, &self.identity, &self.records).await;
    }

    /// Makes the settings that were changed count here, now and as soon as any node changes one. Never ends.
    pub fn follow_settings(&self) -> impl Future<Output = ()> + Send + 'static {
        let (identity, records) = (Arc::clone(&self.identity), self.records.clone());
        crate::settings::follow(Arc::clone(&self.settings), identity, records, self.store.clone())
    }

    /// The address of the FHIR API, without a slash at the end.
    pub(crate) fn fhir_base(&self) -> String {
        format!("{}/fhir", self.base_url)
    }

    /// Sets the gauges of the metrics; called before each scrape.
    pub fn gauges(&self) {
        let head = self.store.head().0;
        let lag = head.saturating_sub(self.index.applied().0);
        #[allow(clippy::cast_precision_loss, reason = "gauges are floating point; counts stay far below 2^53")]
        let gauge = |value: u64| value as f64;
        metrics::gauge!(crate::metrics::STORE_HEAD).set(gauge(head));
        metrics::gauge!(crate::metrics::INDEX_LAG).set(gauge(lag));
        let active = self.identity.sessions_active_in_all(ACTIVE_WITHIN) as u64;
        metrics::gauge!(crate::metrics::ACTIVE).set(gauge(active));
        metrics::gauge!(crate::metrics::DRAINING).set(gauge(self.settings.draining().into()));
        metrics::gauge!(crate::metrics::AUDIT_ENTRIES).set(gauge(self.audit.status().size));
    }
}

/// The whole HTTP API as one router: frame, aliases, routes.
pub fn router(app: &Arc<App>) -> Router {
    router_of(app, crate::endpoints(), &(Arc::new(pages::Built) as Arc<dyn pages::Files>))
}

/// The API with these endpoints and these pages, for tests that bring their own.
pub(crate) fn router_of(app: &Arc<App>, endpoints: Vec<Endpoint>, files: &Arc<dyn pages::Files>) -> Router {
    let routes = routes(app, endpoints).merge(pages::routes(app, files));
    let (clock, entropy, settings) = (app.clock.clone(), app.entropy.clone(), app.settings.clone());
    Frame { clock, entropy, settings, traces: app.traces.clone(), routes }.router()
}
