//! What a device shows of an earlier sign-in, so that it is counted by itself when somebody else fails (`iris_identity::devices`): a
//! browser in a cookie that no script reads, a program in a header.

use std::sync::Arc;

use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::{HeaderName, HeaderValue};
use iris_identity::devices::{DEVICE_CHARS_MAX, DEVICE_LIFE};

use super::cookie;
use crate::answer::Answer;
use crate::call::Call;

/// Name of the cookie.
pub(crate) const NAME: &str = "iris_device";
/// The header of programs.
const X_IRIS_DEVICE: HeaderName = HeaderName::from_static("x-iris-device");

/// What the device shows; `None` for one that has nothing, or something that cannot be ours.
pub(crate) fn shown(call: &Call) -> Option<Arc<str>> {
    if !call.uri().path().starts_with(cookie::PATH) {
        return None;
    }
    let mut pairs = call.headers(&COOKIE).flat_map(|line| line.split(';')).filter_map(|pair| pair.split_once('='));
    let cookie = pairs.find(|(name, _)| name.trim() == NAME).map(|(_, value)| value.trim());
    cookie.or(call.header(&X_IRIS_DEVICE)).filter(|text| (1..=DEVICE_CHARS_MAX).contains(&text.len())).map(Into::into)
}

/// The answer with the device's token in its cookie.
pub(super) fn set(call: &Call, answer: Answer, token: &str) -> Answer {
    let secure = if cookie::over_tls(call) { "; Secure" } else { "" };
    let seconds = DEVICE_LIFE.as_secs();
    let path = cookie::PATH;
    let text = format!("{NAME}={token}; Path={path}; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}");
    match HeaderValue::from_str(&text) {
        Ok(mut value) => {
            value.set_sensitive(true);
            answer.with(SET_COOKIE, value)
        }
        // Cannot be: the token is of base64url's letters.
        Err(_) => answer,
    }
}
