//! `GET /api/v1/audit/actions`

use axum::http::{Method, StatusCode};
use iris_audit::Action;
use iris_fhir::json::Writer;

use crate::answer::Answer;
use crate::call::Call;
use crate::endpoint::{Endpoint, Outcome};

pub(super) fn endpoint() -> Endpoint {
    Endpoint::new(Method::GET, "/api/v1/audit/actions", "What can stand in the access log", handle)
        .gives(&[(200, Some("AuditActions"))])
}

async fn handle(_call: Call) -> Outcome {
    let mut w = Writer::new();
    w.object().key("items").array();
    for action in Action::ALL {
        w.object().member("action", action.name()).member("what", action.meaning()).end();
    }
    w.end();
    Ok(Answer::json(StatusCode::OK, w.finish()))
}
