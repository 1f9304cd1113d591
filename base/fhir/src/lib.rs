//! R4 (4.0.1) as checked JSON: the exact text of a resource, the definitions as data and structural validation.
//!
//! Pure: nothing here does I/O, reads a clock or knows who is asking.

pub mod classes;
pub mod definitions;
pub mod json;
pub mod reference;
pub mod resource;
pub mod subset;
pub mod validate;

pub use definitions::{Definitions, definitions};
pub use json::{Edits, Json, JsonError, JsonErrorKind, Value, ValueKind, Writer};
pub use reference::{Reference, references};
pub use resource::{ParseError, Resource};
pub use subset::Subset;
pub use validate::validate;
