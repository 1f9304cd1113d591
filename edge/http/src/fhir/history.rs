//! `GET /fhir/{type}/{id}/_history`, `GET /fhir/{type}/_history` and `GET /fhir/_history`

use axum::http::{Method, StatusCode};
use iris_access::{ActionKind, Facts, History, judge};
use iris_fhir::definitions;
use iris_fhir::json::Writer;
use iris_kernel::limits::{FHIR_PAGE_MAX, PAGE_DEFAULT};
use iris_kernel::{ErrorKind, Fault, Timestamp, Version};
use iris_resources::{HistoryPage, HistoryQuery, Refusal, Stored};

use super::{FORMAT, ID, PRETTY, TYPE, kind};
use crate::answer::Answer;
use crate::call::Call;
use crate::endpoint::{Endpoint, Outcome, Param, query};
use crate::plain::etag;
use crate::problem::Problem;

const COUNT: Param = query("_count", "Most versions of a page.");
const CURSOR: Param = query("_cursor", "Where the page starts, from the next link of the page before.");
const SINCE: Param = query("_since", "Only versions made at this instant or later.");
const AT: Param = query("_at", "Only versions that were current at some time within this date.");

pub(super) fn instance() -> Endpoint {
    Endpoint::new(Method::GET, "/fhir/{type}/{id}/_history", "The versions of a resource, newest first", of_one)
        .params(&[TYPE, ID, COUNT, SINCE, AT, CURSOR, FORMAT, PRETTY])
        .gives(&[(200, Some("Bundle"))])
}

pub(super) fn of_type() -> Endpoint {
    Endpoint::new(
        Method::GET,
        "/fhir/{type}/_history",
        "The versions of the resources of a type, newest first",
        of_kind,
    )
    .params(&[TYPE, COUNT, SINCE, AT, CURSOR, FORMAT, PRETTY])
    .gives(&[(200, Some("Bundle"))])
}

pub(super) fn system() -> Endpoint {
    Endpoint::new(Method::GET, "/fhir/_history", "The versions of all resources, newest first", of_all)
        .params(&[COUNT, SINCE, AT, CURSOR, FORMAT, PRETTY])
        .gives(&[(200, Some("Bundle"))])
}

async fn of_one(call: Call) -> Outcome {
    let permit = call.permit(History, kind(&call)?).await?;
    let query = wanted(&call)?;
    let page = call.release(call.app.records.history(&permit, call.id()?, &query)?).await?;
    let is_asked = query.cursor.is_some() || query.since.is_some() || query.at.is_some();
    if page.items.is_empty() && !is_asked {
        return Err(Refusal::not_found().into());
    }
    Ok(bundle(&call, &format!("/{}/{}", call.path("type"), call.path("id")), &page))
}

async fn of_kind(call: Call) -> Outcome {
    let permit = call.permit(History, kind(&call)?).await?;
    let page = call.release(call.app.records.history_of_type(&permit, &wanted(&call)?)?).await?;
    Ok(bundle(&call, &format!("/{}", call.path("type")), &page))
}

async fn of_all(call: Call) -> Outcome {
    let caller = call.caller()?.clone();
    // Whoever may see the history of some types sees that of these; who may of none is refused, and the log says so.
    if !definitions().kinds().any(|kind| judge(&caller, ActionKind::History, &Facts::kind(kind)).is_ok())
        && let Some(kind) = definitions().kinds().next()
    {
        drop(call.permit(History, kind).await?);
    }
    let page = call.release(call.app.records.history_of_all(&caller, &wanted(&call)?)?).await?;
    Ok(bundle(&call, "", &page))
}

/// What the query asks for, with every fault at once.
fn wanted(call: &Call) -> Result<HistoryQuery, Problem> {
    let mut faults = Vec::new();
    let mut range = |name: &str, what: &str, good: fn(&str) -> bool| {
        let text = call.query_value(name)?;
        let range = iris_search::date::range(text).filter(|_| good(text));
        if range.is_none() {
            faults.push(Fault::new(name, what));
        }
        range
    };
    // An instant has a time and a zone: without them the same text would mean another moment elsewhere.
    let is_instant = |text: &str| {
        let zone = text.split_once('T').map(|(_, time)| time);
        zone.is_some_and(|time| time.ends_with('Z') || time.contains(['+', '-', ' ']))
    };
    let since = range("_since", "must be an instant, such as 2026-11-22T10:00:00Z", is_instant);
    let at = range("_at", "must be a date or dateTime", |_| true);
    let count = match call.query_number("_count", PAGE_DEFAULT, 1, FHIR_PAGE_MAX) {
        Ok(count) => count,
        Err(problem) => {
            faults.extend(problem.faults);
            PAGE_DEFAULT
        }
    };
    if !faults.is_empty() {
        return Err(Problem::with(ErrorKind::Malformed, faults));
    }
    let cursor = call.query_value("_cursor").map(str::to_owned);
    let at = at.map(|(low, high)| (Timestamp(low), Timestamp(high)));
    Ok(HistoryQuery { since: since.map(|(low, _)| Timestamp(low)), at, count, cursor })
}

fn bundle(call: &Call, path: &str, page: &HistoryPage) -> Answer {
    let base = call.app.fhir_base();
    let size: usize = page.items.iter().map(|stored| stored.body.len() + 320).sum();
    let mut w = Writer::with_capacity(size + 1_024);
    w.object().member("resourceType", "Bundle").member("type", "history");
    if let Some(total) = page.total {
        w.key("total").integer(i64::try_from(total).unwrap_or(i64::MAX));
    }
    w.key("link").array();
    let own = call.query_value("_cursor");
    w.object().member("relation", "self").member("url", &link(call, &base, path, own)).end();
    if let Some(next) = &page.next {
        w.object().member("relation", "next").member("url", &link(call, &base, path, Some(next))).end();
    }
    w.end();
    if !page.items.is_empty() {
        w.key("entry").array();
        for stored in &page.items {
            entry(stored, &base, &mut w);
        }
        w.end();
    }
    w.end();
    Answer::fhir(StatusCode::OK, w.finish())
}

/// The address of a page, with what was asked for.
fn link(call: &Call, base: &str, path: &str, cursor: Option<&str>) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    for (name, value) in call.query().iter().filter(|(name, _)| name != "_cursor") {
        form.append_pair(name, value);
    }
    if let Some(cursor) = cursor {
        form.append_pair("_cursor", cursor);
    }
    let pairs = form.finish();
    let own = format!("{base}{path}/_history");
    if pairs.is_empty() { own } else { format!("{own}?{pairs}") }
}

fn entry(stored: &Stored, base: &str, w: &mut Writer) {
    let first = stored.version == Version::FIRST;
    // The first version after a deletion was made by an update, and made the record again.
    let (method, status) = match (stored.deleted, first, stored.born == stored.seq) {
        (true, ..) => ("DELETE", "204 No Content"),
        (false, true, _) => ("POST", "201 Created"),
        (false, false, true) => ("PUT", "201 Created"),
        (false, false, false) => ("PUT", "200 OK"),
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
