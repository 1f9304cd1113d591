//! `Patient/{id}/$everything` (R4 patient-operation-everything.html): a patient's whole record in pages, with what it refers to.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use iris_access::Read;
use iris_kernel::ErrorKind;
use iris_resources::Everything;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

use super::super::search::Link;
use super::super::{ID, Routed, TYPE};
use super::parameters::{of_body, of_query};
use super::{Operation, kind_with, on};
use crate::answer::Answer;
use crate::blocking::blocking;
use crate::call::{Call, Pairs};
use crate::endpoint::{Endpoint, Outcome, Param, query};
use crate::problem::Problem;

const OPERATION: Operation = Operation {
    name: "everything",
    definition: "http://hl7.org/fhir/OperationDefinition/Patient-everything",
    only: Some("Patient"),
    what: "On one patient: the compartment in pages, then what it refers to, each record once. start, end, _since, _type and _count are followed.",
};
/// How long a request waits for its turn to gather a record.
const TURN_WAIT: Duration = Duration::from_secs(5);
const TAKES: [&str; 6] = ["start", "end", "_since", "_type", "_count", "_cursor"];
const PARAMS: [Param; 8] = [
    TYPE,
    ID,
    query("start", "Only care from this day on."),
    query("end", "Only care until this day."),
    query("_since", "Only what was stored at this time or later."),
    query("_type", "Only these types, by comma.").often(),
    query("_count", "Most records of the compartment on a page."),
    query("_cursor", "Where the page starts, from the next link of the page before."),
];

pub(super) fn endpoints() -> Vec<Routed> {
    const PATH: &str = "/fhir/{type}/{id}/$everything";
    let what = "A patient's whole record, with what it refers to";
    [Endpoint::new(Method::GET, PATH, what, asked), Endpoint::new(Method::POST, PATH, what, posted).takes("Parameters")]
        .map(|endpoint| {
            let endpoint = endpoint.params(&PARAMS).gives(&[(200, Some("Bundle"))]);
            on(&OPERATION, endpoint.fails(&[ErrorKind::NotFound, ErrorKind::Gone]))
        })
        .into()
}

async fn asked(call: Call) -> Outcome {
    let pairs = of_query(&call);
    page(&call, &pairs).await
}

async fn posted(mut call: Call) -> Outcome {
    let pairs = of_body(&mut call, &TAKES).await?;
    page(&call, &pairs).await
}

async fn page(call: &Call, pairs: &Pairs) -> Outcome {
    let kind = kind_with(call, &OPERATION)?;
    let permit = call.permit(Read, kind).await?;
    let asked = Everything::parse(pairs)?;
    // What a large record refers to is gathered from all of it.
    let (records, id, wanted) = (call.app.records.clone(), call.id()?.to_owned(), asked.clone());
    let turn = turn(call).await?;
    // The work goes on where the caller goes away, so the turn lasts as long as the work.
    let gathered = blocking(move || {
        let sealed = records.everything(&permit, &id, &wanted);
        drop(turn);
        sealed
    });
    let sealed = gathered.await;
    let lost = |cause| Problem::caused(ErrorKind::Internal, "the record could not be gathered", cause);
    let page = call.release(sealed.map_err(lost)??).await??;
    call.counted(&page);
    let base = call.app.fhir_base();
    let path = format!("{base}/{}/{}/${}", call.path("type"), call.path("id"), OPERATION.name);
    let link = Link { path: &path, applied: asked.applied(), showing: &[], cursor: asked.cursor() };
    Ok(Answer::fhir(StatusCode::OK, link.searchset(&base, &page, &[])))
}

/// A place to gather a record in.
async fn turn(call: &Call) -> Result<OwnedSemaphorePermit, Problem> {
    let closed = |cause| Problem::caused(ErrorKind::Unavailable, "the record cannot be gathered now", cause);
    let turn = timeout(TURN_WAIT, call.app.gatherings.clone().acquire_owned()).await;
    let busy = |_| Problem::new(ErrorKind::Unavailable, "too many whole records are asked for at once; try again");
    turn.map_err(busy)?.map_err(closed)
}
