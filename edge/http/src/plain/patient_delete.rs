//! `DELETE /api/v1/patients/{id}`

use axum::http::Method;
use iris_access::ActionKind;
use iris_kernel::ErrorKind;

use super::IF_MATCH;
use super::change::delete;
use crate::endpoint::{Endpoint, Needs, path};

pub(super) fn endpoint() -> Endpoint {
    Endpoint::new(
        Method::DELETE,
        "/api/v1/patients/{id}",
        "Delete a patient record; its versions stay in the history",
        |call| delete(call, "Patient"),
    )
    .needs(Needs::Records(ActionKind::Delete, "Patient"))
    .params(&[path("id", "The record's id."), IF_MATCH])
    .gives(&[(204, None)])
    .fails(&[ErrorKind::NotFound, ErrorKind::Gone, ErrorKind::LostUpdate])
}
