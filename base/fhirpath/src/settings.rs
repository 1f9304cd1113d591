//! How an expression is compiled.

use iris_kernel::Kind as ResourceKind;

use crate::model::TypeRef;

/// What the expression is evaluated on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Focus {
    /// A resource of this type.
    Resource(ResourceKind),
    /// An element of this type.
    Type(TypeRef),
    /// Anything: no type is checked.
    Any,
}

/// What becomes of an element that the definitions do not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// A [`crate::CompileError`].
    Strict,
    /// Nothing is there.
    Lenient,
}

/// What `as` does with several items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AsOfMany {
    /// An error, as the language has it.
    Refused,
    /// Each by itself, as search parameters of R4 mean it (`Observation.component.value as Quantity`).
    Filters,
}

/// Whether `first()`, `skip()` and the like are refused on what has no order (`children()`, `descendants()`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderCheck {
    /// They are.
    Checked,
    /// They take the order of the document.
    Unchecked,
}

/// How an expression is compiled.
#[derive(Clone, Copy, Debug)]
pub struct Settings<'s> {
    /// What it is evaluated on.
    pub focus: Focus,
    /// What becomes of unknown elements.
    pub mode: Mode,
    /// What `as` does with several items.
    pub as_of_many: AsOfMany,
    /// Whether order is checked.
    pub order: OrderCheck,
    /// Names of the caller's own variables, in the order in which [`crate::Context::variables`] has their values.
    pub variables: &'s [&'s str],
}

impl Settings<'_> {
    /// Strict, by the letter of the language, without variables.
    #[must_use]
    pub const fn strict(focus: Focus) -> Self {
        Self { focus, mode: Mode::Strict, as_of_many: AsOfMany::Refused, order: OrderCheck::Unchecked, variables: &[] }
    }
}

impl Settings<'_> {
    /// For the expressions of R4's own definitions, search parameters and invariants: strict, but `as` filters. `dom-3` and some
    /// parameters apply it to many items, and mean each by itself.
    #[must_use]
    pub const fn of_definitions(focus: Focus) -> Self {
        Self { as_of_many: AsOfMany::Filters, ..Self::strict(focus) }
    }
}
