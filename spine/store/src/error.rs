//! What can go wrong with the store, in the words of its callers.

use std::path::PathBuf;

use iris_kernel::{ErrorKind, Seq};

use crate::keys::KeyError;

/// A read that did not give an answer. Absence is not among these: it is `None`.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Stored data fail their integrity check. Nothing of them is shown.
    #[error("stored data are damaged: {what}{}", .seq.map(|seq| format!(" (row {})", seq.0)).unwrap_or_default())]
    Damaged {
        /// The row, where it is known.
        seq: Option<Seq>,
        /// What does not fit, without any stored value.
        what: String,
    },
    /// The database, the disk or the key provider does not answer.
    #[error("the store is not available: {0}")]
    Unavailable(String),
}

impl StoreError {
    pub(crate) fn damaged(seq: Option<Seq>, what: impl Into<String>) -> Self {
        Self::Damaged { seq, what: what.into() }
    }

    /// The row of the table of error kinds that this belongs to.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::Damaged { .. } => ErrorKind::Damaged,
            Self::Unavailable(_) => ErrorKind::Unavailable,
        }
    }
}

impl From<KeyError> for StoreError {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::Damaged(_) => Self::damaged(None, error.to_string()),
            KeyError::Unavailable(_) => Self::Unavailable(error.to_string()),
        }
    }
}

/// Which expectation of a write set did not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conflict {
    /// The put with this position (from 0) found another version, or none, or one where there should be none.
    Put(usize),
    /// The claim with this position (from 0, releases not counted) is held by somebody else, or not held.
    Claim(usize),
    /// The requirement with this position (from 0) does not hold.
    Require(usize),
}

/// A write set that was not stored. Nothing of it was, with one exception: see [`CommitError::Unavailable`].
#[derive(Clone, Debug, thiserror::Error)]
pub enum CommitError {
    /// An expectation did not hold.
    #[error("the stored state is not the expected one: {which:?}")]
    Conflict {
        /// Which one.
        which: Conflict,
    },
    /// The disk is full.
    #[error("the disk is full")]
    StorageFull,
    /// The database or the key provider does not answer, or the writer has stopped after a failed flush. If it was the commit
    /// of this very set that failed, what the disk holds is uncertain: after the next start it is there as a whole or not at
    /// all. Who must know reads again then, or repeats the write with its expectations.
    #[error("the store is not available: {0}")]
    Unavailable(String),
    /// What is stored already is damaged, so that the expectations could not be checked.
    #[error("stored data are damaged: {0}")]
    Damaged(String),
    /// The write set breaks a rule of the store or a limit: a defect of the caller.
    #[error("the write set is not valid: {0}")]
    Invalid(&'static str),
}

impl CommitError {
    /// The row of the table of error kinds that this belongs to.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::Conflict { .. } => ErrorKind::Conflict,
            Self::StorageFull => ErrorKind::StorageFull,
            Self::Unavailable(_) => ErrorKind::Unavailable,
            Self::Damaged(_) => ErrorKind::Damaged,
            Self::Invalid(_) => ErrorKind::Internal,
        }
    }
}

impl From<StoreError> for CommitError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Damaged { .. } => Self::Damaged(error.to_string()),
            StoreError::Unavailable(what) => Self::Unavailable(what),
        }
    }
}

/// Why the store does not start. Nothing is served and nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process works in the folder.
    #[error("another process is using {}; stop it first, or give this one another IRIS_DATA_DIR", .0.display())]
    Locked(PathBuf),
    /// The folder or a file in it cannot be used.
    #[error("{what} {}: {cause}", .path.display())]
    Folder {
        /// What was tried.
        what: &'static str,
        /// On which path.
        path: PathBuf,
        /// What the system says.
        cause: std::io::Error,
    },
    /// The key file is missing beside an existing database.
    #[error(
        "the key file {} is missing, but there is a database beside it; put the key file back from its backup. \
         No new key was made: it could not open the stored data",
        .0.display()
    )]
    KeyMissing(PathBuf),
    /// Others could read the key file.
    #[error("the key file {} can be used by others (mode {mode:03o}); run: chmod 600 {}", .path.display(), .path.display())]
    KeyExposed {
        /// The key file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The passphrase does not open the key file.
    #[error("the passphrase does not open the key file {}; check IRIS_KEY_PASSPHRASE or IRIS_KEY_PASSPHRASE_FILE", .0.display())]
    Passphrase(PathBuf),
    /// The key file is not one, or is damaged.
    #[error("the key file {} is damaged: {what}; put it back from its backup", .path.display())]
    KeyFile {
        /// The key file.
        path: PathBuf,
        /// What is wrong.
        what: &'static str,
    },
    /// The key belongs to another database.
    #[error("the key does not belong to the database in {}; put its own key file back from the backup", .0.display())]
    WrongKey(PathBuf),
    /// A migration that was applied is not the one that this program has.
    #[error(
        "migration {number} of the database was {applied}, but this program has another text for it; run the program that made it"
    )]
    Drift {
        /// Its number.
        number: u32,
        /// Its name as applied.
        applied: String,
    },
    /// A newer version has worked in the folder.
    #[error(
        "the database was made by a newer version of IRIS (its schema is {found}, this program knows {known}); \
         start that version, or restore the backup made before the upgrade"
    )]
    Newer {
        /// Highest migration applied.
        found: u32,
        /// Highest migration known here.
        known: u32,
    },
    /// The server is not one to work with.
    #[error("the database server cannot be used: {0}")]
    Server(String),
    /// The database lacks a migration.
    #[error("migration {0} has not been applied to the database; run: iris migrate --apply")]
    Pending(String),
    /// A copy into the database was begun and has not ended.
    #[error(
        "a copy into this database was begun and has not ended, so a part of it is missing; \
         run `iris store copy` into it once more, or use the one that was copied from"
    )]
    HalfCopied,
    /// The database does not open or is damaged.
    #[error("the database cannot be opened: {0}")]
    Database(#[from] StoreError),
    /// The journal of reads does not open or is damaged.
    #[error("the journal cannot be opened: {0}")]
    Journal(#[from] crate::journal::JournalError),
    /// A thread could not be started.
    #[error("a thread could not be started: {0}")]
    Thread(std::io::Error),
}
