//! `PUT /api/v1/auth/profile`

use axum::http::{Method, StatusCode};
use iris_fhir::json::Writer;
use iris_identity::ProfileChange;
use iris_kernel::ErrorKind;
use iris_plain::{Field, Form, Given, Object};

use crate::answer::Answer;
use crate::call::Call;
use crate::endpoint::{Endpoint, Outcome};
use crate::problem::Problem;

/// Longest text that is looked at.
const TEXT_CHARS_MAX: usize = 500;

pub(crate) const PROFILE_CHANGE: &[Field] = &[
    Field::both("display_name", Form::Text(TEXT_CHARS_MAX), "How colleagues call the caller; null for no name."),
    Field::both("email", Form::Text(TEXT_CHARS_MAX), "Where messages go; a new address has yet to be proven."),
    Field::both("phone", Form::Text(TEXT_CHARS_MAX), "Where codes go as text messages."),
    Field::both("language", Form::Choice(&["en", "es"]), "The language of messages; null for none in particular."),
];

pub(super) fn endpoint() -> Endpoint {
    const WHAT: &str = "Change how the caller is called and where messages go; what is not named stays";
    Endpoint::new(Method::PUT, "/api/v1/auth/profile", WHAT, handle)
        .step_up()
        .takes("ProfileChange")
        .gives(&[(200, Some("Profile"))])
        .fails(&[ErrorKind::Invalid, ErrorKind::Conflict])
}

async fn handle(mut call: Call) -> Outcome {
    let (json, _held) = call.json().await?;
    let mut object = Object::read(json.root(), PROFILE_CHANGE, "");
    let change = ProfileChange {
        display_name: told(object.text("display_name")),
        email: told(object.text("email")),
        phone: told(object.text("phone")),
        language: told(object.choice("language")).map(|word| word.and_then(|word| word.parse().ok())),
    };
    let faults = object.finish();
    if !faults.is_empty() {
        return Err(Problem::with(ErrorKind::Invalid, faults));
    }
    let profile = call.app.identity.profile_change(call.caller()?, &change).await?;
    let mut w = Writer::new();
    super::write_profile(&profile, &mut w);
    Ok(Answer::json(StatusCode::OK, w.finish()))
}

/// Nothing where nothing was said, and inside of it nothing where `null` was.
fn told<T>(given: Given<T>) -> Option<Option<T>> {
    given.is_given().then(|| given.value())
}
