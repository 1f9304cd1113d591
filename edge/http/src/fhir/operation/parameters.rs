//! What an operation is asked with: parameters of the query, or a Parameters resource in the body.

use std::borrow::Cow;

use iris_fhir::json::{Value, ValueKind};
use iris_kernel::limits::FAULTS_MAX;
use iris_kernel::{ErrorKind, Fault};

use crate::call::{Call, Pairs};
use crate::problem::Problem;

/// Most parameters of one operation.
const PARAMETERS_MAX: usize = 100;

/// What a call by GET is asked with: its query, whose names the endpoint has checked.
pub(super) fn of_query(call: &Call) -> Pairs {
    let own = |(name, _): &&(String, String)| !matches!(name.as_str(), "_format" | "_pretty");
    call.query().iter().filter(own).cloned().collect()
}

/// What a call by POST is asked with: the query, and the primitive values of a Parameters resource. Nothing in the body is nothing
/// asked.
///
/// # Errors
/// Those of [`Call::any_resource`]; each parameter that the operation does not have, and each value of another sort.
pub(super) async fn of_body(call: &mut Call, known: &[&str]) -> Result<Pairs, Problem> {
    let mut pairs = of_query(call);
    let Some((resource, _held)) = call.maybe_resource().await? else { return Ok(pairs) };
    if resource.kind_name() != "Parameters" {
        return Err(Problem::at(ErrorKind::Malformed, "/resourceType", "is not Parameters"));
    }
    let mut faults = Vec::new();
    let list = resource.root().get("parameter");
    for (at, parameter) in list.into_iter().flat_map(Value::items).enumerate() {
        let place = format!("/parameter/{at}");
        if at >= PARAMETERS_MAX {
            faults.push(Fault::new(place, format!("an operation has at most {PARAMETERS_MAX} parameters")));
            break;
        }
        match read(parameter, known) {
            Ok(pair) => pairs.push(pair),
            Err(what) => faults.push(Fault::new(place, what)),
        }
    }
    faults.truncate(FAULTS_MAX);
    if faults.is_empty() { Ok(pairs) } else { Err(Problem::with(ErrorKind::Malformed, faults)) }
}

fn read(parameter: Value<'_>, known: &[&str]) -> Result<(String, String), String> {
    let name = parameter.str_of("name").ok_or("has no name")?;
    if !known.contains(&&*name) {
        return Err("this operation has no parameter of this name".to_owned());
    }
    let mut values = parameter.members().filter(|(name, _)| name.starts_with("value"));
    let (Some((_, value)), None) = (values.next(), values.next()) else { return Err(format!("{name} has no value")) };
    let text = match value.kind() {
        ValueKind::String => value.as_str().map(Cow::into_owned),
        ValueKind::Bool | ValueKind::Number => std::str::from_utf8(value.raw()).ok().map(str::to_owned),
        ValueKind::Null | ValueKind::Array | ValueKind::Object => None,
    };
    let text = text.ok_or_else(|| format!("{name} must be a primitive value"))?;
    Ok((name.into_owned(), text))
}
