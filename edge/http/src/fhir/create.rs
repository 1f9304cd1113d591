//! `POST /fhir/{type}`

use axum::http::{HeaderName, Method, StatusCode};
use iris_access::Create;
use iris_kernel::ErrorKind;
use iris_resources::{CreateOptions, Outcome as Wrote};

use super::{RETURN, TYPE, answered, kind};
use crate::call::Call;
use crate::endpoint::{Endpoint, Outcome, header};
use crate::problem::Problem;

const IF_NONE_EXIST: HeaderName = HeaderName::from_static("if-none-exist");

pub(super) fn endpoint() -> Endpoint {
    Endpoint::new(Method::POST, "/fhir/{type}", "Make a resource", handle)
        .params(&[TYPE, header("If-None-Exist", "Criteria that must match nothing."), RETURN])
        .takes("Resource")
        .gives(&[(201, Some("Resource")), (200, Some("Resource"))])
}

async fn handle(mut call: Call) -> Outcome {
    let kind = kind(&call)?;
    let permit = call.permit(Create, kind).await?;
    let resource = call.resource(kind).await?;
    let if_none_exist = match call.only(&IF_NONE_EXIST) {
        Ok(None) => None,
        Ok(Some(text)) => Some(call.app.records.criteria(call.caller()?, kind, text.trim_start_matches('?'))?),
        Err(_) => return Err(Problem::at(ErrorKind::Malformed, "If-None-Exist", "must stand once, as criteria")),
    };
    let options = CreateOptions { if_none_exist, ..CreateOptions::default() };
    let made = call.app.records.create(&permit, &resource, &options).await?;
    let status = if made.outcome == Wrote::Existed { StatusCode::OK } else { StatusCode::CREATED };
    answered(&call, status, made).await
}
