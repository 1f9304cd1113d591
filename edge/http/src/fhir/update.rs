//! `PUT /fhir/{type}/{id}` and `PUT /fhir/{type}?criteria`

use axum::http::{Method, StatusCode};
use iris_access::{Permit, Update};
use iris_kernel::ErrorKind;
use iris_resources::{Content, Outcome as Wrote, Which};
use iris_validation::Valid;

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
    stored(&call, &permit, Which::Id(id), &resource).await
}

async fn meant(mut call: Call) -> Outcome {
    let kind = kind(&call)?;
    let permit = call.permit(Update, kind).await?;
    let criteria = criteria(&call)?;
    let resource = call.resource(kind).await?;
    stored(&call, &permit, Which::Criteria(&criteria), &resource).await
}

async fn stored(call: &Call, permit: &Permit<Update>, which: Which<'_>, resource: &Valid) -> Outcome {
    let content = Content::Sent(resource);
    let made = call.app.records.update(permit, which, content, call.precondition()?, None).await?;
    let status = if made.outcome == Wrote::Created { StatusCode::CREATED } else { StatusCode::OK };
    answered(call, status, made).await
}
