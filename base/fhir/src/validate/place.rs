//! Where a value stands, in both spellings that people know.

use std::fmt::Write as _;

use crate::definitions::{ElementType, Shape, Structure, definitions};
use crate::json::{Value, ValueKind};
use crate::resource::kind_of;

/// A place in a resource.
pub(super) struct Place {
    /// `/name/0/given/1`
    pub(super) pointer: String,
    /// `Patient.name[0].given[1]`
    pub(super) expression: String,
}

/// The place of a value, or of its member `name` if that is not empty. Walks from the root: for messages, not for loops.
pub(super) fn place(value: Value<'_>, name: &str) -> Place {
    let mut at = value.document();
    let mut structure = of_resource(at);
    let mut place =
        Place { pointer: String::new(), expression: structure.map_or("Resource", |own| own.name).to_owned() };
    while at.index() != value.index() {
        let next = match at.kind() {
            ValueKind::Object => at.members().find(|(_, member)| member.holds(value.index())).map(|(name, member)| {
                structure = place.step(&name, structure);
                member
            }),
            ValueKind::Array => {
                at.items().enumerate().find(|(_, item)| item.holds(value.index())).map(|(number, item)| {
                    // Writing to a string cannot fail.
                    let _ = write!(place.pointer, "/{number}");
                    let _ = write!(place.expression, "[{number}]");
                    item
                })
            }
            _ => None,
        };
        let Some(next) = next else { break };
        at = next;
        if at.kind() == ValueKind::Object && structure.is_some_and(|own| own.name == "Resource") {
            structure = of_resource(at);
        }
    }
    if !name.is_empty() {
        place.step(name, structure);
    }
    place
}

impl Place {
    /// Goes on to a member; its structure if it has one.
    fn step(&mut self, name: &str, structure: Option<&'static Structure>) -> Option<&'static Structure> {
        self.pointer.push('/');
        self.pointer.push_str(&name.replace('~', "~0").replace('/', "~1"));
        let plain = name.strip_prefix('_').unwrap_or(name);
        self.expression.push('.');
        match structure.and_then(|own| own.member(plain.as_bytes())) {
            Some((_, element, of_type)) => {
                self.expression.push_str(element.name);
                if element.choice {
                    let _ = write!(self.expression, ".ofType({})", of_type.name);
                }
                if plain.len() < name.len() { definitions().structure("Element") } else { structure_of(of_type) }
            }
            None => {
                self.expression.push_str(plain);
                None
            }
        }
    }
}

fn structure_of(of_type: &ElementType) -> Option<&'static Structure> {
    match of_type.shape {
        Shape::Complex(index) => definitions().structure_at(index),
        Shape::Resource => definitions().structure("Resource"),
        Shape::Primitive(_) => None,
    }
}

fn of_resource(value: Value<'_>) -> Option<&'static Structure> {
    definitions().structure_of(kind_of(value).ok()?)
}
