//! One endpoint as a value: where it is, what it needs, what it takes and gives, and the handler. Routing, the permission
//! table, `/openapi.json` and `/docs` are all made from the same list, so they cannot tell different stories.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{RawPathParams, Request};
use axum::http::header::ALLOW;
use axum::http::{HeaderValue, Method, Response};
use axum::routing::any;
use iris_access::{ActionKind, Named, Target, family_of_name};
use iris_kernel::ErrorKind;
use iris_plain::Form;

use crate::answer::Answer;
use crate::app::App;
use crate::call::Call;
use crate::consistency::CONSISTENCY;
use crate::fhir::Shown;
use crate::frame::{Correlation, RouteLabel};
use crate::problem::{Dialect, Problem};

/// What an endpoint asks of its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Nothing: anybody may call it, and it shows no record.
    Nothing,
    /// A valid token.
    SignedIn,
    /// A valid token, or the cookie of a session of pages; the handler looks.
    Session,
    /// This action on records of this type. Whether the caller may see one particular record is decided with that record at hand.
    Records(ActionKind, &'static str),
    /// This action on something that has a name.
    Named(ActionKind, Named),
}

/// Where a parameter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the path.
    Path,
    /// In the query.
    Query,
    /// In a header.
    Header,
}

/// A parameter of an endpoint, for the documents and for refusing unknown query parameters by name.
#[derive(Clone, Copy, Debug)]
pub struct Param {
    /// Its name.
    pub name: &'static str,
    /// Where it stands.
    pub place: Place,
    /// What it means, in a sentence.
    pub what: &'static str,
    /// What may be in it.
    pub form: Form,
    /// How often it may stand in one request.
    pub times: Times,
}

/// How often a parameter may stand in one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Times {
    /// Once at most.
    Once,
    /// As often as there are values.
    Often,
}

/// Longest text in a parameter, in characters: the whole query has fewer bytes.
const PARAM_CHARS_MAX: usize = 8_000;

impl Param {
    const fn new(name: &'static str, place: Place, what: &'static str) -> Self {
        Self { name, place, what, form: Form::Text(PARAM_CHARS_MAX), times: Times::Once }
    }

    /// With what may be in it, where it is no mere text.
    #[must_use]
    pub const fn of(self, form: Form) -> Self {
        Self { form, ..self }
    }

    /// That may stand several times.
    #[must_use]
    pub const fn often(self) -> Self {
        Self { times: Times::Often, ..self }
    }
}

/// A query parameter.
#[must_use]
pub(crate) const fn query(name: &'static str, what: &'static str) -> Param {
    Param::new(name, Place::Query, what)
}

/// A path parameter.
#[must_use]
pub(crate) const fn path(name: &'static str, what: &'static str) -> Param {
    Param::new(name, Place::Path, what)
}

/// A header.
#[must_use]
pub(crate) const fn header(name: &'static str, what: &'static str) -> Param {
    Param::new(name, Place::Header, what)
}

/// What a handler ends with.
pub(crate) type Outcome = Result<Answer, Problem>;
type Running = Pin<Box<dyn Future<Output = Outcome> + Send>>;
type Handler = Arc<dyn Fn(Call) -> Running + Send + Sync>;

/// An endpoint.
#[derive(Clone)]
pub struct Endpoint {
    /// HTTP method.
    pub method: Method,
    /// Route template, e.g. `/api/v1/patients/{id}`.
    pub path: &'static str,
    /// What it does, in a few words.
    pub summary: &'static str,
    /// What it asks of its caller.
    pub needs: Needs,
    /// Its parameters.
    pub params: Vec<Param>,
    /// Schema of the body it takes.
    pub takes: Option<&'static str>,
    /// Status and schema of each good answer.
    pub gives: &'static [(u16, Option<&'static str>)],
    /// Whether it asks for a fresh proof of who is there (`/auth/step-up`).
    pub step_up: bool,
    /// Kinds of error it can end with, besides those that every endpoint has.
    pub fails: &'static [ErrorKind],
    handler: Handler,
}

impl Endpoint {
    /// An endpoint. Its handler gets records only sealed, and [`Call::release`] opens them once their audit entry is durable.
    pub(crate) fn new<F, R>(method: Method, path: &'static str, summary: &'static str, handler: F) -> Self
    where
        F: Fn(Call) -> R + Send + Sync + 'static,
        R: Future<Output = Outcome> + Send + 'static,
    {
        let handler: Handler = Arc::new(move |call| Box::pin(handler(call)));
        Self {
            method,
            path,
            summary,
            needs: Needs::SignedIn,
            params: Vec::new(),
            takes: None,
            gives: &[(200, None)],
            step_up: false,
            fails: &[],
            handler,
        }
    }

    /// Sets what it asks of its caller; a valid token if nothing is said.
    #[must_use]
    pub fn needs(mut self, needs: Needs) -> Self {
        self.needs = needs;
        self
    }

    /// Sets its parameters.
    #[must_use]
    pub fn params(mut self, params: &[Param]) -> Self {
        self.params = params.to_vec();
        self
    }

    /// With these parameters as well, where it does not know them yet.
    #[must_use]
    pub(crate) fn also(mut self, params: &[Param]) -> Self {
        for param in params {
            if !self.params.iter().any(|own| own.name == param.name) {
                self.params.push(*param);
            }
        }
        self
    }

    /// Sets the schema of its body.
    #[must_use]
    pub fn takes(mut self, schema: &'static str) -> Self {
        self.takes = Some(schema);
        self
    }

    /// Sets its good answers.
    #[must_use]
    pub fn gives(mut self, gives: &'static [(u16, Option<&'static str>)]) -> Self {
        self.gives = gives;
        self
    }

    /// Asks for a fresh proof of who is there, ten minutes old at most: for what is dangerous.
    #[must_use]
    pub fn step_up(mut self) -> Self {
        self.step_up = true;
        self
    }

    /// Sets the errors that are its own.
    #[must_use]
    pub fn fails(mut self, fails: &'static [ErrorKind]) -> Self {
        self.fails = fails;
        self
    }

    /// What it asks of its caller, in a sentence; nothing for an open endpoint.
    #[must_use]
    pub fn needs_text(&self) -> Option<String> {
        let text = self.permission_text()?;
        Some(if self.step_up { format!("{text} Asks for a fresh proof: POST /api/v1/auth/step-up.") } else { text })
    }

    fn permission_text(&self) -> Option<String> {
        match self.needs {
            Needs::Nothing => None,
            Needs::SignedIn => Some("Needs a valid token.".to_owned()),
            Needs::Session => Some("Needs a valid token, or the session's cookie with X-IRIS-Session.".to_owned()),
            Needs::Records(action, name) => {
                let permission = family_of_name(name).permission(action);
                permission.map(|permission| format!("Needs the permission {permission} ({action} on {name})."))
            }
            Needs::Named(action, named) => {
                let permission = Target::Named(named).family().permission(action);
                permission.map(|permission| format!("Needs the permission {permission} ({action})."))
            }
        }
    }

    /// Whether this query parameter may stand several times.
    #[must_use]
    pub fn repeats(&self, name: &str) -> bool {
        let of_name = |param: &&Param| param.place == Place::Query && param.name == name;
        self.params.iter().find(of_name).is_some_and(|param| param.times == Times::Often)
    }

    /// Its parameters and those that every endpoint about records has, for the documents.
    pub fn all_params(&self) -> impl Iterator<Item = Param> + '_ {
        let records = matches!(self.needs, Needs::Records(..))
            || (self.needs == Needs::SignedIn && Dialect::of(self.path) == Dialect::Fhir);
        self.params.iter().copied().chain(records.then_some(CONSISTENCY))
    }

    /// Names of the query parameters it knows.
    pub fn query_names(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.params.iter().filter(|param| param.place == Place::Query).map(|param| param.name)
    }

    /// Whether it looks at this header.
    #[must_use]
    pub fn knows_header(&self, name: &str) -> bool {
        self.params.iter().any(|param| param.place == Place::Header && param.name.eq_ignore_ascii_case(name))
    }
}

/// All methods of one path.
struct Methods {
    allowed: String,
    endpoints: Vec<Arc<Endpoint>>,
}

/// The router over all endpoints, with problem documents for what is not there.
pub(crate) fn routes(app: &Arc<App>, endpoints: Vec<Endpoint>) -> Router {
    let mut paths: BTreeMap<&'static str, Vec<Arc<Endpoint>>> = BTreeMap::new();
    for endpoint in endpoints {
        paths.entry(endpoint.path).or_default().push(Arc::new(endpoint));
    }
    let mut router = Router::new();
    for (path, endpoints) in paths {
        let allowed = endpoints.iter().map(|e| e.method.as_str()).collect::<Vec<_>>().join(", ");
        let methods = Arc::new(Methods { allowed, endpoints });
        let app = app.clone();
        let run =
            move |params: RawPathParams, request: Request| dispatch(app.clone(), methods.clone(), params, request);
        router = router.route(path, any(run));
    }
    router.fallback(nothing_here)
}

async fn nothing_here(request: Request) -> Response<Body> {
    let dialect = Dialect::of(request.uri().path());
    let answer =
        Problem::new(ErrorKind::NotFound, "there is nothing at this path").answer(dialect, correlation(&request));
    match dialect {
        Dialect::Plain => answer.response(),
        Dialect::Fhir => {
            let shown = Shown::guessed(&request);
            shown.get().show(answer, false, correlation(&request)).await.response()
        }
    }
}

/// The correlation id that the frame gave the request.
pub(crate) fn correlation(request: &Request) -> &str {
    request.extensions().get::<Correlation>().map_or("", |c| c.0.as_str())
}

async fn dispatch(app: Arc<App>, methods: Arc<Methods>, params: RawPathParams, request: Request) -> Response<Body> {
    let dialect = Dialect::of(request.uri().path());
    let correlation = correlation(&request).to_owned();
    let shown = Shown::guessed(&request);
    // HEAD is GET without the body, which the connection leaves out by itself.
    let wanted = if request.method() == Method::HEAD { Method::GET } else { request.method().clone() };
    let found = methods.endpoints.iter().find(|endpoint| endpoint.method == wanted);
    let label = RouteLabel(methods.endpoints.first().map_or("", |e| e.path));
    let operation = params.iter().map(|(_, value)| value).find(|value| value.starts_with('$'));
    let outcome = match found {
        // An operation that is there has a route of its own, so this is one that is not.
        _ if dialect == Dialect::Fhir && operation.is_some() => Err(no_operation(operation.unwrap_or_default())),
        None if wanted == Method::OPTIONS && dialect == Dialect::Fhir => Ok(methods.options()),
        None => Err(Problem::method(&methods.allowed)),
        Some(endpoint) => run(app, endpoint, &params, request, (correlation.clone(), shown.clone())).await,
    };
    let answer = outcome.unwrap_or_else(|problem| {
        crate::metrics::failed(problem.kind, label.0);
        report(&problem, label.0, &correlation);
        problem.answer(dialect, &correlation)
    });
    let answer = match dialect {
        Dialect::Plain => answer,
        Dialect::Fhir => {
            let of_many = found.is_some_and(|endpoint| endpoint.gives.contains(&(200, Some("Bundle"))));
            shown.get().show(answer, of_many, &correlation).await
        }
    };
    let mut response = answer.response();
    response.extensions_mut().insert(label);
    response
}

/// Longest name of an operation that a message repeats.
const OPERATION_CHARS_MAX: usize = 64;

fn no_operation(name: &str) -> Problem {
    let shown: String =
        name.chars().filter(|c| c.is_ascii_alphanumeric() || "$-_".contains(*c)).take(OPERATION_CHARS_MAX).collect();
    Problem::new(
        ErrorKind::NotFound,
        format!("there is no operation {shown} here; /fhir/metadata lists those that there are"),
    )
}

impl Methods {
    /// Which methods there are, for a caller that asks just that. HEAD and OPTIONS are wherever something else is.
    fn options(&self) -> Answer {
        let head = if self.allowed.split(", ").any(|method| method == "GET") { ", HEAD" } else { "" };
        let allowed = HeaderValue::from_str(&format!("{}{head}, OPTIONS", self.allowed));
        allowed.into_iter().fold(Answer::empty(), |answer, allowed| answer.with(ALLOW, allowed))
    }
}

async fn run(
    app: Arc<App>,
    endpoint: &Arc<Endpoint>,
    params: &RawPathParams,
    request: Request,
    (correlation, shown): (String, Shown),
) -> Outcome {
    let values = params.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let mut call = Call::new(app, endpoint.clone(), values, request, (correlation, shown));
    call.admit().await?;
    let (emergencies, caller) = (call.emergencies.clone(), call.caller().ok().cloned());
    emergencies.mark(caller.as_ref(), (endpoint.handler)(call).await)
}

/// The one place where causes are logged.
fn report(problem: &Problem, route: &'static str, correlation: &str) {
    let Some(cause) = &problem.cause else { return };
    let kind = problem.kind;
    if problem.status().is_server_error() {
        tracing::error!(?kind, route, correlation, cause = %chain(&**cause), "request failed");
    } else {
        tracing::debug!(?kind, route, correlation, cause = %chain(&**cause), "request refused");
    }
}

fn chain(cause: &(dyn std::error::Error + 'static)) -> String {
    let mut out = cause.to_string();
    let mut next = cause.source();
    while let Some(cause) = next {
        out.push_str(": ");
        out.push_str(&cause.to_string());
        next = cause.source();
    }
    out
}
