//! `GET /api/v1/audit/checkpoints`

use axum::http::{Method, StatusCode};
use iris_access::{ActionKind, Named, Search};
use iris_audit::Action;
use iris_fhir::json::Writer;
use iris_kernel::ErrorKind;
use iris_kernel::limits::{PAGE_DEFAULT, PAGE_MAX};

use super::{CURSOR, LIMIT, blocking, cursor, event, number, page_end};
use crate::answer::Answer;
use crate::call::Call;
use crate::endpoint::{Endpoint, Needs, Outcome};

pub(super) fn endpoint() -> Endpoint {
    Endpoint::new(Method::GET, "/api/v1/audit/checkpoints", "The signed checkpoints of the log, newest first", handle)
        .needs(Needs::Named(ActionKind::Search, Named::AuditLog))
        .params(&[LIMIT, CURSOR])
        .gives(&[(200, Some("AuditCheckpoints"))])
        .fails(&[ErrorKind::Invalid, ErrorKind::Malformed])
}

async fn handle(call: Call) -> Outcome {
    let _permit = call.permit_named(Search, Named::AuditLog).await?;
    let size = call.query_number("limit", PAGE_DEFAULT, 1, PAGE_MAX)?;
    let before = call.query_value("cursor").map(cursor).transpose()?;
    let event = event(&call, Action::AuditQuery)?;
    let sealed = blocking(&call, move |audit| audit.checkpoints(before, size, event)).await?;
    let found = call.release(sealed).await?;
    let mut w = Writer::new();
    w.object().key("items").array();
    for checkpoint in &found.items {
        w.object().key("size").integer(number(checkpoint.size));
        w.member("root", &checkpoint.root).key("timestamp");
        match checkpoint.at {
            Some(at) => w.string(&at.rfc3339()),
            None => w.null(),
        };
        w.member("note", &checkpoint.note).end();
    }
    w.end();
    page_end(found.next, &mut w);
    Ok(Answer::json(StatusCode::OK, w.finish()))
}
