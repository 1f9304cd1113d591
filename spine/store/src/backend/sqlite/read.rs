//! The questions.

use std::sync::atomic::Ordering;
use std::time::Duration;

use iris_kernel::{Kind, RecordId, Seq, Tenant, Timestamp, Version};
use rusqlite::types::ValueRef;
use rusqlite::{CachedStatement, Connection, OptionalExtension, Row, params};

use super::pool::Readers;
use super::{fault_of, number, seq_of};
use crate::audit::{AuditRow, Checkpoint, Span, Stream};
use crate::backend::{Backend, Pointer, RawClaim, RawEvent, RawKey, RawRow, Scope, kind_codes};
use crate::error::StoreError;
use crate::figures::files;
use crate::keys::KeyId;
use crate::tx::ClaimScope;

const COLUMNS: &str = "v.seq, v.tenant, v.kind, v.record, v.version, v.at, v.born, v.prev, v.deleted, v.key, v.body";

fn raw_row(row: &Row<'_>) -> rusqlite::Result<RawRow> {
    Ok(RawRow {
        seq: seq_of(row.get(0)?),
        tenant: Tenant(row.get(1)?),
        kind: Kind(row.get(2)?),
        record: RecordId(row.get(3)?),
        version: Version(row.get(4)?),
        at: Timestamp(row.get(5)?),
        born: seq_of(row.get(6)?),
        prev: row.get::<_, Option<i64>>(7)?.map(seq_of),
        deleted: row.get(8)?,
        key: KeyId(unsigned(row.get(9)?)),
        body: row.get(10)?,
    })
}

fn raw_key(row: &Row<'_>) -> rusqlite::Result<RawKey> {
    Ok(RawKey {
        key: KeyId(unsigned(row.get(0)?)),
        tenant: Tenant(row.get(1)?),
        owner: row.get(2)?,
        kek: row.get::<_, Option<i64>>(3)?.map(|key| KeyId(unsigned(key))),
        wrapped: row.get(4)?,
    })
}

fn span(row: &Row<'_>) -> rusqlite::Result<Span> {
    let stream = Stream::from_code(row.get(1)?);
    Ok(Span {
        position: unsigned(row.get(0)?),
        stream: stream.ok_or(rusqlite::Error::IntegralValueOutOfRange(1, 0))?,
        ordinal: unsigned(row.get(2)?),
        count: unsigned(row.get(3)?),
    })
}

fn checkpoint(row: &Row<'_>) -> rusqlite::Result<Checkpoint> {
    Ok(Checkpoint { number: unsigned(row.get(0)?), bytes: row.get(1)? })
}

fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

fn limited(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

fn by_seq(connection: &Connection) -> rusqlite::Result<CachedStatement<'_>> {
    connection.prepare_cached(&format!("SELECT {COLUMNS} FROM version v WHERE v.seq = ?1"))
}

pub(super) fn pointer(
    connection: &Connection,
    tenant: Tenant,
    kind: Kind,
    record: &RecordId,
) -> rusqlite::Result<Option<Pointer>> {
    connection
        .prepare_cached("SELECT seq, version FROM current WHERE tenant = ?1 AND kind = ?2 AND record = ?3")?
        .query_row(params![tenant.0, kind.0, record.0], |row| {
            Ok(Pointer { seq: seq_of(row.get(0)?), version: Version(row.get(1)?) })
        })
        .optional()
}

pub(super) fn claim(
    connection: &Connection,
    tenant: Tenant,
    scope: ClaimScope,
    token: &[u8; 16],
) -> rusqlite::Result<Option<RecordId>> {
    connection
        .prepare_cached("SELECT record FROM claim WHERE tenant = ?1 AND scope = ?2 AND token = ?3")?
        .query_row(params![tenant.0, scope.0, token], |row| row.get(0).map(RecordId))
        .optional()
}

impl Backend for Readers {
    fn head(&self) -> Result<Seq, StoreError> {
        self.read(|c| c.query_row("SELECT coalesce(max(seq), 0) FROM version", [], |row| row.get(0).map(seq_of)))
    }

    fn current(&self, tenant: Tenant, kind: Kind, record: RecordId) -> Result<Option<RawRow>, StoreError> {
        // A left join, so that a pointer to a missing row shows.
        const QUERY: &str = "SELECT v.seq, v.tenant, v.kind, v.record, v.version, v.at, v.born, v.prev, v.deleted, v.key, \
            v.body, c.version, c.seq FROM current c LEFT JOIN version v ON v.seq = c.seq \
            WHERE c.tenant = ?1 AND c.kind = ?2 AND c.record = ?3";
        let found = self.read(|c| {
            c.prepare_cached(QUERY)?
                .query_row(params![tenant.0, kind.0, record.0], |row| {
                    let pointer = Pointer { version: Version(row.get(11)?), seq: seq_of(row.get(12)?) };
                    let missing = row.get_ref(0)? == ValueRef::Null;
                    Ok((pointer, if missing { None } else { Some(raw_row(row)?) }))
                })
                .optional()
        })?;
        match found {
            None => Ok(None),
            Some((pointer, None)) => Err(StoreError::damaged(Some(pointer.seq), "the row is missing")),
            Some((pointer, Some(row))) => {
                row.belongs(tenant, kind, record, Some(pointer.version))?;
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
        const QUERY: &str = "SELECT v.seq, v.tenant, v.kind, v.record, v.version, v.at, v.born, v.prev, v.deleted, v.key, \
            v.body, c.version, c.seq, c.record FROM current c LEFT JOIN version v ON v.seq = c.seq \
            WHERE c.tenant = ?1 AND c.kind = ?2 AND c.record > ?3 ORDER BY c.record LIMIT ?4";
        // Every token has sixteen bytes, so all of them stand behind the empty one.
        let after = after.map_or_else(Vec::new, |record| record.0.to_vec());
        let found: Vec<(Pointer, RecordId, Option<RawRow>)> = self.read(|c| {
            c.prepare_cached(QUERY)?
                .query_map(params![tenant.0, kind.0, after, limited(limit)], |row| {
                    let pointer = Pointer { version: Version(row.get(11)?), seq: seq_of(row.get(12)?) };
                    let missing = row.get_ref(0)? == ValueRef::Null;
                    Ok((pointer, RecordId(row.get(13)?), if missing { None } else { Some(raw_row(row)?) }))
                })?
                .collect()
        })?;
        let whole = |(pointer, record, row): (Pointer, RecordId, Option<RawRow>)| {
            let row = row.ok_or_else(|| StoreError::damaged(Some(pointer.seq), "the row is missing"))?;
            row.belongs(tenant, kind, record, Some(pointer.version))?;
            Ok(row)
        };
        found.into_iter().map(whole).collect()
    }

    fn chain(
        &self,
        tenant: Tenant,
        kind: Kind,
        record: RecordId,
        before: Option<Version>,
        limit: usize,
    ) -> Result<Vec<RawRow>, StoreError> {
        let (pointer, rows) = self.snapshot(|c| {
            let mut rows: Vec<RawRow> = Vec::new();
            let pointer = pointer(c, tenant, kind, &record)?;
            let mut next = pointer.map(|pointer| pointer.seq);
            while let Some(seq) = next.filter(|_| rows.len() < limit) {
                let Some(row) = by_seq(c)?.query_row([number(seq.0)], raw_row).optional()? else {
                    return Ok((Err(seq), rows));
                };
                // A chain only ever leads back; anything else would be damage that keeps us walking for ever.
                next = row.prev.filter(|prev| *prev < row.seq);
                if before.is_none_or(|before| row.version < before) {
                    rows.push(row);
                }
            }
            Ok((Ok(pointer), rows))
        })?;
        let pointer = pointer.map_err(|seq| StoreError::damaged(Some(seq), "the row is missing"))?;
        let newest = pointer.filter(|_| before.is_none()).map(|pointer| pointer.version);
        let mut expected = newest.or_else(|| rows.first().map(|row| row.version));
        for row in &rows {
            row.belongs(tenant, kind, record, expected)?;
            expected = row.version.0.checked_sub(1).map(Version);
        }
        Ok(rows)
    }

    fn rows(&self, _: Scope, seqs: &[Seq]) -> Result<Vec<Option<RawRow>>, StoreError> {
        self.snapshot(|c| {
            let mut statement = by_seq(c)?;
            seqs.iter().map(|seq| statement.query_row([number(seq.0)], raw_row).optional()).collect()
        })
    }

    fn feed(&self, after: Seq, limit: usize) -> Result<Vec<RawRow>, StoreError> {
        let query = format!("SELECT {COLUMNS} FROM version v WHERE v.seq > ?1 ORDER BY v.seq LIMIT ?2");
        self.read(|c| c.prepare_cached(&query)?.query_map(params![number(after.0), limited(limit)], raw_row)?.collect())
    }

    fn changes(
        &self,
        tenant: Tenant,
        kind: Option<Kind>,
        (low, high): (Seq, Seq),
        limit: usize,
    ) -> Result<Vec<RawRow>, StoreError> {
        // The plus keeps SQLite at the primary key: the span is what bounds the work.
        let query = format!(
            "SELECT {COLUMNS} FROM version v WHERE v.seq >= ?1 AND v.seq < ?2 AND +v.tenant = ?3 AND +v.kind >= ?4 \
             AND +v.kind < ?5 ORDER BY v.seq DESC LIMIT ?6"
        );
        let (first, end) = kind_codes(kind);
        let values = params![number(low.0), number(high.0), tenant.0, first, end, limited(limit)];
        self.read(|c| c.prepare_cached(&query)?.query_map(values, raw_row)?.collect())
    }

    fn pointer(&self, tenant: Tenant, kind: Kind, record: RecordId) -> Result<Option<Pointer>, StoreError> {
        self.read(|c| pointer(c, tenant, kind, &record))
    }

    fn claim(&self, tenant: Tenant, scope: ClaimScope, token: &[u8; 16]) -> Result<Option<RecordId>, StoreError> {
        self.read(|c| claim(c, tenant, scope, token))
    }

    fn claims(&self, after: Option<RawClaim>, limit: usize) -> Result<Vec<RawClaim>, StoreError> {
        const QUERY: &str = "SELECT tenant, scope, token, record FROM claim WHERE (tenant, scope, token) > (?1, ?2, ?3) \
            ORDER BY tenant, scope, token LIMIT ?4";
        let (tenant, scope, token) =
            after.map_or((-1, 0, [0; 16]), |claim| (i64::from(claim.tenant.0), claim.scope.0, claim.token));
        self.read(|c| {
            c.prepare_cached(QUERY)?
                .query_map(params![tenant, scope, token, limited(limit)], |row| {
                    Ok(RawClaim {
                        tenant: Tenant(row.get(0)?),
                        scope: ClaimScope(row.get(1)?),
                        token: row.get(2)?,
                        holder: RecordId(row.get(3)?),
                    })
                })?
                .collect()
        })
    }

    fn kinds(&self, tenant: Tenant) -> Result<Vec<Kind>, StoreError> {
        // From one kind to the next by the primary key; DISTINCT would walk through all records.
        const QUERY: &str = "SELECT kind FROM current WHERE tenant = ?1 AND kind > ?2 ORDER BY kind LIMIT 1";
        self.read(|c| {
            let mut statement = c.prepare_cached(QUERY)?;
            let mut kinds: Vec<Kind> = Vec::new();
            loop {
                let last = kinds.last().map_or(-1, |kind| i64::from(kind.0));
                match statement.query_row(params![tenant.0, last], |row| row.get(0).map(Kind)).optional()? {
                    Some(next) => kinds.push(next),
                    None => return Ok(kinds),
                }
            }
        })
    }

    fn key(&self, key: KeyId) -> Result<Option<RawKey>, StoreError> {
        const QUERY: &str = "SELECT key, tenant, owner, kek, wrapped FROM data_key WHERE key = ?1";
        self.read(|c| c.prepare_cached(QUERY)?.query_row([number(key.0)], raw_key).optional())
    }

    fn key_of_owner(&self, owner: &[u8; 16]) -> Result<Option<RawKey>, StoreError> {
        const QUERY: &str = "SELECT key, tenant, owner, kek, wrapped FROM data_key WHERE owner = ?1";
        self.read(|c| c.prepare_cached(QUERY)?.query_row([owner], raw_key).optional())
    }

    fn key_counts(&self, tenant: Tenant) -> Result<[u64; 3], StoreError> {
        const QUERY: &str =
            "SELECT count(*), coalesce(sum(kek IS NULL), 0), coalesce(sum(tenant = ?1), 0) FROM data_key";
        self.read(|c| {
            c.query_row(QUERY, [tenant.0], |row| {
                Ok([unsigned(row.get(0)?), unsigned(row.get(1)?), unsigned(row.get(2)?)])
            })
        })
    }

    fn key_last(&self) -> Result<KeyId, StoreError> {
        const QUERY: &str = "SELECT coalesce(max(key), 0) FROM data_key";
        self.read(|c| c.query_row(QUERY, [], |row| row.get(0).map(unsigned).map(KeyId)))
    }

    fn key_next(&self) -> Result<KeyId, StoreError> {
        Ok(KeyId(self.next_key.fetch_add(1, Ordering::Relaxed)))
    }

    fn bytes(&self) -> Result<u64, StoreError> {
        files(&self.folder, "iris.db").map_err(|error| StoreError::Unavailable(error.to_string()))
    }

    fn outbox(&self, after: u64, limit: usize) -> Result<Vec<RawEvent>, StoreError> {
        const QUERY: &str =
            "SELECT number, tenant, key, body, event FROM outbox WHERE number > ?1 ORDER BY number LIMIT ?2";
        self.read(|c| {
            c.prepare_cached(QUERY)?
                .query_map(params![number(after), limited(limit)], |row| {
                    Ok(RawEvent {
                        number: unsigned(row.get(0)?),
                        tenant: Tenant(row.get(1)?),
                        key: KeyId(unsigned(row.get(2)?)),
                        body: row.get(3)?,
                        event: row.get(4)?,
                    })
                })?
                .collect()
        })
    }

    fn audit_head(&self) -> Result<u64, StoreError> {
        const QUERY: &str = "SELECT coalesce(max(ordinal) + 1, 0) FROM audit_write";
        self.read(|c| c.prepare_cached(QUERY)?.query_row([], |row| row.get(0).map(unsigned)))
    }

    fn audit_rows(&self, from: u64, limit: usize) -> Result<Vec<(u64, AuditRow)>, StoreError> {
        const QUERY: &str =
            "SELECT ordinal, header, details FROM audit_write WHERE ordinal >= ?1 ORDER BY ordinal LIMIT ?2";
        self.read(|c| {
            c.prepare_cached(QUERY)?
                .query_map(params![number(from), limited(limit)], |row| {
                    Ok((unsigned(row.get(0)?), AuditRow { header: row.get(1)?, details: row.get(2)? }))
                })?
                .collect()
        })
    }

    fn log_size(&self) -> Result<u64, StoreError> {
        const QUERY: &str = "SELECT position + count FROM log_span ORDER BY position DESC LIMIT 1";
        self.read(|c| c.prepare_cached(QUERY)?.query_row([], |row| row.get(0).map(unsigned)).optional())
            .map(Option::unwrap_or_default)
    }

    fn log_tile(&self, level: u8, index: u64) -> Result<Option<Vec<u8>>, StoreError> {
        const QUERY: &str = "SELECT bytes FROM log_tile WHERE level = ?1 AND number = ?2";
        self.read(|c| c.prepare_cached(QUERY)?.query_row(params![level, number(index)], |row| row.get(0)).optional())
    }

    fn log_spans(&self, position: u64, limit: usize) -> Result<Vec<Span>, StoreError> {
        const QUERY: &str = "SELECT position, stream, ordinal, count FROM log_span \
            WHERE position + count > ?1 AND position >= coalesce((SELECT max(position) FROM log_span WHERE position <= ?1), 0) \
            ORDER BY position LIMIT ?2";
        self.read(|c| c.prepare_cached(QUERY)?.query_map(params![number(position), limited(limit)], span)?.collect())
    }

    fn log_span_of(&self, stream: Stream, ordinal: u64) -> Result<Option<Span>, StoreError> {
        const QUERY: &str = "SELECT position, stream, ordinal, count FROM log_span \
            WHERE stream = ?1 AND ordinal <= ?2 ORDER BY ordinal DESC LIMIT 1";
        let found = self
            .read(|c| c.prepare_cached(QUERY)?.query_row(params![stream.code(), number(ordinal)], span).optional())?;
        Ok(found.filter(|span| ordinal - span.ordinal < span.count))
    }

    fn log_checkpoints(&self, after: u64, limit: usize) -> Result<Vec<Checkpoint>, StoreError> {
        const QUERY: &str = "SELECT number, bytes FROM log_checkpoint WHERE number > ?1 ORDER BY number LIMIT ?2";
        self.read(|c| c.prepare_cached(QUERY)?.query_map(params![number(after), limited(limit)], checkpoint)?.collect())
    }

    fn log_checkpoint_last(&self) -> Result<Option<Checkpoint>, StoreError> {
        const QUERY: &str = "SELECT number, bytes FROM log_checkpoint ORDER BY number DESC LIMIT 1";
        self.read(|c| c.prepare_cached(QUERY)?.query_row([], checkpoint).optional())
    }

    fn report(&self) -> Result<Vec<(String, String)>, StoreError> {
        let journal_mode = self.read(|c| c.query_row("PRAGMA journal_mode", [], |row| row.get::<_, String>(0)))?;
        let named = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        Ok(vec![
            named("database", "SQLite"),
            named("server_version", rusqlite::version()),
            named("journal_mode", &journal_mode),
            named("synchronous", &self.synchronous),
        ])
    }

    fn self_check(&self) -> Result<Vec<String>, StoreError> {
        // It reads the whole file: a connection of its own, so that no reader waits for it.
        let connection = (self.connect)()?;
        let check = || -> rusqlite::Result<Vec<String>> {
            connection.prepare("PRAGMA quick_check(100)")?.query_map([], |row| row.get(0))?.collect()
        };
        let lines = check().map_err(|error| fault_of(&error))?;
        Ok(lines.into_iter().filter(|line| line != "ok").collect())
    }

    fn knows(&self, _: Seq) {}

    fn replicas(&self) -> Vec<Seq> {
        Vec::new()
    }

    fn refuse(&self, _: &str) {}

    fn is_shared(&self) -> bool {
        false
    }

    fn lease(&self, _: &str, _: &[u8; 16], _: Duration) -> Result<bool, StoreError> {
        // The lock of the folder is the lease of everything in it.
        Ok(true)
    }
}
