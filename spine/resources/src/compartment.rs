//! Compartments: what belongs to one patient, encounter, practitioner, related person or device (R4 compartmentdefinition.html).

use std::collections::HashMap;
use std::sync::LazyLock;

use iris_fhir::definitions::definitions;
use iris_kernel::Kind;
use iris_search::{Criterion, compartment_term, may_be_of_patients, parameter, term};

use crate::PATIENT;

/// The definitions of the compartments that are not those of patients.
const TABLE: &str = include_str!("../tables/compartments.txt");

/// For each type that compartments are of, the types in them with the codes of the parameters that lead there.
static DEFINED: LazyLock<HashMap<Kind, HashMap<Kind, Vec<&'static str>>>> = LazyLock::new(read);

fn read() -> HashMap<Kind, HashMap<Kind, Vec<&'static str>>> {
    let mut defined: HashMap<Kind, HashMap<Kind, Vec<&'static str>>> = HashMap::new();
    let mut owner = None;
    for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
        let mut words = line.split_whitespace();
        let Some(kind) = words.next().and_then(|name| definitions().kind_of(name)) else { continue };
        if !line.starts_with(' ') {
            owner = Some(kind);
            defined.entry(kind).or_default();
        } else if let Some(within) = owner.and_then(|owner| defined.get_mut(&owner)) {
            within.insert(kind, words.collect());
        }
    }
    defined
}

/// The compartment of one resource.
///
/// That of a patient is the one by which access is decided: R4's, and beyond it the devices, contracts and advice of the patient,
/// and the documents whose `securityContext` or entries are of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compartment {
    /// The type of the resource whose compartment it is.
    pub owner: Kind,
    /// Its logical id.
    pub id: String,
}

impl Compartment {
    /// The types that there are compartments of, in the order of their names.
    #[must_use]
    pub fn owners() -> Vec<Kind> {
        let mut owners: Vec<Kind> = DEFINED.keys().copied().chain([*PATIENT]).collect();
        owners.sort_unstable_by_key(|kind| definitions().name_of(*kind));
        owners
    }

    /// The types whose resources can be in a compartment of this type, that type included; none where there are no such compartments.
    #[must_use]
    pub fn kinds(owner: Kind) -> Vec<Kind> {
        definitions().kinds().filter(|kind| Self::has(owner, *kind)).collect()
    }

    /// Whether resources of a type can be in a compartment of another.
    #[must_use]
    pub fn has(owner: Kind, kind: Kind) -> bool {
        if owner == *PATIENT {
            return may_be_of_patients(kind);
        }
        DEFINED.get(&owner).is_some_and(|within| kind == owner || within.contains_key(&kind))
    }

    /// The criteria of which one must hold for a resource of this type to be in it; `None` if it never is.
    pub(crate) fn criteria(&self, kind: Kind) -> Option<Vec<Criterion>> {
        if !Self::has(self.owner, kind) {
            return None;
        }
        if self.owner == *PATIENT {
            return Some(vec![Criterion::Term(compartment_term(&self.id))]);
        }
        let params = DEFINED.get(&self.owner).and_then(|within| within.get(&kind)).into_iter().flatten();
        let name = definitions().name_of(self.owner);
        let led = params.filter_map(|code| parameter(kind, code)).map(|param| term::local(param.index, name, &self.id));
        let own = parameter(kind, "_id").filter(|_| kind == self.owner).map(|param| term::code(param.index, &self.id));
        Some(led.chain(own).map(Criterion::Term).collect())
    }

    /// `Type/id`.
    pub(crate) fn reference(&self) -> String {
        format!("{}/{}", definitions().name_of(self.owner), self.id)
    }
}

#[cfg(test)]
mod tests {
    use iris_fhir::definitions::{ParamKind, kind_of};

    use super::*;

    #[test]
    fn every_parameter_of_the_table_leads_to_what_its_compartment_is_of() {
        let mut count = 0;
        for (owner, within) in &*DEFINED {
            for (kind, codes) in within {
                for code in codes {
                    let params = definitions().params_of(*kind);
                    let param = params.iter().find(|param| param.code == *code).expect(code);
                    assert_eq!(param.kind, ParamKind::Reference, "{code}");
                    assert!(param.targets.is_empty() || param.targets.contains(owner), "{code}");
                    count += 1;
                }
            }
        }
        println!("parameters of compartments: {count}");
        assert_eq!((DEFINED.len(), count), (4, 199));
    }

    #[test]
    fn what_is_never_in_a_compartment_has_no_criteria() {
        let of = |owner: &str| Compartment { owner: kind_of(owner).unwrap(), id: "x".to_owned() };
        assert!(of("Encounter").criteria(kind_of("Coverage").unwrap()).is_none());
        assert!(of("Organization").criteria(kind_of("Observation").unwrap()).is_none());
        assert_eq!(of("Encounter").criteria(kind_of("Encounter").unwrap()).unwrap().len(), 1);
        assert_eq!(of("Practitioner").criteria(kind_of("ServiceRequest").unwrap()).unwrap().len(), 2);
        let names: Vec<_> = Compartment::owners().into_iter().map(|kind| definitions().name_of(kind)).collect();
        assert_eq!(names, ["Device", "Encounter", "Patient", "Practitioner", "RelatedPerson"]);
    }
}
