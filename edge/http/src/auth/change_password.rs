//! `POST /api/v1/auth/change-password`

use axum::http::Method;
use iris_fhir::json::Value;
use iris_kernel::{ErrorKind, Secret};
use iris_plain::{Field, Form, Object};

use crate::answer::Answer;
use crate::call::Call;
use crate::endpoint::{Endpoint, Outcome};
use crate::problem::Problem;

/// Longest password that is looked at.
const PASSWORD_CHARS_MAX: usize = 1_024;

pub(crate) const CHANGE_PASSWORD: &[Field] = &[
    Field::needed("current_password", Form::Text(PASSWORD_CHARS_MAX), "The password as it is."),
    Field::needed("new_password", Form::Text(PASSWORD_CHARS_MAX), "The new one."),
];

pub(super) fn endpoint() -> Endpoint {
    const WHAT: &str = "Set a new password; every other session of the caller ends";
    Endpoint::new(Method::POST, "/api/v1/auth/change-password", WHAT, handle)
        .takes("ChangePassword")
        .gives(&[(204, None)])
        .fails(&[ErrorKind::Invalid, ErrorKind::TooMany, ErrorKind::Conflict])
}

async fn handle(mut call: Call) -> Outcome {
    let (json, _held) = call.json().await?;
    let mut object = Object::read(json.root(), CHANGE_PASSWORD, "");
    object.need(CHANGE_PASSWORD);
    let current = object.with("current_password", secret).value();
    let new = object.with("new_password", secret).value();
    let faults = object.finish();
    let (Some(current), Some(new), true) = (current, new, faults.is_empty()) else {
        return Err(Problem::with(ErrorKind::Invalid, faults));
    };
    call.app.identity.password_change(call.caller()?, (&current, &new), &call.origin()).await?;
    Ok(Answer::empty())
}

/// Reads a password to the letter, with whatever white space it has.
pub(super) fn secret(value: Value<'_>) -> Result<Secret<String>, String> {
    let text = value.as_str().ok_or_else(|| "must be a text".to_owned())?;
    Ok(Secret::new(text.into_owned()))
}
