//! `GET /api/v1/admin/users`

use axum::http::{Method, StatusCode};
use iris_access::{ActionKind, Named, Search};
use iris_fhir::json::Writer;
use iris_kernel::ErrorKind;
use iris_kernel::limits::{PAGE_DEFAULT, PAGE_MAX};
use iris_plain::Form;

use super::{cursor, cursor_of, show};
use crate::answer::Answer;
use crate::call::Call;
use crate::endpoint::{Endpoint, Needs, Outcome, query};

pub(super) fn endpoint() -> Endpoint {
    Endpoint::new(Method::GET, "/api/v1/admin/users", "The accounts, in the order in which they were made", handle)
        .needs(Needs::Named(ActionKind::Search, Named::Accounts))
        .params(&[
            query("limit", "Most items of a page, 20 where nothing is said, 100 at most.").of(Form::Integer),
            query("cursor", "The `next_cursor` of the page before."),
        ])
        .gives(&[(200, Some("UserList"))])
        .fails(&[ErrorKind::Invalid, ErrorKind::Malformed])
}

async fn handle(call: Call) -> Outcome {
    let permit = call.permit_named(Search, Named::Accounts).await?;
    let size = call.query_number("limit", PAGE_DEFAULT, 1, PAGE_MAX)?;
    let after = cursor(&call)?;
    let page = call.app.identity.user_list(&permit, after, size).await?;
    let mut w = Writer::new();
    w.object().key("items").array();
    for user in &page.items {
        show(user, &mut w);
        w.end();
    }
    w.end();
    cursor_of(page.next, &mut w);
    w.key("total").integer(i64::from(page.total));
    Ok(Answer::json(StatusCode::OK, w.finish()))
}
