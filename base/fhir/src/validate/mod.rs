//! Structural validation by the definitions: every element, and nothing but the elements, in the right place, number and
//! format. What else the base definitions say (invariants, bindings, narrative, bundles) is looked at on the same walk by a
//! [`Visitor`]; `iris-validation` has it, and makes the proof that a resource may be stored.

mod faults;
mod place;
pub mod primitive;
mod rules;
mod visitor;
mod walk;

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use iris_kernel::Fault;

use crate::definitions::definitions;
use crate::resource::Resource;

pub use faults::{Faults, Issue, IssueCode, Severity};
pub use visitor::{Found, Standing, StructureOnly, Visitor};

use walk::Walk;

/// Everything that is structurally wrong with a resource; empty if nothing is. At most
/// [`iris_kernel::limits::FAULTS_MAX`] faults are listed, and one more counts the rest. No message repeats a value.
#[must_use]
pub fn validate(resource: &Resource) -> Vec<Fault> {
    let faults = walk(resource, &mut StructureOnly, Faults::at_least(Severity::Error));
    faults.finish().into_iter().map(Fault::from).collect()
}

/// Walks once over a resource beside its definitions, and shows the visitor what it comes by.
pub fn walk<'a>(resource: &'a Resource, visitor: &mut impl Visitor<'a>, faults: Faults) -> Faults {
    let mut walk = Walk { definitions: definitions(), faults, contained: HashMap::new(), visitor, holder: None };
    walk.resource(resource.root(), Standing::Own);
    walk.faults
}
