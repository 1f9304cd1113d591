//! What is over is swept up: links that have run out with the accounts that nobody made of them, ended sessions, revocations of tokens
//! that have expired by themselves, used codes and challenges, counts of messages. Whoever has the turn looks through all of it once an
//! hour, a few rows at a time, so that nobody waits for it.
//!
//! A record that is swept up is deleted like any other: nothing finds or opens it any more. Its sealed versions stay in the store, as of
//! every record, until the keys of their time are destroyed (ADR 0016).

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use iris_access::AccessError;
use iris_access::error::internal;
use iris_access::trail::{Try, commit};
use iris_audit::{Action, Actor, Event, Outcome};
use iris_kernel::{Kind, Tenant, Timestamp};
use iris_store::Row;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::task::spawn_blocking;
use uuid::Uuid;

use crate::factors::FactorsRecord;
use crate::identity::Identity;
use crate::kinds;
use crate::messages::{AddresseeRecord, TokenRecord};
use crate::open_sessions::OpenSessionsRecord;
use crate::patient_login::PortalRecord;
use crate::records::{RevokedTokenRecord, SessionRecord};

/// Rows that are looked at between two rests; so many are changed in one commit at most.
pub const SWEEP_ROWS: usize = 256;
/// How long an ended session is kept: who looks into what happened finds it a little longer than its end.
pub const ENDED_KEPT: Duration = Duration::from_secs(7 * 86_400);
/// How long after its end a token's revocation is kept: clocks of nodes differ.
const REVOKED_KEPT: Duration = Duration::from_secs(60);
/// Rest between two looks.
const REST: Duration = Duration::from_millis(200);
/// Rest between two rounds.
const ROUND_EVERY: Duration = Duration::from_secs(3_600);
/// Name of the lease, and how long a node has it without asking again.
const LEASE: (&str, Duration) = ("sweep", Duration::from_secs(60));

/// What becomes of a record.
enum Fate {
    /// It stays as it is.
    Keep,
    /// It stays with less in it.
    Trim(Vec<u8>),
    /// It goes.
    Forget,
}

/// What becomes of a record with this body at this moment.
type Judge = fn(&[u8], Timestamp) -> Result<Fate, AccessError>;

/// Everything that is swept, with the word of the log.
const SWEPT: [(Kind, &str, Judge); 7] = [
    (kinds::SESSION, "sessions", |body, now| {
        let session: SessionRecord = read(body)?;
        let ended = session.revoked.as_ref().map_or(i64::MAX, |revoked| revoked.at);
        Ok(over(now >= Timestamp(ended.min(session.expires).min(session.ends)).plus(ENDED_KEPT)))
    }),
    (kinds::MAIL_TOKEN, "links", |body, now| Ok(over(now.0 >= read::<TokenRecord>(body)?.expires))),
    (kinds::REVOKED_TOKEN, "revocations", |body, now| {
        let expires = read::<RevokedTokenRecord>(body)?.expires.saturating_mul(1_000_000);
        Ok(over(now >= Timestamp(expires).plus(REVOKED_KEPT)))
    }),
    (kinds::ADDRESSEE, "counts of messages", |body, now| Ok(over(read::<AddresseeRecord>(body)?.is_over(now)))),
    (kinds::PORTAL, "codes", |body, now| Ok(over(read::<PortalRecord>(body)?.is_over(now)))),
    (kinds::FACTORS, "used challenges", |body, now| trimmed(read::<FactorsRecord>(body)?.trimmed(now).as_ref())),
    (kinds::OPEN_SESSIONS, "lists of sessions", |body, now| {
        trimmed(read::<OpenSessionsRecord>(body)?.trimmed(now).as_ref())
    }),
];

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, AccessError> {
    serde_json::from_slice(body).map_err(|error| AccessError::Damaged(Box::new(error)))
}

const fn over(is: bool) -> Fate {
    if is { Fate::Forget } else { Fate::Keep }
}

fn trimmed<T: Serialize>(less: Option<&T>) -> Result<Fate, AccessError> {
    let body = less.map(serde_json::to_vec).transpose().map_err(internal)?;
    Ok(body.map_or(Fate::Keep, Fate::Trim))
}

impl Identity {
    /// Sweeps up as long as this node has the turn. Never ends.
    pub fn sweep_follow(self: &Arc<Self>) -> impl Future<Output = ()> + Send + 'static {
        let identity = Arc::clone(self);
        async move {
            loop {
                if let Err(error) = identity.sweep_round(REST).await {
                    tracing::warn!(%error, "what is over could not be swept up; it is tried again");
                }
                tokio::time::sleep(ROUND_EVERY).await;
            }
        }
    }

    /// Looks once through everything of every tenant, resting in between, and gives how many records were deleted or trimmed. Ends early
    /// where another node has the turn.
    ///
    /// # Errors
    /// The store or the log cannot take it. What was swept until then stays swept.
    pub async fn sweep_round(self: &Arc<Self>, rest: Duration) -> Result<usize, AccessError> {
        let mut swept = 0;
        for tenant in self.tenants_every()? {
            for of_kind in SWEPT {
                let mut after = None;
                loop {
                    let (identity, kind) = (Arc::clone(self), of_kind.0);
                    let look = move || -> Result<Option<Vec<Row>>, AccessError> {
                        if !identity.store.lease(LEASE.0, LEASE.1)? {
                            return Ok(None);
                        }
                        Ok(Some(identity.store.current_of_kind(tenant, kind, after, SWEEP_ROWS)?))
                    };
                    let Some(rows) = spawn_blocking(look).await.map_err(internal)?? else { return Ok(swept) };
                    let Some(last) = rows.last() else { break };
                    after = Some(last.record);
                    swept += self.sweep_rows(tenant, of_kind, &rows).await?;
                    tokio::time::sleep(rest).await;
                }
            }
        }
        Ok(swept)
    }

    async fn sweep_rows(
        &self,
        tenant: Tenant,
        (_, word, judge): (Kind, &str, Judge),
        rows: &[Row],
    ) -> Result<usize, AccessError> {
        let stamp = self.stamp(Uuid::nil());
        let mut tx = self.store.begin(tenant);
        let (mut forgotten, mut less) = (0_usize, 0_usize);
        for row in rows.iter().filter(|row| !row.deleted) {
            match judge(&row.body, stamp.at) {
                Ok(Fate::Keep) => {}
                Ok(Fate::Trim(body)) => {
                    less += 1;
                    tx.put_after(row, stamp.at, &stamp.author, Some(&body));
                }
                Ok(Fate::Forget) => {
                    forgotten += 1;
                    tx.put_after(row, stamp.at, &stamp.author, None);
                }
                // One that does not read must not keep the others.
                Err(error) => tracing::warn!(%error, "a record cannot be swept up"),
            }
        }
        if forgotten + less == 0 {
            return Ok(0);
        }
        let mut event = Event::new(tenant, Actor::system(), Action::RetentionPurge, Outcome::Success, stamp.at);
        event.query = format!("{word} that were over: {forgotten} deleted, {less} trimmed");
        tx.audit(self.audit.row(&event)?);
        // Somebody works with one of them; the next round comes by again.
        Ok(if let Try::Done = commit(tx).await? { forgotten + less } else { 0 })
    }
}
