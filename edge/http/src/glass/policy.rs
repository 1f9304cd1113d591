//! `GET` and `PUT /api/v1/admin/policy`

use axum::http::header::ETAG;
use axum::http::{HeaderValue, Method, StatusCode};
use iris_access::{
    ActionKind, BREAK_GLASS_MINUTES, CareTeamPolicy, ConsentPolicy, Named, Read, Role, StoredPolicy, TenantPolicy,
    Update,
};
use iris_fhir::json::{Value, ValueKind, Writer};
use iris_kernel::{ErrorKind, Version};
use iris_plain::{Field, Form, Object};

use super::open::whole;
use crate::answer::Answer;
use crate::call::Call;
use crate::endpoint::{Endpoint, Needs, Outcome};
use crate::plain::{IF_MATCH, etag, versioned};
use crate::problem::Problem;

const PATH: &str = "/api/v1/admin/policy";
/// How often a change without `If-Match` is tried anew when somebody else changes the policy in between.
const TRIES_MAX: usize = 8;
/// Most roles of a list.
const ROLES_MAX: usize = 100;

/// What a tenant decides.
pub(crate) const POLICY_CHANGE: &[Field] = &[
    Field::both(
        "consent",
        Form::Choice(ConsentPolicy::WORDS),
        "opt_out: without a consent access goes by roles alone; opt_in: without one nobody but the patient has access.",
    ),
    Field::both(
        "care_team",
        Form::Choice(CareTeamPolicy::WORDS),
        "required: who reads clinical data sees the patients in whose care team they or their department are; open: all.",
    ),
    Field::both(
        "break_glass_minutes",
        Form::Integer,
        "How long a record may stay open in an emergency, 5 to 480 minutes.",
    ),
    Field::both("mfa_roles", Form::Texts, "Roles whose holders need a second factor."),
    Field::both(
        "self_registration",
        Form::Boolean,
        "Whether people may make accounts by themselves, with the role user.",
    ),
];

pub(super) fn read_endpoint() -> Endpoint {
    Endpoint::new(Method::GET, PATH, "What the tenant has decided about access", read)
        .needs(Needs::Named(ActionKind::Read, Named::Accounts))
        .gives(&[(200, Some("AccessPolicy"))])
}

pub(super) fn change_endpoint() -> Endpoint {
    Endpoint::new(
        Method::PUT,
        PATH,
        "Decide about access for the whole tenant: fields not named stay; it counts at once, on all nodes",
        change,
    )
    .needs(Needs::Named(ActionKind::Update, Named::Accounts))
    .step_up()
    .params(&[IF_MATCH])
    .takes("AccessPolicyChange")
    .gives(&[(200, Some("AccessPolicy"))])
    .fails(&[ErrorKind::Invalid, ErrorKind::LostUpdate, ErrorKind::Conflict, ErrorKind::MediaType])
}

async fn read(call: Call) -> Outcome {
    let permit = call.permit_named(Read, Named::Accounts).await?;
    Ok(answer(&call.app.identity.policies().policy_read(&permit)?))
}

fn answer(stored: &StoredPolicy) -> Answer {
    let TenantPolicy { consent, care_team, break_glass_minutes, mfa_roles, self_registration } = &stored.policy;
    let mut w = Writer::new();
    w.object().member("consent", consent.name()).member("care_team", care_team.name());
    w.key("break_glass_minutes").integer(i64::from(*break_glass_minutes));
    w.key("mfa_roles").array();
    mfa_roles.iter().for_each(|role| {
        w.string(role);
    });
    w.end().key("self_registration").bool(*self_registration).end();
    let answer = Answer::json(StatusCode::OK, w.finish());
    match stored.version {
        Some(version) => versioned(answer, version, stored.at),
        None => answer,
    }
}

async fn change(mut call: Call) -> Outcome {
    let permit = call.permit_named(Update, Named::Accounts).await?;
    let reading = call.permit_named(Read, Named::Accounts).await?;
    let (json, _held) = call.json().await?;
    let mut object = Object::read(json.root(), POLICY_CHANGE, "");
    let consent = object.choice("consent").value().and_then(ConsentPolicy::of);
    let care_team = object.choice("care_team").value().and_then(CareTeamPolicy::of);
    let minutes = object.with("break_glass_minutes", minutes).value();
    let roles = object.with("mfa_roles", roles).value();
    let registration = object.boolean("self_registration").value();
    for field in POLICY_CHANGE {
        if matches!(object.raw(field.name), iris_plain::Given::Null) {
            object.fault(field.name, "cannot be taken away");
        }
    }
    let faults = object.finish();
    if !faults.is_empty() {
        return Err(Problem::with(ErrorKind::Invalid, faults));
    }
    let wanted = call.if_match()?;
    let policies = call.app.identity.policies();
    for _ in 0..TRIES_MAX {
        let known = policies.policy_read(&reading)?;
        if wanted.is_some() && wanted != known.version {
            return Err(lost_update(known.version));
        }
        let was = known.policy.clone();
        let next = TenantPolicy {
            consent: consent.unwrap_or(was.consent),
            care_team: care_team.unwrap_or(was.care_team),
            break_glass_minutes: minutes.unwrap_or(was.break_glass_minutes),
            mfa_roles: roles.clone().unwrap_or(was.mfa_roles),
            self_registration: registration.unwrap_or(was.self_registration),
        };
        if next == known.policy {
            return Ok(answer(&known));
        }
        if let Some(stored) = policies.policy_change(&permit, known.version, next).await? {
            return Ok(answer(&stored));
        }
    }
    Err(Problem::new(ErrorKind::Conflict, "others change the policy at the same time; nothing was stored"))
}

fn minutes(value: Value<'_>) -> Result<u32, String> {
    let (least, most) = (*BREAK_GLASS_MINUTES.start(), *BREAK_GLASS_MINUTES.end());
    whole(value)
        .ok()
        .filter(|minutes| BREAK_GLASS_MINUTES.contains(minutes))
        .ok_or_else(|| format!("must be a whole number of minutes from {least} to {most}"))
}

fn roles(value: Value<'_>) -> Result<Vec<String>, String> {
    if value.kind() != ValueKind::Array || value.len() > ROLES_MAX {
        return Err(format!("must be a list of at most {ROLES_MAX} names of roles"));
    }
    let role = |value: Value<'_>| {
        let text = value.as_str().unwrap_or_default();
        text.parse::<Role>().map(|role| role.name().to_owned()).map_err(|unknown| unknown.to_string())
    };
    let mut roles = value.items().map(role).collect::<Result<Vec<_>, String>>()?;
    roles.sort_unstable();
    roles.dedup();
    Ok(roles)
}

/// 412 with the version that is there now.
fn lost_update(now: Option<Version>) -> Problem {
    let what = "somebody changed the policy since you read it; nothing was stored";
    let mut problem = Problem::at(ErrorKind::LostUpdate, "If-Match", what);
    problem.current = now;
    if let Some(tag) = now.and_then(|now| HeaderValue::from_str(&etag(now)).ok()) {
        problem.headers.push((ETAG, tag));
    }
    problem
}
