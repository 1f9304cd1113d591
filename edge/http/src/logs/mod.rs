//! The access log over the API: what happened, the proof of it, and the check that nobody changed it.

mod actions;
mod checkpoints;
mod disclosures;
mod entry;
mod export;
mod list;
mod proof;
mod verify;

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use iris_audit::{Action, Audit, Content, Details, Entries, Entry, Event, Outcome as Ending};
use iris_fhir::json::Writer;
use iris_kernel::{ErrorKind, Fault, Timestamp};
use iris_plain::{Form, is_date};
use iris_resources::{Refusal, Who};
use tokio::sync::OwnedSemaphorePermit;
use uuid::Uuid;

use crate::app::EXPORTS_MAX;
use crate::call::Call;
use crate::endpoint::{Endpoint, Param, query};
use crate::problem::Problem;

const LIMIT: Param = query("limit", "Most items of a page, 20 where nothing is said, 100 at most.").of(Form::Integer);
const CURSOR: Param = query(
    "cursor",
    "The `next_cursor` of the page before. One request looks at 20,000 entries at most, so a page may be short, or empty, and yet \
     have a `next_cursor`: the list ends only where it is null.",
);

pub(crate) fn endpoints() -> Vec<Endpoint> {
    vec![
        list::endpoint(),
        entry::endpoint(),
        proof::endpoint(),
        disclosures::endpoint(),
        checkpoints::endpoint(),
        export::endpoint(),
        actions::endpoint(),
        verify::endpoint(),
    ]
}

/// The event that a look into the log is itself.
fn event(call: &Call, action: Action) -> Result<Event, Problem> {
    let mut event = Who::caller(call.caller()?).event(action, Ending::Success, call.app.clock.now());
    event.query = call.uri().query().unwrap_or_default().to_owned();
    Ok(event)
}

/// Runs something that blocks when its turn comes: reading the log goes through many rows.
async fn blocking<T: Send + 'static>(
    call: &Call,
    work: impl FnOnce(Arc<Audit>) -> Result<T, iris_audit::AuditError> + Send + 'static,
) -> Result<T, Problem> {
    let audit = call.app.audit.clone();
    let closed = |cause| Problem::caused(ErrorKind::Unavailable, "the log cannot be read now", cause);
    let turn = call.app.lookups.clone().acquire_owned().await.map_err(closed)?;
    // The work goes on where the caller goes away, so the turn lasts as long as the work.
    let done = crate::blocking::blocking(move || {
        let done = work(audit);
        drop(turn);
        done
    });
    let done = done.await;
    let done = done.map_err(|cause| Problem::caused(ErrorKind::Internal, "reading the log was broken off", cause))?;
    done.map_err(Problem::from)
}

/// A place for work on the whole log, which takes long.
fn place(call: &Call) -> Result<OwnedSemaphorePermit, Problem> {
    call.app.exports.clone().try_acquire_owned().map_err(|_| {
        let what = format!("{EXPORTS_MAX} exports or checks of the whole log are under way; wait for one to end");
        Problem::new(ErrorKind::TooMany, what)
    })
}

/// The log position of the path.
fn position(call: &Call) -> Result<u64, Problem> {
    call.path("id").parse().map_err(|_| Refusal::not_found().into())
}

/// Which part of an entry somebody gets to see.
#[derive(Clone, Copy)]
enum Shown<'a> {
    /// All of it.
    Whole,
    /// What concerns this patient, who asks: who did what, when and why. One entry may be about several patients (a search, an
    /// import), and the staff's addresses and searches are not the patient's.
    About(&'a str),
}

/// Writes a page of entries.
fn page(found: &Entries, shown: Shown<'_>) -> Vec<u8> {
    let mut w = Writer::new();
    w.object().key("items").array();
    let mut unreadable = found.unreadable;
    for entry in &found.entries {
        match (shown, &entry.content) {
            // Nobody can say whom such an entry concerns, so it counts and is not shown.
            (Shown::About(_), Content::Damaged(_) | Content::Shredded) => unreadable += 1,
            _ => show(entry, shown, &mut w),
        }
    }
    w.end();
    page_end(found.next, &mut w);
    w.key("unreadable").integer(number(unreadable)).key("pending").integer(number(found.pending));
    w.finish()
}

/// Writes where a list goes on.
fn page_end(next: Option<u64>, w: &mut Writer) {
    w.key("next_cursor");
    match next {
        Some(next) => w.string(&URL_SAFE_NO_PAD.encode(next.to_be_bytes())),
        None => w.null(),
    };
}

/// Reads where a list goes on. A position is no secret to somebody who may read the list; the form only keeps callers from
/// counting on it.
fn cursor(text: &str) -> Result<u64, Problem> {
    let refused =
        || Problem::at(ErrorKind::Malformed, "cursor", "is not a cursor that this list gave you; start again");
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| refused())?;
    Ok(u64::from_be_bytes(bytes.try_into().map_err(|_| refused())?))
}

/// A moment of a filter, or the edge of a whole day.
fn moment(call: &Call, name: &str, edge: &str, faults: &mut Vec<Fault>) -> Option<Timestamp> {
    let text = call.query_value(name)?;
    let text = if is_date(text) { format!("{text}{edge}") } else { text.to_owned() };
    let read = Timestamp::parse(&text).ok();
    if read.is_none() {
        faults.push(Fault::new(name, "must be a date, YYYY-MM-DD, or an RFC 3339 time"));
    }
    read
}

fn number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Writes one entry.
fn show(entry: &Entry, shown: Shown<'_>, w: &mut Writer) {
    w.object().member("id", &entry.position.to_string()).member("timestamp", &entry.header.at.rfc3339());
    w.member("action", entry.header.action.name()).member("outcome", entry.header.outcome.name());
    w.member("proof_state", entry.proof.name());
    match &entry.content {
        Content::Open(details) => {
            show_details(details, shown, w);
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

fn show_details(details: &Details, shown: Shown<'_>, w: &mut Writer) {
    w.member("user_id", &details.actor.to_string());
    let mut words = vec![("user_name", &details.name), ("access_purpose", &details.purpose)];
    if let Shown::Whole = shown {
        words.extend([
            ("address", &details.address),
            ("user_agent", &details.agent),
            ("correlation_id", &details.correlation),
            ("detail", &details.query),
        ]);
    }
    for (name, word) in words.into_iter().filter(|(_, word)| !word.is_empty()) {
        w.member(name, word);
    }
    // Records of an entry about several patients cannot be told apart, so only the patient's own stays.
    let own_record = |own: &str| details.resources.iter().filter(|name| of_patient(name, own)).cloned().collect();
    let (patients, resources) = match shown {
        Shown::About(own) if details.patients.iter().any(|patient| patient != own) => {
            (vec![own.to_owned()], own_record(own))
        }
        Shown::Whole | Shown::About(_) => (details.patients.clone(), details.resources.clone()),
    };
    for (name, list) in [("patient_ids", &patients), ("resources", &resources), ("fields", &details.fields)] {
        w.key(name).array();
        for item in list {
            w.string(item);
        }
        w.end();
    }
}

/// Whether a reference names this Patient, in whatever version.
fn of_patient(reference: &str, id: &str) -> bool {
    let rest = reference.strip_prefix("Patient/").and_then(|rest| rest.strip_prefix(id));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// A user id of a filter.
fn user(text: &str) -> Result<[u8; 16], Problem> {
    let id = Uuid::parse_str(text).map_err(|_| Problem::at(ErrorKind::Invalid, "user_id", "must be a UUID"))?;
    Ok(id.into_bytes())
}

#[cfg(test)]
mod tests {
    use iris_audit::{EntryFault, Header, Outcome as Ended, ProofState};
    use iris_kernel::Tenant;

    use super::*;

    /// Nobody can say any more whom a damaged entry concerns, so it is not one patient's to see that something happened then.
    #[test]
    fn a_patient_sees_no_entry_that_may_be_about_somebody_else() {
        let entry = |position, content| Entry {
            position,
            header: Header {
                tenant: Tenant::DEFAULT,
                actor: [1; 16],
                action: Action::PhiRead,
                outcome: Ended::Success,
                at: Timestamp(0),
                commitment: [2; 32],
            },
            content,
            proof: ProofState::Proven,
        };
        let open = Content::Open(Box::new(Details { patients: vec!["jane".to_owned()], ..Details::default() }));
        let entries = vec![entry(8, open), entry(7, Content::Damaged(EntryFault::Details))];
        let found = Entries { entries, unreadable: 1, ..Entries::default() };
        let told = |shown| serde_json::from_slice::<serde_json::Value>(&page(&found, shown)).unwrap();
        let (hers, whole) = (told(Shown::About("jane")), told(Shown::Whole));
        let ids = |list: &serde_json::Value| {
            list["items"].as_array().unwrap().iter().map(|entry| entry["id"].clone()).collect::<Vec<_>>()
        };
        assert_eq!((ids(&hers), &hers["unreadable"]), (vec!["8".into()], &2.into()));
        assert_eq!((ids(&whole), &whole["unreadable"]), (vec!["8".into(), "7".into()], &1.into()));
    }
}
