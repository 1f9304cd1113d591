//! The types of R4 as the evaluator needs them: who specialises whom, and which JSON members an element name stands for.

use std::collections::HashMap;
use std::sync::LazyLock;

use iris_fhir::definitions::{Definitions, Primitive, Shape, definitions};

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
    Known { by_name, bases, element, resource, quantity }
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
    pub(crate) json: Box<str>,
    /// The member with id and extensions of a primitive: `_json`.
    pub(crate) shadow: Box<str>,
    pub(crate) holds: Holds,
}

/// What an element name means in one structure.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) structure: u16,
    pub(crate) choice: bool,
    pub(crate) fields: Vec<Field>,
}

/// An element name, in every structure that has it.
#[derive(Debug)]
pub(crate) struct Member {
    entries: Vec<Entry>,
}

impl Member {
    /// What the name means in a structure; `None` if that has no such element.
    pub(crate) fn of(&self, structure: u16) -> Option<&Entry> {
        let at = self.entries.binary_search_by_key(&structure, |entry| entry.structure).ok()?;
        self.entries.get(at)
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
    let mut members = HashMap::new();
    for (structure, index) in definitions.structures().iter().zip(0_u16..) {
        for element in &structure.elements {
            let fields = element.types.iter().map(|of_type| {
                let json =
                    if element.choice { choice_name(element.name, of_type.name) } else { element.name.to_owned() };
                Field { shadow: format!("_{json}").into(), json: json.into(), holds: Holds::of(of_type.shape) }
            });
            let entry = Entry { structure: index, choice: element.choice, fields: fields.collect() };
            members.entry(element.name).or_insert_with(|| Member { entries: Vec::new() }).entries.push(entry);
        }
    }
    members
}

fn choice_name(element: &str, of_type: &str) -> String {
    let mut letters = of_type.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase().to_string()).unwrap_or_default();
    format!("{element}{first}{}", letters.as_str())
}
