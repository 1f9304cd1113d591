//! `GET /api/v1/audit/logs`

use axum::http::{Method, StatusCode};
use iris_access::{ActionKind, Named, Search};
use iris_audit::{Action, ActorFilter, Filter, Page};
use iris_kernel::limits::{PAGE_DEFAULT, PAGE_MAX};
use iris_kernel::{ErrorKind, Fault, Tenant};

use super::{CURSOR, LIMIT, Shown, blocking, cursor, event, moment, user};
use crate::answer::Answer;
use crate::call::Call;
use crate::endpoint::{Endpoint, Needs, Outcome, query};
use crate::problem::Problem;

pub(super) fn endpoint() -> Endpoint {
    Endpoint::new(Method::GET, "/api/v1/audit/logs", "Search the access log, newest first", handle)
        .needs(Needs::Named(ActionKind::Search, Named::AuditLog))
        .params(&[
            query("user_id", "Entries of this user or client."),
            query("user_name", "Entries of the user or client with exactly this name."),
            query("action", "Entries with this action, such as phi.read; several with commas."),
            query("outcome", "success, denied, failure or error."),
            query("patient_id", "Entries that concern this patient."),
            query("resource", "Entries that concern this record, Type/id."),
            query("date_from", "Not before this day or moment."),
            query("date_to", "Not after this day, or before this moment."),
            LIMIT,
            CURSOR,
        ])
        .gives(&[(200, Some("AuditList"))])
        .fails(&[ErrorKind::Invalid])
}

async fn handle(call: Call) -> Outcome {
    let permit = call.permit_named(Search, Named::AuditLog).await?;
    let filter = filter(&call, permit.tenant())?;
    let size = call.query_number("limit", PAGE_DEFAULT, 1, PAGE_MAX)?;
    let before = call.query_value("cursor").map(cursor).transpose()?;
    let event = event(&call, Action::AuditQuery)?;
    let page = Page { before, size };
    let sealed = blocking(&call, move |audit| audit.query(&filter, page, event)).await?;
    let found = call.release(sealed).await?;
    Ok(Answer::json(StatusCode::OK, super::page(&found, Shown::Whole)))
}

fn filter(call: &Call, tenant: Tenant) -> Result<Filter, Problem> {
    let mut faults = Vec::new();
    let mut filter = Filter::tenant(tenant);
    if let Some(text) = call.query_value("user_id") {
        filter.actor = Some(ActorFilter::Id(user(text)?));
    } else if let Some(name) = call.query_value("user_name") {
        filter.actor = Some(ActorFilter::Name(name.to_owned()));
    }
    for name in call.query_value("action").into_iter().flat_map(|text| text.split(',')) {
        match name.parse() {
            Ok(action) => filter.actions.push(action),
            Err(_) => faults.push(Fault::new("action", "there is no such action in the catalogue")),
        }
    }
    match call.query_value("outcome").map(str::parse).transpose() {
        Ok(outcome) => filter.outcome = outcome,
        Err(_) => faults.push(Fault::new("outcome", "must be one of success, denied, failure, error")),
    }
    filter.patient = call.query_value("patient_id").map(str::to_owned);
    filter.resource = call.query_value("resource").map(str::to_owned);
    filter.from = moment(call, "date_from", "T00:00:00Z", &mut faults);
    filter.until = moment(call, "date_to", "T23:59:59.999999Z", &mut faults);
    if faults.is_empty() { Ok(filter) } else { Err(Problem::with(ErrorKind::Invalid, faults)) }
}
