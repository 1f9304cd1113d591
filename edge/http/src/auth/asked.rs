//! What the endpoints share that anybody may call: the tenant, the language of the mail that follows, and one answer for all.

use axum::http::StatusCode;
use axum::http::header::ACCEPT_LANGUAGE;
use iris_fhir::json::Writer;
use iris_identity::messages::{EmailAddress, Language};
use iris_kernel::Tenant;
use iris_plain::{Field, Form, Given, Object};

use crate::answer::Answer;
use crate::call::Call;
use crate::problem::Problem;

/// Longest name or token that is looked at.
pub(super) const WORD_CHARS_MAX: usize = 256;

/// In which language messages follow.
pub(super) const LANGUAGE: Field = Field::taken(
    "language",
    Form::Choice(&["en", "es"]),
    "The language of the message that follows; that of Accept-Language where nothing is said.",
);

/// The tenant by name.
pub(super) const TENANT: Field = Field::taken(
    "tenant",
    Form::Text(WORD_CHARS_MAX),
    "Name of the tenant; the installation's own where nothing is said.",
);

/// The language of the message that follows.
pub(super) fn language(call: &Call, object: &mut Object<'_>) -> Language {
    let said = object.choice("language").value().and_then(|word| word.parse().ok());
    said.or_else(|| language_of(call)).unwrap_or_default()
}

/// The language that the caller's browser asks for, if messages are written in it.
pub(crate) fn language_of(call: &Call) -> Option<Language> {
    Language::first_of(call.header(&ACCEPT_LANGUAGE)?)
}

/// The tenant; `None` for one that is not there, which is answered like any other.
///
/// # Errors
/// The store cannot be read.
pub(super) fn tenant(call: &Call, name: Option<&str>) -> Result<Option<Tenant>, Problem> {
    match name {
        None => Ok(Some(Tenant::DEFAULT)),
        Some(name) => Ok(call.app.identity.tenant_by_name(name)?),
    }
}

/// An e-mail address.
pub(super) fn email(object: &mut Object<'_>) -> Given<EmailAddress> {
    object.with("email", |value| {
        let text = value.as_str().ok_or_else(|| "must be a text".to_owned())?;
        text.parse::<EmailAddress>().map_err(|error| error.to_string())
    })
}

/// The one answer to every question whose outcome nobody is told.
pub(super) fn accepted() -> Answer {
    let mut w = Writer::new();
    w.object().key("accepted").bool(true).end();
    Answer::json(StatusCode::ACCEPTED, w.finish())
}
