//! What an operation is asked with: parameters of the query, or a Parameters resource in the body.

use iris_fhir::json::{Value, ValueKind};
use iris_fhir::{ParseError, Resource};
use iris_kernel::limits::FAULTS_MAX;
use iris_kernel::{ErrorKind, Fault};

use crate::call::{Call, Pairs};
use crate::problem::Problem;

/// Most parameters of one operation.
const PARAMETERS_MAX: usize = 100;

/// What an operation takes.
pub(super) struct Takes {
    /// Parameters with a primitive value.
    pub(super) values: &'static [&'static str],
    /// The parameter that is a resource; empty for none.
    pub(super) resource: &'static str,
}

/// What was sent.
#[derive(Debug, Default)]
pub(super) struct Inputs {
    /// Parameters with a primitive value, in the order sent.
    pub(super) pairs: Pairs,
    /// The resource.
    pub(super) resource: Option<Resource>,
}

impl Inputs {
    /// The value of a parameter that may stand once.
    ///
    /// # Errors
    /// It stands twice.
    pub(super) fn once(&self, name: &str) -> Result<Option<&str>, Problem> {
        let mut values = self.pairs.iter().filter(|(own, _)| own == name).map(|(_, value)| value.as_str());
        match (values.next(), values.next()) {
            (value, None) => Ok(value),
            _ => Err(Problem::at(ErrorKind::Malformed, name, "may stand only once")),
        }
    }
}

/// What a call by GET is asked with: its query, whose names the endpoint has checked.
pub(super) fn of_query(call: &Call) -> Inputs {
    let own = |(name, _): &&(String, String)| !matches!(name.as_str(), "_format" | "_pretty");
    Inputs { pairs: call.query().iter().filter(own).cloned().collect(), resource: None }
}

/// What a call by POST is asked with: the query, and a Parameters resource, or the one resource that the operation takes by itself.
/// Nothing in the body is nothing asked.
///
/// # Errors
/// Those of [`Call::any_resource`]; each parameter that the operation does not have, and each value of another sort.
pub(super) async fn of_body(call: &mut Call, takes: &Takes) -> Result<Inputs, Problem> {
    let mut inputs = of_query(call);
    let Some((resource, _held)) = call.maybe_resource().await? else { return Ok(inputs) };
    if resource.kind_name() != "Parameters" {
        if takes.resource.is_empty() {
            return Err(Problem::at(ErrorKind::Malformed, "/resourceType", "is not Parameters"));
        }
        inputs.resource = Some(resource);
        return Ok(inputs);
    }
    let mut faults = Vec::new();
    let list = resource.root().get("parameter");
    for (at, parameter) in list.into_iter().flat_map(Value::items).enumerate() {
        let place = format!("/parameter/{at}");
        if at >= PARAMETERS_MAX {
            faults.push(Fault::new(place, format!("an operation has at most {PARAMETERS_MAX} parameters")));
            break;
        }
        if let Err(what) = read(parameter, takes, &mut inputs) {
            faults.push(Fault::new(place, what));
        }
    }
    faults.truncate(FAULTS_MAX);
    if faults.is_empty() { Ok(inputs) } else { Err(Problem::with(ErrorKind::Malformed, faults)) }
}

fn read(parameter: Value<'_>, takes: &Takes, inputs: &mut Inputs) -> Result<(), String> {
    let name = parameter.str_of("name").ok_or("has no name")?;
    if !takes.resource.is_empty() && name == takes.resource {
        if inputs.resource.is_some() {
            return Err(format!("{name} may stand only once"));
        }
        let resource = parameter.get("resource").ok_or_else(|| format!("{name} has no resource"))?;
        let read = Resource::from_value(resource).map_err(|error: ParseError| error.to_string())?;
        inputs.resource = Some(read);
        return Ok(());
    }
    let Some(known) = takes.values.iter().find(|known| **known == name) else {
        return Err("this operation has no parameter of this name".to_owned());
    };
    let mut values = parameter.members().filter(|(name, _)| name.starts_with("value"));
    let (Some((_, value)), None) = (values.next(), values.next()) else { return Err(format!("{known} has no value")) };
    let text = match value.kind() {
        ValueKind::String => value.as_str().map(std::borrow::Cow::into_owned),
        ValueKind::Bool | ValueKind::Number => std::str::from_utf8(value.raw()).ok().map(str::to_owned),
        ValueKind::Null | ValueKind::Array | ValueKind::Object => None,
    };
    inputs.pairs.push(((*known).to_owned(), text.ok_or_else(|| format!("{known} must be a primitive value"))?));
    Ok(())
}
