//! `DELETE /fhir/{type}/{id}`

use axum::http::Method;
use iris_access::Delete;

use super::{ID, IF_MATCH, TYPE, kind};
use crate::answer::Answer;
use crate::call::Call;
use crate::endpoint::{Endpoint, Outcome};
use crate::plain::versioned;

pub(super) fn endpoint() -> Endpoint {
    Endpoint::new(Method::DELETE, "/fhir/{type}/{id}", "Delete a resource; its versions stay in the history", handle)
        .params(&[TYPE, ID, IF_MATCH])
        .gives(&[(204, None)])
}

async fn handle(call: Call) -> Outcome {
    let permit = call.permit(Delete, kind(&call)?).await?;
    let gone = call.app.records.delete(&permit, call.id()?, call.if_match()?).await?;
    call.wrote(&gone);
    Ok(versioned(Answer::empty(), gone.version, gone.at))
}
