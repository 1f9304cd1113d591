//! `PATCH /api/v1/admin/users/{id}`

use axum::http::{Method, StatusCode};
use iris_access::{ActionKind, Named, Update};
use iris_kernel::ErrorKind;
use iris_plain::{Field, Form, Object};

use super::{ID, body, roles, user_id};
use crate::answer::Answer;
use crate::call::Call;
use crate::endpoint::{Endpoint, Needs, Outcome};
use crate::problem::Problem;

/// Longest id that is looked at.
const WORD_CHARS_MAX: usize = 1_024;

pub(crate) const USER_ROLES: &[Field] = &[
    Field::needed("roles", Form::Texts, "All the roles that the user has from now on; at least one."),
    Field::taken("patient_id", Form::Text(WORD_CHARS_MAX), "The own record; for the role patient, and needed there."),
];

pub(super) fn endpoint() -> Endpoint {
    Endpoint::new(
        Method::PATCH,
        "/api/v1/admin/users/{id}",
        "Change the roles of an account that is not one's own; they count from its next request on",
        handle,
    )
    .needs(Needs::Named(ActionKind::Update, Named::Accounts))
    .params(&[ID])
    .takes("UserRoles")
    .gives(&[(200, Some("User"))])
    .fails(&[ErrorKind::NotFound, ErrorKind::Invalid, ErrorKind::Conflict, ErrorKind::MediaType])
}

async fn handle(mut call: Call) -> Outcome {
    let permit = call.permit_named(Update, Named::Accounts).await?;
    let id = user_id(&call)?;
    let (json, _held) = call.json().await?;
    let mut object = Object::read(json.root(), USER_ROLES, "");
    object.need(USER_ROLES);
    let roles = object.with("roles", roles).value();
    let patient = object.text("patient_id").value();
    let faults = object.finish();
    let (Some(roles), true) = (roles, faults.is_empty()) else {
        return Err(Problem::with(ErrorKind::Invalid, faults));
    };
    let user = call.app.identity.user_roles(&permit, id, roles, patient).await?;
    Ok(Answer::json(StatusCode::OK, body(&user)))
}
