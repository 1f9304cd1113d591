//! `GET /api/v1/patients/{id}`

use axum::http::{Method, StatusCode};
use iris_access::{ActionKind, Read};
use iris_fhir::json::Writer;
use iris_kernel::ErrorKind;
use iris_records::Patient;
use iris_records::patient::mrn_system;

use super::{PORTAL, PURPOSE, history, not_modified, one, record_of, unchanged};
use crate::call::{Call, kind_named};
use crate::endpoint::{Endpoint, Needs, Outcome, path};

pub(super) fn endpoint() -> Endpoint {
    Endpoint::new(Method::GET, "/api/v1/patients/{id}", "Read a patient record, with the medical history", handle)
        .needs(Needs::Records(ActionKind::Read, "Patient"))
        .params(&[path("id", "The record's id."), PURPOSE, PORTAL])
        .gives(&[(200, Some("Patient"))])
        .fails(&[ErrorKind::NotFound, ErrorKind::Gone])
}

async fn handle(call: Call) -> Outcome {
    let permit = call.permit(Read, kind_named("Patient")?).await?;
    let stored = call.release(call.app.records.read(&permit, call.id()?)?).await?.found()?;
    if unchanged(&call, stored.version) {
        return Ok(not_modified(stored.version, stored.at));
    }
    let resource = stored.resource()?;
    let record = record_of(&call, &permit, &stored)?;
    let mut w = Writer::new();
    Patient::of(resource.root(), &mrn_system(permit.tenant())).show(&record, &mut w);
    history::show(&call, &stored.id, &mut w).await?;
    Ok(one(StatusCode::OK, w.finish(), stored.version, stored.at))
}
