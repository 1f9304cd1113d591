//! How an answer of the FHIR API is shown: as JSON or XML, on lines or compact, whole or in part. Handlers always answer compact
//! JSON with everything in it; here, and nowhere else, it becomes what the caller asked for.

use std::sync::Arc;

use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, Request};
use bytes::Bytes;
use iris_fhir::Subset;
use iris_fhir::json::{Edits, Json, Value, pretty};
use iris_fhir::subset::Asked;
use iris_kernel::{ErrorKind, Fault, Kind};
use iris_xml::Layout;
use parking_lot::Mutex;

use super::format::Format;
use crate::answer::{Answer, FHIR_JSON, FHIR_XML};
use crate::blocking::blocking;
use crate::call::Pairs;
use crate::endpoint::Endpoint;
use crate::problem::{Dialect, Problem};

/// From this size on, an answer is changed on a thread that may take its time.
const INLINE_BYTES_MAX: usize = 256 << 10;
/// Largest answer that is made in another form than compact JSON, in bytes of that: it is held twice.
pub(crate) const REMADE_BYTES_MAX: usize = 64 << 20;

/// How an answer is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Showing {
    format: Format,
    pretty: bool,
    subset: Option<Subset>,
}

/// How the answer to one request is shown, shared with whoever sends it: a search by POST names it in its body.
#[derive(Clone, Default)]
pub(crate) struct Shown(Arc<Mutex<Showing>>);

impl Shown {
    /// What can be told from a request of which nothing is known yet to be right, for refusals.
    pub(crate) fn guessed<B>(request: &Request<B>) -> Self {
        let query = request.uri().query().unwrap_or_default();
        let pairs: Pairs =
            form_urlencoded::parse(query.as_bytes()).into_owned().take(crate::call::QUERY_PARAMETERS_MAX).collect();
        let showing = Showing {
            format: format(&pairs, request.headers()).unwrap_or_default(),
            pretty: boolean("_pretty", &pairs).unwrap_or_default(),
            subset: None,
        };
        Self(Arc::new(Mutex::new(showing)))
    }

    pub(crate) fn set(&self, showing: Showing) {
        *self.0.lock() = showing;
    }

    pub(crate) fn get(&self) -> Showing {
        self.0.lock().clone()
    }
}

impl Showing {
    /// What a request asks for with its query and headers.
    ///
    /// # Errors
    /// A form that cannot be made, a parameter twice or with a value that it cannot have, elements that the type does not have.
    pub(crate) fn asked(
        pairs: &Pairs,
        headers: &HeaderMap,
        endpoint: &Endpoint,
        kind: Option<Kind>,
    ) -> Result<Self, Problem> {
        let format = format(pairs, headers)?;
        let pretty = boolean("_pretty", pairs).map_err(|fault| Problem::with(ErrorKind::Malformed, vec![fault]))?;
        let in_part = endpoint.query_names().any(|name| matches!(name, "*" | "_summary"));
        let of = if endpoint.query_names().any(|name| name == "*") { Asked::Search } else { Asked::Resources };
        let subset = if in_part { Subset::asked(pairs, kind, of) } else { Ok(None) };
        let subset = match subset {
            // Who searches is told by the search what is wrong with these, together with all else that is wrong.
            Err(_) if of == Asked::Search => None,
            subset => subset.map_err(|faults| Problem::with(ErrorKind::NotSupported, faults))?,
        };
        Ok(Self { format, pretty, subset })
    }

    /// Whether an answer of a handler is to be changed at all.
    fn changes(&self) -> bool {
        *self != Self::default()
    }

    /// The answer as it was asked for. `of_many`: it is a bundle that was made for its entries, which are what is shown in part.
    pub(crate) async fn show(self, answer: Answer, of_many: bool, correlation: &str) -> Answer {
        let is_fhir = answer.headers.iter().any(|(name, value)| name == CONTENT_TYPE && value == FHIR_JSON);
        if !self.changes() || !is_fhir || answer.body.is_empty() {
            return answer;
        }
        let whole = Self { subset: None, ..self.clone() };
        let showing = if answer.status.is_success() { self } else { whole.clone() };
        match showing.remade(answer.body.clone(), of_many).await {
            Ok(body) => whole.dressed(answer, body),
            Err(problem) => {
                let refusal = problem.answer(Dialect::Fhir, correlation);
                match whole.remade(refusal.body.clone(), false).await {
                    Ok(body) => whole.dressed(refusal, body),
                    Err(_) => refusal,
                }
            }
        }
    }

    fn dressed(&self, mut answer: Answer, body: Bytes) -> Answer {
        let of = |format| if format == Format::Xml { FHIR_XML } else { FHIR_JSON };
        for (_, value) in answer.headers.iter_mut().filter(|(name, _)| name == CONTENT_TYPE) {
            *value = of(self.format);
        }
        answer.body = body;
        answer
    }

    async fn remade(&self, body: Bytes, of_many: bool) -> Result<Bytes, Problem> {
        if body.len() > REMADE_BYTES_MAX {
            let what = format!(
                "an answer of more than {REMADE_BYTES_MAX} bytes is made as compact JSON only; ask for fewer entries or without this"
            );
            return Err(Problem::at(ErrorKind::NotAcceptable, "_format", what));
        }
        if body.len() <= INLINE_BYTES_MAX {
            return self.make(body, of_many);
        }
        let showing = self.clone();
        let made = blocking(move || showing.make(body, of_many)).await;
        made.map_err(|cause| Problem::caused(ErrorKind::Internal, "the answer could not be made", cause))?
    }

    fn make(&self, body: Bytes, of_many: bool) -> Result<Bytes, Problem> {
        let body = match &self.subset {
            None => body,
            Some(subset) => part(body, subset, of_many)?,
        };
        match (self.format, self.pretty) {
            (Format::Json, false) => Ok(body),
            (Format::Json, true) => Ok(pretty(&body).into()),
            (Format::Xml, _) => {
                let layout = if self.pretty { Layout::Pretty } else { Layout::Compact };
                let made = iris_xml::write(read(body)?.root(), layout).map(Bytes::from);
                made.map_err(|faults| Problem::with(ErrorKind::NotAcceptable, faults))
            }
        }
    }
}

fn read(text: Bytes) -> Result<Json, Problem> {
    Json::parse(text).map_err(|cause| Problem::caused(ErrorKind::Internal, "the answer could not be made", cause))
}

/// A resource in part. `of_many`: it is a bundle that was made for its entries, which are what is shown in part.
///
/// # Errors
/// It is no JSON, which only a fault of ours can cause.
pub(super) fn part(body: Bytes, subset: &Subset, of_many: bool) -> Result<Bytes, Problem> {
    let whole = read(body)?;
    Ok(if of_many { entries(&whole, subset) } else { subset.of(whole.root()) }.into())
}

/// A bundle with each of its entries in part. What tells of the search itself stays whole, and so does what was only included where
/// elements of the type that was searched are named.
fn entries(bundle: &Json, subset: &Subset) -> Vec<u8> {
    let mut edits = Edits::new();
    for entry in bundle.root().get("entry").into_iter().flat_map(Value::items) {
        let mode = entry.get("search").and_then(|search| search.str_of("mode"));
        let whole = match mode.as_deref() {
            Some("outcome") => true,
            Some("include") => matches!(subset, Subset::Elements(_)),
            _ => false,
        };
        if let Some(resource) = entry.get("resource").filter(|_| !whole) {
            edits.replace(resource, subset.of(resource));
        }
    }
    bundle.edited(edits)
}

fn format(pairs: &Pairs, headers: &HeaderMap) -> Result<Format, Problem> {
    let twice = |fault| Problem::with(ErrorKind::Malformed, vec![fault]);
    match once("_format", pairs).map_err(twice)? {
        Some(format) => Format::asked(format),
        None => Format::accepted(headers.get_all(ACCEPT).iter().filter_map(|value: &HeaderValue| value.to_str().ok())),
    }
}

fn once<'a>(name: &str, pairs: &'a Pairs) -> Result<Option<&'a str>, Fault> {
    let mut values = pairs.iter().filter(|(own, _)| own == name).map(|(_, value)| value.as_str());
    match (values.next(), values.next()) {
        (value, None) => Ok(value),
        (_, Some(_)) => Err(Fault::new(name, "may stand only once")),
    }
}

fn boolean(name: &str, pairs: &Pairs) -> Result<bool, Fault> {
    match once(name, pairs)? {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(Fault::new(name, "must be true or false")),
    }
}
