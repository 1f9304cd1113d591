//! `POST /api/v1/admin/users/{id}/reset-mfa`

use axum::http::Method;
use iris_access::{ActionKind, Named, Update};
use iris_kernel::ErrorKind;

use super::{ID, user_id};
use crate::answer::Answer;
use crate::call::Call;
use crate::endpoint::{Endpoint, Needs, Outcome};

pub(super) fn endpoint() -> Endpoint {
    const WHAT: &str = "Take all second factors away from somebody who has lost them; their sessions end";
    Endpoint::new(Method::POST, "/api/v1/admin/users/{id}/reset-mfa", WHAT, handle)
        .needs(Needs::Named(ActionKind::Update, Named::Accounts))
        .step_up()
        .params(&[ID])
        .gives(&[(204, None)])
        .fails(&[ErrorKind::NotFound, ErrorKind::Conflict])
}

async fn handle(call: Call) -> Outcome {
    let permit = call.permit_named(Update, Named::Accounts).await?;
    call.app.identity.user_factors_reset(&permit, user_id(&call)?).await?;
    Ok(Answer::empty())
}
