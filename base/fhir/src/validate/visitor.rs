//! Who looks at the elements while the structure is walked.

use crate::definitions::{Element, ElementType, Primitive, Structure};
use crate::json::Value;

use super::Faults;

/// Where a resource stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// By itself, in a bundle's entry, in a parameter.
    Own,
    /// In `contained`.
    Contained,
}

/// An element of a resource that the walk has come to, with what the definitions say of it.
#[derive(Clone, Copy, Debug)]
pub struct Found<'a> {
    /// Which element of what structure the object is that it is a member of; `None` in a resource.
    pub holder: Option<(&'static Structure, &'static Element)>,
    /// What it is a part of; `Element` where it stands beside a primitive value.
    pub parent: &'static Structure,
    /// Which element of that.
    pub element: &'static Element,
    /// Its place among the elements of `parent`.
    pub position: usize,
    /// Which of its types it has.
    pub of_type: &'static ElementType,
    /// Its value.
    pub value: Value<'a>,
}

/// Looks at what the walk comes by. Structural faults have been told already when a method is called; what has the wrong shape
/// altogether (a string for an object) is not shown.
pub trait Visitor<'a> {
    /// Before the members of a resource.
    fn enter(&mut self, resource: Value<'a>, of: &'static Structure, standing: Standing, faults: &mut Faults) {
        let _ = (resource, of, standing, faults);
    }

    /// After the members of a resource.
    fn leave(&mut self, resource: Value<'a>, of: &'static Structure, standing: Standing, faults: &mut Faults) {
        let _ = (resource, of, standing, faults);
    }

    /// After the members of an element with parts.
    fn complex(&mut self, found: Found<'a>, of: &'static Structure, faults: &mut Faults) {
        let _ = (found, of, faults);
    }

    /// A value of a primitive type, of the right format.
    fn primitive(&mut self, found: Found<'a>, primitive: Primitive, faults: &mut Faults) {
        let _ = (found, primitive, faults);
    }
}

/// Looks at nothing.
#[derive(Clone, Copy, Debug)]
pub struct StructureOnly;

impl Visitor<'_> for StructureOnly {}
