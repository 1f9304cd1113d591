//! `GET /api/v1/patients/{id}/lab-results/trends` and `/vital-signs/trends`

use axum::http::{Method, StatusCode};
use iris_access::{ActionKind, Permit, Search};
use iris_audit::Action;
use iris_fhir::Resource;
use iris_fhir::json::{Value, Writer};
use iris_kernel::ErrorKind;
use iris_kernel::limits::FHIR_PAGE_MAX;
use iris_records::digest::{List, trends};
use iris_resources::{Concern, Page, Stored};
use iris_search::{Query, escape};

use super::history::of_patient;
use super::{PATIENT, PORTAL, PURPOSE, parse};
use crate::answer::Answer;
use crate::call::{Call, kind_named};
use crate::endpoint::{Endpoint, Needs, Outcome, Param, query};
use crate::problem::Problem;

/// Newest observations that trends are made of.
const OBSERVATIONS_MAX: usize = FHIR_PAGE_MAX;

/// The search parameter for codes of an observation or of a part of it.
const COMBO_CODE: &str = "combo-code";

const CODE: Param =
    query("code", "Only observations with this code, or a part of this code; several where it stands several times.")
        .often();

pub(super) fn endpoints() -> Vec<Endpoint> {
    let trends = |path, summary, of: List| {
        Endpoint::new(Method::GET, path, summary, move |call| handle(call, of))
            .needs(Needs::Records(ActionKind::Search, "Observation"))
            .params(&[PATIENT, CODE, PURPOSE, PORTAL])
            .gives(&[(200, Some("Trends"))])
            .fails(&[ErrorKind::Invalid, ErrorKind::NotFound, ErrorKind::Gone])
    };
    vec![
        trends(
            "/api/v1/patients/{id}/lab-results/trends",
            "Laboratory results of a patient as series, each oldest first",
            List::LabResults,
        ),
        trends(
            "/api/v1/patients/{id}/vital-signs/trends",
            "Vital signs of a patient as series, each oldest first",
            List::VitalSigns,
        ),
    ]
}

async fn handle(call: Call, list: List) -> Outcome {
    let codes = codes(&call)?;
    let patient = super::chart::patient(&call).await?;
    let kind = kind_named("Observation")?;
    let permit = call.permit(Search, kind).await?;
    let mut searches: Vec<(Permit<Search>, Query)> = Vec::new();
    for searched in list.searches() {
        let mut pairs = of_patient(&patient, searched.parameters);
        pairs.push(("_count".to_owned(), OBSERVATIONS_MAX.to_string()));
        if !codes.is_empty() {
            let escaped: Vec<String> = codes.iter().map(|code| escape(code)).collect();
            pairs.push((COMBO_CODE.to_owned(), escaped.join(",")));
        }
        let query = parse(&call, kind, &pairs).map_err(at_code)?;
        searches.push((permit.clone(), query));
    }
    let concern = Concern { action: Action::PhiSearch, patient: Some(&patient) };
    let pages = call.release(call.app.records.search_each(&searches, concern, &|_, _| Ok(None))?).await?;
    let truncated = pages.iter().any(Page::is_part);
    let stored = pages.iter().flat_map(|page| &page.items);
    let resources = stored.map(Stored::resource).collect::<Result<Vec<_>, _>>()?;
    let roots: Vec<Value<'_>> = resources.iter().map(Resource::root).collect();
    let mut w = Writer::new();
    w.object().key("series").array();
    for trend in trends(&roots, &codes) {
        trend.show(&mut w);
    }
    w.end().key("truncated").bool(truncated).end();
    Ok(Answer::json(StatusCode::OK, w.finish()))
}

/// A fault of the search at the parameter that it came from.
fn at_code(mut problem: Problem) -> Problem {
    for fault in problem.faults.iter_mut().filter(|fault| fault.at == COMBO_CODE) {
        "code".clone_into(&mut fault.at);
    }
    problem
}

fn codes(call: &Call) -> Result<Vec<&str>, Problem> {
    let codes: Vec<&str> =
        call.query().iter().filter(|(name, _)| name == "code").map(|(_, value)| value.as_str()).collect();
    if codes.iter().any(|code| code.is_empty()) {
        return Err(Problem::at(ErrorKind::Invalid, "code", "must not be empty"));
    }
    Ok(codes)
}
