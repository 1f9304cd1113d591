//! `GET /api/v1/admin/users/{id}`

use axum::http::{Method, StatusCode};
use iris_access::{ActionKind, Named, Read};
use iris_fhir::json::Writer;
use iris_kernel::ErrorKind;

use super::{ID, show, show_texts, user_id};
use crate::answer::Answer;
use crate::call::Call;
use crate::endpoint::{Endpoint, Needs, Outcome};

pub(super) fn endpoint() -> Endpoint {
    Endpoint::new(Method::GET, "/api/v1/admin/users/{id}", "One account", handle)
        .needs(Needs::Named(ActionKind::Read, Named::Accounts))
        .params(&[ID])
        .gives(&[(200, Some("User"))])
        .fails(&[ErrorKind::NotFound])
}

async fn handle(call: Call) -> Outcome {
    let permit = call.permit_named(Read, Named::Accounts).await?;
    let user = call.app.identity.user_read(&permit, user_id(&call)?).await?;
    let factors = call.app.identity.factors_of(&permit, user.id)?;
    let mut w = Writer::new();
    show(&user, &mut w);
    let set_up = [("totp", factors.totp), ("passkey", !factors.passkeys.is_empty())];
    show_texts("factors", &set_up.into_iter().filter_map(|(name, is)| is.then_some(name)).collect::<Vec<_>>(), &mut w);
    w.end();
    Ok(Answer::json(StatusCode::OK, w.finish()))
}
