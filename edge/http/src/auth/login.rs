//! `POST /api/v1/auth/login`

use axum::http::{Method, StatusCode};
use iris_access::AccessError;
use iris_fhir::json::{Value, Writer};
use iris_identity::factors::Challenge;
use iris_identity::{Keeping, Login, Tokens};
use iris_kernel::{ErrorKind, Secret, Tenant};
use iris_plain::{Field, Form, Object};

use super::{cookie, tokens};
use crate::answer::Answer;
use crate::call::Call;
use crate::endpoint::{Endpoint, Needs, Outcome, header};
use crate::problem::Problem;

/// Longest user name or password that is looked at.
const WORD_CHARS_MAX: usize = 1_024;

pub(crate) const LOGIN: &[Field] = &[
    Field::needed("username", Form::Text(WORD_CHARS_MAX), "The name to sign in with."),
    Field::needed("password", Form::Text(WORD_CHARS_MAX), "The password."),
    Field::both(
        "tenant",
        Form::Text(WORD_CHARS_MAX),
        "Name of the tenant; the installation's own where nothing is said.",
    ),
    Field::taken(
        "session",
        Form::Choice(&[cookie::WORD]),
        "`cookie` puts the refresh token into a cookie that scripts cannot read, for pages; the session is then a short one.",
    ),
];

pub(super) fn endpoint() -> Endpoint {
    Endpoint::new(Method::POST, "/api/v1/auth/login", "Sign in", handle)
        .needs(Needs::Nothing)
        .params(&[header(
            "X-IRIS-Device",
            "`device_token` of an earlier sign-in: this device is then counted by itself when others fail; browsers have a cookie.",
        )])
        .takes("Login")
        .gives(&[(200, Some("SignIn"))])
        .fails(&[
            ErrorKind::Unauthenticated,
            ErrorKind::Forbidden,
            ErrorKind::TooMany,
            ErrorKind::Invalid,
            ErrorKind::MediaType,
        ])
}

async fn handle(mut call: Call) -> Outcome {
    let (json, _held) = call.json().await?;
    let mut object = Object::read(json.root(), LOGIN, "");
    object.need(LOGIN);
    let username = object.text("username").value();
    // A password is taken to the letter, with whatever white space it has.
    let password = object.with("password", |value| value.as_str().ok_or_else(|| "must be a text".to_owned())).value();
    let tenant = object.text("tenant").value();
    let keeping = object.with("session", keeping).value().unwrap_or(Keeping::Program);
    let faults = object.finish();
    let (Some(username), Some(password), true) = (username, password, faults.is_empty()) else {
        return Err(Problem::with(ErrorKind::Invalid, faults));
    };
    if keeping == Keeping::Browser {
        cookie::same_site(&call)?;
    }
    let tenant = match tenant {
        None => Tenant::DEFAULT,
        // A tenant that is not there has no accounts: the refusal is that of a wrong password and costs the same.
        Some(name) => call.app.identity.tenant_by_name(&name)?.unwrap_or(Tenant(u32::MAX)),
    };
    let password = Secret::new(password.into_owned());
    match call.app.identity.login(tenant, &username, &password, keeping, &call.origin()).await {
        Ok(Login::Done(given)) => signed_in(&call, &given, keeping).await,
        Ok(Login::Challenge(asked)) => Ok(challenge(&asked)),
        Err(error) => Err(refused(error)),
    }
}

/// The answer to a sign-in that is done.
pub(super) async fn signed_in(call: &Call, given: &Tokens, keeping: Keeping) -> Outcome {
    if keeping == Keeping::Program {
        return Ok(tokens(given, keeping));
    }
    // The session whose cookie goes now could be ended by nobody any more.
    cookie::end(call, "another sign-in in the same browser").await?;
    Ok(cookie::set(call, tokens(given, keeping), given))
}

/// A sign-in that was refused, counted.
pub(super) fn refused(error: AccessError) -> Problem {
    metrics::counter!(crate::metrics::LOGINS_REFUSED).increment(1);
    error.into()
}

/// The answer to a password, or a patient's code, that fits where it is not enough.
pub(super) fn challenge(asked: &Challenge) -> Answer {
    let mut w = Writer::new();
    w.object().key("mfa_required").bool(true).member("challenge", asked.token.expose()).key("factors").array();
    for factor in &asked.factors {
        w.string(factor.name());
    }
    w.end().key("expires_in").integer(i64::try_from(asked.expires_in).unwrap_or(i64::MAX)).end();
    Answer::json(StatusCode::OK, w.finish())
}

/// Whether the refresh token goes into a cookie.
pub(super) fn keeping(value: Value<'_>) -> Result<Keeping, String> {
    match value.as_str().as_deref() {
        Some(cookie::WORD) => Ok(Keeping::Browser),
        _ => Err(format!("must be {}, or absent", cookie::WORD)),
    }
}
