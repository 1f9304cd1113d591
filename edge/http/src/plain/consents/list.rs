//! `GET /api/v1/patients/{id}/consents`

use axum::http::{Method, StatusCode};
use iris_access::{ActionKind, Read, Search};
use iris_fhir::json::Writer;
use iris_kernel::ErrorKind;

use super::super::{CURSOR, LIMIT, PATIENT, PORTAL, PURPOSE, TOTAL, list_end, list_query, record_of};
use super::{PATH, keeper, patient, permit, show};
use crate::answer::Answer;
use crate::call::{Call, kind_named};
use crate::endpoint::{Endpoint, Needs, Outcome};

pub(super) fn endpoint() -> Endpoint {
    Endpoint::new(Method::GET, PATH, "What a patient has agreed to and denied, the newest first", handle)
        .needs(Needs::Records(ActionKind::Search, "Consent"))
        .params(&[PATIENT, LIMIT, CURSOR, TOTAL, PURPOSE, PORTAL])
        .gives(&[(200, Some("ConsentList"))])
        .fails(&[ErrorKind::Invalid, ErrorKind::NotFound, ErrorKind::Gone])
}

async fn handle(call: Call) -> Outcome {
    let kind = kind_named("Consent")?;
    let keeper = keeper(&call)?;
    let patient = patient(&call, &keeper).await?;
    let (searching, reading) = (permit(&keeper, Search, "Consent")?, permit(&keeper, Read, "Consent")?);
    let pairs =
        vec![("patient".to_owned(), format!("Patient/{patient}")), ("_sort".to_owned(), "-_lastUpdated".to_owned())];
    let query = list_query(&call, kind, pairs, true)?;
    let page = call.release(call.app.records.search(&searching, &query)?).await?;
    let mut w = Writer::new();
    w.object().key("items").array();
    for stored in &page.items {
        let resource = stored.resource()?;
        show(&call, resource.root(), &record_of(&call, &reading, stored)?, &mut w);
        w.end();
    }
    w.end();
    list_end(&mut w, page.next.as_deref(), page.total);
    w.end();
    Ok(Answer::json(StatusCode::OK, w.finish()))
}
