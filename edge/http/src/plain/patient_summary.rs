//! `GET /api/v1/patients/{id}/summary`

use axum::http::{Method, StatusCode};
use iris_access::{ActionKind, Read};
use iris_audit::Action;
use iris_fhir::json::Writer;
use iris_kernel::ErrorKind;
use iris_records::Patient;
use iris_records::digest::{List, Names};
use iris_records::patient::mrn_system;
use iris_resources::Concern;

use super::history::{Gathered, gather, names};
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
    let concern = Concern { action: Action::PhiSummary, patient: Some(&stored.id) };
    let lists = List::ALL.map(List::summary_searches);
    let gathered = gather(&call, &stored.id, concern, &lists, |place, searched, kind, found| {
        List::ALL.get(place)?.further(searched, kind, found)
    });
    let gathered = gathered.await?;
    let names = names(&call, gathered.iter().flatten().flat_map(Gathered::roots)).await?;
    let resource = stored.resource()?;
    let mut w = Writer::new();
    w.object().key("patient");
    Patient::of(resource.root(), &mrn_system(permit.tenant())).show(&record_of(&call, &permit, &stored)?, &mut w);
    w.end();
    show(&gathered, &names, &mut w);
    w.end();
    Ok(one(StatusCode::OK, w.finish(), stored.version, stored.at))
}

/// Writes the counts, the lists, and the names of those that are not whole and of those that the caller may not see.
fn show(gathered: &[Option<Gathered>], names: &Names, w: &mut Writer) {
    let lists = || List::ALL.into_iter().zip(gathered);
    w.key("counts").object();
    for (list, found) in lists().filter(|(list, _)| !list.latest_only()) {
        if let Some(found) = found {
            let count = found.total.saturating_sub(list.left_out(&found.roots()) as u64);
            w.key(list.name()).integer(i64::try_from(count).unwrap_or(i64::MAX));
        }
    }
    w.end();
    for (list, found) in lists() {
        if let Some(found) = found {
            w.key(list.name());
            list.summary(&found.roots(), names, w);
        }
    }
    w.key("truncated").array();
    for (list, _) in lists().filter(|(_, found)| found.as_ref().is_some_and(|found| found.truncated)) {
        w.string(list.name());
    }
    w.end().key("withheld").array();
    for (list, _) in lists().filter(|(_, found)| found.is_none()) {
        w.string(list.name());
    }
    w.end();
}
