//! `/api/v1/auth/mfa`: an authenticator app and recovery codes.

use axum::http::{Method, StatusCode};
use iris_fhir::json::Writer;
use iris_identity::Keeping;
use iris_identity::factors::Code;
use iris_kernel::{ErrorKind, Secret};
use iris_plain::{Field, Form, Object};

use super::{cookie, login};
use crate::answer::Answer;
use crate::call::Call;
use crate::endpoint::{Endpoint, Needs, Outcome};
use crate::problem::Problem;

/// Longest code that is looked at.
const CODE_CHARS_MAX: usize = 100;
/// Longest challenge or ceremony that is looked at.
pub(super) const TICKET_CHARS_MAX: usize = 512;

pub(crate) const NOTHING: &[Field] = &[];

pub(super) const CODE: Field =
    Field::taken("code", Form::Text(CODE_CHARS_MAX), "The code that the authenticator app shows.");
pub(super) const RECOVERY_CODE: Field =
    Field::taken("recovery_code", Form::Text(CODE_CHARS_MAX), "One of the recovery codes, in place of the app's code.");

pub(crate) const MFA_VERIFY: &[Field] = &[
    Field::taken(
        "challenge",
        Form::Text(TICKET_CHARS_MAX),
        "What the sign-in answered. Without it, the code confirms the set-up of the caller's app.",
    ),
    CODE,
    RECOVERY_CODE,
    Field::taken(
        "session",
        Form::Choice(&[cookie::WORD]),
        "`cookie` puts the refresh token into a cookie that scripts cannot read, for pages; the session is then a short one.",
    ),
];

pub(crate) const MFA_DISABLE: &[Field] = &[CODE, RECOVERY_CODE];

pub(super) fn status_endpoint() -> Endpoint {
    const WHAT: &str = "Which second factors the caller has";
    Endpoint::new(Method::GET, "/api/v1/auth/mfa", WHAT, status).gives(&[(200, Some("Mfa"))])
}

pub(super) fn setup_endpoint() -> Endpoint {
    const WHAT: &str = "Begin to set up an authenticator app; it counts once its first code was seen";
    Endpoint::new(Method::POST, "/api/v1/auth/mfa/setup", WHAT, setup)
        .step_up()
        .takes("Nothing")
        .gives(&[(200, Some("MfaSetup"))])
        .fails(&[ErrorKind::Invalid, ErrorKind::Conflict, ErrorKind::MediaType])
}

pub(super) fn verify_endpoint() -> Endpoint {
    const WHAT: &str = "The second step of a sign-in; signed in and without a challenge, the end of a set-up";
    Endpoint::new(Method::POST, "/api/v1/auth/mfa/verify", WHAT, verify)
        .needs(Needs::Nothing)
        .takes("MfaVerify")
        .gives(&[(200, Some("MfaVerified"))])
        .fails(&[
            ErrorKind::Unauthenticated,
            ErrorKind::Forbidden,
            ErrorKind::TooMany,
            ErrorKind::Invalid,
            ErrorKind::Conflict,
            ErrorKind::MediaType,
        ])
}

pub(super) fn disable_endpoint() -> Endpoint {
    const WHAT: &str = "Take the caller's authenticator app away; its code or a recovery code proves who asks";
    Endpoint::new(Method::DELETE, "/api/v1/auth/mfa/disable", WHAT, disable)
        .takes("MfaDisable")
        .gives(&[(204, None)])
        .fails(&[ErrorKind::TooMany, ErrorKind::Invalid, ErrorKind::Conflict, ErrorKind::MediaType])
}

async fn status(call: Call) -> Outcome {
    let mine = call.app.identity.factors_mine(call.caller()?).await?;
    let mut w = Writer::new();
    w.object().key("totp").bool(mine.totp).key("recovery_codes_left").integer(count(mine.recovery_codes_left));
    w.key("passkeys").integer(count(mine.passkeys.len())).end();
    Ok(Answer::json(StatusCode::OK, w.finish()))
}

async fn setup(mut call: Call) -> Outcome {
    let (json, _held) = call.json().await?;
    let faults = Object::read(json.root(), NOTHING, "").finish();
    if !faults.is_empty() {
        return Err(Problem::with(ErrorKind::Invalid, faults));
    }
    let setup = call.app.identity.totp_setup(call.caller()?).await?;
    let mut w = Writer::new();
    w.object().member("secret", setup.secret.expose()).member("otpauth_uri", setup.uri.expose()).end();
    Ok(Answer::json(StatusCode::OK, w.finish()))
}

async fn verify(mut call: Call) -> Outcome {
    let (json, _held) = call.json().await?;
    let mut object = Object::read(json.root(), MFA_VERIFY, "");
    let challenge = object.text("challenge").value();
    let typed = typed(&mut object);
    let keeping = object.with("session", login::keeping).value();
    if challenge.is_none() {
        for name in ["recovery_code", "session"] {
            if object.has(name) {
                object.fault(name, "goes with a challenge only");
            }
        }
    }
    let faults = object.finish();
    let (Some(typed), true) = (typed, faults.is_empty()) else {
        return Err(Problem::with(ErrorKind::Invalid, faults));
    };
    match challenge {
        Some(challenge) => second_step(&call, &challenge, &typed, keeping.unwrap_or(Keeping::Program)).await,
        None => {
            let caller = call.authenticate().await?;
            let codes = call.app.identity.totp_confirm(&caller, typed.text.expose()).await?;
            let mut w = Writer::new();
            w.object();
            write_codes(&codes, &mut w);
            w.end();
            Ok(Answer::json(StatusCode::OK, w.finish()))
        }
    }
}

async fn second_step(call: &Call, challenge: &str, typed: &Typed, keeping: Keeping) -> Outcome {
    if keeping == Keeping::Browser {
        cookie::same_site(call)?;
    }
    let given = call.app.identity.login_verify(challenge, typed.code(), keeping, &call.origin()).await;
    login::signed_in(call, &given.map_err(login::refused)?, keeping).await
}

async fn disable(mut call: Call) -> Outcome {
    let (json, _held) = call.json().await?;
    let mut object = Object::read(json.root(), MFA_DISABLE, "");
    let typed = typed(&mut object);
    let faults = object.finish();
    let (Some(typed), true) = (typed, faults.is_empty()) else {
        return Err(Problem::with(ErrorKind::Invalid, faults));
    };
    call.app.identity.totp_disable(call.caller()?, typed.code()).await?;
    Ok(Answer::empty())
}

/// A code that somebody typed.
pub(super) struct Typed {
    text: Secret<String>,
    is_recovery: bool,
}

impl Typed {
    /// As the identity takes it.
    pub(super) fn code(&self) -> Code<'_> {
        if self.is_recovery { Code::Recovery(self.text.expose()) } else { Code::App(self.text.expose()) }
    }
}

/// Reads the one code that is needed, of whichever sort.
pub(super) fn typed(object: &mut Object<'_>) -> Option<Typed> {
    let (code, recovery) = (object.text("code").value(), object.text("recovery_code").value());
    match (code, recovery) {
        (Some(_), Some(_)) => {
            object.fault("recovery_code", "cannot stand beside code");
            None
        }
        (Some(text), None) => Some(Typed { text: Secret::new(text), is_recovery: false }),
        (None, Some(text)) => Some(Typed { text: Secret::new(text), is_recovery: true }),
        (None, None) => {
            if !object.has("code") && !object.has("recovery_code") {
                object.fault("code", "is needed");
            }
            None
        }
    }
}

/// Recovery codes, as a member of the open object.
pub(super) fn write_codes(codes: &[Secret<String>], w: &mut Writer) {
    w.key("recovery_codes").array();
    for code in codes {
        w.string(code.expose());
    }
    w.end();
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
