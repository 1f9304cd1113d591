//! Rows for FHIR's operations, and for searches over several types and within compartments.

use super::super::bodies;
use super::super::model::{Asks, Of, Touch};
use super::{Body, CANARY, Row, json_of, row};

/// Operations, on one type each: what they ask for is what reading and searching asks for.
pub(super) fn operations() -> Vec<Row> {
    let on = |method, path, what: &'static str, kind: &'static str| {
        row(method, path, Asks::Records(what, Of::Patient, Touch::One)).kind(kind)
    };
    vec![
        row("POST", "/fhir/{type}/$validate", Asks::Token)
            .kind("Observation")
            .sends(|c| json_of(bodies::new(c.kind, c.target))),
        on("GET", "/fhir/{type}/{id}/$validate", "clinical.read", "Observation"),
        on("POST", "/fhir/{type}/{id}/$validate", "clinical.read", "Observation")
            .sends(|c| json_of(bodies::of(c.kind, c.target))),
        on("GET", "/fhir/{type}/{id}/$everything", "demographics.read", "Patient").shows(CANARY),
        on("POST", "/fhir/{type}/{id}/$everything", "demographics.read", "Patient").shows(CANARY),
    ]
}

/// Searches over several types and within a compartment.
pub(super) fn searches() -> Vec<Row> {
    let over = |method, path, kind: &'static str| {
        row(method, path, Asks::Records("clinical.read", Of::Patient, Touch::List)).kind(kind).shows(CANARY)
    };
    vec![
        over("GET", "/fhir", "Observation").query("?_type=Observation&_id={id}"),
        over("GET", "/fhir/", "Observation").query("?_type=Observation&_id={id}"),
        over("POST", "/fhir/_search", "Observation")
            .sends(|c| Body::Form(format!("_type=Observation&_id={}", c.target.id(c.kind)))),
        over("GET", "/fhir/{type}/{id}/{inner}", "Patient"),
        over("POST", "/fhir/{type}/{id}/{inner}/_search", "Patient").sends(|_| Body::Form("_count=50".to_owned())),
    ]
}
