//! The definitions of R4 4.0.1 as data: which types there are, of which elements they consist, which codes their required
//! bindings allow, and by which search parameters they are found.
//!
//! The tables in `base/fhir/tables` are made by `cargo xtask definitions` and read once, at first use.

mod elements;
mod hierarchy;
mod load;
mod search;
mod summary;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::LazyLock;

use iris_kernel::Kind;

pub use elements::{CodeList, Element, ElementType, Primitive, Shape, Structure, Targets};
pub use hierarchy::{Direction, subsumed};
pub use search::{ParamKind, SearchParam};
pub use summary::is_in_summary;

/// Everything that is known about R4.
#[derive(Debug, Default)]
pub struct Definitions {
    /// Names of the resource types; `Kind` n is at n − 1.
    kinds: Vec<&'static str>,
    kind_by_name: HashMap<&'static str, Kind>,
    structures: Vec<Structure>,
    structure_by_name: HashMap<&'static str, u16>,
    /// The structure of each kind.
    structure_by_kind: Vec<u16>,
    code_lists: Vec<CodeList>,
    params: Vec<Vec<SearchParam>>,
    patient: Vec<Vec<&'static str>>,
}

static DEFINITIONS: LazyLock<Definitions> = LazyLock::new(load::load);

/// The one copy, read from the tables at first use (a few milliseconds).
pub fn definitions() -> &'static Definitions {
    &DEFINITIONS
}

/// [`Definitions::kind_of`] of [`definitions`].
#[must_use]
pub fn kind_of(name: &str) -> Option<Kind> {
    definitions().kind_of(name)
}

/// [`Definitions::name_of`] of [`definitions`].
#[must_use]
pub fn name_of(kind: Kind) -> &'static str {
    definitions().name_of(kind)
}

impl Definitions {
    /// The number of a resource type; `None` if R4 has no such (concrete) type.
    #[must_use]
    pub fn kind_of(&self, name: &str) -> Option<Kind> {
        self.kind_by_name.get(name).copied()
    }

    /// The name of a resource type; `"(internal)"` for numbers that are none.
    #[must_use]
    pub fn name_of(&self, kind: Kind) -> &'static str {
        usize::from(kind.0).checked_sub(1).and_then(|at| self.kinds.get(at)).copied().unwrap_or("(internal)")
    }

    /// All resource types, in alphabetical order.
    pub fn kinds(&self) -> impl ExactSizeIterator<Item = Kind> + use<> {
        let count = u16::try_from(self.kinds.len()).unwrap_or(u16::MAX);
        (1..count + 1).map(Kind)
    }

    /// The elements of a resource type, a data type (`HumanName`) or a part of one (`Patient.contact`).
    #[must_use]
    pub fn structure(&self, name: &str) -> Option<&Structure> {
        self.structures.get(usize::from(*self.structure_by_name.get(name)?))
    }

    /// The elements of a resource type.
    #[must_use]
    pub fn structure_of(&self, kind: Kind) -> Option<&Structure> {
        let at = self.structure_by_kind.get(usize::from(kind.0).checked_sub(1)?)?;
        self.structures.get(usize::from(*at))
    }

    /// The structure with a number out of [`Shape::Complex`].
    #[must_use]
    pub fn structure_at(&self, index: u16) -> Option<&Structure> {
        self.structures.get(usize::from(index))
    }

    /// All structures.
    #[must_use]
    pub fn structures(&self) -> &[Structure] {
        &self.structures
    }

    /// The code list with a number out of [`ElementType::codes`].
    #[must_use]
    pub fn code_list(&self, index: u16) -> Option<&CodeList> {
        self.code_lists.get(usize::from(index))
    }

    /// All code lists of required and extensible bindings, by name.
    #[must_use]
    pub fn code_lists(&self) -> &[CodeList] {
        &self.code_lists
    }

    /// The search parameters of a resource type, those of every resource (`_id`, `_lastUpdated`, …) included, by code.
    #[must_use]
    pub fn params_of(&self, kind: Kind) -> &[SearchParam] {
        usize::from(kind.0).checked_sub(1).and_then(|at| self.params.get(at)).map_or(&[], Vec::as_slice)
    }

    /// The codes of the reference parameters through which a resource of this type is in a patient's compartment; empty
    /// for types that never are.
    #[must_use]
    pub fn patient_compartment(&self, kind: Kind) -> &[&'static str] {
        usize::from(kind.0).checked_sub(1).and_then(|at| self.patient.get(at)).map_or(&[], Vec::as_slice)
    }
}
