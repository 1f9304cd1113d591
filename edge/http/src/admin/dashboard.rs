//! `GET /api/v1/admin/dashboard`: how the installation is, in figures that are looked up as they are asked for.

use std::sync::Arc;

use axum::http::{Method, StatusCode};
use iris_access::{ActionKind, Facts, Named, Permit, Read, Search, decide};
use iris_fhir::json::Writer;
use iris_index::Phase;
use iris_kernel::ErrorKind;
use iris_resources::Refusal;

use crate::answer::Answer;
use crate::app::{ACTIVE_WITHIN, App};
use crate::call::Call;
use crate::endpoint::{Endpoint, Needs, Outcome};
use crate::platform::health::{Examined, examine};
use crate::problem::Problem;

pub(super) fn endpoint() -> Endpoint {
    Endpoint::new(Method::GET, "/api/v1/admin/dashboard", "State of the installation in figures", handle)
        .needs(Needs::Named(ActionKind::Read, Named::Operation))
        .gives(&[(200, Some("Dashboard"))])
}

async fn handle(call: Call) -> Outcome {
    call.permit_named(Read, Named::Operation).await?;
    let accounts = decide(call.caller()?, Search, &Facts::named(Named::Accounts)).map_err(Refusal::from)?;
    let app = call.app.clone();
    let health = examine(&app).await;
    let made = crate::blocking::blocking(move || body(&app, &health, &accounts)).await;
    let made = made.map_err(|cause| Problem::caused(ErrorKind::Internal, "looking was broken off", cause))?;
    Ok(Answer::json(StatusCode::OK, made?))
}

fn body(app: &Arc<App>, health: &Examined, accounts: &Permit<Search>) -> Result<Vec<u8>, Problem> {
    let mut w = Writer::new();
    w.object().key("health").object();
    health.write(&mut w);
    w.end();
    index(app, &mut w);
    audit(app, &mut w)?;
    let bytes = app.store.bytes().map_err(|cause| {
        Problem::caused(ErrorKind::Unavailable, "the files of the store cannot be looked at", cause)
    })?;
    w.key("store").object().key("head").integer(number(app.store.head().0)).key("bytes").integer(number(bytes)).end();
    let (total, locked) = app.identity.user_counts(accounts)?;
    w.key("users").object().key("total").integer(i64::from(total)).key("locked");
    match locked {
        Some(locked) => w.integer(i64::from(locked)),
        None => w.null(),
    };
    w.end();
    let active = app.identity.sessions_active(accounts.tenant(), ACTIVE_WITHIN) as u64;
    w.key("sessions").object().key("active").integer(number(active)).end();
    Ok(w.finish())
}

fn index(app: &App, w: &mut Writer) {
    let status = app.index.status();
    let phase = match status.phase {
        Phase::Ready => "ready",
        Phase::Building => "building",
        Phase::Failed(_) => "failed",
        Phase::Closed => "closed",
    };
    w.key("index").object().member("phase", phase);
    let figures = [
        ("applied", status.applied.0),
        ("committed", status.committed.0),
        ("documents", status.documents),
        ("segments", status.segments as u64),
        ("tail", status.tail as u64),
    ];
    for (name, figure) in figures {
        w.key(name).integer(number(figure));
    }
    w.end();
}

fn audit(app: &App, w: &mut Writer) -> Result<(), Problem> {
    let standing = app.audit.standing()?;
    w.key("audit").object().key("size").integer(number(standing.size));
    w.key("checkpoint_size").integer(number(standing.signed)).key("checkpoint_at");
    match standing.signed_at {
        Some(at) => w.string(&at.rfc3339()),
        None => w.null(),
    };
    w.key("pending").integer(number(standing.pending));
    w.member("signing", if standing.stopped { "stopped" } else { "working" }).end();
    Ok(())
}

fn number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
