//! `GET /api/v1/config`

use axum::http::{Method, StatusCode};
use iris_access::{Named, Read};

use super::{READ, body, tagged};
use crate::answer::Answer;
use crate::call::Call;
use crate::endpoint::{Endpoint, Outcome};

pub(super) fn endpoint() -> Endpoint {
    Endpoint::new(
        Method::GET,
        "/api/v1/config",
        "The settings that can be changed while the server runs, as they count now",
        handle,
    )
    .needs(READ)
    .gives(&[(200, Some("Config"))])
}

async fn handle(call: Call) -> Outcome {
    let permit = call.permit_named(Read, Named::Operation).await?;
    // What is stored, not what this node heard of last: another node may have changed it a moment ago.
    let asked = call.app.settings.asking();
    let known = call.app.identity.settings_read(&permit)?;
    call.app.settings.apply(asked, known, &call.app.identity, &call.app.records);
    let (version, at, body) = body(&call.app);
    Ok(tagged(Answer::json(StatusCode::OK, body), version, at))
}
