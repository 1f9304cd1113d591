//! Laws and limits.

mod language;
mod laws;
mod limits;

use iris_fhir::Json;
use iris_kernel::Timestamp;

use crate::context::{Context, Limits};
use crate::{Focus, Item, Items, Node, Settings, compile, parse};

pub(super) const PATIENT: &str = r##"{"resourceType":"Patient","id":"p","active":true,"birthDate":"1974-12-25",
  "_birthDate":{"extension":[{"url":"http://x/time","valueDateTime":"1974-12-25T14:35:45-05:00"}]},
  "name":[{"use":"official","family":"Chalmers","given":["Peter","James"]},{"use":"usual","given":["Jim"]}],
  "contained":[{"resourceType":"Organization","id":"o","name":"ACME"}],
  "managingOrganization":{"reference":"#o"},"generalPractitioner":[{"reference":"Practitioner/1"}],
  "maritalStatus":{"coding":[{"system":"http://s","code":"M"}]}}"##;

pub(super) fn now() -> Timestamp {
    Timestamp::parse("2026-11-22T10:00:00Z").expect("a time")
}

/// What an expression comes to on [`PATIENT`], as text; or the error.
pub(super) fn on_patient(expression: &str) -> Result<Vec<String>, String> {
    on_patient_within(expression, Limits::default())
}

pub(super) fn on_patient_within(expression: &str, limits: Limits) -> Result<Vec<String>, String> {
    let json = Json::parse(PATIENT).expect("JSON");
    let resource = Node::resource(json.root()).expect("a patient");
    let expr = parse(expression).map_err(|error| error.to_string())?;
    let program = compile(&expr, &Settings::strict(Focus::Type(resource.of()))).map_err(|error| error.to_string())?;
    let context = Context { limits, ..Context::of(resource, now()) };
    let items = program.evaluate(Item::Node(resource), &context).map_err(|error| error.to_string())?;
    Ok(shown(&items))
}

fn shown(items: &Items<'_>) -> Vec<String> {
    items
        .iter()
        .map(|item| match item.plain() {
            Some(Item::Boolean(value)) => value.to_string(),
            Some(Item::Integer(number)) => number.to_string(),
            Some(Item::Decimal(number)) => number.to_string(),
            Some(Item::String(text)) => text.as_str().to_owned(),
            Some(Item::Moment(moment)) => moment.to_string(),
            Some(Item::Quantity(quantity)) => quantity.to_string(),
            _ => item.node().map_or_else(String::new, |node| format!("<{}>", node.of().name())),
        })
        .collect()
}
