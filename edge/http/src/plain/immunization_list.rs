//! `GET /api/v1/immunizations`

use axum::http::{Method, StatusCode};
use iris_access::{ActionKind, Permit, Read, Search};
use iris_fhir::json::Writer;
use iris_immunization::Dose;
use iris_immunization::search::{FILTERS, parameters};
use iris_kernel::limits::{FHIR_PAGE_MAX, PAGE_DEFAULT, PAGE_MAX};
use iris_kernel::{ErrorKind, Kind};
use iris_plain::Form;
use iris_resources::Stored;

use super::{CURSOR, LIMIT, PORTAL, PURPOSE, TOTAL, list_end, list_query, parse, record_of, wrong_filters};
use crate::answer::Answer;
use crate::call::{Call, Pairs, kind_named};
use crate::endpoint::{Endpoint, Needs, Outcome, Param, query};
use crate::problem::Problem;

const SKIP: Param = query(
    "skip",
    "Items to pass over, with the older form of the answer; it and limit reach 1000 items, the cursor reaches all.",
)
.of(Form::Integer);

/// Every parameter: the filters of the immunization context, then the page's.
const PARAMS: [Param; FILTERS.len() + 6] = {
    let mut params = [SKIP; FILTERS.len() + 6];
    let mut i = 0;
    while i < FILTERS.len() {
        params[i] = query(FILTERS[i].0, FILTERS[i].1);
        i += 1;
    }
    params[i + 1] = LIMIT;
    params[i + 2] = CURSOR;
    params[i + 3] = TOTAL;
    params[i + 4] = PURPOSE;
    params[i + 5] = PORTAL;
    params
};

pub(super) fn endpoint() -> Endpoint {
    Endpoint::new(Method::GET, "/api/v1/immunizations", "List immunizations, latest first", handle)
        .needs(Needs::Records(ActionKind::Search, "Immunization"))
        .params(&PARAMS)
        .gives(&[(200, Some("ImmunizationLists"))])
        .fails(&[ErrorKind::Invalid, ErrorKind::NotSupported])
}

async fn handle(call: Call) -> Outcome {
    let filters = call.filters();
    if call.query_value("skip").is_some() { skip(&call, filters).await } else { list(&call, filters).await }
}

/// The search that filters stand for, latest first.
fn pairs(call: &Call, filters: &Pairs) -> Result<Pairs, Problem> {
    let mut pairs = parameters(filters, call.app.clock.now()).map_err(wrong_filters)?;
    pairs.push(("_sort".to_owned(), "-date".to_owned()));
    Ok(pairs)
}

/// One page of the immunizations that these filters find.
pub(super) async fn list(call: &Call, filters: Pairs) -> Outcome {
    let kind = kind_named("Immunization")?;
    let permit = call.permit(Search, kind).await?;
    let reading = call.permit(Read, kind).await?;
    let query = list_query(call, kind, pairs(call, &filters)?, true)?;
    let page = call.release(call.app.records.search(&permit, &query)?).await?;
    call.counted(&page);
    let mut w = Writer::new();
    w.object().key("items");
    show(call, &reading, &page.items, &mut w)?;
    list_end(&mut w, page.next.as_deref(), page.total);
    Ok(Answer::json(StatusCode::OK, w.finish()))
}

fn show(call: &Call, reading: &Permit<Read>, items: &[Stored], w: &mut Writer) -> Result<(), Problem> {
    w.array();
    for stored in items {
        let resource = stored.resource()?;
        Dose::of(resource.root()).show(&record_of(call, reading, stored)?, w);
        w.end();
    }
    w.end();
    Ok(())
}

/// The older form: `{immunizations, total, skip, limit, has_more}`. The search has cursors and no offsets, so what is passed over
/// is read too; hence the bound.
async fn skip(call: &Call, filters: Pairs) -> Outcome {
    let kind: Kind = kind_named("Immunization")?;
    let permit = call.permit(Search, kind).await?;
    let reading = call.permit(Read, kind).await?;
    let limit = call.query_number("limit", PAGE_DEFAULT, 1, PAGE_MAX)?;
    let skip = call.query_number("skip", 0, 0, FHIR_PAGE_MAX - limit)?;
    if call.query_value("cursor").is_some() {
        return Err(Problem::at(ErrorKind::Invalid, "cursor", "cannot stand beside skip"));
    }
    let mut pairs = pairs(call, &filters)?;
    pairs.push(("_count".to_owned(), (skip + limit).to_string()));
    let query = parse(call, kind, &pairs)?;
    let page = call.release(call.app.records.search(&permit, &query)?).await?;
    call.counted(&page);
    let total = page.total.unwrap_or(page.items.len() as u64);
    let mut w = Writer::new();
    w.object().key("immunizations");
    show(call, &reading, page.items.get(skip..).unwrap_or_default(), &mut w)?;
    let whole = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    w.key("total").integer(i64::try_from(total).unwrap_or(i64::MAX));
    w.key("skip").integer(whole(skip)).key("limit").integer(whole(limit));
    w.key("has_more").bool((skip + limit) as u64 <= total.saturating_sub(1));
    Ok(Answer::json(StatusCode::OK, w.finish()))
}
