//! `POST /api/v1/auth/logout`

use axum::http::Method;

use super::cookie;
use crate::answer::Answer;
use crate::call::Call;
use crate::endpoint::{Endpoint, Outcome};

pub(super) fn endpoint() -> Endpoint {
    Endpoint::new(Method::POST, "/api/v1/auth/logout", "End the session: its tokens stop working at once", handle)
        .gives(&[(204, None)])
}

async fn handle(call: Call) -> Outcome {
    call.app.access.logout(call.caller()?).await?;
    Ok(cookie::clear(&call, Answer::empty()))
}
