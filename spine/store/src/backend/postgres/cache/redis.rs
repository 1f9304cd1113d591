//! Rows in a Redis (or Valkey) that the nodes share.
//!
//! Nobody waits for it to be found: a task of its own connects. Nobody waits long for its answer either: one that does not come
//! within [`ANSWER_MAX`] costs the connection, and it is left alone for [`REST`] before the next one is made. What is to be kept
//! is handed over and not waited for; where too much of that is under way, it is not kept.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use iris_crypto::MacKey;
use iris_kernel::{Secret, Seq};
use parking_lot::RwLock;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, RedisError, TlsCertificates};
use tokio::sync::{Notify, Semaphore};
use tokio::time::timeout;

use super::super::life::Life;
use super::{Held, entry};
use crate::backend::postgres::link::Link;
use crate::error::StoreError;
use crate::figures::CacheState;

/// How long an answer that somebody waits for may take. The database needs a part of that.
const ANSWER_MAX: Duration = Duration::from_millis(50);
/// How long an answer may take that nobody waits for.
const STORED_MAX: Duration = Duration::from_secs(1);
/// How long making a connection may take.
const CONNECT_MAX: Duration = Duration::from_secs(2);
/// Rest before another connection is made.
const REST: Duration = Duration::from_secs(2);
/// How long a row is kept there, in seconds: what no life finds any more must go by itself.
const KEPT_SECONDS: u64 = 3_600;
/// Most rows that are asked for at once. More than that is no page of a search.
const ASKED_MAX: usize = 512;
/// Most groups of rows on their way there.
const UNDER_WAY_MAX: usize = 64;

/// The way to a Redis.
pub(super) struct Redis {
    shared: Arc<Shared>,
    link: Arc<Link>,
    wake: Arc<Notify>,
}

struct Shared {
    key: MacKey,
    /// The connection in use with its number; `None` while there is none.
    connection: RwLock<Option<(u64, MultiplexedConnection)>>,
    made: AtomicU64,
    under_way: Arc<Semaphore>,
    /// It takes no values at present; said once.
    refuses: AtomicBool,
    wake: Arc<Notify>,
}

impl Redis {
    /// Begins to connect.
    pub(super) fn start(
        url: &Secret<String>,
        ca: Option<&str>,
        key: MacKey,
        link: &Arc<Link>,
    ) -> Result<Self, StoreError> {
        let fault = |error: RedisError| StoreError::Unavailable(format!("the cache's URL: {error}"));
        let client = if url.expose().starts_with("rediss:") {
            let root_cert = ca.map(|pem| pem.as_bytes().to_vec());
            Client::build_with_tls(url.expose().as_str(), TlsCertificates { client_tls: None, root_cert })
        } else {
            Client::open(url.expose().as_str())
        };
        let wake = Arc::new(Notify::new());
        let shared = Arc::new(Shared {
            key,
            connection: RwLock::new(None),
            made: AtomicU64::new(0),
            under_way: Arc::new(Semaphore::new(UNDER_WAY_MAX)),
            refuses: AtomicBool::new(false),
            wake: Arc::clone(&wake),
        });
        link.spawn(stay_connected(client.map_err(fault)?, Arc::downgrade(&shared), Arc::clone(&wake)));
        Ok(Self { shared, link: Arc::clone(link), wake })
    }

    /// How it is, without asking it.
    pub(super) fn state(&self) -> CacheState {
        match &*self.shared.connection.read() {
            None => CacheState::Away,
            Some(_) if self.shared.refuses.load(Ordering::Acquire) => CacheState::Refuses,
            Some(_) => CacheState::Answers,
        }
    }

    /// The rows that it has of these.
    pub(super) fn get(&self, life: &Life, seqs: &[Seq]) -> Vec<Option<Arc<Held>>> {
        let none = || vec![None; seqs.len()];
        let Some((number, mut connection)) = self.shared.connection() else { return none() };
        if seqs.len() > ASKED_MAX {
            return none();
        }
        let names: Vec<String> = seqs.iter().map(|seq| entry::name(life, *seq)).collect();
        let mut command = redis::cmd("MGET");
        command.arg(&names);
        let asked = async { timeout(ANSWER_MAX, command.query_async::<Vec<Option<Vec<u8>>>>(&mut connection)).await };
        let values = match self.link.wait(asked) {
            Ok(Ok(Ok(values))) if values.len() == seqs.len() => values,
            Ok(Ok(Ok(_))) => {
                self.shared.lost(number, &"it gave another number of values than were asked for");
                return none();
            }
            Ok(Ok(Err(error))) => {
                self.shared.lost(number, &error);
                return none();
            }
            Ok(Err(late)) => {
                self.shared.lost(number, &late);
                return none();
            }
            // The store is being closed.
            Err(_) => return none(),
        };
        let read = |((seq, name), value): ((&Seq, &String), Option<Vec<u8>>)| {
            let value = value?;
            let Some(row) = entry::read(&self.shared.key, name, *seq, &value) else {
                tracing::warn!(seq = seq.0, "the cache holds a value that nobody of us put there");
                return None;
            };
            Some(Arc::new(Held { life: Arc::clone(life), row }))
        };
        seqs.iter().zip(&names).zip(values).map(read).collect()
    }

    /// Hands rows over; does not wait.
    pub(super) fn put(&self, rows: Vec<Arc<Held>>) {
        self.tell(move |key, pipe| {
            for Held { life, row } in rows.iter().map(|held| &**held) {
                let name = entry::name(life, row.seq);
                let value = entry::write(key, &name, row);
                pipe.cmd("SET").arg(&name).arg(value).arg("EX").arg(KEPT_SECONDS).ignore();
            }
        });
    }

    /// Removes rows; does not wait.
    pub(super) fn remove(&self, life: &Life, seqs: &[Seq]) {
        let names: Vec<String> = seqs.iter().map(|seq| entry::name(life, *seq)).collect();
        self.tell(move |_, pipe| {
            pipe.cmd("DEL").arg(&names).ignore();
        });
    }

    fn tell(&self, what: impl FnOnce(&MacKey, &mut redis::Pipeline) + Send + 'static) {
        let Some((number, mut connection)) = self.shared.connection() else { return };
        let Ok(permit) = Arc::clone(&self.shared.under_way).try_acquire_owned() else { return };
        let shared = Arc::clone(&self.shared);
        self.link.spawn(async move {
            let mut pipe = redis::pipe();
            what(&shared.key, &mut pipe);
            match timeout(STORED_MAX, pipe.query_async::<()>(&mut connection)).await {
                Ok(Ok(())) => shared.took(),
                // It answers, but not as we like: it is full, or belongs to somebody who may only read.
                Ok(Err(error)) if error.code().is_some() => shared.refused(&error),
                Ok(Err(error)) => shared.lost(number, &error),
                Err(late) => shared.lost(number, &late),
            }
            drop(permit);
        });
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        // The task that connects sees that nobody is left.
        self.wake.notify_one();
    }
}

impl Shared {
    fn connection(&self) -> Option<(u64, MultiplexedConnection)> {
        self.connection.read().clone()
    }

    /// The connection with that number is of no use any more. Who finds out later than others changes nothing.
    fn lost(&self, number: u64, why: &dyn std::fmt::Display) {
        let mut connection = self.connection.write();
        if connection.as_ref().is_some_and(|(current, _)| *current == number) {
            *connection = None;
            drop(connection);
            tracing::warn!(why = %why, "the cache that the nodes share does not answer; the database does");
            self.wake.notify_one();
        }
    }

    fn refused(&self, error: &RedisError) {
        if !self.refuses.swap(true, Ordering::AcqRel) {
            tracing::warn!(why = %error, "the cache that the nodes share takes nothing in");
        }
    }

    fn took(&self) {
        if self.refuses.swap(false, Ordering::AcqRel) {
            tracing::info!("the cache that the nodes share takes rows in again");
        }
    }
}

/// Makes a connection whenever there is none, until nobody is left who could use it.
async fn stay_connected(client: Client, shared: Weak<Shared>, wake: Arc<Notify>) {
    let mut is_known = false;
    while shared.strong_count() > 0 {
        match connect(&client).await {
            Ok(connection) => {
                let Some(shared) = shared.upgrade() else { return };
                let number = shared.made.fetch_add(1, Ordering::AcqRel);
                *shared.connection.write() = Some((number, connection));
                drop(shared);
                tracing::info!("the cache that the nodes share answers");
                is_known = false;
                wake.notified().await;
            }
            Err(error) => {
                if !is_known {
                    tracing::warn!(why = %error, "the cache that the nodes share cannot be reached; the database answers");
                }
                is_known = true;
            }
        }
        tokio::time::sleep(REST).await;
    }
}

async fn connect(client: &Client) -> Result<MultiplexedConnection, RedisError> {
    // Our own limits are shorter where somebody waits, and this one is for what nobody waits for.
    let limits =
        AsyncConnectionConfig::new().set_connection_timeout(Some(CONNECT_MAX)).set_response_timeout(Some(STORED_MAX));
    let mut connection = client.get_multiplexed_async_connection_with_config(&limits).await?;
    redis::cmd("PING").query_async::<()>(&mut connection).await?;
    Ok(connection)
}
