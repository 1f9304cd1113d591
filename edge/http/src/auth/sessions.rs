//! `GET /api/v1/auth/sessions`, `DELETE /api/v1/auth/sessions/{id}`, `DELETE /api/v1/auth/sessions`

use axum::http::{Method, StatusCode};
use iris_fhir::json::Writer;
use iris_kernel::ErrorKind;
use iris_resources::Refusal;
use uuid::Uuid;

use crate::answer::Answer;
use crate::call::Call;
use crate::endpoint::{Endpoint, Outcome, path};
use crate::problem::Problem;

const PATH: &str = "/api/v1/auth/sessions";

pub(super) fn list_endpoint() -> Endpoint {
    Endpoint::new(Method::GET, PATH, "Where the caller is signed in", list)
        .gives(&[(200, Some("OpenSessions"))])
        .fails(&[ErrorKind::Conflict])
}

pub(super) fn others_endpoint() -> Endpoint {
    Endpoint::new(Method::DELETE, PATH, "End every other session of the caller", others)
        .step_up()
        .gives(&[(204, None)])
        .fails(&[ErrorKind::Conflict])
}

pub(super) fn one_endpoint() -> Endpoint {
    Endpoint::new(Method::DELETE, "/api/v1/auth/sessions/{id}", "End a session of the caller", one)
        .step_up()
        .params(&[path("id", "The session's id.")])
        .gives(&[(204, None)])
        .fails(&[ErrorKind::NotFound, ErrorKind::Conflict])
}

async fn list(call: Call) -> Outcome {
    let sessions = call.app.identity.sessions(call.caller()?).await?;
    let mut w = Writer::new();
    w.object().key("items").array();
    for session in &sessions {
        w.object().member("id", &session.id.to_string()).member("created_at", &session.created.rfc3339());
        w.member("last_used_at", &session.last_used.rfc3339());
        for (name, text) in [("address", &session.address), ("agent", &session.agent)] {
            if let Some(text) = text {
                w.member(name, text);
            }
        }
        w.member("factor", session.factor.name()).key("current").bool(session.current);
        w.member("ends_at", &session.ends.rfc3339()).end();
    }
    w.end().end();
    Ok(Answer::json(StatusCode::OK, w.finish()))
}

async fn one(call: Call) -> Outcome {
    let id = Uuid::parse_str(call.path("id")).map_err(|_| Problem::from(Refusal::not_found()))?;
    call.app.identity.session_revoke(call.caller()?, id).await?;
    Ok(Answer::empty())
}

async fn others(call: Call) -> Outcome {
    call.app.identity.sessions_revoke(call.caller()?).await?;
    Ok(Answer::empty())
}
