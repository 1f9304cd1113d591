//! The FHIR R4 API: one file for each interaction. Routes and `/metadata` are made from the same list.

mod bundle;
mod create;
mod delete;
mod format;
mod history;
mod metadata;
mod operation;
mod patch;
mod read;
mod search;
mod showing;
mod update;

use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use iris_fhir::definitions;
use iris_kernel::{ErrorKind, Kind};
use iris_plain::Form;
use iris_resources::{Criteria, Stored, Written};

use crate::answer::Answer;
use crate::call::{Call, kind_named};
use crate::endpoint::{Endpoint, Needs, Param, header, path, query};
use crate::plain::versioned;
use crate::problem::Problem;

pub(crate) use format::Format;
use operation::Operation;
pub(crate) use showing::{Showing, Shown};

const TYPE: Param = path("type", "Resource type of R4.");
const ID: Param = path("id", "The logical id.");
const FORMAT: Param =
    query("_format", "json (application/fhir+json) or xml (application/fhir+xml); counts before Accept.");
const PRETTY: Param = query("_pretty", "true: each element on a line of its own.").of(Form::Boolean);
const SUMMARY: Param = query("_summary", "Which part of each resource is shown: true, text, data or false.")
    .of(Form::Choice(&["true", "text", "data", "false"]));
const ELEMENTS: Param =
    query("_elements", "Names of the elements that are shown, by comma; what must be there is shown beside.");
const ANY_CRITERIA: Param = query("*", "Search parameters of the type: which resource is meant.");
const IF_MATCH: Param = header("If-Match", "The ETag of the version that must be current; 412 if it is not.");
const IF_NONE_MATCH: Param = header("If-None-Match", "`*`: only if there is no such record; 412 if there is.");
const RETURN: Param = header("Prefer", "return=minimal leaves the resource out of the answer.");

/// What a route can do with every resource type, for `/metadata`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Interaction {
    /// On a type or an instance; FHIR's code.
    Type(&'static str),
    /// On the whole system; FHIR's code.
    System(&'static str),
    /// An operation that has a name.
    Operation(&'static Operation),
    /// None that a capability statement lists.
    Unlisted,
}

/// A route with the interaction that it is.
pub(crate) struct Routed {
    pub(crate) interaction: Interaction,
    pub(crate) endpoint: Endpoint,
}

fn unlisted(endpoint: Endpoint) -> Routed {
    Routed { interaction: Interaction::Unlisted, endpoint }
}

fn on_type(code: &'static str, endpoint: Endpoint) -> Routed {
    Routed { interaction: Interaction::Type(code), endpoint }
}

/// Every interaction that is routed. Each can be asked for in both forms, and what reads in part.
pub(crate) fn routed() -> Vec<Routed> {
    let in_part = |routed: &Routed| match routed.interaction {
        Interaction::Type(code) | Interaction::System(code) => {
            matches!(code, "read" | "vread") || code.starts_with("history")
        }
        Interaction::Operation(_) | Interaction::Unlisted => false,
    };
    let shown = |mut routed: Routed| {
        let part: &[Param] = if in_part(&routed) { &[SUMMARY, ELEMENTS] } else { &[] };
        routed.endpoint = routed.endpoint.also(&[FORMAT, PRETTY]).also(part);
        routed
    };
    interactions().into_iter().chain(search::routed()).chain(operation::routed()).map(shown).collect()
}

fn interactions() -> Vec<Routed> {
    let of = |method, path, summary| Endpoint::new(method, path, summary, read::read).needs(Needs::SignedIn);
    let reading = &[ErrorKind::NotFound, ErrorKind::Gone];
    let writing =
        &[ErrorKind::Malformed, ErrorKind::Invalid, ErrorKind::Conflict, ErrorKind::LostUpdate, ErrorKind::MediaType];
    let changing = &[
        ErrorKind::Malformed,
        ErrorKind::Invalid,
        ErrorKind::NotFound,
        ErrorKind::Gone,
        ErrorKind::Conflict,
        ErrorKind::LostUpdate,
        ErrorKind::MediaType,
    ];
    let conditional = &[
        ErrorKind::Malformed,
        ErrorKind::NotSupported,
        ErrorKind::Invalid,
        ErrorKind::Conflict,
        ErrorKind::LostUpdate,
        ErrorKind::MultipleMatches,
    ];
    vec![
        on_type(
            "read",
            of(Method::GET, "/fhir/{type}/{id}", "Read the current version")
                .params(&[TYPE, ID, FORMAT, PRETTY])
                .gives(&[(200, Some("Resource"))])
                .fails(reading),
        ),
        on_type("vread", read::version_endpoint().fails(reading)),
        on_type("update", update::endpoint().fails(writing)),
        unlisted(update::conditional().fails(conditional)),
        on_type("patch", patch::endpoint().fails(changing)),
        unlisted(patch::conditional().fails(conditional)),
        on_type("delete", delete::endpoint().fails(&[ErrorKind::NotFound, ErrorKind::LostUpdate])),
        unlisted(delete::conditional().fails(conditional)),
        on_type("history-instance", history::instance().fails(reading)),
        on_type("history-type", history::of_type().fails(&[ErrorKind::Malformed])),
        Routed { interaction: Interaction::System("history-system"), endpoint: history::system() },
        on_type("create", create::endpoint().fails(writing)),
        Routed { interaction: Interaction::System("batch"), endpoint: bundle::endpoint("/fhir").fails(writing) },
        Routed { interaction: Interaction::System("transaction"), endpoint: bundle::endpoint("/fhir/").fails(writing) },
        Routed { interaction: Interaction::Unlisted, endpoint: metadata::endpoint() },
    ]
}

pub(crate) fn endpoints() -> Vec<Endpoint> {
    routed().into_iter().map(|routed| routed.endpoint).collect()
}

/// The resource type of the path.
fn kind(call: &Call) -> Result<Kind, Problem> {
    kind_named(call.path("type"))
}

/// The criteria in the query: which resource is meant.
fn criteria(call: &Call) -> Result<Criteria, Problem> {
    let pairs: Vec<_> =
        call.query().iter().filter(|(name, _)| name != "_format" && name != "_pretty").cloned().collect();
    Ok(call.app.records.criteria_of(call.caller()?, kind(call)?, &pairs)?)
}

/// What the caller wants to see of what it wrote (`Prefer: return=…`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Return {
    Minimal,
    Representation,
    Outcome,
}

const RETURNS: [(&str, Return); 3] = [
    ("return=minimal", Return::Minimal),
    ("return=representation", Return::Representation),
    ("return=OperationOutcome", Return::Outcome),
];

fn wanted(call: &Call, default: Return) -> Return {
    RETURNS.into_iter().find(|(preference, _)| call.prefers(preference)).map_or(default, |(_, wanted)| wanted)
}

/// The answer with the preference that it follows (RFC 7240 §3), where its caller has one. Others are passed over, as it says.
fn as_preferred(call: &Call, answer: Answer) -> Answer {
    const APPLIED: HeaderName = HeaderName::from_static("preference-applied");
    let preference = RETURNS.into_iter().find(|(preference, _)| call.prefers(preference));
    match preference {
        Some((preference, _)) => answer.with(APPLIED, HeaderValue::from_static(preference)),
        None => answer,
    }
}

/// The answer to a read: the stored bytes as they are.
fn shown(stored: &Stored) -> Answer {
    versioned(Answer::fhir(StatusCode::OK, stored.body.clone()), stored.version, stored.at)
}

/// The answer to a write.
async fn answered(call: &Call, status: StatusCode, written: Written) -> Result<Answer, Problem> {
    const DONE: &str = r#"{"resourceType":"OperationOutcome","issue":[{"severity":"information","code":"informational","diagnostics":"stored"}]}"#;
    call.wrote(&written);
    let (location, version, at) = (location(call, &written), written.version, written.at);
    let answer = match wanted(call, Return::Representation) {
        Return::Minimal => Answer::new(status, bytes::Bytes::new()),
        Return::Representation => Answer::fhir(status, call.content(written).await?),
        Return::Outcome => Answer::fhir(status, DONE),
    };
    Ok(as_preferred(call, versioned(answer.located(&location), version, at)))
}

/// `[base]/Type/id/_history/version`
fn location(call: &Call, written: &Written) -> String {
    format!("{}/{}", call.app.fhir_base(), versioned_path(written))
}

fn versioned_path(written: &Written) -> String {
    format!("{}/{}/_history/{}", definitions().name_of(written.kind), written.id, written.version)
}
