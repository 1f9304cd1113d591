//! `GET` and `PUT /api/v1/config/flags/{name}`

use axum::http::{Method, StatusCode};
use iris_access::{Named, Read};
use iris_fhir::json::Writer;
use iris_kernel::ErrorKind;
use iris_plain::{Field, Form, Object};
use iris_resources::Refusal;

use super::catalogue::{FLAG, OFF, ON, Setting};
use super::change::{flag, store};
use super::{READ, UPDATE, tagged};
use crate::answer::Answer;
use crate::call::Call;
use crate::endpoint::{Endpoint, Outcome, Param, path};
use crate::plain::IF_MATCH;
use crate::problem::Problem;

const PATH: &str = "/api/v1/config/flags/{name}";
const NAME: Param = path("name", "The feature: docs or audit_export.");

pub(crate) const FLAG_CHANGE: &[Field] = &[Field::needed("enabled", Form::Boolean, "Whether the feature is on.")];

pub(super) fn read() -> Endpoint {
    Endpoint::new(Method::GET, PATH, "Whether a feature is on", handle_read)
        .needs(READ)
        .params(&[NAME])
        .gives(&[(200, Some("Flag"))])
        .fails(&[ErrorKind::NotFound])
}

pub(super) fn change() -> Endpoint {
    Endpoint::new(Method::PUT, PATH, "Switch a feature on or off, on all nodes", handle_change)
        .needs(UPDATE)
        .params(&[NAME, IF_MATCH])
        .takes("FlagChange")
        .gives(&[(200, Some("Flag"))])
        .fails(&[
            ErrorKind::NotFound,
            ErrorKind::Invalid,
            ErrorKind::LostUpdate,
            ErrorKind::Conflict,
            ErrorKind::MediaType,
        ])
}

async fn handle_read(call: Call) -> Outcome {
    let permit = call.permit_named(Read, Named::Operation).await?;
    let setting = named(&call)?;
    let asked = call.app.settings.asking();
    let known = call.app.identity.settings_read(&permit)?;
    call.app.settings.apply(asked, known, &call.app.identity, &call.app.records);
    Ok(one(&call, setting))
}

async fn handle_change(mut call: Call) -> Outcome {
    call.permit_named(iris_access::Update, Named::Operation).await?;
    let setting = named(&call)?;
    let (json, _held) = call.json().await?;
    let mut object = Object::read(json.root(), FLAG_CHANGE, "");
    object.need(FLAG_CHANGE);
    let enabled = object.boolean("enabled").value();
    let faults = object.finish();
    let (Some(enabled), true) = (enabled, faults.is_empty()) else {
        return Err(Problem::with(ErrorKind::Invalid, faults));
    };
    let word = if enabled { ON } else { OFF };
    store(&call, &[(setting.name.to_owned(), Some(word.to_owned()))]).await?;
    Ok(one(&call, setting))
}

fn named(call: &Call) -> Result<&'static Setting, Problem> {
    flag(call.path("name")).ok_or_else(|| Refusal::not_found().into())
}

fn one(call: &Call, setting: &'static Setting) -> Answer {
    let (version, at, shown) = call.app.settings.shown();
    let on = shown.iter().any(|one| one.setting.name == setting.name && one.value == ON);
    let mut w = Writer::new();
    w.object().member("name", setting.name.strip_prefix(FLAG).unwrap_or(setting.name));
    w.key("enabled").bool(on).member("what", setting.what).end();
    tagged(Answer::json(StatusCode::OK, w.finish()), version, at)
}
