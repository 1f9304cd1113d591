-- The store (architecture §4, §5, §6). Nothing here holds a value in clear: numbers, times, flags, keyed tokens, the
-- pseudonymous header of audit entries, and ciphertext.

CREATE TABLE meta (
    name  TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Every version of every record, in the one global order of changes. Rows are only ever added.
CREATE TABLE version (
    seq     INTEGER PRIMARY KEY,
    tenant  INTEGER NOT NULL,
    kind    INTEGER NOT NULL,
    record  BLOB    NOT NULL,
    version INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    born    INTEGER NOT NULL,
    prev    INTEGER,
    deleted INTEGER NOT NULL,
    key     INTEGER NOT NULL,
    body    BLOB    NOT NULL
) STRICT;

-- The newest version of each record, deleted or not.
CREATE TABLE current (
    tenant  INTEGER NOT NULL,
    kind    INTEGER NOT NULL,
    record  BLOB    NOT NULL,
    seq     INTEGER NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (tenant, kind, record)
) STRICT, WITHOUT ROWID;

-- What must never be there twice: user names, client ids, MRNs, idempotency keys, criteria, booked slots.
CREATE TABLE claim (
    tenant INTEGER NOT NULL,
    scope  INTEGER NOT NULL,
    token  BLOB    NOT NULL,
    record BLOB    NOT NULL,
    PRIMARY KEY (tenant, scope, token)
) STRICT, WITHOUT ROWID;

-- Wrapped keys. `kek` is the key that wraps this one; null: the key provider does.
CREATE TABLE data_key (
    key     INTEGER PRIMARY KEY,
    tenant  INTEGER NOT NULL,
    owner   BLOB    NOT NULL UNIQUE,
    kek     INTEGER,
    wrapped BLOB    NOT NULL
) STRICT;

-- Events that wait for their subscribers. Numbers are never used again. `event` is drawn for each; the body is bound to it.
CREATE TABLE outbox (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    event  BLOB    NOT NULL UNIQUE,
    tenant INTEGER NOT NULL,
    key    INTEGER NOT NULL,
    body   BLOB    NOT NULL
) STRICT;

-- Audit entries of writes, in the transaction of the write.
CREATE TABLE audit_write (
    ordinal INTEGER PRIMARY KEY,
    header  BLOB NOT NULL,
    details BLOB NOT NULL
) STRICT;

-- The Merkle log over both audit streams.
CREATE TABLE log_span (
    position INTEGER PRIMARY KEY,
    stream   INTEGER NOT NULL,
    ordinal  INTEGER NOT NULL,
    count    INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX log_span_entry ON log_span (stream, ordinal);

CREATE TABLE log_tile (
    level  INTEGER NOT NULL,
    number INTEGER NOT NULL,
    bytes  BLOB    NOT NULL,
    PRIMARY KEY (level, number)
) STRICT;

CREATE TABLE log_checkpoint (
    number INTEGER PRIMARY KEY,
    bytes  BLOB NOT NULL
) STRICT;
