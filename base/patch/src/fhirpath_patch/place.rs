//! Where an element stands: the object that it is a member of, and what the definitions say of it there.

use iris_fhir::definitions::{Element, ElementType, Shape, Structure, definitions};
use iris_fhir::resource::kind_of;
use iris_fhir::{Json, Value, ValueKind};
use iris_fhirpath::{Node, TypeRef};

use crate::pointer::Pointer;

use super::{Refusal, target};

/// An element of a document.
pub(super) struct Place<'a> {
    /// What it is a member of; the outer ones come before it.
    pub(super) objects: Vec<(Value<'a>, Step)>,
    pub(super) element: &'static Element,
}

/// The member that leads into the next object, or to the element itself.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) structure: &'static str,
    pub(super) element: &'static str,
    /// Position among its items, if it repeats.
    pub(super) index: Option<usize>,
}

/// The structure of an object that a node is.
pub(super) fn structure_of(node: Node<'_>) -> Result<(Value<'_>, &'static Structure), Refusal> {
    let structure = match node.of() {
        TypeRef::Structure(index) => definitions().structure_at(index).zip(node.value()).map(|(is, value)| (value, is)),
        TypeRef::Primitive(_) => None,
    };
    match structure {
        Some(found) => Ok(found),
        None => target("Nothing can be added to a primitive by its name; replace it"),
    }
}

impl<'a> Place<'a> {
    /// Finds an element from the root on.
    pub(super) fn of(json: &'a Json, node: Node<'a>) -> Result<Self, Refusal> {
        let Some(value) = node.value().or(node.beside()) else { return target("There is nothing at this path") };
        // A pointer made from the document is one.
        let pointer =
            Pointer::parse(&value.pointer()).map_err(|what| (crate::PatchFaultKind::Target, what.to_owned()))?;
        let mut tokens = pointer.tokens().iter();
        let mut object = json.root();
        let mut structure = resource_structure(object)?;
        let mut objects = Vec::new();
        let mut last = None;
        while let Some(token) = tokens.next() {
            let name = token.strip_prefix('_').unwrap_or(token);
            let Some((_, element, of_type)) = structure.member(name.as_bytes()) else {
                return target("The path leads into something that is no element");
            };
            let member = object.get(token);
            let (index, value) = if element.repeats() {
                let index = tokens.next().and_then(|token| token.parse::<usize>().ok());
                (index, index.and_then(|index| member.and_then(|member| member.items().nth(index))))
            } else {
                (None, member)
            };
            objects.push((object, Step { structure: structure.name, element: element.name, index }));
            last = Some(element);
            let Some(value) = value else { return target("There is nothing at this path") };
            object = value;
            structure = inner(of_type, value, token != name, structure)?;
        }
        match last {
            Some(element) => Ok(Self { objects, element }),
            None => target("The whole resource cannot be replaced, moved or deleted by a patch"),
        }
    }
}

fn resource_structure(value: Value<'_>) -> Result<&'static Structure, Refusal> {
    let structure = kind_of(value).ok().and_then(|kind| definitions().structure_of(kind));
    structure.map_or_else(|| target("There is no resource of R4 there"), Ok)
}

/// What is in an element of this type.
fn inner(
    of_type: &ElementType,
    value: Value<'_>,
    beside: bool,
    outer: &'static Structure,
) -> Result<&'static Structure, Refusal> {
    match of_type.shape {
        Shape::Resource => resource_structure(value),
        Shape::Complex(index) => Ok(definitions().structure_at(index).unwrap_or(outer)),
        Shape::Primitive(_) if beside => Ok(definitions().structure("Element").unwrap_or(outer)),
        // Nothing is in a value, and no token follows.
        Shape::Primitive(_) => Ok(outer),
    }
}

/// One item of an element: its value, what stands beside it, and its member name in JSON.
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) value: Option<Vec<u8>>,
    pub(super) beside: Option<Vec<u8>>,
}

/// One of the two members that a primitive element may have.
#[derive(Clone, Copy)]
pub(super) enum Side {
    Value,
    Beside,
}

impl Entry {
    pub(super) fn text(&self, side: Side) -> Option<&[u8]> {
        match side {
            Side::Value => self.value.as_deref(),
            Side::Beside => self.beside.as_deref(),
        }
    }
}

/// The items of an element in an object, in order.
pub(super) fn entries(object: Value<'_>, structure: &Structure, element: &Element) -> Vec<Entry> {
    let mut found: Vec<Entry> = Vec::new();
    for (name, value) in object.members() {
        let plain = name.strip_prefix('_').unwrap_or(&name);
        let own = structure.member(plain.as_bytes()).is_some_and(|(_, of, _)| of.name == element.name);
        if !own {
            continue;
        }
        let items: Vec<Value<'_>> =
            if value.kind() == ValueKind::Array { value.items().collect() } else { vec![value] };
        for (at, item) in items.into_iter().enumerate() {
            if found.len() <= at {
                found.push(Entry { name: plain.to_owned(), value: None, beside: None });
            }
            let Some(entry) = found.get_mut(at) else { continue };
            let place = if plain.len() < name.len() { &mut entry.beside } else { &mut entry.value };
            if !item.is_null() {
                let mut text = Vec::with_capacity(item.raw().len());
                item.compact_into(&mut text);
                *place = Some(text);
            }
        }
    }
    found
}
