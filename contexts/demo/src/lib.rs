//! An invented clinic: families with their records, made from a seed, as FHIR resources.
//!
//! Pure: the same [`Plan`] gives the same bytes on every machine. Time and chance are in it as the reference day and the seed.
//! Every person has draws of their own, so a larger clinic begins with the same people as a smaller one, and people with their
//! whole record are the same people as those of [`Detail::Demographics`].

mod alerts;
mod allergies;
mod chance;
mod clinic;
mod conditions;
mod day;
mod doc;
mod doses;
mod household;
mod labs;
mod names;
mod observations;
mod patient;
mod places;
mod problems;
mod results;
mod vaccines;
mod visits;
mod vitals;

#[cfg(test)]
mod tests;

use std::str::FromStr;

use iris_kernel::Tenant;

pub use day::Day;

use clinic::Clinic;

/// Patients where nothing is said.
pub const PATIENTS_DEFAULT: u32 = 1_000;
/// Most patients of one seed: it has so many medical record numbers.
#[allow(clippy::cast_possible_truncation, reason = "a million")]
pub const PATIENTS_MAX: u32 = household::NUMBERS_OF_A_SEED as u32;
/// Seed where nothing is said.
pub const SEED_DEFAULT: u64 = 1;
/// Reference day where nothing is said, so that the same seed is the same clinic on every day.
pub const DAY_DEFAULT: &str = "2026-11-01";

/// The tag of every patient, as a search names it (`_tag`): test health data.
pub const TAG: &str = "http://terminology.hl7.org/CodeSystem/v3-ActReason|HTEST";

/// How much is made of each patient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// The Patient alone.
    Demographics,
    /// The whole record, the clinic's staff and the insurers.
    Full,
}

impl Detail {
    /// Its name on the command line.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Demographics => "demographics",
            Self::Full => "full",
        }
    }
}

impl FromStr for Detail {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "demographics" => Ok(Self::Demographics),
            "full" => Ok(Self::Full),
            _ => Err(()),
        }
    }
}

/// Everything that decides what the clinic holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// What chance follows from.
    pub seed: u64,
    /// How many patients, at most [`PATIENTS_MAX`].
    pub patients: u32,
    /// How much of each.
    pub detail: Detail,
    /// The day on which the clinic is looked at: everybody's age is as of this day, and nothing happened on it or later.
    pub at: Day,
    /// Whose medical record numbers the patients have.
    pub tenant: Tenant,
}

/// A household of the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Household {
    /// Its number, from 0.
    number: u32,
    /// Number of its first patient.
    first: u32,
    /// How many of its people are patients of the plan; fewer than live there in the last household.
    patients: u32,
}

impl Household {
    /// How many patients are made when this household is.
    #[must_use]
    pub const fn patients_so_far(&self) -> u32 {
        self.first + self.patients
    }
}

impl Plan {
    /// The households, in order. Cheap: nobody is made yet.
    pub fn households(&self) -> impl Iterator<Item = Household> + use<> {
        let Self { seed, patients, .. } = *self;
        let mut first = 0;
        (0..u32::MAX).map_while(move |number| {
            let left = patients.saturating_sub(first);
            let household = Household { number, first, patients: household::size(seed, number).min(left) };
            first += household.patients;
            (left > 0).then_some(household)
        })
    }

    /// What belongs to no patient: organizations and staff. Nothing in [`Detail::Demographics`].
    #[must_use]
    pub fn house(&self) -> Vec<Vec<u8>> {
        match self.detail {
            Detail::Demographics => Vec::new(),
            Detail::Full => Clinic::of(self).documents(),
        }
    }

    /// The records of a household, each patient's before the next one's.
    #[must_use]
    pub fn documents(&self, household: &Household) -> Vec<Vec<u8>> {
        let family = household::family(self, household);
        let patients = usize::try_from(household.patients).unwrap_or(usize::MAX);
        let shown = family.persons.iter().take(patients);
        if self.detail == Detail::Demographics {
            return shown.map(|person| patient::document(self, &family, person)).collect();
        }
        let clinic = Clinic::of(self);
        let mut documents = Vec::with_capacity(patients * 64);
        for person in shown {
            let problems = problems::problems(self, person);
            let visits = visits::visits(self, person, family.adherence, &problems);
            documents.push(patient::document(self, &family, person));
            documents.extend(clinic.coverage(self, household, &family, person));
            documents.extend(allergies::documents(self, person));
            documents.extend(alerts::documents(self, &clinic, &family, person));
            documents.extend(visits.iter().filter_map(|visit| visits::document(&clinic, person, visit)));
            documents.extend(problems::documents(self, &clinic, person, &problems, &visits));
            documents.extend(doses::documents(self, &clinic, person, family.adherence, &visits));
            documents.extend(vitals::documents(self, person, &problems, &visits));
            documents.extend(results::documents(self, &clinic, person, &problems, &visits));
        }
        documents
    }

    /// Id of the patient in whose record the most is to be seen: a parent with chronic conditions, allergies and an alert. None
    /// in a plan without patients.
    #[must_use]
    pub fn shown_patient(&self) -> Option<String> {
        let first = self.households().next()?;
        household::family(self, &first).persons.into_iter().next().map(|person| person.id)
    }
}
