//! `GET /api/v1/audit/patients/{id}/disclosures`: who has seen this record (45 CFR 164.528).

use axum::http::{Method, StatusCode};
use iris_access::{ActionKind, Named, Search};
use iris_audit::{Action, Filter, Page};
use iris_kernel::limits::{PAGE_DEFAULT, PAGE_MAX};
use iris_kernel::{ErrorKind, Fault};

use super::{CURSOR, LIMIT, Shown, blocking, cursor, event, moment, page};
use crate::answer::Answer;
use crate::call::Call;
use crate::endpoint::{Endpoint, Needs, Outcome, path, query};
use crate::problem::Problem;

pub(super) fn endpoint() -> Endpoint {
    Endpoint::new(
        Method::GET,
        "/api/v1/audit/patients/{id}/disclosures",
        "Who has seen or changed this patient's record, newest first; patients see their own",
        handle,
    )
    .needs(Needs::Named(ActionKind::Search, Named::Disclosures))
    .params(&[
        path("id", "The patient's id."),
        query("date_from", "Not before this day or moment."),
        query("date_to", "Not after this day, or before this moment."),
        LIMIT,
        CURSOR,
    ])
    .gives(&[(200, Some("AuditList"))])
    .fails(&[ErrorKind::NotFound, ErrorKind::Invalid, ErrorKind::Malformed])
}

async fn handle(call: Call) -> Outcome {
    let id = call.id()?.to_owned();
    let permit = call.permit_patient(Search, Named::Disclosures, &id).await?;
    let mut faults: Vec<Fault> = Vec::new();
    let filter = Filter {
        from: moment(&call, "date_from", "T00:00:00Z", &mut faults),
        until: moment(&call, "date_to", "T23:59:59.999999Z", &mut faults),
        patient: Some(id.clone()),
        ..Filter::tenant(permit.tenant())
    };
    if !faults.is_empty() {
        return Err(Problem::with(ErrorKind::Invalid, faults));
    }
    let size = call.query_number("limit", PAGE_DEFAULT, 1, PAGE_MAX)?;
    let before = call.query_value("cursor").map(cursor).transpose()?;
    let mut event = event(&call, Action::AuditDisclosures)?;
    event.patients.push(id);
    let sealed = blocking(&call, move |audit| audit.query(&filter, Page { before, size }, event)).await?;
    let found = call.release(sealed).await?;
    let shown = permit.own().map_or(Shown::Whole, Shown::About);
    Ok(Answer::json(StatusCode::OK, page(&found, shown)))
}
