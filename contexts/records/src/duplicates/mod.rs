//! Which records may be of the same person as another one: candidates by what duplicates have in common, and a score of which
//! every part is told.
//!
//! A candidate shares a number, an address or a day of birth, or has a similar name and a birth date that a slip explains, or a
//! similar name and the same year. What speaks for and against it is weighed by one table ([`mod@evidence`]); rules above the
//! weights keep twins, and fathers and sons, from being taken for one person.

mod candidates;
mod compare;
pub mod evidence;
mod person;

#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::BTreeSet;

use iris_fhir::json::Value;
use iris_kernel::{Fault, Kind, Timestamp};
use iris_resources::{Judge, Measure, Refusal, Stored, Until};
use iris_search::{Query, Total};

use compare::evidence;
use evidence::Evidence;
use person::Person;

use crate::patient::Patient;

/// Most records that an answer names.
pub const DUPLICATES_MAX: usize = 20;
/// Most candidates that each search looks at, the newest.
pub const CANDIDATES_MAX: usize = 100;
/// Weight from which on a record is worth a look. Reached by a full name alone.
pub const POSSIBLE_MIN: i32 = 9;
/// Weight from which on two records are more likely of one person than not. Reached by name and birth date.
pub const PROBABLE_MIN: i32 = 14;
/// Weight from which on nobody should make a second record without asking. Name and birth date and something else.
pub const CERTAIN_MIN: i32 = 22;
/// Weight that is told as a score of 100.
const FULL: i32 = 30;

/// How sure it is that two records are of one person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Certainty {
    /// Worth a look.
    Possible,
    /// More likely than not.
    Probable,
    /// Beyond reasonable doubt; a person decides nevertheless.
    Certain,
}

impl Certainty {
    /// The words, in order.
    pub const WORDS: [&'static str; 3] = ["possible", "probable", "certain"];

    /// The word in answers.
    #[must_use]
    pub const fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }
}

/// How alike two records are; the smaller the more.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Likeness {
    weight: Reverse<i32>,
    evidence: BTreeSet<Evidence>,
}

impl Likeness {
    /// Weighs evidence; `None` if it is below [`POSSIBLE_MIN`].
    fn of(evidence: BTreeSet<Evidence>) -> Option<Self> {
        let has = |wanted| evidence.contains(&wanted);
        let has_number = [Evidence::SameSsn, Evidence::SameMrn, Evidence::SameIdentifier].into_iter().any(has);
        let mut weight: i32 = evidence.iter().map(|evidence| evidence.weight()).sum();
        // Twins share birth date, name and home, and are often named alike; a father and his son share the name. Only the same
        // first and last name, or a number that one person has, makes it certain; only such a number outweighs a first name or
        // a birth date that is not the same by far.
        let is_another =
            [Evidence::OtherFirstName, Evidence::OtherName, Evidence::OtherBirthDate, Evidence::OtherGeneration]
                .into_iter()
                .any(has);
        let below = match () {
            () if is_another && !has_number => PROBABLE_MIN,
            () if is_another || has(Evidence::OtherSsn) => CERTAIN_MIN,
            () if !has(Evidence::SameName) && !has_number => CERTAIN_MIN,
            () => i32::MAX,
        };
        weight = weight.min(below - 1);
        // The same number on two records is a mistake in one of them, whatever else they say.
        if has_number {
            weight = weight.max(POSSIBLE_MIN);
        }
        (weight >= POSSIBLE_MIN).then_some(Self { weight: Reverse(weight), evidence })
    }

    /// From 0 to 100: the share of the weight at which nothing is left to doubt.
    #[must_use]
    pub fn score(&self) -> i64 {
        i64::from((self.weight.0 * 100 / FULL).clamp(0, 100))
    }

    /// How sure it is.
    #[must_use]
    pub const fn certainty(&self) -> Certainty {
        match self.weight.0 {
            CERTAIN_MIN.. => Certainty::Certain,
            PROBABLE_MIN.. => Certainty::Probable,
            _ => Certainty::Possible,
        }
    }

    /// What speaks for one person.
    pub fn reasons(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.evidence.iter().filter(|evidence| !evidence.is_against()).map(|evidence| evidence.word())
    }

    /// What speaks against it.
    pub fn against(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.evidence.iter().filter(|evidence| evidence.is_against()).map(|evidence| evidence.word())
    }
}

/// The search for duplicates of one patient.
#[derive(Debug)]
pub struct Duplicates {
    kind: Kind,
    person: Person,
    itself: Option<String>,
    /// What the log keeps of it.
    told: (String, String),
}

impl Duplicates {
    /// Of a record, which is itself left out.
    #[must_use]
    pub fn of_record(kind: Kind, id: &str, root: Value<'_>) -> Self {
        let told = ("duplicates_of".to_owned(), id.to_owned());
        Self { kind, person: Person::of(root), itself: Some(id.to_owned()), told }
    }

    /// Of somebody who may not be recorded yet. `root` is the FHIR Patient that `fields` make.
    ///
    /// # Errors
    /// There is neither a name nor a number to compare by.
    pub fn of_fields(kind: Kind, fields: &Patient, root: Value<'_>) -> Result<Self, Fault> {
        let given = [
            ("first_name", fields.first_name.is_some()),
            ("last_name", fields.last_name.is_some()),
            ("ssn", fields.ssn.is_some()),
            ("medical_record_number", fields.medical_record_number.is_some()),
            ("date_of_birth", fields.date_of_birth.is_some()),
            ("phone", fields.phone.is_some()),
            ("email", fields.email.is_some()),
            ("address", fields.address.is_some()),
            ("gender", fields.gender.is_some()),
        ];
        if !given[..4].iter().any(|(_, is_given)| *is_given) {
            return Err(Fault::new(
                "/last_name",
                "is needed, or first_name, ssn or medical_record_number, to compare by",
            ));
        }
        let names: Vec<_> = given.iter().filter(|(_, is_given)| *is_given).map(|(name, _)| *name).collect();
        let told = ("duplicates_by".to_owned(), names.join(","));
        Ok(Self { kind, person: Person::of(root), itself: None, told })
    }

    /// The searches for candidates; `now` tells which days are in the future.
    #[must_use]
    pub fn rounds(&self, now: Timestamp) -> Vec<Query> {
        let rounds = candidates::groups(self.kind, &self.person, now);
        let query =
            |all| Query { all, total: Total::None, applied: vec![self.told.clone()], ..Query::everything(self.kind) };
        rounds.into_iter().map(query).collect()
    }

    /// How much is looked at.
    #[must_use]
    pub const fn measure() -> Measure {
        Measure { wanted: DUPLICATES_MAX, candidates: CANDIDATES_MAX, until: Until::Last }
    }

    fn likeness(&self, other: &Person) -> Option<Likeness> {
        Likeness::of(evidence(&self.person, other))
    }
}

impl Judge for Duplicates {
    type Verdict = Likeness;

    fn judge(&self, candidate: &Stored) -> Result<Option<Likeness>, Refusal> {
        if self.itself.as_ref() == Some(&candidate.id) {
            return Ok(None);
        }
        Ok(self.likeness(&Person::of(candidate.resource()?.root())))
    }
}
