//! Where audit entries of reads go: to files of this machine, or to a table of the database that several nodes share.

use std::future::Future;

use crate::audit::AuditRow;
use crate::backend::postgres::TableJournal;
use crate::error::StoreError;
use crate::journal::{FileJournal, JournalError};

/// What becomes of entries that were handed over.
type Reply = Box<dyn FnOnce(Result<(), JournalError>) + Send>;

/// The journal of reads. Entries count from 0 without a gap. None of them waits for a write.
pub struct Journal(pub(crate) Place);

pub(crate) enum Place {
    /// Each with a flush of its own thread.
    Files(FileJournal),
    /// One batch of this node after another.
    Table(TableJournal),
}

impl Journal {
    /// Appends entries, which stand one behind the other. They are on their way when this returns and durable when the
    /// future resolves, so that what is being answered can be prepared meanwhile.
    ///
    /// # Errors
    /// (of the future) [`JournalError`]: the entries are not known to be durable, and nothing may be shown that they record.
    pub fn append(&self, rows: Vec<AuditRow>) -> impl Future<Output = Result<(), JournalError>> + Send + use<> {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        self.submit(rows, Box::new(move |result| drop(sender.send(result))));
        async move { receiver.await.unwrap_or_else(|_| Err(JournalError::stopped())) }
    }

    /// As [`Journal::append`], for threads outside the asynchronous runtime.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn append_blocking(&self, rows: Vec<AuditRow>) -> Result<(), JournalError> {
        let (sender, receiver) = std::sync::mpsc::sync_channel(1);
        self.submit(rows, Box::new(move |result| drop(sender.send(result))));
        receiver.recv().unwrap_or_else(|_| Err(JournalError::stopped()))
    }

    fn submit(&self, rows: Vec<AuditRow>, reply: Reply) {
        match &self.0 {
            Place::Files(files) => files.submit(rows, reply),
            Place::Table(table) => table.submit(rows, reply),
        }
    }

    /// Whether nothing is taken in any more until the next start: the journal was closed, or a write or flush failed. Takes
    /// a lock for an instant and touches no file and no database.
    #[must_use]
    pub fn ended(&self) -> bool {
        match &self.0 {
            Place::Files(files) => files.ended(),
            Place::Table(table) => table.ended(),
        }
    }

    /// Number of durable entries: the ordinal that the next one gets.
    pub(crate) fn head(&self) -> Result<u64, StoreError> {
        match &self.0 {
            Place::Files(files) => Ok(files.head()),
            Place::Table(table) => table.head(),
        }
    }

    pub(crate) fn rows(&self, from: u64, limit: usize) -> Result<Vec<(u64, AuditRow)>, StoreError> {
        match &self.0 {
            Place::Files(files) => Ok(files.rows(from, limit)?),
            Place::Table(table) => table.rows(from, limit),
        }
    }

    /// Bytes on this machine.
    pub(crate) fn bytes(&self) -> Result<u64, StoreError> {
        match &self.0 {
            Place::Files(files) => Ok(files.bytes()?),
            // Counted with the database.
            Place::Table(_) => Ok(0),
        }
    }

    pub(crate) fn close(&self) {
        match &self.0 {
            Place::Files(files) => files.close(),
            Place::Table(table) => table.close(),
        }
    }
}
