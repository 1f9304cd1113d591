//! What can go wrong with a sign-in, a token or an account.

use std::time::Duration;

use iris_audit::Unavailable;
use iris_kernel::{ErrorKind, Fault};
use iris_store::{CommitError, StoreError};

use crate::permit::Denial;

/// Why an access operation failed. None of the texts says whether an account exists.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// User name and password do not fit each other, or the account may not sign in.
    #[error("user name or password is wrong")]
    Credentials,
    /// A challenge, a code or a passkey does not count.
    #[error("the challenge, the code or the passkey is not valid")]
    Factor,
    /// A patient, a date of birth and a code do not fit each other.
    #[error("the id, the date of birth or the code is wrong")]
    Portal,
    /// Client id and secret do not fit each other, or the client is switched off.
    #[error("client authentication failed")]
    Client,
    /// The access token is missing, malformed, forged, expired, not ours or revoked.
    #[error("the access token is not valid")]
    Token,
    /// The refresh token is unknown, expired, used up or revoked.
    #[error("the refresh token is not valid")]
    Refresh,
    /// Too many failures; the next try counts after this time.
    #[error("too many failed attempts; try again later")]
    TooMany {
        /// How long to wait.
        retry: Duration,
    },
    /// What was sent breaks rules; all of them are listed.
    #[error("what was sent is not valid")]
    Invalid(Vec<Fault>),
    /// A scope that was asked for is not known or not granted to the client; each is named.
    #[error("a scope is not known or not granted")]
    Scope(Vec<Fault>),
    /// The name is taken.
    #[error("{0} is already in use")]
    Taken(&'static str),
    /// There is no such user, client or tenant.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// A rule of accounts forbids it, whoever asks.
    #[error("{0}")]
    Refused(&'static str),
    /// It rests on a mail, and no mail server is set.
    #[error("no mail can be sent from here: IRIS_SMTP_URL is not set")]
    MailNotConfigured,
    /// Somebody else changed the record at the same time.
    #[error("the record was changed at the same time; read it again")]
    Conflict,
    /// The caller may not.
    #[error(transparent)]
    Denied(#[from] Denial),
    /// The store or the audit log cannot take it now; nothing was changed.
    #[error("the server cannot do this now")]
    Unavailable(#[source] Cause),
    /// The store went away while it was to store this: it may be done or not.
    #[error("the server cannot do this now; it may or may not be done already: look before you repeat it")]
    Uncertain(#[source] Cause),
    /// The disk is full; nothing was changed.
    #[error("the disk is full")]
    StorageFull(#[source] Cause),
    /// A stored record cannot be read.
    #[error("a stored record is damaged")]
    Damaged(#[source] Cause),
    /// A defect of ours.
    #[error("internal error")]
    Internal(#[source] Cause),
}

/// What lies behind an error; logged at the boundary, never shown.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

impl AccessError {
    /// How it is answered.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            AccessError::Credentials
            | AccessError::Factor
            | AccessError::Portal
            | AccessError::Client
            | AccessError::Token
            | AccessError::Refresh => ErrorKind::Unauthenticated,
            AccessError::TooMany { .. } => ErrorKind::TooMany,
            AccessError::Invalid(_) | AccessError::Scope(_) => ErrorKind::Invalid,
            AccessError::Taken(_) | AccessError::Refused(_) | AccessError::Conflict => ErrorKind::Conflict,
            AccessError::NotFound(_) => ErrorKind::NotFound,
            AccessError::Denied(denial) => denial.kind(),
            AccessError::Unavailable(_) | AccessError::Uncertain(_) => ErrorKind::Unavailable,
            AccessError::MailNotConfigured => ErrorKind::MailNotConfigured,
            AccessError::StorageFull(_) => ErrorKind::StorageFull,
            AccessError::Damaged(_) => ErrorKind::Damaged,
            AccessError::Internal(_) => ErrorKind::Internal,
        }
    }

    /// How long to wait before trying again, where that is known (`Retry-After`).
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            AccessError::TooMany { retry } => Some(*retry),
            _ => None,
        }
    }
}

/// A defect of ours, with its cause.
pub fn internal(error: impl std::error::Error + Send + Sync + 'static) -> AccessError {
    AccessError::Internal(Box::new(error))
}

/// Sorts a cause from below by its kind.
fn sorted(kind: ErrorKind, cause: Cause) -> AccessError {
    match kind {
        ErrorKind::Unavailable => AccessError::Unavailable(cause),
        ErrorKind::StorageFull => AccessError::StorageFull(cause),
        ErrorKind::Damaged => AccessError::Damaged(cause),
        ErrorKind::Conflict => AccessError::Conflict,
        _ => AccessError::Internal(cause),
    }
}

impl From<StoreError> for AccessError {
    fn from(error: StoreError) -> Self {
        sorted(error.kind(), Box::new(error))
    }
}

impl From<CommitError> for AccessError {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Unavailable(_) => AccessError::Uncertain(Box::new(error)),
            other => sorted(other.kind(), Box::new(other)),
        }
    }
}

impl From<Unavailable> for AccessError {
    fn from(error: Unavailable) -> Self {
        sorted(error.kind(), Box::new(error))
    }
}
