//! Collecting what is wrong.

use iris_kernel::{Fault, limits};

use crate::json::Value;

use super::place::{Place, place};

/// Longest pointer or expression that a fault carries; member names are the sender's and may be of any length.
const PLACE_BYTES_MAX: usize = 512;

/// How much an issue matters (R4 issue-severity; `fatal` is for what cannot even be read).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Nothing to act on.
    Information,
    /// Accepted, but perhaps not what was meant.
    Warning,
    /// Not acceptable.
    Error,
}

impl Severity {
    /// The code of the value set issue-severity.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Information => "information",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// Which sort of issue it is: a part of the value set issue-type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IssueCode {
    /// An element that is not there, in the wrong place or number, or of another shape.
    Structure,
    /// A required element is missing.
    Required,
    /// A value that its type does not have.
    Value,
    /// An invariant of the definitions is broken.
    Invariant,
    /// A code that its binding does not have.
    CodeInvalid,
    /// Contradicts something else in the content.
    Invalid,
    /// Something that is referred to is not there.
    NotFound,
    /// Two of what may only be there once.
    Duplicate,
    /// A rule of this server or of good practice.
    BusinessRule,
    /// More than a limit allows.
    TooCostly,
    /// Cannot be judged here.
    NotSupported,
    /// Only to be known.
    Informational,
}

impl IssueCode {
    /// The code of the value set issue-type.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Structure => "structure",
            Self::Required => "required",
            Self::Value => "value",
            Self::Invariant => "invariant",
            Self::CodeInvalid => "code-invalid",
            Self::Invalid => "invalid",
            Self::NotFound => "not-found",
            Self::Duplicate => "duplicate",
            Self::BusinessRule => "business-rule",
            Self::TooCostly => "too-costly",
            Self::NotSupported => "not-supported",
            Self::Informational => "informational",
        }
    }
}

/// One thing that is to be said about a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issue {
    /// How much it matters.
    pub severity: Severity,
    /// Which sort it is.
    pub code: IssueCode,
    /// Where, as a JSON pointer (`/name/0/family`); empty for the whole.
    pub at: String,
    /// Where, as FHIRPath (`Patient.name[0].family`).
    pub expression: String,
    /// What was found and what was expected, in a sentence that repeats no value.
    pub what: String,
}

impl From<Issue> for Fault {
    fn from(issue: Issue) -> Self {
        Self { at: issue.at, what: issue.what, code: issue.code.code(), expression: issue.expression }
    }
}

/// The issues so far: of errors and of all others [`limits::FAULTS_MAX`] each, and how many more there are.
#[derive(Debug)]
pub struct Faults {
    least: Severity,
    errors: Listed,
    others: Listed,
}

#[derive(Debug, Default)]
struct Listed {
    issues: Vec<Issue>,
    more: usize,
}

impl Faults {
    /// None so far. What matters less than `least` will not be listed.
    #[must_use]
    pub fn at_least(least: Severity) -> Self {
        Self { least, errors: Listed::default(), others: Listed::default() }
    }

    /// Whether issues of this severity are listed at all.
    #[must_use]
    pub fn wants(&self, severity: Severity) -> bool {
        severity >= self.least
    }

    /// How many errors there are, listed or not.
    #[must_use]
    pub fn errors(&self) -> usize {
        self.errors.issues.len() + self.errors.more
    }

    /// An error at a value.
    pub fn at(&mut self, value: Value<'_>, code: IssueCode, what: impl Into<String>) {
        self.add(Severity::Error, code, value, "", what);
    }

    /// An error at a member that is not there.
    pub fn member(&mut self, object: Value<'_>, name: &str, code: IssueCode, what: impl Into<String>) {
        self.add(Severity::Error, code, object, name, what);
    }

    /// Something at a value, or at its member `name` if that is not empty.
    pub fn add(&mut self, severity: Severity, code: IssueCode, value: Value<'_>, name: &str, what: impl Into<String>) {
        if !self.wants(severity) {
            return;
        }
        let list = if severity == Severity::Error { &mut self.errors } else { &mut self.others };
        if list.issues.len() >= limits::FAULTS_MAX {
            list.more += 1;
            return;
        }
        let Place { pointer, expression } = place(value, name);
        let (at, expression) = (short(pointer), short(expression));
        list.issues.push(Issue { severity, code, at, expression, what: what.into() });
    }

    /// The list, errors first; where there were more than it may hold, one entry says how many.
    #[must_use]
    pub fn finish(self) -> Vec<Issue> {
        let mut all = Vec::new();
        for (listed, severity, what) in [
            (self.errors, Severity::Error, "faults"),
            (self.others, Severity::Information, "warnings and informations"),
        ] {
            all.extend(listed.issues);
            if listed.more > 0 {
                let what = format!("There are {} more {what}", listed.more);
                let code = IssueCode::TooCostly;
                all.push(Issue { severity, code, at: String::new(), expression: String::new(), what });
            }
        }
        all
    }
}

fn short(mut place: String) -> String {
    if place.len() > PLACE_BYTES_MAX {
        place.truncate(place.floor_char_boundary(PLACE_BYTES_MAX));
        place.push('…');
    }
    place
}
