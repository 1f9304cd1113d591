//! `POST /api/v1/auth/logout`

use axum::http::Method;
use iris_kernel::ErrorKind;

use super::cookie;
use crate::answer::Answer;
use crate::call::Call;
use crate::endpoint::{Endpoint, Needs, Outcome, header};

pub(super) fn endpoint() -> Endpoint {
    Endpoint::new(Method::POST, "/api/v1/auth/logout", "End the session: its tokens stop working at once", handle)
        .needs(Needs::Session)
        .params(&[header(
            "X-IRIS-Session",
            "`cookie`: the session of the cookie ends, with an access token or without.",
        )])
        .gives(&[(204, None)])
        .fails(&[ErrorKind::Malformed])
}

async fn handle(call: Call) -> Outcome {
    let by_cookie = cookie::meant(&call)?;
    if by_cookie {
        cookie::same_site(&call)?;
    }
    match call.authenticate().await {
        Ok(caller) => call.app.identity.logout(&caller).await?,
        // The access token of a page may run out before its session, or be gone with a reload: the cookie is enough.
        Err(problem) if by_cookie && problem.kind == ErrorKind::Unauthenticated => {}
        Err(problem) => return Err(problem),
    }
    if by_cookie {
        cookie::end(&call, "sign-out").await?;
    }
    Ok(cookie::clear(&call, Answer::empty()))
}
