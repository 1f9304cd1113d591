//! `GET /api/v1/admin/users`

use axum::http::{Method, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use iris_access::{ActionKind, Named, Search};
use iris_fhir::json::Writer;
use iris_kernel::ErrorKind;
use iris_kernel::limits::{PAGE_DEFAULT, PAGE_MAX};
use iris_plain::Form;

use super::show;
use crate::answer::Answer;
use crate::call::Call;
use crate::endpoint::{Endpoint, Needs, Outcome, query};
use crate::problem::Problem;

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
    let after = call.query_value("cursor").map(cursor).transpose()?;
    let page = call.app.identity.user_list(&permit, after, size).await?;
    let mut w = Writer::new();
    w.object().key("items").array();
    for user in &page.items {
        show(user, &mut w);
        w.end();
    }
    w.end().key("next_cursor");
    match page.next {
        Some(next) => w.string(&URL_SAFE_NO_PAD.encode(next.to_be_bytes())),
        None => w.null(),
    };
    w.key("total").integer(i64::from(page.total));
    Ok(Answer::json(StatusCode::OK, w.finish()))
}

fn cursor(text: &str) -> Result<u32, Problem> {
    let refused =
        || Problem::at(ErrorKind::Malformed, "cursor", "is not a cursor that this list gave you; start again");
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| refused())?;
    Ok(u32::from_be_bytes(bytes.try_into().map_err(|_| refused())?))
}
