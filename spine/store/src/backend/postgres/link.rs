//! Connections. A small runtime of our own drives them, so that callers may stay synchronous and nothing else delays them.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use deadpool_postgres::{Object, Pool, PoolError};
use parking_lot::RwLock;
use tokio::runtime::{Handle, Runtime, RuntimeFlavor};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_postgres::Row;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{ToSql, Type};

use super::pools::{CONNECT_MAX, pool};
use super::pulse::{self, Found, Pulse};
pub(super) use super::session::{Session, Step, naming};
use super::waiting;
use crate::backend::Scope;
use crate::config::{PostgresConfig, Server};
use crate::error::StoreError;
use crate::figures::Connections;

/// How long a question may take with everything: the wait for a connection, making it, and asking again.
const QUESTION_MAX: Duration = Duration::from_secs(9);
/// Connections beside those of readers: for the writer, the journal, leases and the head.
const OWN_CONNECTIONS: usize = 4;

/// A statement and the types of its parameters.
pub(super) struct Sql {
    pub(super) text: &'static str,
    pub(super) types: &'static [Type],
}

/// The values of a statement.
pub(super) type Values<'a> = &'a [&'a (dyn ToSql + Sync)];

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Fault {
    /// Nobody answered. What was under way may have happened.
    Away(String),
    /// The database refused.
    Refused(tokio_postgres::Error),
    /// What it holds is nothing that we stored.
    Strange(&'static str),
}

impl Fault {
    pub(super) fn state(&self) -> Option<&SqlState> {
        match self {
            Self::Away(_) | Self::Strange(_) => None,
            Self::Refused(error) => error.code(),
        }
    }

    /// The same for somebody else who asked at the same time.
    pub(super) fn again(&self) -> Self {
        match self {
            Self::Away(why) => Self::Away(why.clone()),
            Self::Refused(_) => Self::Away(self.to_string()),
            Self::Strange(what) => Self::Strange(what),
        }
    }

    /// Whether it is the server's state, or somebody else, and not what was asked: the same for every part of it.
    pub(super) fn is_of_the_moment(&self) -> bool {
        // Connection, transaction state, rollback, resources, prerequisites, intervention, system.
        let classes = ["08", "25", "40", "53", "55", "57", "58"];
        self.state().is_some_and(|state| classes.iter().any(|class| state.code().starts_with(class)))
    }

    /// Whether the same again may go well: somebody else was in the way.
    pub(super) fn is_passing(&self) -> bool {
        let passing = [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED];
        self.state().is_some_and(|state| passing.contains(state))
    }
}

impl std::fmt::Display for Fault {
    /// Without the values of a statement, which a message of the database may repeat.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Away(why) => write!(f, "the database does not answer: {why}"),
            Self::Strange(what) => f.write_str(what),
            Self::Refused(error) => match error.as_db_error() {
                Some(error) => write!(f, "the database refuses: {} ({})", error.message(), error.code().code()),
                None => write!(f, "the database does not answer: {error}"),
            },
        }
    }
}

impl From<tokio_postgres::Error> for Fault {
    fn from(error: tokio_postgres::Error) -> Self {
        // A server that goes down or is no primary any more says so; for us it is away.
        let leaving = [
            SqlState::ADMIN_SHUTDOWN,
            SqlState::CRASH_SHUTDOWN,
            SqlState::CANNOT_CONNECT_NOW,
            SqlState::READ_ONLY_SQL_TRANSACTION,
            SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
        ];
        match error.code() {
            Some(state) if !leaving.contains(state) => Self::Refused(error),
            _ => Self::Away(describe(&error)),
        }
    }
}

fn describe(error: &tokio_postgres::Error) -> String {
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}")).unwrap_or_default();
    format!("{error}{cause}")
}

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        match fault.state() {
            None if matches!(fault, Fault::Strange(_)) => Self::damaged(None, fault.to_string()),
            Some(&(SqlState::DATA_CORRUPTED | SqlState::INDEX_CORRUPTED)) => Self::damaged(None, fault.to_string()),
            _ => Self::Unavailable(fault.to_string()),
        }
    }
}

/// Which connections to take.
#[derive(Clone, Copy)]
pub(super) enum For {
    /// Many, for whoever reads.
    Reading,
    /// A few, for the store's own threads, so that readers do not keep them waiting.
    Own,
}

/// What drives the connections.
pub(super) struct Engine(Option<Runtime>);

impl Engine {
    pub(super) fn start() -> Result<Arc<Self>, StoreError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("store-postgres")
            .enable_all()
            .build()
            .map_err(|error| StoreError::Unavailable(format!("no runtime for the database: {error}")))?;
        Ok(Arc::new(Self(Some(runtime))))
    }

    fn handle(&self) -> Option<&Handle> {
        self.0.as_ref().map(Runtime::handle)
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // Waiting for it would be forbidden on a thread of another runtime, and there is nothing to wait for.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// The way to one server, or to whichever of several can be written to.
pub(super) struct Link {
    engine: Arc<Engine>,
    reading: Pool,
    own: Pool,
    /// For looking whether the server still takes connections. None of its own is kept.
    looking: Pool,
    pulse: Arc<Pulse>,
    /// Statements are prepared once for each connection; not where a pooler gives each transaction another one.
    prepares: bool,
    /// The last attempt to connect failed: only one caller at a time tries again, the others need not wait for it.
    down: AtomicBool,
    probing: AtomicBool,
    returned: AtomicBool,
    /// Why nothing more is asked of this database.
    refused: RwLock<Option<String>>,
}

impl Link {
    /// Prepares the way. Connects to nothing yet.
    pub(super) fn new(config: &PostgresConfig, server: &Server, engine: &Arc<Engine>) -> Result<Arc<Self>, StoreError> {
        let pulse = Arc::new(Pulse::default());
        let pool = |size: usize| pool(config, server, size, &pulse);
        let link = Arc::new(Self {
            reading: pool(config.connections)?,
            own: pool(OWN_CONNECTIONS)?,
            looking: pool(1)?,
            pulse: Arc::clone(&pulse),
            engine: Arc::clone(engine),
            prepares: !config.pooler,
            down: AtomicBool::new(false),
            probing: AtomicBool::new(false),
            returned: AtomicBool::new(false),
            refused: RwLock::new(None),
        });
        link.spawn(pulse::watch(Arc::downgrade(&link), pulse));
        Ok(link)
    }

    /// Waits for something asynchronous, on a thread that is no runtime's.
    pub(super) fn wait_here<F: Future>(&self, future: F) -> Result<F::Output, Fault> {
        match self.engine.handle() {
            Some(handle) => Ok(waiting::wait(handle, future)),
            None => Err(closed()),
        }
    }

    /// Waits for something asynchronous, on whatever thread this is.
    pub(super) fn wait<F: Future + Send>(&self, future: F) -> Result<F::Output, Fault>
    where
        F::Output: Send,
    {
        let Some(handle) = self.engine.handle() else { return Err(closed()) };
        let flavor = Handle::try_current().map(|current| current.runtime_flavor());
        match flavor {
            Err(_) => Ok(waiting::wait(handle, future)),
            Ok(RuntimeFlavor::MultiThread) => Ok(tokio::task::block_in_place(|| waiting::wait(handle, future))),
            // A runtime of one thread cannot be left; its thread waits for another one.
            Ok(_) => std::thread::scope(|scope| scope.spawn(|| waiting::wait(handle, future)).join())
                .map_err(|_| Fault::Away("a thread that asked the database has panicked".into())),
        }
    }

    /// Runs something in the background, until it ends or the store does.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> Option<JoinHandle<()>> {
        self.engine.handle().map(|handle| handle.spawn(task))
    }

    /// Nothing more is asked of this database until the next start.
    pub(super) fn refuse(&self, why: &str) {
        *self.refused.write() = Some(why.to_owned());
    }

    /// Asks one question in a transaction of its own that names whose rows it may see, in one round trip. Asked again once if
    /// the connection had been lost before: a question changes nothing.
    pub(super) fn ask(&self, scope: Scope, sql: &Sql, values: Values<'_>) -> Result<Vec<Row>, Fault> {
        let begin = format!("BEGIN READ ONLY; {}", naming(scope));
        self.wait(self.twice(For::Reading, &begin, sql, values))?
    }

    /// As [`Link::ask`], without the bounds of a thread that is no runtime's.
    pub(super) async fn ask_later(&self, scope: Scope, sql: &Sql, values: Values<'_>) -> Result<Vec<Row>, Fault> {
        let begin = format!("BEGIN READ ONLY; {}", naming(scope));
        self.twice(For::Own, &begin, sql, values).await
    }

    /// A question of several readers.
    pub(super) async fn ask_together(&self, scope: Scope, sql: &Sql, values: Values<'_>) -> Result<Vec<Row>, Fault> {
        let begin = format!("BEGIN READ ONLY; {}", naming(scope));
        self.twice(For::Reading, &begin, sql, values).await
    }

    /// Makes a small change that may be made twice.
    pub(super) fn change(&self, sql: &Sql, values: Values<'_>) -> Result<Vec<Row>, Fault> {
        let begin = format!("BEGIN; {}", naming(Scope::All));
        self.wait(self.twice(For::Own, &begin, sql, values))?
    }

    async fn twice(&self, purpose: For, begin: &str, sql: &Sql, values: Values<'_>) -> Result<Vec<Row>, Fault> {
        let asked = async {
            match self.once(purpose, begin, sql, values).await {
                Err(fault) if fault.is_passing() || matches!(fault, Fault::Away(_)) => {
                    metrics::counter!("iris_store_retries_total").increment(1);
                    self.once(purpose, begin, sql, values).await
                }
                answer => answer,
            }
        };
        let late = |_| Err(Fault::Away(format!("no answer within {} seconds", QUESTION_MAX.as_secs())));
        timeout(QUESTION_MAX, asked).await.unwrap_or_else(late)
    }

    async fn once(&self, purpose: For, begin: &str, sql: &Sql, values: Values<'_>) -> Result<Vec<Row>, Fault> {
        let mut session = self.session(purpose).await?;
        let steps = [Step::Plain(begin.to_owned()), Step::Sql(sql, values.to_vec()), Step::Plain("COMMIT".to_owned())];
        let result = session.converse(&steps).await;
        session.settle(&result);
        Ok(result?.swap_remove(1))
    }

    /// Takes a connection. Where the last attempt failed, only one caller waits for the next one.
    pub(super) async fn session(&self, purpose: For) -> Result<Session, Fault> {
        if let Some(why) = &*self.refused.read() {
            return Err(Fault::Away(why.clone()));
        }
        let _probe = if self.down.load(Ordering::Acquire) {
            if self.probing.swap(true, Ordering::AcqRel) {
                return Err(Fault::Away("it could not be reached a moment ago".into()));
            }
            Some(Probe(&self.probing))
        } else {
            None
        };
        let pool = match purpose {
            For::Reading => &self.reading,
            For::Own => &self.own,
        };
        match pool.get().await {
            Ok(connection) => {
                if self.down.swap(false, Ordering::AcqRel) {
                    self.returned.store(true, Ordering::Release);
                    metrics::counter!("iris_store_reconnects_total").increment(1);
                    tracing::info!("the database answers again");
                }
                Ok(Session::new(connection, self.prepares, &self.pulse))
            }
            Err(PoolError::Timeout(deadpool_postgres::TimeoutType::Wait)) => {
                metrics::counter!("iris_store_pool_waits_total").increment(1);
                Err(Fault::Away("every connection is in use".into()))
            }
            Err(error) => {
                let why = match &error {
                    PoolError::Backend(error) => describe(error),
                    other => other.to_string(),
                };
                if !self.down.swap(true, Ordering::AcqRel) {
                    tracing::warn!(why, "the database cannot be reached");
                }
                Err(Fault::Away(why))
            }
        }
    }

    /// Whether the server that took the last connection takes another one.
    pub(super) async fn look(&self) -> Found {
        let place = self.pulse.place();
        match timeout(CONNECT_MAX, self.looking.get()).await {
            Ok(Ok(connection)) => {
                drop(Object::take(connection));
                if self.pulse.place() == place { Found::Well } else { Found::Another }
            }
            // One that has no room for another connection is there.
            Ok(Err(PoolError::Backend(error))) => match Fault::from(error) {
                Fault::Refused(_) => Found::Well,
                Fault::Away(_) | Fault::Strange(_) => Found::Nobody,
            },
            Ok(Err(_)) | Err(_) => Found::Nobody,
        }
    }

    /// Uses no connection again that was made before.
    pub(super) fn forsake(&self, found: Found) {
        for pool in [&self.reading, &self.own] {
            pool.retain(|_, _| false);
        }
        if found == Found::Nobody && !self.down.swap(true, Ordering::AcqRel) {
            tracing::warn!("the database hangs: it neither answers nor takes connections");
        }
    }

    /// Whether the last attempt to reach it failed.
    pub(super) fn is_down(&self) -> bool {
        self.down.load(Ordering::Acquire)
    }

    /// How many connections there are, and what they do.
    pub(super) fn connections(&self) -> Connections {
        let mut all = Connections::default();
        for status in [self.reading.status(), self.own.status()] {
            all.in_use += status.size.saturating_sub(status.available);
            all.idle += status.available;
            all.waiting += status.waiting;
            all.max += status.max_size;
        }
        all
    }

    /// Sets the gauges of its connections.
    pub(super) fn gauges(&self) {
        let Connections { in_use, idle, waiting, max } = self.connections();
        for (state, count) in [("in_use", in_use), ("idle", idle), ("waiting", waiting), ("max", max)] {
            let count = u32::try_from(count).unwrap_or(u32::MAX);
            metrics::gauge!("iris_store_pool_connections", "state" => state).set(count);
        }
    }

    /// Whether the database was away and answers again since the last call.
    pub(super) fn has_returned(&self) -> bool {
        self.returned.swap(false, Ordering::AcqRel)
    }
}

fn closed() -> Fault {
    Fault::Away("the store is closed".into())
}

/// The one who looks whether the database answers again.
struct Probe<'a>(&'a AtomicBool);

impl Drop for Probe<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}
