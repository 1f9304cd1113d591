//! `GET /docs`: the API as a page, made on the server from the list of endpoints. It has no script at all.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::OnceLock;

use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::{HeaderValue, Method, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use iris_plain::{Flow, Presence, View};
use iris_resources::Refusal;

use crate::answer::Answer;
use crate::call::Call;
use crate::endpoint::{Endpoint, Needs, Outcome};
use crate::problem::{KINDS, table};
use crate::schema::{Object, all};

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#1b1f24}\
h1,h2,h3{line-height:1.2}h3{margin-top:2rem}code{background:#f1f3f5;padding:.1em .3em}table{border-collapse:collapse;width:100%}\
td,th{border:1px solid #ccd2d8;padding:.35rem .5rem;text-align:left;vertical-align:top}.method{font-weight:700}";

pub(super) fn endpoint() -> Endpoint {
    Endpoint::new(Method::GET, "/docs", "This API as a page to read", handle)
        .needs(Needs::Nothing)
        .gives(&[(200, Some("Page"))])
}

async fn handle(call: Call) -> Outcome {
    if !call.app.settings.docs() {
        return Err(Refusal::not_found().into());
    }
    static PAGE: OnceLock<(Bytes, String)> = OnceLock::new();
    let (page, policy) = PAGE.get_or_init(|| (page(&crate::endpoints(), call.app.version).into(), policy()));
    let answer = Answer::new(StatusCode::OK, page.clone());
    let answer = answer.with(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    Ok(match HeaderValue::from_str(policy) {
        Ok(policy) => answer.with(CONTENT_SECURITY_POLICY, policy),
        // The frame's own policy then holds, which allows nothing: the page is plain but safe.
        Err(_) => answer,
    })
}

/// Only this style sheet, by its hash; no script, no image, no frame, no form.
fn policy() -> String {
    let hash = STANDARD.encode(iris_crypto::digest::sha256(&[STYLE.as_bytes()]));
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn page(endpoints: &[Endpoint], version: &str) -> String {
    let mut out = String::with_capacity(128 << 10);
    let _ = write!(
        out,
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>IRIS API</title>\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><style>{STYLE}</style></head><body>\
         <h1>IRIS API {}</h1><p>The same as a document for programs: <a href=\"/openapi.json\">/openapi.json</a>. \
         What FHIR types can be searched by: <a href=\"/fhir/metadata\">/fhir/metadata</a>.</p>",
        escape(version)
    );
    let mut groups: BTreeMap<&str, Vec<&Endpoint>> = BTreeMap::new();
    for endpoint in endpoints {
        groups.entry(group(endpoint.path)).or_default().push(endpoint);
    }
    for (title, endpoints) in groups {
        let _ = write!(out, "<h2>{title}</h2>");
        for endpoint in endpoints {
            section(endpoint, &mut out);
        }
    }
    out.push_str("<h2>Objects</h2>");
    for object in all() {
        let _ = write!(out, "<h3 id=\"object-{0}\">{0}</h3>", object.name);
        fields_table(object, &mut out);
    }
    out.push_str("<h2>Errors</h2><table><tr><th>error_type</th><th>Status</th><th>Meaning</th></tr>");
    for row in KINDS.map(table) {
        let (word, status, title) = (row.error_type, row.status.as_u16(), row.title);
        let _ = write!(out, "<tr id=\"{word}\"><td><code>{word}</code></td><td>{status}</td><td>{title}</td></tr>");
    }
    out.push_str("</table></body></html>");
    out
}

/// The heading under which an endpoint stands.
fn group(path: &str) -> &'static str {
    const GROUPS: [(&str, &str); 8] = [
        ("/api/v1/auth", "Signing in"),
        ("/oauth2", "Signing in"),
        ("/.well-known", "Signing in"),
        ("/api/v1/audit", "Access log"),
        ("/api/v1/admin", "Administration"),
        ("/api/v1/keys", "Administration"),
        ("/api/v1", "Records"),
        ("/fhir", "FHIR R4"),
    ];
    GROUPS.iter().find(|(prefix, _)| path.starts_with(prefix)).map_or("Platform", |(_, title)| title)
}

fn section(endpoint: &Endpoint, out: &mut String) {
    let (method, path) = (endpoint.method.as_str(), escape(endpoint.path));
    let _ = write!(
        out,
        "<h3><span class=\"method\">{method}</span> <code>{path}</code></h3><p>{}.",
        escape(endpoint.summary)
    );
    if let Some(needs) = endpoint.needs_text() {
        let _ = write!(out, " {}", escape(&needs));
    }
    out.push_str("</p>");
    if endpoint.all_params().next().is_some() {
        out.push_str("<table><tr><th>Parameter</th><th>In</th><th>Meaning</th></tr>");
        for param in endpoint.all_params() {
            let place = format!("{:?}", param.place).to_lowercase();
            let (name, what) = (escape(param.name), escape(param.what));
            let _ = write!(out, "<tr><td><code>{name}</code></td><td>{place}</td><td>{what}</td></tr>");
        }
        out.push_str("</table>");
    }
    let link = |name: &str| {
        if all().any(|object| object.name == name) {
            format!("<a href=\"#object-{name}\">{name}</a>")
        } else {
            name.to_owned()
        }
    };
    if let Some(name) = endpoint.takes {
        let _ = write!(out, "<p>Takes {}.</p>", link(name));
    }
    for (status, schema) in endpoint.gives {
        let what = schema.map_or_else(|| "nothing".to_owned(), link);
        let _ = write!(out, "<p>{status}: {what}</p>");
    }
}

fn fields_table(object: &Object, out: &mut String) {
    out.push_str("<table><tr><th>Field</th><th>Meaning</th></tr>");
    for field in object.fields.iter().filter(|field| object.view.shows(field)) {
        let flow = match field.flow {
            Flow::Needed if object.view == View::Create => " Needed.",
            Flow::Needed | Flow::Both | Flow::Returned if field.presence == Presence::Always => " Always there.",
            Flow::Needed | Flow::Both | Flow::Returned if field.presence == Presence::OrNull => {
                " Always there, or null."
            }
            Flow::Needed | Flow::Both | Flow::Returned | Flow::Taken => "",
        };
        let aliases = match field.aliases {
            [] => String::new(),
            aliases => format!(" Also taken as {}.", aliases.join(", ")),
        };
        let what = escape(field.what);
        let _ = write!(out, "<tr><td><code>{}</code></td><td>{what}{flow}{aliases}</td></tr>", field.name);
    }
    out.push_str("</table>");
}
