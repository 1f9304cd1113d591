//! Which routes the recorded session covers: all that take or give something of a patient.

use std::collections::BTreeSet;

use crate::endpoints;

/// The routes that neither take nor give anything of a patient's record, and those whose replay stands elsewhere: what is asked
/// without a token is in `tests/messages` and `tests/second_factor.rs`. A new route is either recorded or stands here.
const WITHOUT_PATIENTS: &str = "
POST /api/v1/auth/login
POST /api/v1/auth/refresh
POST /api/v1/auth/logout
GET /api/v1/auth/me
PUT /api/v1/auth/profile
POST /api/v1/auth/change-password
POST /api/v1/auth/step-up
GET /api/v1/auth/mfa
POST /api/v1/auth/mfa/setup
POST /api/v1/auth/mfa/verify
DELETE /api/v1/auth/mfa/disable
POST /api/v1/auth/passkeys/register
POST /api/v1/auth/passkeys/login
GET /api/v1/auth/passkeys
PATCH /api/v1/auth/passkeys/{id}
DELETE /api/v1/auth/passkeys/{id}
GET /api/v1/auth/sessions
DELETE /api/v1/auth/sessions/{id}
DELETE /api/v1/auth/sessions
POST /api/v1/auth/register
POST /api/v1/auth/verify-email
POST /api/v1/auth/reset-password
POST /api/v1/auth/verify-reset
POST /api/v1/auth/patient-login
GET /api/v1/auth/permissions
GET /api/v1/auth/roles
POST /api/v1/auth/roles
PUT /api/v1/auth/roles/{id}
DELETE /api/v1/auth/roles/{id}
GET /api/v1/auth/users
POST /api/v1/auth/users/{id}/roles
DELETE /api/v1/auth/users/{id}/roles
POST /oauth2/token
GET /.well-known/jwks.json
GET /api/v1/iris/vaccines
GET /api/v1/iris/manufacturers
GET /api/v1/audit/actions
POST /api/v1/admin/users/{id}/lock
POST /api/v1/admin/users/{id}/unlock
POST /api/v1/admin/users/{id}/reset-mfa
POST /api/v1/admin/users
PATCH /api/v1/admin/users/{id}
GET /api/v1/admin/tenants
POST /api/v1/admin/tenants
PATCH /api/v1/admin/tenants/{number}
GET /api/v1/admin/access-reviews
POST /api/v1/admin/access-reviews
GET /api/v1/admin/access-reviews/{id}
POST /api/v1/admin/access-reviews/{id}/decide
GET /api/v1/admin/access-report
GET /api/v1/keys
POST /api/v1/keys/rotate
GET /api/v1/admin/dashboard
PUT /api/v1/admin/policy
GET /fhir/metadata
GET /api/v1/config
PATCH /api/v1/config
GET /api/v1/config/flags/{name}
PUT /api/v1/config/flags/{name}
GET /health
GET /health/live
GET /health/ready
GET /health/detailed
GET /openapi.json
GET /docs
";

/// The route of a request: of those that fit, the one with the most words of its own.
fn route_of(method: &str, path: &str) -> Option<String> {
    let asked: Vec<&str> = path.split('?').next().unwrap().split('/').collect();
    let literal = |template: &str| template.split('/').filter(|part| !part.starts_with('{')).count();
    let fits = |template: &str| {
        let parts: Vec<&str> = template.split('/').collect();
        parts.len() == asked.len() && parts.iter().zip(&asked).all(|(part, word)| part.starts_with('{') || part == word)
    };
    let endpoints = endpoints();
    let found = endpoints.iter().filter(|endpoint| endpoint.method.as_str() == method && fits(endpoint.path));
    found.max_by_key(|endpoint| literal(endpoint.path)).map(|endpoint| format!("{method} {}", endpoint.path))
}

/// Holds a session to the list of routes: each stands in the session or above, none in both, and no line above is of no route.
pub(super) fn check<'a>(asked: impl Iterator<Item = (&'a str, &'a str)>) {
    let routes: BTreeSet<String> = endpoints().iter().map(|e| format!("{} {}", e.method, e.path)).collect();
    let asked: BTreeSet<String> = asked.filter_map(|(method, path)| route_of(method, path)).collect();
    let named: BTreeSet<String> = WITHOUT_PATIENTS.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect();
    let covered: BTreeSet<String> = asked.union(&named).cloned().collect();
    assert_eq!(routes.difference(&covered).collect::<Vec<_>>(), [""; 0], "neither recorded nor named");
    assert_eq!(covered.difference(&routes).collect::<Vec<_>>(), [""; 0], "no such route");
    assert_eq!(asked.intersection(&named).collect::<Vec<_>>(), [""; 0], "recorded and named");
}
