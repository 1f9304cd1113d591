//! Broken glasses through which a request saw something, for the header that says so on its answer.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::http::{HeaderName, HeaderValue};
use iris_access::Caller;
use iris_resources::{Page, Written};
use parking_lot::Mutex;
use uuid::Uuid;

use super::Call;
use crate::endpoint::Outcome;

/// Stands on every answer to which a broken glass opened something: the ids under which it will be reviewed.
const X_IRIS_BREAK_GLASS: HeaderName = HeaderName::from_static("x-iris-break-glass");

/// The glasses of one request, shared with whoever answers it.
#[derive(Clone, Default)]
pub(crate) struct Emergencies(Arc<Mutex<BTreeSet<Uuid>>>);

impl Emergencies {
    /// Notes that something about these patients was shown or stored. Nothing is asked of callers without an open glass.
    pub(crate) fn note(&self, caller: &Caller, patients: impl FnOnce() -> Vec<String>) {
        if caller.view.glass().is_empty() {
            return;
        }
        self.0.lock().extend(caller.view.glasses_of(&patients()));
    }

    /// The answer with what was noted. A refusal tells too: that the version was another one, that a deletion came first.
    pub(crate) fn mark(&self, caller: Option<&Arc<Caller>>, outcome: Outcome) -> Outcome {
        if let (Err(problem), Some(caller)) = (&outcome, caller) {
            self.note(caller, || problem.concerns.clone());
        }
        let ids: Vec<String> = self.0.lock().iter().map(ToString::to_string).collect();
        // UUIDs always fit a header.
        let Some(value) = HeaderValue::from_str(&ids.join(", ")).ok().filter(|_| !ids.is_empty()) else {
            return outcome;
        };
        match outcome {
            Ok(answer) => Ok(answer.with(X_IRIS_BREAK_GLASS, value)),
            Err(mut problem) => {
                problem.headers.push((X_IRIS_BREAK_GLASS, value));
                Err(problem)
            }
        }
    }
}

impl Call {
    /// Notes what a write came to, for the emergencies under which it was made. Every handler that writes calls it, or
    /// [`Call::content`], which does.
    pub(crate) fn wrote(&self, written: &Written) {
        self.concerns(|| written.patients.clone());
    }

    /// Notes that a total counts what an emergency opens, and says so of all of the caller's: nobody can tell which it was.
    pub(crate) fn counted(&self, page: &Page) {
        let glass = |caller: &Arc<Caller>| caller.view.glass().iter().map(str::to_owned).collect();
        if page.lifted {
            self.concerns(|| self.caller.as_ref().map(glass).unwrap_or_default());
        }
    }

    /// Notes that the answer tells something of these patients.
    pub(crate) fn concerns(&self, patients: impl FnOnce() -> Vec<String>) {
        if let Some(caller) = &self.caller {
            self.emergencies.note(caller, patients);
        }
    }
}
