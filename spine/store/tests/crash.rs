//! `kill -9` while many threads write: every acknowledged write is there afterwards, whole, and nothing is half there.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on ends")]

mod common;

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use iris_kernel::{Kind, RecordId, Seq, Tenant};
use iris_store::testing::simple;
use iris_store::{AuditRow, ClaimExpect, ClaimScope, Expect, KeyOwner, Put, Store, Stream};

const FOLDER: &str = "STORE_CRASH_FOLDER";
const THREADS: usize = 8;
const KIND: Kind = Kind(3);
const SCOPE: ClaimScope = ClaimScope(9);
const TENANT: Tenant = Tenant::DEFAULT;

fn body_of(id: &str) -> Vec<u8> {
    format!("{{\"resourceType\":\"Patient\",\"id\":\"{id}\"}}").repeat(1 + id.len() % 7).into_bytes()
}

/// Runs in the child only: writes until it is killed and says what was acknowledged.
#[test]
#[ignore = "the child of the test below"]
fn writer() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else { return };
    let store = common::open(&folder);
    let start = store.head().0;
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let store = store.clone();
            scope.spawn(move || {
                for count in 0.. {
                    write_one(&store, &format!("{start}-{thread}-{count}"), count);
                }
            });
        }
    });
}

fn write_one(store: &Store, id: &str, count: usize) {
    let record = store.record_id(TENANT, KIND, id);
    let mut tx = store.begin(TENANT);
    let owner = if count.is_multiple_of(3) { KeyOwner::Patient(record) } else { KeyOwner::Tenant };
    let body = body_of(id);
    tx.put(Put { owner, ..simple(KIND, id, Expect::Absent, 1, &body) });
    tx.claim(SCOPE, &[id.as_bytes()], ClaimExpect::Absent, record);
    tx.audit(AuditRow { header: id.as_bytes().to_vec(), details: vec![7; 40] });
    let seq = tx.commit_blocking().unwrap().first;
    println!("\nwrite {} {id}", seq.0);
    let row = AuditRow { header: format!("read {id}").into_bytes(), details: vec![1; 100] };
    store.journal().append_blocking(vec![row]).unwrap();
    println!("\nread {id}");
    std::io::stdout().flush().unwrap();
}

/// Lets the child write until it has acknowledged so many lines, kills it, and gives back what it had said.
fn run_and_kill(folder: &Path, lines_wanted: usize) -> Vec<String> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["writer", "--exact", "--ignored", "--nocapture", "--test-threads=1"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut said: Vec<String> = lines.by_ref().take(lines_wanted).map(Result::unwrap).collect();
    child.kill().unwrap();
    // What was in the pipe already was acknowledged too; the last line may be cut off.
    said.extend(lines.map_while(Result::ok));
    child.wait().unwrap();
    if said.last().is_some_and(|line| line.len() < 12) {
        said.pop();
    }
    said.pop();
    said
}

#[test]
fn every_acknowledged_write_survives_kill() {
    let folder = tempfile::tempdir().unwrap();
    let mut written: HashMap<String, u64> = HashMap::new();
    let mut read: Vec<String> = Vec::new();
    for round in 0..4 {
        for line in run_and_kill(folder.path(), 300 + 177 * round) {
            let words: Vec<&str> = line.split(' ').collect();
            match words[..] {
                ["write", seq, id] => drop(written.insert(id.to_owned(), seq.parse().unwrap())),
                ["read", id] => read.push(id.to_owned()),
                _ => {}
            }
        }
        let store = common::open(folder.path());
        check(&store, &written, &read);
        store.close();
    }
    assert!(written.len() > 100, "{}", written.len());
}

fn check(store: &Store, written: &HashMap<String, u64>, read: &[String]) {
    for (id, seq) in written {
        let row = store.current(TENANT, KIND, id).unwrap().unwrap_or_else(|| panic!("{id} is lost"));
        assert_eq!((row.seq, &row.body[..]), (Seq(*seq), &body_of(id)[..]));
    }
    let mut holders: Vec<RecordId> = Vec::new();
    let rows = store.feed(Seq(0), usize::MAX).unwrap();
    let entries = store.audit_rows(Stream::Writes, 0, usize::MAX).unwrap();
    assert_eq!(rows.len(), entries.len(), "each write has its entry, acknowledged or not");
    for (at, (row, (ordinal, entry))) in rows.iter().zip(&entries).enumerate() {
        assert_eq!((row.seq.0, *ordinal), (at as u64 + 1, at as u64));
        let holder = store.claim_holder(TENANT, SCOPE, &[&entry.header]).unwrap();
        assert_eq!(holder, Some(row.record), "the claim came with the write");
        holders.push(row.record);
    }
    let journal = store.audit_rows(Stream::Reads, 0, usize::MAX).unwrap();
    let journalled: std::collections::HashSet<&[u8]> = journal.iter().map(|(_, row)| row.header.as_slice()).collect();
    for id in read {
        assert!(journalled.contains(format!("read {id}").as_bytes()), "the entry of reading {id} is lost");
    }
    assert!(store.scrub().unwrap().is_good());
}
