//! What must be there for an expression to come to anything.

use crate::ast::BinaryOp;
use crate::eval::type_taken_as;
use crate::function::Function;
use crate::model::{Field, Holds, Member, TypeRef};
use crate::program::{PathStep, Program, Step, StepId, TypeAction, TypeTest};

/// Where the items of an expression can come from, when it is evaluated on an element.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources {
    /// From these members of its JSON object, in the order of the expression.
    pub members: Vec<&'static str>,
    /// From the element itself, whatever members it has.
    pub itself: bool,
}

impl Program {
    /// Where its items can come from on an element of this type: without one of those sources it comes to nothing. `None` where that
    /// is not known, as for what makes truth values out of nothing.
    #[must_use]
    pub fn sources(&self, of: TypeRef) -> Option<Sources> {
        let TypeRef::Structure(structure) = of else { return None };
        let mut sources = Sources::default();
        self.add_sources(self.root, structure, &mut sources).then_some(sources)
    }

    /// Adds the sources of a step; false where they are not known.
    fn add_sources(&self, id: StepId, structure: u16, sources: &mut Sources) -> bool {
        match self.step(id) {
            Step::Empty => true,
            Step::This | Step::Root(_) => {
                sources.itself = true;
                true
            }
            Step::Path { from, count, .. } => match self.path(from, count) {
                [PathStep::Member(member), PathStep::OfType(test), ..] => {
                    add_members(member, structure, Some(*test), sources)
                }
                [PathStep::Member(member), ..] => add_members(member, structure, None, sources),
                _ => false,
            },
            // Of nothing these make nothing.
            Step::Member { of, .. }
            | Step::Item { of, .. }
            | Step::Type { action: TypeAction::As | TypeAction::OfType, of, .. }
            | Step::Call { of, function: Function::Where | Function::First | Function::Resolve, .. } => {
                self.add_sources(of, structure, sources)
            }
            Step::Run { op: BinaryOp::Union, arguments } => {
                self.arguments(arguments).iter().all(|operand| self.add_sources(*operand, structure, sources))
            }
            _ => false,
        }
    }
}

/// Adds the members that an element name stands for; of a choice those of a type that is asked for.
fn add_members(member: &'static Member, structure: u16, test: Option<TypeTest>, sources: &mut Sources) -> bool {
    let fields = member.of(structure).map_or(&[][..], |entry| &entry.fields);
    let fits = |field: &&Field| match (test, field.kind.holds) {
        (Some(test), Holds::Type(of)) => type_taken_as(of, test),
        (None, _) | (_, Holds::Resource) => true,
    };
    sources.members.extend(fields.iter().filter(fits).flat_map(Field::names));
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Focus, Settings, compile, parse};

    fn sources(of: &str, text: &str) -> Option<Sources> {
        let of = TypeRef::named(of).unwrap();
        compile(&parse(text).unwrap(), &Settings::of_definitions(Focus::Type(of))).unwrap().sources(of)
    }

    #[test]
    fn an_expression_has_its_items_from_the_first_members_of_its_paths() {
        let table: [(&str, &str, &[&str], bool); 6] = [
            ("Patient", "Patient.name.given", &["name"], false),
            ("Patient", "Patient.birthDate", &["birthDate", "_birthDate"], false),
            ("Patient", "Patient.name.where(use = 'official').first().family", &["name"], false),
            (
                "Observation",
                "(Observation.value as Quantity) | Observation.component.value",
                &["valueQuantity", "component"],
                false,
            ),
            ("Observation", "Observation | Observation.component", &["component"], true),
            ("Observation", "Observation.subject.where(resolve() is Patient)", &["subject"], false),
        ];
        for (of, text, members, itself) in table {
            assert_eq!(sources(of, text), Some(Sources { members: members.to_vec(), itself }), "{text}");
        }
    }

    #[test]
    fn what_makes_something_of_nothing_has_no_known_sources() {
        for text in
            ["Patient.deceased.exists() and Patient.deceased != false", "Patient.name.count()", "%resource.name", "1"]
        {
            assert_eq!(sources("Patient", text), None, "{text}");
        }
    }
}
