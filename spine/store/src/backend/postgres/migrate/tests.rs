use std::path::Path;

use iris_kernel::{Kind, Secret, Tenant, Timestamp, Version};
use iris_testkit::postgres::{self, Database};
use iris_testkit::{ManualClock, SeededEntropy};

use super::*;
use crate::{Expect, KeyOwner, Put, Store, StoreConfig, keyfile};

const TWO: Migration = Migration {
    number: 2,
    name: "0002_two",
    text: "ALTER TABLE version ADD COLUMN extra integer; CREATE TABLE two (x integer);",
    oldest: 1,
};
const TWO_CHANGED: Migration = Migration { text: "CREATE TABLE two (x bigint);", ..TWO };
const THREE: Migration = Migration { number: 3, name: "0003_three", text: "DROP TABLE two;", oldest: 3 };

fn first_list() -> Vec<Migration> {
    list(&[])
}

/// What this program really has, and further ones.
fn list(more: &[Migration]) -> Vec<Migration> {
    let copy = |one: &Migration| Migration { number: one.number, name: one.name, text: one.text, oldest: one.oldest };
    MIGRATIONS.iter().chain(more).map(copy).collect()
}

fn server_at(url: String) -> Server {
    Server::here(Secret::new(url))
}

fn config(database: &Database) -> PostgresConfig {
    PostgresConfig { owner: Some(server_at(database.owner_url())), ..PostgresConfig::new(server_at(database.url())) }
}

fn apply_these(config: &PostgresConfig, list: &[Migration]) -> Result<Plan, OpenError> {
    applied_list(config, list, &ManualClock::default())
}

/// What a start of a program with this list says.
fn start(config: &PostgresConfig, list: &[Migration]) -> Result<(), OpenError> {
    let engine = Engine::start()?;
    let link = Link::new(config, &config.server, &engine)?;
    ready_list(config, &link, &engine, list, &ManualClock::default())
}

fn said(result: Result<(), OpenError>) -> String {
    result.unwrap_err().to_string()
}

/// A store of the program as it is, whatever else is in its database.
fn store(folder: &Path, config: PostgresConfig) -> Result<Store, OpenError> {
    let entropy = Arc::new(SeededEntropy::new(7));
    let key = keyfile::open_or_create(&folder.join("key"), None, entropy.clone(), true)?;
    let config = StoreConfig::new(folder).with_database(crate::Database::Postgres(config));
    Store::open(config, Arc::new(key), Arc::new(ManualClock::default()), entropy)
}

fn write(store: &Store, id: &str) -> bool {
    let mut tx = store.begin(Tenant(1));
    tx.put(Put {
        kind: Kind(7),
        id,
        expect: Expect::Absent,
        version: Version::FIRST,
        born: None,
        at: Timestamp(1),
        head: b"",
        body: b"body",
        owner: KeyOwner::Tenant,
        deleted: false,
        shadow: None,
    });
    tx.commit_blocking().is_ok()
}

#[test]
fn a_release_works_on_the_schema_of_the_next_one_and_not_on_one_that_forbids_it() {
    let Some(database) = Database::empty() else { return };
    let (config, folder) = (config(&database), tempfile::tempdir().unwrap());
    let (old, new, newest) = (first_list(), list(&[TWO]), list(&[TWO, THREE]));
    start(&config, &old).unwrap();
    let pending = said(start(&config, &new));
    assert!(pending.contains("0002_two") && pending.contains("iris migrate --apply"), "{pending}");
    assert_eq!(pending, said(checked_list(&config, &new)));
    let before = apply_these(&config, &new).unwrap();
    assert_eq!(before.pending().collect::<Vec<_>>(), [(2, "0002_two")]);
    for program in [&old, &new] {
        start(&config, program).unwrap();
        checked_list(&config, program).unwrap();
    }
    let older = store(folder.path(), config.clone()).unwrap();
    assert!(write(&older, "a"), "the older program goes on writing");
    drop(older);
    apply_these(&config, &newest).unwrap();
    start(&config, &newest).unwrap();
    for program in [&old, &new] {
        assert!(matches!(start(&config, program), Err(OpenError::Newer { found: 3, .. })));
        assert!(matches!(apply_these(&config, program), Err(OpenError::Newer { found: 3, .. })));
    }
    assert!(store(folder.path(), config).is_err());
}

#[test]
fn a_migration_that_was_changed_afterwards_is_drift() {
    let Some(database) = Database::empty() else { return };
    let config = config(&database);
    apply_these(&config, &list(&[TWO])).unwrap();
    let changed = list(&[TWO_CHANGED]);
    assert!(matches!(start(&config, &changed), Err(OpenError::Drift { number: 2, .. })));
    assert!(matches!(apply_these(&config, &changed), Err(OpenError::Drift { number: 2, .. })));
    // One of ours that others skipped is not drift; it is pending.
    let newer = Migration { number: 3, ..TWO };
    assert!(matches!(
        start(&config, &list(&[Migration { number: 4, ..newer }])),
        Err(OpenError::Drift { number: 2, .. })
    ));
}

#[test]
fn a_server_that_is_too_old_follows_or_forgets_is_refused() {
    let traits = |version, follows, fsync: &str, commit: &str| Traits {
        version,
        follows,
        fsync: fsync.into(),
        commit: commit.into(),
        named: "14.9 (Debian)".into(),
    };
    let said = |traits: Traits| said(traits.judge());
    traits(150_000, false, "on", "on").judge().unwrap();
    traits(150_000, false, "on", "remote_apply").judge().unwrap();
    let old = said(traits(149_999, false, "on", "on"));
    assert!(old.contains("14.9 (Debian)") && old.contains("upgrade"), "{old}");
    assert!(said(traits(150_000, true, "on", "on")).contains("target_session_attrs=read-write"));
    assert!(said(traits(150_000, false, "off", "on")).contains("fsync"));
    assert!(said(traits(150_000, false, "on", "off")).contains("synchronous_commit"));
}

#[test]
fn a_standby_is_no_primary_and_a_server_without_flushes_is_none_at_all() {
    let Some(primary) = postgres::Server::start(&["fsync = off"]) else { return };
    let database = primary.database();
    let (forgetful, here) = (config(&database), config(&database));
    let refused = said(start(&forgetful, &first_list()));
    assert!(refused.contains("fsync"), "{refused}");
    assert!(said(apply_these(&forgetful, &first_list()).map(drop)).contains("fsync"));
    assert!(database.sql("select to_regclass('version')").is_empty(), "nothing was made");
    let mut primary = primary;
    primary.configure(&["fsync = on"]);
    primary.stop();
    primary.restart();
    start(&here, &first_list()).unwrap();
    let standby = primary.standby("one");
    let url = |role| server_at(standby.endpoint().url(role, database.name()));
    let there = PostgresConfig { owner: Some(url(postgres::OWNER)), ..PostgresConfig::new(url(postgres::RUNTIME)) };
    let refused = said(start(&there, &first_list()));
    assert!(refused.contains("follows another server"), "{refused}");
    assert!(said(checked_list(&there, &first_list())).contains("follows another server"));
}

#[test]
fn a_lock_that_somebody_holds_is_waited_for_briefly_and_nothing_is_half_applied() {
    let Some(database) = Database::empty() else { return };
    let config = config(&database);
    apply_these(&config, &first_list()).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let holder = runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(&database.owner_url(), tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        client.batch_execute("BEGIN; LOCK TABLE version IN ACCESS SHARE MODE").await.unwrap();
        client
    });
    let before_lock = Migration { text: "CREATE TABLE two (x integer); ALTER TABLE version ADD extra integer;", ..TWO };
    let refused = said(apply_these(&config, &list(&[before_lock])).map(drop));
    assert!(refused.contains("0002_two") && refused.contains("try again"), "{refused}");
    assert!(database.sql("select to_regclass('two')").is_empty(), "the table before the lock is not there either");
    assert_eq!(database.sql("select max(number) from migration"), "1");
    drop((holder, runtime));
    apply_these(&config, &list(&[TWO])).unwrap();
}

#[test]
fn several_who_apply_at_once_take_turns() {
    let Some(database) = Database::empty() else { return };
    let config = config(&database);
    std::thread::scope(|scope| {
        let all: Vec<_> = (0..6).map(|_| scope.spawn(|| apply_these(&config, &list(&[TWO, THREE])))).collect();
        for one in all {
            one.join().unwrap().unwrap();
        }
    });
    assert_eq!(database.sql("select string_agg(number::text, ' ' order by number) from migration"), "1 2 3");
}

#[test]
fn a_role_that_may_not_make_tables_is_told_which_one_to_name() {
    let Some(database) = Database::empty() else { return };
    let alone = PostgresConfig::new(server_at(database.url()));
    for refused in
        [start(&alone, MIGRATIONS), apply_these(&alone, MIGRATIONS).map(drop), checked_list(&alone, MIGRATIONS)]
    {
        let refused = said(refused);
        assert!(refused.contains("IRIS_DATABASE_MIGRATE_URL"), "{refused}");
    }
    checked_list(&config(&database), MIGRATIONS).unwrap();
}

#[test]
fn the_role_of_the_rows_may_do_what_it_needs_and_no_more() {
    let Some(database) = Database::empty() else { return };
    let (config, folder) = (config(&database), tempfile::tempdir().unwrap());
    apply_these(&config, MIGRATIONS).unwrap();
    let running = store(folder.path(), config).unwrap();
    assert!(write(&running, "a"));
    let attempt = |statement: &str| {
        database.try_sql(postgres::RUNTIME, &format!("begin; set local iris.tenant = '*'; {statement}; rollback"))
    };
    for table in ["version", "audit_write", "audit_read", "data_key", "log_span", "log_checkpoint", "meta", "migration"]
    {
        attempt(&format!("select count(*) from {table}")).unwrap();
        let column = database
            .sql(&format!("select attname from pg_attribute where attrelid = '{table}'::regclass and attnum = 1"));
        for forbidden in [
            format!("update {table} set {column} = {column}"),
            format!("delete from {table}"),
            format!("truncate {table}"),
        ] {
            let refused = attempt(&forbidden).unwrap_err();
            assert!(refused.contains("permission denied"), "{forbidden}: {refused}");
        }
    }
    for forbidden in [
        "delete from current",
        "delete from head",
        "insert into head (seq, audit_write) values (1, 1)",
        "insert into migration values (9, 'x', '', 1, 1)",
        "update outbox set body = ''",
        "create table mine (x integer)",
        "alter table version disable row level security",
        "drop policy own_tenant on version",
        "set session_replication_role = replica",
    ] {
        let refused = attempt(forbidden).unwrap_err();
        assert!(refused.contains("permission denied") || refused.contains("must be owner"), "{forbidden}: {refused}");
    }
}
