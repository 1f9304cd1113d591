//! The one table from an error kind to what callers see, and the two forms it takes: an RFC 9457 problem document on plain
//! routes, an OperationOutcome under `/fhir`.

use std::error::Error;

use axum::http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use bytes::Bytes;
use iris_access::AccessError;
use iris_audit::AuditError;
use iris_fhir::definitions;
use iris_fhir::json::Writer;
use iris_kernel::limits::FAULTS_MAX;
use iris_kernel::{ErrorKind, Fault, Version};
use iris_resources::Refusal;

use crate::answer::{Answer, FHIR_JSON};

/// Seconds after which a caller may try again when a needed part is away.
pub(crate) const RETRY_SECONDS_AWAY: u64 = 2;
/// Seconds after which a caller may try again when it asked too often.
const RETRY_SECONDS_TOO_MANY: u64 = 30;

/// In which form errors are told on a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// RFC 9457 `application/problem+json`.
    Plain,
    /// FHIR R4 OperationOutcome.
    Fhir,
}

impl Dialect {
    /// The dialect spoken below a path.
    #[must_use]
    pub fn of(path: &str) -> Self {
        if path == "/fhir" || path.starts_with("/fhir/") { Self::Fhir } else { Self::Plain }
    }
}

/// One row of the error table.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// HTTP status.
    pub status: StatusCode,
    /// The snake_case word in `error_type`; part of the API, held by a golden file.
    pub error_type: &'static str,
    /// Short human title, the same for every problem of the type.
    pub title: &'static str,
    /// OperationOutcome `issue.code` (value set issue-type).
    pub issue: &'static str,
}

const fn row(status: StatusCode, error_type: &'static str, title: &'static str, issue: &'static str) -> Row {
    Row { status, error_type, title, issue }
}

/// The table. Without `_`: a new kind does not compile until it has its row.
#[must_use]
pub const fn table(kind: ErrorKind) -> Row {
    match kind {
        ErrorKind::Malformed => row(StatusCode::BAD_REQUEST, "malformed", "The request cannot be read", "structure"),
        ErrorKind::Invalid => row(StatusCode::UNPROCESSABLE_ENTITY, "invalid_data", "The data break a rule", "invalid"),
        ErrorKind::NotSupported => {
            row(StatusCode::BAD_REQUEST, "not_supported", "This server does not do that", "not-supported")
        }
        ErrorKind::Unauthenticated => row(StatusCode::UNAUTHORIZED, "unauthenticated", "Sign in first", "login"),
        ErrorKind::Forbidden => row(StatusCode::FORBIDDEN, "insufficient_permissions", "Not allowed", "forbidden"),
        ErrorKind::StepUpRequired => {
            row(StatusCode::FORBIDDEN, "step_up_required", "Show once more who you are", "forbidden")
        }
        ErrorKind::MfaSetupRequired => {
            row(StatusCode::FORBIDDEN, "mfa_setup_required", "Set up a second factor first", "forbidden")
        }
        ErrorKind::PasswordChangeRequired => {
            row(StatusCode::FORBIDDEN, "password_change_required", "Set a new password first", "forbidden")
        }
        ErrorKind::NotFound => row(StatusCode::NOT_FOUND, "not_found", "Not found", "not-found"),
        ErrorKind::Gone => row(StatusCode::GONE, "gone", "Deleted", "deleted"),
        ErrorKind::Conflict => row(StatusCode::CONFLICT, "conflict", "In conflict with what is stored", "conflict"),
        ErrorKind::LostUpdate => {
            row(StatusCode::PRECONDITION_FAILED, "lost_update", "Changed by somebody else meanwhile", "conflict")
        }
        ErrorKind::MultipleMatches => {
            row(StatusCode::PRECONDITION_FAILED, "multiple_matches", "More than one record matches", "multiple-matches")
        }
        ErrorKind::TooLarge => row(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "Too large", "too-long"),
        ErrorKind::MediaType => row(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            "Media type not spoken here",
            "not-supported",
        ),
        ErrorKind::NotAcceptable => {
            row(StatusCode::NOT_ACCEPTABLE, "not_acceptable", "No wanted media type can be made", "not-supported")
        }
        ErrorKind::Method => {
            row(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "No such method here", "not-supported")
        }
        ErrorKind::TooMany => row(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", "Too many requests", "throttled"),
        ErrorKind::StorageFull => row(StatusCode::INSUFFICIENT_STORAGE, "storage_full", "No room left", "no-store"),
        ErrorKind::Unavailable => row(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Not available now", "transient"),
        ErrorKind::MailNotConfigured => {
            row(StatusCode::SERVICE_UNAVAILABLE, "mail_not_configured", "No mail can be sent from here", "transient")
        }
        ErrorKind::Damaged => {
            row(StatusCode::INTERNAL_SERVER_ERROR, "damaged_data", "Stored data are damaged", "exception")
        }
        ErrorKind::Internal => {
            row(StatusCode::INTERNAL_SERVER_ERROR, "internal_error", "A defect of this server", "exception")
        }
    }
}

/// Every kind, for the documents that list them.
pub const KINDS: [ErrorKind; 23] = [
    ErrorKind::Malformed,
    ErrorKind::Invalid,
    ErrorKind::NotSupported,
    ErrorKind::Unauthenticated,
    ErrorKind::Forbidden,
    ErrorKind::StepUpRequired,
    ErrorKind::MfaSetupRequired,
    ErrorKind::PasswordChangeRequired,
    ErrorKind::NotFound,
    ErrorKind::Gone,
    ErrorKind::Conflict,
    ErrorKind::LostUpdate,
    ErrorKind::MultipleMatches,
    ErrorKind::TooLarge,
    ErrorKind::MediaType,
    ErrorKind::NotAcceptable,
    ErrorKind::Method,
    ErrorKind::TooMany,
    ErrorKind::StorageFull,
    ErrorKind::Unavailable,
    ErrorKind::MailNotConfigured,
    ErrorKind::Damaged,
    ErrorKind::Internal,
];

/// A request that failed: what the caller may know, and the cause that only the log sees.
#[derive(Debug)]
pub struct Problem {
    /// Row of the table.
    pub kind: ErrorKind,
    /// Everything that is wrong.
    pub faults: Vec<Fault>,
    /// Headers that belong to the answer, such as `Allow`.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The version that is there now, where another one was expected.
    pub current: Option<Version>,
    /// What lies beneath; logged once, never shown.
    pub cause: Option<Box<dyn Error + Send + Sync>>,
    /// The patients of whose record it tells something to a caller who sees that record. Never shown.
    pub concerns: Vec<String>,
}

impl Problem {
    /// A problem with one sentence.
    pub fn new(kind: ErrorKind, what: impl Into<String>) -> Self {
        Self::at(kind, "", what)
    }

    /// A problem at one place: a pointer into the body, or the name of a parameter or header.
    pub fn at(kind: ErrorKind, at: impl Into<String>, what: impl Into<String>) -> Self {
        Self::with(kind, vec![Fault::new(at, what)])
    }

    /// A problem with all its faults.
    #[must_use]
    pub const fn with(kind: ErrorKind, faults: Vec<Fault>) -> Self {
        Self { kind, faults, headers: Vec::new(), current: None, cause: None, concerns: Vec::new() }
    }

    /// A failure of ours or of a part we need.
    pub fn caused(kind: ErrorKind, what: &str, cause: impl Error + Send + Sync + 'static) -> Self {
        Self { cause: Some(Box::new(cause)), ..Self::new(kind, what) }
    }

    /// The method does not exist on this path; these do.
    #[must_use]
    pub fn method(allowed: &str) -> Self {
        let mut problem = Self::new(ErrorKind::Method, format!("this path knows {allowed}"));
        if let Ok(value) = HeaderValue::from_str(allowed) {
            problem.headers.push((ALLOW, value));
        }
        problem
    }

    /// Status of the answer.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        table(self.kind).status
    }

    /// The answer in the dialect of the path.
    #[must_use]
    pub fn answer(self, dialect: Dialect, correlation: &str) -> Answer {
        let row = table(self.kind);
        let (kind, body) = match dialect {
            Dialect::Plain => (HeaderValue::from_static("application/problem+json"), self.document(row, correlation)),
            Dialect::Fhir => (FHIR_JSON, self.outcome(row)),
        };
        let mut answer = Answer::new(row.status, Bytes::from(body)).with(CONTENT_TYPE, kind);
        answer.headers.extend(self.headers);
        let timed = answer.headers.iter().any(|(name, _)| *name == RETRY_AFTER);
        match self.kind {
            ErrorKind::TooMany | ErrorKind::Unavailable if timed => answer,
            ErrorKind::Unauthenticated => {
                answer.with(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"iris\""))
            }
            ErrorKind::TooMany => answer.with(RETRY_AFTER, HeaderValue::from(RETRY_SECONDS_TOO_MANY)),
            ErrorKind::Unavailable => answer.with(RETRY_AFTER, HeaderValue::from(RETRY_SECONDS_AWAY)),
            _ => answer,
        }
    }

    fn detail(&self) -> String {
        match self.faults.as_slice() {
            [one] => one.to_string(),
            [] => table(self.kind).title.to_owned(),
            more => format!("{} faults, each listed in errors", more.len()),
        }
    }

    fn document(&self, row: Row, correlation: &str) -> Vec<u8> {
        let mut w = Writer::new();
        w.object().member("type", &format!("/docs#{}", row.error_type)).member("title", row.title);
        w.key("status").raw(row.status.as_str().as_bytes());
        w.member("detail", &self.detail()).member("error_type", row.error_type).key("errors").array();
        for fault in self.faults.iter().filter(|f| !f.at.is_empty()).take(FAULTS_MAX) {
            w.object().member("pointer", &fault.at).member("detail", &fault.what).end();
        }
        w.end();
        if let Some(Version(number)) = self.current {
            w.key("current_version").integer(i64::from(number));
        }
        w.member("correlation_id", correlation).end();
        w.finish()
    }

    fn outcome(&self, row: Row) -> Vec<u8> {
        let title = [Fault::new("", row.title)];
        let faults = if self.faults.is_empty() { &title[..] } else { &self.faults[..] };
        outcome(row.issue, faults)
    }
}

/// An OperationOutcome with one error issue for each fault; `diagnostics` says what, `expression` where.
#[must_use]
pub fn outcome(issue: &str, faults: &[Fault]) -> Vec<u8> {
    let mut w = Writer::new();
    w.object().member("resourceType", "OperationOutcome").key("issue").array();
    for fault in faults.iter().take(FAULTS_MAX) {
        let place = match (&*fault.expression, &*fault.at) {
            ("", "") => String::new(),
            ("", at) => expression(at),
            (told, _) => told.to_owned(),
        };
        let code = if fault.code.is_empty() { issue } else { fault.code };
        self::issue("error", code, &fault.to_string(), &place, &mut w);
    }
    w.end().end();
    w.finish()
}

/// One issue of an OperationOutcome; without a place where `expression` is empty.
pub(crate) fn issue(severity: &str, code: &str, what: &str, expression: &str, w: &mut Writer) {
    w.object().member("severity", severity).member("code", code).member("diagnostics", what);
    if !expression.is_empty() {
        w.key("expression").array().string(expression).end();
    }
    w.end();
}

/// A place in the form that OperationOutcome wants: a JSON pointer as FHIRPath, `/name/0/family` → `name[0].family`; what is
/// FHIRPath already as it is; a parameter or header as `http.name` (R4 operationoutcome-definitions.html, `location`).
fn expression(at: &str) -> String {
    // What the plain API calls by this name, FHIR's links call by the other.
    let at = if at == "cursor" { "_cursor" } else { at };
    let Some(path) = at.strip_prefix('/') else {
        let first = at.split(['.', '[']).next().unwrap_or_default();
        return if definitions().structure(first).is_some() { at.to_owned() } else { format!("http.{at}") };
    };
    let mut out = String::with_capacity(at.len());
    for part in path.split('/') {
        if !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()) {
            out.push('[');
            out.push_str(part);
            out.push(']');
        } else {
            if !out.is_empty() {
                out.push('.');
            }
            out.push_str(&part.replace("~1", "/").replace("~0", "~"));
        }
    }
    out
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let Refusal { kind, faults, cause, concerns } = refusal;
        Self { cause, concerns, ..Self::with(kind, faults) }
    }
}

impl From<AccessError> for Problem {
    fn from(error: AccessError) -> Self {
        let kind = error.kind();
        let error = match error {
            AccessError::Invalid(faults) | AccessError::Scope(faults) => return Self::with(kind, faults),
            other => other,
        };
        let mut problem = Self::caused(kind, &error.to_string(), error);
        let retry = problem.cause.as_ref().and_then(|cause| cause.downcast_ref::<AccessError>()?.retry_after());
        if let Some(retry) = retry {
            // Rounded up: a caller that comes back exactly then must not be too early.
            problem.headers.push((RETRY_AFTER, HeaderValue::from(retry.as_secs() + 1)));
        }
        problem
    }
}

impl From<AuditError> for Problem {
    fn from(error: AuditError) -> Self {
        Self::caused(error.kind(), "the audit log cannot be read now", error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_types_are_the_golden_ones() {
        let made: String = KINDS
            .iter()
            .map(|&kind| {
                let row = table(kind);
                format!("{} {} {}\n", row.error_type, row.status.as_u16(), row.issue)
            })
            .collect();
        crate::golden::check("error_types.txt", &made);
    }

    #[test]
    fn every_fault_is_named_with_its_pointer() {
        let faults = vec![Fault::new("/ssn", "masked"), Fault::new("/name/0/family", "missing")];
        let plain = Problem::with(ErrorKind::Invalid, faults.clone()).answer(Dialect::Plain, "c-1");
        assert_eq!(plain.status, StatusCode::UNPROCESSABLE_ENTITY);
        let document: serde_json::Value = serde_json::from_slice(&plain.body).unwrap();
        assert_eq!(document["errors"][1]["pointer"], "/name/0/family");
        assert_eq!(document["correlation_id"], "c-1");
        assert_eq!(document["error_type"], "invalid_data");
        let mut faults = faults;
        faults.push(Fault {
            code: "required",
            expression: "Patient.name[1]".to_owned(),
            ..Fault::new("/name/1", "missing")
        });
        faults.push(Fault::new("Patient.name[0].given", "not well-formed"));
        faults.push(Fault::new("_sort", "unknown"));
        let fhir = Problem::with(ErrorKind::Invalid, faults).answer(Dialect::Fhir, "c-1");
        let outcome: serde_json::Value = serde_json::from_slice(&fhir.body).unwrap();
        let told = |at: usize| (outcome["issue"][at]["code"].clone(), outcome["issue"][at]["expression"][0].clone());
        assert_eq!(told(0), ("invalid".into(), "ssn".into()));
        assert_eq!(told(1), ("invalid".into(), "name[0].family".into()));
        assert_eq!(told(2), ("required".into(), "Patient.name[1]".into()));
        assert_eq!(told(3), ("invalid".into(), "Patient.name[0].given".into()));
        assert_eq!(told(4), ("invalid".into(), "http._sort".into()));
    }

    #[test]
    fn the_cause_is_never_shown() {
        let problem = Problem::caused(ErrorKind::Internal, "a defect", std::io::Error::other("PHI inside"));
        assert!(!String::from_utf8_lossy(&problem.answer(Dialect::Plain, "c").body).contains("PHI"));
    }
}
