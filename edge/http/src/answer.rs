//! What a handler answers, before the frame adds what every answer carries.

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, LOCATION};
use axum::http::{HeaderName, HeaderValue, Response, StatusCode};
use bytes::Bytes;

/// An answer: status, headers, body.
#[derive(Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: StatusCode,
    /// Headers of this answer only.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The whole body; empty where it flows.
    pub body: Bytes,
    /// A body too large to hold, made while it is sent.
    pub flow: Option<Body>,
}

/// Media type of FHIR answers as JSON.
pub(crate) const FHIR_JSON: HeaderValue = HeaderValue::from_static("application/fhir+json; fhirVersion=4.0");
/// Media type of FHIR answers as XML.
pub(crate) const FHIR_XML: HeaderValue = HeaderValue::from_static("application/fhir+xml; fhirVersion=4.0");

impl Answer {
    /// An answer without headers.
    #[must_use]
    pub const fn new(status: StatusCode, body: Bytes) -> Self {
        Self { status, headers: Vec::new(), body, flow: None }
    }

    /// A plain JSON answer.
    pub fn json(status: StatusCode, body: impl Into<Bytes>) -> Self {
        Self::new(status, body.into()).with(CONTENT_TYPE, HeaderValue::from_static("application/json"))
    }

    /// A FHIR JSON answer.
    pub fn fhir(status: StatusCode, body: impl Into<Bytes>) -> Self {
        Self::new(status, body.into()).with(CONTENT_TYPE, FHIR_JSON)
    }

    /// 204 without a body.
    #[must_use]
    pub const fn empty() -> Self {
        Self::new(StatusCode::NO_CONTENT, Bytes::new())
    }

    /// An answer whose body is made while it is sent.
    #[must_use]
    pub const fn flowing(status: StatusCode, flow: Body) -> Self {
        Self { status, headers: Vec::new(), body: Bytes::new(), flow: Some(flow) }
    }

    /// With one more header.
    #[must_use]
    pub fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// With `Location`, for creates.
    #[must_use]
    pub fn located(self, path: &str) -> Self {
        match HeaderValue::from_str(path) {
            Ok(value) => self.with(LOCATION, value),
            // Ids are checked before they come here, so their characters always fit a header.
            Err(_) => self,
        }
    }

    /// As a response for the wire.
    #[must_use]
    pub fn response(self) -> Response<Body> {
        let mut response = Response::new(self.flow.unwrap_or_else(|| Body::from(self.body)));
        *response.status_mut() = self.status;
        for (name, value) in self.headers {
            response.headers_mut().append(name, value);
        }
        response
    }
}
