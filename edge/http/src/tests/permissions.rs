use axum::http::Method;
use iris_access::{ActionKind, Facts, Role, Target, family_of_name, judge};
use iris_fhir::definitions;
use serde_json::json;

use super::World;
use crate::endpoint::Needs;
use crate::endpoints;

/// Widths of the table's columns.
const ROUTE: usize = 56;
const PERMISSION: usize = 24;
const CELL: usize = 19;

/// What a route asks, and of whom it would take a yes: one line for each route, with a column for each role.
fn table() -> String {
    let mut out = format!("{:<8}{:<ROUTE$}{:<PERMISSION$}", "method", "route", "permission");
    for role in Role::ALL {
        out.push_str(&format!("{:<CELL$}", role.name()));
    }
    out = format!("{}\n", out.trim_end());
    for endpoint in endpoints() {
        let every = |word: &'static str| vec![word; Role::ALL.len()];
        let by = |action, target| -> Vec<&str> {
            Role::ALL.iter().map(|role| if allowed(*role, action, target) { "yes" } else { "-" }).collect()
        };
        let (needs, cells) = match endpoint.needs {
            Needs::Nothing => ("nothing".to_owned(), every("yes")),
            // The golden table of access says it for each family of types.
            Needs::SignedIn if endpoint.path.starts_with("/fhir") => ("of the type".to_owned(), every("by type")),
            Needs::SignedIn => ("token".to_owned(), every("yes")),
            Needs::Session => ("token or cookie".to_owned(), every("yes")),
            Needs::Records(action, name) => {
                let kind = definitions().kind_of(name).unwrap();
                (family_of_name(name).permission(action).unwrap().to_string(), by(action, Target::Kind(kind)))
            }
            Needs::Named(action, named) => {
                let target = Target::Named(named);
                (target.family().permission(action).unwrap().to_string(), by(action, target))
            }
        };
        let mut line = format!("{:<8}{:<ROUTE$}{needs:<PERMISSION$}", endpoint.method.as_str(), endpoint.path);
        for cell in cells {
            line.push_str(&format!("{cell:<CELL$}"));
        }
        out.push_str(&format!("{}\n", line.trim_end()));
    }
    out
}

fn allowed(role: Role, action: ActionKind, target: Target) -> bool {
    let roles = iris_access::RoleSet::of(&[role]);
    let caller = iris_access::Caller::pretend(iris_kernel::Tenant::DEFAULT, "x", roles, Some("p"));
    judge(&caller, action, &Facts::of(target)).is_ok()
}

#[test]
fn every_route_has_its_row() {
    crate::golden::check("permissions.txt", &table());
}

/// Asks every route in every role, for real, and compares with the table: 401 without a token, 403 exactly where it says no.
#[tokio::test]
async fn the_table_is_what_the_server_does() {
    let world = World::new();
    let admin = world.admin().await;
    let patient = world.patient(&admin, "Jane", "Doe").await;
    let table = table();
    for role in Role::ALL {
        let own = (role == Role::Patient).then_some(patient.as_str());
        let token = world.user(&format!("u-{role}"), role, own).await;
        for (endpoint, line) in endpoints().iter().zip(table.lines().skip(1)) {
            let path = endpoint.path.replace("{id}", "none").replace("{type}", "Patient").replace("{version}", "1");
            let body = (endpoint.method != Method::GET).then(|| json!({}));
            if endpoint.path == "/api/v1/auth/logout" {
                continue;
            }
            let column = 8 + ROUTE + PERMISSION + CELL * Role::ALL.iter().position(|other| *other == role).unwrap();
            let expected = line.get(column..).unwrap_or_default().starts_with("yes");
            let reply = world.call(endpoint.method.as_str(), &path, &token, &[], body.clone()).await;
            if endpoint.needs == Needs::SignedIn && endpoint.path.starts_with("/fhir") {
                continue;
            }
            let denied = reply.status == 403;
            assert_eq!(denied, !expected, "{role} {line}: {} {}", reply.status, String::from_utf8_lossy(&reply.body));
            if denied {
                assert!(
                    reply.json()["detail"].as_str().unwrap().contains(':'),
                    "names the permission: {:?}",
                    reply.json()
                );
            }
            let anonymous = world.call(endpoint.method.as_str(), &path, "", &[], body).await;
            assert_eq!(
                anonymous.status == 401 && endpoint.path != "/oauth2/token",
                endpoint.needs != Needs::Nothing,
                "{line}"
            );
        }
    }
}

/// The same for the FHIR routes, with a type of each family that the roles tell apart.
#[tokio::test]
async fn fhir_routes_follow_the_type() {
    let world = World::new();
    let admin = world.admin().await;
    let patient = world.patient(&admin, "Jane", "Doe").await;
    let actions = [
        (ActionKind::Read, "GET", "/none"),
        (ActionKind::VersionRead, "GET", "/none/_history/1"),
        (ActionKind::History, "GET", "/none/_history"),
        (ActionKind::Search, "GET", ""),
        (ActionKind::Search, "POST", "/_search"),
        (ActionKind::Create, "POST", ""),
        (ActionKind::Update, "PUT", "/none"),
        (ActionKind::Delete, "DELETE", "/none"),
    ];
    for role in Role::ALL {
        let own = (role == Role::Patient).then_some(patient.as_str());
        let token = world.user(&format!("f-{role}"), role, own).await;
        for name in ["Patient", "Observation", "Immunization", "Appointment", "Practitioner", "AuditEvent", "Coverage"]
        {
            let target = Target::Kind(definitions().kind_of(name).unwrap());
            for (action, method, rest) in actions {
                let form = [("content-type", "application/x-www-form-urlencoded")];
                let headers = if rest == "/_search" { &form[..] } else { &[] };
                let reply = world.call(method, &format!("/fhir/{name}{rest}"), &token, headers, None).await;
                let expected = allowed(role, action, target);
                assert_eq!(reply.status != 403, expected, "{role} {method} {name}{rest}: {}", reply.status);
            }
        }
    }
}
