//! `GET` and `POST /api/v1/patients/{id}/immunizations`

use axum::http::Method;
use iris_access::ActionKind;
use iris_immunization::search::FILTERS;
use iris_kernel::ErrorKind;

use super::chart::patient;
use super::{CURSOR, KEY, LIMIT, PATIENT, PORTAL, PURPOSE, TOTAL, immunization_create, immunization_list};
use crate::call::Call;
use crate::endpoint::{Endpoint, Needs, Outcome, Param, query};

const PATH: &str = "/api/v1/patients/{id}/immunizations";

/// The filters of an immunization list but the patient, who stands in the path; then the page's.
fn params() -> Vec<Param> {
    let filters = FILTERS.iter().filter(|(name, _)| *name != "patient_id").map(|(name, what)| query(name, what));
    [PATIENT].into_iter().chain(filters).chain([LIMIT, CURSOR, TOTAL, PURPOSE, PORTAL]).collect()
}

pub(super) fn list_endpoint() -> Endpoint {
    Endpoint::new(Method::GET, PATH, "Immunizations of a patient, newest first", list)
        .needs(Needs::Records(ActionKind::Search, "Immunization"))
        .params(&params())
        .gives(&[(200, Some("ImmunizationList"))])
        .fails(&[ErrorKind::Invalid, ErrorKind::NotFound, ErrorKind::Gone])
}

pub(super) fn create_endpoint() -> Endpoint {
    Endpoint::new(Method::POST, PATH, "Record an immunization of a patient", create)
        .needs(Needs::Records(ActionKind::Create, "Immunization"))
        .params(&[PATIENT, KEY])
        .takes("ImmunizationInput")
        .gives(&[(201, Some("Immunization"))])
        .fails(&[ErrorKind::NotFound, ErrorKind::Gone, ErrorKind::Invalid, ErrorKind::MediaType])
}

async fn list(call: Call) -> Outcome {
    let patient = patient(&call).await?;
    let mut filters = call.filters();
    filters.push(("patient_id".to_owned(), patient));
    immunization_list::list(&call, filters).await
}

async fn create(call: Call) -> Outcome {
    let patient = patient(&call).await?;
    immunization_create::create(call, Some(&patient)).await
}
