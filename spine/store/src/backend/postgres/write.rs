//! Writing: one transaction for each group, in two round trips. The first locks the head and brings what the sets' expectations
//! are about; the second brings all changes and the commit. Whoever has the lock is alone: nodes queue for it, never for each
//! other's rows, and numbers become visible in their order.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use iris_kernel::{RecordId, Seq, Tenant};
use tokio::time::timeout;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;

use super::batch::{Batch, Common};
use super::cache::Cache;
use super::life::Lives;
use super::link::{Fault, For, Link, Session, Sql, Step, naming};
use super::loaded::{Counters, Loaded, Part};
use super::replicas::Replicas;
use super::{number, sql};
use crate::backend::check::{Stop, check};
use crate::backend::{GroupFailed, GroupWriter, Scope, SetDone, SetRefused, Verdict, WriteSet};

/// How often a group is tried that somebody else was in the way of.
const TRIES: usize = 5;
/// How long the changes of a group and its commit may take. Longer than that takes a standby that is gone, not a flush.
const COMMIT_MAX: Duration = Duration::from_secs(6);
/// How long the database is asked what became of a commit whose answer was lost.
const OUTCOME_MAX: Duration = Duration::from_secs(3);
/// Rest between two of these looks.
const LOOK_REST: Duration = Duration::from_millis(100);
/// How long a connection is waited for; and where there was none a moment ago.
const CONNECTION_MAX: Duration = Duration::from_secs(4);
const CONNECTION_MAX_DOWN: Duration = Duration::from_secs(2);
/// A node that stops in the middle of a group keeps the others waiting for this long at most; and nobody waits for longer.
const LIMITS: &str = "SET LOCAL idle_in_transaction_session_timeout = '5s'; SET LOCAL lock_timeout = '6s'";
/// As long as the last group is not known to have ended, the next one waits for the lock for this long only: whoever has waited
/// for the one need not wait for the other as well.
const LIMITS_STUCK: &str = "SET LOCAL idle_in_transaction_session_timeout = '5s'; SET LOCAL lock_timeout = '500ms'";

/// A group was stored.
struct Stored {
    verdicts: Vec<Verdict>,
    /// What the server that did it says of its life.
    life: String,
}

/// Why a group was not stored.
enum Failed {
    /// Nothing of it was.
    Nothing(Fault),
    /// The commit got no answer. The number is the transaction's.
    Unknown(String, Stored),
}

/// The writing side of a database.
pub(crate) struct PostgresWriter {
    link: Arc<Link>,
    cache: Option<Arc<Cache>>,
    lives: Arc<Lives>,
    replicas: Arc<Replicas>,
    /// The last group did not get the lock, or may still be waiting for its commit.
    is_stuck: bool,
}

impl PostgresWriter {
    pub(super) fn new(link: Arc<Link>, cache: Option<Arc<Cache>>, lives: Arc<Lives>, replicas: Arc<Replicas>) -> Self {
        Self { link, cache, lives, replicas, is_stuck: false }
    }

    fn limits(&self) -> &'static str {
        if self.is_stuck { LIMITS_STUCK } else { LIMITS }
    }

    async fn session(&self) -> Result<Session, Fault> {
        let patience = if self.link.is_down() { CONNECTION_MAX_DOWN } else { CONNECTION_MAX };
        let late = |_| Err(Fault::Away(format!("no connection within {} seconds", patience.as_secs())));
        timeout(patience, self.link.session(For::Own)).await.unwrap_or_else(late)
    }

    async fn attempt(&self, sets: &[&WriteSet]) -> Result<Stored, Failed> {
        let mut session = self.session().await.map_err(Failed::Nothing)?;
        let result = group(&mut session, &self.lives, self.limits(), sets).await;
        if result.is_err() {
            // Its transaction may still be open; the server ends it with the connection.
            session.discard();
        }
        result
    }

    /// What became of a transaction: `None` if nobody can say.
    async fn outcome(&self, number: &str, sets: &[&WriteSet], stored: &Stored) -> Option<bool> {
        timeout(OUTCOME_MAX, self.look_for_outcome(number, sets, stored)).await.unwrap_or_default()
    }

    /// A server that crashed, or that took over, gives the number of a transaction that it never had to somebody else's: only what
    /// ours brought shows that it is ours. And what is there is not as durable as it should be if the one that committed it was
    /// ended while it waited for the standby.
    async fn look_for_outcome(&self, number: &str, sets: &[&WriteSet], stored: &Stored) -> Option<bool> {
        let (sql, place, bytes) = brought(sets, stored)?;
        loop {
            if let Ok(rows) = self.link.ask_later(Scope::All, sql, &[&number, &place, &bytes]).await {
                let answer = rows.first().map(|row| (row.try_get(0).ok().flatten(), row.try_get(1)));
                let (status, is_there): (Option<String>, _) = answer?;
                match status.as_deref() {
                    Some("committed") if matches!(is_there, Ok(true)) => match self.settle().await {
                        Ok(()) => return Some(true),
                        Err(fault) => tracing::debug!(%fault, "a commit is there and not settled yet"),
                    },
                    Some("aborted") => return Some(false),
                    Some(_) => {}
                    None => return None,
                }
            }
            tokio::time::sleep(LOOK_REST).await;
        }
    }

    /// Commits a change of nothing under the lock of the head. When that is durable, all that was committed before it is.
    async fn settle(&self) -> Result<(), Fault> {
        let mut session = self.session().await?;
        let warnings = session.warnings();
        let steps = [
            Step::Plain(format!("BEGIN; {LIMITS}; {}", naming(Scope::All))),
            Step::Sql(&sql::LOCK, Vec::new()),
            Step::Sql(&sql::TOUCH_HEAD, Vec::new()),
            Step::Plain("COMMIT".to_owned()),
        ];
        let result = session.converse(&steps).await;
        session.settle(&result);
        result?;
        if session.warnings() == warnings { Ok(()) } else { Err(Fault::Away("it warns of the commit".into())) }
    }

    fn try_group(&self, sets: &[&WriteSet]) -> Result<Stored, Fault> {
        let mut tries = 0;
        loop {
            tries += 1;
            match self.link.wait_here(self.attempt(sets))? {
                Ok(stored) => return Ok(stored),
                Err(Failed::Nothing(fault)) if fault.is_passing() && tries < TRIES => {
                    metrics::counter!("iris_store_retries_total").increment(1);
                }
                Err(Failed::Nothing(fault)) => return Err(fault),
                Err(Failed::Unknown(number, stored)) => {
                    match self.link.wait_here(self.outcome(&number, sets, &stored))? {
                        Some(true) => return Ok(stored),
                        Some(false) => return Err(Fault::Away("it broke off before the commit".into())),
                        None => return Err(Fault::Away("the commit got no answer; it may have been made".into())),
                    }
                }
            }
        }
    }
}

/// Something of a group that no other one brings, with the question after it and its number.
fn brought<'a>(sets: &[&'a WriteSet], stored: &Stored) -> Option<(&'static Sql, i64, &'a [u8])> {
    let done = || sets.iter().zip(&stored.verdicts).filter_map(|(set, verdict)| Some((*set, verdict.as_ref().ok()?)));
    let row = done().find_map(|(set, done)| Some((&sql::OUTCOME_ROW, done.first.0, &set.puts.first()?.body[..])));
    let entry =
        || done().find_map(|(set, done)| Some((&sql::OUTCOME_ENTRY, done.audit_first, &set.audit.first()?.header[..])));
    let event = || done().find_map(|(set, _)| Some((&sql::OUTCOME_EVENT, 0, &set.events.first()?.event[..])));
    let signed = || {
        let checkpoint = |set: &'a WriteSet| set.log.as_ref().map(|round| &round.checkpoint[..]);
        done().find_map(|(set, _)| Some((&sql::OUTCOME_LOG, 0, checkpoint(set).filter(|bytes| !bytes.is_empty())?)))
    };
    let (sql, place, bytes) = row.or_else(entry).or_else(event).or_else(signed)?;
    Some((sql, number(place), bytes))
}

/// One group in one transaction.
async fn group(session: &mut Session, lives: &Lives, limits: &str, sets: &[&WriteSet]) -> Result<Stored, Failed> {
    let mut loaded = load(session, limits, sets).await.map_err(Failed::Nothing)?;
    let mut verdicts: Vec<Verdict> = Vec::with_capacity(sets.len());
    let mut batches: BTreeMap<Tenant, Batch<'_>> = BTreeMap::new();
    let before = loaded.counters;
    lives.seen(&loaded.life);
    let past = lives.past();
    for set in sets {
        if set.lives.is_some_and(|lives| lives != past) {
            // Sealed with keys of which this database may know nothing.
            verdicts.push(Err(SetRefused::Raced));
            continue;
        }
        let tenant = set.tenant.unwrap_or(Tenant::PLATFORM);
        let checked = match check(&loaded, set) {
            Ok(checked) => checked,
            Err(Stop::Refused(why)) => {
                verdicts.push(Err(why));
                continue;
            }
            Err(Stop::Database(never)) => match never {},
        };
        let Counters { seq, audit } = loaded.counters;
        let first = Seq(if set.puts.is_empty() { seq - 1 } else { seq });
        batches.entry(tenant).or_default().add(set, &checked, seq);
        loaded.took(tenant, set, &checked);
        verdicts.push(Ok(SetDone { first, superseded: checked.superseded, audit_first: audit }));
    }
    let stored: Vec<&WriteSet> =
        sets.iter().zip(&verdicts).filter(|(_, verdict)| verdict.is_ok()).map(|(set, _)| *set).collect();
    let done = Stored { verdicts, life: std::mem::take(&mut loaded.life) };
    if stored.is_empty() {
        let end = session.converse(&[Step::Plain("ROLLBACK".to_owned())]).await;
        return end.map(|_| done).map_err(Failed::Nothing);
    }
    for (tenant, batch) in &mut batches {
        batch.finish(*tenant, &loaded);
    }
    session.answers_within(COMMIT_MAX);
    let warnings = session.warnings();
    match store(session, loaded.named, &batches, &Common::new(&stored, before, loaded.counters)).await {
        Ok(()) if session.warnings() == warnings => Ok(done),
        // A commit whose wait for the standby was cancelled says so in a warning.
        Ok(()) => Err(Failed::Unknown(loaded.transaction, done)),
        Err(Fault::Away(_)) => Err(Failed::Unknown(loaded.transaction, done)),
        Err(fault) => Err(Failed::Nothing(fault)),
    }
}

/// Sends all changes and the commit in one go. `named` is the tenant that the transaction has named last.
async fn store(
    session: &mut Session,
    named: Tenant,
    batches: &BTreeMap<Tenant, Batch<'_>>,
    common: &Common<'_>,
) -> Result<(), Fault> {
    let mut steps = Vec::new();
    for (tenant, batch) in batches {
        if *tenant != named || batches.len() > 1 {
            steps.push(Step::Plain(naming(Scope::Tenant(*tenant))));
        }
        batch.steps(&mut steps);
    }
    common.steps(&mut steps);
    steps.push(Step::Plain("COMMIT".to_owned()));
    session.converse(&steps).await.map(drop)
}

/// What the sets of one tenant ask about.
#[derive(Default)]
struct Wanted {
    kinds: Vec<i32>,
    records: Vec<Vec<u8>>,
    scopes: Vec<i32>,
    tokens: Vec<Vec<u8>>,
}

/// Locks the head, and reads what the expectations of the sets are about.
async fn load(session: &mut Session, limits: &str, sets: &[&WriteSet]) -> Result<Loaded, Fault> {
    let mut wanted: BTreeMap<Tenant, Wanted> = BTreeMap::new();
    let mut seen: BTreeSet<(Tenant, i32, RecordId)> = BTreeSet::new();
    for set in sets {
        let tenant = set.tenant.unwrap_or(Tenant::PLATFORM);
        let want = wanted.entry(tenant).or_default();
        let records = set.requirements.iter().map(|one| (one.kind, one.record));
        for (kind, record) in records.chain(set.puts.iter().map(|put| (put.kind, put.record))) {
            if seen.insert((tenant, i32::from(kind.0), record)) {
                want.kinds.push(i32::from(kind.0));
                want.records.push(record.0.to_vec());
            }
        }
        for claim in &set.claims {
            want.scopes.push(i32::from(claim.scope.0));
            want.tokens.push(claim.token.to_vec());
        }
    }
    let owners: Vec<Vec<u8>> = sets.iter().flat_map(|set| &set.fresh).map(|key| key.row.owner.to_vec()).collect();
    // Most groups are of one tenant, which is then named once.
    let first = match wanted.first_key_value() {
        Some((tenant, _)) if wanted.len() == 1 => Scope::Tenant(*tenant),
        _ => Scope::All,
    };
    let begin = format!("BEGIN; {limits}; {}", naming(first));
    let mut asked = vec![(Step::Plain(begin), Part::Nothing), (Step::Sql(&sql::LOCK, Vec::new()), Part::Counters)];
    if !owners.is_empty() {
        asked.push((Step::Sql(&sql::KEYS_OF_OWNERS, vec![&owners]), Part::Keys));
    }
    if sets.iter().any(|set| set.log.is_some()) {
        asked.push((Step::Sql(&sql::LOG_SIZE, Vec::new()), Part::LogSize));
    }
    let numbers: Vec<i64> = wanted.keys().map(|tenant| i64::from(tenant.0)).collect();
    for ((tenant, want), number) in wanted.iter().zip(&numbers) {
        if wanted.len() > 1 {
            asked.push((Step::Plain(naming(Scope::Tenant(*tenant))), Part::Nothing));
        }
        if !want.records.is_empty() {
            let values: Vec<&(dyn ToSql + Sync)> = vec![number, &want.kinds, &want.records];
            asked.push((Step::Sql(&sql::POINTERS, values), Part::Pointers(*tenant)));
        }
        if !want.tokens.is_empty() {
            let values: Vec<&(dyn ToSql + Sync)> = vec![number, &want.scopes, &want.tokens];
            asked.push((Step::Sql(&sql::HOLDERS, values), Part::Holders(*tenant)));
        }
    }
    let (steps, parts): (Vec<Step<'_>>, Vec<Part>) = asked.into_iter().unzip();
    let answers = session.converse(&steps).await?;
    let named = wanted.last_key_value().map_or(Tenant::PLATFORM, |(tenant, _)| *tenant);
    let mut loaded = Loaded::new(named);
    for (part, rows) in parts.into_iter().zip(answers) {
        loaded.take(part, &rows)?;
    }
    Ok(loaded)
}

impl GroupWriter for PostgresWriter {
    fn commit(&mut self, sets: &[&WriteSet]) -> Result<Vec<Verdict>, GroupFailed> {
        let tried = self.try_group(sets);
        self.is_stuck = tried.as_ref().is_err_and(|fault| match fault.state() {
            None => matches!(fault, Fault::Away(_)),
            Some(state) => *state == SqlState::LOCK_NOT_AVAILABLE,
        });
        match tried {
            Ok(Stored { verdicts, life }) => {
                // Whatever the followers can be told: nobody reads older than what they wrote.
                let done = sets.iter().zip(&verdicts).filter_map(|(set, verdict)| Some((set, verdict.as_ref().ok()?)));
                let puts = done.filter(|(set, _)| !set.puts.is_empty());
                if let Some(last) = puts.map(|(set, done)| done.first.0 + set.puts.len() as u64 - 1).max() {
                    self.replicas.knows(Seq(last));
                }
                if let Some(cache) = &self.cache {
                    cache.committed(&life, sets, &verdicts);
                }
                Ok(verdicts)
            }
            Err(fault) if fault.state() == Some(&SqlState::DISK_FULL) => Err(GroupFailed::Full),
            // The others must not suffer from what one set ran into: each by itself.
            Err(fault @ Fault::Refused(_)) if sets.len() > 1 && !fault.is_of_the_moment() => {
                let mut verdicts = Vec::with_capacity(sets.len());
                for set in sets {
                    verdicts.extend(self.commit(&[*set])?);
                }
                Ok(verdicts)
            }
            Err(fault) => {
                let why = fault.to_string();
                let refused = || match &fault {
                    Fault::Strange(_) => SetRefused::Damaged(why.clone()),
                    _ => SetRefused::Unavailable(why.clone()),
                };
                Ok(sets.iter().map(|_| Err(refused())).collect())
            }
        }
    }

    fn rest(&mut self) -> Result<(), GroupFailed> {
        Ok(())
    }

    fn finish(&mut self) {}
}

#[cfg(test)]
mod tests;
