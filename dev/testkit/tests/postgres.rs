//! What the tests on PostgreSQL stand on: databases apart from each other, roles that may do no more than they should, a standby
//! that takes over with everything that was acknowledged.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test ends where something is not as it must be")]

use std::sync::atomic::{AtomicU32, Ordering};

use iris_testkit::postgres::{Bouncer, Database, OWNER, RUNTIME, Server};

#[test]
fn a_template_is_made_once_and_its_databases_are_apart() {
    let made = AtomicU32::new(0);
    // A template of this process alone: another run may have left one of the same name.
    let digest = format!("selftest{}", std::process::id());
    let fill = |database: &Database| {
        made.fetch_add(1, Ordering::SeqCst);
        let script = format!("create table note (text text); grant select, insert on note to {RUNTIME}");
        database.try_sql(OWNER, &script).unwrap();
    };
    let databases = std::thread::scope(|scope| {
        let makers = (0..4).map(|_| scope.spawn(|| Database::from_template(&digest, fill))).collect::<Vec<_>>();
        makers.into_iter().map(|maker| maker.join().unwrap()).collect::<Option<Vec<_>>>()
    });
    let Some(databases) = databases else { return };
    assert_eq!(made.load(Ordering::SeqCst), 1);
    databases[0].try_sql(RUNTIME, "insert into note values ('one')").unwrap();
    assert_eq!(databases[0].sql("select text from note"), "one");
    assert_eq!(databases[1].sql("select count(*) from note"), "0");
    databases[0].endpoint().sql("postgres", &format!("drop database template_{digest}"));
}

#[test]
fn the_role_that_iris_runs_as_creates_nothing() {
    let Some(database) = Database::empty() else { return };
    let refused = database.try_sql(RUNTIME, "create table mine (text text)").unwrap_err();
    assert!(refused.contains("permission denied"), "{refused}");
    database.try_sql(OWNER, "create table mine (text text)").unwrap();
    let refused = database.try_sql(RUNTIME, "select * from mine").unwrap_err();
    assert!(refused.contains("permission denied"), "{refused}");
    assert_eq!(
        database.sql(&format!("select rolsuper or rolbypassrls from pg_roles where rolname = '{RUNTIME}'")),
        "f"
    );
    assert_eq!(database.sql("show fsync") + &database.sql("show synchronous_commit"), "onon");
}

#[test]
fn a_database_is_gone_with_its_test() {
    let Some(database) = Database::empty() else { return };
    let (endpoint, name) = (database.endpoint().clone(), database.name().to_owned());
    let there = || endpoint.sql("postgres", &format!("select count(*) from pg_database where datname = '{name}'"));
    assert_eq!(there(), "1");
    drop(database);
    assert_eq!(there(), "0");
}

#[test]
fn a_promoted_standby_has_what_was_acknowledged_before_the_primary_died() {
    let Some(mut primary) = Server::start(&[]) else { return };
    let standby = primary.standby("second");
    primary.synchronous(Some("second"));
    let database = primary.database();
    database.sql("create table note (text text); insert into note values ('kept')");
    primary.kill();
    standby.promote();
    let there = standby.endpoint().sql(database.name(), "insert into note values ('new'); select text from note");
    assert_eq!(there, "kept\nnew");
    primary.restart();
    primary.stop();
}

#[test]
fn tls_is_verified_against_the_authority_of_the_server() {
    let Some((server, authority)) = Server::start_with_tls(&[]) else { return };
    let endpoint = server.endpoint();
    let trusted = format!("postgres?sslmode=verify-full&sslrootcert={}", authority.display());
    let url = endpoint.url("postgres", &trusted);
    let asked = endpoint.try_sql("postgres", &url, "select ssl from pg_stat_ssl where pid = pg_backend_pid()");
    assert_eq!(asked.as_deref(), Ok("t"));
}

#[test]
fn pgbouncer_shares_one_connection_among_transactions() {
    let Some(database) = Database::empty() else { return };
    let Some(bouncer) = Bouncer::before(&database, 1) else { return };
    let asked = |statement: &str| database.endpoint().try_sql(RUNTIME, &bouncer.url(), statement).unwrap();
    assert_eq!(asked("select pg_backend_pid()"), asked("select pg_backend_pid()"));
}
