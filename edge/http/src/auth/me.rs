//! `GET /api/v1/auth/me`

use axum::http::{Method, StatusCode};
use iris_fhir::json::Writer;

use super::write_profile;
use crate::answer::Answer;
use crate::call::Call;
use crate::endpoint::{Endpoint, Outcome};

pub(super) fn endpoint() -> Endpoint {
    Endpoint::new(Method::GET, "/api/v1/auth/me", "Who the caller is and what they may do", handle)
        .gives(&[(200, Some("Profile"))])
}

async fn handle(call: Call) -> Outcome {
    let mut w = Writer::new();
    write_profile(&call.app.identity.me(call.caller()?)?, &mut w);
    Ok(Answer::json(StatusCode::OK, w.finish()))
}
