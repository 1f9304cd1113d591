//! `GET /api/v1/keys`: which keys there are, in numbers and dates; never a key.

use axum::http::{Method, StatusCode};
use iris_access::{ActionKind, Named, Read};
use iris_fhir::json::Writer;
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
    w.key("signing_keys").array();
    for key in call.app.identity.signing_keys(&permit)? {
        w.object().member("id", &key.id).member("algorithm", key.algorithm).member("created_at", &key.created);
        w.key("active").bool(key.active).end();
    }
    w.end().member("audit_key", &call.app.audit.public_key().to_string());
    Ok(Answer::json(StatusCode::OK, w.finish()))
}
