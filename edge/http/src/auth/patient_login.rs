//! `POST /api/v1/auth/patient-login`: first who, then with which code.

use axum::http::{Method, StatusCode};
use iris_fhir::json::Writer;
use iris_identity::{CODE_DIGITS, Keeping, Login, PortalProof};
use iris_kernel::ErrorKind;
use iris_plain::{Field, Form, Object, is_date};

use super::asked::{self, LANGUAGE, TENANT};
use super::change_password::secret;
use super::{cookie, login};
use crate::answer::Answer;
use crate::call::Call;
use crate::endpoint::{Endpoint, Needs, Outcome};
use crate::problem::Problem;

pub(crate) const PATIENT_LOGIN: &[Field] = &[
    Field::needed("patient_id", Form::Text(64), "The id of the own record."),
    Field::needed("date_of_birth", Form::Date, "The date of birth, YYYY-MM-DD."),
    Field::taken(
        "verification_code",
        Form::Text(CODE_DIGITS),
        "The code of eight digits that was sent; without it one is asked for.",
    ),
    Field::taken("challenge", Form::Text(36), "What the question for the code was answered with."),
    Field::taken(
        "session",
        Form::Choice(&[cookie::WORD]),
        "`cookie` puts the refresh token into a cookie that scripts cannot read, for pages.",
    ),
    LANGUAGE,
    TENANT,
];

pub(super) fn endpoint() -> Endpoint {
    const WHAT: &str = "Sign in to one's own record by a code that is sent to the telephone or address in it";
    Endpoint::new(Method::POST, "/api/v1/auth/patient-login", WHAT, handle)
        .needs(Needs::Nothing)
        .takes("PatientLogin")
        .gives(&[(200, Some("SignIn")), (202, Some("PatientLoginAsked"))])
        .fails(&[
            ErrorKind::Unauthenticated,
            ErrorKind::Forbidden,
            ErrorKind::Conflict,
            ErrorKind::Invalid,
            ErrorKind::MediaType,
            ErrorKind::TooMany,
        ])
}

async fn handle(mut call: Call) -> Outcome {
    let (json, _held) = call.json().await?;
    let mut object = Object::read(json.root(), PATIENT_LOGIN, "");
    object.need(PATIENT_LOGIN);
    let patient = object.text("patient_id").value();
    let birth = object.date("date_of_birth").value();
    if birth.as_deref().is_some_and(|birth| birth.len() < 10 || !is_date(birth)) {
        object.fault("date_of_birth", "must be a whole date");
    }
    let code = object.with("verification_code", secret).value();
    let challenge = object.with("challenge", |value| {
        value.as_str().and_then(|text| text.parse().ok()).ok_or_else(|| "must be a UUID".to_owned())
    });
    if challenge.is_given() && code.is_none() {
        object.fault("challenge", "needs verification_code");
    }
    let keeping = object.with("session", login::keeping).value().unwrap_or(Keeping::Program);
    let (tenant, language) = (object.text("tenant").value(), asked::language(&call, &mut object));
    let faults = object.finish();
    let (Some(patient), Some(birth), true) = (patient, birth, faults.is_empty()) else {
        return Err(Problem::with(ErrorKind::Invalid, faults));
    };
    let tenant = asked::tenant(&call, tenant.as_deref())?;
    let Some(code) = code else {
        let asked = call.app.identity.portal_ask(tenant, (&patient, &birth), language, &call.origin()).await?;
        let mut w = Writer::new();
        w.object().member("challenge", &asked.challenge.to_string());
        w.key("expires_in").integer(i64::try_from(asked.life.as_secs()).unwrap_or(i64::MAX)).end();
        return Ok(Answer::json(StatusCode::ACCEPTED, w.finish()));
    };
    if keeping == Keeping::Browser {
        cookie::same_site(&call)?;
    }
    let proof = PortalProof { patient, birth, code, challenge: challenge.value() };
    match call.app.identity.portal_login(tenant, &proof, keeping, &call.origin()).await {
        Ok(Login::Done(given)) => login::signed_in(&call, &given, keeping).await,
        Ok(Login::Challenge(asked)) => Ok(login::challenge(&asked)),
        Err(error) => Err(login::refused(error)),
    }
}
