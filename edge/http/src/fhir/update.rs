//! `PUT /fhir/{type}/{id}`

use axum::http::{Method, StatusCode};
use iris_access::Update;
use iris_kernel::ErrorKind;
use iris_resources::Outcome as Wrote;

use super::{ID, IF_MATCH, IF_NONE_MATCH, RETURN, TYPE, answered, kind};
use crate::call::Call;
use crate::endpoint::{Endpoint, Outcome};
use crate::problem::Problem;

pub(super) fn endpoint() -> Endpoint {
    Endpoint::new(Method::PUT, "/fhir/{type}/{id}", "Replace a resource, or make it under this id", handle)
        .params(&[TYPE, ID, IF_MATCH, IF_NONE_MATCH, RETURN])
        .takes("Resource")
        .gives(&[(200, Some("Resource")), (201, Some("Resource"))])
}

async fn handle(mut call: Call) -> Outcome {
    let kind = kind(&call)?;
    let permit = call.permit(Update, kind).await?;
    let resource = call.resource(kind).await?;
    let id = call.id()?;
    if resource.id().as_deref() != Some(id) {
        return Err(Problem::at(ErrorKind::Malformed, "/id", "must be there and be the id of the path"));
    }
    let made = call.app.records.update(&permit, id, &resource, call.precondition()?, None).await?;
    let status = if made.outcome == Wrote::Created { StatusCode::CREATED } else { StatusCode::OK };
    answered(&call, status, made).await
}
