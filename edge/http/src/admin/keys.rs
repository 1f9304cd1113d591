//! `GET /api/v1/keys`: which keys there are, in numbers and dates; never a key. `POST /api/v1/keys/rotate`: a new one signs access
//! tokens.

use axum::http::{Method, StatusCode};
use iris_access::{ActionKind, Named, Read, Update};
use iris_fhir::json::Writer;
use iris_identity::SigningKeyView;
use iris_kernel::{ErrorKind, Tenant};

use crate::answer::Answer;
use crate::call::Call;
use crate::endpoint::{Endpoint, Needs, Outcome};
use crate::problem::Problem;

pub(super) fn endpoint() -> Endpoint {
    Endpoint::new(Method::GET, "/api/v1/keys", "The keys in numbers and dates", handle)
        .needs(Needs::Named(ActionKind::Read, Named::Operation))
        .gives(&[(200, Some("Keys"))])
}

pub(super) fn rotate() -> Endpoint {
    const WHAT: &str = "Sign access tokens with a new key; those that were signed before count until they run out";
    Endpoint::new(Method::POST, "/api/v1/keys/rotate", WHAT, handle_rotate)
        .needs(Needs::Named(ActionKind::Update, Named::Operation))
        .step_up()
        .gives(&[(200, Some("SigningKeys"))])
        .fails(&[ErrorKind::Conflict])
}

async fn handle_rotate(call: Call) -> Outcome {
    let permit = call.permit_named(Update, Named::Operation).await?;
    let keys = call.app.identity.signing_key_rotate(&permit).await?;
    let mut w = Writer::new();
    w.object();
    show(&keys, &mut w);
    w.end();
    Ok(Answer::json(StatusCode::OK, w.finish()))
}

/// Writes the keys as a member of the open object.
fn show(keys: &[SigningKeyView], w: &mut Writer) {
    w.key("signing_keys").array();
    for key in keys {
        w.object().member("id", &key.id).member("algorithm", key.algorithm).member("created_at", &key.created);
        w.key("active").bool(key.active);
        if let Some(retired) = key.retired {
            w.member("retired_at", &retired.rfc3339());
        }
        w.end();
    }
    w.end();
}

async fn handle(call: Call) -> Outcome {
    let permit = call.permit_named(Read, Named::Operation).await?;
    let (store, tenant) = (call.app.store.clone(), permit.tenant());
    let counted = crate::blocking::blocking(move || store.key_counts(tenant)).await;
    let counts = counted
        .map_err(|cause| Problem::caused(ErrorKind::Internal, "counting the keys was broken off", cause))?
        .map_err(|cause| Problem::caused(cause.kind(), "the keys cannot be counted", cause))?;
    let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let mut w = Writer::new();
    // How many tenants there are and how many patients they have is for those who run the installation, not for one of its tenants.
    let whole = |count: u64, w: &mut Writer| {
        match tenant == Tenant::DEFAULT {
            true => w.integer(number(count)),
            false => w.null(),
        };
    };
    w.object().key("root").object().key("wraps");
    whole(counts.under_root, &mut w);
    w.end().key("data_keys").object().key("total");
    whole(counts.total, &mut w);
    w.key("of_tenant").integer(number(counts.of_tenant)).end();
    show(&call.app.identity.signing_keys(&permit)?, &mut w);
    w.member("audit_key", &call.app.audit.public_key().to_string());
    Ok(Answer::json(StatusCode::OK, w.finish()))
}
