//! The medical history: texts, each once.

use std::collections::BTreeSet;

use iris_fhir::json::{Value, Writer};

use super::observation::observed;
use super::read::{concept, is_void, items};
use super::{LISTED_MAX, Names, Searched, search};

/// The lists of a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum History {
    /// Conditions.
    Conditions,
    /// Medications.
    Medications,
    /// Allergies.
    Allergies,
    /// Conditions of relatives.
    Family,
    /// Social history, by topic.
    Social,
}

impl History {
    /// Every list, in the order of the answer.
    pub const ALL: [Self; 5] = [Self::Conditions, Self::Medications, Self::Allergies, Self::Family, Self::Social];

    /// Name of the list.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Conditions => "conditions",
            Self::Medications => "medications",
            Self::Allergies => "allergies",
            Self::Family => "family_history",
            Self::Social => "social_history",
        }
    }

    /// The searches that find its records.
    #[must_use]
    pub const fn searches(self) -> &'static [Searched] {
        // A text has no status beside it: what is not so, or never was taken, must not be among them.
        const UNTRUE: &[(&str, &str)] = &[("verification-status", "refuted,entered-in-error")];
        const CONDITIONS: [Searched; 1] = [Searched { without: UNTRUE, ..search("Condition", &[], LISTED_MAX) }];
        const ALLERGIES: [Searched; 1] =
            [Searched { without: UNTRUE, ..search("AllergyIntolerance", &[], LISTED_MAX) }];
        const MEDICATIONS: [Searched; 2] = [
            Searched {
                without: &[("status", "cancelled,entered-in-error")],
                ..search("MedicationRequest", &[], LISTED_MAX)
            },
            Searched {
                without: &[("status", "not-taken,entered-in-error")],
                ..search("MedicationStatement", &[], LISTED_MAX)
            },
        ];
        const FAMILY: [Searched; 1] = [search("FamilyMemberHistory", &[], LISTED_MAX)];
        const SOCIAL: [Searched; 1] =
            [search("Observation", &[("category", "social-history"), ("_sort", "-date")], LISTED_MAX)];
        match self {
            Self::Conditions => &CONDITIONS,
            Self::Medications => &MEDICATIONS,
            Self::Allergies => &ALLERGIES,
            Self::Family => &FAMILY,
            Self::Social => &SOCIAL,
        }
    }

    /// Writes a list from its resources: each text once, in their order. What was entered in error is left out.
    pub fn show(self, resources: &[Value<'_>], names: &Names, w: &mut Writer) {
        let resources: Vec<Value<'_>> = resources.iter().copied().filter(|resource| !is_void(*resource)).collect();
        let mut seen = BTreeSet::new();
        if self == Self::Social {
            w.object();
            for resource in resources {
                let Some(topic) = concept(resource, "code") else { continue };
                if let Some(value) = observed(resource).filter(|_| seen.insert(topic.clone())) {
                    w.member(&topic, &value);
                }
            }
            w.end();
            return;
        }
        w.array();
        for text in resources.into_iter().flat_map(|resource| self.texts(resource, names)) {
            if seen.insert(text.clone()) {
                w.string(&text);
            }
        }
        w.end();
    }

    fn texts(self, resource: Value<'_>, names: &Names) -> Vec<String> {
        match self {
            Self::Medications => names.medication(resource).into_iter().collect(),
            Self::Family => {
                let who = concept(resource, "relationship");
                let conditions = items(resource, "condition").filter_map(|condition| concept(condition, "code"));
                conditions.map(|what| who.as_ref().map_or(what.clone(), |who| format!("{who}: {what}"))).collect()
            }
            Self::Conditions | Self::Allergies | Self::Social => concept(resource, "code").into_iter().collect(),
        }
    }
}
