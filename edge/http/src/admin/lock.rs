//! `POST /api/v1/admin/users/{id}/lock` and `/unlock`

use axum::http::{Method, StatusCode};
use iris_access::{ActionKind, Named, Update};
use iris_identity::Enabled;
use iris_kernel::ErrorKind;

use super::{ID, body, user_id};
use crate::answer::Answer;
use crate::call::Call;
use crate::endpoint::{Endpoint, Needs, Outcome};

pub(super) fn lock() -> Endpoint {
    const WHAT: &str = "Lock an account that is not one's own: its sessions end at once, and nobody signs in with it";
    both(Endpoint::new(Method::POST, "/api/v1/admin/users/{id}/lock", WHAT, |call| handle(call, Enabled::No)))
}

pub(super) fn unlock() -> Endpoint {
    const WHAT: &str = "Unlock an account; the sessions that the lock ended stay ended";
    both(Endpoint::new(Method::POST, "/api/v1/admin/users/{id}/unlock", WHAT, |call| handle(call, Enabled::Yes)))
}

fn both(endpoint: Endpoint) -> Endpoint {
    endpoint
        .needs(Needs::Named(ActionKind::Update, Named::Accounts))
        .params(&[ID])
        .gives(&[(200, Some("User"))])
        .fails(&[ErrorKind::NotFound, ErrorKind::Conflict])
}

async fn handle(call: Call, enabled: Enabled) -> Outcome {
    let permit = call.permit_named(Update, Named::Accounts).await?;
    let user = call.app.identity.user_enable(&permit, user_id(&call)?, enabled).await?;
    Ok(Answer::json(StatusCode::OK, body(&user)))
}
