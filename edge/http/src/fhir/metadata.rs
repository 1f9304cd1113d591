//! `GET /fhir/metadata`: what this server does, from what is routed and what the search serves.

use axum::http::{Method, StatusCode};
use iris_fhir::definitions;
use iris_fhir::json::Writer;
use iris_kernel::Kind;
use iris_resources::{ClientIds, ReferencePolicy};
use iris_search::served;

use super::{FORMAT, Interaction, PRETTY, Routed, routed};
use crate::answer::Answer;
use crate::app::App;
use crate::call::Call;
use crate::endpoint::{Endpoint, Needs, Outcome, query};

pub(super) fn endpoint() -> Endpoint {
    Endpoint::new(Method::GET, "/fhir/metadata", "What this server does (CapabilityStatement)", handle)
        .needs(Needs::Nothing)
        .params(&[FORMAT, PRETTY, query("mode", "full or normative: both give the whole statement.")])
        .gives(&[(200, Some("CapabilityStatement"))])
}

async fn handle(call: Call) -> Outcome {
    let statement = call.app.documents.capabilities.get_or_init(|| statement(&call.app).into());
    Ok(Answer::fhir(StatusCode::OK, statement.clone()))
}

/// The statement. Its date is that of R4: what it says changes with the version of the software only.
pub(crate) fn statement(app: &App) -> Vec<u8> {
    let mut w = Writer::with_capacity(512 << 10);
    w.object().member("resourceType", "CapabilityStatement").member("status", "active").member("date", "2026-11-21");
    w.member("kind", "instance").member("fhirVersion", "4.0.1");
    w.key("format").array().string("application/fhir+json").string("json").end();
    w.key("software").object().member("name", "IRIS").member("version", app.version).end();
    w.key("implementation").object().member("description", "IRIS").member("url", &app.fhir_base()).end();
    w.key("rest").array().object().member("mode", "server").member(
        "documentation",
        "The header X-IRIS-Consistency: strong makes a request wait until what any node has stored is found; without it, what \
         another node stored is found within a second.",
    );
    w.key("security").object().key("service").array().object().key("coding").array().object();
    w.member("system", "http://terminology.hl7.org/CodeSystem/restful-security-service")
        .member("code", "OAuth")
        .end()
        .end();
    w.end().end();
    w.member(
        "description",
        "Bearer tokens from /api/v1/auth/login or, for machines, from /oauth2/token (OAuth 2.0 client credentials). There is no \
         authorization endpoint and no SMART App Launch. What a caller may not see is answered as if it were not there.",
    )
    .end();
    w.key("resource").array();
    let (definitions, routed) = (definitions(), routed());
    for kind in definitions.kinds() {
        resource(app, &routed, kind, definitions.name_of(kind), &mut w);
    }
    w.end().key("interaction").array();
    for code in routed.iter().filter_map(|routed| match routed.interaction {
        Interaction::System(code) => Some(code),
        Interaction::Type(_) | Interaction::Unlisted => None,
    }) {
        w.object().member("code", code).end();
    }
    w.end();
    w.end().end().end();
    w.finish()
}

fn resource(app: &App, routed: &[Routed], kind: Kind, name: &str, w: &mut Writer) {
    let policy = app.records.policy();
    w.object().member("type", name).key("interaction").array();
    for code in routed.iter().filter_map(|routed| match routed.interaction {
        Interaction::Type(code) => Some(code),
        Interaction::System(_) | Interaction::Unlisted => None,
    }) {
        w.object().member("code", code).end();
    }
    w.end().member("versioning", "versioned-update").key("readHistory").bool(true);
    w.key("updateCreate").bool(policy.client_ids == ClientIds::Allowed);
    w.key("conditionalCreate").bool(true).member("conditionalRead", "not-match").key("conditionalUpdate").bool(false);
    w.member("conditionalDelete", "not-supported").key("referencePolicy").array().string("literal").string("local");
    w.string(if policy.references == ReferencePolicy::Checked { "enforced" } else { "logical" }).end();
    w.key("searchParam").array();
    for param in served(kind) {
        w.object().member("name", param.code).member("definition", param.url).member("type", param.kind.code()).end();
    }
    w.end().end();
}
