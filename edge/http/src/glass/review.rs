//! `POST /api/v1/break-glass/{id}/review`

use axum::http::{Method, StatusCode};
use iris_access::{ActionKind, GLASS_TEXT_CHARS_MAX, GlassVerdict, Named, Update};
use iris_fhir::json::Writer;
use iris_kernel::ErrorKind;
use iris_plain::{Field, Form, Object};
use iris_resources::Refusal;
use uuid::Uuid;

use super::show;
use crate::answer::Answer;
use crate::call::Call;
use crate::endpoint::{Endpoint, Needs, Outcome, path};
use crate::problem::Problem;

pub(crate) const GLASS_REVIEW: &[Field] = &[
    Field::needed(
        "verdict",
        Form::Choice(GlassVerdict::WORDS),
        "Whether there was an emergency; without one it ends at once.",
    ),
    Field::needed("note", Form::Text(GLASS_TEXT_CHARS_MAX), "Why."),
];

pub(super) fn endpoint() -> Endpoint {
    Endpoint::new(
        Method::POST,
        "/api/v1/break-glass/{id}/review",
        "Say what somebody else's emergency was, once",
        handle,
    )
    .needs(Needs::Named(ActionKind::Update, Named::BreakGlass))
    .params(&[path("id", "The id of the emergency.")])
    .takes("BreakGlassReview")
    .gives(&[(200, Some("BreakGlass"))])
    .fails(&[ErrorKind::Invalid, ErrorKind::NotFound, ErrorKind::Conflict, ErrorKind::MediaType])
}

async fn handle(mut call: Call) -> Outcome {
    let permit = call.permit_named(Update, Named::BreakGlass).await?;
    let (json, _held) = call.json().await?;
    let mut object = Object::read(json.root(), GLASS_REVIEW, "");
    object.need(GLASS_REVIEW);
    let verdict = object.choice("verdict").value().and_then(GlassVerdict::of);
    let note = object.text("note").value().unwrap_or_default();
    let faults = object.finish();
    let (Some(verdict), true) = (verdict, faults.is_empty()) else {
        return Err(Problem::with(ErrorKind::Invalid, faults));
    };
    let id = Uuid::parse_str(call.path("id")).map_err(|_| Refusal::not_found())?;
    let glass = call.app.identity.policies().glass_review(&permit, id, (verdict, &note)).await?;
    let mut w = Writer::new();
    show(&glass, call.app.clock.now(), &mut w);
    w.end();
    Ok(Answer::json(StatusCode::OK, w.finish()))
}
