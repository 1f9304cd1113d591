//! `GET /api/v1/auth/permissions`: every permission, every family of records, and which role may what there, as data.

use axum::http::{Method, StatusCode};
use iris_access::{ActionKind, Family, Named, Permission, Role, Rule, Search};
use iris_fhir::json::Writer;

use crate::answer::Answer;
use crate::call::Call;
use crate::endpoint::{Endpoint, Needs, Outcome};

pub(super) fn endpoint() -> Endpoint {
    const WHAT: &str = "The permissions, the families of records, and what each role may do there";
    Endpoint::new(Method::GET, "/api/v1/auth/permissions", WHAT, handle)
        .needs(Needs::Named(ActionKind::Search, Named::Accounts))
        .gives(&[(200, Some("PermissionMatrix"))])
}

async fn handle(call: Call) -> Outcome {
    let permit = call.permit_named(Search, Named::Accounts).await?;
    let own = call.app.identity.role_list(&permit).await?;
    let mut w = Writer::new();
    w.object().key("items").array();
    for permission in Permission::ALL {
        w.object().member("name", permission.name()).member("description", meaning(permission)).end();
    }
    w.end().key("families").array();
    for family in Family::ALL {
        w.object().member("name", family.name()).key("permissions").object();
        for action in ActionKind::ALL {
            if let Some(permission) = family.permission(action) {
                w.member(action.name(), permission.name());
            }
        }
        w.end().end();
    }
    w.end().key("cells").array();
    for role in Role::ALL {
        cells(role.name(), role.rules(), &mut w);
    }
    for role in &own {
        cells(&role.name, &role.rules, &mut w);
    }
    w.end().end();
    Ok(Answer::json(StatusCode::OK, w.finish()))
}

/// What one role may do on each family: `yes`, `own` (on the own record), or `no`; an action that nobody may do there is left out.
fn cells(role: &str, rules: &[Rule], w: &mut Writer) {
    for family in Family::ALL {
        w.object().member("role", role).member("family", family.name());
        for action in ActionKind::ALL {
            let Some(permission) = family.permission(action) else { continue };
            let mut giving = rules.iter().filter(|rule| rule.gives(permission, family)).peekable();
            let cell = match (giving.peek().is_some(), giving.any(|rule| !rule.own_record_only)) {
                (false, _) => "no",
                (true, true) => "yes",
                (true, false) => "own",
            };
            w.member(action.name(), cell);
        }
        w.end();
    }
}

/// What a permission opens, in a sentence.
const fn meaning(permission: Permission) -> &'static str {
    use Permission as P;
    match permission {
        P::HealthcareRead => "See patients, their insurance, immunizations and clinical records.",
        P::HealthcareWrite => "Record and change them.",
        P::HealthcareAdmin => "Delete and export them; look after practitioners, organizations and places.",
        P::HealthcareIdentifiers => "See national identifiers such as SSNs in full, and search by them.",
        P::HealthcareRestricted => "See records with a security label other than very restricted.",
        P::HealthcareVeryRestricted => "See records that are labelled very restricted, too.",
        P::HealthcareBreakGlass => "See a record in an emergency that is closed otherwise; every use is reviewed.",
        P::HealthcareConsents => {
            "Keep consents: see them although they close the patient's record, and take them back."
        }
        P::ClinicalRead => "See appointments, tasks and messages.",
        P::ClinicalWrite => "Make and change them.",
        P::ClinicalExecute => "Run workflows.",
        P::ClinicalAdmin => "Delete and export appointments, tasks and messages.",
        P::DocumentRead => "See documents.",
        P::DocumentWrite => "Store and change documents.",
        P::DocumentShare => "Share documents.",
        P::DocumentAdmin => "Delete and export documents.",
        P::DicomRead => "See images.",
        P::DicomWrite => "Store and change images.",
        P::DicomAdmin => "Delete and export images.",
        P::IrisRead => "See the state of the immunization registry.",
        P::IrisWrite => "Exchange with the immunization registry.",
        P::IrisAdmin => "Set up the exchange with the immunization registry.",
        P::AuditRead => "Read the access log.",
        P::AuditAdmin => "Verify and export the access log.",
        P::AccessReview => "Review who has access, and what was seen in emergencies.",
        P::RetentionRead => "See how long records are kept.",
        P::RetentionAdmin => "Set how long records are kept, and purge them.",
        P::AiUse => "Use the assistant.",
        P::SystemAdmin => "Run the installation: accounts, keys, settings, imports.",
    }
}
