-- The store (architecture §4, §5, §6), as in SQLite. Nothing here holds a value in clear: numbers, times, flags, keyed tokens,
-- the pseudonymous header of audit entries, and ciphertext, which is why no column of bytes is worth compressing.

CREATE TABLE meta (
    name  text  NOT NULL PRIMARY KEY,
    value bytea NOT NULL
);

-- The next numbers of changes and of audit entries of writes. Its one row is locked by whoever commits, so that commits of all
-- nodes stand in one order, and numbers have no gaps and become visible in order.
CREATE TABLE head (
    single      boolean NOT NULL PRIMARY KEY DEFAULT true CHECK (single),
    seq         bigint  NOT NULL,
    audit_write bigint  NOT NULL
) WITH (fillfactor = 10);
INSERT INTO head (seq, audit_write) VALUES (1, 0);

-- The next number of audit entries of reads, which do not wait for writes.
CREATE TABLE read_head (
    single     boolean NOT NULL PRIMARY KEY DEFAULT true CHECK (single),
    audit_read bigint  NOT NULL
) WITH (fillfactor = 10);
INSERT INTO read_head (audit_read) VALUES (0);

-- Every version of every record, in the one global order of changes. Rows are only ever added.
CREATE TABLE version (
    seq     bigint  NOT NULL PRIMARY KEY,
    tenant  bigint  NOT NULL,
    kind    integer NOT NULL,
    record  bytea   NOT NULL,
    version bigint  NOT NULL,
    at      bigint  NOT NULL,
    born    bigint  NOT NULL,
    prev    bigint,
    deleted boolean NOT NULL,
    key     bigint  NOT NULL,
    body    bytea   NOT NULL
);

-- The newest version of each record, deleted or not.
CREATE TABLE current (
    tenant  bigint  NOT NULL,
    kind    integer NOT NULL,
    record  bytea   NOT NULL,
    seq     bigint  NOT NULL,
    version bigint  NOT NULL,
    PRIMARY KEY (tenant, kind, record)
) WITH (fillfactor = 90);

-- What must never be there twice: user names, client ids, MRNs, idempotency keys, criteria, booked slots.
CREATE TABLE claim (
    tenant bigint  NOT NULL,
    scope  integer NOT NULL,
    token  bytea   NOT NULL,
    record bytea   NOT NULL,
    PRIMARY KEY (tenant, scope, token)
);

-- Wrapped keys. `kek` is the key that wraps this one; null: the key provider does.
CREATE TABLE data_key (
    key     bigint NOT NULL PRIMARY KEY,
    tenant  bigint NOT NULL,
    owner   bytea  NOT NULL UNIQUE,
    kek     bigint,
    wrapped bytea  NOT NULL
);
CREATE SEQUENCE data_key_number;

-- Events that wait for their subscribers. Numbers are never used again. `event` is drawn for each; the body is bound to it.
CREATE TABLE outbox (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event  bytea  NOT NULL UNIQUE,
    tenant bigint NOT NULL,
    key    bigint NOT NULL,
    body   bytea  NOT NULL
);

-- Audit entries of writes, in the transaction of the write; and of reads.
CREATE TABLE audit_write (
    ordinal bigint NOT NULL PRIMARY KEY,
    header  bytea  NOT NULL,
    details bytea  NOT NULL
);
CREATE TABLE audit_read (
    ordinal bigint NOT NULL PRIMARY KEY,
    header  bytea  NOT NULL,
    details bytea  NOT NULL
);

-- The Merkle log over both audit streams.
CREATE TABLE log_span (
    position bigint   NOT NULL PRIMARY KEY,
    stream   smallint NOT NULL,
    ordinal  bigint   NOT NULL,
    count    bigint   NOT NULL
);
CREATE UNIQUE INDEX log_span_entry ON log_span (stream, ordinal);

CREATE TABLE log_tile (
    level  smallint NOT NULL,
    number bigint   NOT NULL,
    bytes  bytea  NOT NULL,
    PRIMARY KEY (level, number)
);

-- Numbered from 1 without a gap.
CREATE TABLE log_checkpoint (
    number bigint NOT NULL PRIMARY KEY,
    bytes  bytea  NOT NULL
);

-- Who may do, for a while, what one node alone does.
CREATE TABLE lease (
    name   text        NOT NULL PRIMARY KEY,
    holder bytea       NOT NULL,
    until  timestamptz NOT NULL
);

ALTER TABLE version ALTER body SET STORAGE EXTERNAL;
ALTER TABLE outbox ALTER body SET STORAGE EXTERNAL;
ALTER TABLE audit_write ALTER details SET STORAGE EXTERNAL;
ALTER TABLE audit_read ALTER details SET STORAGE EXTERNAL;
ALTER TABLE log_tile ALTER bytes SET STORAGE EXTERNAL;

-- A transaction sees and writes the rows of the tenant that it names, or of all where it says so; one that names none, nothing.
-- Forced, so that it holds for the owner of the tables too.
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['version', 'current', 'claim', 'data_key', 'outbox'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format(
            'CREATE POLICY own_tenant ON %I USING (current_setting(''iris.tenant'', true) IN (tenant::text, ''*''))',
            name
        );
    END LOOP;
END
$$;
