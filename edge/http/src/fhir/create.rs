//! `POST /fhir/{type}`

use axum::http::{HeaderName, Method, StatusCode};
use iris_access::Create;
use iris_kernel::ErrorKind;
use iris_resources::{CreateOptions, Outcome as Wrote};
use iris_search::parse_query;

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
    let if_none_exist = match call.header(&IF_NONE_EXIST) {
        None => None,
        Some(criteria) => {
            let pairs: Vec<(String, String)> = form_urlencoded::parse(criteria.as_bytes()).into_owned().collect();
            let query = parse_query(kind, &pairs, &call.app.records.query_context())
                .map_err(|faults| Problem::with(ErrorKind::NotSupported, faults))?;
            if query.all.is_empty() {
                return Err(Problem::at(ErrorKind::Invalid, "If-None-Exist", "the criteria are empty"));
            }
            Some((query, criteria.to_owned()))
        }
    };
    let options = CreateOptions { if_none_exist, ..CreateOptions::default() };
    let made = call.app.records.create(&permit, &resource, &options).await?;
    let status = if made.outcome == Wrote::Existed { StatusCode::OK } else { StatusCode::CREATED };
    answered(&call, status, made).await
}
