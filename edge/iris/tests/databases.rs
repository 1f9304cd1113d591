//! `iris migrate` and `iris store copy`, as typed.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where something is not as it must be")]

use std::path::Path;
use std::process::Output;

use iris_testkit::postgres::Database;
use iris_testkit::{Server, wait};
use serde_json::{Value, json};

const BINARY: &str = env!("CARGO_BIN_EXE_iris");

fn run(folder: &Path, variables: &[(&str, &str)], arguments: &[&str]) -> Output {
    Server::command(BINARY, folder, variables).args(arguments).args(["-o", "json"]).output().unwrap()
}

#[track_caller]
fn good(folder: &Path, variables: &[(&str, &str)], arguments: &[&str]) -> Value {
    let output = run(folder, variables, arguments);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{arguments:?}: {text} {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_str(&text).unwrap()
}

#[track_caller]
fn bad(folder: &Path, variables: &[(&str, &str)], arguments: &[&str]) -> Value {
    let output = run(folder, variables, arguments);
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {text} {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_str(&text).unwrap()
}

fn error(document: &Value) -> &str {
    document["error"].as_str().unwrap()
}

#[test]
fn the_schema_of_sqlite_is_a_matter_of_the_start() {
    let base = tempfile::tempdir().unwrap();
    let folder = base.path().join("data");
    let plan = good(&folder, &[], &["migrate", "--plan"]);
    assert_eq!((&plan["database"], &plan["migrations"][0]["state"]), (&json!("SQLite"), &json!("pending")));
    assert!(plan["note"].as_str().unwrap().contains("next start"), "{plan}");
    good(&folder, &[], &["migrate", "--check"]);
    assert_eq!(good(&folder, &[], &["migrate", "--apply"])["applied"], json!([]));
    assert!(!folder.exists(), "looking makes nothing");
    good(&folder, &[], &["tenant", "create", "--name", "Second"]);
    let plan = good(&folder, &[], &["migrate", "--plan"]);
    assert_eq!((&plan["migrations"][0]["state"], &plan["note"]), (&json!("applied"), &Value::Null));
}

#[test]
fn the_schema_of_postgres_is_applied_by_the_role_that_may() {
    let Some(database) = Database::empty() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (url, owner) = (database.url(), database.owner_url());
    let alone = [("IRIS_DATABASE_URL", url.as_str())];
    let both = [alone[0], ("IRIS_DATABASE_MIGRATE_URL", owner.as_str())];
    assert_eq!(good(folder.path(), &alone, &["migrate", "--plan"])["migrations"][0]["state"], "pending");
    for command in ["--check", "--apply"] {
        let refused = bad(folder.path(), &alone, &["migrate", command]);
        assert!(error(&refused).contains("IRIS_DATABASE_MIGRATE_URL"), "{refused}");
    }
    good(folder.path(), &both, &["migrate", "--check"]);
    assert_eq!(good(folder.path(), &both, &["migrate", "--apply"])["applied"], json!(["0001_store"]));
    assert_eq!(good(folder.path(), &both, &["migrate", "--apply"])["applied"], json!([]));
    let plan = good(folder.path(), &alone, &["migrate", "--check"]);
    assert_eq!((&plan["database"], &plan["migrations"][0]["state"]), (&json!("PostgreSQL"), &json!("applied")));
    database.sql("update migration set checksum = ''");
    let drifted = bad(folder.path(), &alone, &["migrate", "--check"]);
    assert!(error(&drifted).contains("another text"), "{drifted}");
    assert_eq!(good(folder.path(), &alone, &["migrate", "--plan"])["migrations"][0]["state"], "drifted");
}

#[test]
fn an_installation_moves_to_postgres_and_back() {
    let Some(database) = Database::empty() else { return };
    let base = tempfile::tempdir().unwrap();
    let (here, back) = (base.path().join("here"), base.path().join("back"));
    let (url, owner) = (database.url(), database.owner_url());
    let shared = [("IRIS_DATABASE_URL", url.as_str()), ("IRIS_DATABASE_MIGRATE_URL", owner.as_str())];
    good(&here, &[], &["user", "create", "--name", "ada", "--role", "physician"]);
    good(&here, &[], &["demo", "seed", "--patients", "30"]);
    let rows = good(&here, &[], &["store", "verify"])["rows"].clone();
    let (here_text, back_text) = (here.to_str().unwrap(), back.to_str().unwrap());
    // Without the owner the rows are nobody's to write.
    let refused = bad(&here, &shared[..1], &["store", "copy", "--from", here_text]);
    assert!(error(&refused).contains("IRIS_DATABASE_MIGRATE_URL"), "{refused}");
    let copied = good(&here, &shared, &["store", "copy", "--from", here_text]);
    assert_eq!((&copied["rows"]["version"], &copied["store_verify"]["rows"]), (&rows, &rows), "{copied}");
    assert_eq!(copied["audit_verify"]["good"], true);
    // The same folder, its key and its index, now over PostgreSQL.
    for arguments in [["store", "verify"], ["audit", "verify"], ["index", "verify"]] {
        good(&here, &shared, &arguments);
    }
    let again = bad(&here, &shared, &["store", "copy", "--from", here_text]);
    assert!(error(&again).contains("not empty"), "{again}");
    // The log's lease of the commands above may live for some seconds.
    let returned = wait::until(30, "the lease to end", || {
        let returned = run(&here, &shared, &["store", "copy", "--from", &url, "--to", back_text]);
        let waits = !returned.status.success() && String::from_utf8_lossy(&returned.stdout).contains("lease");
        (!waits).then_some(returned)
    });
    assert!(returned.status.success(), "{}", String::from_utf8_lossy(&returned.stdout));
    for arguments in [["store", "verify"], ["audit", "verify"], ["index", "rebuild"]] {
        good(&back, &[], &arguments);
    }
    assert_eq!(std::fs::read(here.join("root.key")).unwrap(), std::fs::read(back.join("root.key")).unwrap());
    let second = bad(&back, &[], &["user", "create", "--name", "ada", "--role", "physician"]);
    assert!(error(&second).contains("in use"), "{second}");
}

#[test]
fn what_must_not_be_copied_is_refused_in_words() {
    let base = tempfile::tempdir().unwrap();
    let (here, other) = (base.path().join("here"), base.path().join("other"));
    let (here_text, other_text) = (here.to_str().unwrap(), other.to_str().unwrap());
    let copy = ["store", "copy", "--from", here_text, "--to", other_text];
    let nothing = bad(&here, &[], &copy);
    assert!(error(&nothing).contains("key"), "{nothing}");
    for folder in [&here, &other] {
        good(folder, &[], &["tenant", "create", "--name", "Second"]);
    }
    let full = bad(&here, &[], &copy);
    assert!(error(&full).contains("not empty"), "{full}");
    std::fs::remove_dir_all(&other).unwrap();
    std::fs::create_dir(&other).unwrap();
    std::fs::write(other.join("root.key"), "another").unwrap();
    let key = bad(&here, &[], &copy);
    assert!(error(&key).contains("another key"), "{key}");
    std::fs::remove_file(other.join("root.key")).unwrap();
    let same = bad(&here, &[], &["store", "copy", "--from", here_text, "--to", here_text]);
    assert!(error(&same).contains("not empty"), "{same}");
    good(&here, &[], &copy);
    let wrong = run(&here, &[], &["store", "copy", "--from", "postgres://u@far.example/x?sslmode=disable"]);
    assert_eq!(wrong.status.code(), Some(2), "a wrong setting: {}", String::from_utf8_lossy(&wrong.stdout));
}
