//! `$validate` on a type and on a record (R4 resource-operation-validate.html): what would be said of a resource if it were
//! stored, without storing it.

use axum::http::{Method, StatusCode};
use iris_access::{Create, Delete, Read, Update};
use iris_fhir::Resource;
use iris_kernel::{ErrorKind, Kind};
use iris_validation::{Mode, Operation as Asked, Report, Target};

use super::super::{ID, Routed, TYPE};
use super::{Operation, kind_with, on};
use crate::answer::Answer;
use crate::blocking::blocking;
use crate::call::Call;
use crate::endpoint::{Endpoint, Outcome, Param, query};
use crate::problem::Problem;

const OPERATION: Operation = Operation {
    name: "validate",
    definition: "http://hl7.org/fhir/OperationDefinition/Resource-validate",
    only: None,
    what: "Against the base definitions; mode is create, update or delete. Whether identifiers are unique and references lead to \
           something is tried when a resource is stored. A profile is refused: nothing is validated against profiles here.",
};
const MODE: Param = query("mode", "create, update or delete: what is meant to be done with it.");

pub(super) fn endpoints() -> Vec<Routed> {
    const GONE: &[ErrorKind] = &[ErrorKind::NotFound, ErrorKind::Gone];
    let of_type = Endpoint::new(Method::POST, "/fhir/{type}/$validate", "Check a resource without storing it", of_type);
    let what = "Check a resource that is to replace this one, or this one";
    let posted = Endpoint::new(Method::POST, "/fhir/{type}/{id}/$validate", what, posted);
    let stored =
        Endpoint::new(Method::GET, "/fhir/{type}/{id}/$validate", "Check a resource that is stored", about_stored);
    [
        of_type.params(&[TYPE, MODE]).takes("Resource").fails(&[ErrorKind::NotFound]),
        posted.params(&[TYPE, ID, MODE]).takes("Resource").fails(GONE),
        stored.params(&[TYPE, ID, MODE]).fails(GONE),
    ]
    .map(|endpoint| on(&OPERATION, endpoint.gives(&[(200, Some("OperationOutcome"))])))
    .into()
}

async fn of_type(mut call: Call) -> Outcome {
    let kind = kind_with(&call, &OPERATION)?;
    let body = call.maybe_resource().await?;
    let Some((body, _held)) = body else { return Err(Problem::new(ErrorKind::Malformed, "the resource is missing")) };
    let asked = asked(&call, body, Target::Type(kind))?;
    match asked.mode {
        Mode::Content => {}
        Mode::Create => drop(call.permit(Create, kind).await?),
        Mode::Update => drop(call.permit(Update, kind).await?),
        Mode::Delete => {
            let what = "delete is about one record: Type/id/$validate";
            return Err(Problem::at(ErrorKind::NotSupported, "mode", what));
        }
    }
    judged(asked, kind, None).await
}

async fn posted(mut call: Call) -> Outcome {
    let body = call.maybe_resource().await?;
    about(&call, body.map(|(body, _held)| body)).await
}

async fn about_stored(call: Call) -> Outcome {
    about(&call, None).await
}

/// About a record that is there, and that the caller sees.
async fn about(call: &Call, body: Option<Resource>) -> Outcome {
    let (kind, id) = (kind_with(call, &OPERATION)?, call.id()?.to_owned());
    let permit = call.permit(Read, kind).await?;
    let found = call.release(call.app.records.read(&permit, &id)?).await?.found()?;
    let body = match body {
        Some(body) => body,
        None => Resource::parse(found.body.clone())
            .map_err(|cause| Problem::caused(ErrorKind::Damaged, "the record cannot be read", cause))?,
    };
    let asked = asked(call, body, Target::Instance(kind, &id))?;
    match asked.mode {
        Mode::Content => {}
        Mode::Create => {
            return Err(Problem::at(ErrorKind::NotSupported, "mode", "create is about a type: Type/$validate"));
        }
        Mode::Update => drop(call.permit(Update, kind).await?),
        Mode::Delete => drop(call.permit(Delete, kind).await?),
    }
    judged(asked, kind, Some(id)).await
}

/// What is asked: by the body, and by a mode in the query beside a body that is the resource itself.
fn asked(call: &Call, body: Resource, on: Target<'_>) -> Result<Asked, Problem> {
    let with = |faults| Problem::with(ErrorKind::NotSupported, faults);
    let mut asked = Asked::read(body, on).map_err(with)?;
    if let Some(code) = call.query_value("mode") {
        let mode = Mode::read(code).map_err(|fault| with(vec![fault]))?;
        if !matches!(asked.mode, Mode::Content) && asked.mode != mode {
            return Err(Problem::at(ErrorKind::Malformed, "mode", "is another one in the body"));
        }
        asked.mode = mode;
    }
    Ok(asked)
}

/// What is to be said; large resources take a while, so this runs where it may block.
async fn judged(asked: Asked, kind: Kind, id: Option<String>) -> Outcome {
    let report = blocking(move || {
        let target = id.as_deref().map_or(Target::Type(kind), |id| Target::Instance(kind, id));
        asked.report(target)
    });
    let report: Report = report
        .await
        .map_err(|cause| Problem::caused(ErrorKind::Internal, "the resource could not be checked", cause))?;
    Ok(Answer::fhir(StatusCode::OK, report.outcome()))
}
