//! The HTTP edge: one frame around every request, one list of endpoints, one table of errors, and one file for each endpoint or
//! FHIR interaction. Nothing here decides anything about records: handlers parse, get a permit, ask `iris-resources`, and answer.

mod address;
mod admin;
pub mod alias;
mod answer;
mod app;
mod auth;
mod blocking;
mod body;
mod call;
mod consistency;
mod endpoint;
mod fhir;
mod frame;
mod glass;
#[cfg(test)]
mod golden;
mod leftover;
mod logs;
pub mod metrics;
mod pages;
mod patience;
mod plain;
mod platform;
mod problem;
mod schema;
pub mod serve;
pub mod settings;
mod traces;

#[cfg(test)]
mod tests;

pub use answer::Answer;
pub use app::{App, Parts, router};
pub use body::{BODIES_KIB_MAX, BODY_SECONDS_MAX, OPEN_BODY_BYTES_MAX};
pub use call::Call;
pub use endpoint::{Endpoint, Needs, Param, Place, Times};
pub use frame::{X_CORRELATION_ID, X_PROCESS_TIME};
pub use problem::{Dialect, KINDS, Problem, Row, outcome, table};
pub use serve::{Drained, Peer, serve};
pub use traces::{Parent, Traces};

/// Every endpoint of this server. Routes, permissions and documents are made from this list.
#[must_use]
pub fn endpoints() -> Vec<Endpoint> {
    [
        auth::endpoints(),
        plain::endpoints(),
        logs::endpoints(),
        admin::endpoints(),
        glass::endpoints(),
        fhir::endpoints(),
        settings::endpoints(),
        platform::endpoints(),
    ]
    .concat()
}
