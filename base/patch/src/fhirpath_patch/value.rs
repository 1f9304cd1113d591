//! What an operation brings: the value of a parameter, or parts from which an element without a type of its own is built.

use iris_fhir::definitions::{Element, ElementType, Shape, Structure, definitions};
use iris_fhir::json::write_string;
use iris_fhir::{Value, ValueKind};
use iris_kernel::limits;

use super::place::Entry;
use super::{Refusal, target};

/// A value in a Parameters resource.
pub(super) enum Brought<'a> {
    /// `valueString`, `valueHumanName`: the type, the value, what stands beside it.
    Typed(&'static ElementType, Option<Value<'a>>, Option<Value<'a>>),
    /// `resource`
    Resource(Value<'a>),
    /// Named parts.
    Parts(Vec<(String, Brought<'a>)>),
}

impl<'a> Brought<'a> {
    /// The value of a parameter. `None` where there is none, or more than one.
    pub(super) fn of(parameter: Value<'a>) -> Option<Self> {
        Self::within(parameter, 0)
    }

    fn within(parameter: Value<'a>, depth: usize) -> Option<Self> {
        // No document that was read is deeper.
        if depth > limits::JSON_DEPTH_MAX {
            return None;
        }
        let structure = definitions().structure("Parameters.parameter")?;
        let mut found: Option<Self> = None;
        for (name, value) in parameter.members() {
            let plain = name.strip_prefix('_').unwrap_or(&name);
            let beside = plain.len() < name.len();
            let (_, element, of_type) = structure.member(plain.as_bytes())?;
            let next = match element.name {
                "value" if beside && parameter.get(plain).is_some() => continue,
                "value" if beside => Self::Typed(of_type, None, Some(value)),
                "value" => Self::Typed(of_type, Some(value), parameter.get(&format!("_{plain}"))),
                "resource" => Self::Resource(value),
                "part" => {
                    let parts = value
                        .items()
                        .map(|part| Some((part.str_of("name")?.into_owned(), Self::within(part, depth + 1)?)));
                    Self::Parts(parts.collect::<Option<_>>()?)
                }
                _ => continue,
            };
            if found.replace(next).is_some() {
                return None;
            }
        }
        found
    }

    /// This value as an item of an element.
    pub(super) fn entry(&self, element: &'static Element) -> Result<Entry, Refusal> {
        let unfit = || target(format!("The value does not fit {}", element.name));
        let text = |value: &Value<'_>| {
            let mut text = Vec::with_capacity(value.raw().len());
            value.compact_into(&mut text);
            text
        };
        match self {
            Self::Typed(of_type, value, beside) => {
                let Some(fit) = element.types.iter().find(|own| own.name == of_type.name).or_else(|| {
                    // Types that are written alike stand for each other: clients name a code by valueString.
                    element.types.iter().find(|own| !element.choice && written_alike(own, of_type))
                }) else {
                    return unfit();
                };
                let (value, beside) = (value.as_ref().map(text), beside.as_ref().map(text));
                Ok(Entry { name: name_in_json(element, fit), value, beside })
            }
            Self::Resource(value) => match &element.types[..] {
                [of_type] if of_type.shape == Shape::Resource => {
                    Ok(Entry { name: element.name.to_owned(), value: Some(text(value)), beside: None })
                }
                _ => unfit(),
            },
            Self::Parts(parts) => match &element.types[..] {
                [of_type] => {
                    let Shape::Complex(index) = of_type.shape else { return unfit() };
                    let Some(structure) = definitions().structure_at(index) else { return unfit() };
                    let value = Some(object(parts, structure)?);
                    Ok(Entry { name: element.name.to_owned(), value, beside: None })
                }
                _ => unfit(),
            },
        }
    }
}

/// Whether both are JSON strings, or both numbers.
fn written_alike(a: &ElementType, b: &ElementType) -> bool {
    use iris_fhir::definitions::Primitive::{Boolean, Decimal, Integer, PositiveInt, UnsignedInt};
    let sort = |of_type: &ElementType| match of_type.shape {
        Shape::Primitive(Boolean) => Some(ValueKind::Bool),
        Shape::Primitive(Integer | PositiveInt | UnsignedInt | Decimal) => Some(ValueKind::Number),
        Shape::Primitive(_) => Some(ValueKind::String),
        Shape::Complex(_) | Shape::Resource => None,
    };
    sort(a).is_some() && sort(a) == sort(b)
}

fn name_in_json(element: &Element, of_type: &ElementType) -> String {
    if !element.choice {
        return element.name.to_owned();
    }
    let mut letters = of_type.name.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    format!("{}{}{}", element.name, first.map(String::from).unwrap_or_default(), letters.as_str())
}

/// An object from parts, in the order of the definitions.
fn object(parts: &[(String, Brought<'_>)], structure: &'static Structure) -> Result<Vec<u8>, Refusal> {
    let mut out = vec![b'{'];
    for (name, _) in parts {
        if structure.element(name).is_none() {
            return target(format!("{} has no element of the name of a part", structure.name));
        }
    }
    for element in &structure.elements {
        let own = parts.iter().filter(|(name, _)| name == element.name);
        let entries = own.map(|(_, brought)| brought.entry(element)).collect::<Result<Vec<_>, _>>()?;
        let Some(first) = entries.first() else { continue };
        if entries.len() > 1 && !element.repeats() {
            return target(format!("{} does not repeat", element.name));
        }
        if entries.iter().any(|entry| entry.beside.is_some()) && element.repeats() {
            return target(format!("Parts of {} carry extensions, which cannot be built from parts", element.name));
        }
        let (open, close): (&[u8], &[u8]) = if element.repeats() { (b"[", b"]") } else { (b"", b"") };
        let mut member = |name: &str, texts: &[&Vec<u8>]| {
            if texts.is_empty() {
                return;
            }
            if out.len() > 1 {
                out.push(b',');
            }
            write_string(name, &mut out);
            out.push(b':');
            out.extend_from_slice(open);
            out.extend_from_slice(&texts.iter().map(|text| text.as_slice()).collect::<Vec<_>>().join(&b','));
            out.extend_from_slice(close);
        };
        member(&first.name, &entries.iter().filter_map(|entry| entry.value.as_ref()).collect::<Vec<_>>());
        member(
            &format!("_{}", first.name),
            &entries.iter().filter_map(|entry| entry.beside.as_ref()).collect::<Vec<_>>(),
        );
    }
    out.push(b'}');
    Ok(out)
}
