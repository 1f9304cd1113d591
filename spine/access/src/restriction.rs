//! Which records a permit covers: rules over a record's patients and labels, the same for one record at hand and for a search.

use std::fmt;
use std::sync::{Arc, LazyLock, OnceLock};

use iris_crypto::digest::sha256;
use iris_search::{Clause, Term, compartment_term, compartments_term, label_term};

use crate::labels::{Labels, OWN};

/// What a decision knows of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordFacts<'a> {
    /// The logical ids of the patients in whose compartment it is.
    pub patients: &'a [String],
    /// Its security labels.
    pub labels: Labels,
}

impl<'a> RecordFacts<'a> {
    /// A record without labels, or something about patients that is no record.
    #[must_use]
    pub const fn of(patients: &'a [String]) -> Self {
        Self { patients, labels: Labels::NONE }
    }
}

/// Logical ids of patients. A copy costs nothing.
#[derive(Clone)]
pub struct PatientSet(Arc<Patients>);

struct Patients {
    /// Sorted, each once.
    ids: Box<[Box<str>]>,
    digest: [u8; 32],
    /// Their compartments in the index's terms, in order; made for the first search and shared by all that follow.
    terms: OnceLock<Arc<[Term]>>,
}

impl PatientSet {
    /// The set of these; one id may be given twice.
    pub fn of<S: Into<Box<str>>>(ids: impl IntoIterator<Item = S>) -> Self {
        let mut ids: Vec<Box<str>> = ids.into_iter().map(Into::into).collect();
        ids.sort_unstable();
        ids.dedup();
        // No id has a line feed.
        let digest = sha256(&[ids.join("\n").as_bytes()]);
        Self(Arc::new(Patients { ids: ids.into_boxed_slice(), digest, terms: OnceLock::new() }))
    }

    /// Whether the patient is in it.
    #[must_use]
    pub fn has(&self, patient: &str) -> bool {
        !self.0.ids.is_empty() && self.0.ids.binary_search_by(|id| (**id).cmp(patient)).is_ok()
    }

    /// Whether one of these patients is in it.
    #[must_use]
    pub fn has_any(&self, patients: &[String]) -> bool {
        !self.0.ids.is_empty() && patients.iter().any(|patient| self.has(patient))
    }

    /// Whether nobody is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.ids.is_empty()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.ids.len()
    }

    /// The compartments of these patients, and of those beside them, in order. A set without anybody beside it gives its own list
    /// away: a search among fifty thousand patients must not begin by making it.
    fn compartments(&self, beside: &[&str]) -> Arc<[Term]> {
        let terms = self.0.terms.get_or_init(|| {
            let mut terms: Vec<Term> = self.iter().map(compartment_term).collect();
            terms.sort_unstable();
            terms.into()
        });
        let mut beside: Vec<Term> = beside.iter().filter(|id| !self.has(id)).map(|id| compartment_term(id)).collect();
        if beside.is_empty() {
            return Arc::clone(terms);
        }
        beside.extend_from_slice(terms);
        beside.sort_unstable();
        beside.dedup();
        beside.into()
    }

    /// The ids in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.ids.iter().map(AsRef::as_ref)
    }
}

impl Default for PatientSet {
    fn default() -> Self {
        static EMPTY: LazyLock<PatientSet> = LazyLock::new(|| PatientSet::of(Vec::<String>::new()));
        EMPTY.clone()
    }
}

impl PartialEq for PatientSet {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.ids == other.0.ids
    }
}

impl Eq for PatientSet {}

impl fmt::Debug for PatientSet {
    /// How many there are: ids of patients do not belong into logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PatientSet({})", self.len())
    }
}

/// A patient whose records, or some of them, a consent closes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Denied {
    /// The logical id.
    pub patient: Box<str>,
    /// The records that have one of these labels; with none, all records of the patient.
    pub labels: Labels,
}

impl Denied {
    fn covers(&self, labels: Labels) -> bool {
        self.labels.is_none() || self.labels.meets(labels)
    }
}

impl fmt::Debug for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Denied({:?})", self.labels)
    }
}

/// What patients' consents say about one sort of access. A copy costs nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsentRules {
    within: Option<PatientSet>,
    /// Sorted by patient.
    outside: Arc<[Denied]>,
}

impl ConsentRules {
    /// Rules from what consents permit (`within`, where nothing is permitted without one) and deny.
    #[must_use]
    pub fn new(within: Option<PatientSet>, mut outside: Vec<Denied>) -> Self {
        outside.sort_unstable();
        outside.dedup();
        Self { within, outside: outside.into() }
    }

    /// If set, only records of these patients, and records of nobody.
    #[must_use]
    pub const fn within(&self) -> Option<&PatientSet> {
        self.within.as_ref()
    }

    /// What is denied.
    #[must_use]
    pub fn outside(&self) -> &[Denied] {
        &self.outside
    }

    /// The same without the rule that something must be permitted first.
    #[must_use]
    pub(crate) fn without_within(self) -> Self {
        Self { within: None, ..self }
    }

    fn denied(&self, patient: &str) -> impl Iterator<Item = &Denied> {
        let from = self.outside.partition_point(|denied| *denied.patient < *patient);
        self.outside[from..].iter().take_while(move |denied| *denied.patient == *patient)
    }
}

impl Default for ConsentRules {
    fn default() -> Self {
        static NONE: LazyLock<ConsentRules> = LazyLock::new(|| ConsentRules::new(None, Vec::new()));
        NONE.clone()
    }
}

/// What a permit does not cover. The same rules in two forms: [`Restriction::admits`] for a record at hand, and
/// [`Restriction::clauses`] for a search (`the_search_shows_what_the_decision_on_each_record_allows`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Restriction {
    /// Only records of this patient, whatever their type.
    pub(crate) only: Option<Arc<str>>,
    /// The caller's own patient record: open beside what team, consent and labels close, but for the labels that are not to be seen
    /// of one's own record.
    pub(crate) own: Option<Arc<str>>,
    /// Only records of these patients and records of nobody: those whom the caller treats.
    pub(crate) team: Option<PatientSet>,
    /// What consents say.
    pub(crate) consent: ConsentRules,
    /// Labels that the caller may not see.
    pub(crate) hidden: Labels,
    /// Patients for whom the glass is broken: team, consent and labels do not count for them.
    pub(crate) lifted: PatientSet,
}

impl Restriction {
    /// Whether it leaves nothing out.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.is_open_to_all_patients() && self.hidden.is_none()
    }

    /// Whether no patient's records are left out as such; labels may still be.
    #[must_use]
    pub fn is_open_to_all_patients(&self) -> bool {
        self.only.is_none() && self.team.is_none() && self.consent.within.is_none() && self.consent.outside.is_empty()
    }

    /// The one patient beyond whose record nothing is seen.
    #[must_use]
    pub fn only(&self) -> Option<&str> {
        self.only.as_deref()
    }

    fn is_own(&self, patient: &str) -> bool {
        self.own.as_deref() == Some(patient)
    }

    /// Whether the record is open, whoever treats whom.
    fn opens(&self, patients: &[String]) -> bool {
        self.lifted.has_any(patients) || patients.iter().any(|patient| self.is_own(patient))
    }

    /// The same without what the glass was broken for; `None` where it was broken for nobody.
    #[must_use]
    pub fn unlifted(&self) -> Option<Self> {
        (!self.lifted.is_empty()).then(|| Self { lifted: PatientSet::default(), ..self.clone() })
    }

    /// Labels that are not to be seen.
    #[must_use]
    pub const fn hidden(&self) -> Labels {
        self.hidden
    }

    /// Whether a record is covered.
    #[must_use]
    pub fn admits(&self, record: &RecordFacts<'_>) -> bool {
        self.admits_patients(record) && self.admits_labels(record)
    }

    /// Whether a record is covered as far as its patients tell.
    fn admits_patients(&self, record: &RecordFacts<'_>) -> bool {
        let patients = record.patients;
        if self.only().is_some_and(|only| !patients.iter().any(|patient| patient == only)) {
            return false;
        }
        let reaches = |set: &PatientSet| patients.is_empty() || set.has_any(patients) || self.opens(patients);
        let sets = [&self.team, &self.consent.within];
        sets.into_iter().flatten().all(reaches) && !self.is_denied(record)
    }

    fn is_denied(&self, record: &RecordFacts<'_>) -> bool {
        if self.consent.outside.is_empty() {
            return false;
        }
        let counts = |patient: &str| !self.is_own(patient) && !self.lifted.has(patient);
        let mut patients = record.patients.iter().filter(|patient| counts(patient));
        patients.any(|patient| self.consent.denied(patient).any(|denied| denied.covers(record.labels)))
    }

    /// Whether nothing in the record's labels keeps it away.
    #[must_use]
    pub fn admits_labels(&self, record: &RecordFacts<'_>) -> bool {
        let hidden = self.hidden.common(record.labels);
        hidden.is_none()
            || self.lifted.has_any(record.patients)
            || (hidden.without(OWN).is_none() && self.opens(record.patients))
    }

    /// The same for a search: every record that it finds keeps to every clause.
    #[must_use]
    pub fn clauses(&self) -> Vec<Clause> {
        let lifted: Vec<_> = self.lifted.iter().map(compartment_term).collect();
        let open: Vec<&str> = self.lifted.iter().chain(self.own.as_deref()).collect();
        let mut clauses = Vec::new();
        clauses.extend(self.only().map(|only| Clause::required(compartment_term(only))));
        let own = self.own.as_deref().map(compartment_term);
        for set in [&self.team, &self.consent.within].into_iter().flatten() {
            clauses.push(Clause::among(set.compartments(&open), vec![compartments_term()]));
        }
        for Denied { patient, labels } in self.consent.outside() {
            if self.lifted.has(patient) || self.is_own(patient) {
                continue;
            }
            let patient = compartment_term(patient);
            if labels.is_none() {
                clauses.push(Clause::new(Vec::new(), vec![patient]));
                continue;
            }
            let labelled = labels.iter().map(|label| vec![patient.clone(), label_term(label)]);
            clauses.extend(labelled.map(|unless| Clause::new(Vec::new(), unless)));
        }
        for label in self.hidden.iter() {
            let own = own.iter().filter(|_| OWN.has(label));
            let any = lifted.iter().chain(own).cloned().collect();
            clauses.push(Clause::new(any, vec![label_term(label)]));
        }
        clauses
    }

    /// A digest of everything in it: what a paging cursor is bound to.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        let mut bytes = Vec::new();
        let mut part = |part: Option<&[u8]>| {
            bytes.push(u8::from(part.is_some()));
            let part = part.unwrap_or_default();
            bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
            bytes.extend_from_slice(part);
        };
        part(self.only().map(str::as_bytes));
        part(self.own.as_deref().map(str::as_bytes));
        part(self.team.as_ref().map(|set| set.0.digest.as_slice()));
        part(self.consent.within.as_ref().map(|set| set.0.digest.as_slice()));
        part(Some(&self.hidden.to_bytes()));
        part(Some(&self.lifted.0.digest));
        for Denied { patient, labels } in self.consent.outside() {
            part(Some(patient.as_bytes()));
            part(Some(&labels.to_bytes()));
        }
        sha256(&[&bytes])
    }
}

#[cfg(test)]
#[path = "restriction_tests.rs"]
mod tests;
