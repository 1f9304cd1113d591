//! `GET|POST /api/v1/admin/access-reviews`, `GET /api/v1/admin/access-reviews/{id}`, `POST …/{id}/decide`

use std::time::Duration;

use axum::http::{Method, StatusCode};
use iris_access::{ActionKind, Create, Named, Read, Search, Update};
use iris_fhir::json::Writer;
use iris_identity::{ReviewItem, ReviewScope, ReviewView, Verdict};
use iris_kernel::limits::{PAGE_DEFAULT, PAGE_MAX};
use iris_kernel::{ErrorKind, Timestamp};
use iris_plain::{Field, Form, Object};
use iris_resources::Refusal;
use uuid::Uuid;

use super::{cursor, cursor_of, moment, show_held};
use crate::answer::Answer;
use crate::call::Call;
use crate::endpoint::{Endpoint, Needs, Outcome, Param, path, query};
use crate::problem::Problem;

const PATH: &str = "/api/v1/admin/access-reviews";
/// Longest text that is looked at.
const WORD_CHARS_MAX: usize = 1_024;
/// How long a review takes where nothing is said.
const SPAN_DEFAULT: Duration = Duration::from_secs(30 * 86_400);
const ID: Param = path("id", "The review's id.");

pub(crate) const NEW_REVIEW: &[Field] = &[
    Field::taken("scope", Form::Choice(&["all", "role", "department"]), "Which accounts; all where nothing is said."),
    Field::taken("role", Form::Text(WORD_CHARS_MAX), "The role, for the scope role."),
    Field::taken("department", Form::Text(WORD_CHARS_MAX), "Id of the Organization, for the scope department."),
    Field::taken("due", Form::Time, "When it should be done; 30 days from now where nothing is said, a year at most."),
];
pub(crate) const REVIEW_DECISION: &[Field] = &[
    Field::needed("user_id", Form::Text(WORD_CHARS_MAX), "The account."),
    Field::needed(
        "verdict",
        Form::Choice(&["keep", "revoke"]),
        "revoke takes all roles and grants away, ends all sessions and locks the account.",
    ),
    Field::needed("reason", Form::Text(WORD_CHARS_MAX), "Why; at most 500 characters."),
];

pub(super) fn list_endpoint() -> Endpoint {
    Endpoint::new(Method::GET, PATH, "The reviews of who has access, oldest first", list)
        .needs(Needs::Named(ActionKind::Search, Named::Reviews))
        .params(&PAGE)
        .gives(&[(200, Some("AccessReviewList"))])
        .fails(&[ErrorKind::Invalid, ErrorKind::Malformed])
}

pub(super) fn start_endpoint() -> Endpoint {
    Endpoint::new(Method::POST, PATH, "Begin a review of who has access", start)
        .needs(Needs::Named(ActionKind::Create, Named::Reviews))
        .takes("NewAccessReview")
        .gives(&[(201, Some("AccessReview"))])
        .fails(&[ErrorKind::Invalid, ErrorKind::Conflict, ErrorKind::MediaType])
}

pub(super) fn read_endpoint() -> Endpoint {
    const WHAT: &str = "A review with its accounts as they are now, and what was decided about each";
    Endpoint::new(Method::GET, "/api/v1/admin/access-reviews/{id}", WHAT, read)
        .needs(Needs::Named(ActionKind::Read, Named::Reviews))
        .params(&[ID, LIMIT_WHOLE, CURSOR])
        .gives(&[(200, Some("AccessReviewItems"))])
        .fails(&[ErrorKind::NotFound, ErrorKind::Invalid, ErrorKind::Malformed])
}

pub(super) fn decide_endpoint() -> Endpoint {
    const WHAT: &str =
        "Decide whether an account that is not one's own keeps its access; the last decision closes the review";
    Endpoint::new(Method::POST, "/api/v1/admin/access-reviews/{id}/decide", WHAT, decide)
        .needs(Needs::Named(ActionKind::Update, Named::Reviews))
        .step_up()
        .params(&[ID])
        .takes("AccessReviewDecision")
        .gives(&[(200, Some("AccessReview"))])
        .fails(&[ErrorKind::NotFound, ErrorKind::Invalid, ErrorKind::Conflict, ErrorKind::MediaType])
}

const CURSOR: Param = query("cursor", "The `next_cursor` of the page before.");
const LIMIT_WHOLE: Param =
    query("limit", "Most items of a page, 100 where nothing is said and at most.").of(Form::Integer);
const PAGE: [Param; 2] =
    [query("limit", "Most items of a page, 20 where nothing is said, 100 at most.").of(Form::Integer), CURSOR];

/// The review of the path. What is no id is nobody's.
fn review_id(call: &Call) -> Result<Uuid, Problem> {
    Uuid::parse_str(call.path("id")).map_err(|_| Refusal::not_found().into())
}

/// Writes a review; the object stays open.
fn show(review: &ReviewView, w: &mut Writer) {
    w.object().member("id", &review.id.to_string());
    match &review.scope {
        ReviewScope::All => w.member("scope", "all"),
        ReviewScope::Role(role) => w.member("scope", "role").member("role", role),
        ReviewScope::Department(id) => w.member("scope", "department").member("department", id),
    };
    w.member("started_at", &review.started.rfc3339()).member("started_by", &review.by_name);
    w.member("due", &review.due.rfc3339()).key("overdue").bool(review.overdue);
    w.key("total").integer(i64::from(review.total)).key("decided").integer(i64::from(review.decided));
    if let Some(closed) = review.closed {
        w.member("closed_at", &closed.rfc3339());
    }
}

fn show_item(item: &ReviewItem, w: &mut Writer) {
    let user = &item.user;
    w.object().member("user_id", &user.id.to_string()).member("username", &user.name);
    if let Some(shown) = &user.display_name {
        w.member("display_name", shown);
    }
    show_held(user, w);
    for (name, at) in [("last_login", user.last_login), ("created_at", user.created)] {
        if let Some(at) = at {
            w.member(name, &at.rfc3339());
        }
    }
    w.key("locked").bool(!user.enabled);
    if let Some(decision) = &item.decision {
        w.member("verdict", decision.verdict.name()).member("reason", &decision.reason);
        w.member("decided_by", &decision.by_name).member("decided_at", &decision.at().rfc3339());
        w.member("held", &decision.held);
    }
    w.end();
}

async fn list(call: Call) -> Outcome {
    let permit = call.permit_named(Search, Named::Reviews).await?;
    let size = call.query_number("limit", PAGE_DEFAULT, 1, PAGE_MAX)?;
    let page = call.app.identity.review_list(&permit, cursor(&call)?, size).await?;
    let mut w = Writer::new();
    w.object().key("items").array();
    for review in &page.items {
        show(review, &mut w);
        w.end();
    }
    w.end();
    cursor_of(page.next, &mut w);
    w.key("total").integer(i64::from(page.total)).end();
    Ok(Answer::json(StatusCode::OK, w.finish()))
}

async fn start(mut call: Call) -> Outcome {
    let permit = call.permit_named(Create, Named::Reviews).await?;
    let (json, _held) = call.json().await?;
    let mut object = Object::read(json.root(), NEW_REVIEW, "");
    let scope = object.choice("scope").value().unwrap_or("all");
    let (role, department) = (object.text("role").value(), object.text("department").value());
    let due = object.with("due", moment).value();
    for (name, given) in [("role", role.is_some()), ("department", department.is_some())] {
        match (given, scope == name) {
            (true, false) => object.fault(name, format!("is only for the scope {name}")),
            (false, true) => object.fault(name, format!("is needed for the scope {name}")),
            _ => {}
        }
    }
    let faults = object.finish();
    if !faults.is_empty() {
        return Err(Problem::with(ErrorKind::Invalid, faults));
    }
    let scope = match (role, department) {
        (Some(role), _) => ReviewScope::Role(role),
        (None, Some(department)) => ReviewScope::Department(department),
        (None, None) => ReviewScope::All,
    };
    let due: Timestamp = due.unwrap_or_else(|| call.app.clock.now().plus(SPAN_DEFAULT));
    let review = call.app.identity.review_start(&permit, scope, due).await?;
    let mut w = Writer::new();
    show(&review, &mut w);
    w.end();
    Ok(Answer::json(StatusCode::CREATED, w.finish()))
}

async fn read(call: Call) -> Outcome {
    let permit = call.permit_named(Read, Named::Reviews).await?;
    let size = call.query_number("limit", PAGE_MAX, 1, PAGE_MAX)?;
    let (review, page) = call.app.identity.review_read(&permit, review_id(&call)?, cursor(&call)?, size).await?;
    let mut w = Writer::new();
    show(&review, &mut w);
    w.key("items").array();
    for item in &page.items {
        show_item(item, &mut w);
    }
    w.end();
    cursor_of(page.next, &mut w);
    w.end();
    Ok(Answer::json(StatusCode::OK, w.finish()))
}

async fn decide(mut call: Call) -> Outcome {
    let permit = call.permit_named(Update, Named::Reviews).await?;
    let id = review_id(&call)?;
    let (json, _held) = call.json().await?;
    let mut object = Object::read(json.root(), REVIEW_DECISION, "");
    object.need(REVIEW_DECISION);
    let parsed = |value: iris_fhir::json::Value<'_>| {
        let id = value.as_str().and_then(|text| Uuid::parse_str(&text).ok());
        id.ok_or_else(|| "must be the id of an account".to_owned())
    };
    let user = object.with("user_id", parsed).value();
    let verdict = object.choice("verdict").value();
    let reason = object.text("reason").value();
    let faults = object.finish();
    let (Some(user), Some(verdict), Some(reason), true) = (user, verdict, reason, faults.is_empty()) else {
        return Err(Problem::with(ErrorKind::Invalid, faults));
    };
    let verdict = if verdict == Verdict::Keep.name() { Verdict::Keep } else { Verdict::Revoke };
    let review = call.app.identity.review_decide(&permit, id, user, (verdict, reason)).await?;
    let mut w = Writer::new();
    show(&review, &mut w);
    w.end();
    Ok(Answer::json(StatusCode::OK, w.finish()))
}
