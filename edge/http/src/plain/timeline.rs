//! `GET /api/v1/patients/{id}/timeline`

use axum::http::{Method, StatusCode};
use iris_access::{ActionKind, Facts, Permit, Search, decide};
use iris_fhir::json::Writer;
use iris_kernel::limits::{PAGE_DEFAULT, PAGE_MAX};
use iris_kernel::{ErrorKind, Fault};
use iris_plain::Form;
use iris_records::digest::fields::KINDS;
use iris_records::digest::{EVENTS, Event};
use iris_search::{Query, Total};

use super::history::{Laid, lay, of_patient};
use super::{CURSOR, LIMIT, PATIENT, PORTAL, PURPOSE, list_end, parse};
use crate::answer::Answer;
use crate::call::{Call, kind_named};
use crate::endpoint::{Endpoint, Needs, Outcome, Param, query};
use crate::problem::Problem;

const KINDS_PARAM: Param =
    query("kinds", "Only these kinds; several where it stands several times.").of(Form::Choice(KINDS)).often();

pub(super) fn endpoint() -> Endpoint {
    Endpoint::new(
        Method::GET,
        "/api/v1/patients/{id}/timeline",
        "What happened to a patient, latest first, over every kind of record that the caller may see",
        handle,
    )
    .needs(Needs::Records(ActionKind::Read, "Patient"))
    .params(&[PATIENT, KINDS_PARAM, LIMIT, CURSOR, PURPOSE, PORTAL])
    .gives(&[(200, Some("Timeline"))])
    .fails(&[ErrorKind::Invalid, ErrorKind::NotFound, ErrorKind::Gone])
}

async fn handle(call: Call) -> Outcome {
    let limit = call.query_number("limit", PAGE_DEFAULT, 1, PAGE_MAX)?;
    let wanted = wanted(&call)?;
    let patient = super::chart::patient(&call).await?;
    let mut searches: Vec<(Permit<Search>, Query)> = Vec::new();
    let mut events: Vec<&Event> = Vec::new();
    let mut withheld: Vec<&str> = Vec::new();
    for event in EVENTS.iter().filter(|event| wanted.is_empty() || wanted.contains(&event.kind)) {
        let kind = kind_named(event.resource)?;
        let permit = if wanted.is_empty() {
            // Not a refusal to be audited: nobody asked for this kind by name.
            decide(call.caller()?, Search, &Facts::kind(kind)).ok()
        } else {
            Some(call.permit(Search, kind).await?)
        };
        let Some(permit) = permit else {
            withheld.push(event.kind);
            continue;
        };
        let mut query = parse(&call, kind, &of_patient(&patient, &[("_sort", event.sort), ("_total", "none")]))?;
        query.total = Total::None;
        events.push(event);
        searches.push((permit, query));
    }
    let Laid { page, records, names } = lay(&call, &patient, &searches, limit).await?;
    let mut w = Writer::new();
    w.object().key("items").array();
    for ((place, _), record) in page.items.iter().zip(&records) {
        if let Some(event) = events.get(*place) {
            event.item(record.root(), &names, &mut w);
        }
    }
    w.end();
    list_end(&mut w, page.next.as_deref(), None);
    withheld.dedup();
    w.key("withheld").array();
    for kind in withheld {
        w.string(kind);
    }
    w.end().end();
    Ok(Answer::json(StatusCode::OK, w.finish()))
}

/// The kinds that the caller asks for; none for all of them.
fn wanted(call: &Call) -> Result<Vec<&str>, Problem> {
    let given = call.query().iter().filter(|(name, _)| name == "kinds");
    let wanted: Vec<&str> = given.flat_map(|(_, value)| value.split(',')).collect();
    if wanted.iter().any(|kind| !KINDS.contains(kind)) {
        let what = format!("must be one of {}", KINDS.join(", "));
        return Err(Problem::with(ErrorKind::Invalid, vec![Fault::new("kinds", what)]));
    }
    Ok(wanted)
}
