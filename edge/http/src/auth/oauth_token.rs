//! `POST /oauth2/token`: client credentials (RFC 6749 §4.4). Errors have that RFC's form, which OAuth libraries read.

use axum::http::header::{AUTHORIZATION, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, Method, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use iris_access::AccessError;
use iris_fhir::json::Writer;
use iris_kernel::{ErrorKind, Secret};
use percent_encoding::percent_decode_str;

use crate::answer::Answer;
use crate::call::Call;
use crate::endpoint::{Endpoint, Needs, Outcome};
use crate::problem::Problem;

/// Most parameters of a token request; RFC 6749 knows a handful.
pub(crate) const FORM_PAIRS_MAX: usize = 20;
const FORM: &str = "application/x-www-form-urlencoded";

pub(super) fn endpoint() -> Endpoint {
    Endpoint::new(Method::POST, "/oauth2/token", "Get an access token by client credentials", handle)
        .needs(Needs::Nothing)
        .takes("OAuthTokenRequest")
        .gives(&[(200, Some("OAuthToken"))])
        .fails(&[ErrorKind::Unauthenticated, ErrorKind::TooMany, ErrorKind::MediaType])
}

async fn handle(mut call: Call) -> Outcome {
    let held = call.body(&[FORM]).await?;
    let pairs: Vec<(String, String)> =
        form_urlencoded::parse(&held.bytes).into_owned().take(FORM_PAIRS_MAX + 1).collect();
    if pairs.len() > FORM_PAIRS_MAX {
        let what = format!("more than {FORM_PAIRS_MAX} parameters");
        return Ok(refused(StatusCode::BAD_REQUEST, "invalid_request", &what));
    }
    let value = |name: &str| pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
    if pairs.iter().enumerate().any(|(at, (name, _))| pairs.iter().take(at).any(|(other, _)| other == name)) {
        return Ok(refused(StatusCode::BAD_REQUEST, "invalid_request", "a parameter stands twice"));
    }
    match value("grant_type").as_deref() {
        Some("client_credentials") => {}
        Some(_) => return Ok(refused(StatusCode::BAD_REQUEST, "unsupported_grant_type", "only client_credentials")),
        None => return Ok(refused(StatusCode::BAD_REQUEST, "invalid_request", "grant_type is needed")),
    }
    let credentials = basic(&call).or_else(|| Some((value("client_id")?, value("client_secret")?)));
    let Some((id, secret)) = credentials else {
        return Ok(invalid_client());
    };
    let given =
        call.app.identity.client_token(&id, &Secret::new(secret), value("scope").as_deref(), &call.origin()).await;
    match given {
        Ok(tokens) => {
            let mut w = Writer::new();
            w.object().member("access_token", tokens.access.expose()).member("token_type", "Bearer");
            w.key("expires_in").integer(i64::try_from(tokens.expires_in).unwrap_or(i64::MAX));
            if let Some(scope) = &tokens.scope {
                w.member("scope", scope);
            }
            Ok(Answer::json(StatusCode::OK, w.finish()))
        }
        Err(error) => failed(error),
    }
}

/// RFC 6749 §2.3.1: both parts are form-encoded inside the Basic credentials.
fn basic(call: &Call) -> Option<(String, String)> {
    let (scheme, text) = call.header(&AUTHORIZATION)?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(text.trim()).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    let decoded =
        |part: &str| percent_decode_str(&part.replace('+', " ")).decode_utf8().ok().map(|part| part.into_owned());
    Some((decoded(id)?, decoded(secret)?))
}

fn failed(error: AccessError) -> Outcome {
    match &error {
        AccessError::Client => Ok(invalid_client()),
        AccessError::Scope(faults) => {
            let what = faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
            Ok(refused(StatusCode::BAD_REQUEST, "invalid_scope", &what))
        }
        AccessError::TooMany { retry } => {
            let answer = refused(StatusCode::TOO_MANY_REQUESTS, "slow_down", "too many failed attempts");
            Ok(answer.with(RETRY_AFTER, HeaderValue::from(retry.as_secs() + 1)))
        }
        _ => Err(Problem::from(error)),
    }
}

fn invalid_client() -> Answer {
    refused(StatusCode::UNAUTHORIZED, "invalid_client", "client authentication failed")
        .with(WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"iris\""))
}

fn refused(status: StatusCode, error: &str, what: &str) -> Answer {
    let mut w = Writer::new();
    w.object().member("error", error).member("error_description", what);
    Answer::json(status, w.finish())
}
