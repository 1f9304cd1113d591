//! One request on its way through a handler: who calls, with what, and the doors to permits, records and the audit log.

mod content;
mod emergencies;
mod held_back;
mod slow;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{AUTHORIZATION, IF_MATCH, IF_NONE_MATCH, USER_AGENT};
use axum::http::request::Parts;
use axum::http::{HeaderName, Method, Uri};
use bytes::Bytes;
use iris_access::{Action, Caller, Facts, Named, Origin, Permit, Target, VersionRead, decide, judge};
use iris_audit::Sealed;
use iris_fhir::definitions;
use iris_kernel::{ErrorKind, Fault, Kind, Version};
use iris_resources::{IdempotencyKey, Outcome as Wrote, Precondition, Refusal, Written, searchable};
use iris_search::Query;
use parking_lot::Mutex;

use crate::address;
use crate::app::App;
use crate::consistency::Consistency;
use crate::endpoint::{Endpoint, Needs};
use crate::fhir::Shown;
use crate::problem::{Dialect, Problem};
use emergencies::Emergencies;

/// Longest query string in bytes.
pub(crate) const QUERY_BYTES_MAX: usize = 8 << 10;
/// Most parameters of a query.
pub(crate) const QUERY_PARAMETERS_MAX: usize = 200;
/// Longest `Idempotency-Key`.
pub(crate) const IDEMPOTENCY_CHARS_MAX: usize = 128;
/// Purpose that an access has where the caller states none (fields.md, `access_purpose`).
const PURPOSE_DEFAULT: &str = "clinical_review";
/// Longest purpose that is taken.
const PURPOSE_CHARS_MAX: usize = 64;

/// Query parameters in the order sent.
pub(crate) type Pairs = Vec<(String, String)>;

/// A header that stands more than once or is no text.
pub(crate) struct Unclear;

/// A request.
pub struct Call {
    /// What handlers work with.
    pub app: Arc<App>,
    /// The correlation id.
    pub correlation: String,
    endpoint: Arc<Endpoint>,
    path: Vec<(String, String)>,
    parts: Parts,
    /// Behind a mutex only because a body cannot be shared between threads, and a call is; it is never locked.
    body: Mutex<Option<Body>>,
    caller: Option<Arc<Caller>>,
    query: Pairs,
    /// The emergencies through which something of the answer was seen.
    pub(crate) emergencies: Emergencies,
    /// How the answer is shown, under `/fhir`.
    pub(crate) shown: Shown,
}

impl Call {
    pub(crate) fn new(
        app: Arc<App>,
        endpoint: Arc<Endpoint>,
        path: Vec<(String, String)>,
        request: Request,
        (correlation, shown): (String, Shown),
    ) -> Self {
        let (parts, body) = request.into_parts();
        let (body, query, emergencies) = (Mutex::new(Some(body)), Vec::new(), Emergencies::default());
        Self { app, correlation, endpoint, path, parts, body, caller: None, query, emergencies, shown }
    }

    /// Everything that holds before a handler runs: media types, the query's shape, who calls and whether they may at all.
    pub(crate) async fn admit(&mut self) -> Result<(), Problem> {
        self.query = self.read_query()?;
        self.acceptable()?;
        self.conditions()?;
        let consistency = self.consistency()?;
        if matches!(self.endpoint.needs, Needs::Nothing | Needs::Session) {
            return Ok(());
        }
        let caller = self.authenticate().await?;
        self.caller = Some(caller.clone());
        self.unlimited(&caller).await?;
        let needed = match self.endpoint.needs {
            Needs::Nothing | Needs::Session | Needs::SignedIn => None,
            Needs::Records(action, name) => Some((action, Target::Kind(kind_named(name)?))),
            Needs::Named(action, named) => Some((action, Target::Named(named))),
        };
        if let Some((action, target)) = needed
            && let Err(denial) = judge(&caller, action, &Facts::of(target))
        {
            return Err(self.denied(&caller, target, denial).await);
        }
        self.fresh(&caller).await?;
        if consistency == Consistency::Strong { self.caught_up().await } else { Ok(()) }
    }

    /// Who stands behind the request's access token.
    ///
    /// # Errors
    /// Unauthenticated: there is none, or it does not count.
    pub(crate) async fn authenticate(&self) -> Result<Arc<Caller>, Problem> {
        Ok(self.app.identity.authenticate(&self.bearer()?, self.origin()).await?)
    }

    /// Refuses `If-None-Match` on a write that does not look at it: whoever sends it relies on it.
    fn conditions(&self) -> Result<(), Problem> {
        let safe = matches!(self.parts.method, Method::GET | Method::HEAD);
        if safe || !self.parts.headers.contains_key(IF_NONE_MATCH) || self.endpoint.knows_header("If-None-Match") {
            return Ok(());
        }
        Err(Problem::at(ErrorKind::NotSupported, "If-None-Match", "has no effect on this request"))
    }

    /// Reads the query. Names that the endpoint does not know are refused by name; an endpoint with the parameter `*` takes all.
    fn read_query(&self) -> Result<Pairs, Problem> {
        let text = self.parts.uri.query().unwrap_or_default();
        if text.len() > QUERY_BYTES_MAX {
            return Err(Problem::new(ErrorKind::TooLarge, format!("a query has at most {QUERY_BYTES_MAX} bytes")));
        }
        let pairs: Pairs = form_urlencoded::parse(text.as_bytes()).into_owned().collect();
        if pairs.len() > QUERY_PARAMETERS_MAX {
            return Err(Problem::new(
                ErrorKind::TooLarge,
                format!("a query has at most {QUERY_PARAMETERS_MAX} parameters"),
            ));
        }
        if self.endpoint.query_names().any(|name| name == "*") {
            return Ok(pairs);
        }
        let is_known = |name: &str| self.endpoint.query_names().any(|known| known == name);
        let is_lenient = self.is_lenient();
        let mut faults = Vec::new();
        for (at, (name, _)) in pairs.iter().enumerate() {
            if !is_known(name) {
                if !is_lenient {
                    let shown: String = name.chars().take(PURPOSE_CHARS_MAX).collect();
                    faults.push(Fault::new(shown, "there is no such parameter"));
                }
            } else if pairs.iter().take(at).any(|(other, _)| other == name) && !self.endpoint.repeats(name) {
                faults.push(Fault::new(name.clone(), "may stand only once"));
            }
        }
        if !faults.is_empty() {
            return Err(Problem::with(ErrorKind::NotSupported, faults));
        }
        Ok(pairs.into_iter().filter(|(name, _)| is_known(name)).collect())
    }

    fn bearer(&self) -> Result<String, Problem> {
        let missing = || Problem::new(ErrorKind::Unauthenticated, "an access token is needed: Authorization: Bearer …");
        let mut lines = self.parts.headers.get_all(AUTHORIZATION).iter();
        let text = lines.next().and_then(|line| line.to_str().ok()).ok_or_else(missing)?;
        // Of two, whatever stands in front of this server may have looked at the other one.
        if lines.next().is_some() {
            return Err(missing());
        }
        let (scheme, token) = text.split_once(' ').ok_or_else(missing)?;
        if scheme.eq_ignore_ascii_case("bearer") { Ok(token.trim().to_owned()) } else { Err(missing()) }
    }

    /// Where the request comes from.
    #[must_use]
    pub fn origin(&self) -> Origin {
        let purpose = self.endpoint.query_names().any(|name| name == "access_purpose").then(|| {
            let given = self.query.iter().find(|(name, _)| name == "access_purpose").map(|(_, value)| value.as_str());
            given.unwrap_or(PURPOSE_DEFAULT).chars().take(PURPOSE_CHARS_MAX).collect::<String>()
        });
        Origin {
            address: address::of(&self.parts, self.app.behind_proxy).map(|address| address.to_string().into()),
            agent: self.header(&USER_AGENT).map(Into::into),
            correlation: self.correlation.as_str().into(),
            purpose: purpose.map(Into::into),
            device: crate::auth::device(self),
        }
    }

    /// The dialect of the path.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        Dialect::of(self.parts.uri.path())
    }

    /// The method.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.parts.method
    }

    /// The path and query, with aliases resolved.
    #[must_use]
    pub fn uri(&self) -> &Uri {
        &self.parts.uri
    }

    /// The value of a path parameter, percent-decoded; empty if the route has none of that name.
    #[must_use]
    pub fn path(&self, name: &str) -> &str {
        self.path.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.as_str())
    }

    /// The path parameter `id`, if it can be the id of a record at all.
    ///
    /// # Errors
    /// Not found: what is no id names no record.
    pub fn id(&self) -> Result<&str, Problem> {
        let id = self.path("id");
        if iris_fhir::validate::primitive::is_id(id) { Ok(id) } else { Err(Refusal::not_found().into()) }
    }

    /// The query in the order sent.
    #[must_use]
    pub(crate) fn query(&self) -> &Pairs {
        &self.query
    }

    /// The value of a query parameter.
    #[must_use]
    pub fn query_value(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A header as text.
    #[must_use]
    pub fn header(&self, name: &HeaderName) -> Option<&str> {
        self.parts.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Every line of a header that is text.
    pub fn headers(&self, name: &HeaderName) -> impl Iterator<Item = &str> {
        self.parts.headers.get_all(name).iter().filter_map(|value| value.to_str().ok())
    }

    /// Who calls.
    ///
    /// # Errors
    /// On an endpoint that asks for no token.
    pub fn caller(&self) -> Result<&Arc<Caller>, Problem> {
        self.caller.as_ref().ok_or_else(|| Problem::new(ErrorKind::Unauthenticated, "an access token is needed"))
    }

    /// The permit for an action on a kind of record. A refusal is answered once it is in the audit log.
    ///
    /// # Errors
    /// The missing permission by name.
    pub async fn permit<A: Action>(&self, action: A, kind: Kind) -> Result<Permit<A>, Problem> {
        self.permit_target(action, Target::Kind(kind)).await
    }

    /// The permit for an action on something that has a name.
    ///
    /// # Errors
    /// The missing permission by name.
    pub async fn permit_named<A: Action>(&self, action: A, named: Named) -> Result<Permit<A>, Problem> {
        self.permit_target(action, Target::Named(named)).await
    }

    /// The permit for an action on something that has a name, about one patient.
    ///
    /// # Errors
    /// The missing permission by name; not found, if the caller may not know of that patient.
    pub async fn permit_patient<A: Action>(
        &self,
        action: A,
        named: Named,
        patient: &str,
    ) -> Result<Permit<A>, Problem> {
        let (caller, target) = (self.caller()?, Target::Named(named));
        match decide(caller, action, &Facts::about(target, &[patient.to_owned()])) {
            Ok(permit) => Ok(permit),
            Err(denial) => Err(self.denied(caller, target, denial).await),
        }
    }

    /// Whether the caller may search by what a query names: national identifiers only with the permission for them. A refusal is
    /// answered once it is in the audit log.
    ///
    /// # Errors
    /// The missing permission by name.
    pub(crate) async fn searchable(&self, query: &Query) -> Result<(), Problem> {
        let caller = self.caller()?;
        match searchable(caller, query) {
            Ok(()) => Ok(()),
            Err(denial) => Err(self.denied(caller, Target::Kind(query.kind), denial).await),
        }
    }

    async fn permit_target<A: Action>(&self, action: A, target: Target) -> Result<Permit<A>, Problem> {
        let caller = self.caller()?;
        match decide(caller, action, &Facts::of(target)) {
            Ok(permit) => Ok(permit),
            Err(denial) => Err(self.denied(caller, target, denial).await),
        }
    }

    /// Opens what was read, once its audit entries are durable. The only way to anything that is sealed.
    ///
    /// # Errors
    /// The access log cannot be written; then nothing is shown.
    pub async fn release<T>(&self, sealed: Sealed<T>) -> Result<T, Problem> {
        self.concerns(|| sealed.concerns());
        self.app.audit.release(sealed).await.map_err(|cause| Refusal::from(cause).into())
    }

    /// The content of what a write came to. A record that was there already was not shown by the write, so it is read now, with
    /// an entry of its own.
    ///
    /// # Errors
    /// The caller may not read it, or the access log cannot be written.
    pub async fn content(&self, written: Written) -> Result<Bytes, Problem> {
        self.wrote(&written);
        if written.outcome != Wrote::Existed {
            return Ok(written.body.into());
        }
        let permit = self.permit(VersionRead, written.kind).await?;
        let sealed = self.app.records.version_read(&permit, &written.id, written.version)?;
        Ok(self.release(sealed).await?.found()?.body)
    }

    /// The version of `If-Match`, if there is one.
    ///
    /// # Errors
    /// The header is no ETag of ours.
    pub fn if_match(&self) -> Result<Option<Version>, Problem> {
        let wrong = || Problem::at(ErrorKind::Malformed, "If-Match", "must be one ETag such as W/\"1\"");
        let Some(text) = self.only(&IF_MATCH).map_err(|_| wrong())? else { return Ok(None) };
        iris_resources::parse_etag(text).map(Some).ok_or_else(wrong)
    }

    /// The value of a header that decides about a write: one that stands twice or is no text must not count as absent.
    pub(crate) fn only(&self, name: &HeaderName) -> Result<Option<&str>, Unclear> {
        let mut values = self.parts.headers.get_all(name).iter();
        match (values.next(), values.next()) {
            (None, _) => Ok(None),
            (Some(value), None) => value.to_str().map(Some).map_err(|_| Unclear),
            (Some(_), Some(_)) => Err(Unclear),
        }
    }

    /// What must be true before a record is replaced: `If-Match` with an ETag, or `If-None-Match: *`.
    ///
    /// # Errors
    /// A header that is neither, or both at once.
    pub fn precondition(&self) -> Result<Precondition, Problem> {
        let wrong = |what| Problem::at(ErrorKind::Malformed, "If-None-Match", what);
        match (self.if_match()?, self.only(&IF_NONE_MATCH).map_err(|_| wrong("must be * on a write"))?) {
            (version, None) => Ok(version.into()),
            (None, Some("*")) => Ok(Precondition::Absent),
            (Some(_), Some(_)) => Err(wrong("cannot stand beside If-Match")),
            (None, Some(_)) => Err(wrong("must be * on a write")),
        }
    }

    /// The `Idempotency-Key` with the digest of the body, if there is one.
    ///
    /// # Errors
    /// A key that is empty, too long or not of visible ASCII.
    pub fn idempotency_key(&self, body: &[u8]) -> Result<Option<IdempotencyKey>, Problem> {
        let Some(value) = self.parts.headers.get("idempotency-key") else { return Ok(None) };
        let good =
            |key: &&str| (1..=IDEMPOTENCY_CHARS_MAX).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic());
        let Some(key) = value.to_str().ok().filter(good) else {
            let what = format!("must be 1 to {IDEMPOTENCY_CHARS_MAX} visible ASCII characters");
            return Err(Problem::at(ErrorKind::Malformed, "Idempotency-Key", what));
        };
        // The path counts too: one key on two paths is two requests that must not be taken for one.
        let path = self.parts.uri.path().as_bytes();
        let length = (path.len() as u64).to_be_bytes();
        let digest = iris_crypto::digest::sha256(&[&length, path, body]);
        Ok(Some(IdempotencyKey { key: key.to_owned(), digest }))
    }

    /// A number from the query.
    ///
    /// # Errors
    /// What is no number between `min` and `max`.
    pub fn query_number(&self, name: &str, default: usize, min: usize, max: usize) -> Result<usize, Problem> {
        let Some(text) = self.query_value(name) else { return Ok(default) };
        let good = text.parse::<usize>().ok().filter(|number| (min..=max).contains(number));
        good.ok_or_else(|| Problem::at(ErrorKind::Invalid, name, format!("must be a whole number from {min} to {max}")))
    }

    /// The filters of a list: the query without what is about the page.
    #[must_use]
    pub(crate) fn filters(&self) -> Pairs {
        const PAGE: [&str; 6] = ["limit", "cursor", "skip", "total", "access_purpose", "patient_portal"];
        self.query.iter().filter(|(name, _)| !PAGE.contains(&name.as_str())).cloned().collect()
    }
}

/// The kind of a resource type by its name.
///
/// # Errors
/// R4 has no such type: there is nothing at that path.
pub(crate) fn kind_named(name: &str) -> Result<Kind, Problem> {
    let what = || Problem::new(ErrorKind::NotFound, "R4 has no such resource type");
    definitions().kind_of(name).ok_or_else(what)
}
