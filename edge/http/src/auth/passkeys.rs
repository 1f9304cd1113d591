//! `/api/v1/auth/passkeys`: making passkeys, signing in by one, listing, naming and removing them. A ceremony has two requests: the
//! first gives what the browser asks its authenticator, the second brings the authenticator's answer.

use axum::http::header::LOCATION;
use axum::http::{HeaderValue, Method, StatusCode};
use iris_fhir::json::{Json, ValueKind, Writer};
use iris_identity::Keeping;
use iris_identity::factors::{Ceremony, NAME_CHARS_MAX, PasskeyView, Site};
use iris_kernel::{ErrorKind, Tenant};
use iris_plain::{Field, Form, Object};
use iris_resources::Refusal;
use uuid::Uuid;

use super::mfa::{TICKET_CHARS_MAX, write_codes};
use super::{cookie, login};
use crate::answer::Answer;
use crate::call::Call;
use crate::endpoint::{Endpoint, Needs, Outcome, path};
use crate::problem::Problem;

const PATH: &str = "/api/v1/auth/passkeys";
/// Longest user name or tenant name that is looked at.
const WORD_CHARS_MAX: usize = 1_024;

pub(super) const CEREMONY: Field =
    Field::taken("ceremony", Form::Text(TICKET_CHARS_MAX), "What the first request of the ceremony answered.");
pub(super) const CREDENTIAL: Field = Field::taken(
    "credential",
    Form::Open,
    "What the browser answered, as its `toJSON()` writes it (WebAuthn level 3).",
);

pub(crate) const PASSKEY_REGISTER: &[Field] = &[
    CEREMONY,
    CREDENTIAL,
    Field::taken("name", Form::Text(NAME_CHARS_MAX), "How its owner calls it; needed at the end of the ceremony."),
];

pub(crate) const PASSKEY_LOGIN: &[Field] = &[
    Field::taken(
        "username",
        Form::Text(WORD_CHARS_MAX),
        "At the beginning: whose passkey; anybody's where nothing is said.",
    ),
    Field::taken(
        "tenant",
        Form::Text(WORD_CHARS_MAX),
        "At the beginning: name of the tenant; the installation's own where nothing is said.",
    ),
    CEREMONY,
    CREDENTIAL,
    Field::taken(
        "session",
        Form::Choice(&[cookie::WORD]),
        "At the end: `cookie` puts the refresh token into a cookie that scripts cannot read, for pages.",
    ),
];

pub(crate) const PASSKEY_NAME: &[Field] =
    &[Field::needed("name", Form::Text(NAME_CHARS_MAX), "How its owner calls it.")];

pub(super) fn register_endpoint() -> Endpoint {
    const WHAT: &str = "Make a passkey: with an empty body the ceremony begins, with the browser's answer it ends";
    Endpoint::new(Method::POST, "/api/v1/auth/passkeys/register", WHAT, register)
        .step_up()
        .takes("PasskeyRegister")
        .gives(&[(200, Some("Ceremony")), (201, Some("NewPasskey"))])
        .fails(&[ErrorKind::Invalid, ErrorKind::Conflict, ErrorKind::NotSupported, ErrorKind::MediaType])
}

pub(super) fn login_endpoint() -> Endpoint {
    const WHAT: &str = "Sign in by a passkey: without a ceremony it begins, with the browser's answer it ends";
    Endpoint::new(Method::POST, "/api/v1/auth/passkeys/login", WHAT, sign_in)
        .needs(Needs::Nothing)
        .takes("PasskeyLogin")
        .gives(&[(200, Some("PasskeySignIn"))])
        .fails(&[
            ErrorKind::Unauthenticated,
            ErrorKind::Forbidden,
            ErrorKind::TooMany,
            ErrorKind::Invalid,
            ErrorKind::NotSupported,
            ErrorKind::MediaType,
        ])
}

pub(super) fn list_endpoint() -> Endpoint {
    Endpoint::new(Method::GET, PATH, "The caller's passkeys", list).gives(&[(200, Some("Passkeys"))])
}

pub(super) fn rename_endpoint() -> Endpoint {
    Endpoint::new(Method::PATCH, "/api/v1/auth/passkeys/{id}", "Call a passkey by another name", rename)
        .params(&[path("id", "The passkey's id.")])
        .takes("PasskeyName")
        .gives(&[(200, Some("Passkey"))])
        .fails(&[ErrorKind::NotFound, ErrorKind::Invalid, ErrorKind::MediaType])
}

pub(super) fn remove_endpoint() -> Endpoint {
    Endpoint::new(Method::DELETE, "/api/v1/auth/passkeys/{id}", "Take a passkey away", remove)
        .step_up()
        .params(&[path("id", "The passkey's id.")])
        .gives(&[(204, None)])
        .fails(&[ErrorKind::NotFound, ErrorKind::Conflict])
}

/// The site at which passkeys of this installation are good.
///
/// # Errors
/// Not supported: callers reach the server by a number.
pub(super) fn site(call: &Call) -> Result<Site, Problem> {
    Site::of(&call.app.base_url).ok_or_else(|| {
        Problem::new(ErrorKind::NotSupported, "passkeys need a name: the public address of this server is a number")
    })
}

/// The end of a ceremony as it was sent.
pub(super) struct Ended {
    pub(super) ceremony: String,
    /// The browser's JSON.
    pub(super) credential: Vec<u8>,
}

/// Reads the end of a ceremony, if it is one.
pub(super) fn ended(object: &mut Object<'_>) -> Option<Ended> {
    let ceremony = object.text("ceremony").value();
    let credential = object.with("credential", |value| match value.kind() {
        ValueKind::Object => Ok(value.raw().to_vec()),
        _ => Err("must be an object".to_owned()),
    });
    match (ceremony, credential.value()) {
        (Some(ceremony), Some(credential)) => Some(Ended { ceremony, credential }),
        _ => {
            for (name, other) in [("ceremony", "credential"), ("credential", "ceremony")] {
                if object.has(other) && !object.has(name) {
                    object.fault(name, "is needed");
                }
            }
            None
        }
    }
}

async fn register(mut call: Call) -> Outcome {
    let (json, _held) = call.json().await?;
    let mut object = Object::read(json.root(), PASSKEY_REGISTER, "");
    let (ended, name) = (ended(&mut object), object.text("name").value());
    match (object.has("ceremony"), object.has("name")) {
        (true, false) => object.fault("name", "is needed"),
        (false, true) => object.fault("name", "stands at the end of the ceremony"),
        _ => {}
    }
    let faults = object.finish();
    if !faults.is_empty() {
        return Err(Problem::with(ErrorKind::Invalid, faults));
    }
    let site = site(&call)?;
    let (Some(Ended { ceremony, credential }), Some(name)) = (ended, name) else {
        return Ok(begun(&call.app.identity.passkey_register_begin(call.caller()?, &site).await?));
    };
    let end = (ceremony.as_str(), credential.as_slice());
    let made = call.app.identity.passkey_register(call.caller()?, &site, end, &name).await?;
    let mut w = Writer::new();
    w.object();
    write_passkey(&made.passkey, &mut w);
    if !made.recovery_codes.is_empty() {
        write_codes(&made.recovery_codes, &mut w);
    }
    w.end();
    let answer = Answer::json(StatusCode::CREATED, w.finish());
    Ok(match HeaderValue::from_str(&format!("{PATH}/{}", made.passkey.id)) {
        Ok(place) => answer.with(LOCATION, place),
        // Cannot be: an id is of hexadecimal digits.
        Err(_) => answer,
    })
}

async fn sign_in(mut call: Call) -> Outcome {
    let (json, _held) = call.json().await?;
    let mut object = Object::read(json.root(), PASSKEY_LOGIN, "");
    let (username, tenant) = (object.text("username").value(), object.text("tenant").value());
    let ended = ended(&mut object);
    let keeping = object.with("session", login::keeping).value();
    let ends = object.has("ceremony") || object.has("credential");
    for (name, at_the_end) in [("username", false), ("tenant", false), ("session", true)] {
        if object.has(name) && at_the_end != ends {
            object.fault(name, if ends { "stands at the beginning of the ceremony" } else { "stands at its end" });
        }
    }
    let faults = object.finish();
    if !faults.is_empty() {
        return Err(Problem::with(ErrorKind::Invalid, faults));
    }
    let site = site(&call)?;
    let Some(Ended { ceremony, credential }) = ended else {
        let tenant = match tenant {
            None => Tenant::DEFAULT,
            // One that is not there is asked for a passkey like any other, and has none.
            Some(name) => call.app.identity.tenant_by_name(&name)?.unwrap_or(Tenant(u32::MAX)),
        };
        return Ok(begun(&call.app.identity.passkey_ask(tenant, username.as_deref(), &site)));
    };
    let keeping = keeping.unwrap_or(Keeping::Program);
    if keeping == Keeping::Browser {
        cookie::same_site(&call)?;
    }
    let end = (ceremony.as_str(), credential.as_slice());
    let given = call.app.identity.passkey_login(&site, end, keeping, &call.origin()).await;
    login::signed_in(&call, &given.map_err(login::refused)?, keeping).await
}

async fn list(call: Call) -> Outcome {
    let mine = call.app.identity.factors_mine(call.caller()?).await?;
    let mut w = Writer::new();
    w.object().key("items").array();
    for passkey in &mine.passkeys {
        w.object();
        write_passkey(passkey, &mut w);
        w.end();
    }
    w.end().end();
    Ok(Answer::json(StatusCode::OK, w.finish()))
}

async fn rename(mut call: Call) -> Outcome {
    let id = passkey(&call)?;
    let (json, _held) = call.json().await?;
    let name = name(&json)?;
    let renamed = call.app.identity.passkey_rename(call.caller()?, id, &name).await?;
    let mut w = Writer::new();
    w.object();
    write_passkey(&renamed, &mut w);
    w.end();
    Ok(Answer::json(StatusCode::OK, w.finish()))
}

fn name(json: &Json) -> Result<String, Problem> {
    let mut object = Object::read(json.root(), PASSKEY_NAME, "");
    object.need(PASSKEY_NAME);
    let name = object.text("name").value();
    let faults = object.finish();
    match name {
        Some(name) if faults.is_empty() => Ok(name),
        _ => Err(Problem::with(ErrorKind::Invalid, faults)),
    }
}

async fn remove(call: Call) -> Outcome {
    call.app.identity.passkey_remove(call.caller()?, passkey(&call)?).await?;
    Ok(Answer::empty())
}

/// The id in the path; what cannot be one names no passkey.
fn passkey(call: &Call) -> Result<Uuid, Problem> {
    Uuid::parse_str(call.path("id")).map_err(|_| Refusal::not_found().into())
}

fn begun(ceremony: &Ceremony) -> Answer {
    let mut w = Writer::new();
    w.object().member("ceremony", ceremony.token.expose());
    w.key("public_key").raw(ceremony.options.to_string().as_bytes()).end();
    Answer::json(StatusCode::OK, w.finish())
}

fn write_passkey(passkey: &PasskeyView, w: &mut Writer) {
    w.member("id", &passkey.id.to_string()).member("name", &passkey.name);
    w.member("created_at", &passkey.created.rfc3339());
    if let Some(used) = passkey.used {
        w.member("last_used_at", &used.rfc3339());
    }
}
