//! `POST /api/v1/admin/users`

use axum::http::header::LOCATION;
use axum::http::{HeaderValue, Method, StatusCode};
use iris_access::{ActionKind, Create, Named};
use iris_fhir::json::Writer;
use iris_identity::{FirstPassword, NewAccount, UserView, password};
use iris_kernel::{ErrorKind, Secret};
use iris_plain::{Field, Form, Object};

use super::{show, words};
use crate::answer::Answer;
use crate::auth::language_of;
use crate::call::Call;
use crate::endpoint::{Endpoint, Needs, Outcome};
use crate::problem::Problem;

/// Longest name or id that is looked at.
const WORD_CHARS_MAX: usize = 1_024;
/// What a password may be, and what comes of none.
const PASSWORD: &str = "The first password; without one the account is invited by mail, and without an address too one is made and \
                        answered this once.";

pub(crate) const NEW_USER: &[Field] = &[
    Field::needed("username", Form::Text(WORD_CHARS_MAX), "The name to sign in with."),
    Field::taken(
        "roles",
        Form::Texts,
        "Names of its roles, of the product or of the tenant; at least one, here or as `role`.",
    ),
    Field::taken("role", Form::Text(WORD_CHARS_MAX), "A single role."),
    Field::taken("permissions", Form::Texts, "Permissions that it has besides."),
    Field::taken("patient_id", Form::Text(WORD_CHARS_MAX), "The own record; for the role patient, and needed there."),
    Field::taken("display_name", Form::Text(WORD_CHARS_MAX), "How colleagues call the person."),
    Field::taken("email", Form::Text(WORD_CHARS_MAX), "Where messages about the account go."),
    Field::taken("phone", Form::Text(WORD_CHARS_MAX), "Where codes go as text messages."),
    Field::taken("departments", Form::Texts, "Ids of the Organizations in which the person works."),
    Field::taken("department", Form::Text(WORD_CHARS_MAX), "A single one."),
    Field::taken("practitioner_id", Form::Text(WORD_CHARS_MAX), "The Practitioner who the person is."),
    Field::taken("password", Form::Text(WORD_CHARS_MAX), PASSWORD),
    LANGUAGE,
];

/// In which language messages to a new account are written.
pub(super) const LANGUAGE: Field = Field::taken(
    "language",
    Form::Choice(&["en", "es"]),
    "The language of messages to the person; where nothing is said, the first is in that of Accept-Language.",
);

pub(super) fn endpoint() -> Endpoint {
    Endpoint::new(
        Method::POST,
        "/api/v1/admin/users",
        "Make an account; it holds nothing that its maker does not",
        handle,
    )
    .needs(Needs::Named(ActionKind::Create, Named::Accounts))
    .step_up()
    .takes("NewUser")
    .gives(&[(201, Some("UserMade"))])
    .fails(&[ErrorKind::Invalid, ErrorKind::Conflict, ErrorKind::MediaType, ErrorKind::TooMany])
}

async fn handle(mut call: Call) -> Outcome {
    let permit = call.permit_named(Create, Named::Accounts).await?;
    let (json, _held) = call.json().await?;
    let mut object = Object::read(json.root(), NEW_USER, "");
    object.need(NEW_USER);
    let (account, made) = account(&call, &mut object);
    let one = |list: &str, single: &str| object.has(list) && object.has(single);
    let (roles, departments) = (one("roles", "role"), one("departments", "department"));
    if roles {
        object.fault("role", "cannot stand beside roles");
    } else if !object.has("roles") && !object.has("role") {
        object.fault("roles", "is needed");
    }
    if departments {
        object.fault("department", "cannot stand beside departments");
    }
    let faults = object.finish();
    if !faults.is_empty() {
        return Err(Problem::with(ErrorKind::Invalid, faults));
    }
    let user = call.app.identity.account_create(&permit, account).await?;
    let mut w = Writer::new();
    show_made(&user, made.as_ref(), &mut w);
    w.end();
    let answer = Answer::json(StatusCode::CREATED, w.finish());
    let at = HeaderValue::from_str(&format!("/api/v1/admin/users/{}", user.id));
    Ok(match at {
        Ok(at) => answer.with(LOCATION, at),
        // A UUID always fits a header.
        Err(_) => answer,
    })
}

/// Reads an account; gives the password too that was made for it, which is answered once.
pub(super) fn account(call: &Call, object: &mut Object<'_>) -> (NewAccount, Option<Secret<String>>) {
    let email = object.text("email").value();
    // A password is taken to the letter, with whatever white space it has.
    let given = object.with("password", |value| value.as_str().ok_or_else(|| "must be a text".to_owned())).value();
    let made = (given.is_none() && email.is_none()).then(|| password::generate(&*call.app.entropy));
    let password = match (given, &made) {
        (Some(given), _) => FirstPassword::Chosen(Secret::new(given.into_owned())),
        (None, Some(made)) => FirstPassword::Made(Secret::new(made.expose().clone())),
        (None, None) => FirstPassword::Invited,
    };
    let mut roles = object.with("roles", words).value().unwrap_or_default();
    roles.extend(object.text("role").value());
    let mut departments = object.with("departments", words).value().unwrap_or_default();
    departments.extend(object.text("department").value());
    let account = NewAccount {
        name: object.text("username").value().unwrap_or_default(),
        password,
        roles,
        permissions: object.with("permissions", words).value().unwrap_or_default(),
        patient: object.text("patient_id").value(),
        email,
        phone: object.text("phone").value(),
        display_name: object.text("display_name").value(),
        departments,
        practitioner: object.text("practitioner_id").value(),
        language: object.choice("language").value().and_then(|word| word.parse().ok()),
        asked_in: language_of(call).unwrap_or_default(),
    };
    (account, made)
}

/// Writes a fresh account, with the password that was made for it; the object stays open.
pub(super) fn show_made(user: &UserView, made: Option<&Secret<String>>, w: &mut Writer) {
    show(user, w);
    if let Some(made) = made {
        w.member("initial_password", made.expose());
    }
}
