//! What a request says about forms: what its body is, and how its answer is to be shown.

use axum::http::HeaderName;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use iris_fhir::json::Json;
use iris_fhir::{Resource, definitions};
use iris_kernel::limits::BODY_BYTES_MAX;
use iris_kernel::{ErrorKind, Fault, Kind};
use iris_validation::Valid;

use super::{Call, Pairs};
use crate::blocking::blocking;
use crate::body::{self, Held, OPEN_BODY_BYTES_MAX};
use crate::endpoint::Needs;
use crate::fhir::{Format, Showing};
use crate::problem::{Dialect, Problem};

/// From this size on, a resource is read on a thread that may take its time.
const READ_INLINE_BYTES_MAX: usize = 1 << 20;
const PREFER: HeaderName = HeaderName::from_static("prefer");

impl Call {
    /// Refuses what cannot be answered in a form that the caller takes.
    pub(super) fn acceptable(&self) -> Result<(), Problem> {
        if self.dialect() == Dialect::Fhir {
            return self.show_as(&self.query);
        }
        let good = |name: &str| {
            let name = name.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
            match name.as_str() {
                "*/*" | "application/*" | "application/json" | "application/problem+json" | "" => true,
                "application/x-ndjson" => self.endpoint.gives.contains(&(200, Some("AuditExport"))),
                "text/html" | "text/*" | "application/xhtml+xml" => self.endpoint.path == "/docs",
                _ => false,
            }
        };
        let accepted: Vec<&str> = self.headers(&ACCEPT).collect();
        if accepted.is_empty() || accepted.iter().flat_map(|line| line.split(',')).any(good) {
            return Ok(());
        }
        Err(Problem::at(ErrorKind::NotAcceptable, "Accept", "only application/json can be made here"))
    }

    /// Notes how the answer is to be shown, by these parameters and the request's headers: those of the query, or of a form.
    ///
    /// # Errors
    /// Those of [`Showing::asked`].
    pub(crate) fn show_as(&self, pairs: &Pairs) -> Result<(), Problem> {
        // Within a compartment, what is shown is not of the type that the compartment is of.
        let inner = self.path("inner");
        let kind = definitions().kind_of(if inner.is_empty() { self.path("type") } else { inner });
        self.shown.set(Showing::asked(pairs, &self.parts.headers, &self.endpoint, kind)?);
        Ok(())
    }

    /// Whether the caller prefers this (RFC 7240), such as `return=minimal`.
    pub(crate) fn prefers(&self, preference: &str) -> bool {
        let prefer = PREFER;
        let name = |said: &str| said.split('=').next().unwrap_or_default().to_ascii_lowercase();
        let said = self.headers(&prefer).flat_map(|line| line.split([',', ';']));
        let mut said = said.map(|said| said.replace([' ', '\t', '"'], ""));
        // Of several with one name the first counts (RFC 7240 §2).
        said.find(|said| name(said) == name(preference)).is_some_and(|said| said.eq_ignore_ascii_case(preference))
    }

    /// Whether a parameter that is not known may be passed over, as FHIR lets a caller ask.
    pub(crate) fn is_lenient(&self) -> bool {
        self.dialect() == Dialect::Fhir && self.prefers("handling=lenient")
    }

    /// The body, of one of these media types; a body without a type is taken at its word.
    ///
    /// # Errors
    /// Another media type, too large, cut, or not in time.
    pub(crate) async fn body(&mut self, types: &[&str]) -> Result<Held, Problem> {
        if let Some(text) = self.header(&CONTENT_TYPE) {
            let name = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
            let charset = text.to_ascii_lowercase();
            let utf8 = !charset.contains("charset=") || charset.contains("utf-8") || charset.contains("us-ascii");
            if !types.contains(&name.as_str()) || !utf8 {
                let what = format!("must be {} in UTF-8", types.join(" or "));
                return Err(Problem::at(ErrorKind::MediaType, "Content-Type", what));
            }
        }
        self.held().await
    }

    /// The body, whatever its type.
    async fn held(&mut self) -> Result<Held, Problem> {
        let body = self.body.get_mut().take().unwrap_or_default();
        let open = matches!(self.endpoint.needs, Needs::Nothing | Needs::Session);
        let bytes_max = if open { OPEN_BODY_BYTES_MAX } else { BODY_BYTES_MAX };
        let began = self.app.clock.monotonic();
        let held = body::read(body, &self.parts.headers, bytes_max, &self.app.budget).await?;
        self.same_still(began).await?;
        Ok(held)
    }

    /// The body as JSON, for plain routes.
    ///
    /// # Errors
    /// As [`Call::body`]; what is no JSON, with line and column.
    pub(crate) async fn json(&mut self) -> Result<(Json, Held), Problem> {
        let held = self.body(&["application/json", "text/json"]).await?;
        let json = Json::parse(held.bytes.clone())
            .map_err(|error| Problem::new(ErrorKind::Malformed, format!("the body is not valid JSON: {error}")))?;
        Ok((json, held))
    }

    /// The body as a resource of the type that the path names, checked against the definitions.
    ///
    /// # Errors
    /// As [`Call::body`]; no JSON, another type, every fault of validation.
    pub async fn resource(&mut self, kind: Kind) -> Result<Valid, Problem> {
        let (resource, _held) = self.any_resource().await?;
        if resource.kind() != kind {
            let what = format!("is not {}, the type of the path", definitions().name_of(kind));
            return Err(Problem::at(ErrorKind::Malformed, "/resourceType", what));
        }
        Valid::check(resource).map_err(|(_, faults)| Problem::with(ErrorKind::Invalid, faults))
    }

    /// The body as any resource, parsed but not checked.
    ///
    /// # Errors
    /// As [`Call::body`]; no JSON or XML, no resource type of R4.
    pub(crate) async fn any_resource(&mut self) -> Result<(Resource, Held), Problem> {
        let format = Format::sent(self.header(&CONTENT_TYPE))?;
        let held = self.held().await?;
        Ok((read_as(format, &held).await?, held))
    }

    /// The body as any resource, if there is a body.
    ///
    /// # Errors
    /// Those of [`Call::any_resource`].
    pub(crate) async fn maybe_resource(&mut self) -> Result<Option<(Resource, Held)>, Problem> {
        let format = Format::sent(self.header(&CONTENT_TYPE))?;
        let held = self.held().await?;
        if held.bytes.is_empty() {
            return Ok(None);
        }
        Ok(Some((read_as(format, &held).await?, held)))
    }
}

/// Reads a resource; long ones where it may take its time.
async fn read_as(format: Format, held: &Held) -> Result<Resource, Problem> {
    let bytes = held.bytes.clone();
    let read = move || match format {
        Format::Json => Resource::parse(bytes).map_err(|error| Problem::new(ErrorKind::Malformed, error.to_string())),
        Format::Xml => iris_xml::parse(&bytes)
            .map_err(|faults| Problem::with(ErrorKind::Malformed, faults.iter().map(Fault::from).collect())),
    };
    if held.bytes.len() <= READ_INLINE_BYTES_MAX {
        return read();
    }
    let read = blocking(read).await;
    read.map_err(|cause| Problem::caused(ErrorKind::Internal, "the body could not be read", cause))?
}
