//! `POST /api/v1/break-glass`

use axum::http::{Method, StatusCode};
use iris_access::{ActionKind, Create, GLASS_TEXT_CHARS_MAX, Named};
use iris_fhir::json::{Value, Writer};
use iris_kernel::ErrorKind;
use iris_plain::{Field, Form, Object};

use super::show;
use crate::answer::Answer;
use crate::call::Call;
use crate::endpoint::{Endpoint, Needs, Outcome};
use crate::problem::Problem;

pub(crate) const GLASS_INPUT: &[Field] = &[
    Field::needed("patient_id", Form::Text(64), "Whose record."),
    Field::needed("reason", Form::Text(GLASS_TEXT_CHARS_MAX), "Why it has to be seen now; somebody else will read it."),
    Field::taken("minutes", Form::Integer, "For how long; as long as the tenant allows where nothing is said."),
];

pub(super) fn endpoint() -> Endpoint {
    Endpoint::new(
        Method::POST,
        "/api/v1/break-glass",
        "In an emergency, open one patient's record against care team, consents and labels; it is reviewed",
        handle,
    )
    .needs(Needs::Named(ActionKind::Create, Named::BreakGlass))
    .step_up()
    .takes("BreakGlassInput")
    .gives(&[(201, Some("BreakGlass"))])
    .fails(&[ErrorKind::Invalid, ErrorKind::NotFound, ErrorKind::Conflict, ErrorKind::MediaType])
}

async fn handle(mut call: Call) -> Outcome {
    let permit = call.permit_named(Create, Named::BreakGlass).await?;
    let (json, _held) = call.json().await?;
    let mut object = Object::read(json.root(), GLASS_INPUT, "");
    object.need(GLASS_INPUT);
    let patient = object.text("patient_id").value().unwrap_or_default();
    let reason = object.text("reason").value().unwrap_or_default();
    let minutes = object.with("minutes", whole).value();
    let faults = object.finish();
    if !faults.is_empty() {
        return Err(Problem::with(ErrorKind::Invalid, faults));
    }
    let glass = call.app.identity.policies().glass_break(&permit, (&patient, &reason), minutes).await?;
    let mut w = Writer::new();
    show(&glass, call.app.clock.now(), &mut w);
    w.end();
    let answer = Answer::json(StatusCode::CREATED, w.finish());
    Ok(answer.located(&format!("/api/v1/break-glass/{}", glass.id)))
}

/// A whole number of minutes; which ones are allowed is the tenant's to say.
pub(super) fn whole(value: Value<'_>) -> Result<u32, String> {
    let number = value.number().and_then(|number| number.parse().ok());
    number.ok_or_else(|| "must be a whole number that is not negative".to_owned())
}
