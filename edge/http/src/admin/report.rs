//! `GET /api/v1/admin/access-report`: accounts that hold much, that nobody uses, that belong to nobody; and failed sign-ins.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use iris_access::{ActionKind, Named, Search};
use iris_fhir::json::Writer;
use iris_identity::{Finding, ReportItem};
use iris_kernel::ErrorKind;
use iris_kernel::limits::PAGE_MAX;
use iris_plain::Form;

use super::{cursor, cursor_of, show_texts};
use crate::answer::Answer;
use crate::call::Call;
use crate::endpoint::{Endpoint, Needs, Outcome, query};

/// Which findings a list is about.
type Meant = fn(&Finding) -> bool;

const DAY: Duration = Duration::from_secs(86_400);
/// Most days after which an account may be called dormant.
const DORMANT_DAYS_MAX: usize = 3_650;

pub(super) fn endpoint() -> Endpoint {
    const WHAT: &str =
        "Accounts that hold much, that nobody uses or that belong to nobody; failed sign-ins of seven days";
    Endpoint::new(Method::GET, "/api/v1/admin/access-report", WHAT, handle)
        .needs(Needs::Named(ActionKind::Search, Named::Reviews))
        .params(&[
            query(
                "dormant_days",
                "Days without a sign-in after which an account is dormant; the setting account_dormant where nothing is said.",
            )
            .of(Form::Integer),
            query("limit", "Most accounts of a page, 100 where nothing is said and at most.").of(Form::Integer),
            query("cursor", "The `next_cursor` of the page before."),
        ])
        .gives(&[(200, Some("AccessReport"))])
        .fails(&[ErrorKind::Invalid, ErrorKind::Malformed])
}

async fn handle(call: Call) -> Outcome {
    let permit = call.permit_named(Search, Named::Reviews).await?;
    let set = call.app.settings.account_dormant().as_secs() / DAY.as_secs();
    let days_default = usize::try_from(set).unwrap_or(DORMANT_DAYS_MAX);
    let days = call.query_number("dormant_days", days_default, 1, DORMANT_DAYS_MAX)?;
    let size = call.query_number("limit", PAGE_MAX, 1, PAGE_MAX)?;
    let after = cursor(&call)?;
    let dormant = DAY * u32::try_from(days).unwrap_or(u32::MAX);
    let page = call.app.identity.access_report(&permit, dormant, (after, size)).await?;
    let mut w = Writer::new();
    w.object().member("generated_at", &call.app.clock.now().rfc3339());
    w.key("dormant_days").integer(i64::try_from(days).unwrap_or(i64::MAX));
    let lists: [(&str, Meant); 3] = [
        ("privileged", |finding| *finding == Finding::Privileged),
        ("dormant", |finding| *finding == Finding::Dormant),
        ("orphans", |finding| finding.is_orphan()),
    ];
    for (name, meant) in lists {
        w.key(name).array();
        for item in page.items.iter().filter(|item| item.findings.iter().any(meant)) {
            show(item, meant, &mut w);
        }
        w.end();
    }
    // What concerns no single account stands on the first page.
    if after.is_none() {
        let failures = call.app.identity.failed_sign_ins(&permit).await?;
        w.key("failed_sign_ins").array();
        for one in &failures {
            w.object();
            if let (Some(id), Some(name)) = (&one.user, &one.name) {
                w.member("user_id", &id.to_string()).member("username", name);
            }
            w.key("count").integer(i64::from(one.count)).key("addresses").integer(i64::from(one.addresses));
            w.member("last_at", &one.last.rfc3339()).end();
        }
        w.end();
    }
    cursor_of(page.next, &mut w);
    w.end();
    Ok(Answer::json(StatusCode::OK, w.finish()))
}

fn show(item: &ReportItem, meant: Meant, w: &mut Writer) {
    w.object().member("id", &item.user.id.to_string()).member("username", &item.user.name);
    show_texts("roles", &item.user.roles, w);
    if let Some(at) = item.user.last_login {
        w.member("last_login", &at.rfc3339());
    }
    let why: Vec<&str> = if meant(&Finding::Privileged) {
        item.privileges.clone()
    } else {
        item.findings.iter().filter(|finding| meant(finding)).map(|finding| finding.name()).collect()
    };
    w.member("why", &why.join(", ")).key("locked").bool(!item.user.enabled).end();
}
