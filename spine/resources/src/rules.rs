//! What contexts add for their resource types, so that generic code never names one.

use std::collections::HashMap;
use std::sync::Arc;

use iris_access::Caller;
use iris_fhir::Resource;
use iris_kernel::{Fault, Kind};
use iris_store::ClaimScope;

/// A value that no two live records of a tenant may share, such as a medical record number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unique {
    /// The name space of the value.
    pub scope: ClaimScope,
    /// The value; the store keeps a keyed token of it.
    pub value: String,
    /// Where it stands in the resource, as a JSON pointer.
    pub at: String,
    /// What to say when another record has it.
    pub taken: &'static str,
}

/// What a context asks of one resource type on the one write path.
pub trait Rule: Send + Sync {
    /// The resource type.
    fn kind(&self) -> Kind;

    /// Values that must be unique among the tenant's live records of this type.
    fn gather(&self, _resource: &Resource) -> Vec<Unique> {
        Vec::new()
    }

    /// Faults beyond those that the definitions name.
    fn check(&self, _resource: &Resource) -> Vec<Fault> {
        Vec::new()
    }

    /// The record that makes the caller one of those who treat the patient `id`, whom they have just registered. It goes into the
    /// same commit where a care relation is asked of the caller: they would not see what they made otherwise.
    fn care_relation(&self, _caller: &Caller, _id: &str) -> Option<Vec<u8>> {
        None
    }
}

/// The rules in force, one at most per resource type.
#[derive(Clone, Default)]
pub struct Rules(HashMap<Kind, Arc<dyn Rule>>);

impl Rules {
    /// Adds a rule; a second one for the same type replaces the first.
    #[must_use]
    pub fn with(mut self, rule: Arc<dyn Rule>) -> Self {
        self.0.insert(rule.kind(), rule);
        self
    }

    /// The rule of a type.
    #[must_use]
    pub fn of(&self, kind: Kind) -> Option<&dyn Rule> {
        self.0.get(&kind).map(AsRef::as_ref)
    }
}

impl std::fmt::Debug for Rules {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
