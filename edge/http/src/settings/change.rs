//! `PATCH /api/v1/config`

use axum::http::{HeaderValue, Method, StatusCode, header::ETAG};
use iris_access::{Named, Read, Update};
use iris_kernel::{ErrorKind, Fault};
use iris_plain::{Field, Form, Object};

use super::catalogue::{FLAG, FLAG_WORDS, SETTINGS, Setting, setting};
use super::{UPDATE, body, tagged};
use crate::answer::Answer;
use crate::call::Call;
use crate::endpoint::{Endpoint, Outcome};
use crate::plain::{IF_MATCH, etag};
use crate::problem::Problem;

/// Rounds in which somebody else may be faster.
const TRIES_MAX: usize = 16;
/// Longest value.
const VALUE_CHARS_MAX: usize = 64;

const fn field(at: usize) -> Field {
    let Setting { name, what, form, .. } = SETTINGS[at];
    let form = match form {
        super::catalogue::Form::Flag => Form::Choice(FLAG_WORDS),
        super::catalogue::Form::Choice(words) => Form::Choice(words),
        super::catalogue::Form::Span(..) => Form::Text(VALUE_CHARS_MAX),
    };
    Field::taken(name, form, what)
}

/// What can be sent: every setting, each where it stands in the catalogue.
pub(crate) const CHANGES: &[Field] = &{
    let mut fields = [field(0); SETTINGS.len()];
    let mut at = 1;
    while at < fields.len() {
        fields[at] = field(at);
        at += 1;
    }
    fields
};

pub(super) fn endpoint() -> Endpoint {
    Endpoint::new(
        Method::PATCH,
        "/api/v1/config",
        "Change settings on all nodes: those not named stay, null takes back what was changed since the start",
        handle,
    )
    .needs(UPDATE)
    .params(&[IF_MATCH])
    .takes("ConfigChange")
    .gives(&[(200, Some("Config"))])
    .fails(&[ErrorKind::Invalid, ErrorKind::LostUpdate, ErrorKind::Conflict, ErrorKind::MediaType])
}

async fn handle(mut call: Call) -> Outcome {
    call.permit_named(Update, Named::Operation).await?;
    let (json, _held) = call.json().await?;
    let mut object = Object::read(json.root(), CHANGES, "");
    let mut changes = Vec::new();
    for setting in &SETTINGS {
        match object.raw(setting.name) {
            iris_plain::Given::Absent => {}
            iris_plain::Given::Null => changes.push((setting.name.to_owned(), None)),
            iris_plain::Given::Value(value) => match value.as_str().and_then(|text| setting.normal(&text)) {
                Some(text) => changes.push((setting.name.to_owned(), Some(text))),
                None => object.fault(setting.name, setting.expected()),
            },
        }
    }
    let faults = object.finish();
    if !faults.is_empty() {
        return Err(Problem::with(ErrorKind::Invalid, faults));
    }
    store(&call, &changes).await?;
    let (version, at, body) = body(&call.app);
    Ok(tagged(Answer::json(StatusCode::OK, body), version, at))
}

/// Stores changes that are values each, and makes them count here. Other nodes hear of them by the change feed.
pub(super) async fn store(call: &Call, changes: &[(String, Option<String>)]) -> Result<(), Problem> {
    let permit = call.permit_named(Update, Named::Operation).await?;
    let reading = call.permit_named(Read, Named::Operation).await?;
    let wanted = call.if_match()?;
    let app = &call.app;
    for _ in 0..TRIES_MAX {
        let asked = app.settings.asking();
        let known = app.identity.settings_read(&reading)?;
        if wanted.is_some() && wanted != known.version {
            return Err(lost_update(known.version));
        }
        app.settings.with(&known, changes).map_err(|faults| Problem::with(ErrorKind::Invalid, pointed(faults)))?;
        if changes.is_empty() {
            app.settings.apply(asked, known, &app.identity, &app.records);
            return Ok(());
        }
        if let Some(stored) = app.identity.settings_change(&permit, known.version, changes).await? {
            app.settings.apply(asked, stored, &app.identity, &app.records);
            return Ok(());
        }
    }
    Err(Problem::new(ErrorKind::Conflict, "others change the settings at the same time; nothing was stored"))
}

fn pointed(faults: Vec<Fault>) -> Vec<Fault> {
    faults.into_iter().map(|fault| Fault::new(format!("/{}", fault.at), fault.what)).collect()
}

/// 412 with the version that is there now.
fn lost_update(now: Option<iris_kernel::Version>) -> Problem {
    let what = "somebody changed the settings since you read them; nothing was stored";
    let mut problem = Problem::at(ErrorKind::LostUpdate, "If-Match", what);
    problem.current = now;
    if let Some(tag) = now.and_then(|now| HeaderValue::from_str(&etag(now)).ok()) {
        problem.headers.push((ETAG, tag));
    }
    problem
}

/// The setting behind the name of a flag.
pub(super) fn flag(name: &str) -> Option<&'static Setting> {
    setting(&format!("{}{name}", FLAG))
}
