//! The objects of the API by name, for `/openapi.json` and `/docs`. Records come from the contexts' own field tables, which also
//! check what is sent; the others are described here as the handlers write them.

use iris_fhir::json::Writer;
use iris_immunization::IMMUNIZATION;
use iris_plain::{Field, Form, schema};
use iris_records::patient::PATIENT;

use crate::auth::{LOGIN, REFRESH};
use crate::problem::{KINDS, table};

const TEXT: usize = 10_000;

const fn text(name: &'static str, what: &'static str) -> Field {
    Field::both(name, Form::Text(TEXT), what)
}

const NEXT: Field = text("next_cursor", "Where the list goes on; null at its end.");
const TOTAL: Field = Field::both("total", Form::Integer, "How many match, where they were counted.");

const PATIENT_LIST: &[Field] = &[Field::both("items", Form::Objects(PATIENT), "The patients."), NEXT, TOTAL];
const IMMUNIZATION_LIST: &[Field] = &[
    Field::both("items", Form::Objects(IMMUNIZATION), "The immunizations."),
    NEXT,
    TOTAL,
    Field::both("immunizations", Form::Objects(IMMUNIZATION), "The immunizations, in the older form (`skip`)."),
    Field::both("skip", Form::Integer, "Items passed over, in the older form."),
    Field::both("limit", Form::Integer, "Most items of the page, in the older form."),
    Field::both("has_more", Form::Boolean, "Whether more follow, in the older form."),
];

const PROFILE: &[Field] = &[
    text("id", "Id of the user or client."),
    text("username", "Name of the user or client."),
    Field::both("kind", Form::Choice(&["user", "client", "system"]), "What sort of subject it is."),
    Field::both("tenant", Form::Integer, "Number of the tenant."),
    Field::both("roles", Form::Texts, "Roles."),
    Field::both("permissions", Form::Texts, "Permissions."),
    text("scope", "Scopes of a client."),
    text("patient_id", "The own patient record, for patients."),
    text("session_id", "The session."),
];

const TOKENS: &[Field] = &[
    text("access_token", "The token to send as Authorization: Bearer."),
    text("refresh_token", "Good for one exchange at /api/v1/auth/refresh."),
    text("token_type", "Bearer."),
    Field::both("expires_in", Form::Integer, "Seconds until the access token expires."),
    Field::both("user", Form::Object(PROFILE), "Who signed in."),
];

const OAUTH_REQUEST: &[Field] = &[
    text("grant_type", "client_credentials."),
    text("client_id", "The client, unless it stands in Authorization: Basic."),
    text("client_secret", "Its secret, unless it stands in Authorization: Basic."),
    text("scope", "Scopes that are wanted; all that the client has where nothing is said."),
];

const OAUTH_TOKEN: &[Field] = &[
    text("access_token", "The token to send as Authorization: Bearer."),
    text("token_type", "Bearer."),
    Field::both("expires_in", Form::Integer, "Seconds until it expires."),
    text("scope", "The scopes granted."),
];

const AUDIT_ENTRY: &[Field] = &[
    text("id", "Position in the log."),
    Field::both("timestamp", Form::Time, "When."),
    text("action", "What was done, from the catalogue."),
    Field::both("outcome", Form::Choice(&["success", "denied", "failure", "error"]), "How it ended."),
    text("user_id", "Who did it."),
    text("user_name", "Their name."),
    text("access_purpose", "Why, as stated."),
    text("address", "Network address."),
    text("user_agent", "What the caller calls itself."),
    text("correlation_id", "Correlation id of the request."),
    text("detail", "The search, the reason of a refusal, counts."),
    Field::both("patient_ids", Form::Texts, "Patients concerned."),
    Field::both("resources", Form::Texts, "Records concerned."),
    Field::both("fields", Form::Texts, "Elements shown or changed, where not all were."),
    Field::both("content", Form::Choice(&["open", "shredded", "damaged"]), "Whether the details can be had."),
];

const AUDIT_LIST: &[Field] = &[
    Field::both("items", Form::Objects(AUDIT_ENTRY), "The entries, newest first."),
    NEXT,
    Field::both("unreadable", Form::Integer, "Entries that cannot be read; verification locates them."),
];

const AUDIT_PROOF: &[Field] = &[
    Field::both("entry", Form::Open, "The entry as it stands in the log."),
    text("checkpoint", "The signed checkpoint (C2SP note)."),
    Field::both("path", Form::Texts, "Hashes from the leaf to the root, base64 (RFC 6962)."),
];

const AUDIT_REPORT: &[Field] = &[
    Field::both("valid", Form::Boolean, "Whether the log is whole and unchanged."),
    Field::both("size", Form::Integer, "Entries looked at."),
    text("root", "Root of the tree over them, base64."),
    Field::both("checkpoints", Form::Integer, "Checkpoints looked at."),
    Field::both("opened", Form::Integer, "Entries whose details were opened and fit."),
    Field::both(
        "earlier",
        Form::Integer,
        "Entries whose time is before that of entries ahead of them: the clock was set back.",
    ),
    Field::both("faults", Form::Objects(FAULT), "Everything that is wrong."),
    Field::both("faults_more", Form::Integer, "Faults beyond those listed."),
];

const FAULT: &[Field] = &[
    text("kind", "What sort of thing is wrong."),
    Field::both("position", Form::Integer, "Log position, or the first of several."),
    Field::both("until", Form::Integer, "One past the last position."),
    text("stream", "writes or reads."),
    Field::both("ordinal", Form::Integer, "Ordinal in the stream."),
    Field::both("line", Form::Integer, "Line of an exported file."),
    text("what", "What is wrong, in words."),
];

const COUNTS: &[Field] = &[
    Field::both("problems", Form::Integer, "Conditions."),
    Field::both("allergies", Form::Integer, "Allergies and intolerances."),
    Field::both("medications", Form::Integer, "Medications."),
    Field::both("immunizations", Form::Integer, "Immunizations."),
];

const PROBLEM_ITEM: &[Field] = &[
    text("id", "The record's id."),
    text("condition", "The condition."),
    text("status", "Clinical status."),
    Field::both("onset", Form::Time, "Since when."),
];
const ALLERGY_ITEM: &[Field] = &[
    text("id", "The record's id."),
    text("substance", "The substance."),
    text("reaction", "The reaction."),
    text("severity", "Severity or criticality."),
    text("status", "Clinical status."),
];
const MEDICATION_ITEM: &[Field] = &[
    text("id", "The record's id."),
    text("medication_name", "The medication."),
    text("status", "Status."),
    Field::both("since", Form::Time, "Since when."),
];
const IMMUNIZATION_ITEM: &[Field] = &[
    text("id", "The record's id."),
    text("vaccine_name", "The vaccine."),
    text("vaccine_code", "Its code."),
    text("status", "Status."),
    Field::both("administered_at", Form::Time, "When it was given."),
];
const VITAL_SIGN_ITEM: &[Field] = &[
    text("id", "The record's id."),
    text("name", "What was measured."),
    text("code", "Its code."),
    Field::both("value", Form::Quantity("the unit beside it"), "The value."),
    text("unit", "The unit."),
    Field::both("components", Form::Objects(&[]), "Parts, such as systolic and diastolic pressure."),
    Field::both("at", Form::Time, "When."),
];

const SUMMARY: &[Field] = &[
    Field::both("patient", Form::Object(PATIENT), "The patient."),
    Field::both("counts", Form::Object(COUNTS), "How many records there are; the lists hold 200 at most."),
    Field::both("problems", Form::Objects(PROBLEM_ITEM), "Conditions."),
    Field::both("allergies", Form::Objects(ALLERGY_ITEM), "Allergies and intolerances."),
    Field::both("medications", Form::Objects(MEDICATION_ITEM), "Medications."),
    Field::both("immunizations", Form::Objects(IMMUNIZATION_ITEM), "Immunizations, latest first."),
    Field::both(
        "vital_signs",
        Form::Objects(VITAL_SIGN_ITEM),
        "The latest value of each vital sign, among the 200 newest values.",
    ),
    Field::both("withheld", Form::Texts, "Lists that the caller may not see."),
];

const STATES: Form = Form::Choice(&["healthy", "degraded", "unhealthy"]);
const HEALTH: &[Field] = &[
    Field::both("status", STATES, "State of the whole."),
    Field::both("timestamp", Form::Time, "When."),
    text("version", "Version of the server."),
    Field::both("checks", Form::Open, "State of each part."),
    Field::both("components", Form::Open, "State of each part with the reason: database, index, audit, keys."),
];

const JWKS: &[Field] = &[Field::both("keys", Form::Objects(&[]), "Public keys (RFC 7517).")];

const PROBLEM: &[Field] = &[
    text("type", "Where the problem type is described."),
    text("title", "Title of the problem type."),
    Field::both("status", Form::Integer, "HTTP status."),
    text("detail", "What is wrong, in words."),
    text("error_type", "The problem type in one word."),
    Field::both(
        "errors",
        Form::Objects(&[text("pointer", "Where."), text("detail", "What is wrong there.")]),
        "Every fault.",
    ),
    text("correlation_id", "Correlation id of the request."),
];

/// Every object by name.
pub(crate) const SCHEMAS: [(&str, &[Field]); 18] = [
    ("Patient", PATIENT),
    ("PatientList", PATIENT_LIST),
    ("Immunization", IMMUNIZATION),
    ("ImmunizationList", IMMUNIZATION_LIST),
    ("Summary", SUMMARY),
    ("Login", LOGIN),
    ("Refresh", REFRESH),
    ("Tokens", TOKENS),
    ("Profile", PROFILE),
    ("OAuthTokenRequest", OAUTH_REQUEST),
    ("OAuthToken", OAUTH_TOKEN),
    ("Jwks", JWKS),
    ("AuditEntry", AUDIT_ENTRY),
    ("AuditList", AUDIT_LIST),
    ("AuditProof", AUDIT_PROOF),
    ("AuditReport", AUDIT_REPORT),
    ("Health", HEALTH),
    ("Problem", PROBLEM),
];

/// Objects that FHIR or HTML define.
pub(crate) const ELSEWHERE: [(&str, &str); 6] = [
    ("Resource", "A FHIR R4 resource."),
    ("Bundle", "A FHIR R4 Bundle."),
    ("OperationOutcome", "A FHIR R4 OperationOutcome."),
    ("CapabilityStatement", "A FHIR R4 CapabilityStatement."),
    ("SearchForm", "Search parameters as a form."),
    ("OpenApi", "An OpenAPI 3.1 document."),
];

/// The media type of a body with this schema.
pub(crate) fn media_type(name: &str) -> &'static str {
    match name {
        "Resource" | "Bundle" | "OperationOutcome" | "CapabilityStatement" => "application/fhir+json",
        "SearchForm" | "OAuthTokenRequest" => "application/x-www-form-urlencoded",
        "Problem" => "application/problem+json",
        _ => "application/json",
    }
}

/// Writes all schemas as members of the open object.
pub(crate) fn write_all(w: &mut Writer) {
    for (name, fields) in SCHEMAS {
        w.key(name);
        // The word list of error types is part of the API.
        if name == "Problem" { problem(w) } else { schema(fields, w) }
    }
    for (name, what) in ELSEWHERE {
        w.key(name).object().member("type", "object").member("description", what).end();
    }
}

fn problem(w: &mut Writer) {
    w.object().key("allOf").array();
    schema(PROBLEM, w);
    w.object().key("properties").object().key("error_type").object().key("enum").array();
    for kind in KINDS {
        w.string(table(kind).error_type);
    }
    w.end().end().end().end().end().end();
}
