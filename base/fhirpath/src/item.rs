//! What expressions are about: values of the language and elements of documents.

use std::borrow::Cow;
use std::sync::Arc;

use iris_fhir::definitions::{CodeList, Element, Primitive, definitions};
use iris_fhir::json::{Value, ValueKind};
use iris_kernel::Kind;
use iris_ucum::Decimal;
use smallvec::SmallVec;

use crate::error::EvalError;
use crate::model::{Entry, FieldKind, Holds, Member, TypeRef, known};
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
    codes: Option<u16>,
}

impl<'a> Node<'a> {
    /// A resource, whole or contained. `None` if it names no type of R4.
    #[must_use]
    pub fn resource(value: Value<'a>) -> Option<Self> {
        let name = value.str_of("resourceType")?;
        definitions().kind_of(&name)?;
        Some(Self { value: Some(value), beside: None, of: TypeRef::structure(&name)?, codes: None })
    }

    /// [`Self::resource`] of one whose type is known already.
    #[must_use]
    pub fn resource_of(kind: Kind, value: Value<'a>) -> Option<Self> {
        Some(Self { value: Some(value), beside: None, of: TypeRef::of_kind(kind)?, codes: None })
    }

    /// An element of a type; `beside` is the member with the id and the extensions of a primitive.
    #[must_use]
    pub const fn element(value: Option<Value<'a>>, beside: Option<Value<'a>>, of: TypeRef) -> Self {
        Self { value, beside, of, codes: None }
    }

    /// Its type.
    #[must_use]
    pub const fn of(self) -> TypeRef {
        self.of
    }

    /// The codes that a required binding allows here, where the definitions enumerate them; known of elements that an expression or
    /// [`Self::each_child`] has led to.
    #[must_use]
    pub fn codes(self) -> Option<&'static CodeList> {
        definitions().code_list(self.codes?)
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

    /// Calls `visit` with each element of this name, until that fails.
    pub(crate) fn each_member<E>(
        self,
        member: &Member,
        visit: &mut impl FnMut(Node<'a>) -> Result<(), E>,
    ) -> Result<(), E> {
        let Some((object, structure)) = self.inside() else { return Ok(()) };
        let Some(entry) = member.of(structure) else { return Ok(()) };
        match (&entry.fields[..], entry.choice) {
            ([field], false) => each_value(object.get_named(&field.json), field.beside(object), field.kind, visit),
            _ => each_of_choice(object, member.name(), entry, visit),
        }
    }

    /// Calls `visit` with each element that stands directly in this one and what the definitions say of it, in the order of the
    /// document, until that fails. What the definitions do not know is passed over.
    ///
    /// # Errors
    /// What `visit` fails with.
    pub fn each_child<E>(self, visit: &mut impl FnMut(&'static Element, Node<'a>) -> Result<(), E>) -> Result<(), E> {
        let Some((object, structure)) = self.inside() else { return Ok(()) };
        let Some(structure) = definitions().structure_at(structure) else { return Ok(()) };
        let may_have_shadows = object.may_have_shadows();
        for (name, value) in object.members_in_bytes() {
            let plain = name.strip_prefix(b"_").unwrap_or(&name);
            let Some((_, element, of_type)) = structure.member(plain) else { continue };
            let kind = FieldKind::of(of_type);
            let mut found = |node: Node<'a>| visit(element, node);
            if plain.len() < name.len() {
                // Beside a value, it has come with that.
                if !object.members_in_bytes().any(|(other, _)| *other == *plain) {
                    each_value(None, Some(value), kind, &mut found)?;
                }
            } else {
                let is_beside = |other: &[u8]| other.strip_prefix(b"_") == Some(plain);
                let beside = if may_have_shadows && kind.holds.is_primitive() {
                    object.members_in_bytes().find(|(other, _)| is_beside(other)).map(|(_, beside)| beside)
                } else {
                    None
                };
                each_value(Some(value), beside, kind, &mut found)?;
            }
        }
        Ok(())
    }

    /// Whether a primitive has a value, not only an id or extensions.
    pub(crate) fn has_value(self) -> bool {
        self.primitive().is_some() && self.value().is_some()
    }

    /// Whether there is a value or an element other than the id: what `ele-1` asks.
    // The validator says the same of the text alone, without nodes (iris_fhir's walk); base/validation/tests/native.rs holds both equal.
    pub(crate) fn has_content(self) -> bool {
        let other_than_id = &mut |element: &Element, _: Node<'_>| if element.name == "id" { Ok(()) } else { Err(()) };
        self.has_value() || self.each_child(other_than_id).is_err()
    }

    /// The string that it is, where no other type of the language stands for it.
    pub(crate) fn text(self) -> Option<Cow<'a, str>> {
        if self.primitive().is_some_and(is_text) { self.value()?.as_str() } else { None }
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
            _ => value.as_str().map(|text| Item::String(text.into())),
        }
    }
}

/// Whether a primitive type converts to `String`.
const fn is_text(primitive: Primitive) -> bool {
    match primitive {
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
        | Primitive::Xhtml => true,
        Primitive::Boolean
        | Primitive::Integer
        | Primitive::Decimal
        | Primitive::Instant
        | Primitive::Date
        | Primitive::DateTime
        | Primitive::Time
        | Primitive::UnsignedInt
        | Primitive::PositiveInt => false,
    }
}

/// A choice has at most one member; looking for each of fifty names would take fifty passes.
fn each_of_choice<'a, E>(
    object: Value<'a>,
    name: &str,
    entry: &Entry,
    visit: &mut impl FnMut(Node<'a>) -> Result<(), E>,
) -> Result<(), E> {
    for (own, value) in object.members_in_bytes().filter(|(own, _)| own.starts_with(name.as_bytes())) {
        if let Some(field) = entry.choice_of(&own) {
            return each_value(Some(value), field.beside(object), field.kind, visit);
        }
    }
    if !object.may_have_shadows() {
        return Ok(());
    }
    for (own, beside) in object.members_in_bytes() {
        if let Some(field) = own.strip_prefix(b"_").and_then(|own| entry.choice_of(own)) {
            return each_value(None, Some(beside), field.kind, visit);
        }
    }
    Ok(())
}

/// Calls `visit` with the value of a member, or each item of it.
fn each_value<'a, E>(
    value: Option<Value<'a>>,
    beside: Option<Value<'a>>,
    kind: FieldKind,
    visit: &mut impl FnMut(Node<'a>) -> Result<(), E>,
) -> Result<(), E> {
    let is_array = |value: Option<Value<'a>>| value.is_some_and(|value| value.kind() == ValueKind::Array);
    let items = |value: Option<Value<'a>>| value.into_iter().flat_map(Value::items);
    match (value, beside) {
        (Some(values), None) if is_array(value) => {
            for value in values.items() {
                node_of(Some(value), None, kind).map_or(Ok(()), &mut *visit)?;
            }
            Ok(())
        }
        (value, beside) if is_array(value) || is_array(beside) => {
            let (mut values, mut besides) = (items(value), items(beside));
            loop {
                match (values.next(), besides.next()) {
                    (None, None) => return Ok(()),
                    (value, beside) => node_of(value, beside, kind).map_or(Ok(()), &mut *visit)?,
                }
            }
        }
        (value, beside) => node_of(value, beside, kind).map_or(Ok(()), visit),
    }
}

fn node_of<'a>(value: Option<Value<'a>>, beside: Option<Value<'a>>, kind: FieldKind) -> Option<Node<'a>> {
    let value = value.filter(|value| !value.is_null());
    let codes = kind.codes;
    match kind.holds {
        Holds::Type(of @ TypeRef::Primitive(_)) => {
            let beside = beside.filter(|beside| beside.kind() == ValueKind::Object);
            (value.is_some() || beside.is_some()).then_some(Node { value, beside, of, codes })
        }
        Holds::Type(of @ TypeRef::Structure(_)) => value
            .filter(|value| value.kind() == ValueKind::Object)
            .map(|value| Node { value: Some(value), beside: None, of, codes }),
        Holds::Resource => value.and_then(Node::resource),
    }
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

    /// The characters of a `String`, or of an element that converts to one.
    pub(crate) fn text(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Node(node) => node.text(),
            Self::String(text) => Some(Cow::Borrowed(text.as_str())),
            _ => None,
        }
    }

    /// The element or resource, if it is one.
    #[must_use]
    pub const fn node(&self) -> Option<Node<'a>> {
        if let Self::Node(node) = self { Some(*node) } else { None }
    }
}
