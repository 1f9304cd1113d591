//! `POST /api/v1/patients`

use axum::http::{Method, StatusCode};
use iris_access::{ActionKind, Create};
use iris_fhir::json::Writer;
use iris_kernel::ErrorKind;
use iris_records::patient::{create, field_of, mrn_system};
use iris_records::{Patient, PatientInput, Purpose, mrn};
use iris_resources::{CreateOptions, ReferencePolicy, Written};

use super::{KEY, checked, in_plain, one, record_made};
use crate::answer::Answer;
use crate::call::{Call, kind_named};
use crate::endpoint::{Endpoint, Needs, Outcome};
use crate::problem::Problem;

/// How often a record number is drawn before we give up: with nine random digits a second draw is rare.
const DRAWS_MAX: usize = 5;

pub(super) fn endpoint() -> Endpoint {
    Endpoint::new(Method::POST, "/api/v1/patients", "Make a patient record", handle)
        .needs(Needs::Records(ActionKind::Create, "Patient"))
        .params(&[KEY])
        .takes("PatientInput")
        .gives(&[(201, Some("Patient"))])
        .fails(&[ErrorKind::Invalid, ErrorKind::Conflict, ErrorKind::MediaType, ErrorKind::TooLarge])
}

async fn handle(mut call: Call) -> Outcome {
    let permit = call.permit(Create, kind_named("Patient")?).await?;
    let system = mrn_system(permit.tenant());
    let (json, held) = call.json().await?;
    let read = PatientInput::read(json.root(), Purpose::Create, call.app.clock.now());
    let input = read.map_err(|faults| Problem::with(ErrorKind::Invalid, faults))?;
    let mut patient = input.over(&Patient::default());
    let drawn = patient.medical_record_number.is_none();
    let key = call.idempotency_key(&held.bytes)?;
    let options = CreateOptions { key, references: Some(ReferencePolicy::Checked), ..CreateOptions::default() };
    let mut draws = 0;
    loop {
        if drawn {
            patient.medical_record_number = Some(mrn::draw(&*call.app.entropy));
        }
        draws += 1;
        let resource = checked(create(&patient, &system), field_of)?;
        match call.app.records.create(&permit, &resource, &options).await {
            Ok(written) => return answer(&call, written, &system).await,
            // Whoever drew a number that is taken draws again.
            Err(refusal) if drawn && refusal.kind == ErrorKind::Conflict && draws < DRAWS_MAX => {}
            Err(refusal) => return Err(in_plain(refusal, field_of)),
        }
    }
}

async fn answer(call: &Call, written: Written, system: &str) -> Result<Answer, Problem> {
    let (id, version, at) = (written.id.clone(), written.version, written.at);
    let record = record_made(call, &written)?;
    let stored = iris_fhir::Resource::parse(call.content(written).await?)
        .map_err(|cause| Problem::caused(ErrorKind::Internal, "the stored record does not parse", cause))?;
    let mut w = Writer::new();
    Patient::of(stored.root(), system).show(&record, &mut w);
    let answer = one(StatusCode::CREATED, w.finish(), version, at);
    Ok(answer.located(&format!("/api/v1/patients/{id}")))
}
