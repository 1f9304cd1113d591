//! `POST /api/v1/immunizations`

use axum::http::{Method, StatusCode};
use iris_access::{ActionKind, Create};
use iris_fhir::Resource;
use iris_fhir::json::Writer;
use iris_identity::kinds;
use iris_immunization::{Dose, DoseInput, Provider, Purpose, create as write, field_of};
use iris_kernel::{ErrorKind, Tenant};
use iris_resources::{CreateOptions, ReferencePolicy, Refusal, Written};

use super::{KEY, checked, in_plain, one, record_made};
use crate::answer::Answer;
use crate::call::{Call, kind_named};
use crate::endpoint::{Endpoint, Needs, Outcome};
use crate::problem::Problem;

pub(super) fn endpoint() -> Endpoint {
    Endpoint::new(Method::POST, "/api/v1/immunizations", "Record an immunization", |call| create(call, None))
        .needs(Needs::Records(ActionKind::Create, "Immunization"))
        .params(&[KEY])
        .takes("ImmunizationInput")
        .gives(&[(201, Some("Immunization"))])
        .fails(&[ErrorKind::Invalid, ErrorKind::MediaType, ErrorKind::TooLarge])
}

/// Records an immunization, of the patient of the path if there is one.
pub(super) async fn create(mut call: Call, patient: Option<&str>) -> Outcome {
    let permit = call.permit(Create, kind_named("Immunization")?).await?;
    let (json, held) = call.json().await?;
    let table = call.app.vaccines.now();
    let read = DoseInput::read(json.root(), Purpose::Create { patient }, &table, call.app.clock.now());
    let input = read.map_err(|faults| Problem::with(ErrorKind::Invalid, faults))?;
    let (dose, warnings) = input.over(&Dose::default(), &table);
    let provider = provider(&call, permit.tenant(), dose.provider_id.as_deref())?;
    let resource = checked(write(&dose, provider, &table), field_of)?;
    let key = call.idempotency_key(&held.bytes)?;
    let options = CreateOptions { key, references: Some(ReferencePolicy::Checked), ..CreateOptions::default() };
    let written = call.app.records.create(&permit, &resource, &options).await;
    let written = written.map_err(|refusal| in_plain(refusal, field_of))?;
    answer(&call, written, &warnings).await
}

async fn answer(call: &Call, written: Written, warnings: &[String]) -> Result<Answer, Problem> {
    let (id, version, at) = (written.id.clone(), written.version, written.at);
    let record = record_made(call, &written)?;
    let stored = Resource::parse(call.content(written).await?)
        .map_err(|cause| Problem::caused(ErrorKind::Internal, "the stored record does not parse", cause))?;
    let mut w = Writer::new();
    Dose::of(stored.root()).show(&record, &mut w);
    show_warnings(warnings, &mut w);
    let answer = one(StatusCode::CREATED, w.finish(), version, at);
    Ok(answer.located(&format!("/api/v1/immunizations/{id}")))
}

/// Writes `warnings` into the open object.
pub(super) fn show_warnings(warnings: &[String], w: &mut Writer) {
    w.key("warnings").array();
    for warning in warnings {
        w.string(warning);
    }
    w.end();
}

/// As what a provider is known. One that is neither a practitioner nor an account is taken for a practitioner, whose absence the
/// write path then names.
pub(super) fn provider(call: &Call, tenant: Tenant, id: Option<&str>) -> Result<Provider, Problem> {
    let Some(id) = id else { return Ok(Provider::Practitioner) };
    let there = |kind| call.app.store.present(tenant, kind, id).map_err(Refusal::from);
    if !there(kind_named("Practitioner")?)? && there(kinds::USER)? {
        return Ok(Provider::Account);
    }
    Ok(Provider::Practitioner)
}
