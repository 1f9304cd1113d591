//! What surrounds every request: correlation id, process time, security headers, the catching of panics, the request log
//! and the request metrics. Neither log nor metrics ever hold a path's values or a query: they could be PHI.

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{
    CACHE_CONTROL, CONNECTION, CONTENT_SECURITY_POLICY, REFERRER_POLICY, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};
use futures_util::FutureExt;
use iris_kernel::limits::CORRELATION_CHARS_MAX;
use iris_kernel::{Clock, Entropy, ErrorKind};
use tower::ServiceExt;
use tracing::Instrument;

use crate::alias;
use crate::metrics::Ongoing;
use crate::problem::{Dialect, Problem, RETRY_SECONDS_AWAY};
use crate::settings::Settings;
use crate::traces::{self, Traces};

/// Name of the header that ties a request, its answer, its log line and its audit entry together.
pub const X_CORRELATION_ID: HeaderName = HeaderName::from_static("x-correlation-id");
/// Name of the header that says how many milliseconds the server worked.
pub const X_PROCESS_TIME: HeaderName = HeaderName::from_static("x-process-time");
const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// The correlation id of a request, an extension of it.
#[derive(Clone, Debug)]
pub(crate) struct Correlation(pub(crate) String);

/// The route template that matched, an extension of the answer, for log and metrics.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RouteLabel(pub(crate) &'static str);

/// What the frame needs.
#[derive(Clone)]
pub(crate) struct Frame {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) settings: Arc<Settings>,
    pub(crate) traces: Option<Arc<dyn Traces>>,
    pub(crate) routes: Router,
}

impl Frame {
    /// The frame as a router of its own: aliases must be resolved before routing, so this stands around the routes.
    pub(crate) fn router(self) -> Router {
        Router::new().fallback(move |request: Request| {
            let frame = self.clone();
            async move { frame.handle(request).await }
        })
    }

    async fn handle(self, mut request: Request) -> Response<Body> {
        let started = self.clock.monotonic();
        let _ongoing = Ongoing::begin(metrics::gauge!(crate::metrics::IN_FLIGHT));
        let method = request.method().clone();
        let correlation = correlation(request.headers(), &*self.entropy);
        let dialect = Dialect::of(request.uri().path());
        request.extensions_mut().insert(Correlation(correlation.clone()));
        if let Some(uri) = alias::resolve(request.uri()) {
            *request.uri_mut() = uri;
        }
        // Whatever is logged on the way of this request carries its id.
        let span = traces::span(self.traces.as_deref(), request.headers(), &correlation);
        let answering = AssertUnwindSafe(self.routes.oneshot(request)).catch_unwind();
        let answered = answering.instrument(span.clone()).await;
        let mut response = match answered {
            Ok(Ok(response)) => response,
            Ok(Err(never)) => absurd(never),
            Err(_) => panicked(dialect, &correlation),
        };
        let taken = self.clock.monotonic().saturating_sub(started);
        if response.status() == StatusCode::SERVICE_UNAVAILABLE && !response.headers().contains_key(RETRY_AFTER) {
            // Whatever says that a part is away, health and pages among them, says when to look again.
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(RETRY_SECONDS_AWAY));
        }
        finish(response.headers_mut(), &correlation, taken);
        if self.settings.draining() {
            // The next request should find a connection to somebody who stays.
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        if let Some(traces) = &self.traces {
            traces::end(&**traces, &span, &method, &response);
        }
        log(&method, &response, &correlation, (taken, self.settings.slow_request()));
        response
    }
}

fn absurd(never: Infallible) -> Response<Body> {
    match never {}
}

/// A panic is a defect: this request fails, the server goes on. The panic hook has logged where it was.
fn panicked(dialect: Dialect, correlation: &str) -> Response<Body> {
    metrics::counter!(crate::metrics::PANICS).increment(1);
    tracing::error!(correlation, "a handler panicked");
    Problem::new(ErrorKind::Internal, "a defect of this server ended the request")
        .answer(dialect, correlation)
        .response()
}

/// The caller's id when it is sane, else a random one: what is not sane could break log lines.
fn correlation(headers: &HeaderMap, entropy: &dyn Entropy) -> String {
    let sane = |text: &&str| {
        (1..=CORRELATION_CHARS_MAX).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
    };
    let given = headers.get(X_CORRELATION_ID).and_then(|value| value.to_str().ok()).filter(sane);
    given.map_or_else(|| entropy.uuid().to_string(), str::to_owned)
}

fn finish(headers: &mut HeaderMap, correlation: &str, taken: Duration) {
    if let Ok(value) = HeaderValue::from_str(correlation) {
        headers.insert(X_CORRELATION_ID, value);
    }
    if let Ok(value) = HeaderValue::from_str(&format!("{:.3}", taken.as_secs_f64() * 1_000.0)) {
        headers.insert(X_PROCESS_TIME, value);
    }
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(CROSS_ORIGIN_RESOURCE_POLICY, HeaderValue::from_static("same-origin"));
    // Records must not stay in any cache; a page that may be kept says so itself.
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(
        "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    ));
}

fn log(method: &Method, response: &Response<Body>, correlation: &str, (taken, slow): (Duration, Duration)) {
    let route = response.extensions().get::<RouteLabel>().map_or("unmatched", |label| label.0);
    let status = response.status().as_u16();
    crate::metrics::request(method_label(method), route, status, taken);
    let ms = taken.as_micros() as f64 / 1_000.0;
    // What was seen stands in the audit log; a line for each request here would cost more than the request.
    if taken >= slow {
        metrics::counter!(crate::metrics::SLOW, "route" => route).increment(1);
        tracing::warn!(target: "iris::request", method = method_label(method), route, status, ms, correlation, "slow request");
    } else {
        tracing::debug!(target: "iris::request", method = method_label(method), route, status, ms, correlation);
    }
}

/// A method as a label: names that we do not know must not become labels without end.
pub(crate) const fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::PATCH => "PATCH",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
