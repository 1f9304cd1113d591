//! `GET /fhir/{type}/{id}` and `GET /fhir/{type}/{id}/_history/{version}`

use axum::http::Method;
use iris_access::{Read, VersionRead};
use iris_kernel::Version;
use iris_resources::Refusal;

use super::{FORMAT, ID, PRETTY, TYPE, kind, shown};
use crate::call::Call;
use crate::endpoint::{Endpoint, Outcome, path};
use crate::plain::{not_modified, unchanged};
use crate::problem::Problem;

pub(super) fn version_endpoint() -> Endpoint {
    Endpoint::new(Method::GET, "/fhir/{type}/{id}/_history/{version}", "Read one version", version_read)
        .params(&[TYPE, ID, path("version", "The version's number."), FORMAT, PRETTY])
        .gives(&[(200, Some("Resource"))])
}

pub(super) async fn read(call: Call) -> Outcome {
    let permit = call.permit(Read, kind(&call)?).await?;
    let stored = call.release(call.app.records.read(&permit, call.id()?)?).await?.found()?;
    if unchanged(&call, stored.version) {
        return Ok(not_modified(stored.version, stored.at));
    }
    Ok(shown(&stored))
}

async fn version_read(call: Call) -> Outcome {
    let permit = call.permit(VersionRead, kind(&call)?).await?;
    let version = call.path("version").parse().map_err(|_| Problem::from(Refusal::not_found()))?;
    let sealed = call.app.records.version_read(&permit, call.id()?, Version(version))?;
    Ok(shown(&call.release(sealed).await?.found()?))
}
