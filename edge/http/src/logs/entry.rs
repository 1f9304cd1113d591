//! `GET /api/v1/audit/logs/{id}`

use axum::http::{Method, StatusCode};
use iris_access::{ActionKind, Named, Read};
use iris_audit::Action;
use iris_fhir::json::Writer;
use iris_kernel::ErrorKind;
use iris_resources::Refusal;

use super::{Shown, blocking, event, position, show};
use crate::answer::Answer;
use crate::call::Call;
use crate::endpoint::{Endpoint, Needs, Outcome, path};

pub(super) fn endpoint() -> Endpoint {
    Endpoint::new(Method::GET, "/api/v1/audit/logs/{id}", "Read one entry of the access log", handle)
        .needs(Needs::Named(ActionKind::Read, Named::AuditLog))
        .params(&[path("id", "The entry's position in the log.")])
        .gives(&[(200, Some("AuditEntry"))])
        .fails(&[ErrorKind::NotFound])
}

async fn handle(call: Call) -> Outcome {
    let permit = call.permit_named(Read, Named::AuditLog).await?;
    let (tenant, position) = (permit.tenant(), position(&call)?);
    let event = event(&call, Action::AuditRead)?;
    let sealed = blocking(&call, move |audit| audit.entry(tenant, position, event)).await?;
    let entry = call.release(sealed).await?.ok_or_else(Refusal::not_found)?;
    let mut w = Writer::new();
    show(&entry, Shown::Whole, &mut w);
    Ok(Answer::json(StatusCode::OK, w.finish()))
}
