//! Searches through references: forward (`subject:Patient.name`) and backward (`_has`), and what comes along (`_include`).

use iris_kernel::Kind;

use iris_fhir::Resource;

use super::{Criterion, Query, term};

/// A reference of the record leads to a match of another search (R4 search.html#chaining).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// The reference parameter, by its index.
    pub param: u16,
    /// How it leads there.
    pub link: Link,
    /// The type that it must lead to.
    pub target: Kind,
    /// What is asked of that record.
    pub inner: Query,
}

/// How one record refers to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// By its type and id.
    Reference,
    /// By its canonical address (R4 references.html#canonical): the record whose `url` it is, and whose `version` where it names one.
    /// An address without a version leads to every version that is stored.
    Canonical,
}

/// That a parameter refers to a resource by its canonical address; one of these must hold. None for a resource without an address.
#[must_use]
pub fn refers_by_address(param: u16, to: &Resource) -> Vec<Criterion> {
    let Some(url) = to.root().str_of("url") else { return Vec::new() };
    let version = to.root().str_of("version");
    let named = version.map(|version| term::canonical(param, &url, &version));
    [term::canonical(param, &url, "")].into_iter().chain(named).map(Criterion::Term).collect()
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
