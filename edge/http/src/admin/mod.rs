//! For administrators: accounts, keys in numbers, and how the installation is. None of it shows a record.

mod change;
mod create;
mod dashboard;
mod keys;
mod list;
mod lock;
mod read;
mod report;
mod reset_mfa;
mod reviews;
mod tenants;

pub(crate) use change::USER_CHANGE;
pub(crate) use create::NEW_USER;
pub(crate) use reviews::{NEW_REVIEW, REVIEW_DECISION};
pub(crate) use tenants::{NEW_TENANT, TENANT_CHANGE};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use iris_fhir::json::{Value, ValueKind, Writer};
use iris_identity::{GrantView, UserView};
use iris_kernel::{ErrorKind, Timestamp};
use iris_resources::Refusal;
use uuid::Uuid;

use crate::call::Call;
use crate::endpoint::{Endpoint, Param, path};
use crate::problem::Problem;

/// Most words of a list that are looked at.
const WORDS_MAX: usize = 100;
/// Longest of them, in characters.
const WORD_CHARS_MAX: usize = 200;

pub(crate) fn endpoints() -> Vec<Endpoint> {
    vec![
        list::endpoint(),
        create::endpoint(),
        read::endpoint(),
        change::endpoint(),
        lock::lock(),
        lock::unlock(),
        reset_mfa::endpoint(),
        tenants::list_endpoint(),
        tenants::create_endpoint(),
        tenants::change_endpoint(),
        reviews::list_endpoint(),
        reviews::start_endpoint(),
        reviews::read_endpoint(),
        reviews::decide_endpoint(),
        report::endpoint(),
        keys::endpoint(),
        keys::rotate(),
        dashboard::endpoint(),
    ]
}

pub(crate) const ID: Param = path("id", "The user's id.");

/// The user of the path. What is no id is nobody's.
pub(crate) fn user_id(call: &Call) -> Result<Uuid, Problem> {
    Uuid::parse_str(call.path("id")).map_err(|_| Refusal::not_found().into())
}

/// Reads a list of words.
pub(crate) fn words(value: Value<'_>) -> Result<Vec<String>, String> {
    let wrong = || format!("must be a list of at most {WORDS_MAX} words");
    if value.kind() != ValueKind::Array {
        return Err(wrong());
    }
    let mut words = Vec::new();
    for item in value.items().take(WORDS_MAX + 1) {
        let word = item.as_str().filter(|word| word.chars().count() <= WORD_CHARS_MAX).ok_or_else(wrong)?;
        words.push(word.into_owned());
    }
    if words.len() <= WORDS_MAX { Ok(words) } else { Err(wrong()) }
}

/// Reads a moment.
pub(crate) fn moment(value: Value<'_>) -> Result<Timestamp, String> {
    let wrong = || "must be a moment with its offset, such as 2026-11-21T09:30:00Z".to_owned();
    Timestamp::parse(&value.as_str().ok_or_else(wrong)?).map_err(|_| wrong())
}

/// Where a numbered list goes on, as the caller gets it.
pub(crate) fn cursor_of(next: Option<u32>, w: &mut Writer) {
    w.key("next_cursor");
    match next {
        Some(next) => w.string(&URL_SAFE_NO_PAD.encode(next.to_be_bytes())),
        None => w.null(),
    };
}

/// The cursor of a request, if it has one.
pub(crate) fn cursor(call: &Call) -> Result<Option<u32>, Problem> {
    let refused =
        || Problem::at(ErrorKind::Malformed, "cursor", "is not a cursor that this list gave you; start again");
    let Some(text) = call.query_value("cursor") else { return Ok(None) };
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| refused())?;
    Ok(Some(u32::from_be_bytes(bytes.try_into().map_err(|_| refused())?)))
}

/// Writes a grant.
fn show_grant(grant: &GrantView, w: &mut Writer) {
    w.object().member("id", &grant.id.to_string());
    for (name, text) in [("role", &grant.role), ("permission", &grant.permission)] {
        if let Some(text) = text {
            w.member(name, text);
        }
    }
    for (name, at) in [("valid_from", grant.from), ("valid_until", grant.until)] {
        if let Some(at) = at {
            w.member(name, &at.rfc3339());
        }
    }
    w.member("granted_by", &grant.by.to_string())
        .member("reason", &grant.reason)
        .key("counts")
        .bool(grant.counts)
        .end();
}

/// Writes a list of texts.
fn show_texts<T: AsRef<str>>(name: &str, texts: &[T], w: &mut Writer) {
    w.key(name).array();
    for text in texts {
        w.string(text.as_ref());
    }
    w.end();
}

/// Writes roles and grants of a user.
fn show_held(user: &UserView, w: &mut Writer) {
    show_texts("roles", &user.roles, w);
    w.key("grants").array();
    for grant in &user.grants {
        show_grant(grant, w);
    }
    w.end();
}

/// Writes a user; the object stays open.
pub(crate) fn show(user: &UserView, w: &mut Writer) {
    w.object().member("id", &user.id.to_string()).member("username", &user.name);
    show_held(user, w);
    let texts = [
        ("patient_id", &user.patient_id),
        ("display_name", &user.display_name),
        ("email", &user.email),
        ("phone", &user.phone),
        ("practitioner_id", &user.practitioner_id),
    ];
    for (name, text) in texts {
        if let Some(text) = text {
            w.member(name, text);
        }
    }
    if user.email.is_some() {
        w.key("email_verified").bool(user.email_verified);
    }
    show_texts("departments", &user.departments, w);
    for (name, at) in [("last_login", user.last_login), ("created_at", user.created)] {
        if let Some(at) = at {
            w.member(name, &at.rfc3339());
        }
    }
    w.key("locked").bool(!user.enabled);
}

/// A user as a whole body.
pub(crate) fn body(user: &UserView) -> Vec<u8> {
    let mut w = Writer::new();
    show(user, &mut w);
    w.end();
    w.finish()
}
