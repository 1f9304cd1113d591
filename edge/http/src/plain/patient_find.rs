//! `GET /api/v1/patients/search`

use axum::http::{Method, StatusCode};
use iris_access::{ActionKind, Read, Search};
use iris_fhir::json::Writer;
use iris_kernel::ErrorKind;
use iris_kernel::limits::PAGE_DEFAULT;
use iris_records::find::{FOUND_MAX, Find};
use iris_records::search::{FILTERS, narrow, parameters};

use super::patient_list::{PARAMS, list, show};
use super::{list_end, parse};
use crate::answer::Answer;
use crate::call::{Call, Pairs, kind_named};
use crate::endpoint::{Endpoint, Needs, Outcome, Param, query};
use crate::problem::Problem;

const Q: Param = query(
    "q",
    "What is known of the patient, as one types it: words of the name in any order and spelling, a birth date in a common \
     spelling, a telephone number or its last digits, a record number, an e-mail address. All of it must fit. The best finds \
     come first, 50 at most, and the answer has no further pages. Misspelt and sound-alike names are among them only where fewer \
     than 5 fit as typed.",
);

/// `q`, then everything that a list takes.
const FIND_PARAMS: [Param; PARAMS.len() + 1] = {
    let mut params = [Q; FILTERS.len() + 6];
    let mut i = 0;
    while i < PARAMS.len() {
        params[i + 1] = PARAMS[i];
        i += 1;
    }
    params
};

pub(super) fn endpoint() -> Endpoint {
    let summary = "Find patients as one types, or by name, birth date, phone, e-mail, SSN or record number";
    Endpoint::new(Method::GET, "/api/v1/patients/search", summary, handle)
        .needs(Needs::Records(ActionKind::Search, "Patient"))
        .params(&FIND_PARAMS)
        .gives(&[(200, Some("PatientSearch"))])
        .fails(&[ErrorKind::Invalid, ErrorKind::NotSupported])
}

async fn handle(call: Call) -> Outcome {
    match call.query_value("q") {
        Some(text) => find(&call, text).await,
        None => list(&call).await,
    }
}

/// The patients that a text finds, within the other filters.
async fn find(call: &Call, text: &str) -> Outcome {
    let kind = kind_named("Patient")?;
    let permit = call.permit(Search, kind).await?;
    let reading = call.permit(Read, kind).await?;
    for name in ["cursor", "total"] {
        if call.query_value(name).is_some() {
            return Err(Problem::at(ErrorKind::Invalid, name, "cannot stand beside q, whose answer has one page"));
        }
    }
    let limit = call.query_number("limit", PAGE_DEFAULT, 1, FOUND_MAX)?;
    let filters: Pairs = call.filters().into_iter().filter(|(name, _)| name != "q").collect();
    let wanted = Find::read(text, kind, permit.tenant(), call.app.clock.now());
    let (find, pairs) = match (wanted, parameters(&filters)) {
        (Ok(find), Ok(pairs)) => (find, pairs),
        (wanted, narrowing) => {
            let faults = wanted.err().into_iter().chain(narrowing.err().into_iter().flatten()).collect();
            return Err(Problem::with(ErrorKind::Invalid, faults));
        }
    };
    let mut narrowed = parse(call, kind, &pairs)?;
    narrow(&mut narrowed, &filters);
    call.searchable(&narrowed).await?;
    let sifted = call.app.records.sift(&permit, &find.rounds(&narrowed), &find, find.measure(limit))?;
    let found = call.release(sifted).await?;
    let mut w = Writer::new();
    w.object().key("items").array();
    for (stored, why) in &found.items {
        show(call, &reading, stored, &mut w)?;
        w.key("matched").array();
        for word in &why.matched {
            w.string(word);
        }
        w.end().end();
    }
    w.end();
    list_end(&mut w, None, None);
    w.key("more").bool(found.more);
    Ok(Answer::json(StatusCode::OK, w.finish()))
}
