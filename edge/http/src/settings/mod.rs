//! Settings that can be changed while the server runs: `/api/v1/config`. They stand in one record of the store, count on every node
//! within a second, and each change is on the access log.

mod catalogue;
mod change;
mod flags;
mod read;
mod state;

use iris_access::{ActionKind, Named};
use iris_fhir::json::Writer;
use iris_kernel::{Timestamp, Version};

use crate::answer::Answer;
use crate::app::App;
use crate::endpoint::{Endpoint, Needs};
use crate::plain::versioned;
use state::Shown;

pub(crate) use change::CHANGES;
pub(crate) use flags::FLAG_CHANGE;
pub(crate) use state::{follow, take_over};

pub use catalogue::{
    ACCOUNT_DORMANT_RANGE, LOG_LEVELS, SESSION_IDLE_MIN, SESSION_LIFE_MAX, SETTINGS, SLOW_REQUEST_DEFAULT,
    SLOW_REQUEST_RANGE, Setting, flags, is_live,
};
pub use state::{LevelSink, Settings, Started};

pub(crate) fn endpoints() -> Vec<Endpoint> {
    vec![read::endpoint(), change::endpoint(), flags::read(), flags::change()]
}

const READ: Needs = Needs::Named(ActionKind::Read, Named::Operation);
const UPDATE: Needs = Needs::Named(ActionKind::Update, Named::Operation);

/// Writes one setting; the object stays open.
fn show(one: &Shown, w: &mut Writer) {
    w.object().member("name", one.setting.name);
    w.member("value", &one.value).member("start", &one.start.value).member("default", one.setting.default);
    let origin = if one.changed.is_some() { "api" } else { one.start.origin.as_str() };
    w.member("origin", origin).member("what", one.setting.what);
    if let Some(changed) = &one.changed {
        w.member("changed_at", &changed.at().rfc3339());
        w.member("changed_by", &changed.by.to_string()).member("changed_by_name", &changed.by_name);
    }
}

/// All settings as the answer of `GET` and `PATCH`.
fn body(app: &App) -> (Option<Version>, Timestamp, Vec<u8>) {
    let (version, at, shown) = app.settings.shown();
    let mut w = Writer::new();
    w.object().key("settings").array();
    for one in &shown {
        show(one, &mut w);
        w.end();
    }
    w.end().end();
    (version, at, w.finish())
}

/// With `ETag`, as soon as there is a version to name.
fn tagged(answer: Answer, version: Option<Version>, at: Timestamp) -> Answer {
    match version {
        Some(version) => versioned(answer, version, at),
        None => answer,
    }
}
