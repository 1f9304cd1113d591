//! `POST /api/v1/audit/verify-integrity`

use axum::http::{Method, StatusCode};
use iris_access::{ActionKind, Named, Verify};
use iris_audit::Action;
use iris_kernel::ErrorKind;

use super::{event, place};
use crate::answer::Answer;
use crate::call::Call;
use crate::endpoint::{Endpoint, Needs, Outcome};
use crate::problem::Problem;

pub(super) fn endpoint() -> Endpoint {
    Endpoint::new(
        Method::POST,
        "/api/v1/audit/verify-integrity",
        "Check the whole access log against its signatures",
        handle,
    )
    .needs(Needs::Named(ActionKind::Verify, Named::AuditLog))
    .gives(&[(200, Some("AuditReport"))])
    .fails(&[ErrorKind::TooMany])
}

async fn handle(call: Call) -> Outcome {
    let _permit = call.permit_named(Verify, Named::AuditLog).await?;
    let place = place(&call)?;
    let audit = call.app.audit.clone();
    let checked = crate::blocking::blocking(move || {
        let report = audit.verify(|_, _| {});
        drop(place);
        report
    });
    let report =
        checked.await.map_err(|cause| Problem::caused(ErrorKind::Internal, "the check was broken off", cause))??;
    let mut event = event(&call, Action::AuditVerify)?;
    event.query = format!("{} entries, {} faults", report.size, report.faults.len() as u64 + report.faults_more);
    let report = call.release(call.app.audit.seal(report, vec![event])).await?;
    let mut body = serde_json::to_value(&report)
        .map_err(|cause| Problem::caused(ErrorKind::Internal, "the report cannot be written", cause))?;
    if let Some(members) = body.as_object_mut() {
        members.insert("valid".to_owned(), report.good().into());
    }
    Ok(Answer::json(StatusCode::OK, body.to_string()))
}
