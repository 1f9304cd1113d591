//! The objects of the API by name, for `/openapi.json` and `/docs`, one file for each theme. Records come from the contexts' own
//! field tables, which also check what is sent; the others are described here as the handlers write them.

mod access;
mod admin;
mod auth;
mod chart;
mod consents;
mod find;
mod logs;
mod patients;
mod platform;
mod settings;
mod vaccines;

use iris_fhir::json::Writer;
use iris_plain::{Field, Form, View, schema};

/// The objects of every theme.
const THEMES: &[&[Object]] = &[
    // One line for each file.
    access::SCHEMAS,
    patients::SCHEMAS,
    find::SCHEMAS,
    chart::SCHEMAS,
    consents::SCHEMAS,
    auth::SCHEMAS,
    logs::SCHEMAS,
    admin::SCHEMAS,
    platform::SCHEMAS,
    settings::SCHEMAS,
    vaccines::SCHEMAS,
];

/// One object of the API.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Object {
    /// Its name among the schemas.
    pub name: &'static str,
    /// Its fields.
    pub fields: &'static [Field],
    /// From which side it is told.
    pub view: View,
}

/// An object that is answered.
const fn answer(name: &'static str, fields: &'static [Field]) -> Object {
    Object { name, fields, view: View::Answer }
}

/// An object that is sent to make something.
const fn input(name: &'static str, fields: &'static [Field]) -> Object {
    Object { name, fields, view: View::Create }
}

/// An object that is sent to change something.
const fn change(name: &'static str, fields: &'static [Field]) -> Object {
    Object { name, fields, view: View::Change }
}

/// Longest text of an answer that has no limit of its own, in characters.
const TEXT: usize = 10_000;

/// A text that may be absent.
const fn text(name: &'static str, what: &'static str) -> Field {
    Field::both(name, Form::Text(TEXT), what)
}

/// A text of an answer that is always there.
const fn always(name: &'static str, what: &'static str) -> Field {
    Field::always(name, Form::Text(TEXT), what)
}

/// A text that has to be sent.
const fn needed(name: &'static str, what: &'static str) -> Field {
    Field::needed(name, Form::Text(TEXT), what)
}

/// Where a list goes on.
const NEXT: Field = Field::or_null("next_cursor", Form::Text(TEXT), "Where the list goes on; null at its end.");
/// How many match.
const TOTAL: Field = Field::returned("total", Form::Integer, "How many match, where they were counted.");

/// Every object of our own.
pub(crate) fn all() -> impl Iterator<Item = &'static Object> {
    THEMES.iter().flat_map(|theme| theme.iter())
}

/// Objects that FHIR or HTML define.
pub(crate) const ELSEWHERE: [(&str, &str); 10] = [
    ("Resource", "A FHIR R4 resource."),
    ("Bundle", "A FHIR R4 Bundle."),
    ("Parameters", "A FHIR R4 Parameters."),
    ("Patch", "A JSON Patch (RFC 6902); a FHIRPath Patch is sent as a FHIR R4 Parameters."),
    ("OperationOutcome", "A FHIR R4 OperationOutcome."),
    ("CapabilityStatement", "A FHIR R4 CapabilityStatement."),
    ("SearchForm", "Search parameters as a form."),
    ("Jwk", "A JSON Web Key (RFC 7517)."),
    ("AuditExport", "The access log as JSON lines, for `iris audit verify --file`."),
    ("OpenApi", "An OpenAPI 3.1 document."),
];

/// The media type of a body with this schema.
pub(crate) fn media_type(name: &str) -> &'static str {
    match name {
        "Resource" | "Bundle" | "Parameters" | "OperationOutcome" | "CapabilityStatement" => "application/fhir+json",
        "SearchForm" | "OAuthTokenRequest" => "application/x-www-form-urlencoded",
        "Patch" => "application/json-patch+json",
        "AuditExport" => "application/x-ndjson",
        "Problem" => "application/problem+json",
        _ => "application/json",
    }
}

/// Writes all schemas as members of the open object.
pub(crate) fn write_all(w: &mut Writer) {
    for object in all() {
        w.key(object.name);
        if object.name == "Problem" { platform::problem(w) } else { schema(object.fields, object.view, w) }
    }
    for (name, what) in ELSEWHERE {
        w.key(name).object().member("type", "object").member("description", what).end();
    }
}
