//! Which class of data each element of R4 is, and which identifiers nobody sees in full without need.
//!
//! The tables `classes.txt` and `classes_identifiers.txt` are small enough to be reviewed by somebody who reads no code; what they come
//! to for every element is a golden file. Both are read once, at first use.

mod identifiers;
mod load;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::LazyLock;

use iris_kernel::Kind;

use crate::definitions::{Element, ElementType, Shape, Structure, definitions};

pub use identifiers::{
    Form, Identified, SensitiveIdentifier, form_of, identified, is_known_system, may_hold_identifiers,
    sensitive_identifiers,
};
pub use load::EDITION;

/// How much harm there is in somebody knowing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DataClass {
    /// Published knowledge: terminology, definitions, products. Nobody is in it.
    Public,
    /// The house's own: its staff at work, places, machines, and what the server keeps beside a record.
    Internal,
    /// Tells who somebody is, or how to reach them.
    Pii,
    /// Tells of somebody's health, care or its payment, or may (HIPAA 45 CFR 160.103).
    Phi,
    /// What is misused most: national identifiers, account numbers, genomes. Shown in full to those who need it (HIPAA 45 CFR
    /// 164.502(b), minimum necessary).
    Sensitive,
}

impl DataClass {
    /// Every class, the least harmful first.
    pub const ALL: [Self; 5] = [Self::Public, Self::Internal, Self::Pii, Self::Phi, Self::Sensitive];

    /// The word in tables, audit entries and answers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Internal => "internal",
            Self::Pii => "PII",
            Self::Phi => "PHI",
            Self::Sensitive => "sensitive",
        }
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.name() == name)
    }

    /// Whether records of this class are about persons, so that the common elements are less than the rest.
    const fn is_personal(self) -> bool {
        matches!(self, Self::Pii | Self::Phi | Self::Sensitive)
    }
}

/// The tables.
#[derive(Debug, Default)]
struct Classes {
    /// By kind, at its number less 1.
    defaults: Vec<DataClass>,
    common: HashMap<&'static str, DataClass>,
    types: HashMap<&'static str, DataClass>,
    /// By `Type.element`.
    paths: HashMap<&'static str, DataClass>,
}

/// Unreadable tables make everything sensitive; a test reads every line.
static CLASSES: LazyLock<Classes> = LazyLock::new(|| load::classes().unwrap_or_default());

/// The class of a resource type: of its elements where nothing is said about them.
#[must_use]
pub fn class_of_kind(kind: Kind) -> DataClass {
    CLASSES.of_kind(kind)
}

/// The class of one element of a resource type, named by its path without the type and without places in lists: `name.given`,
/// `deceased` or `deceasedBoolean`, `contact.telecom.value`. `None` for a path that R4 does not have; what is inside a resource
/// within a resource is of the inner one's own class.
///
/// An [`Identified`] value of a table of national identifiers is [`DataClass::Sensitive`] whatever its path says.
#[must_use]
pub fn class_of(kind: Kind, path: &str) -> Option<DataClass> {
    CLASSES.of_path(kind, path)
}

/// Where one is on the way from a resource to an element.
struct At {
    class: DataClass,
    /// Whether a line about this very way has spoken; a data type's own class then does not count.
    is_said: bool,
    /// The way in the words of the table: without `[x]` or the name of a type.
    path: String,
}

impl Classes {
    fn of_kind(&self, kind: Kind) -> DataClass {
        let default = usize::from(kind.0).checked_sub(1).and_then(|at| self.defaults.get(at));
        default.copied().unwrap_or(DataClass::Sensitive)
    }

    fn of_path(&self, kind: Kind, path: &str) -> Option<DataClass> {
        let definitions = definitions();
        let mut structure = Some(definitions.structure_of(kind)?);
        let mut at = At { class: self.of_kind(kind), is_said: false, path: definitions.name_of(kind).to_owned() };
        for name in path.split('.') {
            let (element, of) = step(structure?, name)?;
            self.enter(kind, element, of, &mut at);
            structure = of.and_then(inside);
        }
        Some(at.class)
    }

    fn enter(&self, kind: Kind, element: &Element, of: Option<&ElementType>, at: &mut At) {
        at.path.push('.');
        at.path.push_str(element.name);
        let default = self.of_kind(kind);
        let below = at.path.split_once('.').map_or("", |(_, below)| below);
        let common = || self.common.get(below).filter(|_| default.is_personal());
        if let Some(class) = self.paths.get(at.path.as_str()).or_else(common) {
            at.class = *class;
            at.is_said = true;
            return;
        }
        let by_type = of.and_then(|of| self.types.get(of.name));
        if let Some(class) = by_type.filter(|_| !at.is_said && default == DataClass::Phi) {
            at.class = *class;
            at.is_said = true;
        }
    }
}

/// The element of this name in a structure, and its type: `None` for a choice that is named without it.
fn step(structure: &'static Structure, name: &str) -> Option<(&'static Element, Option<&'static ElementType>)> {
    match structure.member(name.as_bytes()) {
        Some((_, element, of)) => Some((element, Some(of))),
        None => structure.element(name).map(|element| (element, None)),
    }
}

/// What values of a type consist of.
fn inside(of: &ElementType) -> Option<&'static Structure> {
    match of.shape {
        Shape::Complex(index) => definitions().structure_at(index),
        Shape::Primitive(_) | Shape::Resource => None,
    }
}
