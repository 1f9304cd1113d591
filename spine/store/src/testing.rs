//! The conformance suite: what every backend of the store must do. Run by `tests/conformance.rs`; a further backend runs the
//! same function.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

mod feed;

use std::sync::Arc;
use std::time::Duration;

use iris_kernel::{Clock, Kind, RecordId, Secret, Seq, Tenant, Timestamp, Version};
use parking_lot::Mutex;

use crate::backend::postgres::known;
use crate::{
    AuditRow, Change, ClaimExpect, ClaimScope, CommitError, Committed, Conflict, Expect, Follower, KeyLabel, KeyOwner,
    LogRound, PostgresConfig, Put, Server, Span, Store, Stream, Tile, Tx, migrations,
};

const ONE: Tenant = Tenant(1);
const TWO: Tenant = Tenant(2);
const PATIENT: Kind = Kind(7);
const NOTE: Kind = Kind(8);
const NAME: ClaimScope = ClaimScope(1);

/// A law's name, and the test of it.
type Law = (&'static str, fn(&Store));

/// Runs every law, each on a new store.
///
/// # Panics
/// If the backend breaks one.
pub fn exercise(mut fresh: impl FnMut() -> Store) {
    let laws: [Law; 15] = [
        ("what was put is read", put_and_read),
        ("a conflict stores nothing", conflicts_store_nothing),
        ("a set that breaks the rules is refused", invalid_sets),
        ("history keeps every version", history),
        ("rows and feed", feed::rows_and_feed),
        ("changes are told newest first, by tenant and kind", feed::changes),
        ("a kind is read through", a_kind_is_read_through),
        ("claims", claims),
        ("requirements", requirements),
        ("one key for many first writers", keys_are_made_once),
        ("one claim for many takers", claims_are_won_once),
        ("audit entries stand in the transaction", audit),
        ("the log", log),
        ("the outbox", outbox),
        ("the follower knows first", follower),
    ];
    for (name, law) in laws {
        let store = fresh();
        law(&store);
        let report = store.scrub().unwrap();
        assert!(report.is_good(), "{name}: {report:?}");
        store.close();
    }
}

/// What a template database with the tables of this release is called (`iris_testkit::postgres::Database::from_template`). Another
/// schema has another name.
#[must_use]
pub fn schema_name() -> String {
    let migrations: Vec<[u8; 32]> = known().into_iter().map(|(_, _, digest)| digest).collect();
    let digest = iris_crypto::sha256(&[migrations.as_flattened()]);
    let digest: String = digest[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("store{digest}")
}

/// How tests work with a database of PostgreSQL: `url` for the role that IRIS runs as, `owner_url` for the owner of the tables.
#[must_use]
pub fn postgres_config(url: String, owner_url: String) -> PostgresConfig {
    let owner = Some(Server::here(Secret::new(owner_url)));
    PostgresConfig { owner, connections: 4, ..PostgresConfig::new(Server::here(Secret::new(url))) }
}

/// Makes the tables of this release in an empty database.
///
/// # Panics
/// When they cannot be made.
pub fn make_schema(config: &PostgresConfig) {
    migrations::apply(config, &Unset).unwrap();
}

/// The tables of a test say that they were made at the beginning of time.
struct Unset;

impl Clock for Unset {
    fn now(&self) -> Timestamp {
        Timestamp(0)
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }
}

/// A put with usual values.
#[must_use]
pub fn simple<'a>(kind: Kind, id: &'a str, expect: Expect, version: u32, body: &'a [u8]) -> Put<'a> {
    Put {
        kind,
        id,
        expect,
        version: Version(version),
        born: None,
        at: Timestamp(1_000_000),
        head: b"author",
        body,
        owner: KeyOwner::Tenant,
        deleted: false,
        shadow: None,
    }
}

fn put_one(store: &Store, tenant: Tenant, put: Put<'_>) -> Result<Committed, CommitError> {
    let mut tx = store.begin(tenant);
    tx.put(put);
    tx.commit_blocking()
}

fn create(store: &Store, id: &str, body: &[u8]) -> Seq {
    put_one(store, ONE, simple(PATIENT, id, Expect::Absent, 1, body)).unwrap().first
}

fn conflict(result: Result<Committed, CommitError>) -> Conflict {
    match result {
        Err(CommitError::Conflict { which }) => which,
        other => panic!("expected a conflict, got {other:?}"),
    }
}

fn put_and_read(store: &Store) {
    assert_eq!(store.head(), Seq(0));
    assert_eq!(store.current(ONE, PATIENT, "a").unwrap(), None);
    let patient = store.record_id(ONE, PATIENT, "a");
    let put = Put { owner: KeyOwner::Patient(patient), ..simple(PATIENT, "a", Expect::Absent, 1, b"{\"x\":1.10}") };
    let committed = put_one(store, ONE, put).unwrap();
    assert_eq!((committed.first, committed.seqs.as_slice()), (Seq(1), &[Seq(1)][..]));
    assert_eq!(store.head(), Seq(1));
    let row = store.current(ONE, PATIENT, "a").unwrap().unwrap();
    assert_eq!((&row.body[..], &row.head[..]), (&b"{\"x\":1.10}"[..], &b"author"[..]));
    assert_eq!((row.seq, row.tenant, row.kind, row.record), (Seq(1), ONE, PATIENT, patient));
    assert_eq!((row.version, row.at, row.born, row.deleted), (Version(1), Timestamp(1_000_000), Seq(1), false));
    assert_eq!(store.current_by_record(ONE, PATIENT, patient).unwrap().unwrap(), row);
    assert_eq!(store.version(ONE, PATIENT, "a", Version(1)).unwrap().unwrap(), row);
    for other in [store.current(TWO, PATIENT, "a"), store.current(ONE, NOTE, "a"), store.current(ONE, PATIENT, "A")] {
        assert_eq!(other.unwrap(), None);
    }
    assert_ne!(store.record_id(ONE, PATIENT, "a"), store.record_id(TWO, PATIENT, "a"));
    // Bodies of every size come back.
    for size in [0_usize, 1, 100, 5_000, 3_000_000] {
        let body: Vec<u8> = (0..size).map(|at| u8::try_from(at * at % 251).unwrap()).collect();
        let id = format!("size-{size}");
        create(store, &id, &body);
        assert_eq!(store.current(ONE, PATIENT, &id).unwrap().unwrap().body, body);
    }
}

fn conflicts_store_nothing(store: &Store) {
    let first = create(store, "a", b"1");
    let attempt = |fill: &dyn Fn(&mut Tx)| {
        let mut tx = store.begin(ONE);
        tx.put(simple(NOTE, "bystander", Expect::Absent, 1, b"n"));
        tx.claim(NAME, &[b"bystander"], ClaimExpect::Absent, RecordId([1; 16]));
        tx.event(b"event");
        tx.audit(AuditRow { header: b"h".to_vec(), details: b"d".to_vec() });
        fill(&mut tx);
        conflict(tx.commit_blocking())
    };
    assert_eq!(attempt(&|tx| tx.put(simple(PATIENT, "a", Expect::Absent, 1, b"2"))), Conflict::Put(1));
    assert_eq!(attempt(&|tx| tx.put(simple(PATIENT, "a", Expect::Current(Seq(99)), 2, b"2"))), Conflict::Put(1));
    assert_eq!(attempt(&|tx| tx.put(simple(PATIENT, "b", Expect::Current(first), 2, b"2"))), Conflict::Put(1));
    assert_eq!(store.head(), first);
    assert_eq!(store.current(ONE, NOTE, "bystander").unwrap(), None);
    assert_eq!(store.claim_holder(ONE, NAME, &[b"bystander"]).unwrap(), None);
    assert_eq!(store.outbox(0, 10).unwrap(), []);
    assert_eq!(store.audit_head(Stream::Writes).unwrap(), 0);
    assert_eq!(&store.current(ONE, PATIENT, "a").unwrap().unwrap().body[..], b"1");
}

fn invalid_sets(store: &Store) {
    let first = create(store, "a", b"1");
    for put in [
        simple(PATIENT, "a", Expect::Current(first), 3, b"2"),
        simple(PATIENT, "a", Expect::Current(first), 1, b"2"),
        simple(PATIENT, "new", Expect::Absent, 2, b"2"),
    ] {
        assert!(matches!(put_one(store, ONE, put), Err(CommitError::Invalid(_))));
    }
    let mut twice = store.begin(ONE);
    twice.put(simple(NOTE, "n", Expect::Absent, 1, b"1"));
    twice.put(simple(NOTE, "n", Expect::Absent, 1, b"2"));
    assert!(matches!(twice.commit_blocking(), Err(CommitError::Invalid(_))));
    let large = vec![0; crate::HEAD_BYTES_MAX + 1];
    let head = Put { head: &large, ..simple(NOTE, "n", Expect::Absent, 1, b"1") };
    assert!(matches!(put_one(store, ONE, head), Err(CommitError::Invalid(_))));
    let head = Put { head: &large[1..], ..simple(NOTE, "n", Expect::Absent, 1, b"1") };
    put_one(store, ONE, head).unwrap();
    assert_eq!(store.current(ONE, NOTE, "n").unwrap().unwrap().head, large[1..]);
    let mut many = store.begin(ONE);
    for at in 0..=crate::TX_PUTS_MAX {
        many.put(simple(NOTE, &format!("many-{at}"), Expect::Absent, 1, b""));
    }
    assert!(matches!(many.commit_blocking(), Err(CommitError::Invalid(_))));
    assert_eq!(store.head(), Seq(2));
}

fn history(store: &Store) {
    let mut last = create(store, "a", b"1");
    let born = last;
    for version in 2..=9_u32 {
        create(store, &format!("between-{version}"), b"x");
        let body = version.to_string();
        let (deleted, owner) = (version == 5, KeyOwner::Patient(RecordId([u8::try_from(version % 3).unwrap(); 16])));
        let life = if version > 5 { None } else { Some(born) };
        let put = simple(PATIENT, "a", Expect::Current(last), version, body.as_bytes());
        last = put_one(store, ONE, Put { deleted, owner, born: life, ..put }).unwrap().first;
    }
    let versions = |before, limit| -> Vec<u32> {
        let rows = store.history(ONE, PATIENT, "a", before, limit).unwrap();
        rows.iter().map(|row| row.version.0).collect()
    };
    assert_eq!(versions(None, 100), [9, 8, 7, 6, 5, 4, 3, 2, 1]);
    assert_eq!(versions(None, 2), [9, 8]);
    assert_eq!(versions(Some(Version(8)), 3), [7, 6, 5]);
    assert!(versions(Some(Version(1)), 3).is_empty());
    assert_eq!(versions(Some(Version(77)), 1), [9]);
    assert!(versions(None, 0).is_empty());
    let five = store.version(ONE, PATIENT, "a", Version(5)).unwrap().unwrap();
    assert_eq!((five.deleted, &five.body[..], five.born), (true, &b"5"[..], born));
    let six = store.version(ONE, PATIENT, "a", Version(6)).unwrap().unwrap();
    assert_eq!((six.deleted, six.born), (false, six.seq));
    for absent in [0, 10, u32::MAX] {
        assert_eq!(store.version(ONE, PATIENT, "a", Version(absent)).unwrap(), None);
    }
    assert_eq!(store.history(ONE, PATIENT, "nobody", None, 9).unwrap(), []);
}

fn a_kind_is_read_through(store: &Store) {
    let names: Vec<String> = (0..7).map(|n| format!("p{n}")).collect();
    for name in &names {
        create(store, name, name.as_bytes());
    }
    put_one(store, ONE, simple(NOTE, "p0", Expect::Absent, 1, b"note")).unwrap();
    put_one(store, TWO, simple(PATIENT, "p1", Expect::Absent, 1, b"two")).unwrap();
    let (first, second) = (store.record_id(ONE, PATIENT, "p1"), store.record_id(ONE, PATIENT, "p2"));
    let seq = |record| store.current_by_record(ONE, PATIENT, record).unwrap().unwrap().seq;
    put_one(store, ONE, simple(PATIENT, "p1", Expect::Current(seq(first)), 2, b"p1 again")).unwrap();
    let gone = Put { deleted: true, ..simple(PATIENT, "p2", Expect::Current(seq(second)), 2, b"") };
    put_one(store, ONE, gone).unwrap();
    for limit in [1, 3, 7, 50] {
        let mut rows: Vec<crate::Row> = Vec::new();
        let page = |rows: &[crate::Row]| store.current_of_kind(ONE, PATIENT, rows.last().map(|row| row.record), limit);
        while let page @ [_, ..] = &*page(&rows).unwrap() {
            assert!(page.len() <= limit);
            rows.extend_from_slice(page);
        }
        let mut wanted: Vec<RecordId> = names.iter().map(|name| store.record_id(ONE, PATIENT, name)).collect();
        wanted.sort_unstable();
        assert_eq!(rows.iter().map(|row| row.record).collect::<Vec<_>>(), wanted, "each once, in order");
        for row in &rows {
            assert_eq!(store.current_by_record(ONE, PATIENT, row.record).unwrap().as_ref(), Some(row), "the newest");
            assert_eq!(row.deleted, row.record == second);
        }
    }
    assert_eq!(store.current_of_kind(TWO, NOTE, None, 9).unwrap(), []);
    assert_eq!(store.current_of_kind(TWO, PATIENT, None, 9).unwrap().len(), 1);
}

fn claims(store: &Store) {
    let [ann, bob] = ["ann", "bob"].map(|id| {
        create(store, id, b"somebody");
        store.record_id(ONE, PATIENT, id)
    });
    let run = |fill: &dyn Fn(&mut Tx)| {
        let mut tx = store.begin(ONE);
        fill(&mut tx);
        tx.commit_blocking()
    };
    let holder = |value: &[u8]| store.claim_holder(ONE, NAME, &[value]).unwrap();
    run(&|tx| tx.claim(NAME, &[b"x"], ClaimExpect::Absent, ann)).unwrap();
    assert_eq!(holder(b"x"), Some(ann));
    assert_eq!(store.claim_holder(TWO, NAME, &[b"x"]).unwrap(), None);
    assert_eq!(store.claim_holder(ONE, ClaimScope(2), &[b"x"]).unwrap(), None);
    assert_eq!(store.claim_holder(ONE, NAME, &[b"x", b""]).unwrap(), None);
    assert_eq!(conflict(run(&|tx| tx.claim(NAME, &[b"x"], ClaimExpect::Absent, ann))), Conflict::Claim(0));
    assert_eq!(conflict(run(&|tx| tx.claim(NAME, &[b"x"], ClaimExpect::HeldBy(bob), bob))), Conflict::Claim(0));
    run(&|tx| tx.claim(NAME, &[b"x"], ClaimExpect::HeldBy(ann), bob)).unwrap();
    assert_eq!(holder(b"x"), Some(bob));
    run(&|tx| tx.release(NAME, &[b"x"], ann)).unwrap(); // not hers: nothing happens
    assert_eq!(holder(b"x"), Some(bob));
    run(&|tx| tx.claim(NAME, &[b"x"], ClaimExpect::Any, ann)).unwrap();
    assert_eq!(holder(b"x"), Some(ann));
    // Within one set the order counts: given back and taken again, by turns.
    run(&|tx| {
        tx.release(NAME, &[b"x"], ann);
        tx.claim(NAME, &[b"x"], ClaimExpect::Absent, bob);
        tx.claim(NAME, &[b"y"], ClaimExpect::Absent, bob);
        tx.release(NAME, &[b"y"], bob);
    })
    .unwrap();
    assert_eq!((holder(b"x"), holder(b"y")), (Some(bob), None));
    let second = conflict(run(&|tx| {
        tx.claim(NAME, &[b"z"], ClaimExpect::Absent, ann);
        tx.claim(NAME, &[b"z"], ClaimExpect::Absent, bob);
    }));
    assert_eq!((second, holder(b"z")), (Conflict::Claim(1), None));
}

fn requirements(store: &Store) {
    let first = create(store, "a", b"1");
    let run = |expect: Expect, id: &str| {
        let mut tx = store.begin(ONE);
        tx.require(PATIENT, "a", Expect::Current(first));
        tx.require(PATIENT, id, expect);
        tx.event(b"e");
        tx.commit_blocking()
    };
    run(Expect::Current(first), "a").unwrap();
    run(Expect::Absent, "b").unwrap();
    assert_eq!(conflict(run(Expect::Absent, "a")), Conflict::Require(1));
    assert_eq!(conflict(run(Expect::Current(first), "b")), Conflict::Require(1));
    assert_eq!(store.outbox(0, 9).unwrap().len(), 2);
}

fn together(count: usize, act: impl Fn(usize) + Sync) {
    let barrier = std::sync::Barrier::new(count);
    std::thread::scope(|scope| {
        for at in 0..count {
            let (barrier, act) = (&barrier, &act);
            scope.spawn(move || {
                barrier.wait();
                act(at);
            });
        }
    });
}

fn keys_are_made_once(store: &Store) {
    for round in 0..5_u8 {
        let patient = RecordId([round; 16]);
        let tenant = Tenant(10 + u32::from(round));
        together(8, |at| {
            let id = format!("{round}-{at}");
            let put = simple(NOTE, &id, Expect::Absent, 1, id.as_bytes());
            put_one(store, tenant, Put { owner: KeyOwner::Patient(patient), ..put }).unwrap();
        });
        for at in 0..8 {
            let id = format!("{round}-{at}");
            assert_eq!(store.current(tenant, NOTE, &id).unwrap().unwrap().body, id.as_bytes());
        }
    }
    let label = KeyLabel::new("audit:2026-11");
    let made = Mutex::new(Vec::new());
    together(8, |_| made.lock().push(store.data_key(ONE, &label).unwrap().0));
    let made = made.into_inner();
    assert!(made.iter().all(|key| *key == made[0]));
    assert_ne!(store.data_key(ONE, &KeyLabel::new("audit:2026-12")).unwrap().0, made[0]);
    assert_ne!(store.data_key(TWO, &label).unwrap().0, made[0]);
    store.data_key_by_id(made[0]).unwrap();
}

fn claims_are_won_once(store: &Store) {
    for round in 0..10_u32 {
        let won = Mutex::new(Vec::new());
        together(8, |at| {
            let id = format!("{round}-{at}");
            let holder = store.record_id(ONE, PATIENT, &id);
            let mut tx = store.begin(ONE);
            tx.put(simple(PATIENT, &id, Expect::Absent, 1, b"me"));
            tx.claim(NAME, &[&round.to_be_bytes()], ClaimExpect::Absent, holder);
            match tx.commit_blocking() {
                Ok(_) => won.lock().push((id, holder)),
                Err(CommitError::Conflict { which: Conflict::Claim(0) }) => {
                    assert_eq!(store.current(ONE, PATIENT, &id).unwrap(), None);
                }
                Err(other) => panic!("{other}"),
            }
        });
        let won = won.into_inner();
        assert_eq!(won.len(), 1);
        assert_eq!(store.claim_holder(ONE, NAME, &[&round.to_be_bytes()]).unwrap(), Some(won[0].1));
        assert!(store.current(ONE, PATIENT, &won[0].0).unwrap().is_some());
    }
}

fn audit(store: &Store) {
    let entry = |at: u64| AuditRow { header: at.to_be_bytes().to_vec(), details: vec![1; 3] };
    for at in 0..6_u64 {
        let mut tx = store.begin(ONE);
        tx.put(simple(NOTE, &at.to_string(), Expect::Absent, 1, b"x"));
        tx.audit(entry(2 * at));
        tx.audit(entry(2 * at + 1));
        assert_eq!(tx.commit_blocking().unwrap().audit_first, 2 * at);
    }
    assert_eq!(store.audit_head(Stream::Writes).unwrap(), 12);
    assert_eq!(store.audit_rows(Stream::Writes, 3, 2).unwrap(), [(3, entry(3)), (4, entry(4))]);
    assert_eq!(store.audit_rows(Stream::Writes, 12, 9).unwrap(), []);
    store.journal().append_blocking(vec![entry(70), entry(71)]).unwrap();
    assert_eq!(store.audit_head(Stream::Reads).unwrap(), 2);
    assert_eq!(store.audit_rows(Stream::Reads, 1, 9).unwrap(), [(1, entry(71))]);
}

fn log(store: &Store) {
    let span = |position, stream, ordinal, count| Span { position, stream, ordinal, count };
    let tile = |bytes: &[u8]| Tile { level: 0, index: 0, bytes: bytes.to_vec() };
    assert_eq!((store.log_size().unwrap(), store.log_checkpoint_last().unwrap()), (0, None));
    let first = [span(0, Stream::Writes, 0, 3), span(3, Stream::Reads, 0, 2)];
    let round = LogRound { spans: first.to_vec(), tiles: vec![tile(b"abc")], checkpoint: b"c1".to_vec() };
    store.log_write(round).unwrap();
    let second = span(5, Stream::Writes, 3, 4);
    store.log_write(LogRound { spans: vec![second], tiles: vec![tile(b"abcd")], checkpoint: b"c2".to_vec() }).unwrap();
    assert_eq!(store.log_size().unwrap(), 9);
    assert_eq!(store.log_tile(0, 0).unwrap().unwrap(), b"abcd");
    assert_eq!((store.log_tile(1, 0).unwrap(), store.log_tile(0, 1).unwrap()), (None, None));
    assert_eq!(store.log_spans(0, 9).unwrap(), [first[0], first[1], second]);
    assert_eq!(store.log_spans(4, 1).unwrap(), [first[1]]);
    assert_eq!(store.log_spans(9, 9).unwrap(), []);
    assert_eq!(store.log_span_of(Stream::Writes, 2).unwrap(), Some(first[0]));
    assert_eq!(store.log_span_of(Stream::Writes, 3).unwrap(), Some(second));
    assert_eq!(store.log_span_of(Stream::Reads, 2).unwrap(), None);
    let checkpoints = store.log_checkpoints(0, 9).unwrap();
    assert_eq!(checkpoints.iter().map(|c| c.bytes.as_slice()).collect::<Vec<_>>(), [b"c1", b"c2"]);
    assert_eq!(store.log_checkpoint_last().unwrap().as_ref(), checkpoints.last());
    assert_eq!(store.log_checkpoints(checkpoints[0].number, 9).unwrap(), checkpoints[1..]);
    for wrong in [span(8, Stream::Reads, 2, 1), span(10, Stream::Reads, 2, 1), span(9, Stream::Reads, 2, 0)] {
        let result = store.log_write(LogRound { spans: vec![wrong], ..LogRound::default() });
        assert!(matches!(result, Err(CommitError::Invalid(_))));
    }
    assert_eq!(store.log_size().unwrap(), 9);
}

fn outbox(store: &Store) {
    for at in 0..4_u8 {
        let mut tx = store.begin(if at == 2 { TWO } else { ONE });
        tx.event(&[at]);
        tx.commit_blocking().unwrap();
    }
    let events = store.outbox(0, 9).unwrap();
    assert_eq!(events.iter().map(|event| event.body[0]).collect::<Vec<_>>(), [0, 1, 2, 3]);
    assert_eq!(events[2].tenant, TWO);
    store.outbox_forget(events[3].number).unwrap();
    assert_eq!(store.outbox(0, 9).unwrap(), []);
    let mut tx = store.begin(ONE);
    tx.event(b"later");
    tx.commit_blocking().unwrap();
    assert!(store.outbox(events[3].number, 9).unwrap().len() == 1, "numbers are not used again");
}

/// Sequence, version, replaced row and shadow of a change.
type Short = (u64, u32, Option<Seq>, Option<String>);

/// What a follower was told, reduced to what can be compared.
#[derive(Default)]
struct Told(Mutex<Vec<Short>>);

impl Follower for Told {
    fn committed(&self, changes: &mut [Change]) {
        let short = |change: &mut Change| {
            let shadow = change.shadow.take().and_then(|shadow| shadow.downcast::<String>().ok()).map(|text| *text);
            (change.seq.0, change.version.0, change.superseded, shadow)
        };
        self.0.lock().extend(changes.iter_mut().map(short));
    }
}

fn follower(store: &Store) {
    let told = Arc::new(Told::default());
    store.follow(Arc::clone(&told) as Arc<dyn Follower>);
    together(8, |at| {
        let id = format!("f{at}");
        let shadow = || Some(Box::new(id.clone()) as Box<dyn std::any::Any + Send>);
        let put = simple(PATIENT, &id, Expect::Absent, 1, b"1");
        let first = put_one(store, ONE, Put { shadow: shadow(), ..put }).unwrap().first;
        assert!(told.0.lock().contains(&(first.0, 1, None, Some(id.clone()))), "told before the answer");
        let put = simple(PATIENT, &id, Expect::Current(first), 2, b"2");
        let second = put_one(store, ONE, Put { born: Some(first), ..put }).unwrap().first;
        assert!(told.0.lock().contains(&(second.0, 2, Some(first), None)));
        assert!(store.head() >= second);
    });
    let told = told.0.lock();
    assert_eq!(told.iter().map(|(seq, ..)| *seq).collect::<Vec<_>>(), (1..=16).collect::<Vec<_>>());
}
