//! The cookie in which a browser keeps its refresh token, where no script can read it, and the rules that keep other sites from
//! using it.

use axum::http::header::{COOKIE, HOST, ORIGIN, SET_COOKIE};
use axum::http::{HeaderName, HeaderValue};
use iris_identity::Tokens;
use iris_kernel::ErrorKind;

use super::device;
use crate::answer::Answer;
use crate::call::Call;
use crate::problem::Problem;

/// Name of the cookie.
pub(crate) const NAME: &str = "iris_session";
/// The only requests that it goes with.
pub(super) const PATH: &str = "/api/v1/auth";
/// Says that the refresh token is in the cookie. No form can send it, and a script of another site only with our leave, which we
/// give nobody.
pub(super) const X_IRIS_SESSION: HeaderName = HeaderName::from_static("x-iris-session");
/// The one value of that header, and of `session` at the sign-in.
pub(super) const WORD: &str = "cookie";
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
/// Most cookies of our name that are looked at when sessions end.
const COOKIES_MAX: usize = 4;

/// Whether the caller says that its token is in the cookie.
///
/// # Errors
/// Malformed: another word.
pub(super) fn meant(call: &Call) -> Result<bool, Problem> {
    match call.header(&X_IRIS_SESSION) {
        None => Ok(false),
        Some(WORD) => Ok(true),
        Some(_) => Err(Problem::at(ErrorKind::Malformed, "X-IRIS-Session", "must be the word cookie")),
    }
}

/// Refuses what another site has made the browser send. Browsers say where a request comes from in `Sec-Fetch-Site`; one that
/// does not yet says it in `Origin`.
///
/// # Errors
/// Forbidden.
pub(super) fn same_site(call: &Call) -> Result<(), Problem> {
    let refused = |at: &str| Problem::at(ErrorKind::Forbidden, at, "another site may not use this browser's session");
    match (call.header(&SEC_FETCH_SITE), call.header(&ORIGIN)) {
        (Some("same-origin" | "none"), _) | (None, None) => Ok(()),
        (Some(_), _) => Err(refused("Sec-Fetch-Site")),
        (None, Some(origin)) if ours(call, origin) => Ok(()),
        (None, Some(_)) => Err(refused("Origin")),
    }
}

/// Whether an origin is this server's: as callers are told it, or as this caller named it.
fn ours(call: &Call, origin: &str) -> bool {
    let Some((_, authority)) = origin.split_once("://") else { return false };
    let told = call.app.base_url.strip_prefix(origin).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    told || call.header(&HOST) == Some(authority)
}

/// The refresh token of the request's cookie; `None` for a browser that has no cookie of ours.
///
/// # Errors
/// Unauthenticated: it is empty, or there are two that differ, of which nobody can say which is ours.
pub(super) fn token(call: &Call) -> Result<Option<String>, Problem> {
    let mut found = None;
    for value in values(call) {
        if found.replace(value).is_some_and(|other| other != value) {
            return Err(Problem::new(ErrorKind::Unauthenticated, "there is more than one session cookie"));
        }
    }
    if found == Some("") {
        return Err(Problem::new(ErrorKind::Unauthenticated, "the session cookie is empty; sign in"));
    }
    Ok(found.map(str::to_owned))
}

/// Ends the sessions whose tokens the request's cookies hold: one, unless somebody has put another beside it.
///
/// # Errors
/// The store cannot take it.
pub(super) async fn end(call: &Call, why: &str) -> Result<(), Problem> {
    let mut tokens: Vec<&str> = values(call).take(COOKIES_MAX).collect();
    tokens.dedup();
    for token in tokens {
        call.app.identity.page_session_end(token, why, &call.origin()).await?;
    }
    Ok(())
}

fn values(call: &Call) -> impl Iterator<Item = &str> {
    let pairs = call.headers(&COOKIE).flat_map(|line| line.split(';')).filter_map(|pair| pair.split_once('='));
    pairs.filter(|(name, _)| name.trim() == NAME).map(|(_, value)| value.trim())
}

/// The answer with the refresh token in the cookie, and after a sign-in with the device's token in another one. The browser forgets it
/// when it stops being good.
pub(super) fn set(call: &Call, answer: Answer, tokens: &Tokens) -> Answer {
    let (Some(refresh), Some(session)) = (&tokens.refresh, &tokens.session) else { return answer };
    let seconds = session.refresh_until.since(call.app.clock.now()).as_secs();
    let answer = with(call, answer, refresh.expose(), seconds);
    match &tokens.device {
        Some(known) => device::set(call, answer, known.expose()),
        None => answer,
    }
}

/// The answer that makes the browser forget the cookie.
pub(super) fn clear(call: &Call, answer: Answer) -> Answer {
    with(call, answer, "", 0)
}

/// A refusal that makes the browser forget the cookie.
pub(super) fn cleared(call: &Call, mut problem: Problem) -> Problem {
    problem.headers.extend(line(call, "", 0).map(|value| (SET_COOKIE, value)));
    problem
}

fn with(call: &Call, answer: Answer, value: &str, seconds: u64) -> Answer {
    match line(call, value, seconds) {
        Some(value) => answer.with(SET_COOKIE, value),
        None => answer,
    }
}

/// Whether the browser came over TLS: as the settings tell callers, as the browser itself says, or as what ends TLS before us says.
/// Whoever lies about it only keeps the own cookie from the own browser.
pub(super) fn over_tls(call: &Call) -> bool {
    let https = |text: Option<&str>| text.is_some_and(|text| text.starts_with("https"));
    https(Some(&call.app.base_url)) || https(call.header(&ORIGIN)) || https(call.header(&X_FORWARDED_PROTO))
}

/// `None` cannot be: a refresh token is of base64url's letters.
fn line(call: &Call, value: &str, seconds: u64) -> Option<HeaderValue> {
    let secure = if over_tls(call) { "; Secure" } else { "" };
    let text = format!("{NAME}={value}; Path={PATH}; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}");
    let mut value = HeaderValue::from_str(&text).ok()?;
    value.set_sensitive(true);
    Some(value)
}
