//! Walking a resource beside its definitions.

use std::borrow::Cow;
use std::collections::HashMap;

use iris_kernel::Kind;
use smallvec::{SmallVec, smallvec};

use crate::definitions::{Definitions, Element, Primitive, Shape, Structure};
use crate::json::{Items, Value, ValueKind};
use crate::resource::{ParseError, kind_of};

use super::{Faults, Found, IssueCode, Standing, Visitor, primitive, rules};

pub(super) struct Walk<'a, 'v, V> {
    pub(super) definitions: &'static Definitions,
    pub(super) faults: Faults,
    pub(super) visitor: &'v mut V,
    /// Which element the object is whose members are looked at.
    pub(super) holder: Option<(&'static Structure, &'static Element)>,
    /// The contained resources that a `#reference` here can mean.
    pub(super) contained: Contained<'a>,
}

/// Id → type of the resources contained in one resource; no type where it cannot be told.
pub(super) type Contained<'a> = HashMap<Cow<'a, str>, Option<Kind>>;

/// What has been found of one element of an object: 0, or the position of its type plus 1.
type Seen = SmallVec<[u8; 64]>;

impl<'a, V: Visitor<'a>> Walk<'a, '_, V> {
    /// A resource, with everything that is nested in it. The depth is bounded by the JSON reader's limit.
    pub(super) fn resource(&mut self, value: Value<'a>, standing: Standing) {
        let kind = match kind_of(value) {
            Ok(kind) => kind,
            Err(fault @ ParseError::UnknownType(_)) => {
                return self.faults.member(value, "resourceType", IssueCode::Structure, fault.to_string());
            }
            Err(fault) => return self.faults.at(value, IssueCode::Structure, fault.to_string()),
        };
        let Some(structure) = self.definitions.structure_of(kind) else { return };
        self.visitor.enter(value, structure, standing, &mut self.faults);
        let holder = self.holder.take();
        if standing == Standing::Contained {
            rules::contained(self, value);
            self.members(value, structure, Root::Resource);
        } else {
            let contained = rules::contained_ids(self, value);
            let outer = std::mem::replace(&mut self.contained, contained);
            self.members(value, structure, Root::Resource);
            self.contained = outer;
        }
        self.holder = holder;
        self.visitor.leave(value, structure, standing, &mut self.faults);
    }

    fn complex(&mut self, found: Found<'a>, structure: &'static Structure) {
        let value = found.value;
        if value.kind() != ValueKind::Object {
            let what = format!("Expected an object ({}), found {}", structure.name, shown(value));
            return self.faults.at(value, IssueCode::Structure, what);
        }
        let outer = self.holder.replace((found.parent, found.element));
        self.members(value, structure, Root::Element);
        self.holder = outer;
        rules::complex(self, value, found.of_type, structure);
        self.visitor.complex(found, structure, &mut self.faults);
    }

    fn members(&mut self, object: Value<'a>, structure: &'static Structure, root: Root) {
        if object.is_empty() {
            // A resource without elements is one all the same to R4: it has a type.
            let what = if root == Root::Resource {
                "An object must not be empty"
            } else {
                "An object must not be empty (ele-1)"
            };
            return self.faults.at(object, IssueCode::Structure, what);
        }
        // `ele-1` by the text alone. The evaluator asks it of its nodes (`has_content`), which there are none of here; that both say the
        // same of every example is held by base/validation/tests/native.rs.
        if root == Root::Element && object.len() == 1 && object.get("id").is_some() {
            let what = "An element has a value or children, not only an id (ele-1)";
            self.faults.at(object, IssueCode::Invariant, what);
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
                self.faults.member(object, &name, IssueCode::Required, "A required element is missing");
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
                let what = format!("{}[x] may have only one type", element.name);
                self.faults.at(value, IssueCode::Structure, what);
            }
            *seen = type_at;
        }
        if value.is_null() {
            let what = "null is only allowed in arrays of primitive values";
            return self.faults.at(value, IssueCode::Structure, what);
        }
        let found = Found { holder: self.holder, parent: structure, element, position: at, of_type, value };
        match primitive {
            Some(_) if sibling => self.sibling(object, plain, found),
            Some(primitive) => self.primitive(object, plain, found, primitive),
            None => self.values(found),
        }
    }

    fn unknown(&mut self, structure: &'static Structure, value: Value<'a>) {
        self.faults.at(value, IssueCode::Structure, format!("{} has no such element", structure.name));
    }

    /// Complex values and resources: one, or an array of them.
    fn values(&mut self, found: Found<'a>) {
        if !self.right_plurality(found.value, found.element) {
            return;
        }
        if found.element.repeats() {
            for value in found.value.items() {
                self.value(Found { value, ..found });
            }
        } else {
            self.value(found);
        }
    }

    fn value(&mut self, found: Found<'a>) {
        match found.of_type.shape {
            Shape::Complex(structure) => {
                if let Some(structure) = self.definitions.structure_at(structure) {
                    self.complex(found, structure);
                }
            }
            Shape::Resource if found.element.name == "contained" => self.resource(found.value, Standing::Contained),
            Shape::Resource => self.resource(found.value, Standing::Own),
            Shape::Primitive(_) => {}
        }
    }

    /// Whether the value is an array exactly if the element repeats, and has neither too few nor too many items.
    fn right_plurality(&mut self, value: Value<'a>, element: &Element) -> bool {
        let what = match (element.repeats(), value.kind() == ValueKind::Array) {
            (false, false) => return true,
            (false, true) => "This element does not repeat: expected one value, not an array",
            (true, false) => "This element repeats: expected an array",
            (true, true) if value.is_empty() => "An array must not be empty",
            (true, true) => {
                if let Some(max) = element.max.filter(|max| value.len() > usize::from(*max)) {
                    let what = format!("At most {max} are allowed, found {}", value.len());
                    self.faults.at(value, IssueCode::Structure, what);
                }
                if value.len() < usize::from(element.min) {
                    let what = format!("At least {} are required, found {}", element.min, value.len());
                    self.faults.at(value, IssueCode::Required, what);
                }
                return true;
            }
        };
        self.faults.at(value, IssueCode::Structure, what);
        false
    }

    fn primitive(&mut self, object: Value<'a>, name: &[u8], found: Found<'a>, primitive: Primitive) {
        if !self.right_plurality(found.value, found.element) {
            return;
        }
        if !found.element.repeats() {
            return self.primitive_value(found, primitive);
        }
        let mut siblings = beside(found.value, object, || format!("_{}", String::from_utf8_lossy(name)));
        for value in found.value.items() {
            let sibling = siblings.as_mut().and_then(Iterator::next);
            if !value.is_null() {
                self.primitive_value(Found { value, ..found }, primitive);
            } else if sibling.is_none_or(Value::is_null) {
                let what = "null stands only where the element of the same position has an id or extensions";
                self.faults.at(value, IssueCode::Structure, what);
            }
        }
    }

    fn primitive_value(&mut self, found: Found<'a>, primitive: Primitive) {
        if let Some(what) = primitive::fault(primitive, found.value) {
            return self.faults.at(found.value, IssueCode::Value, what);
        }
        rules::bound_code(self, found.value, found.of_type);
        self.visitor.primitive(found, primitive, &mut self.faults);
    }

    /// `_name`: the ids and extensions of a primitive element.
    fn sibling(&mut self, object: Value<'a>, name: &[u8], found: Found<'a>) {
        let (value, element) = (found.value, found.element);
        if !self.right_plurality(value, element) {
            return;
        }
        let Some(structure) = self.definitions.structure("Element") else { return };
        let name = String::from_utf8_lossy(name);
        let outer = self.holder.replace((found.parent, element));
        if element.repeats() {
            self.siblings(object.get(&name), value, structure);
        } else {
            let root = if object.get(&name).is_some() { Root::Beside } else { Root::Element };
            self.sibling_value(value, structure, root);
        }
        self.holder = outer;
    }

    fn siblings(&mut self, values: Option<Value<'a>>, value: Value<'a>, structure: &'static Structure) {
        let mut values = values.map(Value::items);
        for item in value.items() {
            let valued = values.as_mut().and_then(Iterator::next).filter(|value| !value.is_null());
            if !item.is_null() {
                self.sibling_value(item, structure, if valued.is_some() { Root::Beside } else { Root::Element });
            } else if valued.is_none() {
                let what = "null stands only where the value of the same position is given";
                self.faults.at(item, IssueCode::Structure, what);
            }
        }
    }

    fn sibling_value(&mut self, value: Value<'a>, structure: &'static Structure, root: Root) {
        if value.kind() != ValueKind::Object {
            return self.faults.at(value, IssueCode::Structure, "Expected an object with id or extension");
        }
        self.members(value, structure, root);
    }
}

/// A value in words that do not repeat it.
fn shown(value: Value<'_>) -> &'static str {
    match value.kind() {
        ValueKind::Null => "null",
        ValueKind::Bool => "true or false",
        ValueKind::Number => "a number",
        ValueKind::String => "a string",
        ValueKind::Array => "an array",
        ValueKind::Object => "an object",
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
    /// An element whose value stands in the member beside it.
    Beside,
}

/// XML has these as attributes, which cannot be extended (R4 json.html); narrative cannot be either.
fn may_have_sibling(structure: &Structure, element: &Element, primitive: Primitive) -> bool {
    let attribute = element.name == "id" || element.name == "url" && structure.name == "Extension";
    !attribute && primitive != Primitive::Xhtml
}
