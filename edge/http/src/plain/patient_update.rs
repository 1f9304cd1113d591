//! `PUT /api/v1/patients/{id}`

use axum::http::{Method, StatusCode};
use iris_access::{ActionKind, Read, Update};
use iris_fhir::json::{Json, Writer};
use iris_kernel::ErrorKind;
use iris_plain::Record;
use iris_records::patient::{edit, field_of, mrn_system};
use iris_records::{Patient, PatientInput, Purpose};
use iris_resources::ReferencePolicy;

use super::{IF_MATCH, UPDATE_TRIES_MAX, checked, in_plain, one, record_of};
use crate::call::{Call, kind_named};
use crate::endpoint::{Endpoint, Needs, Outcome, path};
use crate::problem::Problem;

pub(super) fn endpoint() -> Endpoint {
    Endpoint::new(
        Method::PUT,
        "/api/v1/patients/{id}",
        "Change a patient record: absent fields stay, null takes a field away",
        handle,
    )
    .needs(Needs::Records(ActionKind::Update, "Patient"))
    .params(&[path("id", "The record's id."), IF_MATCH])
    .takes("PatientChange")
    .gives(&[(200, Some("Patient"))])
    .fails(&[
        ErrorKind::Invalid,
        ErrorKind::NotFound,
        ErrorKind::Gone,
        ErrorKind::LostUpdate,
        ErrorKind::MediaType,
    ])
}

async fn handle(mut call: Call) -> Outcome {
    let kind = kind_named("Patient")?;
    let permit = call.permit(Update, kind).await?;
    let reading = call.permit(Read, kind).await?;
    let wanted = call.if_match()?;
    let system = mrn_system(permit.tenant());
    let (json, _held) = call.json().await?;
    let mut tries = 0;
    loop {
        let stored = call.release(call.app.records.read(&reading, call.id()?)?).await?.found()?;
        let resource = stored.resource()?;
        let before = Patient::of(resource.root(), &system);
        let record = record_of(&call, &reading, &stored)?;
        let shown = shown(&before, &record)?;
        let read = PatientInput::read(json.root(), Purpose::Update { shown: shown.root() }, call.app.clock.now());
        let input = read.map_err(|faults| Problem::with(ErrorKind::Invalid, faults))?;
        let after = checked(edit(resource.root(), &input.over(&before), &system), field_of)?;
        let version = Some(wanted.unwrap_or(stored.version));
        tries += 1;
        match call.app.records.update(&permit, &stored.id, &after, version.into(), Some(ReferencePolicy::Checked)).await
        {
            Ok(written) => {
                let author = call.caller()?.subject.id.to_string();
                let record = Record { version: written.version, updated_at: written.at, updated_by: author, ..record };
                let mut w = Writer::new();
                Patient::of(after.root(), &system).show(&record, &mut w);
                return Ok(one(StatusCode::OK, w.finish(), written.version, written.at));
            }
            // Without If-Match the caller changes fields, not a version: what it did not name comes from the newest.
            Err(refusal) if refusal.kind == ErrorKind::LostUpdate && wanted.is_none() && tries < UPDATE_TRIES_MAX => {}
            Err(refusal) => return Err(in_plain(refusal, field_of)),
        }
    }
}

/// The record as the API shows it now, to compare the server's own fields with.
fn shown(patient: &Patient, record: &Record) -> Result<Json, Problem> {
    let mut w = Writer::new();
    patient.show(record, &mut w);
    Json::parse(w.finish()).map_err(|cause| Problem::caused(ErrorKind::Internal, "the record cannot be shown", cause))
}
