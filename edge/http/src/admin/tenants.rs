//! `GET /api/v1/admin/tenants`, `POST /api/v1/admin/tenants`, `PATCH /api/v1/admin/tenants/{number}`: for the operator alone.

use axum::http::{Method, StatusCode};
use iris_access::{ActionKind, Create, Named, Search, Update};
use iris_fhir::json::Writer;
use iris_identity::{TenantChange, TenantView};
use iris_kernel::ErrorKind;
use iris_kernel::limits::{PAGE_DEFAULT, PAGE_MAX};
use iris_plain::{Field, Form, Given, Object};
use iris_resources::Refusal;

use super::create::{LANGUAGE, account, show_made};
use super::{cursor, cursor_of};
use crate::answer::Answer;
use crate::call::Call;
use crate::endpoint::{Endpoint, Needs, Outcome, path, query};
use crate::problem::Problem;

const PATH: &str = "/api/v1/admin/tenants";
/// Longest text that is looked at.
const WORD_CHARS_MAX: usize = 1_024;

const FIRST_ADMIN: &[Field] = &[
    Field::needed("username", Form::Text(WORD_CHARS_MAX), "The name to sign in with."),
    Field::taken("display_name", Form::Text(WORD_CHARS_MAX), "How colleagues call the person."),
    Field::taken("email", Form::Text(WORD_CHARS_MAX), "Where messages about the account go."),
    Field::taken(
        "password",
        Form::Text(WORD_CHARS_MAX),
        "The first password; without one the account is invited by mail, and without an address too one is made.",
    ),
    LANGUAGE,
];
pub(crate) const NEW_TENANT: &[Field] = &[
    Field::needed("name", Form::Text(WORD_CHARS_MAX), "What people call it; they type it when they sign in."),
    Field::needed("admin", Form::Object(FIRST_ADMIN), "Its first administrator."),
];
pub(crate) const TENANT_CHANGE: &[Field] = &[
    Field::taken("name", Form::Text(WORD_CHARS_MAX), "What people call it."),
    Field::taken("active", Form::Boolean, "Whether people can sign in there; false ends all its sessions for good."),
];

pub(super) fn list_endpoint() -> Endpoint {
    Endpoint::new(Method::GET, PATH, "The tenants, in the order in which they were made; for the operator", list)
        .needs(Needs::Named(ActionKind::Search, Named::Tenants))
        .params(&[
            query("limit", "Most items of a page, 20 where nothing is said, 100 at most.").of(Form::Integer),
            query("cursor", "The `next_cursor` of the page before."),
        ])
        .gives(&[(200, Some("TenantList"))])
        .fails(&[ErrorKind::Invalid, ErrorKind::Malformed])
}

pub(super) fn create_endpoint() -> Endpoint {
    Endpoint::new(Method::POST, PATH, "Make a tenant with its first administrator; for the operator", create)
        .needs(Needs::Named(ActionKind::Create, Named::Tenants))
        .step_up()
        .takes("NewTenant")
        .gives(&[(201, Some("TenantMade"))])
        .fails(&[ErrorKind::Invalid, ErrorKind::Conflict, ErrorKind::MediaType, ErrorKind::TooMany])
}

pub(super) fn change_endpoint() -> Endpoint {
    const WHAT: &str = "Name a tenant anew, or switch it off or on; for the operator";
    Endpoint::new(Method::PATCH, "/api/v1/admin/tenants/{number}", WHAT, change)
        .needs(Needs::Named(ActionKind::Update, Named::Tenants))
        .step_up()
        .params(&[path("number", "The tenant's number.")])
        .takes("TenantChange")
        .gives(&[(200, Some("Tenant"))])
        .fails(&[ErrorKind::NotFound, ErrorKind::Invalid, ErrorKind::Conflict, ErrorKind::MediaType])
}

/// Writes a tenant; the object stays open.
fn show(tenant: &TenantView, w: &mut Writer) {
    w.object().key("number").integer(i64::from(tenant.number)).member("name", &tenant.name);
    w.key("active").bool(!tenant.off);
}

async fn list(call: Call) -> Outcome {
    let permit = call.permit_named(Search, Named::Tenants).await?;
    let size = call.query_number("limit", PAGE_DEFAULT, 1, PAGE_MAX)?;
    let page = call.app.identity.tenant_page(&permit, cursor(&call)?, size).await?;
    let mut w = Writer::new();
    w.object().key("items").array();
    for tenant in &page.items {
        show(tenant, &mut w);
        w.end();
    }
    w.end();
    cursor_of(page.next, &mut w);
    w.key("total").integer(i64::from(page.total)).end();
    Ok(Answer::json(StatusCode::OK, w.finish()))
}

async fn create(mut call: Call) -> Outcome {
    let permit = call.permit_named(Create, Named::Tenants).await?;
    let (json, _held) = call.json().await?;
    let mut object = Object::read(json.root(), NEW_TENANT, "");
    object.need(NEW_TENANT);
    let name = object.text("name").value();
    let mut admin = None;
    if let Given::Value(value) = object.raw("admin") {
        let mut inner = Object::read(value, FIRST_ADMIN, &object.pointer("admin"));
        inner.need(FIRST_ADMIN);
        admin = Some(account(&call, &mut inner));
        object.absorb(inner);
    }
    let faults = object.finish();
    let (Some(name), Some((admin, made)), true) = (name, admin, faults.is_empty()) else {
        return Err(Problem::with(ErrorKind::Invalid, faults));
    };
    let (tenant, user) = call.app.identity.tenant_create_with(&permit, &name, admin).await?;
    let mut w = Writer::new();
    show(&tenant, &mut w);
    if let Some(made) = &made {
        w.member("initial_password", made.expose());
    }
    w.key("admin");
    show_made(&user, None, &mut w);
    w.end().end();
    Ok(Answer::json(StatusCode::CREATED, w.finish()))
}

async fn change(mut call: Call) -> Outcome {
    let permit = call.permit_named(Update, Named::Tenants).await?;
    let number: u32 = call.path("number").parse().map_err(|_| Problem::from(Refusal::not_found()))?;
    let (json, _held) = call.json().await?;
    let mut object = Object::read(json.root(), TENANT_CHANGE, "");
    if !object.has("name") && !object.has("active") {
        object.fault("name", "nothing is named that is to be changed");
    }
    let change = TenantChange { name: object.text("name").value(), on: object.boolean("active").value() };
    let faults = object.finish();
    if !faults.is_empty() {
        return Err(Problem::with(ErrorKind::Invalid, faults));
    }
    let tenant = call.app.identity.tenant_change(&permit, number, change).await?;
    let mut w = Writer::new();
    show(&tenant, &mut w);
    w.end();
    Ok(Answer::json(StatusCode::OK, w.finish()))
}
