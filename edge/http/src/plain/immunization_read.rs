//! `GET /api/v1/immunizations/{id}`

use axum::http::{Method, StatusCode};
use iris_access::{ActionKind, Read};
use iris_fhir::json::Writer;
use iris_immunization::Dose;
use iris_kernel::ErrorKind;

use super::{PORTAL, PURPOSE, not_modified, one, record_of, unchanged};
use crate::call::{Call, kind_named};
use crate::endpoint::{Endpoint, Needs, Outcome, path};

pub(super) fn endpoint() -> Endpoint {
    Endpoint::new(Method::GET, "/api/v1/immunizations/{id}", "Read an immunization", handle)
        .needs(Needs::Records(ActionKind::Read, "Immunization"))
        .params(&[path("id", "The record's id."), PURPOSE, PORTAL])
        .gives(&[(200, Some("Immunization"))])
        .fails(&[ErrorKind::NotFound, ErrorKind::Gone])
}

async fn handle(call: Call) -> Outcome {
    let permit = call.permit(Read, kind_named("Immunization")?).await?;
    let stored = call.release(call.app.records.read(&permit, call.id()?)?).await?.found()?;
    if unchanged(&call, stored.version) {
        return Ok(not_modified(stored.version, stored.at));
    }
    let resource = stored.resource()?;
    let mut w = Writer::new();
    Dose::of(resource.root()).show(&record_of(&call, &permit, &stored)?, &mut w);
    Ok(one(StatusCode::OK, w.finish(), stored.version, stored.at))
}
