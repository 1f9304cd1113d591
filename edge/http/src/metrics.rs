//! The metrics of this server, as Prometheus text on a listener of their own. Labels hold route templates, never values.

use std::future::Future;
use std::time::Duration;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use iris_kernel::ErrorKind;
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use tokio::net::TcpListener;

use crate::problem::table;

/// Requests answered, by method, route and status.
pub const REQUESTS: &str = "iris_http_requests_total";
/// Seconds from the head of a request to its answer, by route.
pub const REQUEST_SECONDS: &str = "iris_http_request_duration_seconds";
/// Requests that ended in an error, by its type.
pub const ERRORS: &str = "iris_http_errors_total";
/// Requests that took longer than `IRIS_SLOW_REQUEST`, by route.
pub const SLOW: &str = "iris_http_slow_requests_total";
/// Requests that are being answered.
pub const IN_FLIGHT: &str = "iris_http_requests_in_flight";
/// Open connections of callers.
pub const CONNECTIONS: &str = "iris_http_connections";
/// Handlers that panicked.
pub const PANICS: &str = "iris_http_panics_total";
/// Requests refused because there were too many, by route.
pub const LIMITED: &str = "iris_rate_limit_hits_total";
/// Sign-ins that were refused.
pub const LOGINS_REFUSED: &str = "iris_login_refused_total";
/// Refresh tokens that were exchanged or refused.
pub const REFRESHES: &str = "iris_token_refreshes_total";
/// Sessions in which somebody has asked for something of late.
pub const ACTIVE: &str = "iris_active_sessions";
/// Requests refused for lack of a permission.
pub const DENIED: &str = "iris_access_denied_total";
/// Changes that the store has and the index has not yet.
pub const INDEX_LAG: &str = "iris_index_lag_changes";
/// Position of the newest change in the store.
pub const STORE_HEAD: &str = "iris_store_head";
/// Entries in the audit log.
pub const AUDIT_ENTRIES: &str = "iris_audit_entries";
/// Whether the server was told to stop.
pub const DRAINING: &str = "iris_draining";
/// Log fields that were dropped because they do not stand on the allow-list.
pub const LOG_WITHHELD: &str = "iris_log_fields_withheld_total";

/// Every metric with its type and meaning; a golden file holds the list. Those of the store are counted in `iris-store`; the
/// pool's are there only where the database is PostgreSQL.
pub const METRICS: [(&str, &str, &str); 26] = [
    (REQUESTS, "counter", "Requests answered, by method, route and status."),
    (REQUEST_SECONDS, "histogram", "Seconds from the head of a request to its answer, by route."),
    (ERRORS, "counter", "Requests that ended in an error, by error type."),
    (SLOW, "counter", "Requests that took at least IRIS_SLOW_REQUEST, by route."),
    (IN_FLIGHT, "gauge", "Requests that are being answered."),
    (CONNECTIONS, "gauge", "Open connections of callers."),
    (PANICS, "counter", "Handlers that panicked."),
    (LIMITED, "counter", "Requests refused because there were too many, by route."),
    (LOGINS_REFUSED, "counter", "Sign-ins that were refused."),
    (REFRESHES, "counter", "Refresh tokens shown, by outcome: exchanged or refused."),
    (
        ACTIVE,
        "gauge",
        "Sessions on this node in which somebody has asked for something in the last quarter of an hour.",
    ),
    (DENIED, "counter", "Requests refused for lack of a permission."),
    (iris_audit::PHI_ACCESSES, "counter", "Audit entries made about patients' data, by action and outcome."),
    (INDEX_LAG, "gauge", "Changes that the store has and the index has not yet."),
    (STORE_HEAD, "gauge", "Position of the newest change in the store."),
    (AUDIT_ENTRIES, "gauge", "Entries in the audit log."),
    (DRAINING, "gauge", "1 from SIGTERM on, 0 before."),
    (LOG_WITHHELD, "counter", "Log fields dropped because they do not stand on the allow-list."),
    (
        "iris_encryption_operations_total",
        "counter",
        "Values sealed and opened by the store, by operation: seal or open.",
    ),
    (
        "iris_store_pool_connections",
        "gauge",
        "Connections to PostgreSQL, by state: in_use, idle or waiting; max is how many there may be.",
    ),
    ("iris_store_pool_waits_total", "counter", "Times that somebody had to wait for a connection to PostgreSQL."),
    ("iris_store_retries_total", "counter", "Transactions that PostgreSQL broke off and that were run again."),
    ("iris_store_reconnects_total", "counter", "Connections to PostgreSQL opened in the place of lost ones."),
    ("iris_store_failovers_total", "counter", "Times that another PostgreSQL server became the primary."),
    ("iris_cache_hits_total", "counter", "Rows found near at hand, by cache: memory or redis."),
    ("iris_cache_misses_total", "counter", "Rows looked for and not found there, by cache: memory or redis."),
];

/// Rest between two rounds of folding samples into their buckets.
const UPKEEP_SECONDS: u64 = 5;
/// Upper bounds of the buckets of [`REQUEST_SECONDS`].
const SECONDS: [f64; 13] = [0.000_5, 0.001, 0.002, 0.004, 0.008, 0.015, 0.03, 0.06, 0.125, 0.25, 0.5, 1.0, 5.0];

/// Installs the recorder of this process; call it once, before the router is made.
///
/// # Errors
/// A recorder is installed already.
pub fn install() -> Result<PrometheusHandle, BuildError> {
    let buckets =
        PrometheusBuilder::new().set_buckets_for_metric(Matcher::Full(REQUEST_SECONDS.to_owned()), &SECONDS)?;
    let handle = buckets.install_recorder()?;
    describe();
    Ok(handle)
}

fn describe() {
    for (name, kind, what) in METRICS {
        match kind {
            "counter" => metrics::describe_counter!(name, what),
            "histogram" => metrics::describe_histogram!(name, metrics::Unit::Seconds, what),
            _ => metrics::describe_gauge!(name, what),
        }
    }
}

/// Counts one answered request.
pub(crate) fn request(method: &'static str, route: &'static str, status: u16, taken: Duration) {
    metrics::counter!(REQUESTS, "method" => method, "route" => route, "status" => status_label(status)).increment(1);
    metrics::histogram!(REQUEST_SECONDS, "route" => route).record(taken.as_secs_f64());
}

/// Counts one request that ended in an error; one that was refused because there were too many is counted apart as well.
pub(crate) fn failed(kind: ErrorKind, route: &'static str) {
    metrics::counter!(ERRORS, "error_type" => table(kind).error_type).increment(1);
    if kind == ErrorKind::TooMany {
        metrics::counter!(LIMITED, "route" => route).increment(1);
    }
}

/// Something that goes on and is counted in a gauge until it ends.
pub(crate) struct Ongoing(metrics::Gauge);

impl Ongoing {
    pub(crate) fn begin(gauge: metrics::Gauge) -> Self {
        gauge.increment(1.0);
        Self(gauge)
    }
}

impl Drop for Ongoing {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}

/// A status as a static label, because a label made for each request would cost an allocation.
fn status_label(status: u16) -> &'static str {
    const KNOWN: [(u16, &str); 19] = [
        (200, "200"),
        (201, "201"),
        (204, "204"),
        (304, "304"),
        (400, "400"),
        (401, "401"),
        (403, "403"),
        (404, "404"),
        (405, "405"),
        (406, "406"),
        (409, "409"),
        (410, "410"),
        (412, "412"),
        (413, "413"),
        (415, "415"),
        (422, "422"),
        (429, "429"),
        (500, "500"),
        (503, "503"),
    ];
    KNOWN.iter().find(|(known, _)| *known == status).map_or("other", |(_, label)| label)
}

/// Serves `/metrics` until `drain` resolves. `refresh` sets the gauges just before each scrape.
pub async fn serve<F>(listener: TcpListener, handle: PrometheusHandle, refresh: F, drain: impl Future<Output = ()>)
where
    F: Fn() + Clone + Send + Sync + 'static,
{
    let upkeep = tokio::spawn(upkeep(handle.clone()));
    let scrape = move || {
        refresh();
        let text = handle.render();
        async move { ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text) }
    };
    crate::serve::serve(listener, Router::new().route("/metrics", get(scrape)), drain).await;
    upkeep.abort();
}

/// Histograms keep every sample until somebody looks: without this, memory grows wherever nobody scrapes.
async fn upkeep(handle: PrometheusHandle) {
    let mut tick = tokio::time::interval(Duration::from_secs(UPKEEP_SECONDS));
    loop {
        tick.tick().await;
        handle.run_upkeep();
    }
}

#[cfg(test)]
mod tests {
    use super::METRICS;

    #[test]
    fn the_metric_names_are_the_golden_ones() {
        let made: String = METRICS.iter().map(|(name, kind, what)| format!("{name} {kind}: {what}\n")).collect();
        crate::golden::check("metrics.txt", &made);
    }
}
