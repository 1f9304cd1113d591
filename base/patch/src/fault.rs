//! What can be wrong with a patch.

use std::fmt;

use iris_kernel::Fault;

/// The sort of a [`PatchFault`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PatchFaultKind {
    /// Not a patch: the document does not say which operations to apply.
    Document,
    /// An operation does not fit the resource: what it is about is not there, or it is there already.
    Target,
    /// A `test` found something else.
    Test,
    /// More operations, bytes, depth or work than are allowed.
    Limit,
    /// The outcome would be another resource: its type or id has changed.
    Identity,
}

/// Why a patch was refused. The message never repeats values, which may be PHI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatchFault {
    /// The sort.
    pub kind: PatchFaultKind,
    /// Position of the operation, from 0; none for the whole patch.
    pub operation: Option<usize>,
    /// The place in the patch that the fault is about (`path`, `from`, `value`, …); empty for the whole operation.
    pub member: &'static str,
    /// What is wrong, in words.
    pub what: String,
}

impl PatchFault {
    /// A fault of the whole patch.
    pub(crate) fn whole(kind: PatchFaultKind, what: impl Into<String>) -> Self {
        Self { kind, operation: None, member: "", what: what.into() }
    }

    /// A fault of one operation.
    pub(crate) fn of(operation: usize, member: &'static str, kind: PatchFaultKind, what: impl Into<String>) -> Self {
        Self { kind, operation: Some(operation), member, what: what.into() }
    }

    /// Where the fault is in the patch, as a JSON pointer.
    #[must_use]
    pub fn pointer(&self) -> String {
        match (self.operation, self.member) {
            (None, _) => String::new(),
            (Some(at), "") => format!("/{at}"),
            (Some(at), member) => format!("/{at}/{member}"),
        }
    }
}

impl fmt::Display for PatchFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.operation.is_some() {
            write!(f, "{}: ", self.pointer())?;
        }
        f.write_str(&self.what)
    }
}

impl std::error::Error for PatchFault {}

impl From<&PatchFault> for Fault {
    fn from(fault: &PatchFault) -> Self {
        Self::new(fault.pointer(), fault.what.clone())
    }
}

/// What is wrong with one step of an operation: its sort and words for it.
pub(crate) type Refusal = (PatchFaultKind, &'static str);
