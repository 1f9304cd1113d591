//! `POST /api/v1/auth/reset-password` and `POST /api/v1/auth/verify-reset`

use axum::http::Method;
use iris_identity::Forgotten;
use iris_identity::messages::EMAIL_BYTES_MAX;
use iris_kernel::ErrorKind;
use iris_plain::{Field, Form, Object};

use super::asked::{self, LANGUAGE, TENANT, WORD_CHARS_MAX};
use super::change_password::secret;
use crate::answer::Answer;
use crate::call::Call;
use crate::endpoint::{Endpoint, Needs, Outcome};
use crate::problem::Problem;

pub(crate) const RESET_PASSWORD: &[Field] = &[
    Field::taken("username", Form::Text(WORD_CHARS_MAX), "The name of the account; or its address."),
    Field::taken("email", Form::Text(EMAIL_BYTES_MAX), "The proven address of the account; or its name."),
    LANGUAGE,
    TENANT,
];

pub(crate) const VERIFY_RESET: &[Field] = &[
    Field::needed("token", Form::Text(WORD_CHARS_MAX), "The token of the link in the mail, good once."),
    Field::needed("new_password", Form::Text(1_024), "The password from now on."),
];

pub(super) fn ask_endpoint() -> Endpoint {
    const WHAT: &str =
        "Ask for a link that sets a new password; the answer never says whether there is such an account";
    Endpoint::new(Method::POST, "/api/v1/auth/reset-password", WHAT, ask)
        .needs(Needs::Nothing)
        .takes("ResetPassword")
        .gives(&[(202, Some("Accepted"))])
        .fails(&[ErrorKind::Invalid, ErrorKind::MediaType, ErrorKind::TooMany])
}

pub(super) fn set_endpoint() -> Endpoint {
    const WHAT: &str =
        "Set a password by a link that was mailed; every session and every other link of the account ends";
    Endpoint::new(Method::POST, "/api/v1/auth/verify-reset", WHAT, set)
        .needs(Needs::Nothing)
        .takes("VerifyReset")
        .gives(&[(204, None)])
        .fails(&[ErrorKind::Invalid, ErrorKind::Conflict, ErrorKind::MediaType, ErrorKind::TooMany])
}

async fn ask(mut call: Call) -> Outcome {
    let (json, _held) = call.json().await?;
    let mut object = Object::read(json.root(), RESET_PASSWORD, "");
    let (name, email) = (object.text("username").value(), asked::email(&mut object).value());
    match (object.has("username"), object.has("email")) {
        (true, true) => object.fault("username", "cannot stand beside email"),
        (false, false) => object.fault("email", "is needed, or username"),
        _ => {}
    }
    let (tenant, language) = (object.text("tenant").value(), asked::language(&call, &mut object));
    let faults = object.finish();
    let whose = name.map(Forgotten::Name).or(email.map(Forgotten::Email));
    let (Some(whose), true) = (whose, faults.is_empty()) else {
        return Err(Problem::with(ErrorKind::Invalid, faults));
    };
    let tenant = asked::tenant(&call, tenant.as_deref())?;
    call.app.identity.reset_ask(tenant, &whose, language, &call.origin()).await?;
    Ok(asked::accepted())
}

async fn set(mut call: Call) -> Outcome {
    let (json, _held) = call.json().await?;
    let mut object = Object::read(json.root(), VERIFY_RESET, "");
    object.need(VERIFY_RESET);
    let (token, password) = (object.text("token").value(), object.with("new_password", secret).value());
    let faults = object.finish();
    let (Some(token), Some(password), true) = (token, password, faults.is_empty()) else {
        return Err(Problem::with(ErrorKind::Invalid, faults));
    };
    call.app.identity.password_reset(&token, &password, &call.origin()).await?;
    Ok(Answer::empty())
}
