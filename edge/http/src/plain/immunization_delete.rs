//! `DELETE /api/v1/immunizations/{id}`

use axum::http::Method;
use iris_access::{ActionKind, Delete};
use iris_kernel::ErrorKind;

use super::IF_MATCH;
use crate::answer::Answer;
use crate::call::{Call, kind_named};
use crate::endpoint::{Endpoint, Needs, Outcome, path};

pub(super) fn endpoint() -> Endpoint {
    Endpoint::new(
        Method::DELETE,
        "/api/v1/immunizations/{id}",
        "Delete an immunization; its versions stay in the history",
        handle,
    )
    .needs(Needs::Records(ActionKind::Delete, "Immunization"))
    .params(&[path("id", "The record's id."), IF_MATCH])
    .gives(&[(204, None)])
    .fails(&[ErrorKind::NotFound, ErrorKind::LostUpdate])
}

async fn handle(call: Call) -> Outcome {
    let permit = call.permit(Delete, kind_named("Immunization")?).await?;
    call.app.records.delete(&permit, call.id()?, call.if_match()?).await?;
    Ok(Answer::empty())
}
