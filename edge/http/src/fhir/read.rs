//! `GET /fhir/{type}/{id}` and `GET /fhir/{type}/{id}/_history/{version}`

use std::time::SystemTime;

use axum::http::Method;
use axum::http::header::{IF_MODIFIED_SINCE, IF_NONE_MATCH};
use iris_access::{Read, VersionRead};
use iris_kernel::{Timestamp, Version};
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
    if unchanged(&call, stored.version) || unmodified(&call, stored.at) {
        return Ok(not_modified(stored.version, stored.at));
    }
    Ok(shown(&stored))
}

/// Whether the caller has what is there since then (`If-Modified-Since`), which counts only where there is no `If-None-Match`
/// (RFC 9110 §13.1.3). A date that is none is passed over, as it says.
fn unmodified(call: &Call, at: Timestamp) -> bool {
    let since = call.header(&IF_MODIFIED_SINCE).filter(|_| call.header(&IF_NONE_MATCH).is_none());
    let since = since.and_then(|text| httpdate::parse_http_date(text).ok());
    let since = since.and_then(|since| since.duration_since(SystemTime::UNIX_EPOCH).ok());
    since.is_some_and(|since| u64::try_from(at.seconds()).is_ok_and(|at| at <= since.as_secs()))
}

async fn version_read(call: Call) -> Outcome {
    let permit = call.permit(VersionRead, kind(&call)?).await?;
    let version = call.path("version").parse().map_err(|_| Problem::from(Refusal::not_found()))?;
    let sealed = call.app.records.version_read(&permit, call.id()?, Version(version))?;
    Ok(shown(&call.release(sealed).await?.found()?))
}
