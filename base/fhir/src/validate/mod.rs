//! Structural validation by the definitions: every element, and nothing but the elements, in the right place, number and
//! format. Profiles, invariants and terminology beyond required code lists are not looked at here.

mod faults;
pub mod primitive;
mod rules;
mod walk;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::ops::Deref;

use iris_kernel::Fault;

use crate::definitions::definitions;
use crate::resource::Resource;

use faults::Faults;
use walk::{Place, Walk};

/// Everything that is structurally wrong with a resource; empty if nothing is. At most
/// [`iris_kernel::limits::FAULTS_MAX`] faults are listed, and one more counts the rest. No message repeats a value.
#[must_use]
pub fn validate(resource: &Resource) -> Vec<Fault> {
    let mut walk = Walk { definitions: definitions(), faults: Faults::default(), contained: HashMap::new() };
    walk.resource(resource.root(), Place::Own);
    walk.faults.finish()
}

/// A resource that has been validated. Only [`Valid::check`] makes one.
#[derive(Clone, Debug)]
pub struct Valid(Resource);

impl Valid {
    /// Validates.
    ///
    /// # Errors
    /// The resource back, with everything that is wrong with it.
    pub fn check(resource: Resource) -> Result<Self, (Resource, Vec<Fault>)> {
        let faults = validate(&resource);
        if faults.is_empty() { Ok(Self(resource)) } else { Err((resource, faults)) }
    }

    /// The resource itself.
    #[must_use]
    pub fn into_inner(self) -> Resource {
        self.0
    }
}

impl Deref for Valid {
    type Target = Resource;

    fn deref(&self) -> &Resource {
        &self.0
    }
}
