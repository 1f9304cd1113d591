//! `PUT /api/v1/patients/{id}/consents/{consent_id}` and `POST …/{consent_id}/revoke`

use axum::http::{Method, StatusCode};
use iris_access::{ActionKind, Read, Update};
use iris_audit::Action;
use iris_fhir::json::{Json, Value, Writer};
use iris_kernel::ErrorKind;
use iris_plain::{Field, Form, Object, Record};
use iris_records::consent::{Consent, ConsentInput, Purpose, edit, field_of, revoke};
use iris_resources::{Content, ReferencePolicy, Stored, Which};

use super::super::{IF_MATCH, PATIENT, checked, in_plain, record_of};
use super::{CONSENT, consent, keeper, lost_update, note, patient, permit, shown};
use crate::call::Call;
use crate::endpoint::{Endpoint, Needs, Outcome};
use crate::problem::Problem;

/// How often a change without `If-Match` is tried anew when somebody else changes the consent in between.
const TRIES_MAX: usize = 4;
/// Longest reason, in characters.
const REASON_CHARS_MAX: usize = 1_000;

/// What can be said when a consent is taken back.
pub(crate) const REVOKE: &[Field] =
    &[Field::taken("reason", Form::Text(REASON_CHARS_MAX), "Why, in the patient's words.")];

const FAILS: &[ErrorKind] =
    &[ErrorKind::Invalid, ErrorKind::NotFound, ErrorKind::Gone, ErrorKind::LostUpdate, ErrorKind::MediaType];

pub(super) fn change_endpoint() -> Endpoint {
    let summary =
        "A new version of a consent: absent fields stay, null takes a field away; the versions before stay readable";
    Endpoint::new(Method::PUT, "/api/v1/patients/{id}/consents/{consent_id}", summary, change)
        .needs(Needs::Records(ActionKind::Update, "Consent"))
        .params(&[PATIENT, CONSENT, IF_MATCH])
        .takes("ConsentChange")
        .gives(&[(200, Some("Consent"))])
        .fails(FAILS)
}

pub(super) fn revoke_endpoint() -> Endpoint {
    let summary = "Take a consent back: it counts no more from the answer on, and stays readable";
    Endpoint::new(Method::POST, "/api/v1/patients/{id}/consents/{consent_id}/revoke", summary, take_back)
        .needs(Needs::Records(ActionKind::Update, "Consent"))
        .params(&[PATIENT, CONSENT, IF_MATCH])
        .takes("ConsentRevoke")
        .gives(&[(200, Some("Consent"))])
        .fails(FAILS)
}

async fn change(mut call: Call) -> Outcome {
    let (json, _held) = call.json().await?;
    let now = call.app.clock.now();
    revise(call, Action::ConsentGrant, &|stored: Value<'_>, shown: Value<'_>| {
        let read = ConsentInput::read(json.root(), Purpose::Update { shown }, now);
        let input = read.map_err(|faults| Problem::with(ErrorKind::Invalid, faults))?;
        let after = input.over(&Consent::of(stored));
        let detail = [after.status.as_deref(), after.decision.as_deref()].map(Option::unwrap_or_default).join(" ");
        Ok((edit(stored, &after), detail))
    })
    .await
}

async fn take_back(mut call: Call) -> Outcome {
    let (json, _held) = call.json().await?;
    let mut object = Object::read(json.root(), REVOKE, "");
    let reason = object.text("reason").value();
    let faults = object.finish();
    if !faults.is_empty() {
        return Err(Problem::with(ErrorKind::Invalid, faults));
    }
    let reason = reason.as_deref();
    revise(call, Action::ConsentRevoke, &|stored: Value<'_>, _shown: Value<'_>| {
        Ok((revoke(stored, reason), reason.unwrap_or_default().to_owned()))
    })
    .await
}

/// The body of the next version, and what the log says of it.
type Revise<'a> = &'a (dyn Fn(Value<'_>, Value<'_>) -> Result<(Vec<u8>, String), Problem> + Sync);

/// Reads the consent of the path, makes its next version and stores that.
async fn revise(call: Call, action: Action, next: Revise<'_>) -> Outcome {
    let keeper = keeper(&call)?;
    let patient = patient(&call, &keeper).await?;
    let (writing, reading) = (permit(&keeper, Update, "Consent")?, permit(&keeper, Read, "Consent")?);
    let wanted = call.if_match()?;
    let mut tries = 0;
    loop {
        let stored = consent(&call, &reading, &patient).await?;
        if wanted.is_some_and(|wanted| wanted != stored.version) {
            return Err(lost_update(stored.version));
        }
        let record = record_of(&call, &reading, &stored)?;
        let (body, detail) = body(&stored, &record, next)?;
        let after = checked(body, field_of)?;
        tries += 1;
        let condition = Some(stored.version).into();
        let (which, references) = (Which::Id(&stored.id), Some(ReferencePolicy::Checked));
        match call.app.records.update(&writing, which, Content::Sent(&after), condition, references).await {
            Ok(written) => {
                call.wrote(&written);
                note(&call, action, (&patient, &stored.id, written.version), &detail).await?;
                let updated_by = call.caller()?.subject.id.to_string();
                let record = Record { version: written.version, updated_at: written.at, updated_by, ..record };
                return Ok(shown(&call, StatusCode::OK, after.root(), &record));
            }
            // Somebody was faster: with If-Match the next round tells what is there now, without it takes that as the base.
            Err(refusal) if refusal.kind == ErrorKind::LostUpdate && tries < TRIES_MAX => {}
            Err(refusal) => return Err(in_plain(refusal, field_of)),
        }
    }
}

fn body(stored: &Stored, record: &Record, next: Revise<'_>) -> Result<(Vec<u8>, String), Problem> {
    let resource = stored.resource()?;
    let mut w = Writer::new();
    Consent::of(resource.root()).show(record, &mut w);
    let shown = Json::parse(w.finish())
        .map_err(|cause| Problem::caused(ErrorKind::Internal, "the record cannot be shown", cause))?;
    next(resource.root(), shown.root())
}
