//! `POST /api/v1/patients/{id}/consents`

use axum::http::{Method, StatusCode};
use iris_access::{ActionKind, Create};
use iris_audit::Action;
use iris_fhir::Resource;
use iris_kernel::ErrorKind;
use iris_records::consent::{Consent, ConsentInput, Purpose, create, field_of};
use iris_resources::{CreateOptions, Outcome as Wrote, ReferencePolicy};

use super::super::{KEY, PATIENT, checked, in_plain, record_made};
use super::{PATH, keeper, note, patient, permit, shown};
use crate::call::Call;
use crate::endpoint::{Endpoint, Needs, Outcome};
use crate::problem::Problem;

pub(super) fn endpoint() -> Endpoint {
    Endpoint::new(
        Method::POST,
        PATH,
        "Record what a patient agrees to or denies; it counts at once, on all nodes",
        handle,
    )
    .needs(Needs::Records(ActionKind::Create, "Consent"))
    .params(&[PATIENT, KEY])
    .takes("ConsentInput")
    .gives(&[(201, Some("Consent"))])
    .fails(&[ErrorKind::NotFound, ErrorKind::Gone, ErrorKind::Invalid, ErrorKind::MediaType])
}

async fn handle(mut call: Call) -> Outcome {
    let keeper = keeper(&call)?;
    let patient = patient(&call, &keeper).await?;
    let permit = permit(&keeper, Create, "Consent")?;
    let (json, held) = call.json().await?;
    let read = ConsentInput::read(json.root(), Purpose::Create, call.app.clock.now());
    let input = read.map_err(|faults| Problem::with(ErrorKind::Invalid, faults))?;
    let given = input.over(&Consent::default());
    let resource = checked(create(&given, &patient), field_of)?;
    let key = call.idempotency_key(&held.bytes)?;
    let options = CreateOptions { key, references: Some(ReferencePolicy::Checked), ..CreateOptions::default() };
    let written = call.app.records.create(&permit, &resource, &options).await;
    let written = written.map_err(|refusal| in_plain(refusal, field_of))?;
    if written.outcome == Wrote::Created {
        let detail = given.decision.as_deref().unwrap_or_default();
        note(&call, Action::ConsentGrant, (&patient, &written.id, written.version), detail).await?;
    }
    let record = record_made(&call, &written)?;
    let stored = Resource::parse(call.content(written).await?)
        .map_err(|cause| Problem::caused(ErrorKind::Internal, "the stored record does not parse", cause))?;
    let answer = shown(&call, StatusCode::CREATED, stored.root(), &record);
    Ok(answer.located(&format!("/api/v1/patients/{patient}/consents/{}", record.id)))
}
