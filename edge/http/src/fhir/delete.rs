//! `DELETE /fhir/{type}/{id}` and `DELETE /fhir/{type}?criteria`

use axum::http::{Method, StatusCode};
use iris_access::Delete;
use iris_fhir::json::Writer;
use iris_kernel::ErrorKind;

use super::{ANY_CRITERIA, ID, IF_MATCH, RETURN, Return, TYPE, as_preferred, criteria, kind, wanted};
use crate::answer::Answer;
use crate::call::Call;
use crate::endpoint::{Endpoint, Outcome};
use crate::plain::versioned;
use crate::problem::Problem;

pub(super) fn endpoint() -> Endpoint {
    Endpoint::new(Method::DELETE, "/fhir/{type}/{id}", "Delete a resource; its versions stay in the history", one)
        .params(&[TYPE, ID, IF_MATCH, RETURN])
        .gives(&[(204, None), (200, Some("OperationOutcome"))])
}

pub(super) fn conditional() -> Endpoint {
    let what = "Delete what criteria match: one resource, or several where the setting conditional_delete allows it";
    Endpoint::new(Method::DELETE, "/fhir/{type}", what, meant)
        .params(&[TYPE, ANY_CRITERIA, RETURN])
        .gives(&[(204, None), (200, Some("OperationOutcome"))])
}

async fn one(call: Call) -> Outcome {
    let permit = call.permit(Delete, kind(&call)?).await?;
    let gone = call.app.records.delete(&permit, call.id()?, call.if_match()?).await?;
    call.wrote(&gone);
    Ok(as_preferred(&call, versioned(told(&call, 1), gone.version, gone.at)))
}

async fn meant(call: Call) -> Outcome {
    let permit = call.permit(Delete, kind(&call)?).await?;
    if call.if_match()?.is_some() {
        return Err(Problem::at(
            ErrorKind::NotSupported,
            "If-Match",
            "is about one resource; criteria may match several",
        ));
    }
    let gone = call.app.records.delete_where(&permit, &criteria(&call)?).await?;
    gone.iter().for_each(|gone| call.wrote(gone));
    Ok(as_preferred(&call, told(&call, gone.len())))
}

/// 204, or how many were deleted for a caller who wants to know.
fn told(call: &Call, count: usize) -> Answer {
    if wanted(call, Return::Minimal) != Return::Outcome {
        return Answer::empty();
    }
    let mut w = Writer::new();
    w.object().member("resourceType", "OperationOutcome").key("issue").array();
    w.object().member("severity", "information").member("code", "informational");
    w.member("diagnostics", &format!("deleted: {count}")).end().end().end();
    Answer::fhir(StatusCode::OK, w.finish())
}
