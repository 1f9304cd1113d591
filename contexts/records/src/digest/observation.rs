//! Observations: values with their exact decimals, units, reference ranges, parts.

use std::borrow::Cow;

use iris_fhir::json::{Value, Writer};

use super::read::{codes, concept, head, items, member, text, time_of};

/// System of UCUM units.
const UCUM: &str = "http://unitsofmeasure.org";
/// Where the time of an observation stands.
pub(super) const TIMES: &[&str] = &["effectiveDateTime", "effectivePeriod", "effectiveInstant", "issued"];

pub(super) fn item(resource: Value<'_>, w: &mut Writer) {
    head(resource, w);
    member(w, "name", concept(resource, "code"));
    codes(resource, "code", w);
    value(resource, w);
    let mut components = items(resource, "component").peekable();
    if components.peek().is_some() {
        w.key("components").array();
        for component in components {
            w.object();
            member(w, "name", concept(component, "code"));
            codes(component, "code", w);
            value(component, w);
            w.end();
        }
        w.end();
    }
    member(w, "status", text(resource, "status"));
    member(w, "at", time_of(resource, TIMES));
    w.end();
}

/// The unit: in UCUM where the quantity is coded so, else as it was written.
pub(super) fn unit(quantity: Value<'_>) -> Option<Cow<'_, str>> {
    let coded = text(quantity, "system").is_some_and(|system| system == UCUM);
    let code = || text(quantity, "code");
    if coded { code().or_else(|| text(quantity, "unit")) } else { text(quantity, "unit").or_else(code) }
}

/// The number of a quantity as it is spelt; none for one that is only a bound (`<5`), which is no value to reckon with.
pub(super) fn number(quantity: Value<'_>) -> Option<&str> {
    if quantity.get("comparator").is_some() {
        return None;
    }
    quantity.get("value").and_then(Value::number)
}

/// Lower and upper end of the normal range, where it is told in the unit of the value.
pub(super) fn range<'a>(owner: Value<'a>, of: Value<'a>) -> (Option<&'a str>, Option<&'a str>) {
    let normal = |range: &Value<'_>| {
        range
            .get("type")
            .is_none_or(|kind| items(kind, "coding").any(|c| text(c, "code").is_some_and(|c| c == "normal")))
    };
    let Some(range) = items(owner, "referenceRange").find(normal) else { return (None, None) };
    let end = |name: &str| {
        let quantity = range.get(name)?;
        let same = unit(quantity).is_none_or(|given| unit(of).is_some_and(|wanted| wanted == given));
        number(quantity).filter(|_| same)
    };
    (end("low"), end("high"))
}

pub(super) fn interpretation(owner: Value<'_>) -> Option<Cow<'_, str>> {
    let coded = |concept: Value<'_>| items(concept, "coding").any(|coding| coding.get("code").is_some());
    let first = items(owner, "interpretation").find(|concept| coded(*concept) || concept.get("text").is_some())?;
    items(first, "coding").find_map(|coding| text(coding, "code")).or_else(|| text(first, "text"))
}

/// Writes value, unit, reference range and interpretation. A quantity keeps its exact decimal; anything else is told as a text.
fn value(owner: Value<'_>, w: &mut Writer) {
    if let Some(quantity) = owner.get("valueQuantity") {
        match number(quantity) {
            Some(number) => {
                w.key("value").raw(number.as_bytes());
            }
            None => member(w, "value", bound(quantity)),
        }
        member(w, "unit", unit(quantity));
        let (low, high) = range(owner, quantity);
        for (name, end) in [("low", low), ("high", high)] {
            if let Some(end) = end {
                w.key(name).raw(end.as_bytes());
            }
        }
    } else {
        member(w, "value", observed(owner));
    }
    member(w, "interpretation", interpretation(owner));
}

/// `<5` and the like.
fn bound(quantity: Value<'_>) -> Option<String> {
    let number = quantity.get("value").and_then(Value::number)?;
    Some(format!("{}{number}", text(quantity, "comparator").unwrap_or_default()))
}

/// The value as a text, with its unit.
pub(super) fn observed(owner: Value<'_>) -> Option<String> {
    if let Some(quantity) = owner.get("valueQuantity") {
        let number = bound(quantity)?;
        let unit = text(quantity, "unit").or_else(|| text(quantity, "code")).unwrap_or_default();
        return Some(format!("{number} {unit}").trim().to_owned());
    }
    let plain =
        owner.get("valueString").or_else(|| owner.get("valueDateTime")).and_then(Value::as_str).map(Cow::into_owned);
    let exact = || match (owner.get("valueBoolean"), owner.get("valueInteger")) {
        (Some(value), _) | (None, Some(value)) => Some(String::from_utf8_lossy(value.raw()).into_owned()),
        (None, None) => None,
    };
    plain.or_else(|| concept(owner, "valueCodeableConcept")).or_else(exact)
}

/// The whole observation as a text: its value, else its parts. Two parts in one unit are told as `120/80 mm[Hg]`.
pub(super) fn told(resource: Value<'_>) -> Option<String> {
    if let Some(value) = observed(resource) {
        return Some(value);
    }
    let parts: Vec<Value<'_>> = items(resource, "component").collect();
    if let [first, second] = parts.as_slice()
        && let (Some(a), Some(b)) = (first.get("valueQuantity"), second.get("valueQuantity"))
        && unit(a) == unit(b)
        && let (Some(one), Some(other)) = (bound(a), bound(b))
    {
        return Some(format!("{one}/{other} {}", unit(a).unwrap_or_default()).trim().to_owned());
    }
    let texts: Vec<String> = parts
        .iter()
        .filter_map(|part| {
            let value = observed(*part)?;
            Some(concept(*part, "code").map_or_else(|| value.clone(), |name| format!("{name} {value}")))
        })
        .collect();
    (!texts.is_empty()).then(|| texts.join(", "))
}
