//! `PATCH /api/v1/admin/users/{id}`

use axum::http::{Method, StatusCode};
use iris_access::{ActionKind, Named, Update};
use iris_identity::UserChange;
use iris_kernel::ErrorKind;
use iris_plain::{Field, Form, Given, Object};

use super::{ID, body, user_id, words};
use crate::answer::Answer;
use crate::call::Call;
use crate::endpoint::{Endpoint, Needs, Outcome};
use crate::problem::Problem;

/// Longest text that is looked at.
const WORD_CHARS_MAX: usize = 1_024;

pub(crate) const USER_CHANGE: &[Field] = &[
    Field::taken(
        "roles",
        Form::Texts,
        "All the roles that the user has without limit of time from now on; at least one.",
    ),
    Field::taken("patient_id", Form::Text(WORD_CHARS_MAX), "The own record; for the role patient, and needed there."),
    Field::taken("display_name", Form::Text(WORD_CHARS_MAX), "How colleagues call the person; null for no name."),
    Field::taken("email", Form::Text(WORD_CHARS_MAX), "Where messages go; a new address has yet to be proven."),
    Field::taken("phone", Form::Text(WORD_CHARS_MAX), "Where codes go as text messages."),
    Field::taken("departments", Form::Texts, "Ids of the Organizations in which the person works, all of them."),
    Field::taken("practitioner_id", Form::Text(WORD_CHARS_MAX), "The Practitioner who the person is."),
];

pub(super) fn endpoint() -> Endpoint {
    const WHAT: &str =
        "Change an account that is not one's own and holds nothing that one does not hold; what is not named stays";
    Endpoint::new(Method::PATCH, "/api/v1/admin/users/{id}", WHAT, handle)
        .needs(Needs::Named(ActionKind::Update, Named::Accounts))
        .step_up()
        .params(&[ID])
        .takes("UserChange")
        .gives(&[(200, Some("User"))])
        .fails(&[ErrorKind::NotFound, ErrorKind::Invalid, ErrorKind::Conflict, ErrorKind::MediaType])
}

async fn handle(mut call: Call) -> Outcome {
    let permit = call.permit_named(Update, Named::Accounts).await?;
    let id = user_id(&call)?;
    let (json, _held) = call.json().await?;
    let mut object = Object::read(json.root(), USER_CHANGE, "");
    let named = USER_CHANGE.iter().any(|field| object.has(field.name));
    let roles = object.with("roles", words);
    if roles == Given::Null || (roles == Given::Value(Vec::new())) {
        object.fault("roles", "at least one role is needed");
    }
    let departments = object.with("departments", words);
    let change = UserChange {
        roles: roles.value(),
        patient: told(object.text("patient_id")),
        email: told(object.text("email")),
        phone: told(object.text("phone")),
        display_name: told(object.text("display_name")),
        departments: departments.is_given().then(|| departments.value().unwrap_or_default()),
        practitioner: told(object.text("practitioner_id")),
    };
    let mut faults = object.finish();
    if !named && faults.is_empty() {
        faults.push(iris_kernel::Fault::new("", "names nothing that is to be changed"));
    }
    if !faults.is_empty() {
        return Err(Problem::with(ErrorKind::Invalid, faults));
    }
    let user = call.app.identity.user_change(&permit, id, change).await?;
    Ok(Answer::json(StatusCode::OK, body(&user)))
}

/// Nothing where nothing was said, and inside of it nothing where `null` was.
fn told(given: Given<String>) -> Option<Option<String>> {
    given.is_given().then(|| given.value())
}
