//! Traces of requests, for a collector on this machine that speaks OTLP over HTTP. Only a build with the feature `otel` sends
//! any; every other one refuses the setting, so that nobody believes that there are traces.

#[cfg(feature = "otel")]
mod export;

use std::sync::Arc;

use iris_http::Traces;
use tracing_subscriber::{Layer, Registry};

use crate::command::Failure;

/// Whether this build can send traces.
pub(crate) const SUPPORTED: bool = cfg!(feature = "otel");

/// Hears of the spans that are sent.
pub(crate) type SpanLayer = Box<dyn Layer<Registry> + Send + Sync>;

/// What sends traces, or nothing.
#[derive(Default)]
pub(crate) struct Collector {
    /// Takes the spans in.
    pub(crate) layer: Option<SpanLayer>,
    /// Ties them to their callers'.
    pub(crate) traces: Option<Arc<dyn Traces>>,
    /// Sends what is still here.
    end: Option<Box<dyn FnOnce() + Send>>,
}

impl Collector {
    /// Begins to send to this address, if there is one.
    ///
    /// # Errors
    /// The exporter cannot be made.
    pub(crate) fn start(endpoint: Option<&str>) -> Result<Self, Failure> {
        endpoint.map_or_else(|| Ok(Self::default()), begin)
    }

    /// Sends what is still here and ends.
    pub(crate) fn end(self) {
        if let Some(end) = self.end {
            end();
        }
    }
}

#[cfg(feature = "otel")]
fn begin(endpoint: &str) -> Result<Collector, Failure> {
    export::start(endpoint)
}

#[cfg(not(feature = "otel"))]
fn begin(_: &str) -> Result<Collector, Failure> {
    Err(Failure::new("IRIS_OTLP_ENDPOINT: this build sends no traces"))
}
