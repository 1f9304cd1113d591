//! `POST /api/v1/auth/register`

use axum::http::Method;
use iris_identity::messages::EMAIL_BYTES_MAX;
use iris_identity::{DISPLAY_NAME_CHARS_MAX, Registering, Registration};
use iris_kernel::ErrorKind;
use iris_plain::{Field, Form, Object};

use super::asked::{self, LANGUAGE, TENANT, WORD_CHARS_MAX};
use super::change_password::secret;
use crate::call::Call;
use crate::endpoint::{Endpoint, Needs, Outcome};
use crate::problem::Problem;

pub(crate) const REGISTER: &[Field] = &[
    Field::needed("username", Form::Text(WORD_CHARS_MAX), "The name to sign in with."),
    Field::needed("email", Form::Text(EMAIL_BYTES_MAX), "Where the link goes that makes the account."),
    Field::needed("password", Form::Text(1_024), "The password."),
    Field::taken("display_name", Form::Text(DISPLAY_NAME_CHARS_MAX), "How the person wants to be called."),
    LANGUAGE,
    TENANT,
];

pub(super) fn endpoint() -> Endpoint {
    const WHAT: &str =
        "Ask for an account of one's own, where the tenant lets people; the answer never says who has one";
    Endpoint::new(Method::POST, "/api/v1/auth/register", WHAT, handle)
        .needs(Needs::Nothing)
        .takes("Register")
        .gives(&[(202, Some("Accepted"))])
        .fails(&[ErrorKind::Forbidden, ErrorKind::Invalid, ErrorKind::MediaType, ErrorKind::TooMany])
}

async fn handle(mut call: Call) -> Outcome {
    let (json, _held) = call.json().await?;
    let mut object = Object::read(json.root(), REGISTER, "");
    object.need(REGISTER);
    let (name, email) = (object.text("username").value(), asked::email(&mut object).value());
    let password = object.with("password", secret).value();
    let (display_name, tenant) = (object.text("display_name").value(), object.text("tenant").value());
    let language = asked::language(&call, &mut object);
    let faults = object.finish();
    let (Some(name), Some(email), Some(password), true) = (name, email, password, faults.is_empty()) else {
        return Err(Problem::with(ErrorKind::Invalid, faults));
    };
    let tenant = asked::tenant(&call, tenant.as_deref())?;
    let wanted = Registration { name, email, password, display_name };
    match call.app.identity.register(tenant, wanted, language, &call.origin()).await? {
        Registering::Asked => Ok(asked::accepted()),
        Registering::Closed => Err(Problem::new(ErrorKind::Forbidden, "accounts are made by an administrator here")),
    }
}
