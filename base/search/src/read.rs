//! Values of a resource, read for what they are: stretches of time, quantities, references.

use std::borrow::Cow;

use iris_fhir::definitions::{CodeList, definitions, kind_of};
use iris_fhir::json::{Value, ValueKind};
use iris_fhir::validate::primitive::is_id;
use iris_fhirpath::{Host, Resolved};
use iris_ucum::Decimal;

use super::date;
use super::plan::Reading;
use super::quantity::{CURRENCIES, Measured};

/// Where an unknown start or end of a period lies.
const OPEN: date::Range = (i64::MIN, i64::MAX);

/// Type and id of a reference to a resource of this server: `Patient/1`, `Patient/1/_history/2`.
pub(super) fn local_parts(text: &str) -> Option<(&'static str, &str)> {
    let (name, rest) = text.split_once('/')?;
    let id = rest.split_once("/_history/").map_or(rest, |(id, _)| id);
    let kind = kind_of(name).filter(|_| is_id(id))?;
    Some((definitions().name_of(kind), id))
}

/// What lies outside a resource that is looked at alone: of what a reference leads to, only the type, which its text tells.
pub(super) struct ByText;

impl Host<'_> for ByText {
    fn resolve(&self, reference: &str) -> Resolved<'static> {
        let path = reference.split_once("/_history/").map_or(reference, |(path, _)| path);
        let mut parts = path.rsplit('/');
        let (id, name) = (parts.next(), parts.next());
        let kind = name.filter(|_| id.is_some_and(|id| !id.is_empty())).and_then(kind_of);
        kind.map_or(Resolved::Nowhere, Resolved::Type)
    }
}

/// The code system of a `code` element, if its binding allows codes of one system only.
pub(super) fn implied_system(codes: &'static CodeList) -> Option<&'static str> {
    match &codes.systems[..] {
        [(system, _)] => Some(system),
        _ => None,
    }
}

/// The string member of this name.
pub(super) fn text<'a>(object: Value<'a>, name: &str) -> Option<Cow<'a, str>> {
    object.get(name)?.as_str()
}

/// The items of the member of this name, or the member itself if it is no array.
pub(super) fn items<'a>(object: Value<'a>, name: &str) -> impl Iterator<Item = Value<'a>> {
    let member = object.get(name);
    let is_array = member.is_some_and(|member| member.kind() == ValueKind::Array);
    let items = member.filter(|_| is_array).into_iter().flat_map(Value::items);
    member.filter(|_| !is_array).into_iter().chain(items)
}

/// The stretch of time that a value stands for; `None` if it has none.
pub(super) fn range(reading: Reading, value: Value<'_>) -> Option<date::Range> {
    match reading {
        Reading::Moment => date::range(&value.as_str()?),
        Reading::Period => period(value),
        Reading::Timing => timing(value),
        _ => None,
    }
}

/// A period reaches to the end of its `end`; a missing end is open. A period that ends before it starts has no range, nor
/// has one without either.
fn period(period: Value<'_>) -> Option<date::Range> {
    let start = text(period, "start").and_then(|text| date::range(&text));
    let end = text(period, "end").and_then(|text| date::range(&text));
    if start.is_none() && end.is_none() {
        return None;
    }
    let (low, high) = (start.map_or(OPEN.0, |range| range.0), end.map_or(OPEN.1, |range| range.1));
    (low < high).then_some((low, high))
}

/// A timing counts by its outer limits (R4 search.html#date): from the first to the last of its events and of the period
/// that bounds its repetition. Without either it has no range.
fn timing(timing: Value<'_>) -> Option<date::Range> {
    let events = items(timing, "event").filter_map(|event| date::range(&event.as_str()?));
    let bounds = timing.get("repeat").and_then(|repeat| repeat.get("boundsPeriod")).and_then(period);
    events.chain(bounds).reduce(|whole, next| (whole.0.min(next.0), whole.1.max(next.1)))
}

/// The number of a JSON value; `None` beyond the limits of decimals.
pub(super) fn decimal(value: Value<'_>) -> Option<Decimal> {
    Decimal::parse(value.number()?).ok()
}

fn number(object: Value<'_>, name: &str) -> Option<Decimal> {
    decimal(object.get(name)?)
}

/// Calls `each` with the quantity that a value stands for, if it has one.
pub(super) fn measured(reading: Reading, value: Value<'_>, each: &mut dyn FnMut(&Measured<'_>)) {
    match reading {
        Reading::Quantity => quantity(value, each),
        Reading::Money => {
            let Some(amount) = number(value, "value") else { return };
            let code = text(value, "currency");
            let system = code.is_some().then_some(CURRENCIES);
            each(&Measured { low: Some(amount), high: Some(amount), system, code: code.as_deref(), unit: None });
        }
        Reading::Range => {
            let (low, high) = (value.get("low"), value.get("high"));
            let Some(units) = low.or(high) else { return };
            let of = |end: Option<Value<'_>>| end.and_then(|end| number(end, "value"));
            in_units(units, of(low), of(high), each);
        }
        Reading::SampledData => {
            let (Some(origin), Some((low, high))) = (value.get("origin"), sampled(value)) else { return };
            in_units(origin, Some(low), Some(high), each);
        }
        Reading::Number => {
            if let Some(number) = decimal(value) {
                each(&Measured { low: Some(number), high: Some(number), ..Measured::default() });
            }
        }
        _ => {}
    }
}

/// A value with `<` or `>` is somewhere on that side.
fn quantity(quantity: Value<'_>, each: &mut dyn FnMut(&Measured<'_>)) {
    let Some(amount) = number(quantity, "value") else { return };
    let (low, high) = match text(quantity, "comparator").as_deref() {
        Some("<" | "<=") => (None, Some(amount)),
        Some(">" | ">=") => (Some(amount), None),
        _ => (Some(amount), Some(amount)),
    };
    in_units(quantity, low, high, each);
}

fn in_units(of: Value<'_>, low: Option<Decimal>, high: Option<Decimal>, each: &mut dyn FnMut(&Measured<'_>)) {
    // A range that ends before it starts is none.
    if low.zip(high).is_some_and(|(low, high)| high < low) || low.or(high).is_none() {
        return;
    }
    let (system, code, unit) = (text(of, "system"), text(of, "code"), text(of, "unit"));
    each(&Measured { low, high, system: system.as_deref(), code: code.as_deref(), unit: unit.as_deref() });
}

/// The least and the greatest value of sampled data (the definitions of Observation's parameters: "just search on the bounds of the
/// values"): `origin` + sample × `factor`; a sample beyond what could be measured is the limit.
fn sampled(data: Value<'_>) -> Option<(Decimal, Decimal)> {
    let zero = Decimal::from(0);
    let origin = data.get("origin").and_then(|origin| number(origin, "value")).unwrap_or(zero);
    let factor = number(data, "factor").unwrap_or(Decimal::from(1));
    let (lower, upper) = (number(data, "lowerLimit"), number(data, "upperLimit"));
    let samples = text(data, "data").unwrap_or_default();
    let values = samples.split_ascii_whitespace().filter_map(|sample| {
        let raw = match sample {
            "E" => return None,
            "L" => lower?,
            "U" => upper?,
            sample => Decimal::parse(sample).ok()?,
        };
        raw.times(factor)?.plus(origin)
    });
    let pairs = values.map(|value| (value, value));
    pairs.reduce(|(low, high), (value, _)| {
        (if value < low { value } else { low }, if value > high { value } else { high })
    })
}
