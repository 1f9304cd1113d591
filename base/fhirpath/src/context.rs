//! What surrounds an evaluation.

use iris_fhir::json::Value;
use iris_kernel::{Kind, Timestamp};

use crate::item::{Item, Items, Node};

/// Most steps of an evaluation unless the caller says otherwise: a step is an operation, or an item that one looks at.
pub const FUEL_MAX: u64 = 5_000_000;
/// Most items of a collection unless the caller says otherwise.
pub const ITEMS_MAX: usize = 250_000;
/// Longest text that an expression can make, in bytes.
pub const MADE_BYTES_MAX: usize = 1 << 20;

/// How much an evaluation may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most steps.
    pub fuel: u64,
    /// Most items of a collection.
    pub items: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { fuel: FUEL_MAX, items: ITEMS_MAX }
    }
}

/// What an expression is evaluated in.
#[derive(Clone, Copy)]
pub struct Context<'a, 'c> {
    /// `%resource`: the resource that the focus is in.
    pub resource: Node<'a>,
    /// `%rootResource`: the resource that contains `%resource`, or that itself.
    pub root: Node<'a>,
    /// `now()`
    pub now: Timestamp,
    /// What lies outside the resource.
    pub host: &'c dyn Host<'a>,
    /// Values of the caller's own variables, in the order of [`crate::Settings::variables`].
    pub variables: &'c [Items<'a>],
    /// How much the evaluation may take.
    pub limits: Limits,
}

impl<'a, 'c> Context<'a, 'c> {
    /// A whole resource by itself, with nothing outside it.
    #[must_use]
    pub fn of(resource: Node<'a>, now: Timestamp) -> Self {
        Self { resource, root: resource, now, host: &Alone, variables: &[], limits: Limits::default() }
    }

    /// The same with something outside.
    #[must_use]
    pub const fn with_host(self, host: &'c dyn Host<'a>) -> Self {
        Self { host, ..self }
    }
}

/// Where a reference leads.
#[derive(Clone, Copy, Debug)]
pub enum Resolved<'a> {
    /// Nowhere that is known here.
    Nowhere,
    /// To this resource.
    Resource(Value<'a>),
    /// To some resource of this type, which is all that is known.
    Type(Kind),
}

/// A code and what it comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code<'t> {
    /// The code system; `None` for a `code`, whose binding implies it.
    pub system: Option<&'t str>,
    /// Its version.
    pub version: Option<&'t str>,
    /// The code.
    pub code: &'t str,
}

/// What lies outside the resource. Whatever is not supplied is answered with [`crate::EvalError::Unavailable`], never with a
/// guess. References to contained resources (`#id`) are resolved before the host is asked.
pub trait Host<'a> {
    /// `resolve()`: where a reference leads that stands in `%resource`.
    fn resolve(&self, reference: &str) -> Resolved<'a> {
        let _ = reference;
        Resolved::Nowhere
    }

    /// [`Self::resolve`] of an element: a `Reference`, `uri` or `canonical`, and the text in it that says where it leads, if there is
    /// any. A host that makes something of `Reference.type` or `Reference.identifier` looks at the element itself.
    fn resolve_element(&self, element: Node<'a>, reference: Option<&str>) -> Resolved<'a> {
        let _ = element;
        reference.map_or(Resolved::Nowhere, |reference| self.resolve(reference))
    }

    /// `memberOf()`: whether a value set has a code; `None` if it is not known here.
    fn member_of(&self, code: Code<'_>, value_set: &str) -> Option<bool> {
        let _ = (code, value_set);
        None
    }

    /// `conformsTo()`: whether a node conforms to a profile; `None` if the profile is not known here. Conformance to the base
    /// definition of a type is not asked: it is the node's type that answers, since resources are validated against that.
    fn conforms_to(&self, node: Node<'a>, profile: &str) -> Option<bool> {
        let _ = (node, profile);
        None
    }

    /// `htmlChecks()`: whether a narrative has only what R4 allows; `None` if that is not checked here.
    fn html_checks(&self, div: &str) -> Option<bool> {
        let _ = div;
        None
    }

    /// `trace()`: hears of the items.
    fn trace(&self, name: &str, items: &[Item<'a>]) {
        let _ = (name, items);
    }
}

/// No outside at all.
#[derive(Clone, Copy, Debug)]
pub struct Alone;

impl Host<'_> for Alone {}
