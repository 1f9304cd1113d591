//! `GET|POST /api/v1/auth/roles`, `PUT|DELETE /api/v1/auth/roles/{id}`: the roles of the product, and those that a tenant makes.

use axum::http::{Method, StatusCode};
use iris_access::{ActionKind, Create, Delete, Family, Named, Role, Rule, Search, Update, permissions_of};
use iris_fhir::json::Writer;
use iris_identity::{NewRole, RoleView};
use iris_kernel::ErrorKind;
use iris_plain::{Field, Form, Object};
use iris_resources::Refusal;
use uuid::Uuid;

use crate::admin::words;
use crate::answer::Answer;
use crate::call::Call;
use crate::endpoint::{Endpoint, Needs, Outcome, Param, path};
use crate::problem::Problem;

const PATH: &str = "/api/v1/auth/roles";
const ONE: &str = "/api/v1/auth/roles/{id}";
const ID: Param = path("id", "The role's id.");
/// Longest name that is looked at.
const WORD_CHARS_MAX: usize = 1_024;
/// Longest description.
const DESCRIPTION_CHARS_MAX: usize = 500;

pub(crate) const NEW_ROLE: &[Field] = &[
    Field::needed("name", Form::Text(WORD_CHARS_MAX), "2 to 64 lower-case letters, digits, _ and -."),
    Field::taken("description", Form::Text(DESCRIPTION_CHARS_MAX), "What it is for."),
    Field::taken("based_on", Form::Text(WORD_CHARS_MAX), "A role of the product; the role may what that one may, too."),
    Field::taken("permissions", Form::Texts, "Permissions; at least one where the role is based on no other."),
    Field::taken(
        "families",
        Form::Texts,
        "Families of records on which the permissions count; those that ask for one of them where nothing is said.",
    ),
];

pub(super) fn list_endpoint() -> Endpoint {
    Endpoint::new(Method::GET, PATH, "The roles: those of the product, then those of the tenant by name", list)
        .needs(Needs::Named(ActionKind::Search, Named::Accounts))
        .gives(&[(200, Some("RoleList"))])
}

pub(super) fn create_endpoint() -> Endpoint {
    Endpoint::new(Method::POST, PATH, "Make a role; it holds nothing that its maker does not hold for good", create)
        .needs(Needs::Named(ActionKind::Create, Named::Accounts))
        .step_up()
        .takes("NewRole")
        .gives(&[(201, Some("Role"))])
        .fails(&[ErrorKind::Invalid, ErrorKind::Conflict, ErrorKind::MediaType])
}

pub(super) fn change_endpoint() -> Endpoint {
    const WHAT: &str =
        "Make a role of the tenant another one; it counts for all who have it from their next request on";
    Endpoint::new(Method::PUT, ONE, WHAT, change)
        .needs(Needs::Named(ActionKind::Update, Named::Accounts))
        .step_up()
        .params(&[ID])
        .takes("NewRole")
        .gives(&[(200, Some("Role"))])
        .fails(&[ErrorKind::NotFound, ErrorKind::Invalid, ErrorKind::Conflict, ErrorKind::MediaType])
}

pub(super) fn delete_endpoint() -> Endpoint {
    Endpoint::new(Method::DELETE, ONE, "Take a role of the tenant away that nobody has", delete)
        .needs(Needs::Named(ActionKind::Delete, Named::Accounts))
        .step_up()
        .params(&[ID])
        .gives(&[(204, None)])
        .fails(&[ErrorKind::NotFound, ErrorKind::Conflict])
}

/// The role of the path. What is no id is none of the tenant's; the roles of the product stay as they are.
fn role_id(call: &Call) -> Result<Uuid, Problem> {
    Uuid::parse_str(call.path("id")).map_err(|_| Refusal::not_found().into())
}

async fn list(call: Call) -> Outcome {
    let permit = call.permit_named(Search, Named::Accounts).await?;
    let own = call.app.identity.role_list(&permit).await?;
    let mut w = Writer::new();
    w.object().key("items").array();
    for role in Role::ALL {
        w.object().member("id", role.name()).member("name", role.name());
        texts("permissions", permissions_of(role.rules()).names(), &mut w);
        texts("families", families(role.rules()), &mut w);
        w.key("built_in").bool(true).end();
    }
    for role in &own {
        show(role, &mut w);
    }
    let total = Role::ALL.len() + own.len();
    w.end().key("next_cursor").null().key("total").integer(i64::try_from(total).unwrap_or(i64::MAX)).end();
    Ok(Answer::json(StatusCode::OK, w.finish()))
}

/// Names of the families that rules reach.
fn families(rules: &[Rule]) -> Vec<&'static str> {
    let reached = |family: &Family| rules.iter().any(|rule| rule.reach.has(*family));
    Family::ALL.into_iter().filter(reached).map(Family::name).collect()
}

fn texts<T: AsRef<str>>(name: &str, texts: impl IntoIterator<Item = T>, w: &mut Writer) {
    w.key(name).array();
    for text in texts {
        w.string(text.as_ref());
    }
    w.end();
}

/// Writes a role of the tenant.
fn show(role: &RoleView, w: &mut Writer) {
    w.object().member("id", &role.id.to_string()).member("name", &role.name);
    for (name, text) in [("description", &role.description), ("based_on", &role.based_on)] {
        if let Some(text) = text {
            w.member(name, text);
        }
    }
    texts("permissions", &role.permissions, w);
    texts("families", &role.families, w);
    w.key("built_in").bool(false).end();
}

async fn sent(call: &mut Call) -> Result<NewRole, Problem> {
    let (json, _held) = call.json().await?;
    let mut object = Object::read(json.root(), NEW_ROLE, "");
    object.need(NEW_ROLE);
    let role = NewRole {
        name: object.text("name").value().unwrap_or_default(),
        description: object.text("description").value(),
        based_on: object.text("based_on").value(),
        permissions: object.with("permissions", words).value().unwrap_or_default(),
        families: object.with("families", words).value().unwrap_or_default(),
    };
    let faults = object.finish();
    if faults.is_empty() { Ok(role) } else { Err(Problem::with(ErrorKind::Invalid, faults)) }
}

async fn create(mut call: Call) -> Outcome {
    let permit = call.permit_named(Create, Named::Accounts).await?;
    let role = sent(&mut call).await?;
    let made = call.app.identity.role_create(&permit, role).await?;
    let mut w = Writer::new();
    show(&made, &mut w);
    Ok(Answer::json(StatusCode::CREATED, w.finish()))
}

async fn change(mut call: Call) -> Outcome {
    let permit = call.permit_named(Update, Named::Accounts).await?;
    let id = role_id(&call)?;
    let role = sent(&mut call).await?;
    let made = call.app.identity.role_update(&permit, id, role).await?;
    let mut w = Writer::new();
    show(&made, &mut w);
    Ok(Answer::json(StatusCode::OK, w.finish()))
}

async fn delete(call: Call) -> Outcome {
    let permit = call.permit_named(Delete, Named::Accounts).await?;
    call.app.identity.role_delete(&permit, role_id(&call)?).await?;
    Ok(Answer::empty())
}
