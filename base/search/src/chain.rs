//! Searches through references: forward (`subject:Patient.name`) and backward (`_has`), and what comes along (`_include`).

use iris_kernel::Kind;

use super::Query;

/// A reference of the record leads to a match of another search (R4 search.html#chaining).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// The reference parameter, by its index.
    pub param: u16,
    /// The type that it must lead to.
    pub target: Kind,
    /// What is asked of that record.
    pub inner: Query,
}

/// A match of another search refers to the record (R4 search.html#has).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Has {
    /// The type that refers.
    pub kind: Kind,
    /// The reference parameter of that type, by its index.
    pub param: u16,
    /// What is asked of the record that refers.
    pub inner: Query,
}

/// Records that come along with the matches (R4 search.html#include).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Include {
    /// The type that refers; `None` for any (`*` alone).
    pub source: Option<Kind>,
    /// The reference parameter, by its index; `None` for all of them (`*`).
    pub param: Option<u16>,
    /// The type that is referred to; `None` for any.
    pub target: Option<Kind>,
    /// Whether it is followed from what came along, too (`:iterate`).
    pub iterate: bool,
}
