//! `PUT /api/v1/immunizations/{id}`

use axum::http::{Method, StatusCode};
use iris_access::{ActionKind, Read, Update};
use iris_fhir::json::{Json, Writer};
use iris_immunization::{Dose, DoseInput, Purpose, edit, field_of};
use iris_kernel::ErrorKind;
use iris_plain::Record;
use iris_resources::ReferencePolicy;

use super::immunization_create::{provider, show_warnings};
use super::{IF_MATCH, UPDATE_TRIES_MAX, checked, in_plain, one, record_of};
use crate::call::{Call, kind_named};
use crate::endpoint::{Endpoint, Needs, Outcome, path};
use crate::problem::Problem;

pub(super) fn endpoint() -> Endpoint {
    Endpoint::new(
        Method::PUT,
        "/api/v1/immunizations/{id}",
        "Change an immunization: absent fields stay, null takes a field away",
        handle,
    )
    .needs(Needs::Records(ActionKind::Update, "Immunization"))
    .params(&[path("id", "The record's id."), IF_MATCH])
    .takes("ImmunizationChange")
    .gives(&[(200, Some("Immunization"))])
    .fails(&[
        ErrorKind::Invalid,
        ErrorKind::NotFound,
        ErrorKind::Gone,
        ErrorKind::LostUpdate,
        ErrorKind::MediaType,
    ])
}

async fn handle(mut call: Call) -> Outcome {
    let kind = kind_named("Immunization")?;
    let permit = call.permit(Update, kind).await?;
    let reading = call.permit(Read, kind).await?;
    let wanted = call.if_match()?;
    let (json, _held) = call.json().await?;
    let table = call.app.vaccines.now();
    let mut tries = 0;
    loop {
        let stored = call.release(call.app.records.read(&reading, call.id()?)?).await?.found()?;
        let resource = stored.resource()?;
        let before = Dose::of(resource.root());
        let record = record_of(&call, &reading, &stored)?;
        let shown = shown(&before, &record)?;
        let update = Purpose::Update { shown: shown.root() };
        let read = DoseInput::read(json.root(), update, &table, call.app.clock.now());
        let input = read.map_err(|faults| Problem::with(ErrorKind::Invalid, faults))?;
        let (dose, warnings) = input.over(&before, &table);
        let provider = provider(&call, permit.tenant(), dose.provider_id.as_deref())?;
        let after = checked(edit(resource.root(), &dose, provider, &table), field_of)?;
        let version = Some(wanted.unwrap_or(stored.version));
        tries += 1;
        match call.app.records.update(&permit, &stored.id, &after, version.into(), Some(ReferencePolicy::Checked)).await
        {
            Ok(written) => {
                let author = call.caller()?.subject.id.to_string();
                let record = Record { version: written.version, updated_at: written.at, updated_by: author, ..record };
                let mut w = Writer::new();
                Dose::of(after.root()).show(&record, &mut w);
                show_warnings(&warnings, &mut w);
                return Ok(one(StatusCode::OK, w.finish(), written.version, written.at));
            }
            // Without If-Match the caller changes fields, not a version: what it did not name comes from the newest.
            Err(refusal) if refusal.kind == ErrorKind::LostUpdate && wanted.is_none() && tries < UPDATE_TRIES_MAX => {}
            Err(refusal) => return Err(in_plain(refusal, field_of)),
        }
    }
}

/// The record as the API shows it now, to compare the server's own fields with.
fn shown(dose: &Dose, record: &Record) -> Result<Json, Problem> {
    let mut w = Writer::new();
    dose.show(record, &mut w);
    Json::parse(w.finish()).map_err(|cause| Problem::caused(ErrorKind::Internal, "the record cannot be shown", cause))
}
