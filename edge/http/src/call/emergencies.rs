//! Broken glasses through which a request saw something, for the header that says so on its answer.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::http::{HeaderName, HeaderValue};
use bytes::Bytes;
use iris_access::Caller;
use iris_fhir::Resource;
use iris_fhir::search::patients_of;
use parking_lot::Mutex;
use uuid::Uuid;

use crate::answer::Answer;

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

    /// The answer with what was noted.
    pub(crate) fn mark(&self, answer: Answer) -> Answer {
        let ids: Vec<String> = self.0.lock().iter().map(ToString::to_string).collect();
        match HeaderValue::from_str(&ids.join(", ")) {
            Ok(value) if !ids.is_empty() => answer.with(X_IRIS_BREAK_GLASS, value),
            // UUIDs always fit a header.
            _ => answer,
        }
    }
}

/// The patients in whose compartment a resource is that was just written.
pub(crate) fn patients_in(body: &[u8]) -> Vec<String> {
    // What was written was parsed before; what is empty (a deletion) is about nobody here.
    Resource::parse(Bytes::copy_from_slice(body)).map(|resource| patients_of(&resource)).unwrap_or_default()
}
