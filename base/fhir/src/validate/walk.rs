//! Walking a resource beside its definitions.

use std::borrow::Cow;
use std::collections::HashMap;

use iris_kernel::Kind;
use smallvec::{SmallVec, smallvec};

use crate::definitions::{Definitions, Element, ElementType, Primitive, Shape, Structure};
use crate::json::{Items, Value, ValueKind};
use crate::resource::{ParseError, kind_of};

use super::faults::Faults;
use super::{primitive, rules};

/// Where a resource stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// By itself, in a bundle's entry, in a parameter.
    Own,
    /// In `contained`.
    Contained,
}

pub(super) struct Walk<'a> {
    pub(super) definitions: &'static Definitions,
    pub(super) faults: Faults,
    /// The contained resources that a `#reference` here can mean.
    pub(super) contained: Contained<'a>,
}

/// Id → type of the resources contained in one resource; no type where it cannot be told.
pub(super) type Contained<'a> = HashMap<Cow<'a, str>, Option<Kind>>;

/// What has been found of one element of an object: 0, or the position of its type plus 1.
type Seen = SmallVec<[u8; 64]>;

impl<'a> Walk<'a> {
    /// A resource, with everything that is nested in it. The depth is bounded by the JSON reader's limit.
    pub(super) fn resource(&mut self, value: Value<'a>, place: Place) {
        let kind = match kind_of(value) {
            Ok(kind) => kind,
            Err(fault @ ParseError::UnknownType(_)) => {
                return self.faults.member(value, "resourceType", fault.to_string());
            }
            Err(fault) => return self.faults.at(value, fault.to_string()),
        };
        let Some(structure) = self.definitions.structure_of(kind) else { return };
        if place == Place::Contained {
            rules::contained(self, value);
            return self.members(value, structure, Root::Resource);
        }
        let contained = rules::contained_ids(self, value);
        let outer = std::mem::replace(&mut self.contained, contained);
        self.members(value, structure, Root::Resource);
        self.contained = outer;
    }

    fn complex(&mut self, value: Value<'a>, of_type: &ElementType, structure: &'static Structure) {
        if value.kind() != ValueKind::Object {
            return self.faults.at(value, format!("Expected an object ({})", structure.name));
        }
        self.members(value, structure, Root::Element);
        rules::complex(self, value, of_type, structure);
    }

    fn members(&mut self, object: Value<'a>, structure: &'static Structure, root: Root) {
        if object.is_empty() {
            return self.faults.at(object, "An object must not be empty");
        }
        let mut seen: Seen = smallvec![0; structure.elements.len()];
        for member in object.members_raw() {
            let name: Cow<'a, [u8]> = match member.key().plain_bytes() {
                Some(name) => Cow::Borrowed(name),
                None => Cow::Owned(member.name().into_owned().into_bytes()),
            };
            if root == Root::Resource && *name == *b"resourceType" {
                continue;
            }
            self.member(object, structure, &name, member.value, &mut seen);
        }
        for (element, seen) in structure.elements.iter().zip(&seen) {
            if element.min > 0 && *seen == 0 {
                let name = if element.choice { format!("{}[x]", element.name) } else { element.name.to_owned() };
                self.faults.member(object, &name, "A required element is missing");
            }
        }
    }

    fn member(
        &mut self,
        object: Value<'a>,
        structure: &'static Structure,
        name: &[u8],
        value: Value<'a>,
        seen: &mut Seen,
    ) {
        let (plain, sibling) = name.strip_prefix(b"_").map_or((name, false), |plain| (plain, true));
        let Some((at, element, of_type)) = structure.member(plain) else {
            return self.unknown(structure, value);
        };
        let primitive = match of_type.shape {
            Shape::Primitive(primitive) => Some(primitive),
            Shape::Complex(_) | Shape::Resource => None,
        };
        if sibling && !primitive.is_some_and(|primitive| may_have_sibling(structure, element, primitive)) {
            return self.unknown(structure, value);
        }
        let type_at = element.types.iter().position(|own| std::ptr::eq(own, of_type)).map_or(0, |at| at + 1);
        if let Some(seen) = seen.get_mut(at) {
            let type_at = u8::try_from(type_at).unwrap_or(u8::MAX);
            if *seen != 0 && *seen != type_at {
                self.faults.at(value, format!("{}[x] may have only one type", element.name));
            }
            *seen = type_at;
        }
        if value.is_null() {
            return self.faults.at(value, "null is only allowed in arrays of primitive values");
        }
        match primitive {
            Some(_) if sibling => self.sibling(object, plain, value, element),
            Some(primitive) => self.primitive(object, plain, value, element, of_type, primitive),
            None => self.values(value, element, of_type),
        }
    }

    fn unknown(&mut self, structure: &'static Structure, value: Value<'a>) {
        self.faults.at(value, format!("{} has no such element", structure.name));
    }

    /// Complex values and resources: one, or an array of them.
    fn values(&mut self, value: Value<'a>, element: &'static Element, of_type: &'static ElementType) {
        if !self.right_plurality(value, element) {
            return;
        }
        if element.repeats() {
            for item in value.items() {
                self.value(item, element, of_type);
            }
        } else {
            self.value(value, element, of_type);
        }
    }

    fn value(&mut self, value: Value<'a>, element: &'static Element, of_type: &'static ElementType) {
        match of_type.shape {
            Shape::Complex(structure) => {
                if let Some(structure) = self.definitions.structure_at(structure) {
                    self.complex(value, of_type, structure);
                }
            }
            Shape::Resource if element.name == "contained" => self.resource(value, Place::Contained),
            Shape::Resource => self.resource(value, Place::Own),
            Shape::Primitive(_) => {}
        }
    }

    /// Whether the value is an array exactly if the element repeats, and has neither too few nor too many items.
    fn right_plurality(&mut self, value: Value<'a>, element: &Element) -> bool {
        match (element.repeats(), value.kind() == ValueKind::Array) {
            (false, false) => return true,
            (false, true) => self.faults.at(value, "This element does not repeat: expected one value, not an array"),
            (true, false) => self.faults.at(value, "This element repeats: expected an array"),
            (true, true) if value.is_empty() => self.faults.at(value, "An array must not be empty"),
            (true, true) => {
                if element.max.is_some_and(|max| value.len() > usize::from(max)) {
                    self.faults.at(value, format!("At most {} are allowed", element.max.unwrap_or_default()));
                }
                if value.len() < usize::from(element.min) {
                    self.faults.at(value, format!("At least {} are required", element.min));
                }
                return true;
            }
        }
        false
    }

    fn primitive(
        &mut self,
        object: Value<'a>,
        name: &[u8],
        value: Value<'a>,
        element: &Element,
        of_type: &ElementType,
        primitive: Primitive,
    ) {
        if !self.right_plurality(value, element) {
            return;
        }
        if !element.repeats() {
            return self.primitive_value(value, of_type, primitive);
        }
        let mut siblings = beside(value, object, || format!("_{}", String::from_utf8_lossy(name)));
        for item in value.items() {
            let sibling = siblings.as_mut().and_then(Iterator::next);
            if !item.is_null() {
                self.primitive_value(item, of_type, primitive);
            } else if sibling.is_none_or(Value::is_null) {
                self.faults.at(item, "null stands only where the element of the same position has an id or extensions");
            }
        }
    }

    fn primitive_value(&mut self, value: Value<'a>, of_type: &ElementType, primitive: Primitive) {
        if let Some(what) = primitive::fault(primitive, value) {
            return self.faults.at(value, what);
        }
        rules::bound_code(self, value, of_type);
    }

    /// `_name`: the ids and extensions of a primitive element.
    fn sibling(&mut self, object: Value<'a>, name: &[u8], value: Value<'a>, element: &Element) {
        if !self.right_plurality(value, element) {
            return;
        }
        let Some(structure) = self.definitions.structure("Element") else { return };
        if !element.repeats() {
            return self.sibling_value(value, structure);
        }
        let mut values = beside(value, object, || String::from_utf8_lossy(name).into_owned());
        for item in value.items() {
            let valued = values.as_mut().and_then(Iterator::next);
            if !item.is_null() {
                self.sibling_value(item, structure);
            } else if valued.is_none_or(Value::is_null) {
                self.faults.at(item, "null stands only where the value of the same position is given");
            }
        }
    }

    fn sibling_value(&mut self, value: Value<'a>, structure: &'static Structure) {
        if value.kind() != ValueKind::Object {
            return self.faults.at(value, "Expected an object with id or extension");
        }
        self.members(value, structure, Root::Element);
    }
}

/// The items of the array that makes up for the nulls of another: gone through beside it, so that a million nulls cost no more
/// than a million values. Not looked up where there is no null.
fn beside<'a>(array: Value<'a>, object: Value<'a>, name: impl FnOnce() -> String) -> Option<Items<'a>> {
    if array.items().any(Value::is_null) { object.get(&name()).map(Value::items) } else { None }
}

/// Whether `resourceType` belongs to the object.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Root {
    Resource,
    Element,
}

/// XML has these as attributes, which cannot be extended (R4 json.html); narrative cannot be either.
fn may_have_sibling(structure: &Structure, element: &Element, primitive: Primitive) -> bool {
    let attribute = element.name == "id" || element.name == "url" && structure.name == "Extension";
    !attribute && primitive != Primitive::Xhtml
}
