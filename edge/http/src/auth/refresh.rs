//! `POST /api/v1/auth/refresh`

use axum::http::Method;
use iris_access::AccessError;
use iris_identity::{Keeping, Tokens};
use iris_kernel::ErrorKind;
use iris_plain::{Field, Form, Object};

use super::{cookie, tokens};
use crate::answer::Answer;
use crate::call::Call;
use crate::endpoint::{Endpoint, Needs, Outcome, header};
use crate::metrics::REFRESHES;
use crate::problem::Problem;

/// Longest refresh token that is looked at.
const TOKEN_CHARS_MAX: usize = 1_024;

pub(crate) const REFRESH: &[Field] = &[Field::taken(
    "refresh_token",
    Form::Text(TOKEN_CHARS_MAX),
    "The refresh token, good for one exchange; absent where it is in the cookie.",
)];

pub(super) fn endpoint() -> Endpoint {
    Endpoint::new(
        Method::POST,
        "/api/v1/auth/refresh",
        "Exchange a refresh token for a new pair; 204 for a browser without a session",
        handle,
    )
    .needs(Needs::Nothing)
    .params(&[header("X-IRIS-Session", "`cookie`: the refresh token is in the cookie, and the new one goes there.")])
    .takes("Refresh")
    .gives(&[(200, Some("Tokens")), (204, None)])
    .fails(&[
        ErrorKind::Unauthenticated,
        ErrorKind::Forbidden,
        ErrorKind::Invalid,
        ErrorKind::MediaType,
        ErrorKind::TooMany,
    ])
}

async fn handle(mut call: Call) -> Outcome {
    let by_cookie = cookie::meant(&call)?;
    if by_cookie {
        cookie::same_site(&call)?;
    }
    let (json, _held) = call.json().await?;
    let mut object = Object::read(json.root(), REFRESH, "");
    let given = object.text("refresh_token").value();
    match (by_cookie, &given) {
        (true, Some(_)) => object.fault("refresh_token", "cannot stand beside X-IRIS-Session: cookie"),
        (false, None) => object.fault("refresh_token", "is needed"),
        _ => {}
    }
    let faults = object.finish();
    if !faults.is_empty() {
        return Err(Problem::with(ErrorKind::Invalid, faults));
    }
    match given {
        Some(token) => {
            let fresh = counted(call.app.identity.refresh(&token, Keeping::Program, &call.origin()).await)?;
            Ok(tokens(&fresh, Keeping::Program))
        }
        None => exchange_cookie(&call).await,
    }
}

async fn exchange_cookie(call: &Call) -> Outcome {
    // Every first page load asks. That nobody has signed in is no failure, which browsers would show as one.
    let Some(token) = cookie::token(call)? else { return Ok(Answer::empty()) };
    match counted(call.app.identity.refresh(&token, Keeping::Browser, &call.origin()).await) {
        Ok(fresh) => Ok(cookie::set(call, tokens(&fresh, Keeping::Browser), &fresh)),
        // A token that is good for nothing any more has no business in the browser; a failure of ours is no reason to lose it.
        Err(error @ AccessError::Refresh) => Err(cookie::cleared(call, error.into())),
        Err(error) => Err(error.into()),
    }
}

/// Counts exchanges, and refusals; what failed because of us is neither.
fn counted(exchanged: Result<Tokens, AccessError>) -> Result<Tokens, AccessError> {
    let outcome = match &exchanged {
        Ok(_) => Some("exchanged"),
        Err(AccessError::Refresh | AccessError::TooMany { .. }) => Some("refused"),
        Err(_) => None,
    };
    if let Some(outcome) = outcome {
        metrics::counter!(REFRESHES, "outcome" => outcome).increment(1);
    }
    exchanged
}
