//! `GET /api/v1/auth/users`: colleagues; `POST|DELETE /api/v1/auth/users/{id}/roles`: what is granted to somebody.

use axum::http::{Method, StatusCode};
use iris_access::{ActionKind, Named, Update};
use iris_fhir::json::Writer;
use iris_identity::{GrantWords, NewGrant, Taken};
use iris_kernel::ErrorKind;
use iris_kernel::limits::{PAGE_DEFAULT, PAGE_MAX};
use iris_plain::{Field, Form, Object};
use uuid::Uuid;

use crate::admin::{ID, body, cursor, cursor_of, moment, user_id};
use crate::answer::Answer;
use crate::call::Call;
use crate::endpoint::{Endpoint, Needs, Outcome, query};
use crate::problem::Problem;

const ROLES: &str = "/api/v1/auth/users/{id}/roles";
/// Longest text that is looked at.
const WORD_CHARS_MAX: usize = 1_024;

pub(crate) const NEW_GRANT: &[Field] = &[
    Field::taken(
        "role",
        Form::Text(WORD_CHARS_MAX),
        "The role, of the product or of the tenant; or else a permission.",
    ),
    Field::taken("permission", Form::Text(WORD_CHARS_MAX), "The permission."),
    Field::taken("valid_from", Form::Time, "From when on it counts; from now on where nothing is said."),
    Field::taken("valid_until", Form::Time, "Until when it counts; for good where nothing is said."),
    Field::needed("reason", Form::Text(WORD_CHARS_MAX), "Why; at most 500 characters."),
];
pub(crate) const TAKEN_GRANT: &[Field] = &[
    Field::taken("role", Form::Text(WORD_CHARS_MAX), "The role: every grant of it, and the standing role."),
    Field::taken("permission", Form::Text(WORD_CHARS_MAX), "The permission: every grant of it."),
    Field::taken("grant_id", Form::Text(WORD_CHARS_MAX), "Only the grant of it with this id."),
    Field::needed("reason", Form::Text(WORD_CHARS_MAX), "Why; at most 500 characters."),
];

pub(super) fn list_endpoint() -> Endpoint {
    Endpoint::new(Method::GET, "/api/v1/auth/users", "Colleagues who can sign in, oldest account first", list)
        .params(&[
            query("limit", "Most items of a page, 20 where nothing is said, 100 at most.").of(Form::Integer),
            query("cursor", "The `next_cursor` of the page before."),
        ])
        .gives(&[(200, Some("ColleagueList"))])
        .fails(&[ErrorKind::NotFound, ErrorKind::Invalid, ErrorKind::Malformed])
}

pub(super) fn grant_endpoint() -> Endpoint {
    const WHAT: &str = "Give an account that is not one's own a role or a permission, which one holds as long oneself";
    Endpoint::new(Method::POST, ROLES, WHAT, grant)
        .needs(Needs::Named(ActionKind::Update, Named::Accounts))
        .step_up()
        .params(&[ID])
        .takes("NewGrant")
        .gives(&[(200, Some("User"))])
        .fails(&[ErrorKind::NotFound, ErrorKind::Invalid, ErrorKind::Conflict, ErrorKind::MediaType])
}

pub(super) fn take_endpoint() -> Endpoint {
    const WHAT: &str = "Take a role or a permission away from an account that is not one's own";
    Endpoint::new(Method::DELETE, ROLES, WHAT, take)
        .needs(Needs::Named(ActionKind::Update, Named::Accounts))
        .step_up()
        .params(&[ID])
        .takes("TakenGrant")
        .gives(&[(200, Some("User"))])
        .fails(&[ErrorKind::NotFound, ErrorKind::Invalid, ErrorKind::Conflict, ErrorKind::MediaType])
}

async fn list(call: Call) -> Outcome {
    let size = call.query_number("limit", PAGE_DEFAULT, 1, PAGE_MAX)?;
    let page = call.app.identity.colleagues(call.caller()?, cursor(&call)?, size).await?;
    let mut w = Writer::new();
    w.object().key("items").array();
    for user in &page.items {
        w.object().member("id", &user.id.to_string()).member("username", &user.name);
        for (name, text) in [("display_name", &user.display_name), ("practitioner_id", &user.practitioner_id)] {
            if let Some(text) = text {
                w.member(name, text);
            }
        }
        w.end();
    }
    w.end();
    cursor_of(page.next, &mut w);
    w.end();
    Ok(Answer::json(StatusCode::OK, w.finish()))
}

async fn grant(mut call: Call) -> Outcome {
    let permit = call.permit_named(Update, Named::Accounts).await?;
    let id = user_id(&call)?;
    let (json, _held) = call.json().await?;
    let mut object = Object::read(json.root(), NEW_GRANT, "");
    object.need(NEW_GRANT);
    let grant = NewGrant {
        what: GrantWords { role: object.text("role").value(), permission: object.text("permission").value() },
        from: object.with("valid_from", moment).value(),
        until: object.with("valid_until", moment).value(),
        reason: object.text("reason").value().unwrap_or_default(),
    };
    let faults = object.finish();
    if !faults.is_empty() {
        return Err(Problem::with(ErrorKind::Invalid, faults));
    }
    let user = call.app.identity.grant(&permit, id, grant).await?;
    Ok(Answer::json(StatusCode::OK, body(&user)))
}

async fn take(mut call: Call) -> Outcome {
    let permit = call.permit_named(Update, Named::Accounts).await?;
    let id = user_id(&call)?;
    let (json, _held) = call.json().await?;
    let mut object = Object::read(json.root(), TAKEN_GRANT, "");
    object.need(TAKEN_GRANT);
    let parsed = |value: iris_fhir::json::Value<'_>| {
        let id = value.as_str().and_then(|text| Uuid::parse_str(&text).ok());
        id.ok_or_else(|| "must be the id of a grant".to_owned())
    };
    let taken = Taken {
        what: GrantWords { role: object.text("role").value(), permission: object.text("permission").value() },
        grant: object.with("grant_id", parsed).value(),
        reason: object.text("reason").value().unwrap_or_default(),
    };
    let faults = object.finish();
    if !faults.is_empty() {
        return Err(Problem::with(ErrorKind::Invalid, faults));
    }
    let user = call.app.identity.grant_take(&permit, id, taken).await?;
    Ok(Answer::json(StatusCode::OK, body(&user)))
}
