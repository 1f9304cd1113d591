//! `GET /api/v1/audit/logs/{id}/proof`

use axum::http::{Method, StatusCode};
use iris_access::{ActionKind, Named, Read};
use iris_audit::{Action, Opening};
use iris_kernel::ErrorKind;
use iris_resources::Refusal;

use super::{blocking, event, position};
use crate::answer::Answer;
use crate::call::Call;
use crate::endpoint::{Endpoint, Needs, Outcome, path};
use crate::problem::Problem;

pub(super) fn endpoint() -> Endpoint {
    Endpoint::new(
        Method::GET,
        "/api/v1/audit/logs/{id}/proof",
        "Proof that an entry is in the signed log (RFC 6962)",
        handle,
    )
    .needs(Needs::Named(ActionKind::Read, Named::AuditLog))
    .params(&[path("id", "The entry's position in the log.")])
    .gives(&[(200, Some("AuditProof"))])
    .fails(&[ErrorKind::NotFound])
}

async fn handle(call: Call) -> Outcome {
    let permit = call.permit_named(Read, Named::AuditLog).await?;
    let (opening, position) = (Opening::Tenant(permit.tenant()), position(&call)?);
    let event = event(&call, Action::AuditProof)?;
    // The newest entries are signed first, so that a proof can be had for whatever can be read.
    let sealed = blocking(&call, move |audit| {
        audit.settle();
        audit.proof(position, opening, event)
    })
    .await?;
    let proof = call.release(sealed).await?.ok_or_else(Refusal::not_found)?;
    let body = serde_json::to_vec(&proof)
        .map_err(|cause| Problem::caused(ErrorKind::Internal, "the proof cannot be written", cause))?;
    Ok(Answer::json(StatusCode::OK, body))
}
