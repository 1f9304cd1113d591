//! `GET /fhir/{type}/{id}/_history`

use axum::http::{Method, StatusCode};
use iris_access::History;
use iris_fhir::json::Writer;
use iris_kernel::limits::{FHIR_PAGE_MAX, PAGE_DEFAULT};
use iris_kernel::{ErrorKind, Version};
use iris_resources::{Refusal, Stored};

use super::{FORMAT, ID, PRETTY, TYPE, kind};
use crate::answer::Answer;
use crate::call::Call;
use crate::endpoint::{Endpoint, Outcome, query};
use crate::plain::etag;
use crate::problem::Problem;

pub(super) fn endpoint() -> Endpoint {
    Endpoint::new(Method::GET, "/fhir/{type}/{id}/_history", "The versions of a resource, newest first", handle)
        .params(&[
            TYPE,
            ID,
            query("_count", "Most versions of a page."),
            query("_cursor", "Where the page starts, from the next link of the page before."),
            FORMAT,
            PRETTY,
        ])
        .gives(&[(200, Some("Bundle"))])
}

async fn handle(call: Call) -> Outcome {
    let permit = call.permit(History, kind(&call)?).await?;
    let count = call.query_number("_count", PAGE_DEFAULT, 1, FHIR_PAGE_MAX)?;
    let before = call.query_value("_cursor").map(cursor).transpose()?;
    // One more than asked for tells whether there is a next page.
    let mut versions = call.release(call.app.records.history(&permit, call.id()?, before, count + 1)?).await?;
    if versions.is_empty() && before.is_none() {
        return Err(Refusal::not_found().into());
    }
    let more = versions.len() > count;
    versions.truncate(count);
    let base = call.app.fhir_base();
    let mut w = Writer::new();
    w.object().member("resourceType", "Bundle").member("type", "history").key("link").array();
    let own = format!("{base}/{}/{}/_history", call.path("type"), call.path("id"));
    let at = before.map(|version| format!("&_cursor={version}")).unwrap_or_default();
    w.object().member("relation", "self").member("url", &format!("{own}?_count={count}{at}")).end();
    if let Some(last) = versions.last().filter(|_| more) {
        w.object().member("relation", "next");
        w.member("url", &format!("{own}?_count={count}&_cursor={}", last.version)).end();
    }
    w.end();
    if !versions.is_empty() {
        w.key("entry").array();
        for stored in &versions {
            entry(stored, &base, &mut w);
        }
        w.end();
    }
    Ok(Answer::fhir(StatusCode::OK, w.finish()))
}

fn cursor(text: &str) -> Result<Version, Problem> {
    let version = text.parse().ok().filter(|version| *version > 0).map(Version);
    version.ok_or_else(|| Problem::at(ErrorKind::Malformed, "_cursor", "is not from a next link of this history"))
}

fn entry(stored: &Stored, base: &str, w: &mut Writer) {
    let first = stored.version == Version::FIRST;
    let (method, status) = match (stored.deleted, first) {
        (true, _) => ("DELETE", "204 No Content"),
        (false, true) => ("POST", "201 Created"),
        (false, false) => ("PUT", "200 OK"),
    };
    let reference = stored.reference();
    w.object().member("fullUrl", &format!("{base}/{reference}"));
    if !stored.deleted {
        w.key("resource").raw(&stored.body);
    }
    let url = if method == "POST" { reference.split('/').next().unwrap_or_default() } else { &reference };
    w.key("request").object().member("method", method).member("url", url).end();
    w.key("response").object().member("status", status).member("etag", &etag(stored.version));
    w.member("lastModified", &stored.at.rfc3339()).end().end();
}
