//! `GET` and `POST /api/v1/patients/{id}/immunizations`

use axum::http::Method;
use iris_access::{ActionKind, Read};
use iris_kernel::ErrorKind;

use super::{CURSOR, KEY, LIMIT, PORTAL, PURPOSE, TOTAL, immunization_create, immunization_list};
use crate::call::{Call, kind_named};
use crate::endpoint::{Endpoint, Needs, Outcome, path};
use crate::problem::Problem;

const PATH: &str = "/api/v1/patients/{id}/immunizations";

pub(super) fn list_endpoint() -> Endpoint {
    Endpoint::new(Method::GET, PATH, "Immunizations of a patient, newest first", list)
        .needs(Needs::Records(ActionKind::Search, "Immunization"))
        .params(&[path("id", "The patient's id."), LIMIT, CURSOR, TOTAL, PURPOSE, PORTAL])
        .gives(&[(200, Some("ImmunizationList"))])
        .fails(&[ErrorKind::NotFound, ErrorKind::Gone])
}

pub(super) fn create_endpoint() -> Endpoint {
    Endpoint::new(Method::POST, PATH, "Record an immunization of a patient", create)
        .needs(Needs::Records(ActionKind::Create, "Immunization"))
        .params(&[path("id", "The patient's id."), KEY])
        .takes("ImmunizationInput")
        .gives(&[(201, Some("Immunization"))])
        .fails(&[ErrorKind::NotFound, ErrorKind::Gone, ErrorKind::Invalid, ErrorKind::MediaType])
}

/// The patient of the path, if it is there and the caller may know so.
async fn patient(call: &Call) -> Result<String, Problem> {
    let permit = call.permit(Read, kind_named("Patient")?).await?;
    let stored = call.release(call.app.records.read(&permit, call.id()?)?).await?.found()?;
    Ok(stored.id)
}

async fn list(call: Call) -> Outcome {
    let patient = patient(&call).await?;
    immunization_list::list(&call, vec![("patient_id".to_owned(), patient)]).await
}

async fn create(call: Call) -> Outcome {
    let patient = patient(&call).await?;
    immunization_create::create(call, Some(&patient)).await
}
