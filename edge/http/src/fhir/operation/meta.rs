//! `$meta`, `$meta-add` and `$meta-delete` on one resource (R4 resource-operations.html).

use axum::http::{Method, StatusCode};
use iris_access::{Read, Update};
use iris_kernel::ErrorKind;
use iris_resources::{Content, MetaChange, MetaOp, Which, meta_of};
use iris_validation::Valid;

use super::super::{ID, IF_MATCH, Routed, TYPE, kind};
use super::{Operation, on};
use crate::answer::Answer;
use crate::call::Call;
use crate::endpoint::{Endpoint, Outcome};
use crate::plain::versioned;
use crate::problem::Problem;

const META: Operation = Operation {
    name: "meta",
    definition: "http://hl7.org/fhir/OperationDefinition/Resource-meta",
    only: None,
    what: "On a resource. What all resources of a type have is not gathered.",
};
const ADD: Operation = Operation {
    name: "meta-add",
    definition: "http://hl7.org/fhir/OperationDefinition/Resource-meta-add",
    only: None,
    what: "Takes profile, security and tag, and makes a new version. Nobody sets a label that they may not see.",
};
const DELETE: Operation = Operation {
    name: "meta-delete",
    definition: "http://hl7.org/fhir/OperationDefinition/Resource-meta-delete",
    only: None,
    what: "Takes profile, security and tag, and makes a new version. Nobody takes a label away that they may not see.",
};

pub(super) fn endpoints() -> Vec<Routed> {
    const GONE: &[ErrorKind] = &[ErrorKind::NotFound, ErrorKind::Gone];
    const CHANGING: &[ErrorKind] =
        &[ErrorKind::Malformed, ErrorKind::Invalid, ErrorKind::NotFound, ErrorKind::Gone, ErrorKind::LostUpdate];
    let what = "Profiles, tags and security labels of a resource";
    let meta = Endpoint::new(Method::GET, "/fhir/{type}/{id}/$meta", what, shown).params(&[TYPE, ID]).fails(GONE);
    let what = "Add profiles, tags and security labels";
    let add = Endpoint::new(Method::POST, "/fhir/{type}/{id}/$meta-add", what, |call| change(call, MetaOp::Add));
    let what = "Take profiles, tags and security labels away";
    let path = "/fhir/{type}/{id}/$meta-delete";
    let delete = Endpoint::new(Method::POST, path, what, |call| change(call, MetaOp::Delete));
    let changing = |endpoint: Endpoint| endpoint.params(&[TYPE, ID, IF_MATCH]).takes("Parameters").fails(CHANGING);
    [(&META, meta), (&ADD, changing(add)), (&DELETE, changing(delete))]
        .map(|(operation, endpoint)| on(operation, endpoint.gives(&[(200, Some("Parameters"))])))
        .into()
}

async fn shown(call: Call) -> Outcome {
    let permit = call.permit(Read, kind(&call)?).await?;
    let stored = call.release(call.app.records.read(&permit, call.id()?)?).await?.found()?;
    Ok(versioned(Answer::fhir(StatusCode::OK, meta_of(&stored.body)?), stored.version, stored.at))
}

async fn change(mut call: Call, op: MetaOp) -> Outcome {
    let permit = call.permit(Update, kind(&call)?).await?;
    let (parameters, _held) = call.any_resource().await?;
    if parameters.kind_name() != "Parameters" {
        return Err(Problem::at(ErrorKind::Malformed, "/resourceType", "is not Parameters"));
    }
    let parameters = Valid::check(parameters).map_err(|(_, faults)| Problem::with(ErrorKind::Invalid, faults))?;
    let change = MetaChange::read(op, parameters.into_inner())?;
    let (which, content) = (Which::Id(call.id()?), Content::Changed(&change));
    let made = call.app.records.update(&permit, which, content, call.if_match()?.into(), None).await?;
    call.wrote(&made);
    Ok(versioned(Answer::fhir(StatusCode::OK, meta_of(&made.body)?), made.version, made.at))
}
