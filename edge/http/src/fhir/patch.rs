//! `PATCH /fhir/{type}/{id}` and `PATCH /fhir/{type}?criteria`: JSON Patch, and FHIRPath Patch in Parameters.

use axum::http::header::CONTENT_TYPE;
use axum::http::{Method, StatusCode};
use iris_access::{Permit, Update};
use iris_kernel::ErrorKind;
use iris_resources::{Change, Content, Patch, Which};

use super::{ANY_CRITERIA, ID, IF_MATCH, RETURN, TYPE, answered, criteria, kind};
use crate::call::Call;
use crate::endpoint::{Endpoint, Outcome};
use crate::problem::Problem;

/// RFC 6902.
const JSON_PATCH: &str = "application/json-patch+json";

pub(super) fn endpoint() -> Endpoint {
    Endpoint::new(Method::PATCH, "/fhir/{type}/{id}", "Change a resource by a JSON Patch or a FHIRPath Patch", one)
        .params(&[TYPE, ID, IF_MATCH, RETURN])
        .takes("Patch")
        .gives(&[(200, Some("Resource"))])
}

pub(super) fn conditional() -> Endpoint {
    Endpoint::new(Method::PATCH, "/fhir/{type}", "Change the resource that criteria stand for by a patch", meant)
        .params(&[TYPE, ANY_CRITERIA, IF_MATCH, RETURN])
        .takes("Patch")
        .gives(&[(200, Some("Resource"))])
}

async fn one(mut call: Call) -> Outcome {
    let permit = call.permit(Update, kind(&call)?).await?;
    let patch = read(&mut call).await?;
    changed(&call, &permit, Which::Id(call.id()?), &patch).await
}

async fn meant(mut call: Call) -> Outcome {
    let permit = call.permit(Update, kind(&call)?).await?;
    let criteria = criteria(&call)?;
    let patch = read(&mut call).await?;
    changed(&call, &permit, Which::Criteria(&criteria), &patch).await
}

/// Changes the record as it is when it is written.
async fn changed(call: &Call, permit: &Permit<Update>, which: Which<'_>, change: &dyn Change) -> Outcome {
    let content = Content::Changed(change);
    let made = call.app.records.update(permit, which, content, call.if_match()?.into(), None).await?;
    answered(call, StatusCode::OK, made).await
}

/// The patch in the body. Only its media type tells which of the two it is.
async fn read(call: &mut Call) -> Result<Patch, Problem> {
    let kind = call.header(&CONTENT_TYPE).unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if kind.eq_ignore_ascii_case(JSON_PATCH) {
        let held = call.body(&[JSON_PATCH]).await?;
        return Ok(Patch::json(held.bytes.clone())?);
    }
    if kind.is_empty() || kind.eq_ignore_ascii_case("application/json") {
        let what = format!("must be {JSON_PATCH}, or FHIR's own for a FHIRPath Patch in Parameters");
        return Err(Problem::at(ErrorKind::MediaType, "Content-Type", what));
    }
    let (parameters, _held) = call.any_resource().await?;
    Ok(Patch::fhirpath(parameters)?)
}
