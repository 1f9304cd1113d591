//! Short forms of clinical resources: the lists of the chart, the timeline, trends, and the texts of the medical history.

pub mod fields;
mod history;
mod item;
mod names;
mod observation;
mod read;
mod timeline;
mod trend;

use std::collections::BTreeSet;

use iris_fhir::json::{Value, Writer};

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
    /// Most records that a summary or a history takes of it; a list that is paged takes all.
    pub records_max: usize,
    /// Whether what it finds counts: not where another search of the list finds the same.
    pub counts: bool,
}

const fn search(
    kind: &'static str,
    parameters: &'static [(&'static str, &'static str)],
    records_max: usize,
) -> Searched {
    Searched { kind, parameters, records_max, counts: true }
}

/// Most records of a list that a summary shows, where the list has no smaller bound.
pub const LISTED_MAX: usize = 200;
/// Most records of a summary that are over: resolved conditions, medications that were taken once.
pub const PAST_MAX: usize = 50;
/// Newest vital signs among which the latest of each is looked for: the measurements of some ten visits.
pub const VITAL_SIGNS_MAX: usize = 60;
/// Newest laboratory results among which the latest of each is looked for: some five large panels.
pub const LAB_RESULTS_MAX: usize = 100;
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
        const ENCOUNTERS: [Searched; 1] = [search("Encounter", &[("_sort", "-date")], ENCOUNTERS_MAX)];
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
        const CURRENT: (&str, &str) = ("clinical-status", "active,recurrence,relapse");
        const PROBLEMS: [Searched; 2] = [
            // Not every condition has a clinical status, so the second search finds these once more.
            Searched { counts: false, ..search("Condition", &[CURRENT, ("_sort", "-onset-date")], LISTED_MAX) },
            search("Condition", &[("_sort", "-onset-date")], PAST_MAX),
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
            search(
                "MedicationRequest",
                &[("status", "completed,cancelled,stopped"), ("_sort", "-authoredon")],
                PAST_MAX,
            ),
            search("MedicationStatement", &[("status", "completed,stopped"), ("_sort", "-effective")], PAST_MAX),
        ];
        const IMMUNIZATIONS: [Searched; 1] =
            [search("Immunization", &[("status", "completed,not-done"), ("_sort", "-date")], LISTED_MAX)];
        match self {
            Self::Problems => &PROBLEMS,
            Self::Medications => &MEDICATIONS,
            Self::Immunizations => &IMMUNIZATIONS,
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
        let mut seen = BTreeSet::new();
        for resource in resources.iter().filter(|resource| self.tells(**resource)) {
            // Latest first, so the first of each code is the latest.
            if !self.latest_only() || seen.insert(read::first_code(*resource)) {
                self.item(*resource, names, w);
            }
        }
        w.end();
    }

    /// How many of these records a summary leaves out, and does not count.
    #[must_use]
    pub fn left_out(self, resources: &[Value<'_>]) -> usize {
        resources.iter().filter(|resource| !self.tells(**resource)).count()
    }
}

#[cfg(test)]
mod tests;
