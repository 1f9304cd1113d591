//! What expressions are about: values of the language and elements of documents.

use std::borrow::Cow;
use std::sync::Arc;

use iris_fhir::definitions::{Primitive, definitions};
use iris_fhir::json::{Value, ValueKind};
use iris_kernel::Kind;
use iris_ucum::Decimal;
use smallvec::SmallVec;

use crate::error::EvalError;
use crate::model::{Entry, Field, Holds, Member, TypeRef, known};
use crate::moment::Moment;
use crate::quantity::{Calendar, Measure, Quantity};

/// A collection.
pub type Items<'a> = SmallVec<[Item<'a>; 2]>;

/// One item of a collection.
#[derive(Clone, Debug)]
pub enum Item<'a> {
    /// An element of a document, or a resource.
    Node(Node<'a>),
    /// A resource of which only the type is known: where a reference leads.
    Target(Kind),
    /// `Boolean`
    Boolean(bool),
    /// `Integer`
    Integer(i64),
    /// `Decimal`
    Decimal(Decimal),
    /// `String`
    String(Text<'a>),
    /// `Date`, `DateTime` or `Time`
    Moment(Moment),
    /// `Quantity`
    Quantity(Arc<Quantity>),
    /// What `type()` gives.
    Type(TypeInfo),
}

/// Name and namespace of a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TypeInfo {
    /// `System` or `FHIR`.
    pub namespace: &'static str,
    /// The type in it.
    pub name: &'static str,
}

/// Text of a document or a program, or made by an expression.
#[derive(Clone, Debug)]
pub enum Text<'a> {
    /// As it stands somewhere.
    Borrowed(&'a str),
    /// Made.
    Made(Arc<str>),
}

impl Text<'_> {
    /// The characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Borrowed(text) => text,
            Self::Made(text) => text,
        }
    }
}

impl<'a> From<Cow<'a, str>> for Text<'a> {
    fn from(text: Cow<'a, str>) -> Self {
        match text {
            Cow::Borrowed(text) => Self::Borrowed(text),
            Cow::Owned(text) => Self::Made(text.into()),
        }
    }
}

/// An element of a document with its type: a value, what stands beside a primitive value (`_birthDate`), or both.
#[derive(Clone, Copy, Debug)]
pub struct Node<'a> {
    value: Option<Value<'a>>,
    beside: Option<Value<'a>>,
    of: TypeRef,
}

impl<'a> Node<'a> {
    /// A resource, whole or contained. `None` if it names no type of R4.
    #[must_use]
    pub fn resource(value: Value<'a>) -> Option<Self> {
        let name = value.str_of("resourceType")?;
        definitions().kind_of(&name)?;
        Some(Self { value: Some(value), beside: None, of: TypeRef::structure(&name)? })
    }

    /// An element of a type; `beside` is the member with the id and the extensions of a primitive.
    #[must_use]
    pub const fn element(value: Option<Value<'a>>, beside: Option<Value<'a>>, of: TypeRef) -> Self {
        Self { value, beside, of }
    }

    /// Its type.
    #[must_use]
    pub const fn of(self) -> TypeRef {
        self.of
    }

    /// Its JSON value; `None` for a primitive that has only an id or extensions.
    #[must_use]
    pub fn value(self) -> Option<Value<'a>> {
        self.value.filter(|value| !value.is_null())
    }

    /// The JSON object with the id and the extensions of a primitive.
    #[must_use]
    pub const fn beside(self) -> Option<Value<'a>> {
        self.beside
    }

    /// The object that the elements of this one are members of, and the structure that says what they mean.
    fn inside(self) -> Option<(Value<'a>, u16)> {
        match self.of {
            TypeRef::Structure(index) => Some((self.value?, index)),
            TypeRef::Primitive(_) => Some((self.beside?, known().element)),
        }
    }

    /// Appends the elements of this name.
    pub(crate) fn member(self, member: &Member, out: &mut Items<'a>) {
        let Some((object, structure)) = self.inside() else { return };
        let Some(entry) = member.of(structure) else { return };
        match (&entry.fields[..], entry.choice) {
            ([field], false) => push_field(object, field, out),
            _ => push_choice(object, entry, out),
        }
    }

    /// Appends every element, in the order of the document.
    pub(crate) fn children(self, out: &mut Items<'a>) {
        let Some((object, structure)) = self.inside() else { return };
        let Some(structure) = definitions().structure_at(structure) else { return };
        for (name, value) in object.members() {
            let plain = name.strip_prefix('_').unwrap_or(&name);
            let Some((_, _, of_type)) = structure.member(plain.as_bytes()) else { continue };
            let holds = Holds::of(of_type.shape);
            if plain.len() < name.len() {
                if object.get(plain).is_none() {
                    push_values(None, Some(value), holds, out);
                }
            } else {
                let beside = if holds.is_primitive() { object.get(&format!("_{name}")) } else { None };
                push_values(Some(value), beside, holds, out);
            }
        }
    }

    /// The primitive type, if it is one.
    pub(crate) fn primitive(self) -> Option<Primitive> {
        match self.of {
            TypeRef::Primitive(primitive) => Some(primitive),
            TypeRef::Structure(_) => None,
        }
    }

    /// The value of the language that this element converts to (R4 fhirpath.html § Using FHIR types in expressions).
    pub(crate) fn plain(self) -> Option<Item<'a>> {
        let value = self.value()?;
        let Some(primitive) = self.primitive() else { return quantity(self).map(|q| Item::Quantity(Arc::new(q))) };
        match primitive {
            Primitive::Boolean => value.as_bool().map(Item::Boolean),
            Primitive::Integer | Primitive::UnsignedInt | Primitive::PositiveInt => {
                value.number()?.parse().ok().map(Item::Integer)
            }
            Primitive::Decimal => Decimal::parse(value.number()?).ok().map(Item::Decimal),
            Primitive::Date => Moment::parse_date(&value.as_str()?).map(Item::Moment),
            Primitive::DateTime | Primitive::Instant => Moment::parse_date_time(&value.as_str()?).map(Item::Moment),
            Primitive::Time => Moment::parse_time(&value.as_str()?).map(Item::Moment),
            Primitive::Base64Binary
            | Primitive::String
            | Primitive::Uri
            | Primitive::Code
            | Primitive::Oid
            | Primitive::Id
            | Primitive::Markdown
            | Primitive::Url
            | Primitive::Canonical
            | Primitive::Uuid
            | Primitive::Xhtml => value.as_str().map(|text| Item::String(text.into())),
        }
    }
}

fn push_field<'a>(object: Value<'a>, field: &Field, out: &mut Items<'a>) {
    let value = object.get(&field.json);
    let beside = if field.holds.is_primitive() { object.get(&field.shadow) } else { None };
    push_values(value, beside, field.holds, out);
}

/// A choice has at most one member; looking for each of fifty names would take fifty passes.
fn push_choice<'a>(object: Value<'a>, entry: &Entry, out: &mut Items<'a>) {
    for (name, value) in object.members() {
        if let Some(field) = entry.fields.iter().find(|field| *field.json == *name) {
            let beside = if field.holds.is_primitive() { object.get(&field.shadow) } else { None };
            return push_values(Some(value), beside, field.holds, out);
        }
    }
    for (name, beside) in object.members().filter(|(name, _)| name.starts_with('_')) {
        if let Some(field) = entry.fields.iter().find(|field| *field.shadow == *name) {
            return push_values(None, Some(beside), field.holds, out);
        }
    }
}

/// Appends the value of a member, or each item of it.
fn push_values<'a>(value: Option<Value<'a>>, beside: Option<Value<'a>>, holds: Holds, out: &mut Items<'a>) {
    let is_array = |value: Option<Value<'a>>| value.is_some_and(|value| value.kind() == ValueKind::Array);
    if !is_array(value) && !is_array(beside) {
        return push_value(value, beside, holds, out);
    }
    let items = |value: Option<Value<'a>>| value.into_iter().flat_map(Value::items);
    let (mut values, mut besides) = (items(value), items(beside));
    loop {
        match (values.next(), besides.next()) {
            (None, None) => return,
            (value, beside) => push_value(value, beside, holds, out),
        }
    }
}

fn push_value<'a>(value: Option<Value<'a>>, beside: Option<Value<'a>>, holds: Holds, out: &mut Items<'a>) {
    let value = value.filter(|value| !value.is_null());
    let beside = beside.filter(|beside| beside.kind() == ValueKind::Object);
    let node = match holds {
        Holds::Type(of @ TypeRef::Primitive(_)) if value.is_some() || beside.is_some() => {
            Some(Node { value, beside, of })
        }
        Holds::Type(of @ TypeRef::Structure(_)) => value
            .filter(|value| value.kind() == ValueKind::Object)
            .map(|value| Node { value: Some(value), beside: None, of }),
        Holds::Type(TypeRef::Primitive(_)) => None,
        Holds::Resource => value.and_then(Node::resource),
    };
    out.extend(node.map(Item::Node));
}

/// A FHIR `Quantity` as one of the language; `None` if it has a comparator, which that cannot carry, or no value.
fn quantity(node: Node<'_>) -> Option<Quantity> {
    let (TypeRef::Structure(index), Some(value)) = (node.of, node.value) else { return None };
    if index != known().quantity && !node.of.is_a(TypeRef::Structure(known().quantity)) {
        return None;
    }
    if value.get("comparator").is_some() {
        return None;
    }
    let number = Decimal::parse(value.get("value")?.number()?).ok()?;
    let is_ucum = value.str_of("system").as_deref() == Some("http://unitsofmeasure.org");
    let unit = match (value.str_of("code"), is_ucum) {
        (Some(code), true) => {
            Calendar::of_fhir_code(&code).map_or_else(|| Measure::Code((&*code).into()), Measure::Calendar)
        }
        (Some(code), false) => Measure::Text((&*code).into()),
        (None, _) => match value.str_of("unit") {
            Some(unit) => Measure::Text((&*unit).into()),
            None => return Some(Quantity::plain(number)),
        },
    };
    Some(Quantity { value: number, unit })
}

impl<'a> Item<'a> {
    /// Text that an expression has made.
    pub(crate) fn made(text: impl Into<Arc<str>>) -> Self {
        Self::String(Text::Made(text.into()))
    }

    /// The value of the language: itself, or what an element converts to. `None` for elements without one.
    #[must_use]
    pub fn plain(&self) -> Option<Item<'a>> {
        match self {
            Self::Node(node) => node.plain(),
            other => Some(other.clone()),
        }
    }

    /// The value of the language for an operation on values: `None` if a primitive has none, or a quantity one that the language
    /// cannot carry.
    ///
    /// # Errors
    /// An element that is no value.
    pub(crate) fn operand(&self) -> Result<Option<Item<'a>>, EvalError> {
        let is_value = match self {
            Self::Node(node) => node.primitive().is_some() || node.of.is_a(TypeRef::Structure(known().quantity)),
            Self::Target(_) => false,
            _ => true,
        };
        if is_value {
            Ok(self.plain())
        } else {
            Err(EvalError::Type("a value was expected, not an element with parts"))
        }
    }

    /// The element or resource, if it is one.
    #[must_use]
    pub const fn node(&self) -> Option<Node<'a>> {
        if let Self::Node(node) = self { Some(*node) } else { None }
    }
}
