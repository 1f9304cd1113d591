//! `$validate` on a type and on a record (R4 resource-operation-validate.html): what would be said of a resource if it were
//! stored, without storing it.

use axum::http::{Method, StatusCode};
use iris_access::{Create, Delete, Read, Update};
use iris_fhir::json::Writer;
use iris_fhir::{Resource, definitions, validate};
use iris_kernel::{ErrorKind, Fault, Kind};

use super::super::{ID, Routed, TYPE};
use super::parameters::{Inputs, Takes, of_body, of_query};
use super::{Operation, kind_with, on};
use crate::answer::Answer;
use crate::blocking::blocking;
use crate::call::Call;
use crate::endpoint::{Endpoint, Outcome, Param, query};
use crate::problem::{Problem, issue, outcome, table};

const OPERATION: Operation = Operation {
    name: "validate",
    definition: "http://hl7.org/fhir/OperationDefinition/Resource-validate",
    only: None,
    what: "Against the base definitions; mode is create, update or delete. Whether identifiers are unique and references lead to \
           something is tried when a resource is stored. A profile other than the type itself is refused.",
};
const TAKES: Takes = Takes { values: &["mode", "profile"], resource: "resource" };
const MODE: Param = query("mode", "create, update or delete: what is meant to be done with it.");
const PROFILE: Param = query("profile", "The canonical address of the type itself; no other is known here.");
/// Where the definitions of types are.
const DEFINITIONS: &str = "http://hl7.org/fhir/StructureDefinition/";

pub(super) fn endpoints() -> Vec<Routed> {
    let of_type = Endpoint::new(Method::POST, "/fhir/{type}/$validate", "Check a resource without storing it", of_type);
    let post = Endpoint::new(
        Method::POST,
        "/fhir/{type}/{id}/$validate",
        "Check a resource that is to replace this one, or this one",
        posted,
    );
    let get = Endpoint::new(Method::GET, "/fhir/{type}/{id}/$validate", "Check a resource that is stored", stored);
    const GONE: &[ErrorKind] = &[ErrorKind::NotFound, ErrorKind::Gone];
    [
        of_type.params(&[TYPE, MODE, PROFILE]).takes("Resource").fails(&[ErrorKind::NotFound]),
        post.params(&[TYPE, ID, MODE, PROFILE]).takes("Resource").fails(GONE),
        get.params(&[TYPE, ID, MODE, PROFILE]).fails(GONE),
    ]
    .map(|endpoint| on(&OPERATION, endpoint.gives(&[(200, Some("OperationOutcome"))])))
    .into()
}

/// What is meant to be done with the resource.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Create,
    Update,
    Delete,
}

impl Mode {
    fn of(inputs: &Inputs) -> Result<Option<Self>, Problem> {
        match inputs.once("mode")? {
            None => Ok(None),
            Some("create") => Ok(Some(Self::Create)),
            Some("update") => Ok(Some(Self::Update)),
            Some("delete") => Ok(Some(Self::Delete)),
            Some(_) => {
                Err(Problem::at(ErrorKind::NotSupported, "mode", "must be create, update or delete; profile is not supported"))
            }
        }
    }
}

async fn of_type(mut call: Call) -> Outcome {
    let kind = kind_with(&call, &OPERATION)?;
    let inputs = of_body(&mut call, &TAKES).await?;
    base_only(&inputs, kind)?;
    match Mode::of(&inputs)? {
        None => {}
        Some(Mode::Create) => drop(call.permit(Create, kind).await?),
        Some(Mode::Update | Mode::Delete) => {
            return Err(Problem::at(ErrorKind::NotSupported, "mode", "update and delete are about one record: Type/id/$validate"));
        }
    }
    let Some(resource) = inputs.resource else {
        return Err(Problem::at(ErrorKind::Malformed, "resource", "is needed"));
    };
    judged(resource, kind, None).await
}

async fn posted(mut call: Call) -> Outcome {
    let inputs = of_body(&mut call, &TAKES).await?;
    about(&call, inputs).await
}

async fn stored(call: Call) -> Outcome {
    let inputs = of_query(&call);
    about(&call, inputs).await
}

/// About a record that is there, and that the caller sees.
async fn about(call: &Call, inputs: Inputs) -> Outcome {
    let kind = kind_with(call, &OPERATION)?;
    base_only(&inputs, kind)?;
    let permit = call.permit(Read, kind).await?;
    let found = call.release(call.app.records.read(&permit, call.id()?)?).await?.found()?;
    match Mode::of(&inputs)? {
        None => {}
        Some(Mode::Create) => {
            return Err(Problem::at(ErrorKind::NotSupported, "mode", "create is about a type: Type/$validate"));
        }
        Some(Mode::Update) => drop(call.permit(Update, kind).await?),
        Some(Mode::Delete) => {
            drop(call.permit(Delete, kind).await?);
            return Ok(answered(&[]));
        }
    }
    match inputs.resource {
        Some(resource) => judged(resource, kind, Some(&found.id)).await,
        None => {
            let read = Resource::parse(found.body.clone());
            let read = read.map_err(|cause| Problem::caused(ErrorKind::Damaged, "the record cannot be read", cause))?;
            judged(read, kind, None).await
        }
    }
}

fn base_only(inputs: &Inputs, kind: Kind) -> Result<(), Problem> {
    let own = |profile: &str| profile.strip_prefix(DEFINITIONS) == Some(definitions().name_of(kind));
    match inputs.once("profile")? {
        Some(profile) if !own(profile) => {
            Err(Problem::at(ErrorKind::NotSupported, "profile", "is not known; only the definition of the type itself is"))
        }
        _ => Ok(()),
    }
}

/// What is to be said of a resource; large ones take a while, so this runs where it may block.
async fn judged(resource: Resource, kind: Kind, id: Option<&str>) -> Outcome {
    let mut said = Vec::new();
    if resource.kind() != kind {
        said.push(Fault::new("/resourceType", format!("is not {}, the type of the path", definitions().name_of(kind))));
    }
    if id.is_some_and(|id| resource.id().as_deref() != Some(id)) {
        said.push(Fault::new("/id", "must be there and be the id of the path"));
    }
    let found = blocking(move || validate(&resource)).await;
    said.extend(found.map_err(|cause| Problem::caused(ErrorKind::Internal, "the resource could not be checked", cause))?);
    Ok(answered(&said))
}

fn answered(said: &[Fault]) -> Answer {
    if !said.is_empty() {
        return Answer::fhir(StatusCode::OK, outcome(table(ErrorKind::Invalid).issue, said));
    }
    let mut w = Writer::new();
    w.object().member("resourceType", "OperationOutcome").key("issue").array();
    issue("information", "informational", "no issues", "", &mut w);
    w.end().end();
    Answer::fhir(StatusCode::OK, w.finish())
}
