//! The access log over the API: what happened, the proof of it, and the check that nobody changed it.

mod entry;
mod list;
mod proof;
mod verify;

use std::sync::Arc;

use iris_audit::{Action, Audit, Content, Entry, Event, Outcome as Ending};
use iris_fhir::json::Writer;
use iris_kernel::ErrorKind;
use iris_resources::{Refusal, Who};
use uuid::Uuid;

use crate::call::Call;
use crate::endpoint::Endpoint;
use crate::problem::Problem;

pub(crate) fn endpoints() -> Vec<Endpoint> {
    vec![list::endpoint(), entry::endpoint(), proof::endpoint(), verify::endpoint()]
}

/// The event that a look into the log is itself.
fn event(call: &Call, action: Action) -> Result<Event, Problem> {
    let mut event = Who::caller(call.caller()?).event(action, Ending::Success, call.app.clock.now());
    event.query = call.uri().query().unwrap_or_default().to_owned();
    Ok(event)
}

/// Runs something that blocks: reading the log goes through many rows.
async fn blocking<T: Send + 'static>(
    call: &Call,
    work: impl FnOnce(Arc<Audit>) -> Result<T, iris_audit::AuditError> + Send + 'static,
) -> Result<T, Problem> {
    let audit = call.app.audit.clone();
    let done = tokio::task::spawn_blocking(move || work(audit)).await;
    let done = done.map_err(|cause| Problem::caused(ErrorKind::Internal, "reading the log was broken off", cause))?;
    done.map_err(Problem::from)
}

/// The log position of the path.
fn position(call: &Call) -> Result<u64, Problem> {
    call.path("id").parse().map_err(|_| Refusal::not_found().into())
}

/// Writes one entry.
fn show(entry: &Entry, w: &mut Writer) {
    w.object().member("id", &entry.position.to_string()).member("timestamp", &entry.header.at.rfc3339());
    w.member("action", entry.header.action.name()).member("outcome", entry.header.outcome.name());
    match &entry.content {
        Content::Open(details) => {
            w.member("user_id", &details.actor.to_string());
            let words = [
                ("user_name", &details.name),
                ("access_purpose", &details.purpose),
                ("address", &details.address),
                ("user_agent", &details.agent),
                ("correlation_id", &details.correlation),
                ("detail", &details.query),
            ];
            for (name, word) in words.into_iter().filter(|(_, word)| !word.is_empty()) {
                w.member(name, word);
            }
            for (name, list) in
                [("patient_ids", &details.patients), ("resources", &details.resources), ("fields", &details.fields)]
            {
                w.key(name).array();
                for item in list {
                    w.string(item);
                }
                w.end();
            }
            w.member("content", "open");
        }
        Content::Shredded => {
            w.member("content", "shredded");
        }
        Content::Damaged(_) => {
            w.member("content", "damaged");
        }
    }
    w.end();
}

/// A user id of a filter.
fn user(text: &str) -> Result<[u8; 16], Problem> {
    let id = Uuid::parse_str(text).map_err(|_| Problem::at(ErrorKind::Invalid, "user_id", "must be a UUID"))?;
    Ok(id.into_bytes())
}
