//! What a search knows about codes: the members of value sets, and which codes stand above and below others.

use iris_fhir::definitions::{Direction, definitions, subsumed};
use iris_kernel::limits::SEARCH_EXPANSION_MAX;

/// Where R4's own value sets have their canonical addresses.
const VALUE_SETS: &str = "http://hl7.org/fhir/ValueSet/";
/// The version of R4, which its value sets carry.
const VERSION: &str = "4.0.1";

/// A code of a value set.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Coded {
    /// The code system.
    pub system: String,
    /// The code.
    pub code: String,
}

/// Why a search by codes cannot be answered. None of them is "no codes": what is not known is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unknown {
    /// Nobody here has this value set.
    ValueSet,
    /// The value set is known, and its codes are not enumerated here: all of SNOMED CT, for one.
    Codes,
    /// Nobody here knows which codes of this system stand above and below each other, or that it has this code.
    Hierarchy,
    /// More than `SEARCH_EXPANSION_MAX` codes.
    TooMany,
}

impl Unknown {
    /// In words, for a message beside the name of the parameter.
    #[must_use]
    pub const fn what(self) -> &'static str {
        match self {
            Self::ValueSet => "names a value set that is not known here",
            Self::Codes => "names a value set whose codes are not enumerated here",
            Self::Hierarchy => "names a code of which it is not known here what stands above and below it",
            Self::TooMany => "stands for more codes than one search can ask for",
        }
    }
}

/// What is known about codes. Answers are of this moment: a stored value set may change.
pub trait Terminology: Sync {
    /// The codes of a value set, by its canonical address, with `|version` or without, or `ValueSet/id`.
    ///
    /// # Errors
    /// [`Unknown`] where not every code can be told.
    fn expand(&self, value_set: &str) -> Result<Vec<Coded>, Unknown>;

    /// A code and all that it subsumes.
    ///
    /// # Errors
    /// [`Unknown`] where that cannot be told.
    fn below(&self, system: &str, code: &str) -> Result<Vec<String>, Unknown>;

    /// A code and all that subsume it.
    ///
    /// # Errors
    /// [`Unknown`] where that cannot be told.
    fn above(&self, system: &str, code: &str) -> Result<Vec<String>, Unknown>;
}

/// What the definitions of R4 enumerate.
#[derive(Clone, Copy, Debug, Default)]
pub struct Defined;

impl Terminology for Defined {
    fn expand(&self, value_set: &str) -> Result<Vec<Coded>, Unknown> {
        let (address, version) = value_set.split_once('|').unwrap_or((value_set, VERSION));
        let name = address.strip_prefix(VALUE_SETS).filter(|_| version == VERSION).ok_or(Unknown::ValueSet)?;
        let lists = definitions().code_lists();
        let list = lists.iter().find(|list| list.name == name).ok_or(Unknown::ValueSet)?;
        let coded = |system: &str, code: &str| Coded { system: system.to_owned(), code: code.to_owned() };
        let of_system = |(system, codes): &(&'static str, Vec<&'static str>)| {
            let system = *system;
            codes.iter().map(move |code| coded(system, code)).collect::<Vec<_>>()
        };
        let codes: Vec<Coded> = list.systems.iter().flat_map(of_system).collect();
        match codes.len() {
            0 => Err(Unknown::Codes),
            count if count > SEARCH_EXPANSION_MAX => Err(Unknown::TooMany),
            _ => Ok(codes),
        }
    }

    fn below(&self, system: &str, code: &str) -> Result<Vec<String>, Unknown> {
        defined(system, code, Direction::Below)
    }

    fn above(&self, system: &str, code: &str) -> Result<Vec<String>, Unknown> {
        defined(system, code, Direction::Above)
    }
}

fn defined(system: &str, code: &str, direction: Direction) -> Result<Vec<String>, Unknown> {
    let codes = subsumed(system, code, direction).ok_or(Unknown::Hierarchy)?;
    if codes.len() > SEARCH_EXPANSION_MAX {
        return Err(Unknown::TooMany);
    }
    Ok(codes.into_iter().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_set_of_the_definitions_is_known_by_its_address_and_version() {
        let of = |address: &str| Defined.expand(address);
        let genders = of("http://hl7.org/fhir/ValueSet/administrative-gender").unwrap();
        let codes: Vec<_> = genders.iter().map(|coded| coded.code.as_str()).collect();
        assert_eq!(codes, ["female", "male", "other", "unknown"]);
        assert!(genders.iter().all(|coded| coded.system == "http://hl7.org/fhir/administrative-gender"));
        assert_eq!(of("http://hl7.org/fhir/ValueSet/administrative-gender|4.0.1").as_ref(), Ok(&genders));
        assert_eq!(of("http://hl7.org/fhir/ValueSet/administrative-gender|3.0.0"), Err(Unknown::ValueSet));
        assert_eq!(of("http://example.org/ValueSet/administrative-gender"), Err(Unknown::ValueSet));
        assert_eq!(of("administrative-gender"), Err(Unknown::ValueSet));
    }
}
