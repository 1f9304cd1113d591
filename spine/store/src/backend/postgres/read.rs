//! Reading. A server that follows may answer where it has every change that this node knows of.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use iris_kernel::{Kind, RecordId, Seq, Tenant, Timestamp, Version};
use parking_lot::Mutex;
use tokio_postgres::Row;
use tokio_postgres::types::FromSqlOwned;

use super::cache::{Cache, Keep, Told};
use super::gather::Gather;
use super::life::Lives;
use super::link::{Fault, Link, Sql, Values};
use super::replicas::Replicas;
use super::report::report;
use super::{number, seq_of, sql, unsigned};
use crate::audit::{AuditRow, Checkpoint, Span, Stream};
use crate::backend::{Backend, Pointer, RawClaim, RawEvent, RawKey, RawRow, Scope, kind_codes};
use crate::error::StoreError;
use crate::figures::{CacheState, Connections};
use crate::keys::KeyId;
use crate::tx::ClaimScope;

/// Key numbers drawn at a time.
const KEYS_DRAWN: i64 = 32;

/// The column of [`sql::ROWS`] and [`sql::FEED`] with the server's life.
const LIFE: usize = 11;

/// The reading side of a database.
pub(crate) struct Questions {
    pub(super) link: Arc<Link>,
    pub(super) gather: Gather,
    pub(super) replicas: Arc<Replicas>,
    pub(super) cache: Option<Arc<Cache>>,
    pub(super) lives: Arc<Lives>,
    /// Numbers for keys that were drawn and not used yet, and in which life.
    pub(super) key_numbers: Mutex<(u64, Vec<u64>)>,
    /// The timeline of the server's history when it was last looked at.
    pub(super) timeline: AtomicI32,
}

/// A column of a row.
pub(super) fn get<T: FromSqlOwned>(row: &Row, at: usize) -> Result<T, StoreError> {
    row.try_get(at).map_err(|_| StoreError::damaged(None, "a column holds a value that never belongs there"))
}

fn get_u64(row: &Row, at: usize) -> Result<u64, StoreError> {
    get(row, at).map(unsigned)
}

fn bytes16(row: &Row, at: usize) -> Result<[u8; 16], StoreError> {
    let bytes: Vec<u8> = get(row, at)?;
    bytes.try_into().map_err(|_| StoreError::damaged(None, "a token has another length"))
}

/// A number of fewer bits than the database keeps it with.
fn narrow<W: TryInto<N>, N>(wide: W) -> Result<N, StoreError> {
    wide.try_into().map_err(|_| StoreError::damaged(None, "a number is out of its range"))
}

fn tenant(row: &Row, at: usize) -> Result<Tenant, StoreError> {
    narrow(get::<i64>(row, at)?).map(Tenant)
}

fn kind(row: &Row, at: usize) -> Result<Kind, StoreError> {
    narrow(get::<i32>(row, at)?).map(Kind)
}

fn version(row: &Row, at: usize) -> Result<Version, StoreError> {
    narrow(get::<i64>(row, at)?).map(Version)
}

pub(super) fn raw_row(row: &Row) -> Result<RawRow, StoreError> {
    Ok(RawRow {
        seq: seq_of(get(row, 0)?),
        tenant: tenant(row, 1)?,
        kind: kind(row, 2)?,
        record: RecordId(bytes16(row, 3)?),
        version: version(row, 4)?,
        at: Timestamp(get(row, 5)?),
        born: seq_of(get(row, 6)?),
        prev: get::<Option<i64>>(row, 7)?.map(seq_of),
        deleted: get(row, 8)?,
        key: KeyId(get_u64(row, 9)?),
        body: get(row, 10)?,
    })
}

/// A row that a left join may have missed.
fn raw_row_if_there(row: &Row) -> Result<Option<RawRow>, StoreError> {
    match get::<Option<i64>>(row, 0)? {
        None => Ok(None),
        Some(_) => raw_row(row).map(Some),
    }
}

fn raw_key(row: &Row) -> Result<RawKey, StoreError> {
    Ok(RawKey {
        key: KeyId(get_u64(row, 0)?),
        tenant: tenant(row, 1)?,
        owner: bytes16(row, 2)?,
        kek: get::<Option<i64>>(row, 3)?.map(|key| KeyId(unsigned(key))),
        wrapped: get(row, 4)?,
    })
}

fn span(row: &Row) -> Result<Span, StoreError> {
    let code: u8 = narrow(get::<i16>(row, 1)?)?;
    let stream = Stream::from_code(code).ok_or_else(|| StoreError::damaged(None, "a span is of no stream"))?;
    Ok(Span { position: get_u64(row, 0)?, stream, ordinal: get_u64(row, 2)?, count: get_u64(row, 3)? })
}

fn checkpoint(row: &Row) -> Result<Checkpoint, StoreError> {
    Ok(Checkpoint { number: get_u64(row, 0)?, bytes: get(row, 1)? })
}

fn entry(row: &Row) -> Result<(u64, AuditRow), StoreError> {
    Ok((get_u64(row, 0)?, AuditRow { header: get(row, 1)?, details: get(row, 2)? }))
}

fn limited(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

impl Questions {
    fn all(&self, scope: Scope, sql: &Sql, values: Values<'_>) -> Result<Vec<Row>, StoreError> {
        Ok(self.link.ask(scope, sql, values)?)
    }

    fn one(&self, scope: Scope, sql: &Sql, values: Values<'_>) -> Result<Option<Row>, StoreError> {
        Ok(self.all(scope, sql, values)?.pop())
    }

    /// Rows from a server that follows, if there is one that has everything up to `needed`. Where the primary told them, it has
    /// told its life as well.
    fn any(&self, needed: Seq, scope: Scope, sql: &Sql, values: Values<'_>) -> Result<Vec<Row>, StoreError> {
        if let Some(replica) = self.replicas.with(needed) {
            match replica.ask(scope, sql, values) {
                Ok(rows) => return Ok(rows),
                Err(Fault::Away(_)) => {}
                Err(fault) => return Err(fault.into()),
            }
        }
        let rows = self.all(scope, sql, values)?;
        if let Some(first) = rows.first() {
            self.lives.seen(&get::<String>(first, LIFE)?);
        }
        Ok(rows)
    }

    /// Rows from the database, with what the server that told them says of its life.
    fn told(&self, scope: Scope, seqs: &[Seq]) -> Result<Told, StoreError> {
        let needed = seqs.iter().copied().max().unwrap_or_default();
        let seqs: Vec<i64> = seqs.iter().map(|seq| number(seq.0)).collect();
        let told = self.any(needed, scope, &sql::ROWS, &[&seqs])?;
        let life = told.first().map(|row| get(row, LIFE)).transpose()?;
        Ok(Told { rows: told.iter().map(raw_row_if_there).collect::<Result<_, _>>()?, life })
    }

    /// A server that was promoted begins a new timeline.
    pub(super) fn look_at_timeline(&self) -> Result<(), StoreError> {
        let found = self.one(Scope::All, &sql::TIMELINE, &[])?.map_or(Ok(0), |row| get(&row, 0))?;
        let before = self.timeline.swap(found, Ordering::AcqRel);
        if before != 0 && before < found {
            metrics::counter!("iris_store_failovers_total").increment(1);
            tracing::warn!(timeline = found, "another server has become the primary");
        }
        Ok(())
    }

    pub(super) fn read_head(&self) -> Result<u64, StoreError> {
        self.one(Scope::All, &sql::READ_HEAD, &[])?.map_or(Ok(0), |row| get_u64(&row, 0))
    }

    pub(super) fn read_rows(&self, from: u64, limit: usize) -> Result<Vec<(u64, AuditRow)>, StoreError> {
        let rows = self.all(Scope::All, &sql::READ_ROWS, &[&number(from), &limited(limit)])?;
        rows.iter().map(entry).collect()
    }
}

impl Backend for Questions {
    fn head(&self) -> Result<Seq, StoreError> {
        if self.link.has_returned() {
            self.look_at_timeline()?;
        }
        self.link.gauges();
        let Some(row) = self.one(Scope::All, &sql::HEAD_AND_LIFE, &[])? else { return Ok(Seq(0)) };
        self.lives.seen(&get::<String>(&row, 1)?);
        get(&row, 0).map(seq_of)
    }

    fn current(&self, tenant: Tenant, kind: Kind, record: RecordId) -> Result<Option<RawRow>, StoreError> {
        // Sessions, roles and the like are only ever read where they are written.
        let replica = kind.is_fhir().then(|| self.replicas.with(self.replicas.known())).flatten();
        let found = match replica.map(|replica| replica.current(tenant, kind, record)) {
            None | Some(Err(Fault::Away(_))) => self.gather.current(&self.link, tenant, kind, record)?,
            Some(found) => found?,
        };
        let Some(found) = found else { return Ok(None) };
        match raw_row_if_there(&found)? {
            None => Err(StoreError::damaged(Some(seq_of(get(&found, 12)?)), "the row is missing")),
            Some(row) => {
                row.belongs(tenant, kind, record, Some(version(&found, 11)?))?;
                Ok(Some(row))
            }
        }
    }

    fn current_of_kind(
        &self,
        tenant: Tenant,
        kind: Kind,
        after: Option<RecordId>,
        limit: usize,
    ) -> Result<Vec<RawRow>, StoreError> {
        // Every token has sixteen bytes, so all of them stand behind the empty one.
        let after = after.map_or_else(Vec::new, |record| record.0.to_vec());
        let (number, code) = (i64::from(tenant.0), i32::from(kind.0));
        let values: Values<'_> = &[&number, &code, &&after[..], &limited(limit)];
        let found = self.all(Scope::Tenant(tenant), &sql::CURRENT_OF_KIND, values)?;
        let whole = |row: &Row| {
            let Some(raw) = raw_row_if_there(row)? else {
                return Err(StoreError::damaged(Some(seq_of(get(row, 12)?)), "the row is missing"));
            };
            raw.belongs(tenant, kind, RecordId(bytes16(row, 13)?), Some(version(row, 11)?))?;
            Ok(raw)
        };
        found.iter().map(whole).collect()
    }

    fn chain(
        &self,
        tenant: Tenant,
        kind: Kind,
        record: RecordId,
        before: Option<Version>,
        limit: usize,
    ) -> Result<Vec<RawRow>, StoreError> {
        let below = before.map_or(i64::MAX, |before| i64::from(before.0));
        let (number, code, token) = (i64::from(tenant.0), i32::from(kind.0), &record.0[..]);
        let values: Values<'_> = &[&number, &code, &token, &below, &limited(limit)];
        let found = self.all(Scope::Tenant(tenant), &sql::CHAIN, values)?;
        let mut rows: Vec<RawRow> = Vec::with_capacity(found.len());
        let mut expected = None;
        for row in &found {
            let Some(raw) = raw_row_if_there(row)? else {
                return Err(StoreError::damaged(Some(seq_of(get(row, 12)?)), "the row is missing"));
            };
            if rows.is_empty() {
                expected = if before.is_none() { Some(version(row, 11)?) } else { Some(raw.version) };
            }
            raw.belongs(tenant, kind, record, expected)?;
            expected = raw.version.0.checked_sub(1).map(Version);
            rows.push(raw);
        }
        Ok(rows)
    }

    fn rows(&self, scope: Scope, seqs: &[Seq]) -> Result<Vec<Option<RawRow>>, StoreError> {
        match (scope, &self.cache) {
            (Scope::Tenant(tenant), Some(cache)) => cache.rows(tenant, seqs, |seqs| self.told(scope, seqs)),
            _ => Ok(self.told(scope, seqs)?.rows),
        }
    }

    fn forget(&self, seqs: &[Seq]) {
        if let Some(cache) = &self.cache {
            cache.forget(seqs);
        }
    }

    fn feed(&self, after: Seq, limit: usize) -> Result<Vec<RawRow>, StoreError> {
        let needed = Seq(after.0.saturating_add(limit as u64));
        let told = self.any(needed, Scope::All, &sql::FEED, &[&number(after.0), &limited(limit)])?;
        let rows = told.iter().map(raw_row).collect::<Result<Vec<_>, _>>()?;
        // What another node has just written is likely to be read here too; what somebody reads through from the beginning is not.
        if let (Some(cache), Some(first)) = (&self.cache, told.first().filter(|_| after >= self.replicas.known())) {
            cache.replaced(rows.iter().filter_map(|row| row.prev));
            cache.keep(Some(&get::<String>(first, LIFE)?), Keep::Here, rows.iter().cloned());
        }
        Ok(rows)
    }

    fn changes(
        &self,
        tenant: Tenant,
        kind: Option<Kind>,
        (low, high): (Seq, Seq),
        limit: usize,
    ) -> Result<Vec<RawRow>, StoreError> {
        let (first, end) = kind_codes(kind);
        let whose = i64::from(tenant.0);
        let values: Values<'_> = &[&number(low.0), &number(high.0), &whose, &first, &end, &limited(limit)];
        self.all(Scope::Tenant(tenant), &sql::CHANGES, values)?.iter().map(raw_row).collect()
    }

    fn pointer(&self, tenant: Tenant, kind: Kind, record: RecordId) -> Result<Option<Pointer>, StoreError> {
        let (number, code, token) = (i64::from(tenant.0), i32::from(kind.0), &record.0[..]);
        let found = self.one(Scope::Tenant(tenant), &sql::POINTER, &[&number, &code, &token])?;
        found.map(|row| Ok(Pointer { seq: seq_of(get(&row, 0)?), version: version(&row, 1)? })).transpose()
    }

    fn pointers(&self, records: &[(Tenant, Kind, RecordId)]) -> Result<Vec<Option<Pointer>>, StoreError> {
        let tenants: Vec<i64> = records.iter().map(|(tenant, ..)| i64::from(tenant.0)).collect();
        let kinds: Vec<i32> = records.iter().map(|(_, kind, _)| i32::from(kind.0)).collect();
        let tokens: Vec<&[u8]> = records.iter().map(|(.., record)| &record.0[..]).collect();
        let found = self.all(Scope::All, &sql::POINTERS_OF_ANY, &[&tenants, &kinds, &tokens])?;
        let pointer = |row: &Row| match get::<Option<i64>>(row, 0)? {
            None => Ok(None),
            Some(seq) => Ok(Some(Pointer { seq: seq_of(seq), version: version(row, 1)? })),
        };
        found.iter().map(pointer).collect()
    }

    fn claim(&self, tenant: Tenant, scope: ClaimScope, token: &[u8; 16]) -> Result<Option<RecordId>, StoreError> {
        let (number, code, token) = (i64::from(tenant.0), i32::from(scope.0), &token[..]);
        let found = self.one(Scope::Tenant(tenant), &sql::CLAIM, &[&number, &code, &token])?;
        found.map(|row| bytes16(&row, 0).map(RecordId)).transpose()
    }

    fn claims(&self, after: Option<RawClaim>, limit: usize) -> Result<Vec<RawClaim>, StoreError> {
        let (number, code, token) =
            after.map_or((-1, 0, [0; 16]), |claim| (i64::from(claim.tenant.0), i32::from(claim.scope.0), claim.token));
        let rows = self.all(Scope::All, &sql::CLAIMS, &[&number, &code, &&token[..], &limited(limit)])?;
        let claim = |row: &Row| {
            Ok(RawClaim {
                tenant: tenant(row, 0)?,
                scope: ClaimScope(narrow(get::<i32>(row, 1)?)?),
                token: bytes16(row, 2)?,
                holder: RecordId(bytes16(row, 3)?),
            })
        };
        rows.iter().map(claim).collect()
    }

    fn kinds(&self, tenant: Tenant) -> Result<Vec<Kind>, StoreError> {
        let rows = self.all(Scope::Tenant(tenant), &sql::KINDS, &[&i64::from(tenant.0)])?;
        rows.iter().map(|row| kind(row, 0)).collect()
    }

    fn key(&self, key: KeyId) -> Result<Option<RawKey>, StoreError> {
        self.one(Scope::All, &sql::KEY, &[&number(key.0)])?.as_ref().map(raw_key).transpose()
    }

    fn key_of_owner(&self, owner: &[u8; 16]) -> Result<Option<RawKey>, StoreError> {
        self.one(Scope::All, &sql::KEY_OF_OWNER, &[&&owner[..]])?.as_ref().map(raw_key).transpose()
    }

    fn key_counts(&self, tenant: Tenant) -> Result<[u64; 3], StoreError> {
        let Some(row) = self.one(Scope::All, &sql::KEY_COUNTS, &[&i64::from(tenant.0)])? else { return Ok([0; 3]) };
        Ok([get_u64(&row, 0)?, get_u64(&row, 1)?, get_u64(&row, 2)?])
    }

    fn key_last(&self) -> Result<KeyId, StoreError> {
        self.one(Scope::All, &sql::KEY_LAST, &[])?.map_or(Ok(KeyId(0)), |row| get_u64(&row, 0).map(KeyId))
    }

    fn key_next(&self) -> Result<KeyId, StoreError> {
        // Drawn some at a time: one that somebody drew and did not use stays unused. What was drawn in another life of the
        // database may have been drawn again since.
        let past = self.lives.past();
        let mut drawn = self.key_numbers.lock();
        if drawn.0 != past {
            *drawn = (past, Vec::new());
        }
        if drawn.1.is_empty() {
            let rows = self.link.change(&sql::KEYS_NEXT, &[&KEYS_DRAWN])?;
            drawn.1 = rows.iter().rev().map(|row| get_u64(row, 0)).collect::<Result<_, _>>()?;
        }
        let next = drawn.1.pop();
        next.map(KeyId).ok_or_else(|| StoreError::damaged(None, "there is no next key number"))
    }

    fn bytes(&self) -> Result<u64, StoreError> {
        self.one(Scope::All, &sql::BYTES, &[])?.map_or(Ok(0), |row| get_u64(&row, 0))
    }

    fn outbox(&self, after: u64, limit: usize) -> Result<Vec<RawEvent>, StoreError> {
        let rows = self.all(Scope::All, &sql::OUTBOX, &[&number(after), &limited(limit)])?;
        let event = |row: &Row| {
            Ok(RawEvent {
                number: get_u64(row, 0)?,
                tenant: tenant(row, 1)?,
                key: KeyId(get_u64(row, 2)?),
                body: get(row, 3)?,
                event: bytes16(row, 4)?,
            })
        };
        rows.iter().map(event).collect()
    }

    fn audit_head(&self) -> Result<u64, StoreError> {
        self.one(Scope::All, &sql::AUDIT_HEAD, &[])?.map_or(Ok(0), |row| get_u64(&row, 0))
    }

    fn audit_rows(&self, from: u64, limit: usize) -> Result<Vec<(u64, AuditRow)>, StoreError> {
        let rows = self.all(Scope::All, &sql::AUDIT_ROWS, &[&number(from), &limited(limit)])?;
        rows.iter().map(entry).collect()
    }

    fn log_size(&self) -> Result<u64, StoreError> {
        self.one(Scope::All, &sql::LOG_SIZE, &[])?.map_or(Ok(0), |row| get_u64(&row, 0))
    }

    fn log_tile(&self, level: u8, index: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let found = self.one(Scope::All, &sql::LOG_TILE, &[&i16::from(level), &number(index)])?;
        found.map(|row| get(&row, 0)).transpose()
    }

    fn log_spans(&self, position: u64, limit: usize) -> Result<Vec<Span>, StoreError> {
        let rows = self.all(Scope::All, &sql::LOG_SPANS, &[&number(position), &limited(limit)])?;
        rows.iter().map(span).collect()
    }

    fn log_span_of(&self, stream: Stream, ordinal: u64) -> Result<Option<Span>, StoreError> {
        let values: Values<'_> = &[&i16::from(stream.code()), &number(ordinal)];
        let found = self.one(Scope::All, &sql::LOG_SPAN_OF, values)?.as_ref().map(span).transpose()?;
        Ok(found.filter(|span| ordinal - span.ordinal < span.count))
    }

    fn log_checkpoints(&self, after: u64, limit: usize) -> Result<Vec<Checkpoint>, StoreError> {
        let rows = self.all(Scope::All, &sql::LOG_CHECKPOINTS, &[&number(after), &limited(limit)])?;
        rows.iter().map(checkpoint).collect()
    }

    fn log_checkpoint_last(&self) -> Result<Option<Checkpoint>, StoreError> {
        self.one(Scope::All, &sql::LOG_CHECKPOINT_LAST, &[])?.as_ref().map(checkpoint).transpose()
    }

    fn report(&self) -> Result<Vec<(String, String)>, StoreError> {
        report(&self.link, self.cache.as_deref())
    }

    fn connections(&self) -> Option<Connections> {
        Some(self.link.connections())
    }

    fn caches(&self) -> Vec<(&'static str, CacheState)> {
        self.cache.as_ref().map(|cache| cache.states()).unwrap_or_default()
    }

    fn self_check(&self) -> Result<Vec<String>, StoreError> {
        // PostgreSQL checks a page when it reads it, and a scrub reads every row.
        Ok(Vec::new())
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn replicas(&self) -> Vec<Seq> {
        self.replicas.heads()
    }

    fn refuse(&self, why: &str) {
        self.lives.end();
        self.link.refuse(why);
    }

    fn lives(&self) -> u64 {
        self.lives.past()
    }

    fn knows(&self, head: Seq) {
        self.replicas.knows(head);
    }

    fn lease(&self, name: &str, holder: &[u8; 16], span: Duration) -> Result<bool, StoreError> {
        let micros = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
        Ok(!self.link.change(&sql::LEASE, &[&name, &&holder[..], &micros])?.is_empty())
    }
}
