//! For administrators: accounts, keys in numbers, and how the installation is. None of it shows a record.

mod change;
mod create;
mod dashboard;
mod keys;
mod list;
mod lock;
mod read;

pub(crate) use change::USER_ROLES;
pub(crate) use create::NEW_USER;

use iris_access::{Role, RoleSet};
use iris_fhir::json::{Value, Writer};
use iris_identity::UserView;
use iris_resources::Refusal;
use uuid::Uuid;

use crate::call::Call;
use crate::endpoint::{Endpoint, Param, path};
use crate::problem::Problem;

/// Most roles that are looked at.
const ROLES_MAX: usize = 20;

pub(crate) fn endpoints() -> Vec<Endpoint> {
    vec![
        list::endpoint(),
        create::endpoint(),
        read::endpoint(),
        change::endpoint(),
        lock::lock(),
        lock::unlock(),
        keys::endpoint(),
        dashboard::endpoint(),
    ]
}

const ID: Param = path("id", "The user's id.");

/// The user of the path. What is no id is nobody's.
fn user_id(call: &Call) -> Result<Uuid, Problem> {
    Uuid::parse_str(call.path("id")).map_err(|_| Refusal::not_found().into())
}

/// Reads a list of roles.
fn roles(value: Value<'_>) -> Result<RoleSet, String> {
    let wrong = || format!("must be a list of {}", Role::ALL.map(Role::name).join(", "));
    let mut roles = Vec::new();
    for item in value.items().take(ROLES_MAX + 1) {
        let word = item.as_str().ok_or_else(wrong)?;
        roles.push(word.parse::<Role>().map_err(|_| wrong())?);
    }
    let list = value.kind() == iris_fhir::json::ValueKind::Array && roles.len() <= ROLES_MAX;
    if list { Ok(RoleSet::of(&roles)) } else { Err(wrong()) }
}

/// Writes a user; the object stays open.
fn show(user: &UserView, w: &mut Writer) {
    w.object().member("id", &user.id.to_string()).member("username", &user.name).key("roles").array();
    for role in &user.roles {
        w.string(role);
    }
    w.end();
    if let Some(patient) = &user.patient_id {
        w.member("patient_id", patient);
    }
    w.key("locked").bool(!user.enabled);
}

/// A user as a whole body.
fn body(user: &UserView) -> Vec<u8> {
    let mut w = Writer::new();
    show(user, &mut w);
    w.end();
    w.finish()
}
