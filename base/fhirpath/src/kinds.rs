//! What is known of a collection before there is one.

use iris_fhir::definitions::Primitive;
use smallvec::SmallVec;

use crate::model::{Holds, Member, TypeRef, known};
use crate::program::{System, TypeTest};

/// A type that an item may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    System(System),
    Fhir(TypeRef),
    /// A resource of any type.
    Resource,
    /// What `type()` gives.
    TypeInfo,
}

/// The types that the items of a collection may have; `None` if nothing is known, no types if there are no items.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kinds {
    pub(crate) types: Option<SmallVec<[Kind; 4]>>,
    /// Whether the order of the items means something.
    pub(crate) ordered: bool,
}

impl Kinds {
    pub(crate) const fn unknown() -> Self {
        Self { types: None, ordered: true }
    }

    pub(crate) fn none() -> Self {
        Self { types: Some(SmallVec::new()), ordered: true }
    }

    pub(crate) fn one(kind: Kind) -> Self {
        Self { types: Some(SmallVec::from_slice(&[kind])), ordered: true }
    }

    pub(crate) fn system(of: System) -> Self {
        Self::one(Kind::System(of))
    }

    /// Of either.
    pub(crate) fn or(mut self, other: &Self) -> Self {
        self.ordered &= other.ordered;
        match (&mut self.types, &other.types) {
            (Some(own), Some(more)) => {
                for kind in more {
                    if !own.contains(kind) {
                        own.push(*kind);
                    }
                }
            }
            _ => self.types = None,
        }
        self
    }

    /// Of the elements of this name; `None` if none of the types has such an element.
    pub(crate) fn member(&self, member: &Member) -> Option<Self> {
        let Some(types) = &self.types else { return Some(Self { types: None, ordered: self.ordered }) };
        let mut found: SmallVec<[Kind; 4]> = SmallVec::new();
        let mut any = types.is_empty();
        for kind in types {
            let structure = match kind {
                Kind::Fhir(TypeRef::Structure(index)) => *index,
                Kind::Fhir(TypeRef::Primitive(_)) => known().element,
                Kind::Resource => {
                    if member.entries().iter().any(|entry| TypeRef::Structure(entry.structure).is_resource()) {
                        return Some(Self { types: None, ordered: self.ordered });
                    }
                    continue;
                }
                Kind::System(_) | Kind::TypeInfo => continue,
            };
            let Some(entry) = member.of(structure) else { continue };
            any = true;
            for field in &entry.fields {
                let kind = match field.kind.holds {
                    Holds::Type(of) => Kind::Fhir(of),
                    Holds::Resource => Kind::Resource,
                };
                if !found.contains(&kind) {
                    found.push(kind);
                }
            }
        }
        any.then_some(Self { types: Some(found), ordered: self.ordered })
    }

    /// Whether an item that is known to be of one of the types may convert to one of these.
    pub(crate) fn may_be(&self, wanted: &[System]) -> bool {
        let Some(types) = &self.types else { return true };
        types.is_empty() || types.iter().any(|kind| kind.converts().is_some_and(|of| wanted.contains(&of)))
    }

    /// Whether every item is known to be of a type of the language (or to convert to one) that is none of these.
    pub(crate) fn names(&self) -> String {
        let names: Vec<&str> = self.types.iter().flatten().map(|kind| kind.name()).collect();
        names.join(", ")
    }

    /// Those of the types that a test lets through.
    pub(crate) fn narrowed(&self, test: TypeTest) -> Self {
        let kind = match test {
            TypeTest { fhir: Some(of), .. } => Kind::Fhir(of),
            TypeTest { system: Some(of), .. } => Kind::System(of),
            TypeTest { fhir: None, system: None } => return Self::none(),
        };
        Self { types: Some(SmallVec::from_slice(&[kind])), ordered: self.ordered }
    }
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::System(of) => of.name(),
            Self::Fhir(of) => of.name(),
            Self::Resource => "Resource",
            Self::TypeInfo => "TypeInfo",
        }
    }

    /// The type of the language that an item of this type is or converts to.
    pub(crate) fn converts(self) -> Option<System> {
        match self {
            Self::System(of) => Some(of),
            Self::Fhir(TypeRef::Primitive(primitive)) => Some(match primitive {
                Primitive::Boolean => System::Boolean,
                Primitive::Integer | Primitive::UnsignedInt | Primitive::PositiveInt => System::Integer,
                Primitive::Decimal => System::Decimal,
                Primitive::Date => System::Date,
                Primitive::DateTime | Primitive::Instant => System::DateTime,
                Primitive::Time => System::Time,
                _ => System::String,
            }),
            Self::Fhir(of) => of.is_a(TypeRef::Structure(known().quantity)).then_some(System::Quantity),
            Self::Resource | Self::TypeInfo => None,
        }
    }
}
