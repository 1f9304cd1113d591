//! What the tests of several files share, and tests of what several files do together.

use iris_kernel::{Kind, RecordId, Secret, Tenant, Timestamp, Version};
use iris_testkit::ManualClock;
use iris_testkit::postgres::Database;

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
