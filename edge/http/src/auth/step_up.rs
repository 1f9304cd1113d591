//! `POST /api/v1/auth/step-up`: the caller proves once more who they are, for what asks for a fresh proof.

use axum::http::Method;
use iris_kernel::ErrorKind;
use iris_plain::{Field, Form, Object};

use super::change_password::secret;
use crate::answer::Answer;
use crate::call::Call;
use crate::endpoint::{Endpoint, Outcome};
use crate::problem::Problem;

/// Longest password that is looked at.
const PASSWORD_CHARS_MAX: usize = 1_024;

pub(crate) const STEP_UP: &[Field] =
    &[Field::taken("password", Form::Text(PASSWORD_CHARS_MAX), "The caller's password.")];

pub(super) fn endpoint() -> Endpoint {
    const WHAT: &str = "Prove once more who the caller is; it counts for ten minutes where a fresh proof is asked for";
    Endpoint::new(Method::POST, "/api/v1/auth/step-up", WHAT, handle).takes("StepUp").gives(&[(204, None)]).fails(&[
        ErrorKind::Invalid,
        ErrorKind::TooMany,
        ErrorKind::Conflict,
    ])
}

async fn handle(mut call: Call) -> Outcome {
    let (json, _held) = call.json().await?;
    let mut object = Object::read(json.root(), STEP_UP, "");
    let password = object.with("password", secret).value();
    let faults = object.finish();
    // Each further way to prove it is one more field, one more arm, and one function of `Identity` beside this one.
    match password {
        Some(password) if faults.is_empty() => {
            call.app.identity.step_up_by_password(call.caller()?, &password, &call.origin()).await?;
            Ok(Answer::empty())
        }
        None if faults.is_empty() => Err(Problem::at(ErrorKind::Invalid, "/password", "is needed")),
        _ => Err(Problem::with(ErrorKind::Invalid, faults)),
    }
}
