//! The types of R4 as the evaluator needs them: who specialises whom, and which JSON members an element name stands for.

use std::collections::HashMap;
use std::sync::LazyLock;

use iris_fhir::definitions::{Definitions, ElementType, Primitive, Shape, definitions};
use iris_fhir::json::{MemberName, Value};
use iris_kernel::Kind;

/// A type of FHIR.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TypeRef {
    /// A primitive type.
    Primitive(Primitive),
    /// A type with elements, or a part of one, by its number in the definitions.
    Structure(u16),
}

/// The types that the evaluator treats in a way of their own.
pub(crate) struct Known {
    by_name: HashMap<&'static str, u16>,
    /// What each structure specialises.
    bases: Vec<Option<u16>>,
    /// The structure of each resource type, by its number.
    by_kind: Vec<u16>,
    pub(crate) element: u16,
    pub(crate) resource: u16,
    pub(crate) quantity: u16,
}

static KNOWN: LazyLock<Known> = LazyLock::new(|| {
    let by_name: HashMap<&'static str, u16> =
        definitions().structures().iter().map(|structure| structure.name).zip(0..).collect();
    let find = |name: &str| by_name.get(name).copied().unwrap_or(u16::MAX);
    let bases = definitions().structures().iter().map(|structure| by_name.get(structure.base).copied()).collect();
    let (element, resource, quantity) = (find("Element"), find("Resource"), find("Quantity"));
    let by_kind = definitions().kinds().map(|kind| find(definitions().name_of(kind))).collect();
    Known { by_name, bases, by_kind, element, resource, quantity }
});

pub(crate) fn known() -> &'static Known {
    &KNOWN
}

impl TypeRef {
    /// The type with this name: `code`, `HumanName`, `Patient`, `Patient.contact`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Primitive::named(name)
            .map(Self::Primitive)
            .or_else(|| KNOWN.by_name.get(name).map(|index| Self::Structure(*index)))
    }

    /// The type of a resource.
    #[must_use]
    pub fn of_kind(kind: Kind) -> Option<Self> {
        let at = usize::from(kind.0).checked_sub(1)?;
        KNOWN.by_kind.get(at).copied().map(Self::Structure)
    }

    /// The type with elements that has this name.
    pub(crate) fn structure(name: &str) -> Option<Self> {
        KNOWN.by_name.get(name).copied().map(Self::Structure)
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Primitive(primitive) => primitive.name(),
            Self::Structure(index) => definitions().structure_at(index).map_or("", |structure| structure.name),
        }
    }

    /// What it specialises; `None` for `Element` and `Resource`.
    #[must_use]
    pub fn base(self) -> Option<Self> {
        match self {
            Self::Primitive(Primitive::Code | Primitive::Id | Primitive::Markdown) => {
                Some(Self::Primitive(Primitive::String))
            }
            Self::Primitive(Primitive::Url | Primitive::Canonical | Primitive::Oid | Primitive::Uuid) => {
                Some(Self::Primitive(Primitive::Uri))
            }
            Self::Primitive(Primitive::UnsignedInt | Primitive::PositiveInt) => {
                Some(Self::Primitive(Primitive::Integer))
            }
            Self::Primitive(_) => Some(Self::Structure(KNOWN.element)),
            Self::Structure(index) => KNOWN.bases.get(usize::from(index)).copied().flatten().map(Self::Structure),
        }
    }

    /// Whether it is `other` or specialises it.
    #[must_use]
    pub fn is_a(self, other: Self) -> bool {
        let mut own = Some(self);
        while let Some(of) = own {
            if of == other {
                return true;
            }
            own = of.base();
        }
        false
    }

    /// Whether it is a resource type.
    #[must_use]
    pub fn is_resource(self) -> bool {
        self.is_a(Self::Structure(KNOWN.resource))
    }
}

/// What one JSON member holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holds {
    Type(TypeRef),
    /// A resource, which names its own type.
    Resource,
}

impl Holds {
    pub(crate) const fn of(shape: Shape) -> Self {
        match shape {
            Shape::Primitive(primitive) => Self::Type(TypeRef::Primitive(primitive)),
            Shape::Complex(index) => Self::Type(TypeRef::Structure(index)),
            Shape::Resource => Self::Resource,
        }
    }

    pub(crate) const fn is_primitive(self) -> bool {
        matches!(self, Self::Type(TypeRef::Primitive(_)))
    }
}

/// A JSON member that an element name stands for.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) json: MemberName,
    /// The member with id and extensions of a primitive: `_json`.
    shadow: MemberName,
    pub(crate) kind: FieldKind,
}

/// What a JSON member holds, and the codes that a required binding allows there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FieldKind {
    pub(crate) holds: Holds,
    pub(crate) codes: Option<u16>,
}

impl FieldKind {
    pub(crate) const fn of(of_type: &ElementType) -> Self {
        Self { holds: Holds::of(of_type.shape), codes: of_type.codes }
    }
}

impl Field {
    /// The names of its members: of the value, and of what stands beside a primitive one.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let shadow = self.kind.holds.is_primitive().then(|| self.shadow.as_str());
        std::iter::once(self.json.as_str()).chain(shadow)
    }

    /// What stands beside the value of a primitive.
    pub(crate) fn beside<'a>(&self, object: Value<'a>) -> Option<Value<'a>> {
        let may_be = self.kind.holds.is_primitive() && object.may_have_shadows();
        if may_be { object.get_named(&self.shadow) } else { None }
    }
}

/// What an element name means in one structure.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) structure: u16,
    pub(crate) choice: bool,
    /// One; of a choice each type's, in the order of their names.
    pub(crate) fields: Vec<Field>,
}

impl Entry {
    /// The field of a choice with this name in JSON.
    pub(crate) fn choice_of(&self, json: &[u8]) -> Option<&Field> {
        let at = self.fields.binary_search_by(|field| field.json.as_str().as_bytes().cmp(json)).ok()?;
        self.fields.get(at)
    }
}

/// An element name, in every structure that has it.
#[derive(Debug)]
pub(crate) struct Member {
    name: &'static str,
    /// In the order of the structures.
    entries: Vec<Entry>,
    /// For names that many structures have: the place in `entries` of each structure, or [`NOWHERE`].
    places: Vec<u16>,
}

const NOWHERE: u16 = u16::MAX;
/// From this many structures on, a name has a list of places.
const PLACES_MIN: usize = 5;

impl Member {
    pub(crate) const fn name(&self) -> &'static str {
        self.name
    }

    /// What the name means in a structure; `None` if that has no such element.
    pub(crate) fn of(&self, structure: u16) -> Option<&Entry> {
        if self.places.is_empty() {
            return self.entries.iter().find(|entry| entry.structure == structure);
        }
        self.entries.get(usize::from(*self.places.get(usize::from(structure))?))
    }

    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }
}

static MEMBERS: LazyLock<HashMap<&'static str, Member>> = LazyLock::new(|| members(definitions()));

/// The element name, if any structure of R4 has it.
pub(crate) fn member(name: &str) -> Option<&'static Member> {
    MEMBERS.get(name)
}

fn members(definitions: &'static Definitions) -> HashMap<&'static str, Member> {
    let mut members: HashMap<&'static str, Member> = HashMap::new();
    for (structure, index) in definitions.structures().iter().zip(0_u16..) {
        for element in &structure.elements {
            let fields = element.types.iter().map(|of_type| {
                let json =
                    if element.choice { choice_name(element.name, of_type.name) } else { element.name.to_owned() };
                Field {
                    json: MemberName::new(&json),
                    shadow: MemberName::new(&format!("_{json}")),
                    kind: FieldKind::of(of_type),
                }
            });
            let mut fields: Vec<Field> = fields.collect();
            fields.sort_by(|one, other| one.json.as_str().cmp(other.json.as_str()));
            let entry = Entry { structure: index, choice: element.choice, fields };
            let new = || Member { name: element.name, entries: Vec::new(), places: Vec::new() };
            members.entry(element.name).or_insert_with(new).entries.push(entry);
        }
    }
    let count = definitions.structures().len();
    for member in members.values_mut().filter(|member| member.entries.len() >= PLACES_MIN) {
        member.places = vec![NOWHERE; count];
        for (entry, at) in member.entries.iter().zip(0..) {
            member.places.get_mut(usize::from(entry.structure)).into_iter().for_each(|place| *place = at);
        }
    }
    members
}

fn choice_name(element: &str, of_type: &str) -> String {
    let mut letters = of_type.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase().to_string()).unwrap_or_default();
    format!("{element}{first}{}", letters.as_str())
}
