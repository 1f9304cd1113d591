//! `/api/v1/patients/{id}/consents`: what a patient has agreed to.
//!
//! Who keeps consents (`healthcare:consents`) is not kept from them by what they say: the patient who has denied everything to
//! everybody can still come to the desk and take that back ([`Caller::keeping_consents`]). For everybody else the consents of a
//! patient are as open as the patient's record, and none takes back what is denied to themselves.

mod list;
mod record;
mod revise;

use std::sync::Arc;

use axum::http::header::ETAG;
use axum::http::{HeaderValue, StatusCode};
use iris_access::{Action, Caller, Facts, Permit, Read, decide};
use iris_audit::Outcome;
use iris_fhir::json::{Value, Writer};
use iris_kernel::{ErrorKind, Version};
use iris_plain::Record;
use iris_records::consent::{Consent, show_meaning};
use iris_resources::{Refusal, Stored, Who};

use super::etag;
use crate::answer::Answer;
use crate::call::{Call, kind_named};
use crate::endpoint::{Endpoint, Param, path};
use crate::problem::Problem;

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![list::endpoint(), record::endpoint(), revise::change_endpoint(), revise::revoke_endpoint()]
}

pub(crate) use revise::REVOKE;

const PATH: &str = "/api/v1/patients/{id}/consents";
const CONSENT: Param = path("consent_id", "The consent's id.");

/// The caller as one who keeps consents.
fn keeper(call: &Call) -> Result<Arc<Caller>, Problem> {
    Ok(Arc::new(call.caller()?.keeping_consents()))
}

/// A permit of the keeper. Whether the caller may at all was decided, and written down, before the handler ran.
fn permit<A: Action>(keeper: &Arc<Caller>, action: A, name: &'static str) -> Result<Permit<A>, Problem> {
    decide(keeper, action, &Facts::kind(kind_named(name)?)).map_err(|denial| Refusal::from(denial).into())
}

/// The patient of the path, if it is there and the keeper may know so.
async fn patient(call: &Call, keeper: &Arc<Caller>) -> Result<String, Problem> {
    let permit = permit(keeper, Read, "Patient")?;
    let stored = call.release(call.app.records.read(&permit, call.id()?)?).await?.found()?;
    Ok(stored.id)
}

/// The consent of the path, if it is one of this patient's.
async fn consent(call: &Call, reading: &Permit<Read>, patient: &str) -> Result<Stored, Problem> {
    let id = call.path("consent_id");
    if !iris_fhir::validate::primitive::is_id(id) {
        return Err(Refusal::not_found().into());
    }
    let stored = call.release(call.app.records.read(reading, id)?).await?.found()?;
    if Consent::of(stored.resource()?.root()).patient_id.as_deref() != Some(patient) {
        return Err(Refusal::not_found().into());
    }
    Ok(stored)
}

/// Writes one consent; the object stays open.
fn show(call: &Call, root: Value<'_>, record: &Record, w: &mut Writer) {
    Consent::of(root).show(record, w);
    show_meaning(root, call.app.clock.now(), w);
}

/// An answer that shows one consent.
fn shown(call: &Call, status: StatusCode, root: Value<'_>, record: &Record) -> Answer {
    let mut w = Writer::new();
    show(call, root, record, &mut w);
    w.end();
    super::one(status, w.finish(), record.version, record.updated_at)
}

/// Writes down what became of a patient's consent, beside the entry of the record itself.
async fn note(
    call: &Call,
    action: iris_audit::Action,
    (patient, id, version): (&str, &str, Version),
    detail: &str,
) -> Result<(), Problem> {
    let mut event = Who::caller(call.caller()?).event(action, Outcome::Success, call.app.clock.now());
    event.patients.push(patient.to_owned());
    event.resources.push(format!("Consent/{id}/_history/{version}"));
    detail.clone_into(&mut event.query);
    let _receipt = call.app.audit.record(event).await.map_err(Refusal::from)?;
    Ok(())
}

/// 412 with the version that is there now.
pub(super) fn lost_update(now: Version) -> Problem {
    let what = "somebody changed the record since you read it; nothing was stored";
    let mut problem = Problem::at(ErrorKind::LostUpdate, "If-Match", what);
    problem.current = Some(now);
    if let Ok(tag) = HeaderValue::from_str(&etag(now)) {
        problem.headers.push((ETAG, tag));
    }
    problem
}
