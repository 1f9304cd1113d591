//! Faults: damaged files, wrong keys, a full disk, a second process, a folder from elsewhere.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on ends")]

mod common;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use iris_kernel::{Entropy, Kind, Seq, Tenant};
use iris_store::testing::simple;
use iris_store::{
    AuditRow, CommitError, Committed, Expect, FolderLock, KeyOwner, OpenError, Put, Store, StoreConfig, StoreError,
    Stream,
};
use iris_testkit::SeededEntropy;

const KIND: Kind = Kind(3);
const ONE: Tenant = Tenant::DEFAULT;

fn write(store: &Store, id: &str, body: &[u8]) -> Result<Committed, CommitError> {
    let owner = KeyOwner::Patient(store.record_id(ONE, KIND, id));
    let mut tx = store.begin(ONE);
    tx.put(Put { owner, ..simple(KIND, id, Expect::Absent, 1, body) });
    tx.audit(AuditRow { header: id.as_bytes().to_vec(), details: Vec::new() });
    tx.commit_blocking()
}

fn body_of(at: usize) -> Vec<u8> {
    let entropy = SeededEntropy::new(at as u64);
    let mut body = vec![0; 300];
    entropy.fill(&mut body);
    body
}

/// A closed store with this many records.
fn filled(folder: &Path, count: usize) {
    let store = common::open(folder);
    for at in 0..count {
        write(&store, &at.to_string(), &body_of(at)).unwrap();
    }
    store.close();
}

fn database(folder: &Path) -> rusqlite::Connection {
    rusqlite::Connection::open(folder.join("iris.db")).unwrap()
}

#[test]
fn a_flipped_bit_in_a_body_is_damage_and_is_named() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path(), 20);
    let body: Vec<u8> =
        database(folder.path()).query_row("SELECT body FROM version WHERE seq = 7", [], |r| r.get(0)).unwrap();
    let path = folder.path().join("iris.db");
    let mut file = std::fs::read(&path).unwrap();
    // Pages that were split keep old copies in their unused parts: flip the bit in each.
    let places = file.windows(body.len()).enumerate().filter(|(_, window)| *window == body).map(|(place, _)| place);
    for place in places.collect::<Vec<_>>() {
        file[place + body.len() / 2] ^= 4;
    }
    std::fs::write(&path, file).unwrap();
    let store = common::open(folder.path());
    match store.current(ONE, KIND, "6") {
        Err(StoreError::Damaged { seq: Some(Seq(7)), .. }) => {}
        other => panic!("{other:?}"),
    }
    assert!(store.rows(ONE, &[Seq(6), Seq(7)]).is_err());
    assert_eq!(store.current(ONE, KIND, "5").unwrap().unwrap().body, body_of(5));
    let report = store.scrub().unwrap();
    assert_eq!(report.damage.iter().map(|damage| damage.seq).collect::<Vec<_>>(), [Some(Seq(7))]);
    assert_eq!(report.rows, 20);
    write(&store, "later", b"x").unwrap();
}

#[test]
fn no_flipped_bit_ever_gives_a_wrong_answer() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path(), 60);
    let path = folder.path().join("iris.db");
    let whole = std::fs::read(&path).unwrap();
    let chance = SeededEntropy::new(5);
    let (mut refused, mut named) = (0, 0);
    for _ in 0..250 {
        let mut file = whole.clone();
        let at = usize::try_from(chance.below(file.len() as u64)).unwrap();
        file[at] ^= 1 << chance.below(8);
        for name in ["iris.db-wal", "iris.db-shm"] {
            drop(std::fs::remove_file(folder.path().join(name)));
        }
        std::fs::write(&path, &file).unwrap();
        let Ok(store) = common::try_open(common::config(folder.path())) else {
            refused += 1;
            continue;
        };
        let mut odd = None;
        for at in 0..60 {
            match store.current(ONE, KIND, &at.to_string()) {
                Ok(Some(row)) => assert_eq!(row.body, body_of(at), "a wrong body"),
                Ok(None) => odd = Some(format!("{at} is not found")),
                Err(error) => odd = Some(format!("{at}: {error}")),
            }
        }
        if let Some(odd) = odd {
            let report = store.scrub();
            assert!(report.is_err() || !report.as_ref().unwrap().is_good(), "{odd}, but the scrub says all is well");
            named += 1;
        }
        store.close();
    }
    assert!(named > 20, "{refused} refused, {named} named");
}

#[test]
fn rows_that_were_moved_or_changed_do_not_open() {
    let changes = [
        "UPDATE version SET body = (SELECT body FROM version WHERE seq = 2) WHERE seq = 1",
        "UPDATE version SET deleted = 1 WHERE seq = 1",
        "UPDATE version SET at = at + 1 WHERE seq = 1",
        "UPDATE version SET tenant = 2 WHERE seq = 1",
        "UPDATE version SET version = 2 WHERE seq = 1",
        "UPDATE version SET key = (SELECT key FROM version WHERE seq = 2) WHERE seq = 1",
        "UPDATE current SET seq = 2 WHERE seq = 1",
        "DELETE FROM version WHERE seq = 1",
        "DELETE FROM data_key WHERE key = (SELECT key FROM version WHERE seq = 1)",
        "UPDATE data_key SET wrapped = zeroblob(77) WHERE key = (SELECT key FROM version WHERE seq = 1)",
    ];
    for change in changes {
        let folder = tempfile::tempdir().unwrap();
        filled(folder.path(), 3);
        assert!(database(folder.path()).execute(change, []).unwrap() > 0);
        let store = common::open(folder.path());
        assert!(matches!(store.current(ONE, KIND, "0"), Err(StoreError::Damaged { .. })), "{change}");
        assert_eq!(store.current(ONE, KIND, "2").unwrap().unwrap().body, body_of(2), "{change}");
        let report = store.scrub().unwrap();
        assert!(report.damage.iter().any(|damage| damage.seq == Some(Seq(1))), "{change}: {report:?}");
    }
}

#[test]
fn a_scrub_looks_past_the_keys_in_memory() {
    let folder = tempfile::tempdir().unwrap();
    let store = common::open(folder.path());
    for at in 0..3 {
        write(&store, &at.to_string(), &body_of(at)).unwrap();
    }
    let keys = store.scrub().unwrap().keys;
    assert_eq!(keys, 4, "one for each patient, one that wraps them");
    let change = "UPDATE data_key SET wrapped = zeroblob(77) WHERE key = (SELECT key FROM version WHERE seq = 2)";
    database(folder.path()).execute(change, []).unwrap();
    assert!(store.current(ONE, KIND, "1").is_ok(), "still in memory");
    let report = store.scrub().unwrap();
    assert_eq!(report.damage.iter().map(|damage| damage.seq).collect::<Vec<_>>(), [Some(Seq(2))]);
    database(folder.path()).execute("UPDATE data_key SET wrapped = zeroblob(77) WHERE kek IS NULL", []).unwrap();
    assert_eq!(store.scrub().unwrap().damage.len(), 4, "all the rows, and the wrapping key itself");
}

#[test]
fn a_claim_of_nobody_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let store = common::open(folder.path());
    write(&store, "a", b"x").unwrap();
    let mut tx = store.begin(ONE);
    let holder = store.record_id(ONE, KIND, "a");
    for value in 0..300_u16 {
        tx.claim(iris_store::ClaimScope(1), &[&value.to_be_bytes()], iris_store::ClaimExpect::Absent, holder);
    }
    tx.commit_blocking().unwrap();
    assert!(store.scrub().unwrap().is_good());
    let change = "UPDATE claim SET record = zeroblob(16) WHERE token = (SELECT max(token) FROM claim)";
    assert_eq!(database(folder.path()).execute(change, []).unwrap(), 1);
    let report = store.scrub().unwrap();
    assert!(matches!(&report.damage[..], [only] if only.what.contains("claim")), "{report:?}");
}

#[test]
fn the_bodies_of_two_events_cannot_be_swapped() {
    let folder = tempfile::tempdir().unwrap();
    let store = common::open(folder.path());
    let mut tx = store.begin(ONE);
    tx.event(b"first");
    tx.event(b"second");
    tx.commit_blocking().unwrap();
    assert_eq!(store.outbox(0, 9).unwrap()[1].body, b"second");
    let change = "UPDATE outbox SET body = (SELECT o.body FROM outbox o WHERE o.number = 3 - outbox.number)";
    assert_eq!(database(folder.path()).execute(change, []).unwrap(), 2);
    assert!(matches!(store.outbox(0, 9), Err(StoreError::Damaged { .. })));
}

#[test]
fn a_wrong_number_of_a_wrapping_key_is_damage() {
    let changes = [
        "UPDATE data_key SET kek = key WHERE kek IS NOT NULL",
        "UPDATE data_key SET kek = (SELECT max(key) FROM data_key) WHERE kek IS NOT NULL",
        "UPDATE data_key SET kek = coalesce((SELECT min(k.key) FROM data_key k WHERE k.key > data_key.key), 1)",
        "UPDATE data_key SET kek = 77 WHERE kek IS NOT NULL",
    ];
    for change in changes {
        let folder = tempfile::tempdir().unwrap();
        filled(folder.path(), 3);
        assert!(database(folder.path()).execute(change, []).unwrap() > 0);
        let store = common::open(folder.path());
        for id in ["0", "1", "2"] {
            assert!(matches!(store.current(ONE, KIND, id), Err(StoreError::Damaged { .. })), "{change}");
        }
        assert!(!store.scrub().unwrap().is_good(), "{change}");
    }
}

#[test]
fn the_wrapping_keys_of_two_tenants_cannot_be_swapped() {
    let folder = tempfile::tempdir().unwrap();
    let store = common::open(folder.path());
    let tenants = [ONE, Tenant(ONE.0 + 1)];
    for tenant in tenants {
        let mut tx = store.begin(tenant);
        tx.put(simple(KIND, "a", Expect::Absent, 1, b"body"));
        tx.commit_blocking().unwrap();
    }
    store.close();
    for columns in ["wrapped", "tenant", "owner"] {
        let database = database(folder.path());
        let swap = || {
            let rows: Vec<(i64, rusqlite::types::Value)> = database
                .prepare(&format!("SELECT key, {columns} FROM data_key WHERE kek IS NULL ORDER BY key"))
                .unwrap()
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
                .unwrap()
                .map(Result::unwrap)
                .collect();
            let set = format!("UPDATE data_key SET {columns} = ?2 WHERE key = ?1");
            // By way of a third value: owners are unique.
            let aside = if columns == "tenant" { "-1" } else { "zeroblob(3)" };
            database.execute(&format!("UPDATE data_key SET {columns} = {aside} WHERE key = ?1"), [rows[0].0]).unwrap();
            database.execute(&set, (rows[1].0, &rows[0].1)).unwrap();
            database.execute(&set, (rows[0].0, &rows[1].1)).unwrap();
        };
        swap();
        let store = common::open(folder.path());
        for tenant in tenants {
            assert!(matches!(store.current(tenant, KIND, "a"), Err(StoreError::Damaged { .. })), "{columns}");
        }
        assert!(!store.scrub().unwrap().is_good(), "{columns}");
        store.close();
        swap();
        let store = common::open(folder.path());
        assert!(store.current(tenants[0], KIND, "a").unwrap().is_some(), "{columns}");
        store.close();
    }
}

#[test]
fn a_full_disk_stores_nothing_and_is_survived() {
    let folder = tempfile::tempdir().unwrap();
    let store = common::try_open(StoreConfig { pages_max: Some(64), ..common::config(folder.path()) }).unwrap();
    let mut stored = 0;
    let full = loop {
        match write(&store, &stored.to_string(), &body_of(stored).repeat(9)) {
            Ok(_) => stored += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(full, CommitError::StorageFull), "{full}");
    assert!(stored > 10);
    assert_eq!(store.current(ONE, KIND, &stored.to_string()).unwrap(), None);
    assert_eq!(store.head().0, stored as u64);
    assert_eq!(store.audit_head(Stream::Writes).unwrap(), stored as u64);
    for at in 0..stored {
        assert_eq!(store.current(ONE, KIND, &at.to_string()).unwrap().unwrap().body, body_of(at).repeat(9));
    }
    assert!(store.scrub().unwrap().is_good());
    store.close();
    let store = common::open(folder.path());
    assert_eq!(write(&store, "more", b"room").unwrap().first.0, stored as u64 + 1);
}

#[test]
fn a_full_file_system_stores_nothing_and_is_survived() {
    let mount = tempfile::tempdir().unwrap();
    let run = |program: &str, args: &[&str]| {
        let done = std::process::Command::new(program).args(args).arg(mount.path()).output();
        done.is_ok_and(|output| output.status.success())
    };
    if !run("mount", &["-t", "tmpfs", "-o", "size=12m", "tmpfs"]) {
        println!("skipped: this user cannot mount a file system");
        return;
    }
    let store = common::open(mount.path());
    let ballast = mount.path().join("ballast");
    write(&store, "first", b"x").unwrap();
    std::fs::write(&ballast, vec![0; 8 << 20]).unwrap();
    let mut stored = 0;
    let full = loop {
        match write(&store, &stored.to_string(), &body_of(stored).repeat(99)) {
            Ok(_) => stored += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(full, CommitError::StorageFull), "{full}");
    let entry = || AuditRow { header: vec![1; 100], details: vec![2; 100_000] };
    // The journal has its segment from before or finds no room for one; it says so and goes on later.
    let journal = (0..100).map(|_| store.journal().append_blocking(vec![entry()])).find_map(Result::err);
    assert!(matches!(journal, Some(iris_store::JournalError::StorageFull)), "{journal:?}");
    assert_eq!(store.current(ONE, KIND, "0").unwrap().unwrap().body, body_of(0).repeat(99));
    std::fs::remove_file(&ballast).unwrap();
    write(&store, "after", b"room again").unwrap();
    store.journal().append_blocking(vec![entry()]).unwrap();
    assert!(store.scrub().unwrap().is_good());
    store.close();
    let store = common::open(mount.path());
    assert_eq!(&store.current(ONE, KIND, "after").unwrap().unwrap().body[..], b"room again");
    drop(store);
    assert!(run("umount", &[]));
}

#[test]
fn keys_are_missed_loudly() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path(), 2);
    let key = folder.path().join("key");
    let aside = folder.path().join("aside");
    // Missing.
    std::fs::rename(&key, &aside).unwrap();
    let missing = common::key(folder.path(), None).unwrap_err();
    assert!(matches!(missing, OpenError::KeyMissing(_)) && missing.to_string().contains("backup"), "{missing}");
    assert!(!key.exists(), "no new key is made");
    // Of another folder.
    let other = tempfile::tempdir().unwrap();
    filled(other.path(), 1);
    std::fs::copy(other.path().join("key"), &key).unwrap();
    let wrong = common::try_open(common::config(folder.path())).err().unwrap();
    assert!(matches!(wrong, OpenError::WrongKey(_)), "{wrong}");
    // Readable by others.
    std::fs::copy(&aside, &key).unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o640)).unwrap();
    let exposed = common::key(folder.path(), None).unwrap_err();
    assert!(matches!(exposed, OpenError::KeyExposed { mode: 0o640, .. }), "{exposed}");
    // Damaged.
    let mut text = std::fs::read_to_string(&aside).unwrap();
    let last = text.trim_end().len() - 1;
    text.replace_range(last..=last, if text.as_bytes()[last] == b'0' { "1" } else { "0" });
    std::fs::write(&key, &text).unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    let damaged = common::key(folder.path(), None).unwrap_err();
    assert!(matches!(damaged, OpenError::KeyFile { .. }), "{damaged}");
    // The right one again: nothing was lost.
    std::fs::copy(&aside, &key).unwrap();
    let store = common::open(folder.path());
    assert_eq!(store.current(ONE, KIND, "1").unwrap().unwrap().body, body_of(1));
}

#[test]
fn a_passphrase_protects_the_key() {
    let folder = tempfile::tempdir().unwrap();
    let made = common::key(folder.path(), Some("correct horse")).unwrap();
    assert!(!made.unprotected());
    let mode = std::fs::metadata(folder.path().join("key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    for wrong in [None, Some("Correct horse")] {
        let refused = common::key(folder.path(), wrong).unwrap_err();
        assert!(matches!(refused, OpenError::Passphrase(_)) && refused.to_string().contains("IRIS_KEY_PASSPHRASE"));
    }
    common::key(folder.path(), Some("correct horse")).unwrap();
    let bare = tempfile::tempdir().unwrap();
    assert!(common::key(bare.path(), None).unwrap().unprotected());
    assert!(common::key(bare.path(), None).unwrap().unprotected());
}

#[test]
fn one_process_per_folder_and_no_folder_from_the_future() {
    let folder = tempfile::tempdir().unwrap();
    let store = common::open(folder.path());
    let second = common::try_open(common::config(folder.path())).err().unwrap();
    assert!(matches!(second, OpenError::Locked(_)), "{second}");
    store.close();
    let lock = FolderLock::take(folder.path()).unwrap();
    let store = common::try_open(common::config(folder.path()).with_lock(lock)).unwrap();
    store.close();
    database(folder.path()).execute("INSERT INTO migration VALUES (99, '0099_later', x'00', 0)", []).unwrap();
    let newer = common::try_open(common::config(folder.path())).err().unwrap();
    assert!(matches!(newer, OpenError::Newer { found: 99, .. }), "{newer}");
    database(folder.path()).execute("DELETE FROM migration WHERE number = 99", []).unwrap();
    database(folder.path()).execute("UPDATE migration SET checksum = x'00'", []).unwrap();
    let drift = common::try_open(common::config(folder.path())).err().unwrap();
    assert!(matches!(drift, OpenError::Drift { number: 1, .. }), "{drift}");
}

#[test]
fn a_deleted_or_changed_audit_row_shows() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path(), 5);
    database(folder.path()).execute("DELETE FROM audit_write WHERE ordinal = 2", []).unwrap();
    let store = common::open(folder.path());
    let ordinals: Vec<u64> =
        store.audit_rows(Stream::Writes, 0, 9).unwrap().iter().map(|(ordinal, _)| *ordinal).collect();
    assert_eq!(ordinals, [0, 1, 3, 4]);
}

#[test]
fn nothing_is_in_clear_in_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let store = common::open(folder.path());
    let mut tx = store.begin(ONE);
    let put = simple(KIND, "planted-identifier", Expect::Absent, 1, br#"{"family":"Plantedname"}"#);
    tx.put(Put { head: b"planted-head", ..put });
    tx.event(b"planted-event");
    tx.claim(
        iris_store::ClaimScope(1),
        &[b"planted-claim"],
        iris_store::ClaimExpect::Absent,
        store.record_id(ONE, KIND, "x"),
    );
    tx.commit_blocking().unwrap();
    let scan = || {
        let mut stack = vec![folder.path().to_owned()];
        while let Some(path) = stack.pop() {
            if path.is_dir() {
                stack.extend(std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
            } else {
                let bytes = std::fs::read(&path).unwrap().to_ascii_lowercase();
                assert!(!bytes.windows(7).any(|window| window == b"planted"), "{}", path.display());
            }
        }
    };
    scan();
    store.close();
    scan();
}

#[test]
fn keys_that_left_the_cache_are_unwrapped_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = common::try_open(StoreConfig { keys_cached: 4, ..common::config(folder.path()) }).unwrap();
    for at in 0..60 {
        write(&store, &at.to_string(), &body_of(at)).unwrap();
    }
    for at in (0..60).rev() {
        assert_eq!(store.current(ONE, KIND, &at.to_string()).unwrap().unwrap().body, body_of(at));
        let seq = store.current(ONE, KIND, &at.to_string()).unwrap().unwrap().seq;
        let owner = KeyOwner::Patient(store.record_id(ONE, KIND, &at.to_string()));
        let mut tx = store.begin(ONE);
        tx.put(Put { owner, ..simple(KIND, &at.to_string(), Expect::Current(seq), 2, b"again") });
        tx.commit_blocking().unwrap();
    }
    let keys: i64 = database(folder.path()).query_row("SELECT count(*) FROM data_key", [], |row| row.get(0)).unwrap();
    assert_eq!(keys, 61, "one for each patient, one that wraps them");
}
