//! Rows that are kept near at hand, in memory and in a real Redis: they are the rows that the database has, or they are not used.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on ends")]

mod common;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use iris_kernel::{Kind, Secret, Seq, Tenant};
use iris_store::testing::simple;
use iris_store::{
    CacheConfig, Change, Expect, Follower, KeyOwner, PostgresConfig, Put, Server, Store, StoreError, migrations,
};
use iris_testkit::postgres::{Database, RUNTIME};
use iris_testkit::{FaultProxy, ManualClock, Redis, postgres, wait};
use parking_lot::Mutex;

const KIND: Kind = Kind(3);
const ONE: Tenant = Tenant(1);
const TWO: Tenant = Tenant(2);
const NONE: CacheConfig = CacheConfig { bytes: 0, redis: None };
const MEMORY: CacheConfig = CacheConfig { bytes: 1 << 20, redis: None };

fn only(redis: &Redis) -> CacheConfig {
    CacheConfig { bytes: 0, redis: Some(Secret::new(redis.url())) }
}

fn node(base: &Path, name: &str, database: &Database, cache: CacheConfig) -> Store {
    common::node(base, name, PostgresConfig { cache, ..common::postgres_config(database) })
}

fn write(store: &Store, id: &str, text: &str) -> Seq {
    let mut tx = store.begin(ONE);
    let owner = KeyOwner::Patient(store.record_id(ONE, KIND, id));
    tx.put(Put { owner, ..simple(KIND, id, Expect::Absent, 1, text.as_bytes()) });
    tx.commit_blocking().unwrap().first
}

fn text(row: Option<iris_store::Row>) -> Option<String> {
    row.map(|row| String::from_utf8(row.body.to_vec()).unwrap())
}

fn texts(store: &Store, tenant: Tenant, seqs: &[Seq]) -> Result<Vec<Option<String>>, StoreError> {
    Ok(store.rows(tenant, seqs)?.into_iter().map(text).collect())
}

/// Ten rows, and what they say.
fn ten(store: &Store) -> (Vec<Seq>, Vec<Option<String>>) {
    let seqs = (0..10).map(|at| write(store, &format!("id-{at}"), &format!("what nobody may read {at}")));
    (seqs.collect(), (0..10).map(|at| Some(format!("what nobody may read {at}"))).collect())
}

/// Makes every row of the database unreadable, so that an answer that is right was kept.
fn spoil(database: &Database) {
    database.sql("update version set body = '\\x00' || substr(body, 2)");
}

fn is_damaged(store: &Store, seqs: &[Seq]) -> bool {
    matches!(store.rows(ONE, seqs), Err(StoreError::Damaged { .. }))
}

/// Waits until Redis has that many values: it is told, and not waited for.
fn filled(redis: &Redis, count: u64) {
    wait::until(20, "Redis to be filled", || (redis.count() >= count).then_some(()));
}

/// A node over Redis alone that has connected to it.
fn connected(base: &Path, name: &str, database: &Database, redis: &Redis) -> Store {
    let before = clients(redis);
    let store = node(base, name, database, only(redis));
    wait::until(20, "a connection to Redis", || (clients(redis) > before).then_some(()));
    store
}

/// Connections beside the one that asks.
fn clients(redis: &Redis) -> usize {
    redis.ask(&["CLIENT", "LIST"]).lines().filter(|line| line.contains("cmd=ping")).count()
}

#[test]
fn what_a_node_has_written_read_or_heard_of_is_not_asked_for_again() {
    let Some(database) = common::database() else { return };
    let base = tempfile::tempdir().unwrap();
    let [writer, hearer] = ["writer", "hearer"].map(|name| node(base.path(), name, &database, MEMORY));
    let (seqs, expected) = ten(&writer);
    hearer.catch_up().unwrap();
    let reader = node(base.path(), "reader", &database, MEMORY);
    assert_eq!(texts(&reader, ONE, &seqs).unwrap(), expected);
    let without = node(base.path(), "without", &database, NONE);
    spoil(&database);
    for store in [&writer, &hearer, &reader] {
        assert_eq!(texts(store, ONE, &seqs).unwrap(), expected);
        assert_eq!(texts(store, TWO, &seqs).unwrap(), vec![None; 10], "another tenant's rows");
        assert!(
            matches!(store.current(ONE, KIND, "id-1"), Err(StoreError::Damaged { .. })),
            "which row is the newest is asked"
        );
        assert!(!store.scrub().unwrap().is_good(), "a scrub looks at what the database has");
    }
    assert!(is_damaged(&without, &seqs));
    let late = node(base.path(), "late", &database, MEMORY);
    assert!(is_damaged(&late, &seqs));
    database.sql("update version set body = '\\x01' || substr(body, 2)");
    let first: Vec<String> = database.sql("select get_byte(body, 0) from version").lines().map(str::to_owned).collect();
    assert_eq!(first, vec!["1"; 10]);
    database.sql("delete from version");
    assert_eq!(texts(&late, ONE, &seqs).unwrap(), vec![None; 10], "what did not open was not kept");
}

#[test]
fn nodes_share_what_is_sealed_and_nothing_else() {
    let (Some(database), Some(redis)) = (common::database(), Redis::start()) else { return };
    let base = tempfile::tempdir().unwrap();
    let writer = connected(base.path(), "writer", &database, &redis);
    let (seqs, expected) = ten(&writer);
    filled(&redis, 10);
    spoil(&database);
    let reader = connected(base.path(), "reader", &database, &redis);
    assert_eq!(texts(&reader, ONE, &seqs).unwrap(), expected);
    assert_eq!(texts(&reader, TWO, &seqs).unwrap(), vec![None; 10], "another tenant's rows");
    assert!(is_damaged(&node(base.path(), "without", &database, NONE), &seqs));
    let names = redis.ask(&["KEYS", "*"]);
    assert_eq!(names.lines().count(), 10);
    for name in names.lines() {
        assert!(!redis.ask(&["GET", name]).contains("nobody"), "in clear");
        assert!(redis.ask(&["TTL", name]).parse::<u32>().unwrap() > 0, "for good");
    }
}

#[test]
fn what_redis_has_is_what_was_put_there_or_nothing() {
    let (Some(database), Some(redis)) = (common::database(), Redis::start()) else { return };
    let base = tempfile::tempdir().unwrap();
    let writer = connected(base.path(), "writer", &database, &redis);
    let (seqs, expected) = ten(&writer);
    filled(&redis, 10);
    let reader = connected(base.path(), "reader", &database, &redis);
    let names = redis.ask(&["KEYS", "*"]);
    let names: Vec<&str> = names.lines().collect();
    let meddle = |script: &str| {
        for name in &names {
            redis.ask(&["EVAL", script, "1", name]);
        }
    };
    for place in ["1", "17", "40", "-1"] {
        let flip = format!(
            "local v = redis.call('GET', KEYS[1]) local p = {place} if p < 0 then p = #v end \
             v = v:sub(1, p - 1) .. string.char(bit.bxor(v:byte(p), 1)) .. v:sub(p + 1) redis.call('SET', KEYS[1], v)"
        );
        meddle(&flip);
        assert_eq!(texts(&reader, ONE, &seqs).unwrap(), expected, "byte {place}");
        // What came from the database instead has taken its place before the next round.
        wait::until(20, "Redis to be put right", || {
            names.iter().all(|name| redis.ask(&["TTL", name]) != "-1").then_some(())
        });
    }
    // Every value under another's name.
    let first = redis.ask(&["GET", names[0]]).len();
    assert!(first > 0);
    for pair in names.windows(2) {
        redis.ask(&["COPY", pair[0], pair[1], "REPLACE"]);
    }
    assert_eq!(texts(&reader, ONE, &seqs).unwrap(), expected);
    meddle("redis.call('DEL', KEYS[1]) redis.call('RPUSH', KEYS[1], 'a list')");
    assert_eq!(texts(&reader, ONE, &seqs).unwrap(), expected);
    meddle("redis.call('DEL', KEYS[1]) redis.call('SET', KEYS[1], '')");
    assert_eq!(texts(&reader, ONE, &seqs).unwrap(), expected);
}

#[test]
fn a_redis_that_dies_costs_an_answer_nothing_but_time() {
    let (Some(database), Some(mut redis)) = (common::database(), Redis::start()) else { return };
    let base = tempfile::tempdir().unwrap();
    let store = connected(base.path(), "a", &database, &redis);
    let (seqs, expected) = ten(&store);
    filled(&redis, 10);
    redis.kill();
    for _ in 0..5 {
        assert_eq!(texts(&store, ONE, &seqs).unwrap(), expected);
    }
    write(&store, "later", "later");
    redis.restart();
    wait::until(20, "Redis to be used again", || {
        assert_eq!(texts(&store, ONE, &seqs).unwrap(), expected);
        (redis.count() == 10).then_some(())
    });
    // One that is not there at the start either.
    redis.kill();
    let other = node(base.path(), "b", &database, only(&redis));
    assert_eq!(texts(&other, ONE, &seqs).unwrap(), expected);
    write(&other, "later still", "later still");
}

#[test]
fn a_redis_that_hangs_is_left_alone_after_the_first_wait() {
    let (Some(database), Some(redis)) = (common::database(), Redis::start()) else { return };
    let base = tempfile::tempdir().unwrap();
    let store = connected(base.path(), "a", &database, &redis);
    let (seqs, expected) = ten(&store);
    filled(&redis, 10);
    redis.freeze();
    let (_, first) = wait::timed(|| assert_eq!(texts(&store, ONE, &seqs).unwrap(), expected));
    assert!(first >= Duration::from_millis(50), "it was waited for: {first:?}");
    let ((), rest) = wait::timed(|| {
        for _ in 0..100 {
            assert_eq!(texts(&store, ONE, &seqs).unwrap(), expected);
        }
    });
    assert!(rest < Duration::from_millis(50) * 50, "it was waited for again and again: {rest:?}");
    let (_, written) = wait::timed(|| write(&store, "meanwhile", "meanwhile"));
    assert!(written < Duration::from_secs(2), "{written:?}");
    redis.wake();
    wait::until(20, "a connection to Redis", || (clients(&redis) > 0).then_some(()));
    spoil(&database);
    assert_eq!(texts(&store, ONE, &seqs).unwrap(), expected, "it is used again");
}

#[test]
fn a_full_redis_takes_nothing_and_harms_nothing() {
    let (Some(database), Some(redis)) = (common::database(), Redis::start()) else { return };
    let base = tempfile::tempdir().unwrap();
    assert_eq!(redis.ask(&["CONFIG", "SET", "maxmemory", "1"]), "OK");
    let store = connected(base.path(), "a", &database, &redis);
    let (seqs, expected) = ten(&store);
    for _ in 0..5 {
        assert_eq!(texts(&store, ONE, &seqs).unwrap(), expected);
    }
    assert_eq!(redis.count(), 0);
    assert_eq!(redis.ask(&["CONFIG", "SET", "maxmemory", "0"]), "OK");
    wait::until(20, "Redis to be used again", || {
        assert_eq!(texts(&store, ONE, &seqs).unwrap(), expected);
        (redis.count() == 10).then_some(())
    });
}

#[test]
fn a_redis_behind_tls_is_used_where_its_certificate_is_good() {
    let (Some(database), Some(redis)) = (common::database(), Redis::start_with_tls()) else { return };
    let base = tempfile::tempdir().unwrap();
    let tls = |ca: &Path| PostgresConfig {
        cache: only(&redis),
        ca: Some(std::fs::read_to_string(ca).unwrap()),
        ..common::postgres_config(&database)
    };
    let Some(stranger) = Redis::start_with_tls() else { return };
    let wary = common::node(base.path(), "wary", tls(stranger.authority().unwrap()));
    let (seqs, expected) = ten(&wary);
    assert_eq!(texts(&wary, ONE, &seqs).unwrap(), expected);
    let store = common::node(base.path(), "a", tls(redis.authority().unwrap()));
    wait::until(20, "Redis to be used", || {
        assert_eq!(texts(&store, ONE, &seqs).unwrap(), expected);
        (redis.count() == 10).then_some(())
    });
    wary.close();
    store.close();
    // And one that asks in clear is not heard.
    let url = redis.url().replacen("rediss", "redis", 1);
    let clear = CacheConfig { bytes: 0, redis: Some(Secret::new(url)) };
    assert_eq!(texts(&node(base.path(), "clear", &database, clear), ONE, &seqs).unwrap(), expected);
}

/// A failover to a server that does not have the last write yet, of which one node sees nothing until the other has written as
/// much as was lost. Whatever that node remembers is of a history that did not happen.
struct Lost {
    _primary: postgres::Server,
    _standby: postgres::Server,
    redis: Redis,
    proxy: FaultProxy,
    base: tempfile::TempDir,
    /// The node that wrote what is lost.
    old: Store,
    kept: Seq,
    lost: Seq,
    after: PostgresConfig,
}

impl Lost {
    /// What is lost is a row, or else only an event of another tenant, with the keys of that tenant.
    fn failover(is_row: bool) -> Option<Self> {
        let (mut primary, redis) = (postgres::Server::start(&[])?, Redis::start()?);
        let base = tempfile::tempdir().unwrap();
        let database = primary.database();
        migrations::apply(&common::postgres_config(&database), &ManualClock::default()).unwrap();
        let mut standby = primary.standby("second");
        let proxy = FaultProxy::to(standby.endpoint().port);
        let config = |second: u16| {
            let (password, ports) = (&primary.endpoint().password, [primary.endpoint().port, second]);
            let hosts = ports.map(|port| format!("127.0.0.1:{port}")).join(",");
            let url =
                format!("postgres://{RUNTIME}:{password}@{hosts}/{}?target_session_attrs=read-write", database.name());
            let cache = CacheConfig { bytes: 1 << 20, redis: Some(Secret::new(redis.url())) };
            PostgresConfig { cache, ..PostgresConfig::new(Server::here(Secret::new(url))) }
        };
        let after = config(standby.endpoint().port);
        let old = common::node(base.path(), "old", config(proxy.port()));
        let kept = write(&old, "kept", "kept");
        primary.await_streaming("second");
        standby.kill();
        let lost = if is_row {
            let lost = write(&old, "lost", "lost");
            wait::until(20, "the lost row to be in Redis", || {
                texts(&old, ONE, &[kept, lost]).unwrap();
                (named(&redis, lost) == 1).then_some(())
            });
            lost
        } else {
            let mut tx = old.begin(TWO);
            tx.event(b"lost");
            tx.commit_blocking().unwrap().first
        };
        primary.kill();
        proxy.refuse();
        standby.restart();
        standby.promote();
        Some(Self { _primary: primary, _standby: standby, redis, proxy, base, old, kept, lost, after })
    }
}

/// How many rows of that number Redis has.
fn named(redis: &Redis, seq: Seq) -> usize {
    redis.ask(&["KEYS", "*"]).lines().filter(|name| name.ends_with(&format!(":{}", seq.0))).count()
}

/// Nobody may be given the lost row for the one that has its number now, out of their memory or out of Redis, whose content
/// outlives both servers and all processes.
#[test]
fn a_number_that_was_used_twice_means_the_row_that_the_database_has() {
    let Some(Lost { redis, proxy, base, old, kept, lost, after, .. }) = &Lost::failover(true) else { return };
    let fresh = common::node(base.path(), "fresh", after.clone());
    let reused = write(&fresh, "found", "found");
    assert_eq!(reused, *lost, "the number is used again");
    wait::until(20, "both rows to be in Redis", || (named(redis, reused) == 2).then_some(()));
    let of_redis = PostgresConfig { cache: only(redis), ..after.clone() };
    let of_redis = common::node(base.path(), "redis", of_redis);
    let expected = vec![Some("kept".to_owned()), Some("found".to_owned())];
    for _ in 0..20 {
        assert_eq!(texts(&fresh, ONE, &[*kept, reused]).unwrap(), expected);
        assert_eq!(texts(&of_redis, ONE, &[*kept, reused]).unwrap(), expected);
    }
    // The old node's followers know of a row that never was: its head alone does not show it.
    let told = Arc::new(Told::default());
    old.follow(Arc::clone(&told) as _);
    proxy.heal();
    let why = wait::until(20, "the old node to notice", || {
        old.catch_up().err().filter(|why| why.to_string().contains("Start this node again"))
    });
    assert!(matches!(why, StoreError::Unavailable(_)), "{why}");
    assert!(!old.writing());
    assert!(matches!(old.rows(ONE, &[*kept, reused]), Err(StoreError::Unavailable(_))));
    assert!(told.0.lock().is_empty(), "nothing more is told after what never was");
    let again = common::node(base.path(), "again", after.clone());
    assert_eq!(texts(&again, ONE, &[*kept, reused]).unwrap(), expected);
    assert_eq!(again.current(ONE, KIND, "lost").unwrap(), None);
}

/// A server for reading that had the lost write, and stays where it was, is not asked for what has its number now.
#[test]
fn a_server_that_follows_another_history_is_not_asked() {
    let Some(mut primary) = postgres::Server::start(&[]) else { return };
    let base = tempfile::tempdir().unwrap();
    let database = primary.database();
    migrations::apply(&common::postgres_config(&database), &ManualClock::default()).unwrap();
    let (mut next, reads) = (primary.standby("next"), primary.standby("reads"));
    let old = node(base.path(), "old", &database, NONE);
    let kept = write(&old, "kept", "kept");
    for name in ["next", "reads"] {
        primary.await_streaming(name);
    }
    next.kill();
    let lost = write(&old, "lost", "lost");
    let head = || reads.endpoint().sql(database.name(), "select seq - 1 from head").trim().to_owned();
    wait::until(20, "the server for reading to have it", || (head() == lost.0.to_string()).then_some(()));
    primary.kill();
    next.restart();
    next.promote();
    let config = PostgresConfig {
        server: Server::here(Secret::new(next.endpoint().url(RUNTIME, database.name()))),
        replicas: vec![Server::here(Secret::new(reads.endpoint().url(RUNTIME, database.name())))],
        cache: NONE,
        ..common::postgres_config(&database)
    };
    let fresh = common::node(base.path(), "fresh", config);
    let reused = write(&fresh, "found", "found");
    assert_eq!(reused, lost, "the number is used again");
    let mut rounds = 0;
    wait::until(20, "some looks at the servers that follow", || {
        let expected = [Some("kept".to_owned()), Some("found".to_owned())];
        assert_eq!(texts(&fresh, ONE, &[kept, reused]).unwrap(), expected);
        assert_eq!(text(fresh.current(ONE, KIND, "found").unwrap()).as_deref(), Some("found"));
        rounds += 1;
        (rounds > 20).then_some(())
    });
    assert_eq!(fresh.replicas(), [Seq(0)], "it shows");
}

/// The numbers that a follower was told of.
#[derive(Default)]
struct Told(Mutex<Vec<u64>>);

impl Follower for Told {
    fn committed(&self, changes: &mut [Change]) {
        self.0.lock().extend(changes.iter().map(|change| change.seq.0));
    }
}

/// A write of the old node that is the first to meet the new server, whose head is higher than what was lost.
#[test]
fn a_node_whose_history_was_lost_tells_nobody_of_its_own_writes_either() {
    let Some(Lost { proxy, base, old, after, lost, .. }) = &Lost::failover(true) else { return };
    let fresh = common::node(base.path(), "fresh", after.clone());
    for id in ["found", "and", "more"] {
        write(&fresh, id, id);
    }
    let told = Arc::new(Told::default());
    old.follow(Arc::clone(&told) as _);
    proxy.heal();
    let mut written = Vec::new();
    wait::until(20, "the old node to notice", || {
        let mut tx = old.begin(ONE);
        tx.put(simple(KIND, &format!("own-{}", written.len()), Expect::Absent, 1, b"own"));
        written.extend(tx.commit_blocking().map(|committed| committed.first));
        (!old.writing()).then_some(())
    });
    assert!(told.0.lock().is_empty(), "{:?} after {lost:?}", told.0.lock());
    for seq in written {
        assert_eq!(texts(&fresh, ONE, &[seq]).unwrap(), [Some("own".to_owned())], "what was acknowledged is there");
    }
}

/// A node that still had the key of a lost write would seal with it what nobody can ever open. The write that is lost has a key
/// and no row, so that the node can go on.
#[test]
fn a_key_that_was_lost_seals_nothing_any_more() {
    let Some(Lost { proxy, base, old, after, kept, .. }) = &Lost::failover(false) else { return };
    let fresh = common::node(base.path(), "fresh", after.clone());
    let found = write(&fresh, "found", "found");
    proxy.heal();
    let seqs = wait::until(20, "the old node to reach the database", || {
        let mut tx = old.begin(TWO);
        tx.put(simple(KIND, "again", Expect::Absent, 1, b"again"));
        tx.event(b"an event");
        tx.commit_blocking().ok()
    });
    assert_eq!(texts(&fresh, TWO, &seqs.seqs).unwrap(), [Some("again".to_owned())]);
    let unknowing = common::node(base.path(), "unknowing", PostgresConfig { cache: NONE, ..after.clone() });
    assert_eq!(texts(&unknowing, TWO, &seqs.seqs).unwrap(), [Some("again".to_owned())]);
    assert!(unknowing.outbox(0, 9).unwrap().iter().any(|event| event.body == b"an event"));
    assert!(unknowing.scrub().unwrap().is_good());
    old.catch_up().unwrap();
    let expected = [Some("kept".to_owned()), Some("found".to_owned())];
    assert_eq!(texts(old, ONE, &[*kept, found]).unwrap(), expected, "nothing that it knows of was lost");
}

#[test]
fn a_database_that_has_gone_back_is_not_answered_for() {
    let Some(database) = common::database() else { return };
    let base = tempfile::tempdir().unwrap();
    let store = node(base.path(), "a", &database, MEMORY);
    let (seqs, expected) = ten(&store);
    assert_eq!(texts(&store, ONE, &seqs).unwrap(), expected);
    database.sql("update head set seq = 5; delete from current; delete from version where seq >= 5");
    wait::until(20, "the store to notice", || store.catch_up().err());
    assert!(matches!(store.rows(ONE, &seqs), Err(StoreError::Unavailable(_))));
}

/// All databases of this test come from one template and are known by one Redis: what tells them apart is what a server says.
#[test]
fn postgres_with_a_shared_cache_obeys_every_law() {
    let (Some(first), Some(redis)) = (common::database(), Redis::start()) else { return };
    let base = tempfile::tempdir().unwrap();
    let mut databases = vec![first];
    iris_store::testing::exercise(|| {
        databases.push(common::database().unwrap());
        let (name, database) = (databases.len().to_string(), databases.last().unwrap());
        node(base.path(), &name, database, only(&redis))
    });
}
