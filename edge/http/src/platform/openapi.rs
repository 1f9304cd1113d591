//! `GET /openapi.json`: OpenAPI 3.1 from the list of endpoints that routes are made from.

use std::collections::BTreeMap;

use axum::http::{Method, StatusCode};
use iris_fhir::json::Writer;
use iris_kernel::ErrorKind;
use iris_plain::{View, form};
use iris_resources::Refusal;

use crate::answer::Answer;
use crate::call::Call;
use crate::endpoint::{Endpoint, Needs, Outcome, Place, Times};
use crate::problem::{Dialect, table};
use crate::schema;

pub(super) fn endpoint() -> Endpoint {
    Endpoint::new(Method::GET, "/openapi.json", "This API as an OpenAPI 3.1 document", handle)
        .needs(Needs::Nothing)
        .gives(&[(200, Some("OpenApi"))])
}

async fn handle(call: Call) -> Outcome {
    if !call.app.settings.docs() {
        return Err(Refusal::not_found().into());
    }
    let document = call.app.documents.openapi.get_or_init(|| document(&crate::endpoints(), call.app.version).into());
    Ok(Answer::json(StatusCode::OK, document.clone()))
}

/// The document of these endpoints.
fn document(endpoints: &[Endpoint], version: &str) -> Vec<u8> {
    let mut paths: BTreeMap<&str, Vec<&Endpoint>> = BTreeMap::new();
    for endpoint in endpoints {
        paths.entry(endpoint.path).or_default().push(endpoint);
    }
    let mut w = Writer::with_capacity(128 << 10);
    w.object().member("openapi", "3.1.0").key("info").object().member("title", "IRIS").member("version", version);
    w.member(
        "description",
        "Healthcare records: a plain API under /api/v1 and FHIR R4 under /fhir, over the same data.",
    )
    .end();
    w.key("paths").object();
    for (path, endpoints) in paths {
        w.key(path).object();
        for endpoint in endpoints {
            w.key(&endpoint.method.as_str().to_ascii_lowercase());
            operation(endpoint, &mut w);
        }
        w.end();
    }
    w.end().key("components").object().key("securitySchemes").object().key("bearer").object();
    w.member("type", "http").member("scheme", "bearer").member("bearerFormat", "JWT").end();
    w.key("cookie").object().member("type", "apiKey").member("in", "cookie").member("name", crate::auth::COOKIE);
    w.end().end();
    w.key("schemas").object();
    schema::write_all(&mut w);
    w.end().end().end();
    w.finish()
}

/// Names of operations whose path says too little.
const NAMES: [(&str, &str, &str); 30] = [
    ("GET", "/fhir/{type}/{id}", "fhir_read"),
    ("GET", "/fhir/{type}/{id}/_history/{version}", "fhir_version_read"),
    ("PUT", "/fhir/{type}/{id}", "fhir_update"),
    ("DELETE", "/fhir/{type}/{id}", "fhir_delete"),
    ("GET", "/fhir/{type}/{id}/_history", "fhir_history"),
    ("POST", "/fhir/{type}", "fhir_create"),
    ("GET", "/fhir/{type}", "fhir_search"),
    ("POST", "/fhir/{type}/_search", "fhir_search_form"),
    ("POST", "/fhir", "fhir_bundle"),
    ("POST", "/fhir/", "fhir_bundle_root"),
    ("GET", "/.well-known/jwks.json", "jwks"),
    ("PATCH", "/fhir/{type}/{id}", "fhir_patch"),
    ("PUT", "/fhir/{type}", "fhir_update_where"),
    ("PATCH", "/fhir/{type}", "fhir_patch_where"),
    ("DELETE", "/fhir/{type}", "fhir_delete_where"),
    ("GET", "/fhir/{type}/_history", "fhir_history_of_type"),
    ("GET", "/fhir/_history", "fhir_history_of_all"),
    ("GET", "/fhir", "fhir_search_all"),
    ("GET", "/fhir/", "fhir_search_all_root"),
    ("POST", "/fhir/_search", "fhir_search_all_form"),
    ("GET", "/fhir/{type}/{id}/{inner}", "fhir_search_within"),
    ("POST", "/fhir/{type}/{id}/{inner}/_search", "fhir_search_within_form"),
    ("POST", "/fhir/{type}/$validate", "fhir_validate"),
    ("GET", "/fhir/{type}/{id}/$validate", "fhir_validate_stored"),
    ("POST", "/fhir/{type}/{id}/$validate", "fhir_validate_update"),
    ("GET", "/fhir/{type}/{id}/$everything", "fhir_everything"),
    ("POST", "/fhir/{type}/{id}/$everything", "fhir_everything_form"),
    ("GET", "/fhir/{type}/{id}/$meta", "fhir_meta"),
    ("POST", "/fhir/{type}/{id}/$meta-add", "fhir_meta_add"),
    ("POST", "/fhir/{type}/{id}/$meta-delete", "fhir_meta_delete"),
];

/// A name that no other operation has, made from the path: `patients`, `patient`, `patient_timeline`, `patient_create`.
fn operation_id(endpoint: &Endpoint) -> String {
    let method = endpoint.method.as_str();
    if let Some((.., name)) = NAMES.iter().find(|(of, path, _)| *of == method && *path == endpoint.path) {
        return (*name).to_owned();
    }
    let path = endpoint.path.strip_prefix("/api/v1").unwrap_or(endpoint.path);
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let creates = endpoint.method == Method::POST && endpoint.gives.iter().any(|(status, _)| *status == 201);
    let mut words = Vec::new();
    for (at, part) in parts.iter().enumerate().filter(|(_, part)| !part.starts_with('{')) {
        let one = parts.get(at + 1).map_or(creates, |next| next.starts_with('{'));
        words.push(if one { singular(part) } else { (*part).to_owned() }.replace(['-', '.'], "_"));
    }
    words.extend(match endpoint.method {
        Method::PUT => Some("update".to_owned()),
        Method::PATCH => Some("change".to_owned()),
        Method::DELETE => Some("delete".to_owned()),
        _ => creates.then(|| "create".to_owned()),
    });
    words.join("_")
}

/// One of many: `patients` → `patient`, `entries` → `entry`.
fn singular(word: &str) -> String {
    let entry = word.strip_suffix("ies").map(|stem| format!("{stem}y"));
    entry.unwrap_or_else(|| word.strip_suffix('s').unwrap_or(word).to_owned())
}

fn operation(endpoint: &Endpoint, w: &mut Writer) {
    w.object().member("operationId", &operation_id(endpoint)).member("summary", endpoint.summary);
    if let Some(needs) = endpoint.needs_text() {
        w.member("description", &needs);
    }
    w.key("security").array();
    if endpoint.needs != Needs::Nothing {
        w.object().key("bearer").array().end().end();
    }
    if endpoint.needs == Needs::Session {
        w.object().key("cookie").array().end().end();
    }
    w.end();
    if endpoint.all_params().next().is_some() {
        w.key("parameters").array();
        for param in endpoint.all_params() {
            let (place, name) = match param.place {
                Place::Path => ("path", param.name),
                Place::Query if param.name == "*" => ("query", "parameters"),
                Place::Query => ("query", param.name),
                Place::Header => ("header", param.name),
            };
            w.object().member("name", name).member("in", place).member("description", param.what);
            w.key("required").bool(param.place == Place::Path).key("schema").object();
            match param.times {
                _ if param.name == "*" => {
                    w.member("type", "object");
                }
                Times::Once => form(param.form, View::Create, false, w),
                Times::Often => {
                    w.member("type", "array").key("items").object();
                    form(param.form, View::Create, false, w);
                    w.end();
                }
            }
            w.end().end();
        }
        w.end();
    }
    if let Some(name) = endpoint.takes {
        w.key("requestBody").object().key("required").bool(true).key("content").object();
        content(name, w);
        w.end().end();
    }
    answers(endpoint, w);
    w.end();
}

fn answers(endpoint: &Endpoint, w: &mut Writer) {
    let problem = if Dialect::of(endpoint.path) == Dialect::Fhir { "OperationOutcome" } else { "Problem" };
    let mut told: BTreeMap<u16, (&str, Option<&str>)> = BTreeMap::new();
    let mut general =
        vec![ErrorKind::NotSupported, ErrorKind::NotAcceptable, ErrorKind::Internal, ErrorKind::Unavailable];
    if endpoint.needs != Needs::Nothing {
        general.extend([ErrorKind::Unauthenticated, ErrorKind::Forbidden]);
    }
    if endpoint.takes.is_some() {
        general.extend([ErrorKind::Malformed, ErrorKind::TooLarge, ErrorKind::MediaType, ErrorKind::StorageFull]);
    }
    for kind in endpoint.fails.iter().chain(&general) {
        let row = table(*kind);
        told.insert(row.status.as_u16(), (row.title, Some(problem)));
    }
    for (status, schema) in endpoint.gives {
        told.insert(*status, (reason(*status), *schema));
    }
    w.key("responses").object();
    for (status, (what, schema)) in told {
        w.key(&status.to_string()).object().member("description", what);
        if let Some(name) = schema {
            w.key("content").object();
            content(name, w);
            w.end();
        }
        w.end();
    }
    w.end();
}

fn reason(status: u16) -> &'static str {
    StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or("answer")
}

fn content(name: &str, w: &mut Writer) {
    if name == "Page" {
        w.key("text/html").object().key("schema").object().member("type", "string").end().end();
        return;
    }
    let own = schema::media_type(name);
    // What is FHIR comes and goes in both of its forms.
    let xml = (own == "application/fhir+json").then_some("application/fhir+xml");
    for media_type in [Some(own), xml].into_iter().flatten() {
        w.key(media_type).object().key("schema").object();
        w.member("$ref", &format!("#/components/schemas/{name}")).end().end();
    }
}
