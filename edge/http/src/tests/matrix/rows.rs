//! A row for each route: what it asks, and a request that is whole, so that whoever may gets an answer and not a fault.

mod further;

use serde_json::{Value, json};

use super::super::PASSWORD;
use super::bodies;
use super::model::{About, Asks, Of, Touch};
use super::scene::{LARKSPUR, NEW_PASSWORD, NIGHTINGALE, NURSERY, Target, Who};

/// What all texts, names and numbers of a patient's records have in them.
pub(super) const CANARY: &str = "anary";

/// How many rounds there are.
pub(super) const ROUNDS: usize = 3;

/// What is sent.
pub(super) enum Body {
    Nothing,
    Json(Value),
    Form(String),
    /// A JSON Patch.
    Patch(Value),
}

/// What has to be there for a single request, because it uses it up.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Ready {
    Nothing,
    Role,
    Grant,
    Review,
    Emergency,
    Session,
    Passkey,
}

/// Who asks, and about what.
pub(super) struct Asked<'a> {
    pub(super) who: &'a Who,
    pub(super) target: &'a Target,
    /// The account that is meant.
    pub(super) account: &'a str,
    /// The kind of a row that stands for one type of FHIR.
    pub(super) kind: &'static str,
    /// What the care team of the target is.
    pub(super) team: &'a Value,
    /// Id and secret of a machine.
    pub(super) client: (&'a str, &'a str),
}

/// One row.
pub(super) struct Row {
    pub(super) method: &'static str,
    /// As it is routed.
    pub(super) path: &'static str,
    pub(super) query: &'static str,
    /// The type that stands for `{type}`; empty for a route without.
    pub(super) kind: &'static str,
    pub(super) asks: Asks,
    pub(super) body: fn(&Asked<'_>) -> Body,
    /// What is in the answer if what it is about is; empty where the status alone tells.
    pub(super) shows: &'static str,
    /// Statuses with which it is carried out; any of 200 to 299 where none is named.
    pub(super) good: &'static [u16],
    /// What its `Prefer` says.
    pub(super) prefers: &'static str,
    pub(super) ready: Ready,
    /// In which round it comes: what changes what others are about comes after them.
    pub(super) round: usize,
}

const fn row(method: &'static str, path: &'static str, asks: Asks) -> Row {
    let body = |_: &Asked<'_>| Body::Nothing;
    Row {
        method,
        path,
        query: "",
        kind: "",
        asks,
        body,
        shows: "",
        good: &[],
        prefers: "",
        ready: Ready::Nothing,
        round: 0,
    }
}

impl Row {
    const fn sends(self, body: fn(&Asked<'_>) -> Body) -> Self {
        Self { body, ..self }
    }

    const fn query(self, query: &'static str) -> Self {
        Self { query, ..self }
    }

    const fn shows(self, shows: &'static str) -> Self {
        Self { shows, ..self }
    }

    const fn prefers(self, prefers: &'static str) -> Self {
        Self { prefers, ..self }
    }

    const fn good(self, good: &'static [u16]) -> Self {
        Self { good, ..self }
    }

    const fn ready(self, ready: Ready) -> Self {
        Self { ready, ..self }
    }

    const fn late(self) -> Self {
        Self { round: 1, ..self }
    }

    const fn last(self) -> Self {
        Self { round: ROUNDS - 1, ..self }
    }

    const fn kind(self, kind: &'static str) -> Self {
        Self { kind, ..self }
    }
}

fn json_of(value: Value) -> Body {
    Body::Json(value)
}

const fn one(what: &'static str) -> Asks {
    Asks::Records(what, Of::Patient, Touch::One)
}

const fn about(what: &'static str, about: About) -> Asks {
    Asks::Other(what, about)
}

/// Every row.
pub(super) fn rows() -> Vec<Row> {
    [
        signing_in(),
        own_account(),
        accounts(),
        patients(),
        immunizations(),
        consents(),
        log(),
        administration(),
        emergencies(),
        fhir(),
        further::operations(),
        further::searches(),
        settings(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn signing_in() -> Vec<Row> {
    let open = |method, path| row(method, path, Asks::Nothing);
    vec![
        open("POST", "/api/v1/auth/login")
            .sends(|c| json_of(json!({"username": c.who.name, "password": PASSWORD, "tenant": c.who.tenant_name}))),
        row("POST", "/api/v1/auth/refresh", Asks::Proof).sends(|c| json_of(json!({"refresh_token": c.who.refresh}))),
        row("POST", "/api/v1/auth/logout", Asks::Token).last(),
        open("POST", "/api/v1/auth/register").sends(|c| {
            let name = format!("{}-anew", c.who.name);
            json_of(json!({"username": name, "email": format!("{name}@example.org"), "password": NEW_PASSWORD}))
        }),
        open("POST", "/api/v1/auth/verify-email").sends(|_| json_of(json!({"token": "none"}))).good(&[422]),
        open("POST", "/api/v1/auth/reset-password").sends(|c| json_of(json!({"username": c.who.name}))),
        open("POST", "/api/v1/auth/verify-reset")
            .sends(|_| json_of(json!({"token": "none", "new_password": NEW_PASSWORD})))
            .good(&[422]),
        open("POST", "/api/v1/auth/patient-login")
            .sends(|c| json_of(json!({"patient_id": c.target.id("Patient"), "date_of_birth": bodies::BORN}))),
        open("POST", "/api/v1/auth/passkeys/login").sends(|_| json_of(json!({}))),
        open("POST", "/oauth2/token").sends(|c| {
            let (id, secret) = c.client;
            Body::Form(format!("grant_type=client_credentials&client_id={id}&client_secret={secret}"))
        }),
        open("GET", "/.well-known/jwks.json"),
        open("GET", "/health"),
        open("GET", "/health/live"),
        open("GET", "/health/ready"),
        open("GET", "/health/detailed"),
        open("GET", "/openapi.json"),
        open("GET", "/docs"),
        open("GET", "/fhir/metadata"),
    ]
}

fn own_account() -> Vec<Row> {
    let token = |method, path| row(method, path, Asks::Token);
    let mine = |method, path| row(method, path, Asks::Mine);
    vec![
        token("GET", "/api/v1/auth/me"),
        token("PUT", "/api/v1/auth/profile").sends(|_| json_of(json!({"display_name": "Somebody"}))),
        token("POST", "/api/v1/auth/change-password")
            .sends(|_| json_of(json!({"current_password": PASSWORD, "new_password": NEW_PASSWORD})))
            .late(),
        token("POST", "/api/v1/auth/step-up").sends(|_| json_of(json!({"password": PASSWORD}))),
        token("GET", "/api/v1/auth/mfa"),
        token("POST", "/api/v1/auth/mfa/setup").sends(|_| json_of(json!({}))),
        // Without a challenge it is the caller's own set-up that a code ends; this code is another one.
        token("POST", "/api/v1/auth/mfa/verify").sends(|_| json_of(json!({"code": "000000"}))).good(&[422]),
        token("DELETE", "/api/v1/auth/mfa/disable").sends(|_| json_of(json!({"code": "000000"}))).good(&[409, 422]),
        token("POST", "/api/v1/auth/passkeys/register").sends(|_| json_of(json!({}))),
        token("GET", "/api/v1/auth/passkeys"),
        mine("PATCH", "/api/v1/auth/passkeys/{id}")
            .sends(|_| json_of(json!({"name": "key"})))
            .ready(Ready::Passkey)
            .late(),
        mine("DELETE", "/api/v1/auth/passkeys/{id}").ready(Ready::Passkey).late(),
        token("GET", "/api/v1/auth/sessions"),
        mine("DELETE", "/api/v1/auth/sessions/{id}").ready(Ready::Session),
        token("DELETE", "/api/v1/auth/sessions"),
        token("GET", "/api/v1/audit/actions"),
    ]
}

fn accounts() -> Vec<Row> {
    let on = |method, path, what: About| row(method, path, about("accounts", what));
    let role = |_: &Asked<'_>| json_of(json!({"name": NURSERY, "permissions": ["access:review"]}));
    vec![
        on("GET", "/api/v1/auth/permissions", About::Whole),
        on("GET", "/api/v1/auth/roles", About::List).shows(NURSERY),
        on("POST", "/api/v1/auth/roles", About::Whole)
            .sends(|c| json_of(json!({"name": format!("role-of-{}", c.who.number), "permissions": ["access:review"]}))),
        on("PUT", "/api/v1/auth/roles/{id}", About::Thing).sends(role),
        on("DELETE", "/api/v1/auth/roles/{id}", About::Thing).ready(Ready::Role),
        row("GET", "/api/v1/auth/users", about("colleagues", About::List)).shows(LARKSPUR),
        on("POST", "/api/v1/auth/users/{id}/roles", About::Account)
            .sends(|_| json_of(json!({"permission": "access:review", "reason": "a try"}))),
        on("DELETE", "/api/v1/auth/users/{id}/roles", About::Account)
            .sends(|_| json_of(json!({"permission": "access:review", "reason": "a try"})))
            .ready(Ready::Grant),
        on("GET", "/api/v1/admin/users", About::List).shows(LARKSPUR),
        on("POST", "/api/v1/admin/users", About::Whole).sends(|c| {
            json_of(
                json!({"username": format!("made-by-{}", c.who.number), "roles": ["user"], "password": NEW_PASSWORD}),
            )
        }),
        on("GET", "/api/v1/admin/users/{id}", About::Thing),
        on("PATCH", "/api/v1/admin/users/{id}", About::Account).sends(|_| json_of(json!({"display_name": "Lark"}))),
        on("POST", "/api/v1/admin/users/{id}/lock", About::Account),
        on("POST", "/api/v1/admin/users/{id}/unlock", About::Account),
        on("POST", "/api/v1/admin/users/{id}/reset-mfa", About::Account),
    ]
}

fn patients() -> Vec<Row> {
    let of = |method, path, what| row(method, path, one(what));
    let list = |method, path| {
        row(method, path, Asks::Records("demographics.read", Of::Patient, Touch::List)).shows("{last_name}")
    };
    let clinical = |path| row("GET", path, one("clinical.read")).shows(CANARY);
    vec![
        row("POST", "/api/v1/patients", Asks::Records("demographics.write", Of::Patient, Touch::New)).sends(|c| {
            let last = format!("Person{}", c.who.number);
            json_of(json!({"first_name": "New", "last_name": last, "date_of_birth": "1970-01-01"}))
        }),
        list("GET", "/api/v1/patients").query("?last_name={last_name}&total=true"),
        list("GET", "/api/v1/patients/search").query("?q={last_name}"),
        of("GET", "/api/v1/patients/{id}/duplicates", "demographics.read"),
        list("POST", "/api/v1/patients/duplicates").sends(|c| {
            json_of(
                json!({"first_name": bodies::FIRST, "last_name": c.target.last_name(), "date_of_birth": bodies::BORN}),
            )
        }),
        of("GET", "/api/v1/patients/{id}", "demographics.read").shows(CANARY),
        row("PUT", "/api/v1/patients/{id}", Asks::Records("demographics.write", Of::Patient, Touch::Replace))
            .sends(|_| json_of(json!({"phone": "2025550100"}))),
        of("DELETE", "/api/v1/patients/{id}", "demographics.admin"),
        of("GET", "/api/v1/patients/{id}/summary", "demographics.read").shows(CANARY),
        of("GET", "/api/v1/patients/{id}/care-team", "clinical.read"),
        // The patient's own team is made where there is none, so it is one more record of the patient.
        row("PUT", "/api/v1/patients/{id}/care-team", Asks::Records("clinical.write", Of::Patient, Touch::Into))
            .sends(|c| json_of(json!({"members": c.team})))
            .late(),
        clinical("/api/v1/patients/{id}/conditions"),
        clinical("/api/v1/patients/{id}/allergies"),
        clinical("/api/v1/patients/{id}/medications"),
        clinical("/api/v1/patients/{id}/encounters"),
        clinical("/api/v1/patients/{id}/lab-results"),
        clinical("/api/v1/patients/{id}/vital-signs"),
        clinical("/api/v1/patients/{id}/lab-results/trends"),
        clinical("/api/v1/patients/{id}/vital-signs/trends"),
        of("GET", "/api/v1/patients/{id}/timeline", "demographics.read"),
    ]
}

fn immunizations() -> Vec<Row> {
    vec![
        row("GET", "/api/v1/patients/{id}/immunizations", one("immunization.read")).shows(CANARY),
        row(
            "POST",
            "/api/v1/patients/{id}/immunizations",
            Asks::Records("immunization.write", Of::Patient, Touch::Into),
        )
        .sends(|_| json_of(bodies::dose())),
        row("POST", "/api/v1/immunizations", Asks::Records("immunization.write", Of::Patient, Touch::Into)).sends(
            |c| {
                let mut dose = bodies::dose();
                dose["patient_id"] = json!(c.target.id("Patient"));
                json_of(dose)
            },
        ),
        row("GET", "/api/v1/immunizations", Asks::Records("immunization.read", Of::Patient, Touch::List))
            .query("?patient_id={patient}")
            .shows(CANARY),
        row("GET", "/api/v1/immunizations/{id}", one("immunization.read")).shows(CANARY),
        row("PUT", "/api/v1/immunizations/{id}", Asks::Records("immunization.write", Of::Patient, Touch::Replace))
            .sends(|_| json_of(json!({"lot_number": "canary 3"}))),
        row("DELETE", "/api/v1/immunizations/{id}", one("immunization.admin")),
        row("GET", "/api/v1/iris/vaccines", about("registry.read", About::Whole)),
        row("GET", "/api/v1/iris/manufacturers", about("registry.read", About::Whole)),
    ]
}

fn consents() -> Vec<Row> {
    let desk = |method, path, what, touch| row(method, path, Asks::Records(what, Of::Desk, touch));
    const PATH: &str = "/api/v1/patients/{id}/consents";
    vec![
        desk("GET", PATH, "demographics.read", Touch::One).shows(CANARY),
        desk("POST", PATH, "demographics.write", Touch::Into)
            .sends(|_| json_of(json!({"decision": "permit", "policy_text": "finch"}))),
        desk("PUT", "/api/v1/patients/{id}/consents/{consent_id}", "demographics.write", Touch::Replace)
            .sends(|_| json_of(json!({"policy_text": "canary again"}))),
        desk("POST", "/api/v1/patients/{id}/consents/{consent_id}/revoke", "demographics.write", Touch::Replace)
            .sends(|_| json_of(json!({"reason": "canary"}))),
    ]
}

fn log() -> Vec<Row> {
    let read = |path, what: About| row("GET", path, about("audit-log.read", what));
    vec![
        read("/api/v1/audit/logs", About::List).query("?user_name=larkspur").shows(LARKSPUR),
        read("/api/v1/audit/logs/{id}", About::Thing),
        read("/api/v1/audit/logs/{id}/proof", About::Thing),
        row("GET", "/api/v1/audit/patients/{id}/disclosures", about("disclosures.read", About::Disclosures)),
        read("/api/v1/audit/checkpoints", About::Whole),
        row("GET", "/api/v1/audit/export", about("audit-log.admin", About::List)).shows(NIGHTINGALE),
        row("POST", "/api/v1/audit/verify-integrity", about("audit-log.admin", About::Whole)),
    ]
}

fn administration() -> Vec<Row> {
    let tenants = |method, path| row(method, path, about("tenants", About::Installation));
    let reviews = |method, path, what: About| row(method, path, about("reviews", what));
    vec![
        tenants("GET", "/api/v1/admin/tenants"),
        tenants("POST", "/api/v1/admin/tenants").sends(|c| {
            let admin = json!({"username": "first", "password": NEW_PASSWORD});
            json_of(json!({"name": format!("tenant-of-{}", c.who.number), "admin": admin}))
        }),
        tenants("PATCH", "/api/v1/admin/tenants/{number}").sends(|_| json_of(json!({"name": "renamed"}))),
        reviews("GET", "/api/v1/admin/access-reviews", About::List).shows(NIGHTINGALE),
        reviews("POST", "/api/v1/admin/access-reviews", About::Whole).sends(|_| json_of(json!({}))),
        reviews("GET", "/api/v1/admin/access-reviews/{id}", About::Thing),
        reviews("POST", "/api/v1/admin/access-reviews/{id}/decide", About::Account)
            .sends(|c| json_of(json!({"user_id": c.account, "verdict": "keep", "reason": "a try"})))
            .ready(Ready::Review),
        reviews("GET", "/api/v1/admin/access-report", About::List).shows(LARKSPUR),
        row("GET", "/api/v1/keys", about("operation", About::Whole)),
        row("POST", "/api/v1/keys/rotate", about("operation", About::Installation)),
        row("GET", "/api/v1/admin/dashboard", about("operation", About::Whole)),
        row("GET", "/api/v1/admin/policy", about("accounts", About::Whole)),
        row("PUT", "/api/v1/admin/policy", about("accounts", About::Whole))
            .sends(|_| json_of(json!({"break_glass_minutes": 60}))),
    ]
}

fn emergencies() -> Vec<Row> {
    vec![
        row("POST", "/api/v1/break-glass", about("break-glass.open", About::Opening))
            .sends(|c| json_of(json!({"patient_id": c.target.id("Patient"), "reason": "unconscious"})))
            .late(),
        row("GET", "/api/v1/break-glass", Asks::Emergencies(Touch::List)).shows(LARKSPUR),
        row("GET", "/api/v1/break-glass/{id}", Asks::Emergencies(Touch::One)),
        row("POST", "/api/v1/break-glass/{id}/review", about("break-glass.review", About::Review))
            .sends(|_| json_of(json!({"verdict": "justified", "note": "a try"})))
            .ready(Ready::Emergency),
    ]
}

/// The types of FHIR that stand for all: one of each family, and what is special beside.
const TYPES: [(&str, [&str; 3], Of); 13] = [
    ("Patient", ["demographics.read", "demographics.write", "demographics.admin"], Of::Patient),
    ("Consent", ["demographics.read", "demographics.write", "demographics.admin"], Of::Consent),
    ("Coverage", ["billing.read", "billing.write", "billing.admin"], Of::Patient),
    ("Immunization", ["immunization.read", "immunization.write", "immunization.admin"], Of::Patient),
    ("Observation", ["clinical.read", "clinical.write", "clinical.admin"], Of::Patient),
    ("Appointment", ["scheduling.read", "scheduling.write", "scheduling.admin"], Of::Patient),
    ("Communication", ["workflow.read", "workflow.write", "workflow.admin"], Of::Patient),
    ("DocumentReference", ["document.read", "document.write", "document.admin"], Of::Patient),
    ("ImagingStudy", ["imaging.read", "imaging.write", "imaging.admin"], Of::Patient),
    ("Practitioner", ["directory.read", "directory.write", "directory.admin"], Of::Nobody),
    ("ValueSet", ["knowledge.read", "knowledge.write", "knowledge.admin"], Of::Nobody),
    ("AuditEvent", ["audit-event.read", "audit-event.write", "audit-event.admin"], Of::Patient),
    ("Subscription", ["platform.read", "platform.write", "platform.admin"], Of::Nobody),
];

fn fhir() -> Vec<Row> {
    let mut rows = Vec::new();
    for (kind, [read, write, admin], of) in TYPES {
        let at = |method, path, what, touch| row(method, path, Asks::Records(what, of, touch)).kind(kind);
        let made = if of == Of::Nobody || kind == "Patient" { Touch::New } else { Touch::Into };
        let body = |c: &Asked<'_>| json_of(bodies::of(c.kind, c.target));
        let new = |c: &Asked<'_>| json_of(bodies::new(c.kind, c.target));
        let tag = |_: &Asked<'_>| {
            let meta = json!({"tag": [{"system": "urn:matrix", "code": "seen"}]});
            json_of(json!({"resourceType": "Parameters", "parameter": [{"name": "meta", "valueMeta": meta}]}))
        };
        rows.extend([
            at("GET", "/fhir/{type}/{id}", read, Touch::One).shows(CANARY),
            at("GET", "/fhir/{type}/{id}/_history/{version}", read, Touch::One).shows(CANARY),
            at("PUT", "/fhir/{type}/{id}", write, Touch::Replace).sends(body).good(&[200]),
            at("DELETE", "/fhir/{type}/{id}", admin, Touch::One),
            at("PATCH", "/fhir/{type}/{id}", write, Touch::Replace).sends(|_| Body::Patch(json!([]))),
            at("PUT", "/fhir/{type}", write, Touch::Replace).query("?_id={id}").sends(body).good(&[200]),
            at("PATCH", "/fhir/{type}", write, Touch::Replace).query("?_id={id}").sends(|_| Body::Patch(json!([]))),
            at("DELETE", "/fhir/{type}", admin, Touch::List)
                .query("?_id={id}")
                .prefers("return=OperationOutcome")
                .shows("deleted: 1"),
            at("GET", "/fhir/{type}/_history", read, Touch::List).query("?_count=1000").shows("/{id}\""),
            at("GET", "/fhir/{type}/{id}/$meta", read, Touch::One),
            at("POST", "/fhir/{type}/{id}/$meta-add", write, Touch::Replace).sends(tag),
            at("POST", "/fhir/{type}/{id}/$meta-delete", write, Touch::Replace).sends(tag),
            at("GET", "/fhir/{type}/{id}/_history", read, Touch::One).shows(CANARY),
            at("POST", "/fhir/{type}", write, made).sends(new),
            at("GET", "/fhir/{type}", read, Touch::List).query("?_id={id}&_total=accurate").shows(CANARY),
            at("POST", "/fhir/{type}/_search", read, Touch::List)
                .sends(|c| Body::Form(format!("_id={}", c.target.id(c.kind))))
                .shows(CANARY),
        ]);
    }
    rows.extend([
        // Whoever may read something sees the history of that; what is left out is that of each type.
        row("GET", "/fhir/_history", Asks::Records("some.read", Of::Nobody, Touch::New)).query("?_count=1"),
        row("POST", "/fhir", one("demographics.read")).shows(CANARY).sends(|c| {
            let read = json!({"request": {"method": "GET", "url": format!("Patient/{}", c.target.id("Patient"))}});
            json_of(json!({"resourceType": "Bundle", "type": "batch", "entry": [read]}))
        }),
        row("POST", "/fhir/", Asks::Records("clinical.write", Of::Patient, Touch::Into)).sends(|c| {
            let new = bodies::new("Observation", c.target);
            let post = json!({"resource": new, "request": {"method": "POST", "url": "Observation"}});
            json_of(json!({"resourceType": "Bundle", "type": "transaction", "entry": [post]}))
        }),
    ]);
    rows
}

fn settings() -> Vec<Row> {
    let on = |method, path| row(method, path, about("operation", About::Installation));
    vec![
        on("GET", "/api/v1/config"),
        on("PATCH", "/api/v1/config").sends(|_| json_of(json!({}))),
        on("GET", "/api/v1/config/flags/{name}"),
        on("PUT", "/api/v1/config/flags/{name}").sends(|_| json_of(json!({"enabled": true}))),
    ]
}
