//! What patients have agreed to: FHIR R4 Consent, read once into rules (`compile`) and asked for every sort of access
//! (`evaluate`). Both are pure.
//!
//! A consent counts while its status is `active` and its scope is `patient-privacy`. Its provisions are a tree in which each one
//! is an exception to the one above it (R4, Consent.provision.provision); of several exceptions that apply, and of several
//! consents of one patient, a denial wins. What nothing applies to is for the tenant's policy to decide (opt-out: allowed,
//! opt-in: not). A criterion that cannot be looked at here (a place, a code of the content, an actor that is no account of
//! ours) widens a denial and narrows a permission, so that a mistake never shows anything; [`Consent::doubts`] names it.

mod compile;
mod criteria;
mod evaluate;
mod period;
mod purpose;
mod relent;

#[cfg(test)]
mod cases;
#[cfg(test)]
mod laws;

pub use compile::compile;
pub(crate) use compile::{actor_of, local};
pub use criteria::Actor;
pub use evaluate::{Question, Verdict, Verdicts, verdicts};
pub use period::Period;
pub(crate) use purpose::stated;
pub use purpose::{PURPOSES, is_purpose};
pub(crate) use relent::{Changer, relents};

use criteria::Criteria;

/// System of account ids in an `actor.reference.identifier`: a user of this installation.
pub const ACCOUNTS: &str = "urn:iris:account";
/// System of client ids in an `actor.reference.identifier`: a machine.
pub const CLIENTS: &str = "urn:iris:client";

/// What a provision does where it applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It allows.
    Permit,
    /// It refuses.
    Deny,
}

/// A consent that may count, as decisions use it.
#[derive(Clone, Debug, PartialEq)]
pub struct Consent {
    /// The logical id of the patient who gave it.
    pub patient: Box<str>,
    /// The rule and its exceptions.
    pub(crate) root: Provision,
    /// What of it cannot be taken as exactly as it was written, and how it is taken, for people.
    pub doubts: Vec<String>,
}

impl Consent {
    /// Whether it says anything at this moment.
    #[must_use]
    pub fn counts(&self, at: iris_kernel::Timestamp) -> bool {
        self.root.criteria.period.has(at)
    }

    /// Every moment at which it may begin or cease to say something.
    pub(crate) fn boundaries(&self, out: &mut Vec<iris_kernel::Timestamp>) {
        self.root.boundaries(out);
    }
}

/// One rule, and its exceptions.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Provision {
    /// `None` only for a root that says neither: it is there for its exceptions.
    pub(crate) decision: Option<Decision>,
    pub(crate) criteria: Criteria,
    pub(crate) exceptions: Vec<Provision>,
}

impl Provision {
    fn boundaries(&self, out: &mut Vec<iris_kernel::Timestamp>) {
        let Period { start, end } = self.criteria.period;
        out.extend(start.into_iter().chain(end));
        self.exceptions.iter().for_each(|inner| inner.boundaries(out));
    }
}
