//! Why a request was not carried out: one type for every path through records.

use std::error::Error;
use std::fmt;

use iris_access::Denial;
use iris_audit::Unavailable;
use iris_index::{CHAIN_TARGETS_MAX, IndexError};
use iris_kernel::{ErrorKind, Fault};
use iris_store::{CommitError, StoreError};

/// A refusal: its kind decides status and problem type, its faults are what the caller may know, its cause is for our log only.
#[derive(Debug)]
pub struct Refusal {
    /// The row of the error table.
    pub kind: ErrorKind,
    /// Everything that is wrong, for the caller.
    pub faults: Vec<Fault>,
    /// What lies beneath, logged once at the boundary and never shown.
    pub cause: Option<Box<dyn Error + Send + Sync>>,
    /// The patients of whose record it tells something to a caller who sees that record. Never shown.
    pub concerns: Vec<String>,
}

impl Refusal {
    /// A refusal with one fault.
    pub fn new(kind: ErrorKind, at: impl Into<String>, what: impl Into<String>) -> Self {
        Self::with(kind, vec![Fault::new(at, what)])
    }

    /// A refusal with all its faults.
    #[must_use]
    pub const fn with(kind: ErrorKind, faults: Vec<Fault>) -> Self {
        Self { kind, faults, cause: None, concerns: Vec::new() }
    }

    /// A failure of ours or of a part we need.
    pub fn caused(kind: ErrorKind, what: &str, cause: impl Error + Send + Sync + 'static) -> Self {
        Self { cause: Some(Box::new(cause)), ..Self::new(kind, "", what) }
    }

    /// The same, about a record of these patients.
    #[must_use]
    pub(crate) fn about(self, patients: &[String]) -> Self {
        Self { concerns: patients.to_vec(), ..self }
    }

    /// The record is not there, or the caller may not know that it is: both sound the same.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(ErrorKind::NotFound, "", "there is no such record")
    }

    /// Whether it is about a part of ours and not about the input: no fault of that may stand for it, or a caller would take what
    /// is away for a moment for something that is wrong for good.
    #[must_use]
    pub(crate) fn is_ours(&self) -> bool {
        let of_ours = [ErrorKind::Unavailable, ErrorKind::Damaged, ErrorKind::Internal, ErrorKind::StorageFull];
        self.cause.is_some() || of_ours.contains(&self.kind)
    }

    /// The refusal once more, without its cause: for an input that is looked at twice.
    #[must_use]
    pub(crate) fn again(&self) -> Self {
        Self::with(self.kind, self.faults.clone())
    }

    /// The same refusal with every fault placed below `prefix`, for entries of a bundle.
    #[must_use]
    pub fn below(mut self, prefix: &str) -> Self {
        self.faults = self.faults.into_iter().map(|fault| fault.below(prefix)).collect();
        self
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, fault) in self.faults.iter().enumerate() {
            write!(f, "{}{fault}", if i == 0 { "" } else { "; " })?;
        }
        Ok(())
    }
}

impl Error for Refusal {}

impl From<Denial> for Refusal {
    fn from(denial: Denial) -> Self {
        match denial {
            Denial::Hidden => Self::not_found(),
            denial => Self::new(denial.kind(), "", denial.to_string()),
        }
    }
}

impl From<Unavailable> for Refusal {
    fn from(cause: Unavailable) -> Self {
        Self::caused(ErrorKind::Unavailable, "the access log cannot be written, so nothing is shown", cause)
    }
}

impl From<StoreError> for Refusal {
    fn from(cause: StoreError) -> Self {
        let (kind, what) = match &cause {
            StoreError::Damaged { .. } => (ErrorKind::Damaged, "the stored record fails its integrity check"),
            _ => (ErrorKind::Unavailable, "the store cannot be read now"),
        };
        Self::caused(kind, what, cause)
    }
}

impl From<IndexError> for Refusal {
    fn from(cause: IndexError) -> Self {
        match cause {
            IndexError::TooWide => {
                let what = "the search looks at too many values; give more letters, a unit, a system or a code";
                Self::new(ErrorKind::Invalid, "", what)
            }
            IndexError::TooManyTargets => {
                let what = format!("a chain leads through more than {CHAIN_TARGETS_MAX} records; ask for less there");
                Self::new(ErrorKind::TooLarge, "", what)
            }
            IndexError::Page(_) => crate::cursor::refused(),
            IndexError::Unresolved => Self::caused(ErrorKind::Internal, "the search could not be answered", cause),
            IndexError::Store(cause) => Self::from(cause),
            cause => {
                Self::caused(ErrorKind::Unavailable, "the search index is being rebuilt; reading by id works", cause)
            }
        }
    }
}

impl From<CommitError> for Refusal {
    fn from(cause: CommitError) -> Self {
        let (kind, what) = match &cause {
            CommitError::Conflict { .. } => (ErrorKind::Conflict, "another change came first; nothing was stored"),
            CommitError::StorageFull => (ErrorKind::StorageFull, "the disk is full; nothing was stored"),
            CommitError::Invalid(_) => {
                (ErrorKind::TooLarge, "this is more than one write can hold; nothing was stored")
            }
            CommitError::Damaged(_) => (ErrorKind::Damaged, "stored data are damaged; nothing was stored"),
            CommitError::Unavailable(_) => (
                ErrorKind::Unavailable,
                "the store cannot be written now, and this write may be stored or not; it is safe to send it again with the same \
                 Idempotency-Key, If-None-Exist or If-Match, and otherwise only after looking whether it is there",
            ),
        };
        Self::caused(kind, what, cause)
    }
}
