//! `GET /api/v1/break-glass` and `GET /api/v1/break-glass/{id}`

use axum::http::{Method, StatusCode};
use iris_access::{Facts, GlassRecord, Named, Search, decide};
use iris_fhir::json::Writer;
use iris_kernel::limits::{PAGE_DEFAULT, PAGE_MAX};
use iris_kernel::{ErrorKind, Timestamp};
use iris_plain::Form;
use iris_resources::Refusal;
use uuid::Uuid;

use super::show;
use crate::answer::Answer;
use crate::call::Call;
use crate::endpoint::{Endpoint, Needs, Outcome, Param, path, query};
use crate::problem::Problem;

const STATES: &[&str] = &["all", "open", "unreviewed", "reviewed"];
const STATE: Param = query("state", "Which: all, open now, not reviewed yet, or reviewed.").of(Form::Choice(STATES));
const LIMIT: Param = query("limit", "Most items of a page, 20 where nothing is said, 100 at most.").of(Form::Integer);
const CURSOR: Param = query("cursor", "The `next_cursor` of the page before.");

pub(super) fn list_endpoint() -> Endpoint {
    Endpoint::new(
        Method::GET,
        "/api/v1/break-glass",
        "Emergencies, the newest first: all of them for reviewers, their own for everybody else",
        list,
    )
    .needs(Needs::SignedIn)
    .params(&[STATE, LIMIT, CURSOR])
    .gives(&[(200, Some("BreakGlassList"))])
    .fails(&[ErrorKind::Invalid])
}

pub(super) fn read_endpoint() -> Endpoint {
    Endpoint::new(Method::GET, "/api/v1/break-glass/{id}", "One emergency, for reviewers and for who it was", read)
        .needs(Needs::SignedIn)
        .params(&[path("id", "The id of the emergency.")])
        .gives(&[(200, Some("BreakGlass"))])
        .fails(&[ErrorKind::NotFound])
}

/// What the caller may see of them: all or their own.
async fn seen(call: &Call) -> Result<Vec<GlassRecord>, Problem> {
    let policies = call.app.identity.policies();
    match decide(call.caller()?, Search, &Facts::named(Named::BreakGlass)) {
        Ok(permit) => Ok(policies.glasses_all(&permit).await?),
        Err(_) => Ok(policies.glasses_own(call.caller()?).await?),
    }
}

async fn list(call: Call) -> Outcome {
    let limit = call.query_number("limit", PAGE_DEFAULT, 1, PAGE_MAX)?;
    let state = call.query_value("state").unwrap_or("all");
    if !STATES.contains(&state) {
        return Err(Problem::at(ErrorKind::Invalid, "state", format!("must be one of {}", STATES.join(", "))));
    }
    let after = call.query_value("cursor").map(position).transpose()?;
    let now = call.app.clock.now();
    let meant = |glass: &GlassRecord| match state {
        "open" => glass.is_open(now),
        "unreviewed" => glass.review.is_none(),
        "reviewed" => glass.review.is_some(),
        _ => true,
    };
    let all: Vec<GlassRecord> = seen(&call).await?.into_iter().filter(meant).collect();
    let behind = |glass: &&GlassRecord| after.is_none_or(|(at, id)| (glass.opened, id) < (at, glass.id));
    let page: Vec<&GlassRecord> = all.iter().filter(behind).take(limit + 1).collect();
    let mut w = Writer::new();
    w.object().key("items").array();
    for glass in page.iter().take(limit) {
        show(glass, now, &mut w);
        w.end();
    }
    w.end().key("next_cursor");
    match page.get(limit.saturating_sub(1)).filter(|_| page.len() > limit) {
        Some(last) => w.string(&format!("{}.{}", last.opened, last.id)),
        None => w.null(),
    };
    w.key("total").integer(i64::try_from(all.len()).unwrap_or(i64::MAX));
    w.end();
    Ok(Answer::json(StatusCode::OK, w.finish()))
}

/// Where a page ended: when that one was opened, and its id.
fn position(cursor: &str) -> Result<(i64, Uuid), Problem> {
    let parts = cursor.split_once('.').and_then(|(at, id)| Some((at.parse().ok()?, Uuid::parse_str(id).ok()?)));
    parts.ok_or_else(|| Problem::at(ErrorKind::Invalid, "cursor", "is no cursor of this list"))
}

async fn read(call: Call) -> Outcome {
    let id = Uuid::parse_str(call.path("id")).map_err(|_| Refusal::not_found())?;
    let found = seen(&call).await?.into_iter().find(|glass| glass.id == id);
    let glass = found.ok_or_else(Refusal::not_found)?;
    let now: Timestamp = call.app.clock.now();
    let mut w = Writer::new();
    show(&glass, now, &mut w);
    w.end();
    Ok(Answer::json(StatusCode::OK, w.finish()))
}
