//! Copying a store from one database into another, both ways, and everything for which it is refused.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on ends")]

mod common;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use iris_kernel::{Kind, Tenant, Timestamp, Version};
use iris_store::{
    AuditRow, ClaimExpect, ClaimScope, Copied, CopyError, CopyReport, Database, Expect, KeyLabel, KeyOwner,
    KeyProvider, LogRound, OpenError, Put, Span, Store, StoreConfig, Stream, Tile, copy, keyfile, migrations,
};
use iris_testkit::{ManualClock, SeededEntropy, postgres};

const NOTE: Kind = Kind(8);
const NAMES: ClaimScope = ClaimScope(1);
const RECORDS: u32 = 1_500;

/// Folders and databases that share one key.
struct House {
    base: tempfile::TempDir,
}

impl House {
    fn new() -> Self {
        Self { base: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.base.path().join(name)
    }

    fn key(&self) -> Arc<dyn KeyProvider> {
        let entropy = Arc::new(SeededEntropy::new(5));
        Arc::new(keyfile::open_or_create(&self.path("key"), None, entropy, true).unwrap())
    }

    fn folder(&self, name: &str) -> StoreConfig {
        common::config(&self.path(name))
    }

    fn shared(&self, name: &str, database: &postgres::Database) -> StoreConfig {
        // The template's rights may be older than this program.
        migrations::apply(&common::postgres_config(database), &ManualClock::default()).unwrap();
        self.folder(name).with_database(Database::Postgres(common::postgres_config(database)))
    }

    fn open(&self, config: &StoreConfig) -> Result<Store, OpenError> {
        Store::open(config.clone(), self.key(), Arc::new(ManualClock::default()), Arc::new(SeededEntropy::new(9)))
    }

    fn copy(&self, from: &StoreConfig, to: &StoreConfig) -> Result<CopyReport, CopyError> {
        self.copy_while(from, to, &mut |_| true)
    }

    fn copy_while(
        &self,
        from: &StoreConfig,
        to: &StoreConfig,
        going: &mut dyn FnMut(Copied) -> bool,
    ) -> Result<CopyReport, CopyError> {
        copy(from, to, &self.key(), &ManualClock::default(), Arc::new(SeededEntropy::new(11)), going)
    }
}

fn note<'a>(id: &'a str, expect: Expect, version: u32, body: &'a [u8]) -> Put<'a> {
    Put {
        kind: NOTE,
        id,
        expect,
        version: Version(version),
        born: None,
        at: Timestamp(1_000),
        head: b"author",
        body,
        owner: KeyOwner::Tenant,
        deleted: false,
        shadow: None,
    }
}

fn entry(at: u32) -> AuditRow {
    AuditRow { header: at.to_be_bytes().to_vec(), details: vec![u8::try_from(at % 251).unwrap(); 300] }
}

/// Something in every table: several tenants and patients, histories with a deletion, claims, events of which the last are gone,
/// entries of both streams, a log with checkpoints, keys with labels.
fn fill(store: &Store) {
    let long = vec![b'x'; 40_000];
    for ten in 0..RECORDS / 10 {
        let tenant = Tenant(1 + ten % 3);
        let mut tx = store.begin(tenant);
        for at in 10 * ten..10 * ten + 10 {
            let id = format!("n{at}");
            let patient = store.record_id(tenant, Kind(7), &format!("p{}", at % 40));
            let owner = if at % 2 == 0 { KeyOwner::Tenant } else { KeyOwner::Patient(patient) };
            tx.put(Put { owner, ..note(&id, Expect::Absent, 1, if at % 100 == 0 { &long } else { id.as_bytes() }) });
            tx.claim(NAMES, &[id.as_bytes()], ClaimExpect::Absent, store.record_id(tenant, NOTE, &id));
            tx.event(id.as_bytes());
            tx.audit(entry(at));
        }
        let (first, id) = (tx.commit_blocking().unwrap().first, format!("n{}", 10 * ten));
        let mut tx = store.begin(tenant);
        tx.put(Put { born: Some(first), deleted: ten % 2 == 0, ..note(&id, Expect::Current(first), 2, b"second") });
        tx.commit_blocking().unwrap();
    }
    store.outbox_forget(u64::from(RECORDS) - 10).unwrap();
    store.data_key(Tenant(2), &KeyLabel::new("audit:2026-11")).unwrap();
    store.journal().append_blocking((0..900).map(entry).collect()).unwrap();
    store.journal().append_blocking((900..1_300).map(entry).collect()).unwrap();
    let spans = vec![
        Span { position: 0, stream: Stream::Writes, ordinal: 0, count: 700 },
        Span { position: 700, stream: Stream::Reads, ordinal: 0, count: 1_300 },
    ];
    let tiles = (0..8).map(|index| Tile { level: 0, index, bytes: vec![3; 8_192] }).collect();
    store.log_write(LogRound { spans, tiles, checkpoint: b"signed".to_vec() }).unwrap();
    store.log_write(LogRound { checkpoint: b"signed again".to_vec(), ..LogRound::default() }).unwrap();
}

/// Three rows of which each has more than a page of a copy has room for, and nothing that could be packed.
fn fill_with_huge_rows(store: &Store) {
    let mut state = 1_u64;
    let mut chance = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state.to_be_bytes()[0]
    };
    let huge: Vec<u8> = (0..9 << 20).map(|_| chance()).collect();
    for id in ["h1", "h2", "h3"] {
        let mut tx = store.begin(Tenant(1));
        tx.put(note(id, Expect::Absent, 1, &huge));
        tx.commit_blocking().unwrap();
    }
}

/// Everything that can be asked of a store, opened and in order.
fn all_of(store: &Store) -> String {
    let mut told = String::new();
    let mut tell = |what: &dyn std::fmt::Debug| told.push_str(&format!("{what:?}\n"));
    for row in store.feed(iris_kernel::Seq(0), 100_000).unwrap() {
        tell(&(&row, &row.head, &row.body));
    }
    for tenant in [1, 2, 3].map(Tenant) {
        for at in 0..RECORDS {
            let id = format!("n{at}");
            tell(&store.current(tenant, NOTE, &id).unwrap().map(|row| (row.seq, row.deleted)));
            tell(&store.claim_holder(tenant, NAMES, &[id.as_bytes()]).unwrap());
        }
        tell(&store.key_counts(tenant).unwrap());
    }
    for event in store.outbox(0, 100_000).unwrap() {
        tell(&(event.number, event.tenant, &event.body));
    }
    for stream in [Stream::Writes, Stream::Reads] {
        tell(&store.audit_rows(stream, 0, 100_000).unwrap());
        tell(&store.audit_head(stream).unwrap());
        tell(&store.log_span_of(stream, 5).unwrap());
    }
    tell(&(store.log_size().unwrap(), store.log_spans(0, 100).unwrap(), store.log_checkpoints(0, 100).unwrap()));
    (0..9).for_each(|index| tell(&store.log_tile(0, index).unwrap()));
    told
}

/// What a store gives out next must not depend on where it was copied to.
fn next_numbers(store: &Store) -> (u64, u64, u64) {
    let mut tx = store.begin(Tenant(1));
    tx.put(note("next", Expect::Absent, 1, b"x"));
    tx.event(b"next");
    tx.audit(entry(1));
    let done = tx.commit_blocking().unwrap();
    (done.first.0, done.audit_first, store.outbox(0, 100_000).unwrap().last().unwrap().number)
}

#[test]
fn a_store_goes_to_postgres_and_back_and_is_the_same() {
    let Some(database) = common::database() else { return };
    let house = House::new();
    let (here, there, back) = (house.folder("here"), house.shared("node", &database), house.folder("back"));
    let store = house.open(&here).unwrap();
    fill(&store);
    fill_with_huge_rows(&store);
    let expected = all_of(&store);
    store.close();
    let mut seen: Vec<Copied> = Vec::new();
    let report = house.copy_while(&here, &there, &mut |copied| {
        seen.push(copied);
        true
    });
    let report = report.unwrap();
    let last = seen.last().unwrap();
    assert_eq!((last.done, seen.len() > 10), (last.total, true), "{last:?}");
    assert!(seen.windows(2).all(|pair| pair[0].done <= pair[1].done));
    let rows = |name: &str| report.tables.iter().find(|(table, _)| *table == name).unwrap().1;
    assert_eq!([rows("version"), rows("outbox"), rows("audit_read"), rows("log_tile")], [1_653, 10, 1_300, 8]);
    assert_eq!((report.scrub.rows, report.scrub.entries), (1_653, 1_300));
    let copied = house.open(&there).unwrap();
    assert_eq!(all_of(&copied), expected);
    copied.close();
    assert_eq!(house.copy(&there, &back).unwrap().tables, report.tables);
    let returned = house.open(&back).unwrap();
    assert_eq!(all_of(&returned), expected);
    let numbers = next_numbers(&returned);
    assert_eq!(numbers, (1_654, u64::from(RECORDS), u64::from(RECORDS) + 1));
    assert_eq!(next_numbers(&house.open(&there).unwrap()), numbers);
    assert_eq!(next_numbers(&house.open(&here).unwrap()), numbers);
}

#[test]
fn events_that_are_gone_leave_their_numbers_used() {
    let Some(database) = common::database() else { return };
    let house = House::new();
    let (here, there, back) = (house.folder("here"), house.shared("node", &database), house.folder("back"));
    let store = house.open(&here).unwrap();
    let mut tx = store.begin(Tenant(1));
    tx.event(b"one");
    tx.event(b"two");
    tx.commit_blocking().unwrap();
    store.outbox_forget(2).unwrap();
    store.close();
    house.copy(&here, &there).unwrap();
    house.copy(&there, &back).unwrap();
    for config in [here, there, back] {
        assert_eq!(next_numbers(&house.open(&config).unwrap()).2, 3);
    }
}

#[test]
fn an_interrupted_copy_cannot_be_opened_and_is_begun_anew() {
    let Some(database) = common::database() else { return };
    let house = House::new();
    let (here, there, back) = (house.folder("here"), house.shared("node", &database), house.folder("back"));
    let store = house.open(&here).unwrap();
    fill(&store);
    let expected = all_of(&store);
    store.close();
    // Everywhere: while rows are written, and while they are read back.
    for stop_at in [0, 1, 3, 6, 9, 12] {
        for target in [&there, &back] {
            let mut calls = 0;
            let stopped = house.copy_while(&here, target, &mut |_| {
                calls += 1;
                calls <= stop_at
            });
            assert!(matches!(stopped, Err(CopyError::Stopped)), "{stop_at}: {stopped:?}");
        }
        assert_eq!(database.sql("set iris.tenant = '*'; select count(*) from version"), "0", "nothing of it is there");
        assert!(matches!(house.open(&back), Err(OpenError::HalfCopied)));
        assert!(matches!(migrations::check(&back), Err(OpenError::HalfCopied)));
    }
    // All rows are there, and nobody has looked at them yet.
    database.sql("insert into meta values ('copying', '1')");
    assert!(matches!(house.open(&there), Err(OpenError::HalfCopied)));
    assert!(matches!(migrations::check(&there), Err(OpenError::HalfCopied)));
    assert!(matches!(house.copy(&there, &house.folder("other")), Err(CopyError::Open(OpenError::HalfCopied))));
    for target in [&there, &back] {
        house.copy(&here, target).unwrap();
        assert_eq!(all_of(&house.open(target).unwrap()), expected);
    }
}

#[test]
fn a_target_that_holds_something_is_refused_and_stays_as_it_is() {
    let Some(database) = common::database() else { return };
    let house = House::new();
    let (here, there, other) = (house.folder("here"), house.shared("node", &database), house.folder("other"));
    house.open(&here).unwrap().close();
    for target in [&there, &other] {
        let store = house.open(target).unwrap();
        next_numbers(&store);
        store.close();
        let refused = house.copy(&here, target).unwrap_err();
        assert!(matches!(refused, CopyError::NotEmpty(..)), "{refused}");
        assert_eq!(house.open(target).unwrap().head().0, 1);
    }
    let journal = house.folder("journal");
    std::fs::create_dir_all(journal.folder.join("journal")).unwrap();
    std::fs::write(journal.folder.join("journal/00000000000000000000.seg"), b"x").unwrap();
    assert!(matches!(house.copy(&here, &journal), Err(CopyError::NotEmpty(..))));
    let nothing = house.copy(&house.folder("nothing"), &house.folder("new")).unwrap_err();
    assert!(matches!(nothing, CopyError::NoSource(_)), "{nothing}");
    assert!(!house.path("nothing").exists() && !house.path("new").exists());
}

#[test]
fn another_stores_key_is_refused() {
    let Some(database) = common::database() else { return };
    let (house, stranger) = (House::new(), House::new());
    let entropy = Arc::new(SeededEntropy::new(6));
    keyfile::open_or_create(&stranger.path("key"), None, entropy, true).unwrap();
    let (here, there) = (house.folder("here"), house.shared("node", &database));
    house.open(&here).unwrap().close();
    let refused = stranger.copy(&here, &there).unwrap_err();
    assert!(matches!(refused, CopyError::Open(OpenError::WrongKey(_))), "{refused}");
    house.copy(&here, &there).unwrap();
    let refused = stranger.copy(&there, &house.folder("back")).unwrap_err();
    assert!(matches!(refused, CopyError::Open(OpenError::WrongKey(_))), "{refused}");
}

#[test]
fn whoever_works_with_the_source_or_the_target_is_named() {
    let Some(database) = common::database() else { return };
    let house = House::new();
    let (here, there, back) = (house.folder("here"), house.shared("node", &database), house.folder("back"));
    let store = house.open(&here).unwrap();
    assert!(matches!(house.copy(&here, &there), Err(CopyError::Open(OpenError::Locked(_)))));
    fill(&store);
    store.close();
    house.copy(&here, &there).unwrap();
    let node = house.open(&there).unwrap();
    assert!(node.lease("audit log", std::time::Duration::from_secs(60)).unwrap());
    let refused = house.copy(&there, &back).unwrap_err();
    assert!(matches!(&refused, CopyError::InUse(..)) && refused.to_string().contains("audit log"), "{refused}");
    database.sql("delete from lease");
    // While it is copied, a node that is there all the same cannot write.
    let mut tried = None;
    house
        .copy_while(&there, &back, &mut |_| {
            if tried.is_none() {
                let statement = "set lock_timeout = '100ms'; update head set seq = seq + 1";
                tried = Some(database.try_sql(postgres::OWNER, statement));
            }
            true
        })
        .unwrap();
    assert!(tried.unwrap().unwrap_err().contains("lock timeout"));
}

/// Changes the file of a database behind its back.
fn tamper(folder: &Path, statement: &str) {
    assert!(rusqlite::Connection::open(folder.join("iris.db")).unwrap().execute(statement, []).unwrap() > 0);
}

#[test]
fn a_damaged_source_is_named_and_the_copy_stays_closed() {
    let Some(database) = common::database() else { return };
    let house = House::new();
    for (name, statement, expected) in [
        ("body", "update version set body = zeroblob(length(body)) where seq in (17, 18)", vec!["seq 17", "seq 18"]),
        ("row", "delete from version where seq = 17", vec!["seq 17"]),
        ("entry", "delete from audit_write where ordinal = 4", vec!["audit_write 4"]),
        (
            "claim",
            "update claim set record = zeroblob(16) where record = (select min(record) from claim)",
            vec!["claim"],
        ),
    ] {
        let here = house.folder(name);
        let store = house.open(&here).unwrap();
        fill(&store);
        store.close();
        tamper(&here.folder, statement);
        for target in [house.shared("node", &database), house.folder(&format!("{name}-copy"))] {
            let refused = house.copy(&here, &target).unwrap_err();
            let CopyError::Damaged { damage, .. } = refused else { panic!("{name}: {refused}") };
            let named: Vec<String> = damage
                .iter()
                .map(|one| format!("{}{}", one.seq.map(|seq| format!("seq {} ", seq.0)).unwrap_or_default(), one.what))
                .collect();
            for part in &expected {
                assert!(named.iter().any(|line| line.contains(part)), "{name}: {named:?}");
            }
            // What was written before the damage was found can be opened by nobody.
            let opened = house.open(&target);
            if database.sql("set iris.tenant = '*'; select count(*) from version") != "0" {
                assert!(matches!(opened, Err(OpenError::HalfCopied)), "{name}");
            }
            drop(opened);
            database.sql("set iris.tenant = '*'; delete from meta where name = 'key_check'");
        }
    }
}

#[test]
fn a_damaged_database_is_named_as_well() {
    let Some(database) = common::database() else { return };
    let house = House::new();
    let (here, there) = (house.folder("here"), house.shared("node", &database));
    let store = house.open(&here).unwrap();
    fill(&store);
    store.close();
    house.copy(&here, &there).unwrap();
    let refused = |name: &str| match house.copy(&there, &house.folder(name)).unwrap_err() {
        CopyError::Damaged { damage, .. } => format!("{damage:?}"),
        other => panic!("{name}: {other}"),
    };
    let change = |statement: &str| drop(database.sql(&format!("set iris.tenant = '*'; {statement}")));
    change("update version set body = overlay(body placing '\\x00' from 40) where seq = 21");
    assert!(refused("body").contains("Seq(21)"));
    change("delete from audit_read where ordinal = 1299");
    assert!(refused("entry").contains("audit_read 1299 is missing"));
    change("delete from version where seq = 1650");
    assert!(refused("row").contains("version 1650 is missing"), "the last one, which the counter remembers");
    // A number that only the other database has room for.
    change("update data_key set kek = -1 where key = 1");
    assert!(house.copy(&there, &house.folder("key")).is_err());
}
