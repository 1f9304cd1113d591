//! Audit entries of reads, in a table: one batch of this node after another, so that what comes meanwhile shares a flush.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::link::{Fault, For, Link, Step};
use super::read::Questions;
use super::sql;
use crate::audit::AuditRow;
use crate::error::StoreError;
use crate::journal::JournalError;

/// Most bytes of entries that may wait.
const WAITING_BYTES_MAX: usize = 64 << 20;
/// Most bytes of one entry.
const ENTRY_BYTES_MAX: usize = 1 << 20;
/// Most entries of one batch, and bytes after which nothing is added to it.
const BATCH_ENTRIES_MAX: usize = 4_096;
const BATCH_BYTES_MAX: usize = 4 << 20;
/// How often a batch is tried that somebody else was in the way of.
const TRIES: usize = 5;
/// How long a batch may take. Who comes while one is on its way waits for that one and for the next.
const BATCH_MAX: Duration = Duration::from_millis(4_500);

type Reply = Box<dyn FnOnce(Result<(), JournalError>) + Send>;

struct Waiting {
    rows: Vec<AuditRow>,
    bytes: usize,
    reply: Reply,
}

#[derive(Default)]
struct Queue {
    waiting: Vec<Waiting>,
    bytes: usize,
    ended: bool,
}

struct Shared {
    link: Arc<Link>,
    queue: Mutex<Queue>,
    arrived: Notify,
}

/// The journal of reads of a database that several nodes share.
pub(crate) struct TableJournal {
    shared: Arc<Shared>,
    questions: Arc<Questions>,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl TableJournal {
    pub(super) fn start(questions: Arc<Questions>) -> Self {
        let link = Arc::clone(&questions.link);
        let shared = Arc::new(Shared { link, queue: Mutex::default(), arrived: Notify::new() });
        let task = shared.link.spawn(write(Arc::clone(&shared)));
        Self { shared, questions, task: Mutex::new(task) }
    }

    pub(crate) fn submit(&self, rows: Vec<AuditRow>, reply: Reply) {
        let size = |row: &AuditRow| row.header.len() + row.details.len();
        if rows.iter().any(|row| size(row) > ENTRY_BYTES_MAX) {
            return reply(Err(JournalError::TooLarge));
        }
        let bytes = rows.iter().map(size).sum();
        let mut queue = self.shared.queue.lock();
        let refusal = if queue.ended {
            JournalError::stopped()
        } else if queue.bytes + bytes > WAITING_BYTES_MAX {
            JournalError::Overloaded
        } else {
            queue.bytes += bytes;
            queue.waiting.push(Waiting { rows, bytes, reply });
            drop(queue);
            self.shared.arrived.notify_one();
            return;
        };
        drop(queue);
        reply(Err(refusal));
    }

    pub(crate) fn ended(&self) -> bool {
        self.shared.queue.lock().ended
    }

    pub(crate) fn head(&self) -> Result<u64, StoreError> {
        self.questions.read_head()
    }

    pub(crate) fn rows(&self, from: u64, limit: usize) -> Result<Vec<(u64, AuditRow)>, StoreError> {
        self.questions.read_rows(from, limit)
    }

    /// Writes what waits and refuses everything later.
    pub(crate) fn close(&self) {
        self.shared.queue.lock().ended = true;
        self.shared.arrived.notify_one();
        if let Some(task) = self.task.lock().take()
            && let Err(fault) = self.shared.link.wait(task)
        {
            tracing::error!(%fault, "the journal of reads could not be closed");
        }
    }
}

impl Drop for TableJournal {
    fn drop(&mut self) {
        self.close();
    }
}

async fn write(shared: Arc<Shared>) {
    loop {
        let (waiting, ended) = {
            let mut queue = shared.queue.lock();
            queue.bytes = 0;
            (std::mem::take(&mut queue.waiting), queue.ended)
        };
        if waiting.is_empty() {
            if ended {
                return;
            }
            shared.arrived.notified().await;
            continue;
        }
        let mut batch: Vec<Waiting> = Vec::new();
        let (mut entries, mut bytes) = (0, 0);
        for one in waiting {
            if !batch.is_empty()
                && (entries + one.rows.len() > BATCH_ENTRIES_MAX || bytes + one.bytes > BATCH_BYTES_MAX)
            {
                flush(&shared.link, std::mem::take(&mut batch)).await;
                (entries, bytes) = (0, 0);
            }
            entries += one.rows.len();
            bytes += one.bytes;
            batch.push(one);
        }
        flush(&shared.link, batch).await;
    }
}

async fn flush(link: &Link, batch: Vec<Waiting>) {
    let (rows, replies): (Vec<Vec<AuditRow>>, Vec<Reply>) = batch.into_iter().map(|one| (one.rows, one.reply)).unzip();
    let outcome = append(link, &rows).await;
    let outcome = outcome.map_err(|fault| JournalError::Away(fault.to_string()));
    for reply in replies {
        reply(outcome.clone());
    }
}

/// One batch, durable when this returns. One that got no answer is not tried again: it may be there, and an entry that is
/// there twice would look like a forgery.
async fn append(link: &Link, batch: &[Vec<AuditRow>]) -> Result<(), Fault> {
    let headers: Vec<&[u8]> = batch.iter().flatten().map(|row| &row.header[..]).collect();
    let details: Vec<&[u8]> = batch.iter().flatten().map(|row| &row.details[..]).collect();
    let mut tries = 0;
    loop {
        let mut session = link.session(For::Own).await?;
        session.answers_within(BATCH_MAX);
        let warnings = session.warnings();
        let result = session.converse(&[Step::Sql(&sql::APPEND_READS, vec![&headers, &details])]).await;
        session.settle(&result);
        if result.is_ok() && session.warnings() != warnings {
            // Of a wait for the standby that was cancelled, perhaps: a server that takes over may lack the entries.
            return Err(Fault::Away("it warns of the commit".into()));
        }
        tries += 1;
        match result {
            Err(fault) if fault.is_passing() && tries < TRIES => {
                metrics::counter!("iris_store_retries_total").increment(1);
            }
            other => return other.map(drop),
        }
    }
}
