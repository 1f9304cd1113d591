//! JSON to XML text: the tape is walked in the order of the definitions, and nothing is built in between.

use std::borrow::Cow;

use iris_fhir::definitions::{Definitions, ElementType, Primitive, Shape, Structure, definitions};
use iris_fhir::resource::kind_of;
use iris_fhir::{Value, ValueKind};
use iris_kernel::{Fault, limits};
use smallvec::SmallVec;

use crate::read::is_attribute;
use crate::{FHIR, chars, narrative};

/// Longest pointer that a fault carries, in bytes.
const POINTER_BYTES_MAX: usize = 512;

/// Whether there is white space between elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// None at all.
    Compact,
    /// Each element on a line of its own, two spaces deeper than what it is in. Narrative is not touched.
    Pretty,
}

/// Writes a resource.
pub(crate) fn write(resource: Value<'_>, layout: Layout) -> Result<Vec<u8>, Vec<Fault>> {
    let room = resource.raw().len() + resource.raw().len() / 2;
    let mut out = Vec::with_capacity(room + 128);
    out.extend_from_slice(b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
    let mut writer = Writer { definitions: definitions(), layout, depth: 0, out, faults: Vec::new(), faults_more: 0 };
    writer.resource(resource, Place::Root);
    if layout == Layout::Pretty {
        writer.out.push(b'\n');
    }
    if writer.faults_more > 0 {
        writer.faults.push(Fault::new("", format!("There are {} more faults", writer.faults_more)));
    }
    if writer.faults.is_empty() { Ok(writer.out) } else { Err(writer.faults) }
}

struct Writer {
    definitions: &'static Definitions,
    layout: Layout,
    depth: usize,
    out: Vec<u8>,
    faults: Vec<Fault>,
    faults_more: usize,
}

/// Where a resource stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Root,
    Nested,
}

/// The members that make up one element: `birthDate` and `_birthDate`.
struct Part<'a> {
    position: usize,
    name: Cow<'a, str>,
    of_type: &'static ElementType,
    value: Option<Value<'a>>,
    /// Ids and extensions of primitives.
    beside: Option<Value<'a>>,
}

impl Part<'_> {
    fn is_attribute_of(&self, structure: &Structure) -> bool {
        structure.elements.get(self.position).is_some_and(|element| is_attribute(structure, element))
    }
}

type Parts<'a> = SmallVec<[Part<'a>; 12]>;

impl Writer {
    fn fault(&mut self, at: Value<'_>, what: impl Into<String>) {
        if self.faults.len() >= limits::FAULTS_MAX {
            self.faults_more += 1;
            return;
        }
        let mut pointer = at.pointer();
        if pointer.len() > POINTER_BYTES_MAX {
            pointer.truncate(pointer.floor_char_boundary(POINTER_BYTES_MAX));
            pointer.push('…');
        }
        self.faults.push(Fault::new(pointer, what));
    }

    fn line(&mut self) {
        if self.layout == Layout::Pretty {
            self.out.push(b'\n');
            for _ in 0..self.depth {
                self.out.extend_from_slice(b"  ");
            }
        }
    }

    fn open(&mut self, name: &str) {
        self.line();
        self.out.push(b'<');
        self.out.extend_from_slice(name.as_bytes());
    }

    fn close(&mut self, name: &str) {
        self.depth -= 1;
        self.line();
        self.out.extend_from_slice(b"</");
        self.out.extend_from_slice(name.as_bytes());
        self.out.push(b'>');
    }

    /// Ends a start tag that has children.
    fn enter(&mut self) {
        self.out.push(b'>');
        self.depth += 1;
    }

    fn attribute(&mut self, name: &str, value: Value<'_>) {
        self.out.push(b' ');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"=\"");
        match value.kind() {
            ValueKind::String => match value.as_str() {
                Some(text) if chars::first_alien(text.as_bytes()).is_none() => escape(&text, &mut self.out),
                _ => self.fault(value, "XML does not have one of the characters of this string"),
            },
            _ => self.out.extend_from_slice(value.raw()),
        }
        self.out.push(b'"');
    }

    /// A resource, with everything that is nested in it. The depth is bounded by the JSON reader's limit.
    fn resource(&mut self, value: Value<'_>, place: Place) {
        let kind = match kind_of(value) {
            Ok(kind) => kind,
            Err(error) => return self.fault(value, error.to_string()),
        };
        let Some(structure) = self.definitions.structure_of(kind) else { return };
        let parts = self.parts(value, structure, Of::Resource);
        self.open(structure.name);
        if place == Place::Root {
            self.out.extend_from_slice(b" xmlns=\"");
            self.out.extend_from_slice(FHIR.as_bytes());
            self.out.push(b'"');
        }
        if parts.is_empty() {
            return self.out.extend_from_slice(b"/>");
        }
        self.enter();
        self.children(&parts, structure);
        self.close(structure.name);
    }

    /// A data type or a part of a resource.
    fn complex(&mut self, value: Value<'_>, name: &str, structure: &'static Structure) {
        if value.kind() != ValueKind::Object {
            return self.fault(value, format!("Expected an object ({})", structure.name));
        }
        self.open(name);
        let parts = self.parts(value, structure, Of::Element);
        self.attributes_and_children(&parts, name, structure);
    }

    fn attributes_and_children(&mut self, parts: &Parts<'_>, name: &str, structure: &'static Structure) {
        let mut children = 0;
        for part in parts {
            if part.is_attribute_of(structure) {
                if let Some(value) = part.value {
                    self.attribute(&part.name, value);
                }
            } else {
                children += 1;
            }
        }
        if children == 0 {
            return self.out.extend_from_slice(b"/>");
        }
        self.enter();
        for part in parts.iter().filter(|part| !part.is_attribute_of(structure)) {
            self.part(part, structure);
        }
        self.close(name);
    }

    fn children(&mut self, parts: &Parts<'_>, structure: &'static Structure) {
        for part in parts {
            self.part(part, structure);
        }
    }

    /// The members of an object as parts, in the order of the definitions.
    fn parts<'a>(&mut self, object: Value<'a>, structure: &'static Structure, of: Of) -> Parts<'a> {
        let mut parts = Parts::new();
        for (name, value) in object.members() {
            if of == Of::Resource && name == "resourceType" {
                continue;
            }
            let beside = name.starts_with('_');
            let plain = if beside { cut_first(name) } else { name };
            let Some((position, element, of_type)) = structure.member(plain.as_bytes()) else {
                self.fault(value, format!("{} has no such element", structure.name));
                continue;
            };
            let primitive = matches!(of_type.shape, Shape::Primitive(primitive) if primitive != Primitive::Xhtml);
            if beside && (!primitive || of == Of::Element && is_attribute(structure, element)) {
                self.fault(value, format!("{} has no such element", structure.name));
                continue;
            }
            if value.is_null() {
                self.fault(value, "null is only allowed in arrays of primitive values");
                continue;
            }
            let at = match parts.iter().rposition(|part| part.position == position) {
                Some(at) if parts[at].name == plain => at,
                Some(_) => {
                    self.fault(value, format!("{}[x] may have only one type", element.name));
                    continue;
                }
                None => {
                    parts.push(Part { position, name: plain, of_type, value: None, beside: None });
                    parts.len() - 1
                }
            };
            let place = if beside { &mut parts[at].beside } else { &mut parts[at].value };
            *place = Some(value);
        }
        parts.sort_by_key(|part| part.position);
        parts
    }

    fn part(&mut self, part: &Part<'_>, structure: &'static Structure) {
        let Some(element) = structure.elements.get(part.position) else { return };
        for value in part.value.iter().chain(&part.beside) {
            if element.repeats() != (value.kind() == ValueKind::Array) {
                return self.fault(*value, "An array stands where an element repeats, and only there");
            }
            if element.repeats() && value.is_empty() {
                return self.fault(*value, "An array must not be empty");
            }
        }
        if !element.repeats() {
            return self.one(part, part.value, part.beside);
        }
        let (mut values, mut besides) = (part.value.map(Value::items), part.beside.map(Value::items));
        loop {
            let value = values.as_mut().and_then(Iterator::next);
            let beside = besides.as_mut().and_then(Iterator::next);
            if value.is_none() && beside.is_none() {
                return;
            }
            let given = |value: &Value<'_>| !value.is_null();
            match (value.filter(given), beside.filter(given), value.or(beside)) {
                (None, None, Some(null)) => self.fault(null, "null stands only where the other array has something"),
                (value, beside, _) => self.one(part, value, beside),
            }
        }
    }

    /// One element.
    fn one(&mut self, part: &Part<'_>, value: Option<Value<'_>>, beside: Option<Value<'_>>) {
        match (part.of_type.shape, value) {
            (Shape::Primitive(Primitive::Xhtml), Some(value)) => self.narrative(value),
            (Shape::Primitive(primitive), value) => self.primitive(part, primitive, value, beside),
            (_, None) => {}
            (Shape::Complex(number), Some(value)) => {
                if let Some(structure) = self.definitions.structure_at(number) {
                    self.complex(value, &part.name, structure);
                }
            }
            (Shape::Resource, Some(value)) => {
                self.open(&part.name);
                self.enter();
                self.resource(value, Place::Nested);
                self.close(&part.name);
            }
        }
    }

    fn primitive(
        &mut self,
        part: &Part<'_>,
        primitive: Primitive,
        value: Option<Value<'_>>,
        beside: Option<Value<'_>>,
    ) {
        self.open(&part.name);
        if let Some(value) = value {
            let (expected, what) = match primitive {
                Primitive::Boolean => (ValueKind::Bool, "A boolean is true or false, without quotes"),
                Primitive::Decimal | Primitive::Integer | Primitive::UnsignedInt | Primitive::PositiveInt => {
                    (ValueKind::Number, "Expected a JSON number")
                }
                _ => (ValueKind::String, "Expected a JSON string"),
            };
            if value.kind() == expected {
                self.attribute("value", value);
            } else {
                self.fault(value, what);
            }
        }
        let Some(beside) = beside else { return self.out.extend_from_slice(b"/>") };
        let Some(structure) = self.definitions.structure("Element") else { return };
        if beside.kind() != ValueKind::Object {
            return self.fault(beside, "Expected an object with id or extension");
        }
        let parts = self.parts(beside, structure, Of::Element);
        self.attributes_and_children(&parts, &part.name, structure);
    }

    fn narrative(&mut self, value: Value<'_>) {
        let Some(text) = value.as_str() else { return self.fault(value, "Expected a JSON string") };
        match narrative::for_document(&text) {
            Ok(text) => {
                self.line();
                self.out.extend_from_slice(text.as_bytes());
            }
            Err(what) => self.fault(value, what),
        }
    }
}

/// Whether `resourceType` belongs to the object, and whether its id is an element.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    Resource,
    Element,
}

fn cut_first(name: Cow<'_, str>) -> Cow<'_, str> {
    match name {
        Cow::Borrowed(name) => Cow::Borrowed(name.get(1..).unwrap_or_default()),
        Cow::Owned(name) => Cow::Owned(name.get(1..).unwrap_or_default().to_owned()),
    }
}

/// Writes text for between double quotes. White space other than the space is written by number, or readers would make spaces of it.
pub(crate) fn escape(text: &str, out: &mut Vec<u8>) {
    let mut plain = 0;
    let bytes = text.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        let escaped: &[u8] = match byte {
            b'&' => b"&amp;",
            b'<' => b"&lt;",
            b'>' => b"&gt;",
            b'"' => b"&quot;",
            b'\t' => b"&#9;",
            b'\n' => b"&#10;",
            b'\r' => b"&#13;",
            _ => continue,
        };
        out.extend_from_slice(bytes.get(plain..at).unwrap_or_default());
        out.extend_from_slice(escaped);
        plain = at + 1;
    }
    out.extend_from_slice(bytes.get(plain..).unwrap_or_default());
}
