//! `GET /api/v1/patients/{id}/summary`

use axum::http::{Method, StatusCode};
use iris_access::{ActionKind, Read};
use iris_audit::Action as AuditAction;
use iris_fhir::json::Writer;
use iris_kernel::ErrorKind;
use iris_records::Patient;
use iris_records::digest::Summary;
use iris_records::patient::mrn_system;
use iris_resources::Who;

use super::history::{gather, roots};
use super::{PORTAL, PURPOSE, one, record_of};
use crate::call::{Call, kind_named};
use crate::endpoint::{Endpoint, Needs, Outcome, path};

pub(super) fn endpoint() -> Endpoint {
    Endpoint::new(Method::GET, "/api/v1/patients/{id}/summary", "What matters about a patient, on one page", handle)
        .needs(Needs::Records(ActionKind::Read, "Patient"))
        .params(&[path("id", "The record's id."), PURPOSE, PORTAL])
        .gives(&[(200, Some("Summary"))])
        .fails(&[ErrorKind::NotFound, ErrorKind::Gone])
}

async fn handle(call: Call) -> Outcome {
    let permit = call.permit(Read, kind_named("Patient")?).await?;
    let stored = call.release(call.app.records.read(&permit, call.id()?)?).await?.found()?;
    let gathered = gather(&call, &stored.id, |source| source.summary.is_some()).await?;
    let mut event =
        Who::caller(call.caller()?).event(AuditAction::PhiSummary, iris_audit::Outcome::Success, call.app.clock.now());
    event.patients.push(stored.id.clone());
    event.resources.push(stored.versioned_reference());
    call.release(call.app.audit.seal((), vec![event])).await?;

    let resource = stored.resource()?;
    let mut w = Writer::new();
    w.object().key("patient");
    Patient::of(resource.root(), &mrn_system(permit.tenant())).show(&record_of(&call, &permit, &stored)?, &mut w);
    w.end().key("counts").object();
    for list in Summary::ALL.into_iter().filter(|list| *list != Summary::VitalSigns) {
        if roots(&gathered, |source| source.summary == Some(list)).is_some() {
            let total: u64 =
                gathered.iter().filter(|part| part.source.summary == Some(list)).map(|part| part.total).sum();
            w.key(list.name()).integer(i64::try_from(total).unwrap_or(i64::MAX));
        }
    }
    w.end();
    let mut withheld = Vec::new();
    for list in Summary::ALL {
        match roots(&gathered, |source| source.summary == Some(list)) {
            Some(resources) => {
                w.key(list.name());
                list.show(&resources, &mut w);
            }
            None => withheld.push(list.name()),
        }
    }
    w.key("withheld").array();
    for name in withheld {
        w.string(name);
    }
    w.end().end();
    Ok(one(StatusCode::OK, w.finish(), stored.version, stored.at))
}
