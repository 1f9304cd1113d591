//! `POST /api/v1/admin/users`

use axum::http::header::LOCATION;
use axum::http::{HeaderValue, Method, StatusCode};
use iris_access::{ActionKind, Create, Named};
use iris_fhir::json::Writer;
use iris_identity::{NewUser, password};
use iris_kernel::{ErrorKind, Secret};
use iris_plain::{Field, Form, Object};

use super::{roles, show};
use crate::answer::Answer;
use crate::call::Call;
use crate::endpoint::{Endpoint, Needs, Outcome};
use crate::problem::Problem;

/// Longest name or id that is looked at.
const WORD_CHARS_MAX: usize = 1_024;

pub(crate) const NEW_USER: &[Field] = &[
    Field::needed("username", Form::Text(WORD_CHARS_MAX), "The name to sign in with."),
    Field::needed(
        "roles",
        Form::Texts,
        "What the user may do, at least one: admin, physician, nurse, registrar, auditor, patient.",
    ),
    Field::taken("patient_id", Form::Text(WORD_CHARS_MAX), "The own record; for the role patient, and needed there."),
    Field::taken(
        "password",
        Form::Text(WORD_CHARS_MAX),
        "The first password, of eight characters at least; where it is absent, one is made and answered this once.",
    ),
];

pub(super) fn endpoint() -> Endpoint {
    Endpoint::new(Method::POST, "/api/v1/admin/users", "Make an account", handle)
        .needs(Needs::Named(ActionKind::Create, Named::Accounts))
        .takes("NewUser")
        .gives(&[(201, Some("UserMade"))])
        .fails(&[ErrorKind::Invalid, ErrorKind::Conflict, ErrorKind::MediaType, ErrorKind::TooMany])
}

async fn handle(mut call: Call) -> Outcome {
    let permit = call.permit_named(Create, Named::Accounts).await?;
    let (json, _held) = call.json().await?;
    let mut object = Object::read(json.root(), NEW_USER, "");
    object.need(NEW_USER);
    let name = object.text("username").value();
    let roles = object.with("roles", roles).value();
    let patient = object.text("patient_id").value();
    // A password is taken to the letter, with whatever white space it has.
    let given = object.with("password", |value| value.as_str().ok_or_else(|| "must be a text".to_owned())).value();
    let faults = object.finish();
    let (Some(name), Some(roles), true) = (name, roles, faults.is_empty()) else {
        return Err(Problem::with(ErrorKind::Invalid, faults));
    };
    let made = if given.is_none() { Some(password::generate(&*call.app.entropy)) } else { None };
    let password = match (given, &made) {
        (Some(given), _) => Secret::new(given.into_owned()),
        (None, Some(made)) => Secret::new(made.expose().clone()),
        (None, None) => return Err(Problem::at(ErrorKind::Invalid, "/password", "is needed")),
    };
    let user = call.app.identity.user_create(&permit, NewUser { name, password, roles, patient }).await?;
    let mut w = Writer::new();
    show(&user, &mut w);
    if let Some(made) = &made {
        w.member("initial_password", made.expose());
    }
    w.end();
    let answer = Answer::json(StatusCode::CREATED, w.finish());
    let at = HeaderValue::from_str(&format!("/api/v1/admin/users/{}", user.id));
    Ok(match at {
        Ok(at) => answer.with(LOCATION, at),
        // A UUID always fits a header.
        Err(_) => answer,
    })
}
