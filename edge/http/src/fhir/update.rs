//! `PUT /fhir/{type}/{id}` and `PUT /fhir/{type}?criteria`

use axum::http::{Method, StatusCode};
use iris_access::Update;
use iris_kernel::ErrorKind;
use iris_resources::{Outcome as Wrote, Written};

use super::{ANY_CRITERIA, ID, IF_MATCH, IF_NONE_MATCH, RETURN, TYPE, answered, criteria, kind};
use crate::call::Call;
use crate::endpoint::{Endpoint, Outcome};
use crate::problem::Problem;

pub(super) fn endpoint() -> Endpoint {
    Endpoint::new(Method::PUT, "/fhir/{type}/{id}", "Replace a resource, or make it under this id", one)
        .params(&[TYPE, ID, IF_MATCH, IF_NONE_MATCH, RETURN])
        .takes("Resource")
        .gives(&[(200, Some("Resource")), (201, Some("Resource"))])
}

pub(super) fn conditional() -> Endpoint {
    let what = "Replace the resource that criteria stand for, or make it if there is none";
    Endpoint::new(Method::PUT, "/fhir/{type}", what, meant)
        .params(&[TYPE, ANY_CRITERIA, IF_MATCH, IF_NONE_MATCH, RETURN])
        .takes("Resource")
        .gives(&[(200, Some("Resource")), (201, Some("Resource"))])
}

async fn one(mut call: Call) -> Outcome {
    let kind = kind(&call)?;
    let permit = call.permit(Update, kind).await?;
    let resource = call.resource(kind).await?;
    let id = call.id()?;
    if resource.id().as_deref() != Some(id) {
        return Err(Problem::at(ErrorKind::Malformed, "/id", "must be there and be the id of the path"));
    }
    let made = call.app.records.update(&permit, id, &resource, call.precondition()?, None).await?;
    stored(&call, made).await
}

async fn meant(mut call: Call) -> Outcome {
    let kind = kind(&call)?;
    let permit = call.permit(Update, kind).await?;
    let criteria = criteria(&call)?;
    let resource = call.resource(kind).await?;
    let made = call.app.records.update_where(&permit, &criteria, &resource, call.precondition()?).await?;
    stored(&call, made).await
}

async fn stored(call: &Call, made: Written) -> Outcome {
    let status = if made.outcome == Wrote::Created { StatusCode::CREATED } else { StatusCode::OK };
    answered(call, status, made).await
}
