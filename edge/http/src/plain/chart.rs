//! The lists of a chart: `GET /api/v1/patients/{id}/conditions`, `/allergies`, `/medications`, `/encounters`, `/lab-results` and
//! `/vital-signs`. One handler: what a list is made of stands in the records context.

use axum::http::{Method, StatusCode};
use iris_access::{ActionKind, Permit, Read, Search};
use iris_fhir::json::Writer;
use iris_kernel::ErrorKind;
use iris_kernel::limits::{PAGE_DEFAULT, PAGE_MAX};
use iris_records::digest::List;
use iris_search::{Query, Total};

use super::history::{Laid, lay, of_patient};
use super::{CURSOR, LIMIT, PORTAL, PURPOSE, TOTAL, counts, list_end, parse};
use crate::answer::Answer;
use crate::call::{Call, kind_named};
use crate::endpoint::{Endpoint, Needs, Outcome};
use crate::problem::Problem;

pub(super) fn endpoints() -> Vec<Endpoint> {
    let list = |path, summary, kind, gives, of: List| {
        Endpoint::new(Method::GET, path, summary, move |call| handle(call, of))
            .needs(Needs::Records(ActionKind::Search, kind))
            .params(&[super::PATIENT, LIMIT, CURSOR, TOTAL, PURPOSE, PORTAL])
            .gives(gives)
            .fails(&[ErrorKind::Invalid, ErrorKind::NotFound, ErrorKind::Gone])
    };
    vec![
        list(
            "/api/v1/patients/{id}/conditions",
            "Conditions of a patient, latest first",
            "Condition",
            &[(200, Some("ConditionList"))],
            List::Problems,
        ),
        list(
            "/api/v1/patients/{id}/allergies",
            "Allergies and intolerances of a patient, latest first",
            "AllergyIntolerance",
            &[(200, Some("AllergyList"))],
            List::Allergies,
        ),
        list(
            "/api/v1/patients/{id}/medications",
            "Requested and stated medications of a patient, latest first",
            "MedicationRequest",
            &[(200, Some("MedicationList"))],
            List::Medications,
        ),
        list(
            "/api/v1/patients/{id}/encounters",
            "Encounters of a patient, latest first",
            "Encounter",
            &[(200, Some("EncounterList"))],
            List::Encounters,
        ),
        list(
            "/api/v1/patients/{id}/lab-results",
            "Laboratory results of a patient, latest first",
            "Observation",
            &[(200, Some("ObservationList"))],
            List::LabResults,
        ),
        list(
            "/api/v1/patients/{id}/vital-signs",
            "Vital signs of a patient, latest first",
            "Observation",
            &[(200, Some("ObservationList"))],
            List::VitalSigns,
        ),
    ]
}

/// The patient of the path, if it is there and the caller may know so.
pub(super) async fn patient(call: &Call) -> Result<String, Problem> {
    let permit = call.permit(Read, kind_named("Patient")?).await?;
    let stored = call.release(call.app.records.read(&permit, call.id()?)?).await?.found()?;
    Ok(stored.id)
}

async fn handle(call: Call, list: List) -> Outcome {
    let limit = call.query_number("limit", PAGE_DEFAULT, 1, PAGE_MAX)?;
    let counted = counts(&call, true)?;
    let patient = patient(&call).await?;
    let mut searches: Vec<(Permit<Search>, Query)> = Vec::new();
    for searched in list.searches() {
        let kind = kind_named(searched.kind)?;
        let permit = call.permit(Search, kind).await?;
        let mut query = parse(&call, kind, &of_patient(&patient, searched.parameters))?;
        query.total = if counted { Total::Accurate } else { Total::None };
        searches.push((permit, query));
    }
    let Laid { page, records, names } = lay(&call, &patient, &searches, limit).await?;
    let mut w = Writer::new();
    w.object().key("items").array();
    for record in &records {
        list.item(record.root(), &names, &mut w);
    }
    w.end();
    list_end(&mut w, page.next.as_deref(), page.total);
    w.end();
    Ok(Answer::json(StatusCode::OK, w.finish()))
}
