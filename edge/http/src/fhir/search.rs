//! `GET /fhir/{type}` and `POST /fhir/{type}/_search`

use axum::http::{Method, StatusCode};
use iris_access::Search;
use iris_fhir::definitions;
use iris_fhir::json::Writer;
use iris_kernel::{ErrorKind, Kind};
use iris_resources::Page;
use iris_search::{Query, QueryContext, parse_query};

use super::{TYPE, kind};
use crate::answer::Answer;
use crate::call::{Call, Pairs, QUERY_PARAMETERS_MAX};
use crate::endpoint::{Endpoint, Outcome, header, query};
use crate::problem::Problem;

const ANY: crate::endpoint::Param = query("*", "The search parameters of the type, as /fhir/metadata lists them.");
const HANDLING: crate::endpoint::Param = header("Prefer", "handling=lenient passes over unknown parameters.");

/// Parameters about how the answer is shown.
const SHOWING: [&str; 2] = ["_pretty", "_format"];

pub(super) fn endpoint() -> Endpoint {
    Endpoint::new(Method::GET, "/fhir/{type}", "Search resources of a type", search)
        .params(&[TYPE, ANY, HANDLING])
        .gives(&[(200, Some("Bundle"))])
}

pub(super) fn post_endpoint() -> Endpoint {
    Endpoint::new(Method::POST, "/fhir/{type}/_search", "Search with the parameters in the body", post)
        .params(&[TYPE, ANY, HANDLING])
        .takes("SearchForm")
        .gives(&[(200, Some("Bundle"))])
}

async fn search(call: Call) -> Outcome {
    let pairs = call.query().clone();
    run(&call, pairs).await
}

async fn post(mut call: Call) -> Outcome {
    let held = call.body(&["application/x-www-form-urlencoded"]).await?;
    let mut pairs = call.query().clone();
    // One more than a query may have is enough to refuse it.
    let room = (QUERY_PARAMETERS_MAX + 1).saturating_sub(pairs.len());
    pairs.extend(form_urlencoded::parse(&held.bytes).into_owned().take(room));
    if pairs.len() > QUERY_PARAMETERS_MAX {
        let what = format!("a search has at most {QUERY_PARAMETERS_MAX} parameters");
        return Err(Problem::new(ErrorKind::TooLarge, what));
    }
    call.show_as(&pairs)?;
    run(&call, pairs).await
}

async fn run(call: &Call, mut pairs: Pairs) -> Outcome {
    let kind = kind(call)?;
    let permit = call.permit(Search, kind).await?;
    pairs.retain(|(name, _)| !SHOWING.contains(&name.as_str()));
    let context = QueryContext { strict: !call.is_lenient(), ..call.app.records.query_context() };
    let query = parse_query(kind, &pairs, &context).map_err(|faults| Problem::with(ErrorKind::NotSupported, faults))?;
    call.searchable(&query).await?;
    let page = call.release(call.app.records.search(&permit, &query)?).await?;
    call.counted(&page);
    Ok(Answer::fhir(StatusCode::OK, bundle(&call.app.fhir_base(), kind, &query, &page)))
}

/// A searchset.
pub(super) fn bundle(base: &str, kind: Kind, query: &Query, page: &Page) -> Vec<u8> {
    let size: usize = page.items.iter().map(|stored| stored.body.len() + 160).sum();
    let mut w = Writer::with_capacity(size + 1_024);
    w.object().member("resourceType", "Bundle").member("type", "searchset");
    if let Some(total) = page.total {
        w.key("total").integer(i64::try_from(total).unwrap_or(i64::MAX));
    }
    let name = definitions().name_of(kind);
    w.key("link").array();
    w.object().member("relation", "self").member("url", &link(base, name, query, None)).end();
    if let Some(next) = &page.next {
        w.object().member("relation", "next").member("url", &link(base, name, query, Some(next))).end();
    }
    w.end();
    if !page.items.is_empty() {
        w.key("entry").array();
        for stored in &page.items {
            w.object().member("fullUrl", &format!("{base}/{name}/{}", stored.id)).key("resource").raw(&stored.body);
            w.key("search").object().member("mode", "match").end().end();
        }
        w.end();
    }
    w.end();
    w.finish()
}

/// The address of this page, or of the next, with the parameters that were understood.
fn link(base: &str, name: &str, query: &Query, cursor: Option<&str>) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    for (name, value) in &query.applied {
        form.append_pair(name, value);
    }
    let here = query.cursor.as_deref();
    if let Some(cursor) = cursor.or(here) {
        form.append_pair("_cursor", cursor);
    }
    let pairs = form.finish();
    if pairs.is_empty() { format!("{base}/{name}") } else { format!("{base}/{name}?{pairs}") }
}
