//! Sends the spans of requests as OTLP in JSON. Nothing of what is logged goes along: of all spans and events only those that the
//! HTTP edge makes for this purpose are heard.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use iris_http::{Parent, Traces};
use opentelemetry::trace::{
    SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState, TracerProvider as _,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracerProvider};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::filter_fn;

use super::Collector;
use crate::application::failure;
use crate::command::Failure;

/// What the edge's spans for requests are called, and where they come from.
const SPAN: (&str, &str) = ("iris::request", "request");
/// Longest wait for the collector.
const PATIENCE: Duration = Duration::from_secs(5);
/// Rest between two batches.
const REST: Duration = Duration::from_secs(1);
/// Most spans that wait to be sent; more are dropped, because a collector that is away must cost neither memory nor answers.
const WAITING_MAX: usize = 8_192;

pub(super) fn start(endpoint: &str) -> Result<Collector, Failure> {
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(Client::new())
        .with_protocol(Protocol::HttpJson)
        .with_endpoint(format!("{endpoint}/v1/traces"))
        .with_timeout(PATIENCE)
        .build()
        .map_err(|error| failure("IRIS_OTLP_ENDPOINT: traces cannot be sent", &error))?;
    let batches = BatchConfigBuilder::default().with_max_queue_size(WAITING_MAX).with_scheduled_delay(REST).build();
    let resource = Resource::builder().with_service_name("iris");
    let provider = SdkTracerProvider::builder()
        .with_span_processor(BatchSpanProcessor::builder(exporter).with_batch_config(batches).build())
        .with_resource(resource.with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION"))).build())
        // Whoever calls decides for its own traces; what begins here is collected.
        .with_sampler(Sampler::ParentBased(Box::new(Sampler::AlwaysOn)))
        .build();
    let layer = tracing_opentelemetry::layer()
        .with_location(false)
        .with_threads(false)
        .with_tracked_inactivity(false)
        .with_level(false)
        .with_target(false)
        .with_tracer(provider.tracer("iris"))
        .with_filter(filter_fn(|meta| meta.is_span() && (meta.target(), meta.name()) == SPAN));
    Ok(Collector {
        layer: Some(Box::new(layer)),
        traces: Some(Arc::new(Callers)),
        end: Some(Box::new(move || {
            if let Err(error) = provider.shutdown() {
                tracing::warn!(%error, "the last traces could not be sent");
            }
        })),
    })
}

/// Ties spans to those of their callers.
struct Callers;

impl Traces for Callers {
    fn begin(&self, span: &tracing::Span, parent: Option<Parent>) {
        let Some(Parent { trace, span: caller, sampled }) = parent else { return };
        let flags = if sampled { TraceFlags::SAMPLED } else { TraceFlags::NOT_SAMPLED };
        let (trace, caller) = (TraceId::from_bytes(trace.to_be_bytes()), SpanId::from_bytes(caller.to_be_bytes()));
        let context = SpanContext::new(trace, caller, flags, true, TraceState::NONE);
        if let Err(error) = span.set_parent(Context::new().with_remote_span_context(context)) {
            tracing::debug!(%error, "a request's trace begins here, not with its caller");
        }
    }

    fn name(&self, span: &tracing::Span, name: String) {
        span.context().span().update_name(name);
    }
}

/// Speaks HTTP to the collector, in the exporter's own thread, which may block.
#[derive(Debug)]
struct Client {
    agent: ureq::Agent,
    /// Whether the last batch was lost: one line tells of that, not one for each batch.
    lost: AtomicBool,
}

impl Client {
    fn new() -> Self {
        let config = ureq::Agent::config_builder().timeout_global(Some(PATIENCE)).http_status_as_error(false).build();
        Self { agent: config.into(), lost: AtomicBool::new(false) }
    }

    fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let answered = self.agent.run(request.map(|body| body.to_vec()));
        let lost = !answered.as_ref().is_ok_and(|response| response.status().is_success());
        if lost && !self.lost.swap(true, Ordering::Relaxed) {
            let status = answered.as_ref().map_or(0, |response| response.status().as_u16());
            tracing::warn!(status, "traces are lost: the collector does not take them");
        }
        if !lost {
            self.lost.store(false, Ordering::Relaxed);
        }
        let (parts, mut body) = answered?.into_parts();
        Ok(Response::from_parts(parts, body.read_to_vec()?.into()))
    }
}

impl HttpClient for Client {
    fn send_bytes<'own, 'sending>(
        &'own self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'sending>>
    where
        'own: 'sending,
        Self: 'sending,
    {
        Box::pin(async move { self.send(request) })
    }
}
