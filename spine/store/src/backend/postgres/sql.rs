//! The questions, as native SQL with the types of their values.

use tokio_postgres::types::Type;

use super::link::Sql;

/// A statement that is prepared once for each connection.
macro_rules! sql {
    ($name:ident($($kind:ident),*) = $($text:expr),+ $(,)?) => {
        pub(super) const $name: Sql = Sql { text: concat!($($text),+), types: &[$(Type::$kind),*] };
    };
}

/// The columns of a row, in the order in which they are read.
macro_rules! columns {
    () => {
        "v.seq, v.tenant, v.kind, v.record, v.version, v.at, v.born, v.prev, v.deleted, v.key, v.body"
    };
}

// What `cache` goes by. Asked for beside each answer that it may keep, and worked out once in it.
macro_rules! life {
    () => {
        "(SELECT concat_ws('.', extract(epoch FROM pg_postmaster_start_time()), \
            (SELECT oid FROM pg_database WHERE datname = current_database()), pg_relation_filenode('version')))"
    };
}

sql!(HEAD_AND_LIFE() = "SELECT seq - 1, ", life!(), " FROM head");
// What a server that follows has: its newest change, what tells that from another one of its number, and its own life.
sql!(
    HEAD_AND_MARK() = "SELECT seq - 1, (SELECT sha256(v.body) FROM version v WHERE v.seq = head.seq - 1), ",
    life!(),
    " FROM head"
);
sql!(MARK(INT8) = "SELECT sha256(body) FROM version WHERE seq = $1");
sql!(TIMELINE() = "SELECT timeline_id FROM pg_control_checkpoint()");
// A left join, so that a pointer to a missing row shows. Here and below `OFFSET 0` keeps each look-up by a key one of its own: joined
// with a small table, the planner would rather read that whole, and go on so when it has grown (see `session::naming`).
sql!(
    CURRENT(INT8, INT4_ARRAY, BYTEA_ARRAY) = "SELECT ",
    columns!(),
    ", c.version, c.seq, w.place FROM unnest($2, $3) WITH ORDINALITY AS w (kind, record, place) \
     CROSS JOIN LATERAL (SELECT c.version, c.seq FROM current c \
        WHERE c.tenant = $1 AND c.kind = w.kind AND c.record = w.record OFFSET 0) c \
     LEFT JOIN LATERAL (SELECT v.* FROM version v WHERE v.seq = c.seq OFFSET 0) v ON true"
);
/// The column of [`CURRENT`] that says which of the records a row is of, from 1.
pub(super) const CURRENT_PLACE: usize = 13;
// As [`CURRENT`], of a whole kind, in the order of the primary key.
sql!(
    CURRENT_OF_KIND(INT8, INT4, BYTEA, INT8) = "SELECT ",
    columns!(),
    ", c.version, c.seq, c.record FROM current c LEFT JOIN version v ON v.seq = c.seq \
     WHERE c.tenant = $1 AND c.kind = $2 AND c.record > $3 ORDER BY c.record LIMIT $4"
);
// From one version to the one before it, in one state of the database. What a row names and is not there has no `seq`.
sql!(
    CHAIN(INT8, INT4, BYTEA, INT8, INT8) = "WITH RECURSIVE chain AS (
        SELECT c.seq AS wanted, c.version AS newest, v.* FROM current c LEFT JOIN version v ON v.seq = c.seq \
            WHERE c.tenant = $1 AND c.kind = $2 AND c.record = $3
        UNION ALL
        SELECT o.prev, o.newest, v.* FROM chain o LEFT JOIN version v ON v.seq = o.prev \
            WHERE o.prev IS NOT NULL AND o.prev < o.seq
     ) SELECT ",
    columns!(),
    ", v.newest, v.wanted FROM chain v WHERE v.seq IS NULL OR v.version < $4 LIMIT $5"
);
sql!(
    ROWS(INT8_ARRAY) = "SELECT ",
    columns!(),
    ", ",
    life!(),
    " FROM unnest($1) WITH ORDINALITY AS s (seq, place) \
     LEFT JOIN LATERAL (SELECT v.* FROM version v WHERE v.seq = s.seq OFFSET 0) v ON true ORDER BY s.place"
);
sql!(
    FEED(INT8, INT8) = "SELECT ",
    columns!(),
    ", ",
    life!(),
    " FROM version v WHERE v.seq > $1 ORDER BY v.seq LIMIT $2"
);
// Newest first, by the primary key: the span is what bounds the work.
sql!(
    CHANGES(INT8, INT8, INT8, INT4, INT4, INT8) = "SELECT ",
    columns!(),
    " FROM version v WHERE v.seq >= $1 AND v.seq < $2 AND v.tenant = $3 AND v.kind >= $4 AND v.kind < $5 \
     ORDER BY v.seq DESC LIMIT $6"
);
sql!(POINTER(INT8, INT4, BYTEA) = "SELECT seq, version FROM current WHERE tenant = $1 AND kind = $2 AND record = $3");
// A row for each of them, in their order.
sql!(
    POINTERS_OF_ANY(INT8_ARRAY, INT4_ARRAY, BYTEA_ARRAY) = "SELECT c.seq, c.version \
        FROM unnest($1, $2, $3) WITH ORDINALITY AS w (tenant, kind, record, place) \
        LEFT JOIN LATERAL (SELECT c.seq, c.version FROM current c \
            WHERE c.tenant = w.tenant AND c.kind = w.kind AND c.record = w.record OFFSET 0) c ON true ORDER BY w.place"
);
sql!(CLAIM(INT8, INT4, BYTEA) = "SELECT record FROM claim WHERE tenant = $1 AND scope = $2 AND token = $3");
sql!(
    CLAIMS(INT8, INT4, BYTEA, INT8) = "SELECT tenant, scope, token, record FROM claim \
        WHERE (tenant, scope, token) > ($1, $2, $3) ORDER BY tenant, scope, token LIMIT $4"
);
// From one kind to the next by the primary key; DISTINCT would walk through all records.
sql!(
    KINDS(INT8) = "WITH RECURSIVE walk AS (
        (SELECT kind FROM current WHERE tenant = $1 ORDER BY kind LIMIT 1)
        UNION ALL
        SELECT (SELECT c.kind FROM current c WHERE c.tenant = $1 AND c.kind > walk.kind ORDER BY c.kind LIMIT 1) \
            FROM walk WHERE walk.kind IS NOT NULL
     ) SELECT kind FROM walk WHERE kind IS NOT NULL"
);
sql!(KEY(INT8) = "SELECT key, tenant, owner, kek, wrapped FROM data_key WHERE key = $1");
sql!(KEY_OF_OWNER(BYTEA) = "SELECT key, tenant, owner, kek, wrapped FROM data_key WHERE owner = $1");
sql!(
    KEY_COUNTS(INT8) = "SELECT count(*), count(*) FILTER (WHERE kek IS NULL), \
        count(*) FILTER (WHERE tenant = $1) FROM data_key"
);
sql!(KEY_LAST() = "SELECT coalesce(max(key), 0) FROM data_key");
sql!(KEYS_NEXT(INT8) = "SELECT nextval('data_key_number') FROM generate_series(1, $1)");
sql!(
    OUTBOX(INT8, INT8) =
        "SELECT number, tenant, key, body, event FROM outbox WHERE number > $1 ORDER BY number LIMIT $2"
);
sql!(AUDIT_HEAD() = "SELECT audit_write FROM head");
sql!(
    AUDIT_ROWS(INT8, INT8) =
        "SELECT ordinal, header, details FROM audit_write WHERE ordinal >= $1 ORDER BY ordinal LIMIT $2"
);
sql!(READ_HEAD() = "SELECT audit_read FROM read_head");
sql!(
    READ_ROWS(INT8, INT8) =
        "SELECT ordinal, header, details FROM audit_read WHERE ordinal >= $1 ORDER BY ordinal LIMIT $2"
);
sql!(LOG_SIZE() = "SELECT coalesce((SELECT position + count FROM log_span ORDER BY position DESC LIMIT 1), 0)");
sql!(LOG_TILE(INT2, INT8) = "SELECT bytes FROM log_tile WHERE level = $1 AND number = $2");
sql!(
    LOG_SPANS(INT8, INT8) = "SELECT position, stream, ordinal, count FROM log_span WHERE position + count > $1 \
        AND position >= coalesce((SELECT max(position) FROM log_span WHERE position <= $1), 0) \
        ORDER BY position LIMIT $2"
);
sql!(
    LOG_SPAN_OF(INT2, INT8) = "SELECT position, stream, ordinal, count FROM log_span \
        WHERE stream = $1 AND ordinal <= $2 ORDER BY ordinal DESC LIMIT 1"
);
sql!(
    LOG_CHECKPOINTS(INT8, INT8) = "SELECT number, bytes FROM log_checkpoint WHERE number > $1 ORDER BY number LIMIT $2"
);
sql!(LOG_CHECKPOINT_LAST() = "SELECT number, bytes FROM log_checkpoint ORDER BY number DESC LIMIT 1");
// What a role may not see is `unknown`; `ssl` is of the connection that the server sees, which may be a pooler's.
sql!(
    REPORT() = "SELECT name, value FROM (VALUES
        (1, 'database', 'PostgreSQL'),
        (2, 'server_version', current_setting('server_version')),
        (3, 'fsync', current_setting('fsync')),
        (4, 'synchronous_commit', current_setting('synchronous_commit')),
        (5, 'full_page_writes', current_setting('full_page_writes')),
        (6, 'data_checksums', current_setting('data_checksums')),
        (7, 'ssl', coalesce((SELECT CASE WHEN ssl THEN 'yes' ELSE 'no' END FROM pg_stat_ssl \
            WHERE pid = pg_backend_pid()), 'unknown')),
        (8, 'role', current_user::text),
        (9, 'role_is_superuser', (SELECT CASE WHEN rolsuper THEN 'yes' ELSE 'no' END FROM pg_roles \
            WHERE rolname = current_user)),
        (10, 'role_bypasses_row_security', (SELECT CASE WHEN rolsuper OR rolbypassrls THEN 'yes' ELSE 'no' END \
            FROM pg_roles WHERE rolname = current_user)),
        (11, 'role_owns_tables', coalesce((SELECT CASE WHEN pg_has_role(current_user, relowner, 'USAGE') THEN 'yes' \
            ELSE 'no' END FROM pg_class WHERE oid = to_regclass('version')), 'no')),
        (12, 'synchronous_standby_names', current_setting('synchronous_standby_names')),
        (13, 'synchronous_standbys_streaming', CASE WHEN pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') \
            THEN (SELECT count(*)::text FROM pg_stat_replication \
                WHERE state = 'streaming' AND sync_state IN ('sync', 'quorum')) ELSE 'unknown' END),
        (14, 'max_connections', current_setting('max_connections')),
        (15, 'wal_level', current_setting('wal_level')),
        (16, 'archive_mode', current_setting('archive_mode'))
     ) AS reported (place, name, value) ORDER BY place"
);
sql!(BYTES() = "SELECT pg_database_size(current_database())");
// Whoever held it may keep it; somebody else gets it when its time is over, by the database's clock.
sql!(
    LEASE(TEXT, BYTEA, INT8) = "INSERT INTO lease AS l (name, holder, until) \
        VALUES ($1, $2, clock_timestamp() + $3 * interval '1 microsecond') \
        ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until \
        WHERE l.holder = excluded.holder OR l.until < clock_timestamp() RETURNING 1"
);

// What a group of write sets is checked against.
sql!(LOCK() = "SELECT seq, audit_write, pg_current_xact_id()::text, ", life!(), " FROM head FOR UPDATE");
sql!(
    POINTERS(INT8, INT4_ARRAY, BYTEA_ARRAY) = "SELECT c.kind, c.record, c.seq, c.version \
        FROM unnest($2, $3) AS w (kind, record) CROSS JOIN LATERAL (SELECT c.* FROM current c \
            WHERE c.tenant = $1 AND c.kind = w.kind AND c.record = w.record OFFSET 0) c"
);
sql!(
    HOLDERS(INT8, INT4_ARRAY, BYTEA_ARRAY) = "SELECT c.scope, c.token, c.record \
        FROM unnest($2, $3) AS w (scope, token) CROSS JOIN LATERAL (SELECT c.* FROM claim c \
            WHERE c.tenant = $1 AND c.scope = w.scope AND c.token = w.token OFFSET 0) c"
);
sql!(KEYS_OF_OWNERS(BYTEA_ARRAY) = "SELECT k.owner, k.key, k.wrapped FROM data_key k WHERE k.owner = ANY ($1)");

// What one tenant's part of a group changes, in one statement.
sql!(
    WRITE(
        INT8,
        INT8_ARRAY,
        INT4_ARRAY,
        BYTEA_ARRAY,
        INT8_ARRAY,
        INT8_ARRAY,
        INT8_ARRAY,
        INT8_ARRAY,
        BOOL_ARRAY,
        INT8_ARRAY,
        BYTEA_ARRAY,
        INT4_ARRAY,
        BYTEA_ARRAY,
        INT8_ARRAY,
        INT8_ARRAY,
        BYTEA_ARRAY,
        INT8_ARRAY,
        BYTEA_ARRAY
    ) = "WITH added AS (
        INSERT INTO version (seq, tenant, kind, record, version, at, born, prev, deleted, key, body)
        SELECT seq, $1, kind, record, version, at, born, prev, deleted, key, body
        FROM unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
            AS n (seq, kind, record, version, at, born, prev, deleted, key, body)
     ), told AS (
        INSERT INTO outbox (event, tenant, key, body)
        SELECT event, $1, key, body
        FROM unnest($16, $17, $18) WITH ORDINALITY AS n (event, key, body, place) ORDER BY place
     ) INSERT INTO current (tenant, kind, record, seq, version)
        SELECT $1, kind, record, seq, version FROM unnest($12, $13, $14, $15) AS n (kind, record, seq, version)
        ON CONFLICT (tenant, kind, record) DO UPDATE SET seq = excluded.seq, version = excluded.version"
);
sql!(
    WRITE_KEYS(INT8, INT8_ARRAY, BYTEA_ARRAY, INT8_ARRAY, BYTEA_ARRAY) = "INSERT INTO data_key (key, tenant, owner, kek, wrapped) \
         SELECT key, $1, owner, kek, wrapped FROM unnest($2, $3, $4, $5) AS n (key, owner, kek, wrapped)"
);
sql!(
    TAKE_CLAIMS(INT8, INT4_ARRAY, BYTEA_ARRAY, BYTEA_ARRAY) = "INSERT INTO claim (tenant, scope, token, record) \
        SELECT $1, scope, token, record FROM unnest($2, $3, $4) AS n (scope, token, record) \
        ON CONFLICT (tenant, scope, token) DO UPDATE SET record = excluded.record"
);
sql!(
    GIVE_CLAIMS(INT8, INT4_ARRAY, BYTEA_ARRAY) = "DELETE FROM claim c USING unnest($2, $3) AS g (scope, token) \
        WHERE c.tenant = $1 AND c.scope = g.scope AND c.token = g.token"
);
// The last statement of every group: its audit entries, and where the next one goes on.
sql!(
    MOVE_HEAD(INT8, BYTEA_ARRAY, BYTEA_ARRAY, INT8, INT8) = "WITH entries AS (
        INSERT INTO audit_write (ordinal, header, details)
        SELECT $1 + place - 1, header, details FROM unnest($2, $3) WITH ORDINALITY AS n (header, details, place)
     ) UPDATE head SET seq = $4, audit_write = $5"
);
sql!(FORGET_EVENTS(INT8) = "DELETE FROM outbox WHERE number <= $1");
sql!(
    WRITE_SPANS(INT8_ARRAY, INT2_ARRAY, INT8_ARRAY, INT8_ARRAY) =
        "INSERT INTO log_span (position, stream, ordinal, count) SELECT * FROM unnest($1, $2, $3, $4)"
);
sql!(
    WRITE_TILES(INT2_ARRAY, INT8_ARRAY, BYTEA_ARRAY) = "INSERT INTO log_tile (level, number, bytes) SELECT * FROM unnest($1, $2, $3) \
         ON CONFLICT (level, number) DO UPDATE SET bytes = excluded.bytes"
);
// Not drawn from a sequence: one skips numbers when a standby takes over, and a gap here is a checkpoint that somebody took away.
// Whoever commits holds the lock of `head`, so nobody else takes the same number.
sql!(
    WRITE_CHECKPOINT(BYTEA) = "INSERT INTO log_checkpoint (number, bytes)
    SELECT coalesce(max(number), 0) + 1, $1 FROM log_checkpoint"
);
// Changes nothing, and is committed as a change is.
sql!(TOUCH_HEAD() = "UPDATE head SET seq = seq");
// What became of a transaction, and whether something that it alone brought is there.
sql!(
    OUTCOME_ROW(TEXT, INT8, BYTEA) =
        "SELECT pg_xact_status($1::xid8), EXISTS (SELECT FROM version WHERE seq = $2 AND body = $3)"
);
sql!(
    OUTCOME_ENTRY(TEXT, INT8, BYTEA) =
        "SELECT pg_xact_status($1::xid8), EXISTS (SELECT FROM audit_write WHERE ordinal = $2 AND header = $3)"
);
sql!(
    OUTCOME_EVENT(TEXT, INT8, BYTEA) =
        "SELECT pg_xact_status($1::xid8), EXISTS (SELECT FROM outbox WHERE number > $2 AND event = $3)"
);
sql!(
    OUTCOME_LOG(TEXT, INT8, BYTEA) =
        "SELECT pg_xact_status($1::xid8), EXISTS (SELECT FROM log_checkpoint WHERE number > $2 AND bytes = $3)"
);

// One batch of entries of reads. Its transaction is this statement, so that nobody holds the row for longer than a flush.
sql!(
    APPEND_READS(BYTEA_ARRAY, BYTEA_ARRAY) = "WITH taken AS (
        UPDATE read_head SET audit_read = audit_read + cardinality($1) RETURNING audit_read - cardinality($1) AS first
     ) INSERT INTO audit_read (ordinal, header, details)
        SELECT taken.first + place - 1, header, details
        FROM taken, unnest($1, $2) WITH ORDINALITY AS n (header, details, place)"
);
