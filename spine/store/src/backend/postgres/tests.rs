//! What the tests of several files share, and tests of what several files do together.

use iris_kernel::{Kind, RecordId, Secret, Tenant, Timestamp, Version};
use iris_testkit::ManualClock;
use iris_testkit::postgres::{Database, RUNTIME};

use super::session::naming;
use super::*;
use crate::Expect;
use crate::audit::AuditRow;
use crate::backend::{Backend as _, GroupWriter as _, Scope, SealedPut, WriteSet};
use crate::config::Server;
use crate::keys::KeyId;

pub(super) fn opened(database: &Database) -> (Opened, Arc<Link>) {
    let owner = Some(Server::here(Secret::new(database.owner_url())));
    let server = Server::here(Secret::new(database.url()));
    let config = PostgresConfig { owner, cache: CacheConfig { bytes: 0, redis: None }, ..PostgresConfig::new(server) };
    crate::migrations::apply(&config, &ManualClock::default()).unwrap();
    let engine = Engine::start().unwrap();
    let link = Link::new(&config, &config.server, &engine).unwrap();
    (parts(&config, &[0; 32], Arc::clone(&link), &engine).unwrap(), link)
}

pub(super) fn set(at: u8) -> WriteSet {
    let put = SealedPut {
        kind: Kind(3),
        record: RecordId([at; 16]),
        expect: Expect::Absent,
        version: Version::FIRST,
        at: Timestamp(1),
        born: None,
        deleted: false,
        key: KeyId(1),
        body: vec![at; 40],
    };
    let audit = vec![AuditRow { header: vec![at], details: Vec::new() }];
    WriteSet { tenant: Some(Tenant(1)), puts: vec![put], audit, ..WriteSet::default() }
}

/// Whatever the primary answers with its life is heard: nobody waits for the next look at the head.
#[test]
fn another_life_is_heard_of_with_the_first_row() {
    let Some(database) = Database::empty() else { return };
    let (mut opened, _link) = opened(&database);
    assert!(opened.writer.commit(&[&set(1)]).unwrap()[0].is_ok());
    let questions = &opened.questions;
    let lives = || questions.lives();
    assert_eq!(lives(), 0);
    database.sql("vacuum full version");
    assert_eq!(questions.rows(Scope::All, &[Seq(1)]).unwrap().len(), 1);
    assert_eq!(lives(), 1);
    database.sql("vacuum full version");
    assert_eq!(questions.feed(Seq(0), 9).unwrap().len(), 1);
    assert_eq!(lives(), 2);
}

/// A plan is kept for as long as its connection lives, or until the server counts the rows anew; and the first is made on empty tables.
#[test]
fn records_are_looked_up_by_their_keys_however_small_a_table_was_when_it_was_planned() {
    let Some(database) = Database::empty() else { return };
    let (mut opened, _link) = opened(&database);
    assert!(opened.writer.commit(&[&set(1)]).unwrap()[0].is_ok());
    database.sql("ANALYZE version, current, claim");
    for question in
        [sql::CURRENT, sql::ROWS, sql::POINTERS_OF_ANY, sql::POINTERS, sql::HOLDERS, sql::FEED, sql::CHANGES]
    {
        let types: Vec<String> =
            question.types.iter().map(|of| of.name().strip_prefix('_').map_or(of.name().into(), array_of)).collect();
        let nothing = vec!["NULL"; types.len()].join(", ");
        let plan = database.sql(&format!(
            "SET ROLE {RUNTIME}; BEGIN; {}; SET LOCAL plan_cache_mode = force_generic_plan; \
             PREPARE question ({}) AS {}; EXPLAIN EXECUTE question ({nothing})",
            naming(Scope::Tenant(Tenant(1))),
            types.join(", "),
            question.text,
        ));
        let cond = plan.matches("Index Cond:").count();
        assert!(cond > 0 && !plan.contains("Seq Scan on"), "{}:\n{plan}", question.text);
    }
}

fn array_of(element: &str) -> String {
    format!("{element}[]")
}
