//! One cell: a request of somebody, and what came of it.

use axum::body::Body as HttpBody;
use axum::http::{Method, Request};
use iris_kernel::Tenant;
use serde_json::Value;

use super::super::Reply;
use super::bodies::SSN;
use super::model::{Asks, Came, Of, Touch, expected, sees};
use super::promised::Relation;
use super::rows::{Asked, Body, CANARY, Ready, Row};
use super::scene::{LARKSPUR, NIGHTINGALE, Scene, Target, Things, Who, address};

/// What stands in no answer that shows nothing.
const SECRETS: [&str; 4] = [CANARY, SSN, LARKSPUR, NIGHTINGALE];

/// What a 403 says: the missing permission by name, or that the writer sees the record and may not add to it.
const NAMED: [&str; 2] = ["permission ", "may be added to this patient's record by you"];

/// Makes a request of somebody; an error says what came of it, where that is not what must.
pub(super) async fn cell(scene: &Scene, who: &Who, row: &Row) -> Result<(), String> {
    let must = expected(row.asks, scene.relation, who.role);
    let mut things = scene.things_of(who);
    if matches!(must, Came::Done | Came::Refused) {
        ready(scene, who, row, &mut things).await;
    }
    let target = if labels(row, scene.relation, who) { who.target.clone() } else { who.target.unlabelled() };
    let reply = ask(scene, who, row, &target, &things).await;
    let came = came(scene, who, row, &reply).await;
    if reply.status.is_success() {
        restore(scene, who, row).await;
    }
    match came? {
        came if came == must => Ok(()),
        came => Err(format!("{} and not {}: {}", came.word(), must.word(), told(&reply))),
    }
}

/// Whether what is sent carries the target's label: only of those who see it, since others may not set it.
fn labels(row: &Row, relation: Relation, who: &Who) -> bool {
    matches!(row.asks, Asks::Records(what, of, Touch::Replace) if sees(what, of, relation, who.role))
}

/// Makes what the request uses up.
async fn ready(scene: &Scene, who: &Who, row: &Row, things: &mut Things) {
    match row.ready {
        Ready::Nothing => {}
        Ready::Role => things.role = scene.new_role().await,
        // Nobody's own rights are changed here, which is what the row is about.
        Ready::Grant if scene.relation == Relation::Own => {}
        Ready::Grant => scene.new_grant(&things.account).await,
        Ready::Review => things.review = scene.new_review().await,
        Ready::Emergency if scene.relation == Relation::Own && who.emergency.is_some() => {}
        Ready::Emergency => things.emergency = scene.new_emergency().await,
        Ready::Session => {
            let (token, _) = scene.sign_in(who).await;
            things.session = scene.session_of(who, &token).await;
        }
        Ready::Passkey => {
            let name = format!("{} {}", who.name, row.method);
            let (_, made) = super::super::second_factor::passkey(&scene.world, &who.token, &name).await;
            made["id"].as_str().unwrap().clone_into(&mut things.passkey);
        }
    }
}

/// The path with everything in it.
fn path(row: &Row, target: &Target, things: &Things) -> String {
    let id = match row.path {
        path if path.starts_with("/api/v1/patients") || path.starts_with("/api/v1/audit/patients") => {
            target.id("Patient")
        }
        path if path.starts_with("/api/v1/immunizations") => target.id("Immunization"),
        path if path.starts_with("/fhir") => target.id(row.kind),
        path if path.ends_with("lock") || path.ends_with("reset-mfa") => things.locked.clone(),
        path if path.contains("/users/") => things.account.clone(),
        path if path.contains("/roles/") => things.role.clone(),
        path if path.contains("/sessions/") => things.session.clone(),
        path if path.contains("/passkeys/") => things.passkey.clone(),
        path if path.contains("/logs/") => things.entry.clone(),
        path if path.contains("/access-reviews/") => things.review.clone(),
        path if path.contains("/break-glass/") => things.emergency.clone(),
        _ => String::new(),
    };
    let filled: [(&str, &str); 9] = [
        ("{id}", id.as_str()),
        ("{inner}", "Observation"),
        ("{type}", row.kind),
        ("{version}", "1"),
        ("{consent_id}", &target.id("Consent")),
        ("{number}", &things.tenant),
        ("{name}", "docs"),
        ("{patient}", &target.id("Patient")),
        ("{last_name}", &target.last_name()),
    ];
    let template = format!("{}{}", row.path, row.query);
    filled.iter().fold(template, |path, (name, value)| path.replace(name, value))
}

async fn ask(scene: &Scene, who: &Who, row: &Row, target: &Target, things: &Things) -> Reply {
    let client = (scene.client.0.as_str(), scene.client.1.as_str());
    let asked = Asked { who, target, account: &things.account, kind: row.kind, team: &scene.team, client };
    let mut request = Request::builder()
        .method(Method::from_bytes(row.method.as_bytes()).unwrap())
        .uri(path(row, target, things))
        .header("x-forwarded-for", address(who.number));
    if !who.token.is_empty() {
        request = request.header("authorization", format!("Bearer {}", who.token));
    }
    if scene.relation == Relation::OtherTenant && row.path.starts_with("/fhir/{type}") && row.method == "PUT" {
        // In another tenant the same id may be made anew; what is meant here is the record that is there.
        request = request.header("if-match", "W/\"1\"");
    }
    let (kind, body) = match (row.body)(&asked) {
        Body::Nothing => ("", HttpBody::empty()),
        Body::Json(body) => ("application/json", HttpBody::from(body.to_string())),
        Body::Patch(patch) => ("application/json-patch+json", HttpBody::from(patch.to_string())),
        Body::Form(form) => ("application/x-www-form-urlencoded", HttpBody::from(form)),
    };
    if !row.prefers.is_empty() {
        request = request.header("prefer", row.prefers);
    }
    if !kind.is_empty() {
        request = request.header("content-type", kind);
    }
    scene.world.send(request.body(body).unwrap()).await
}

/// What came of it, as an observer sees it, who does not know what must.
async fn came(scene: &Scene, who: &Who, row: &Row, reply: &Reply) -> Result<Came, String> {
    let text = String::from_utf8_lossy(&reply.body);
    let status = status(row, reply);
    let shows = row.shows.replace("{last_name}", &who.target.last_name()).replace("{id}", &who.target.id(row.kind));
    let is_good = if row.good.is_empty() { (200..300).contains(&status) } else { row.good.contains(&status) };
    let came = match status {
        _ if is_good && (shows.is_empty() || text.contains(&shows)) => return Ok(Came::Done),
        _ if is_good => return Ok(Came::Part),
        401 => Came::Unproven,
        403 if NAMED.iter().any(|words| text.contains(words)) => Came::Denied,
        409 if text.contains("own account") || text.contains("themselves") => Came::Refused,
        _ => {
            is_as_absent(scene, who, row, reply).await?;
            Came::Hidden
        }
    };
    match SECRETS.iter().find(|secret| text.contains(**secret)) {
        Some(secret) => Err(format!("{secret} stands in what shows nothing: {}", told(reply))),
        None => Ok(came),
    }
}

/// The status; of a batch, that of its entry.
fn status(row: &Row, reply: &Reply) -> u16 {
    if (row.method, row.path) != ("POST", "/fhir") || !reply.status.is_success() {
        return reply.status.as_u16();
    }
    let body = reply.json();
    let entry = body["entry"][0]["response"]["status"].as_str().unwrap_or_default();
    entry.split(' ').next().and_then(|code| code.parse().ok()).unwrap_or(0)
}

/// Asks the same about what is not there, and compares what is told.
async fn is_as_absent(scene: &Scene, who: &Who, row: &Row, reply: &Reply) -> Result<(), String> {
    let nil = "00000000-0000-4000-8000-000000000000".to_owned();
    let target = Target::of("absent");
    let things = Things {
        account: nil.clone(),
        locked: nil.clone(),
        session: nil.clone(),
        passkey: nil.clone(),
        role: nil.clone(),
        review: nil.clone(),
        emergency: nil,
        entry: "99999999".to_owned(),
        tenant: "99".to_owned(),
    };
    let absent = ask(scene, who, row, &target, &things).await;
    match (same(reply, &who.target.tag), same(&absent, &target.tag)) {
        (hidden, absent) if hidden == absent => Ok(()),
        (hidden, absent) => Err(format!("{hidden:?} where what is absent is told {absent:?}")),
    }
}

/// What two answers about different things have in common if they tell the same.
fn same(reply: &Reply, tag: &str) -> (u16, Vec<String>, String) {
    let mut names: Vec<String> = reply.headers.keys().map(ToString::to_string).collect();
    names.sort();
    let body = match serde_json::from_slice::<Value>(&reply.body) {
        Ok(mut body) => {
            body.as_object_mut().map(|body| body.remove("correlation_id"));
            body.to_string()
        }
        Err(_) => String::from_utf8_lossy(&reply.body).into_owned(),
    };
    (reply.status.as_u16(), names, body.replace(&format!("{tag}-"), "ID-"))
}

fn told(reply: &Reply) -> String {
    let text: String = String::from_utf8_lossy(&reply.body).chars().take(300).collect();
    format!("{} {text}", reply.status.as_u16())
}

/// Puts back what a request changed or deleted of the target.
async fn restore(scene: &Scene, who: &Who, row: &Row) {
    let touches = matches!(row.asks, Asks::Records(_, of, Touch::One | Touch::Replace) if of != Of::Desk || row.path.contains("{consent_id}"));
    // Criteria may have taken it away as well.
    let touches = touches || (row.method == "DELETE" && row.path == "/fhir/{type}");
    if !touches || !["PUT", "DELETE", "POST"].contains(&row.method) || row.path == "/fhir" {
        return;
    }
    let sort = match row.path {
        path if path.contains("{consent_id}") => "Consent",
        path if path.starts_with("/api/v1/patients") => "Patient",
        path if path.starts_with("/api/v1/immunizations") => "Immunization",
        _ => row.kind,
    };
    scene.put(Tenant::DEFAULT, sort, &who.target).await;
}
