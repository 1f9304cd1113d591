//! Several nodes over one PostgreSQL database: one order, nothing twice, nothing lost, and nothing of another tenant.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on ends")]

mod common;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use iris_kernel::{Kind, RecordId, Secret, Seq, Tenant};
use iris_store::testing::simple;
use iris_store::{
    AuditRow, Change, ClaimExpect, ClaimScope, CommitError, Expect, Follower, KeyOwner, OpenError, PostgresConfig, Put,
    Server, Store, StoreError, Stream,
};
use iris_testkit::FaultProxy;
use iris_testkit::postgres::{Database, RUNTIME, Server as Own};
use parking_lot::Mutex;

const KIND: Kind = Kind(3);
const SCOPE: ClaimScope = ClaimScope(9);
const ONE: Tenant = Tenant(1);

fn two(base: &Path, database: &Database) -> [Store; 2] {
    ["a", "b"].map(|name| common::node(base, name, common::postgres_config(database)))
}

/// The same database through a proxy.
fn through(proxy: &FaultProxy, database: &Database) -> PostgresConfig {
    let url = database.endpoint().behind(proxy.port()).url(RUNTIME, database.name());
    PostgresConfig { server: Server::here(Secret::new(url)), ..common::postgres_config(database) }
}

fn write(store: &Store, tenant: Tenant, id: &str) -> Result<Seq, CommitError> {
    let mut tx = store.begin(tenant);
    let record = store.record_id(tenant, KIND, id);
    tx.put(Put { owner: KeyOwner::Patient(record), ..simple(KIND, id, Expect::Absent, 1, id.as_bytes()) });
    tx.claim(SCOPE, &[id.as_bytes()], ClaimExpect::Absent, record);
    tx.event(id.as_bytes());
    tx.audit(AuditRow { header: id.as_bytes().to_vec(), details: vec![1] });
    tx.commit_blocking().map(|committed| committed.first)
}

fn body(store: &Store, tenant: Tenant, id: &str) -> Result<Option<String>, StoreError> {
    let row = store.current(tenant, KIND, id)?;
    Ok(row.map(|row| String::from_utf8(row.body.to_vec()).unwrap()))
}

/// Everything that a follower was told, with who wrote it: a change of another node brings its row.
#[derive(Default)]
struct Told(Mutex<Vec<(u64, bool)>>);

impl Follower for Told {
    fn committed(&self, changes: &mut [Change]) {
        self.0.lock().extend(changes.iter().map(|change| (change.seq.0, change.row.is_some())));
    }
}

#[test]
fn all_nodes_hear_of_everything_in_one_order() {
    let Some(database) = common::database() else { return };
    let base = tempfile::tempdir().unwrap();
    let nodes = two(base.path(), &database);
    let told = [(); 2].map(|()| Arc::new(Told::default()));
    for (node, told) in nodes.iter().zip(&told) {
        node.follow(Arc::clone(told) as _);
    }
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let (node, told) = (&nodes[thread % 2], &told[thread % 2]);
            scope.spawn(move || {
                for count in 0..40 {
                    let seq = write(node, ONE, &format!("{thread}-{count}")).unwrap();
                    assert!(told.0.lock().iter().any(|(heard, _)| *heard == seq.0), "told before the answer");
                }
            });
        }
    });
    for (node, told) in nodes.iter().zip(&told) {
        assert_eq!(node.catch_up().unwrap(), Seq(320));
        let told = told.0.lock();
        assert_eq!(told.iter().map(|(seq, _)| *seq).collect::<Vec<_>>(), (1..=320).collect::<Vec<_>>());
        let foreign = told.iter().filter(|(_, is_foreign)| *is_foreign).count();
        assert!(foreign >= 160, "what another node wrote comes with its row: {foreign}");
    }
    for thread in 0..8 {
        let id = format!("{thread}-7");
        assert_eq!(body(&nodes[(thread + 1) % 2], ONE, &id).unwrap().as_ref(), Some(&id));
    }
    assert_eq!(nodes[0].audit_head(Stream::Writes).unwrap(), 320);
    assert!(nodes[1].scrub().unwrap().is_good());
}

/// A follower that cannot take what another node wrote.
struct Broken;

impl Follower for Broken {
    fn committed(&self, changes: &mut [Change]) {
        assert!(changes.iter().all(|change| change.row.is_none()), "on purpose");
    }
}

#[test]
fn a_node_whose_followers_panic_shows_it() {
    let Some(database) = common::database() else { return };
    let base = tempfile::tempdir().unwrap();
    let [one, other] = two(base.path(), &database);
    one.follow(Arc::new(Broken));
    write(&one, ONE, "own").unwrap();
    assert!(one.writing());
    write(&other, ONE, "other").unwrap();
    iris_testkit::wait::until(20, "the node to show it", || (!one.writing()).then_some(()));
    assert!(other.writing());
}

#[test]
fn a_claim_is_won_once_among_nodes() {
    let Some(database) = common::database() else { return };
    let base = tempfile::tempdir().unwrap();
    let nodes = two(base.path(), &database);
    let won = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for at in 0..50 {
            let (node, won) = (&nodes[at % 2], &won);
            scope.spawn(move || {
                let id = format!("taker-{at}");
                let mut tx = node.begin(ONE);
                tx.put(simple(KIND, &id, Expect::Absent, 1, b"me"));
                tx.claim(SCOPE, &[b"the one"], ClaimExpect::Absent, node.record_id(ONE, KIND, &id));
                match tx.commit_blocking() {
                    Ok(_) => won.lock().push(id),
                    Err(CommitError::Conflict { .. }) => assert_eq!(body(node, ONE, &id).unwrap(), None),
                    Err(other) => panic!("{other}"),
                }
            });
        }
    });
    let won = won.into_inner();
    assert_eq!(won.len(), 1);
    let holder = nodes[1].claim_holder(ONE, SCOPE, &[b"the one"]).unwrap();
    assert_eq!(holder, Some(nodes[0].record_id(ONE, KIND, &won[0])));
    assert_eq!(nodes[0].catch_up().unwrap(), Seq(1));
}

#[test]
fn entries_of_reads_of_all_nodes_stand_in_one_stream() {
    let Some(database) = common::database() else { return };
    let base = tempfile::tempdir().unwrap();
    let nodes = two(base.path(), &database);
    std::thread::scope(|scope| {
        for thread in 0..8_u8 {
            let node = &nodes[usize::from(thread) % 2];
            scope.spawn(move || {
                for count in 0..25 {
                    let row = |part| AuditRow { header: vec![thread, count, part], details: vec![0; 100] };
                    node.journal().append_blocking(vec![row(0), row(1)]).unwrap();
                }
            });
        }
    });
    let rows = nodes[0].audit_rows(Stream::Reads, 0, 1_000).unwrap();
    assert_eq!(nodes[1].audit_head(Stream::Reads).unwrap(), 400);
    assert_eq!(rows.iter().map(|(ordinal, _)| *ordinal).collect::<Vec<_>>(), (0..400).collect::<Vec<_>>());
    for pair in rows.chunks(2) {
        let [first, second] = [&pair[0].1.header, &pair[1].1.header];
        assert_eq!(
            (first[..2].to_vec(), first[2], second[2]),
            (second[..2].to_vec(), 0, 1),
            "one call stands together"
        );
    }
}

#[test]
fn one_has_a_lease_until_its_time_is_over() {
    let Some(database) = common::database() else { return };
    let base = tempfile::tempdir().unwrap();
    let [one, other] = two(base.path(), &database);
    let long = Duration::from_secs(60);
    assert!(one.lease("sign", long).unwrap());
    assert!(!other.lease("sign", long).unwrap());
    assert!(other.lease("something else", long).unwrap());
    assert!(one.lease("sign", Duration::ZERO).unwrap(), "renewed, and given back");
    assert!(other.lease("sign", long).unwrap());
    assert!(!one.lease("sign", long).unwrap());
}

#[test]
fn connections_that_are_cut_lose_nothing_and_leave_nothing_half_written() {
    let Some(database) = common::database() else { return };
    let base = tempfile::tempdir().unwrap();
    let proxy = FaultProxy::to(database.endpoint().port);
    let node = common::node(base.path(), "a", through(&proxy, &database));
    let (ending, acknowledged) = (AtomicBool::new(false), Mutex::new(Vec::new()));
    let refused = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for thread in 0..6 {
            let (node, ending, acknowledged, refused) = (&node, &ending, &acknowledged, &refused);
            scope.spawn(move || {
                for count in 0.. {
                    if ending.load(Ordering::Relaxed) {
                        return;
                    }
                    let id = format!("{thread}-{count}");
                    match write(node, ONE, &id) {
                        Ok(_) => acknowledged.lock().push(id),
                        Err(CommitError::Unavailable(_)) => {
                            refused.lock().push(id);
                            iris_testkit::wait::until(30, "the database answers", || node.catch_up().ok());
                        }
                        Err(other) => panic!("{other}"),
                    }
                }
            });
        }
        for _ in 0..20 {
            let before = acknowledged.lock().len();
            iris_testkit::wait::until(30, "writes go on", || (acknowledged.lock().len() > before + 5).then_some(()));
            proxy.cut();
        }
        ending.store(true, Ordering::Relaxed);
    });
    iris_testkit::wait::until(30, "the database answers again", || node.catch_up().ok());
    for id in acknowledged.into_inner() {
        assert_eq!(body(&node, ONE, &id).unwrap().as_ref(), Some(&id), "acknowledged");
    }
    // What got no answer is there as a whole or not at all.
    for id in refused.into_inner() {
        let there = body(&node, ONE, &id).unwrap().is_some();
        let held = node.claim_holder(ONE, SCOPE, &[id.as_bytes()]).unwrap().is_some();
        assert_eq!(there, held, "{id}");
    }
    let head = node.head().0;
    assert_eq!(node.audit_head(Stream::Writes).unwrap(), head, "one entry for each write");
    assert_eq!(node.outbox(0, 100_000).unwrap().len() as u64, head);
    assert!(node.scrub().unwrap().is_good());
}

#[test]
fn a_database_that_has_gone_back_is_not_used_any_more() {
    let Some(database) = common::database() else { return };
    let base = tempfile::tempdir().unwrap();
    let node = common::node(base.path(), "a", common::postgres_config(&database));
    for id in ["x", "y"] {
        write(&node, ONE, id).unwrap();
    }
    // What a failover to a server that did not have the last write looks like.
    database.sql(
        "set iris.tenant = '*'; delete from version where seq = 2; delete from current where seq = 2; \
         delete from claim where (select count(*) from claim) > 1 and record not in (select record from current); \
         update head set seq = 2",
    );
    assert!(matches!(node.catch_up(), Err(StoreError::Unavailable(why)) if why.contains("Start this node again")));
    assert!(!node.writing());
    assert!(write(&node, ONE, "z").is_err());
    assert!(body(&node, ONE, "x").is_err(), "nothing more is asked of it");
    node.close();
    let again = common::node(base.path(), "a", common::postgres_config(&database));
    assert_eq!(body(&again, ONE, "x").unwrap().as_deref(), Some("x"));
    assert_eq!(body(&again, ONE, "y").unwrap(), None);
    assert_eq!(write(&again, ONE, "z").unwrap(), Seq(2));
}

#[test]
fn tenants_do_not_leak_through_shared_connections() {
    let Some(database) = common::database() else { return };
    let base = tempfile::tempdir().unwrap();
    let config = PostgresConfig { connections: 3, ..common::postgres_config(&database) };
    let node = common::node(base.path(), "a", config);
    let tenants: Vec<Tenant> = (1..=8).map(Tenant).collect();
    let mut seqs = Vec::new();
    for tenant in &tenants {
        for at in 0..4 {
            seqs.push((*tenant, write(&node, *tenant, &format!("{}-{at}", tenant.0)).unwrap()));
        }
    }
    let requests = if std::env::var_os("IRIS_SOAK").is_some() { 100_000 } else { 4_000 };
    std::thread::scope(|scope| {
        for (thread, tenant) in tenants.iter().enumerate() {
            let (node, seqs) = (&node, &seqs);
            scope.spawn(move || {
                for at in 0..requests / 8 {
                    let other = (thread + at) % 8 + 1;
                    let found = body(node, *tenant, &format!("{other}-{}", at % 4)).unwrap();
                    assert_eq!(found.is_some(), other == thread + 1);
                    let (owner, seq) = seqs[(at * 7) % seqs.len()];
                    let found = node.rows(*tenant, &[seq]).unwrap();
                    assert_eq!(found[0].is_some(), owner == *tenant);
                }
            });
        }
    });
    // The role that IRIS runs as, in a transaction that forgets to name a tenant, or names another one.
    let count = |naming: &str| {
        let counts = ["version", "current", "claim", "data_key", "outbox"]
            .map(|table| format!("(select count(*) from {table})"))
            .join(" + ");
        database.try_sql(RUNTIME, &format!("begin; {naming}; select {counts}; commit")).unwrap()
    };
    assert_eq!(count("select").trim(), "0");
    assert_eq!(count("set local iris.tenant = '77'").trim(), "0");
    assert_ne!(count("set local iris.tenant = '3'").trim(), "0");
    let foreign = "begin; set local iris.tenant = '3'; insert into claim values (4, 1, '\\x00', '\\x00'); commit";
    assert!(database.try_sql(RUNTIME, foreign).unwrap_err().contains("row-level security"));
}

#[test]
fn the_wrong_key_and_a_second_first_start_are_refused() {
    let Some(database) = common::database() else { return };
    let base = tempfile::tempdir().unwrap();
    let first = common::node(base.path(), "a", common::postgres_config(&database));
    write(&first, ONE, "x").unwrap();
    let other = tempfile::tempdir().unwrap();
    let refused = common::try_node(other.path(), "b", common::postgres_config(&database));
    assert!(matches!(refused, Err(OpenError::WrongKey(_))), "{:?}", refused.err());
    assert_eq!(body(&first, ONE, "x").unwrap().as_deref(), Some("x"));
}

#[test]
fn a_first_key_is_made_once_by_two_nodes() {
    let Some(database) = common::database() else { return };
    let base = tempfile::tempdir().unwrap();
    let nodes = two(base.path(), &database);
    for round in 0..10_u32 {
        let (tenant, patient) = (Tenant(10 + round), RecordId([u8::try_from(round).unwrap(); 16]));
        std::thread::scope(|scope| {
            for (at, node) in nodes.iter().enumerate() {
                scope.spawn(move || {
                    let id = format!("{at}");
                    let mut tx = node.begin(tenant);
                    let put = simple(KIND, &id, Expect::Absent, 1, id.as_bytes());
                    tx.put(Put { owner: KeyOwner::Patient(patient), ..put });
                    tx.commit_blocking().unwrap();
                });
            }
        });
        for (at, node) in nodes.iter().enumerate() {
            let id = format!("{}", 1 - at);
            assert_eq!(body(node, tenant, &id).unwrap(), Some(id), "sealed by the other node under the one key");
        }
    }
}

#[test]
fn a_server_that_follows_answers_what_it_has_and_nothing_older() {
    let Some(primary) = Own::start(&["log_statement = 'all'"]) else { return };
    let database = primary.database();
    let base = tempfile::tempdir().unwrap();
    iris_store::migrations::apply(&common::postgres_config(&database), &iris_testkit::ManualClock::default()).unwrap();
    let standby = primary.standby("follower");
    primary.await_streaming("follower");
    let follower = standby.endpoint().url(RUNTIME, database.name());
    let replicas = vec![Server::here(Secret::new(follower))];
    let node = common::node(base.path(), "a", PostgresConfig { replicas, ..common::postgres_config(&database) });
    let first = write(&node, ONE, "x").unwrap();
    let caught_up = |node: &Store| node.replicas().first().is_some_and(|head| *head >= node.head());
    iris_testkit::wait::until(20, "the follower has it", || caught_up(&node).then_some(()));
    let looks = || standby.log().matches("FROM version v WHERE v.seq = ").count();
    let before = looks();
    for _ in 0..50 {
        assert_eq!(body(&node, ONE, "x").unwrap().as_deref(), Some("x"));
        assert!(node.rows(ONE, &[first]).unwrap()[0].is_some());
    }
    assert!(looks() >= before + 50, "the follower was asked");
    // Behind: it must not be asked for what it does not have.
    standby.endpoint().sql("postgres", "select pg_wal_replay_pause()");
    for at in 0..20 {
        let id = format!("y{at}");
        let seq = write(&node, ONE, &id).unwrap();
        assert_eq!(body(&node, ONE, &id).unwrap().as_ref(), Some(&id), "one reads what one wrote");
        assert!(node.rows(ONE, &[seq]).unwrap()[0].is_some());
    }
    standby.endpoint().sql("postgres", "select pg_wal_replay_resume()");
    iris_testkit::wait::until(20, "the follower has it", || caught_up(&node).then_some(()));
    drop(standby);
    for at in 0..20 {
        let id = format!("y{at}");
        assert_eq!(body(&node, ONE, &id).unwrap().as_ref(), Some(&id), "without it the primary answers");
    }
    iris_testkit::wait::until(20, "it is known to be away", || (node.replicas() == [Seq(0)]).then_some(()));
}
