//! Validation against the base definitions of R4: structure, invariants, bindings, narrative, contained resources, extensions,
//! references and bundles, on one walk over the tape.
//!
//! - [`Valid::check`] makes the proof that a resource may be stored. The write path takes nothing else, and nothing else makes
//!   one. It looks for errors only.
//! - [`validate`] tells everything, warnings included. Reading never validates.
//! - [`Operation`] is `$validate`: what it was asked, and what it answers.
//!
//! What is an error here and what is not:
//! - Extensions that R4 does not define, profiles and code systems that it does not enumerate are accepted as they are; R4's own
//!   extensions stand where they may and hold what they should.
//! - A code outside an extensible value set is a warning, since only a person can say that none of its codes applies.
//! - Absolute references are not judged, unless the bundle around them has what they mean.
//! - No base definition of R4 fixes a value or a pattern but the URL of an extension; there is nothing else to compare.
//! - No invariant of R4 asks the time, so nothing here is told it.
//!
//! Profiles are not checked, and `$validate` refuses a `profile` by name. Everything is bounded: faults by
//! [`iris_kernel::limits::FAULTS_MAX`], what an invariant may cost by the size of what it is asked of.

mod bundle;
mod extensions;
mod judge;
mod narrative;
mod operation;
mod plan;
mod rules;

#[cfg(test)]
mod tests;

use std::ops::Deref;

use iris_fhir::Resource;
use iris_fhir::validate::{Faults, walk};
use iris_kernel::Fault;

pub use bundle::is_absolute;
pub use iris_fhir::validate::{Issue, IssueCode, Severity};
pub use narrative::{Verdict, narrative};
pub use operation::{Mode, Operation, Target};

use judge::Judge;

/// What becomes of text that looks like HTML tags. It is data: it is kept as it is and shown as text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Markup {
    /// A warning.
    #[default]
    Told,
    /// An error, for those who must assume that what reads the record next shows it as HTML.
    Refused,
}

/// How a resource is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// What matters less is not looked for.
    pub least: Severity,
    /// What becomes of text that looks like tags.
    pub markup: Markup,
}

impl Settings {
    /// For writing: errors alone.
    pub const WRITE: Self = Self { least: Severity::Error, markup: Markup::Told };
    /// Everything that can be told.
    pub const ALL: Self = Self { least: Severity::Information, markup: Markup::Told };
}

/// What is to be said about a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Errors first; of errors and of all others at most [`iris_kernel::limits::FAULTS_MAX`], and one that counts the rest.
    pub issues: Vec<Issue>,
}

impl Report {
    /// Whether there is no error.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.issues.iter().all(|issue| issue.severity != Severity::Error)
    }

    /// The errors as faults of a refusal.
    #[must_use]
    pub fn into_faults(self) -> Vec<Fault> {
        self.issues.into_iter().filter(|issue| issue.severity == Severity::Error).map(Fault::from).collect()
    }
}

/// Looks at everything in a resource.
#[must_use]
pub fn validate(resource: &Resource, settings: Settings) -> Report {
    let mut faults = Faults::at_least(settings.least);
    match plan::plan() {
        Ok(plan) => {
            let mut judge = Judge::new(plan, settings.markup);
            faults = walk(resource, &mut judge, faults);
        }
        // Never taken, as a test compiles the whole table; without invariants nothing is valid.
        Err(why) => faults.at(resource.root(), IssueCode::NotSupported, why),
    }
    Report { issues: faults.finish() }
}

/// A resource that has been validated. Only [`Valid::check`] makes one.
#[derive(Clone, Debug)]
pub struct Valid(Resource);

impl Valid {
    /// Validates.
    ///
    /// # Errors
    /// The resource back, with everything that is wrong with it.
    pub fn check(resource: Resource) -> Result<Self, (Resource, Vec<Fault>)> {
        let faults = validate(&resource, Settings::WRITE).into_faults();
        if faults.is_empty() { Ok(Self(resource)) } else { Err((resource, faults)) }
    }

    /// The resource itself.
    #[must_use]
    pub fn into_inner(self) -> Resource {
        self.0
    }
}

impl Deref for Valid {
    type Target = Resource;

    fn deref(&self) -> &Resource {
        &self.0
    }
}
