//! Traces of requests for whoever collects them: where a request came from (W3C Trace Context) and what its span says. A span's name
//! is the route's template; nothing in it comes from a path, a query or a body.

use axum::http::{HeaderMap, Method, Response};
use tracing::Span;
use tracing::field::Empty;

use crate::frame::{RouteLabel, method_label};

/// Longest `traceparent` that is looked at.
const TRACEPARENT_CHARS_MAX: usize = 128;

/// The span of the caller, on whose way this request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parent {
    /// The trace.
    pub trace: u128,
    /// The caller's span in it.
    pub span: u64,
    /// Whether the caller collects it.
    pub sampled: bool,
}

impl Parent {
    /// Reads `traceparent`, version 00 or what a later one has in common with it.
    fn of(headers: &HeaderMap) -> Option<Self> {
        let mut given = headers.get_all("traceparent").iter();
        let text = given.next()?.to_str().ok().filter(|text| text.len() <= TRACEPARENT_CHARS_MAX)?;
        if given.next().is_some() {
            return None;
        }
        let mut parts = text.split('-');
        let mut hex = |length: usize| {
            let part = parts.next()?;
            let digits = part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
            (part.len() == length && digits).then(|| u128::from_str_radix(part, 16).ok())?
        };
        let (version, trace, span, flags) = (hex(2)?, hex(32)?, hex(16)?, hex(2)?);
        let more = parts.next().is_some();
        let sane = version != 0xff && trace != 0 && span != 0 && !(version == 0 && more);
        sane.then_some(Self { trace, span: u64::try_from(span).ok()?, sampled: flags & 1 == 1 })
    }
}

/// Who collects spans.
pub trait Traces: Send + Sync {
    /// Ties a span that is about to begin to the caller's.
    fn begin(&self, span: &Span, parent: Option<Parent>);

    /// Names a span that has begun, once it is known what it is.
    fn name(&self, span: &Span, name: String);
}

/// The span of a request. Of the highest level, because a span below the level that is logged is none.
pub(crate) fn span(traces: Option<&dyn Traces>, headers: &HeaderMap, correlation: &str) -> Span {
    let Some(traces) = traces else {
        return tracing::error_span!(target: "iris::request", "request", correlation);
    };
    let span = tracing::error_span!(
        target: "iris::request",
        "request",
        correlation,
        otel.kind = "server",
        otel.status_code = Empty,
        http.request.method = Empty,
        http.route = Empty,
        http.response.status_code = Empty,
    );
    traces.begin(&span, Parent::of(headers));
    span
}

/// Says in the span what the request was and how it ended.
pub(crate) fn end<B>(traces: &dyn Traces, span: &Span, method: &Method, response: &Response<B>) {
    let route = response.extensions().get::<RouteLabel>().map_or("unmatched", |label| label.0);
    let status = response.status().as_u16();
    let method = method_label(method);
    traces.name(span, format!("{method} {route}"));
    span.record("http.request.method", method);
    span.record("http.route", route);
    span.record("http.response.status_code", i64::from(status));
    if status >= 500 {
        span.record("otel.status_code", "error");
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn of(text: &str) -> Option<Parent> {
        let mut headers = HeaderMap::new();
        headers.insert("traceparent", HeaderValue::from_str(text).unwrap());
        Parent::of(&headers)
    }

    #[test]
    fn a_parent_is_what_the_recommendation_says_and_nothing_else() {
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let (trace, span) = (0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736, 0x00f0_67aa_0ba9_02b7);
        assert_eq!(of(good), Some(Parent { trace, span, sampled: true }));
        assert!(!of(&good.replace("-01", "-00")).unwrap().sampled);
        assert!(
            of(&good.replace("00-4", "01-4")).is_some() && of(&format!("{}-x", good.replace("00-4", "cc-4"))).is_some()
        );
        for wrong in [
            "",
            "00",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
        ] {
            assert_eq!(of(wrong), None, "{wrong}");
        }
        let mut twice = HeaderMap::new();
        twice.append("traceparent", HeaderValue::from_str(good).unwrap());
        twice.append("traceparent", HeaderValue::from_str(good).unwrap());
        assert_eq!(Parent::of(&twice), None);
    }
}
