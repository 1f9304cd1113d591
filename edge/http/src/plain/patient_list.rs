//! `GET /api/v1/patients`, and the same list without `q` at `/api/v1/patients/search`

use axum::http::{Method, StatusCode};
use iris_access::{ActionKind, Permit, Read, Search};
use iris_fhir::json::Writer;
use iris_kernel::ErrorKind;
use iris_records::Patient;
use iris_records::patient::mrn_system;
use iris_records::search::{FILTERS, narrow, parameters};
use iris_resources::Stored;

use super::{CURSOR, LIMIT, PORTAL, PURPOSE, TOTAL, list_end, list_query, record_of, wrong_filters};
use crate::answer::Answer;
use crate::call::{Call, kind_named};
use crate::endpoint::{Endpoint, Needs, Outcome, Param, query};
use crate::problem::Problem;

/// Every parameter: the filters of the records context, then the page's.
pub(super) const PARAMS: [Param; FILTERS.len() + 5] = {
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
    Endpoint::new(Method::GET, "/api/v1/patients", "List patients, newest first", async |call| list(&call).await)
        .needs(Needs::Records(ActionKind::Search, "Patient"))
        .params(&PARAMS)
        .gives(&[(200, Some("PatientList"))])
        .fails(&[ErrorKind::Invalid, ErrorKind::NotSupported])
}

/// One page of the patients that the filters find.
pub(super) async fn list(call: &Call) -> Outcome {
    let kind = kind_named("Patient")?;
    let permit = call.permit(Search, kind).await?;
    let reading = call.permit(Read, kind).await?;
    let filters = call.filters();
    let pairs = parameters(&filters).map_err(wrong_filters)?;
    let mut query = list_query(call, kind, pairs, false)?;
    narrow(&mut query, &filters);
    call.searchable(&query).await?;
    let page = call.release(call.app.records.search(&permit, &query)?).await?;
    call.counted(&page);
    let mut w = Writer::new();
    w.object().key("items").array();
    for stored in &page.items {
        show(call, &reading, stored, &mut w)?;
        w.end();
    }
    w.end();
    list_end(&mut w, page.next.as_deref(), page.total);
    Ok(Answer::json(StatusCode::OK, w.finish()))
}

/// Writes a patient. The caller closes it, after adding what stands beside it.
pub(super) fn show(call: &Call, reading: &Permit<Read>, stored: &Stored, w: &mut Writer) -> Result<(), Problem> {
    let resource = stored.resource()?;
    Patient::of(resource.root(), &mrn_system(reading.tenant())).show(&record_of(call, reading, stored)?, w);
    Ok(())
}
