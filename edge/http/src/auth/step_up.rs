//! `POST /api/v1/auth/step-up`: the caller proves once more who they are, for what asks for a fresh proof.

use axum::http::Method;
use iris_kernel::ErrorKind;
use iris_plain::{Field, Form, Object};

use super::change_password::secret;
use super::mfa::{self, CODE, RECOVERY_CODE};
use super::passkeys::{self, CEREMONY, CREDENTIAL, Ended};
use crate::answer::Answer;
use crate::call::Call;
use crate::endpoint::{Endpoint, Outcome};
use crate::problem::Problem;

/// Longest password that is looked at.
const PASSWORD_CHARS_MAX: usize = 1_024;

pub(crate) const STEP_UP: &[Field] = &[
    Field::taken("password", Form::Text(PASSWORD_CHARS_MAX), "The caller's password."),
    CODE,
    RECOVERY_CODE,
    CEREMONY,
    CREDENTIAL,
];

pub(super) fn endpoint() -> Endpoint {
    const WHAT: &str = "Prove once more who the caller is; it counts for ten minutes where a fresh proof is asked for";
    Endpoint::new(Method::POST, "/api/v1/auth/step-up", WHAT, handle).takes("StepUp").gives(&[(204, None)]).fails(&[
        ErrorKind::Invalid,
        ErrorKind::TooMany,
        ErrorKind::Conflict,
        ErrorKind::NotSupported,
    ])
}

async fn handle(mut call: Call) -> Outcome {
    let (json, _held) = call.json().await?;
    let mut object = Object::read(json.root(), STEP_UP, "");
    let password = object.with("password", secret).value();
    let ended = passkeys::ended(&mut object);
    let ways = [object.has("password"), object.has("ceremony") || object.has("credential")];
    let typed = if ways.contains(&true) { None } else { mfa::typed(&mut object) };
    for (name, beside) in
        [("code", ways.contains(&true)), ("recovery_code", ways.contains(&true)), ("ceremony", ways[0])]
    {
        if beside && object.has(name) {
            object.fault(name, "cannot stand beside another proof");
        }
    }
    let faults = object.finish();
    if !faults.is_empty() {
        return Err(Problem::with(ErrorKind::Invalid, faults));
    }
    let (identity, caller) = (&call.app.identity, call.caller()?);
    if let Some(password) = password {
        identity.step_up_by_password(caller, &password, &call.origin()).await?;
    } else if let Some(Ended { ceremony, credential }) = ended {
        let site = passkeys::site(&call)?;
        identity.step_up_by_passkey(caller, &site, (ceremony.as_str(), credential.as_slice())).await?;
    } else if let Some(typed) = typed {
        identity.step_up_by_code(caller, typed.code()).await?;
    } else {
        return Err(Problem::at(ErrorKind::Invalid, "/password", "is needed, or another proof"));
    }
    Ok(Answer::empty())
}
