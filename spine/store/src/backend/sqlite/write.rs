//! Writing: one connection on the writer thread, one transaction per group.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use iris_kernel::{Kind, RecordId, Seq, Tenant};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OptionalExtension, params};

use super::read::{claim, pointer};
use super::{fault_of, number, seq_of};
use crate::audit::LogRound;
use crate::backend::check::{Checked, ClaimsAfter, Stop, Stored, check};
use crate::backend::{
    GroupFailed, GroupWriter, Pointer, RawKey, SealedEvent, SealedPut, SetDone, SetRefused, Verdict, WriteSet,
};
use crate::error::StoreError;
use crate::tx::ClaimScope;

/// The log is carried over into the database when it has this many pages (4 MiB): rarely enough that pages are written once
/// for many commits, often enough that nobody waits long for it (measured, architecture §10).
const CHECKPOINT_PAGES: i32 = 1_000;

/// The next numbers to be given out.
#[derive(Clone, Copy)]
struct Counters {
    seq: u64,
    audit: u64,
}

/// The writing side of a database file.
pub(crate) struct SqliteWriter {
    connection: Connection,
    counters: Counters,
    log_pages: Arc<AtomicI32>,
}

impl SqliteWriter {
    pub(super) fn new(mut connection: Connection) -> rusqlite::Result<Self> {
        let one = |query| connection.query_row(query, [], |row| row.get::<_, i64>(0));
        let seq = one("SELECT coalesce(max(seq), 0) + 1 FROM version")?;
        let audit = one("SELECT coalesce(max(ordinal) + 1, 0) FROM audit_write")?;
        let counters = Counters { seq: seq_of(seq).0, audit: seq_of(audit).0 };
        let log_pages = Arc::new(AtomicI32::new(0));
        let pages = Arc::clone(&log_pages);
        // Takes the place of SQLite's own checkpoint, which would run before the callers have their answers.
        connection.wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, count| {
            pages.store(count, Ordering::Relaxed);
            Ok(())
        }))?;
        Ok(Self { connection, counters, log_pages })
    }

    /// Tries the sets that have no verdict yet, in one transaction.
    fn attempt(
        &mut self,
        sets: &[&WriteSet],
        verdicts: &mut [Option<Verdict>],
    ) -> Result<(), (Option<usize>, rusqlite::Error)> {
        let start = self.counters;
        self.run("BEGIN IMMEDIATE").map_err(|error| (None, error))?;
        for (at, set) in sets.iter().enumerate() {
            if matches!(verdicts[at], Some(Err(_))) {
                continue;
            }
            match self.one(set) {
                Ok(done) => verdicts[at] = Some(Ok(done)),
                Err(Stop::Refused(why)) => verdicts[at] = Some(Err(why)),
                Err(Stop::Database(error)) => {
                    self.roll_back(start);
                    return Err((Some(at), error));
                }
            }
        }
        self.run("COMMIT").map_err(|error| {
            self.roll_back(start);
            (None, error)
        })
    }

    fn run(&self, statement: &str) -> rusqlite::Result<()> {
        self.connection.prepare_cached(statement)?.execute([]).map(drop)
    }

    fn roll_back(&mut self, start: Counters) {
        self.counters = start;
        // Some errors make SQLite roll back by itself.
        if !self.connection.is_autocommit()
            && let Err(error) = self.connection.execute_batch("ROLLBACK")
        {
            tracing::error!(%error, "a write could not be rolled back");
        }
    }

    /// Checks everything, then writes everything.
    fn one(&mut self, set: &WriteSet) -> Result<SetDone, Stop<rusqlite::Error>> {
        let tenant = set.tenant.unwrap_or(Tenant::PLATFORM);
        let Checked { fresh, superseded, claims } = check(&self.connection, set)?;
        for at in fresh {
            let key = &set.fresh[at].row;
            self.connection
                .prepare_cached("INSERT INTO data_key (key, tenant, owner, kek, wrapped) VALUES (?1, ?2, ?3, ?4, ?5)")?
                .execute(params![
                    number(key.key.0),
                    key.tenant.0,
                    key.owner,
                    key.kek.map(|kek| number(kek.0)),
                    key.wrapped
                ])?;
        }
        let first = Seq(if set.puts.is_empty() { self.counters.seq - 1 } else { self.counters.seq });
        for (put, superseded) in set.puts.iter().zip(&superseded) {
            self.put(tenant, put, *superseded)?;
        }
        self.write_claims(tenant, &claims)?;
        for SealedEvent { event, key, body } in &set.events {
            self.connection
                .prepare_cached("INSERT INTO outbox (event, tenant, key, body) VALUES (?1, ?2, ?3, ?4)")?
                .execute(params![event, tenant.0, number(key.0), body])?;
        }
        let audit_first = self.counters.audit;
        for entry in &set.audit {
            self.connection
                .prepare_cached("INSERT INTO audit_write (ordinal, header, details) VALUES (?1, ?2, ?3)")?
                .execute(params![number(self.counters.audit), entry.header, entry.details])?;
            self.counters.audit += 1;
        }
        if let Some(through) = set.outbox_forget {
            self.connection.execute("DELETE FROM outbox WHERE number <= ?1", [number(through)])?;
        }
        if let Some(round) = &set.log {
            self.write_log(round)?;
        }
        Ok(SetDone { first, superseded, audit_first })
    }

    fn put(&mut self, tenant: Tenant, put: &SealedPut, superseded: Option<Seq>) -> rusqlite::Result<()> {
        let seq = number(self.counters.seq);
        self.connection
            .prepare_cached(
                "INSERT INTO version (seq, tenant, kind, record, version, at, born, prev, deleted, key, body) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            )?
            .execute(params![
                seq,
                tenant.0,
                put.kind.0,
                put.record.0,
                put.version.0,
                put.at.0,
                put.born.map_or(seq, |born| number(born.0)),
                superseded.map(|seq| number(seq.0)),
                put.deleted,
                number(put.key.0),
                put.body
            ])?;
        self.connection
            .prepare_cached(
                "INSERT INTO current (tenant, kind, record, seq, version) VALUES (?1, ?2, ?3, ?4, ?5) \
                 ON CONFLICT (tenant, kind, record) DO UPDATE SET seq = excluded.seq, version = excluded.version",
            )?
            .execute(params![tenant.0, put.kind.0, put.record.0, seq, put.version.0])?;
        self.counters.seq += 1;
        Ok(())
    }

    fn write_claims(&self, tenant: Tenant, after: &ClaimsAfter) -> rusqlite::Result<()> {
        for ((scope, token), holder) in after {
            match holder {
                Some(holder) => self
                    .connection
                    .prepare_cached(
                        "INSERT INTO claim (tenant, scope, token, record) VALUES (?1, ?2, ?3, ?4) \
                         ON CONFLICT (tenant, scope, token) DO UPDATE SET record = excluded.record",
                    )?
                    .execute(params![tenant.0, scope.0, token, holder.0])?,
                None => self
                    .connection
                    .prepare_cached("DELETE FROM claim WHERE tenant = ?1 AND scope = ?2 AND token = ?3")?
                    .execute(params![tenant.0, scope.0, token])?,
            };
        }
        Ok(())
    }

    fn write_log(&self, round: &LogRound) -> rusqlite::Result<()> {
        for span in &round.spans {
            self.connection
                .prepare_cached("INSERT INTO log_span (position, stream, ordinal, count) VALUES (?1, ?2, ?3, ?4)")?
                .execute(params![
                    number(span.position),
                    span.stream.code(),
                    number(span.ordinal),
                    number(span.count)
                ])?;
        }
        for tile in &round.tiles {
            self.connection
                .prepare_cached(
                    "INSERT INTO log_tile (level, number, bytes) VALUES (?1, ?2, ?3) \
                     ON CONFLICT (level, number) DO UPDATE SET bytes = excluded.bytes",
                )?
                .execute(params![tile.level, number(tile.index), tile.bytes])?;
        }
        if !round.checkpoint.is_empty() {
            self.connection
                .prepare_cached("INSERT INTO log_checkpoint (bytes) VALUES (?1)")?
                .execute([&round.checkpoint])?;
        }
        Ok(())
    }
}

impl Stored for Connection {
    type Error = rusqlite::Error;

    fn pointer(&self, tenant: Tenant, kind: Kind, record: &RecordId) -> rusqlite::Result<Option<Pointer>> {
        pointer(self, tenant, kind, record)
    }

    fn claim(&self, tenant: Tenant, scope: ClaimScope, token: &[u8; 16]) -> rusqlite::Result<Option<RecordId>> {
        claim(self, tenant, scope, token)
    }

    fn is_key(&self, fresh: &RawKey) -> rusqlite::Result<Option<bool>> {
        self.prepare_cached("SELECT key = ?2 AND wrapped = ?3 FROM data_key WHERE owner = ?1")?
            .query_row(params![fresh.owner, number(fresh.key.0), fresh.wrapped], |row| row.get(0))
            .optional()
    }

    fn log_size(&self) -> rusqlite::Result<u64> {
        const QUERY: &str = "SELECT position + count FROM log_span ORDER BY position DESC LIMIT 1";
        let size: Option<i64> = self.prepare_cached(QUERY)?.query_row([], |row| row.get(0)).optional()?;
        Ok(seq_of(size.unwrap_or(0)).0)
    }
}

fn is_full(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::DiskFull)
}

/// Whether the system failed to read, write or flush. A flush that failed must never be tried again: the second one may
/// "succeed" without having written anything.
fn is_io(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::SystemIoFailure)
}

/// Whether somebody else held a lock, which says nothing about the disk.
fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

impl SqliteWriter {
    /// The disk failed: nothing more is written, not even when the connection closes.
    fn broken(&self, error: &rusqlite::Error) -> GroupFailed {
        if let Err(error) = self.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true) {
            tracing::error!(%error, "the checkpoint at the end could not be turned off");
        }
        GroupFailed::Broken(error.to_string())
    }

    /// What an error of the upkeep means for the writer.
    fn upkeep(&self, error: &rusqlite::Error) -> Result<(), GroupFailed> {
        if is_io(error) {
            return Err(self.broken(error));
        }
        // Nothing is lost: the log keeps the pages, and the next commit counts them again.
        tracing::warn!(%error, "the write-ahead log could not be carried over");
        Ok(())
    }
}

impl GroupWriter for SqliteWriter {
    fn commit(&mut self, sets: &[&WriteSet]) -> Result<Vec<Verdict>, GroupFailed> {
        let mut verdicts: Vec<Option<Verdict>> = sets.iter().map(|_| None).collect();
        loop {
            match self.attempt(sets, &mut verdicts) {
                Ok(()) => break,
                Err((_, error)) if is_full(&error) => return Err(GroupFailed::Full),
                // Nothing was begun, or all of it was rolled back.
                Err((None, error)) if is_busy(&error) => {
                    return Ok(sets.iter().map(|_| Err(SetRefused::Unavailable(error.to_string()))).collect());
                }
                Err((None, error)) => return Err(self.broken(&error)),
                Err((Some(_), error)) if is_io(&error) => return Err(self.broken(&error)),
                // The others must not suffer from what one set ran into: once more without it.
                Err((Some(at), error)) => {
                    verdicts[at] = Some(Err(match fault_of(&error) {
                        damaged @ StoreError::Damaged { .. } => SetRefused::Damaged(damaged.to_string()),
                        StoreError::Unavailable(why) => SetRefused::Unavailable(why),
                    }));
                }
            }
        }
        Ok(verdicts.into_iter().map(|verdict| verdict.unwrap_or(Err(SetRefused::Invalid("not tried")))).collect())
    }

    fn rest(&mut self) -> Result<(), GroupFailed> {
        if self.log_pages.load(Ordering::Relaxed) < CHECKPOINT_PAGES {
            return Ok(());
        }
        self.log_pages.store(0, Ordering::Relaxed);
        let query = "PRAGMA wal_checkpoint(PASSIVE)";
        self.connection.query_row(query, [], |_| Ok(())).or_else(|error| self.upkeep(&error))
    }

    fn finish(&mut self) {
        if let Err(error) = self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())) {
            tracing::warn!(%error, "the write-ahead log could not be emptied at the end");
        }
    }
}

#[cfg(test)]
mod tests {
    use iris_kernel::{Timestamp, Version};
    use iris_testkit::ManualClock;

    use super::*;
    use crate::audit::{AuditRow, Span, Stream};
    use crate::backend::Backend;
    use crate::config::StoreConfig;
    use crate::error::Conflict;
    use crate::keys::KeyId;
    use crate::tx::Expect;

    fn set(record: u8, expect: Expect) -> WriteSet {
        let put = SealedPut {
            kind: Kind(1),
            record: RecordId([record; 16]),
            expect,
            version: Version::FIRST,
            at: Timestamp(0),
            born: None,
            deleted: false,
            key: KeyId(1),
            body: vec![record; 10],
        };
        let audit = vec![AuditRow { header: vec![record], details: Vec::new() }];
        WriteSet { tenant: Some(Tenant(1)), puts: vec![put], audit, ..WriteSet::default() }
    }

    #[test]
    fn a_failing_disk_ends_the_writer_and_a_lock_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let config = StoreConfig::new(folder.path());
        let (_readers, mut writer) = super::super::open(&config, &[0; 32], &ManualClock::default()).unwrap();
        let error = |code| rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None);
        for code in [rusqlite::ffi::SQLITE_IOERR, rusqlite::ffi::SQLITE_IOERR_FSYNC, rusqlite::ffi::SQLITE_IOERR_WRITE]
        {
            assert!(matches!(writer.upkeep(&error(code)), Err(GroupFailed::Broken(_))), "{code}");
        }
        for code in [rusqlite::ffi::SQLITE_BUSY, rusqlite::ffi::SQLITE_LOCKED, rusqlite::ffi::SQLITE_FULL] {
            assert!(writer.upkeep(&error(code)).is_ok(), "{code}");
        }
        // Another connection holds the lock for longer than anybody waits.
        writer.connection.busy_timeout(std::time::Duration::ZERO).unwrap();
        let other = Connection::open(super::super::file(folder.path())).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let verdicts = writer.commit(&[&set(1, Expect::Absent)]).unwrap();
        assert!(matches!(verdicts[0], Err(SetRefused::Unavailable(_))));
        other.execute_batch("ROLLBACK").unwrap();
        assert!(writer.commit(&[&set(1, Expect::Absent)]).unwrap()[0].is_ok());
    }

    #[test]
    fn a_set_that_fails_leaves_the_others_of_its_group_alone() {
        let folder = tempfile::tempdir().unwrap();
        let config = StoreConfig::new(folder.path());
        let (readers, mut writer) = super::super::open(&config, &[0; 32], &ManualClock::default()).unwrap();
        let conflict = set(2, Expect::Current(Seq(9)));
        // Passes every check and then breaks a constraint of the database, half-written.
        let span = |position| Span { position, stream: Stream::Writes, ordinal: 0, count: 1 };
        let broken = WriteSet {
            log: Some(LogRound { spans: vec![span(0), span(1)], ..LogRound::default() }),
            ..set(3, Expect::Absent)
        };
        let (first, last) = (set(1, Expect::Absent), set(4, Expect::Absent));
        let verdicts = writer.commit(&[&first, &conflict, &broken, &last]).unwrap();
        assert_eq!(verdicts[0].as_ref().unwrap().first, Seq(1));
        assert_eq!(verdicts[1], Err(SetRefused::Conflict(Conflict::Put(0))));
        assert!(matches!(verdicts[2], Err(SetRefused::Unavailable(_))));
        let done = verdicts[3].as_ref().unwrap();
        assert_eq!((done.first, done.audit_first), (Seq(2), 1), "no number is lost");
        let records: Vec<u8> = readers.feed(Seq(0), 9).unwrap().iter().map(|row| row.record.0[0]).collect();
        assert_eq!(records, [1, 4]);
        assert_eq!((readers.audit_head().unwrap(), readers.log_size().unwrap()), (2, 0));
    }
}
