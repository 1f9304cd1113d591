//! `POST /api/v1/patients/duplicates` and `GET /api/v1/patients/{id}/duplicates`

use axum::http::{Method, StatusCode};
use iris_access::{ActionKind, Permission, Read, Search};
use iris_fhir::Resource;
use iris_fhir::json::Writer;
use iris_kernel::ErrorKind;
use iris_records::duplicates::Duplicates;
use iris_records::patient::{create, mrn_system};
use iris_records::{Patient, PatientInput, Purpose};

use super::patient_list::show;
use super::{PATIENT, PORTAL, PURPOSE};
use crate::answer::Answer;
use crate::call::{Call, kind_named};
use crate::endpoint::{Endpoint, Needs, Outcome};
use crate::problem::Problem;

pub(super) fn endpoint() -> Endpoint {
    let summary = "Records that may be of the same person as this one";
    Endpoint::new(Method::GET, "/api/v1/patients/{id}/duplicates", summary, handle)
        .needs(Needs::Records(ActionKind::Search, "Patient"))
        .params(&[PATIENT, PURPOSE, PORTAL])
        .gives(&[(200, Some("DuplicateList"))])
        .fails(&[ErrorKind::NotFound, ErrorKind::Gone])
}

pub(super) fn compare_endpoint() -> Endpoint {
    let summary = "Records that may be of the person that the fields describe; nothing is stored";
    Endpoint::new(Method::POST, "/api/v1/patients/duplicates", summary, compare)
        .needs(Needs::Records(ActionKind::Search, "Patient"))
        .params(&[PURPOSE])
        .takes("PatientFields")
        .gives(&[(200, Some("DuplicateList"))])
        .fails(&[ErrorKind::Invalid, ErrorKind::MediaType, ErrorKind::TooLarge])
}

async fn handle(call: Call) -> Outcome {
    let reading = call.permit(Read, kind_named("Patient")?).await?;
    let stored = call.release(call.app.records.read(&reading, call.id()?)?).await?.found()?;
    let resource = stored.resource()?;
    answer(&call, &Duplicates::of_record(stored.kind, &stored.id, resource.root()), &[]).await
}

async fn compare(mut call: Call) -> Outcome {
    let kind = kind_named("Patient")?;
    let permit = call.permit(Search, kind).await?;
    let (json, _held) = call.json().await?;
    let read = PatientInput::read(json.root(), Purpose::Compare, call.app.clock.now());
    let mut fields = read.map_err(|faults| Problem::with(ErrorKind::Invalid, faults))?.over(&Patient::default());
    // Who sees numbers masked would learn from this which number somebody has.
    let sees = call.caller()?.holds(Permission::HealthcareIdentifiers, permit.target().family(), &[]);
    let not_compared: &[&str] = if fields.ssn.is_some() && !sees { &["ssn"] } else { &[] };
    if !sees {
        fields.ssn = None;
    }
    let resource = Resource::parse(create(&fields, &mrn_system(permit.tenant())))
        .map_err(|cause| Problem::caused(ErrorKind::Internal, "the fields could not be prepared", cause))?;
    let duplicates = Duplicates::of_fields(kind, &fields, resource.root());
    let duplicates = duplicates.map_err(|fault| Problem::with(ErrorKind::Invalid, vec![fault]))?;
    answer(&call, &duplicates, not_compared).await
}

/// Searches and tells. Somebody decides by it whether to make a record, so what any node has stored counts.
async fn answer(call: &Call, duplicates: &Duplicates, not_compared: &[&str]) -> Outcome {
    call.caught_up().await?;
    let kind = kind_named("Patient")?;
    let permit = call.permit(Search, kind).await?;
    let reading = call.permit(Read, kind).await?;
    let rounds = duplicates.rounds(call.app.clock.now());
    let found = call.release(call.app.records.sift(&permit, &rounds, duplicates, Duplicates::measure())?).await?;
    let mut w = Writer::new();
    w.object().key("items").array();
    for (stored, likeness) in &found.items {
        w.object().key("patient");
        show(call, &reading, stored, &mut w)?;
        w.end();
        w.key("score").integer(likeness.score());
        w.member("certainty", likeness.certainty().word());
        w.key("reasons").array();
        for word in likeness.reasons() {
            w.string(word);
        }
        w.end().key("against").array();
        for word in likeness.against() {
            w.string(word);
        }
        w.end().end();
    }
    w.end();
    if !not_compared.is_empty() {
        w.key("not_compared").array();
        for name in not_compared {
            w.string(name);
        }
        w.end();
    }
    Ok(Answer::json(StatusCode::OK, w.finish()))
}
