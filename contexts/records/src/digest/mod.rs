//! Short forms of clinical resources: the lists of the chart, the timeline, trends, and the texts of the medical history.

pub mod fields;
mod history;
mod item;
mod latest;
mod names;
mod observation;
mod read;
mod timeline;
mod trend;

use iris_fhir::json::{Value, Writer};
use iris_kernel::Kind;
use iris_search::Criterion;

pub use history::History;
pub use names::Names;
pub use timeline::{EVENTS, Event};
pub use trend::{Trend, trends};

/// One search that a list is made of.
#[derive(Clone, Copy, Debug)]
pub struct Searched {
    /// Resource type.
    pub kind: &'static str,
    /// Search parameters besides the patient; lists that are paged name their order here.
    pub parameters: &'static [(&'static str, &'static str)],
    /// Of what it finds, that which a summary or a history leaves out, as parameters too. A record that has no such element stays.
    pub without: &'static [(&'static str, &'static str)],
    /// Most records that a summary or a history takes of it; a list that is paged takes all.
    pub records_max: usize,
    /// Whether all of it is meant to be told, so that what does not fit is said to be missing.
    pub whole: bool,
}

const fn search(
    kind: &'static str,
    parameters: &'static [(&'static str, &'static str)],
    records_max: usize,
) -> Searched {
    Searched { kind, parameters, without: &[], records_max, whole: true }
}

/// The latest part of what is over.
const fn past(kind: &'static str, parameters: &'static [(&'static str, &'static str)]) -> Searched {
    Searched { whole: false, ..search(kind, parameters, PAST_MAX) }
}

/// Most records of a list that a summary shows, where the list has no smaller bound.
pub const LISTED_MAX: usize = 200;
/// Most records of a summary that are over: resolved conditions, medications that were taken once.
pub const PAST_MAX: usize = 50;
/// Vital signs that one search for the latest of each looks at, the newest: the measurements of some ten visits.
pub const VITAL_SIGNS_MAX: usize = 60;
/// Laboratory results that one search for the latest of each looks at, the newest: some five large panels.
pub const LAB_RESULTS_MAX: usize = 100;
/// Most searches for the latest of each. Every one after the first looks at what is left without all that was found, so a value
/// that is taken daily does not hide one that is taken once a year.
pub const LATEST_ROUNDS_MAX: usize = 5;
/// Encounters of a summary.
pub const ENCOUNTERS_MAX: usize = 10;

/// The lists of a chart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum List {
    /// Flags that are in force.
    Alerts,
    /// Conditions.
    Problems,
    /// Allergies and intolerances.
    Allergies,
    /// Requested and stated medications.
    Medications,
    /// Immunizations.
    Immunizations,
    /// Vital signs; in a summary the latest value of each.
    VitalSigns,
    /// Laboratory results; in a summary the latest value of each.
    LabResults,
    /// Encounters.
    Encounters,
}

impl List {
    /// Every list, in the order of a summary.
    pub const ALL: [Self; 8] = [
        Self::Alerts,
        Self::Problems,
        Self::Allergies,
        Self::Medications,
        Self::Immunizations,
        Self::VitalSigns,
        Self::LabResults,
        Self::Encounters,
    ];

    /// Name of the list in a summary.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Alerts => "alerts",
            Self::Problems => "problems",
            Self::Allergies => "allergies",
            Self::Medications => "medications",
            Self::Immunizations => "immunizations",
            Self::VitalSigns => "vital_signs",
            Self::LabResults => "lab_results",
            Self::Encounters => "encounters",
        }
    }

    /// The searches that find all of its records, in one order: latest first.
    #[must_use]
    pub const fn searches(self) -> &'static [Searched] {
        const ALERTS: [Searched; 1] = [search("Flag", &[("_sort", "-date")], LISTED_MAX)];
        const PROBLEMS: [Searched; 1] = [search("Condition", &[("_sort", "-onset-date")], LISTED_MAX)];
        const ALLERGIES: [Searched; 1] = [search("AllergyIntolerance", &[("_sort", "-date")], LISTED_MAX)];
        const MEDICATIONS: [Searched; 2] = [
            search("MedicationRequest", &[("_sort", "-authoredon")], LISTED_MAX),
            search("MedicationStatement", &[("_sort", "-effective")], LISTED_MAX),
        ];
        const IMMUNIZATIONS: [Searched; 1] = [search("Immunization", &[("_sort", "-date")], LISTED_MAX)];
        const VITAL_SIGNS: [Searched; 1] =
            [search("Observation", &[("category", "vital-signs"), ("_sort", "-date")], VITAL_SIGNS_MAX)];
        const LAB_RESULTS: [Searched; 1] =
            [search("Observation", &[("category", "laboratory"), ("_sort", "-date")], LAB_RESULTS_MAX)];
        const ENCOUNTERS: [Searched; 1] =
            [Searched { whole: false, ..search("Encounter", &[("_sort", "-date")], ENCOUNTERS_MAX) }];
        match self {
            Self::Alerts => &ALERTS,
            Self::Problems => &PROBLEMS,
            Self::Allergies => &ALLERGIES,
            Self::Medications => &MEDICATIONS,
            Self::Immunizations => &IMMUNIZATIONS,
            Self::VitalSigns => &VITAL_SIGNS,
            Self::LabResults => &LAB_RESULTS,
            Self::Encounters => &ENCOUNTERS,
        }
    }

    /// The searches of a summary: what is current comes first and whole, what is over only as far as it is recent.
    #[must_use]
    pub const fn summary_searches(self) -> &'static [Searched] {
        const VOID: (&str, &str) = ("verification-status", "entered-in-error");
        // What is not said to be over is current: not every condition and allergy has a clinical status.
        const PROBLEMS: [Searched; 2] = [
            Searched {
                without: &[VOID, ("clinical-status", "inactive,remission,resolved")],
                ..search("Condition", &[("_sort", "-onset-date")], LISTED_MAX)
            },
            Searched {
                without: &[VOID],
                ..past("Condition", &[("clinical-status", "inactive,remission,resolved"), ("_sort", "-onset-date")])
            },
        ];
        const ALLERGIES: [Searched; 2] = [
            Searched {
                without: &[VOID, ("clinical-status", "inactive,resolved")],
                ..search("AllergyIntolerance", &[("_sort", "-date")], LISTED_MAX)
            },
            Searched {
                without: &[VOID],
                ..past("AllergyIntolerance", &[("clinical-status", "inactive,resolved"), ("_sort", "-date")])
            },
        ];
        const MEDICATIONS: [Searched; 4] = [
            search(
                "MedicationRequest",
                &[("status", "active,on-hold,draft,unknown"), ("_sort", "-authoredon")],
                LISTED_MAX,
            ),
            search(
                "MedicationStatement",
                &[("status", "active,intended,on-hold,unknown,not-taken"), ("_sort", "-effective")],
                LISTED_MAX,
            ),
            past("MedicationRequest", &[("status", "completed,cancelled,stopped"), ("_sort", "-authoredon")]),
            past("MedicationStatement", &[("status", "completed,stopped"), ("_sort", "-effective")]),
        ];
        const IMMUNIZATIONS: [Searched; 1] =
            [search("Immunization", &[("status", "completed,not-done"), ("_sort", "-date")], LISTED_MAX)];
        // No value, or none any more: the one before is the latest.
        const VALUELESS: &[(&str, &str)] = &[("status", "entered-in-error,cancelled,registered")];
        const VITAL_SIGNS: [Searched; 1] = [Searched { without: VALUELESS, ..List::VitalSigns.searches()[0] }];
        const LAB_RESULTS: [Searched; 1] = [Searched { without: VALUELESS, ..List::LabResults.searches()[0] }];
        match self {
            Self::Problems => &PROBLEMS,
            Self::Allergies => &ALLERGIES,
            Self::Medications => &MEDICATIONS,
            Self::Immunizations => &IMMUNIZATIONS,
            Self::VitalSigns => &VITAL_SIGNS,
            Self::LabResults => &LAB_RESULTS,
            _ => self.searches(),
        }
    }

    /// Whether a summary shows only the latest value of each code; then it does not count.
    #[must_use]
    pub const fn latest_only(self) -> bool {
        matches!(self, Self::VitalSigns | Self::LabResults)
    }

    /// Writes one record of the list as an object.
    pub fn item(self, resource: Value<'_>, names: &Names, w: &mut Writer) {
        match self {
            Self::Alerts => item::alert(resource, w),
            Self::Problems => item::condition(resource, w),
            Self::Allergies => item::allergy(resource, w),
            Self::Medications => item::medication(resource, names, w),
            Self::Immunizations => item::immunization(resource, w),
            Self::VitalSigns | Self::LabResults => observation::item(resource, w),
            Self::Encounters => item::encounter(resource, w),
        }
    }

    /// Whether a summary tells a record: not what was entered in error, and of the flags only those that are in force. R4 has no
    /// search for that in every type.
    fn tells(self, resource: Value<'_>) -> bool {
        match self {
            Self::Alerts => read::text(resource, "status").is_some_and(|status| status == "active"),
            _ => !read::is_void(resource),
        }
    }

    /// Writes the list as a summary has it, from what its searches found in their order.
    pub fn summary(self, resources: &[Value<'_>], names: &Names, w: &mut Writer) {
        w.array();
        let told: Vec<Value<'_>> = resources.iter().copied().filter(|resource| self.tells(*resource)).collect();
        for resource in if self.latest_only() { latest::latest(&told) } else { told } {
            self.item(resource, names, w);
        }
        w.end();
    }

    /// What the next search for the latest of each must not find once more, after what was found so far. `None` if none is made:
    /// the list is none of those, or enough was looked at.
    #[must_use]
    pub fn further(self, searched: &Searched, kind: Kind, found: &[Value<'_>]) -> Option<Vec<Vec<Criterion>>> {
        let may = self.latest_only() && found.len() < searched.records_max * LATEST_ROUNDS_MAX;
        may.then(|| latest::seen(kind, found))
    }

    /// How many of these records a summary leaves out, and does not count.
    #[must_use]
    pub fn left_out(self, resources: &[Value<'_>]) -> usize {
        resources.iter().filter(|resource| !self.tells(**resource)).count()
    }
}

#[cfg(test)]
mod tests;
