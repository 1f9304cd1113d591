//! `GET /fhir/metadata`: what this server does, from what is routed and what the search serves.

mod search;

use axum::http::{Method, StatusCode};
use iris_fhir::definitions;
use iris_fhir::json::Writer;
use iris_kernel::{ErrorKind, Kind};
use iris_resources::{ClientIds, MultipleDeletes, ReferencePolicy};

use super::operation::Operation;
use super::{Interaction, Routed, routed};
use crate::answer::Answer;
use crate::app::App;
use crate::call::Call;
use crate::endpoint::{Endpoint, Needs, Outcome, query};
use crate::problem::Problem;

/// Between what is said of one type.
const DOCUMENTATION: &str = "\
The header X-IRIS-Consistency: strong makes a request wait until what any node has stored is found; without it, what another node \
stored is found within a second. Requests and answers are JSON or XML (_format, Accept, Content-Type), on lines with _pretty=true. \
_summary (true, text, data, false) and _elements show a part of each resource, tagged SUBSETTED; a resource with that tag is not \
stored. Parameters that are not known are refused by name, or with Prefer: handling=lenient passed over. Prefer: return=minimal, \
representation or OperationOutcome is followed. Searches also take _sort, _count, _total, _include, _revinclude (both with \
:iterate), _has, chains, _filter, _contained and _containedType (not beside _include, _revinclude, _has, _list or chains) and, of the \
whole system, _type; a page goes on with its next link. Within a \
compartment: Type/id/Type or Type/id/*.";
const SECURITY: &str = "\
Bearer tokens from /api/v1/auth/login or, for machines, from /oauth2/token (OAuth 2.0 client credentials). There is no authorization \
endpoint and no SMART App Launch. What a caller may not see is answered as if it were not there.";

pub(super) fn endpoint() -> Endpoint {
    Endpoint::new(Method::GET, "/fhir/metadata", "What this server does (CapabilityStatement)", handle)
        .needs(Needs::Nothing)
        .params(&[query("mode", "full, which is what there is; normative and terminology are refused.")])
        .gives(&[(200, Some("CapabilityStatement"))])
}

async fn handle(call: Call) -> Outcome {
    if call.query_value("mode").is_some_and(|mode| mode != "full") {
        let what = "must be full; there is no statement of normative parts or of terminology";
        return Err(Problem::at(ErrorKind::NotSupported, "mode", what));
    }
    let statement = call.app.documents.capabilities.get_or_init(|| statement(&call.app).into());
    Ok(Answer::fhir(StatusCode::OK, statement.clone()))
}

/// The statement. Its date is that of the software: what it says changes with the version only.
pub(crate) fn statement(app: &App) -> Vec<u8> {
    let routed = routed();
    let has = |method: &Method, path| routed.iter().any(|r| r.endpoint.method == method && r.endpoint.path == path);
    let mut w = Writer::with_capacity(4 << 20);
    w.object().member("resourceType", "CapabilityStatement").member("status", "active").member("date", "2026-11-22");
    w.member("kind", "instance").member("fhirVersion", "4.0.1");
    words("format", &["application/fhir+json", "application/fhir+xml", "json", "xml"], &mut w);
    if has(&Method::PATCH, "/fhir/{type}/{id}") {
        words("patchFormat", &["application/json-patch+json", "application/fhir+json", "application/fhir+xml"], &mut w);
    }
    w.key("software").object().member("name", "IRIS").member("version", app.version).end();
    w.key("implementation").object().member("description", "IRIS").member("url", &app.fhir_base()).end();
    w.key("rest").array().object().member("mode", "server").member("documentation", DOCUMENTATION);
    w.key("security").object().key("service").array().object().key("coding").array().object();
    w.member("system", "http://terminology.hl7.org/CodeSystem/restful-security-service").member("code", "OAuth");
    w.end().end().end().end().member("description", SECURITY).end();
    w.key("resource").array();
    let referring = search::Referring::new();
    for kind in definitions().kinds() {
        resource(app, &routed, kind, &referring, &mut w);
    }
    w.end();
    codes(&routed, |interaction| if let Interaction::System(code) = interaction { Some(code) } else { None }, &mut w);
    search::of_system(&mut w);
    w.end().end().end();
    w.finish()
}

fn words(name: &str, words: &[&str], w: &mut Writer) {
    w.key(name).array();
    for word in words {
        w.string(word);
    }
    w.end();
}

/// Each code once, in the order of the routes.
fn codes(routed: &[Routed], code: fn(Interaction) -> Option<&'static str>, w: &mut Writer) {
    let mut told = Vec::new();
    w.key("interaction").array();
    for code in routed.iter().filter_map(|routed| code(routed.interaction)) {
        if !told.contains(&code) {
            w.object().member("code", code).end();
            told.push(code);
        }
    }
    w.end();
}

fn resource(app: &App, routed: &[Routed], kind: Kind, referring: &search::Referring, w: &mut Writer) {
    let policy = app.records.policy();
    let has = |method: &Method, path| routed.iter().any(|r| r.endpoint.method == method && r.endpoint.path == path);
    w.object().member("type", definitions().name_of(kind));
    codes(routed, |interaction| if let Interaction::Type(code) = interaction { Some(code) } else { None }, w);
    w.member("versioning", "versioned-update").key("readHistory").bool(true);
    w.key("updateCreate").bool(policy.client_ids == ClientIds::Allowed);
    w.key("conditionalCreate").bool(true).member("conditionalRead", "full-support");
    w.key("conditionalUpdate").bool(has(&Method::PUT, "/fhir/{type}"));
    let deletes = match policy.multiple_deletes {
        _ if !has(&Method::DELETE, "/fhir/{type}") => "not-supported",
        MultipleDeletes::Refused => "single",
        MultipleDeletes::Allowed => "multiple",
    };
    w.member("conditionalDelete", deletes).key("referencePolicy").array().string("literal").string("local");
    w.string(if policy.references == ReferencePolicy::Checked { "enforced" } else { "logical" }).end();
    search::of_type(kind, referring, w);
    let mut operations: Vec<&Operation> = Vec::new();
    for routed in routed {
        if let Interaction::Operation(operation) = routed.interaction
            && operation.is_of(kind)
            && !operations.contains(&operation)
        {
            operations.push(operation);
        }
    }
    if !operations.is_empty() {
        w.key("operation").array();
        for operation in operations {
            w.object().member("name", operation.name).member("definition", operation.definition);
            w.member("documentation", operation.what).end();
        }
        w.end();
    }
    w.end();
}
