//! `POST /api/v1/auth/refresh`

use axum::http::Method;
use iris_kernel::ErrorKind;
use iris_plain::{Field, Form, Object};

use super::tokens;
use crate::call::Call;
use crate::endpoint::{Endpoint, Needs, Outcome};
use crate::problem::Problem;

/// Longest refresh token that is looked at.
const TOKEN_CHARS_MAX: usize = 1_024;

pub(crate) const REFRESH: &[Field] =
    &[Field::needed("refresh_token", Form::Text(TOKEN_CHARS_MAX), "The refresh token; good for one exchange.")];

pub(super) fn endpoint() -> Endpoint {
    Endpoint::new(Method::POST, "/api/v1/auth/refresh", "Exchange a refresh token for a new pair", handle)
        .needs(Needs::Nothing)
        .takes("Refresh")
        .gives(&[(200, Some("Tokens"))])
        .fails(&[ErrorKind::Unauthenticated, ErrorKind::Invalid, ErrorKind::MediaType])
}

async fn handle(mut call: Call) -> Outcome {
    let (json, _held) = call.json().await?;
    let mut object = Object::read(json.root(), REFRESH, "");
    object.need(REFRESH);
    let token = object.text("refresh_token").value();
    let faults = object.finish();
    let (Some(token), true) = (token, faults.is_empty()) else {
        return Err(Problem::with(ErrorKind::Invalid, faults));
    };
    Ok(tokens(&call.app.access.refresh(&token, &call.origin()).await?))
}
