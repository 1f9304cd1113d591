//! `POST /api/v1/auth/verify-email`

use axum::http::Method;
use iris_kernel::ErrorKind;
use iris_plain::{Field, Form, Object};

use super::asked::WORD_CHARS_MAX;
use crate::answer::Answer;
use crate::call::Call;
use crate::endpoint::{Endpoint, Needs, Outcome};
use crate::problem::Problem;

pub(crate) const VERIFY_EMAIL: &[Field] =
    &[Field::needed("token", Form::Text(WORD_CHARS_MAX), "The token of the link in the mail, good once.")];

pub(super) fn endpoint() -> Endpoint {
    const WHAT: &str = "Show that a mail came to one's address; makes the account that was asked for";
    Endpoint::new(Method::POST, "/api/v1/auth/verify-email", WHAT, handle)
        .needs(Needs::Nothing)
        .takes("VerifyEmail")
        .gives(&[(204, None)])
        .fails(&[ErrorKind::Invalid, ErrorKind::Conflict, ErrorKind::MediaType, ErrorKind::TooMany])
}

async fn handle(mut call: Call) -> Outcome {
    let (json, _held) = call.json().await?;
    let mut object = Object::read(json.root(), VERIFY_EMAIL, "");
    object.need(VERIFY_EMAIL);
    let token = object.text("token").value();
    let faults = object.finish();
    let (Some(token), true) = (token, faults.is_empty()) else {
        return Err(Problem::with(ErrorKind::Invalid, faults));
    };
    call.app.identity.email_verify(&token, &call.origin()).await?;
    Ok(Answer::empty())
}
