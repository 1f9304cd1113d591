//! `GET /api/v1/patients` and `GET /api/v1/patients/search`

use axum::http::{Method, StatusCode};
use iris_access::{ActionKind, Read, Search};
use iris_fhir::json::Writer;
use iris_kernel::ErrorKind;
use iris_records::Patient;
use iris_records::patient::mrn_system;
use iris_records::search::{FILTERS, narrow, parameters};

use super::{CURSOR, LIMIT, PORTAL, PURPOSE, TOTAL, list_end, list_query, record_of, wrong_filters};
use crate::answer::Answer;
use crate::call::{Call, kind_named};
use crate::endpoint::{Endpoint, Needs, Outcome, Param, query};

/// Every parameter: the filters of the records context, then the page's.
const PARAMS: [Param; FILTERS.len() + 5] = {
    let mut params = [LIMIT; FILTERS.len() + 5];
    let mut i = 0;
    while i < FILTERS.len() {
        params[i] = query(FILTERS[i].name, FILTERS[i].what);
        i += 1;
    }
    params[i] = LIMIT;
    params[i + 1] = CURSOR;
    params[i + 2] = TOTAL;
    params[i + 3] = PURPOSE;
    params[i + 4] = PORTAL;
    params
};

pub(super) fn endpoint() -> Endpoint {
    list("/api/v1/patients", "List patients, newest first")
}

pub(super) fn search_endpoint() -> Endpoint {
    list("/api/v1/patients/search", "Find patients by name, birth date, phone, e-mail, SSN or record number")
}

fn list(path: &'static str, summary: &'static str) -> Endpoint {
    Endpoint::new(Method::GET, path, summary, handle)
        .needs(Needs::Records(ActionKind::Search, "Patient"))
        .params(&PARAMS)
        .gives(&[(200, Some("PatientList"))])
        .fails(&[ErrorKind::Invalid, ErrorKind::NotSupported])
}

async fn handle(call: Call) -> Outcome {
    let kind = kind_named("Patient")?;
    let permit = call.permit(Search, kind).await?;
    let reading = call.permit(Read, kind).await?;
    let filters = call.filters();
    let pairs = parameters(&filters).map_err(wrong_filters)?;
    let mut query = list_query(&call, kind, pairs, false)?;
    narrow(&mut query, &filters);
    let page = call.release(call.app.records.search(&permit, &query)?).await?;
    let system = mrn_system(permit.tenant());
    let mut w = Writer::new();
    w.object().key("items").array();
    for stored in &page.items {
        let resource = stored.resource()?;
        Patient::of(resource.root(), &system).show(&record_of(&call, &reading, stored)?, &mut w);
        w.end();
    }
    w.end();
    list_end(&mut w, page.next.as_deref(), page.total);
    Ok(Answer::json(StatusCode::OK, w.finish()))
}
