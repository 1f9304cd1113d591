//! The health of the server, and errors.

use iris_fhir::json::Writer;
use iris_plain::{Field, Form, View, schema};

use super::{Object, always, answer};
use crate::problem::{KINDS, table};

const STATES: Form = Form::Choice(&["healthy", "degraded", "unhealthy", "draining"]);
const HEALTH: &[Field] = &[
    Field::always("status", STATES, "State of the whole."),
    Field::always("timestamp", Form::Time, "When."),
    always("version", "Version of the server."),
    Field::both("checks", Form::Open, "State of each part."),
    Field::both(
        "components",
        Form::Open,
        "State of each part: database, replicas where there are some, index, audit, keys; with the reason, since when, when it was looked at and for how long.",
    ),
];

const FAULT: &[Field] = &[
    always("pointer", "Where: a JSON pointer, or the name of a parameter or header."),
    always("detail", "What is wrong there."),
];

const PROBLEM: &[Field] = &[
    always("type", "Where the problem type is described."),
    always("title", "Title of the problem type."),
    Field::always("status", Form::Integer, "HTTP status."),
    always("detail", "What is wrong, in words."),
    always("error_type", "The problem type in one word."),
    Field::always("errors", Form::Objects(FAULT), "Every fault that has a place."),
    Field::returned(
        "current_version",
        Form::Integer,
        "With lost_update: the version that is there now; its ETag stands in the header of that name.",
    ),
    always("correlation_id", "Correlation id of the request."),
];

/// Every object of this theme.
pub(super) const SCHEMAS: &[Object] = &[answer("Health", HEALTH), answer("Problem", PROBLEM)];

/// The problem document: the word list of error types is part of the API.
pub(super) fn problem(w: &mut Writer) {
    w.object().key("allOf").array();
    schema(PROBLEM, View::Answer, w);
    w.object().key("properties").object().key("error_type").object().key("enum").array();
    for kind in KINDS {
        w.string(table(kind).error_type);
    }
    w.end().end().end().end().end().end();
}
