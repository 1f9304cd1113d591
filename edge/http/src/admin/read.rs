//! `GET /api/v1/admin/users/{id}`

use axum::http::{Method, StatusCode};
use iris_access::{ActionKind, Named, Read};
use iris_kernel::ErrorKind;

use super::{ID, body, user_id};
use crate::answer::Answer;
use crate::call::Call;
use crate::endpoint::{Endpoint, Needs, Outcome};

pub(super) fn endpoint() -> Endpoint {
    Endpoint::new(Method::GET, "/api/v1/admin/users/{id}", "One account", handle)
        .needs(Needs::Named(ActionKind::Read, Named::Accounts))
        .params(&[ID])
        .gives(&[(200, Some("User"))])
        .fails(&[ErrorKind::NotFound])
}

async fn handle(call: Call) -> Outcome {
    let permit = call.permit_named(Read, Named::Accounts).await?;
    let user = call.app.identity.user_read(&permit, user_id(&call)?).await?;
    Ok(Answer::json(StatusCode::OK, body(&user)))
}
