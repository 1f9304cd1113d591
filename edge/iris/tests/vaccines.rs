//! Another vaccine table: checked, loaded beside a running server, kept over a restart, refused where it is wrong.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where something is not as it must be")]

use std::fs;
use std::path::{Path, PathBuf};

use iris_testkit::{Clinic, Server};
use serde_json::{Value, json};

const BINARY: &str = env!("CARGO_BIN_EXE_iris");

/// A table with one vaccine of this code and name.
fn table(folder: &Path, code: &str, name: &str) -> PathBuf {
    let text = format!(
        "iris-vaccines|1\nedition|2030-02-01\nsource|a test\n[vaccines]\n{code}|active|1|FLU|{name}|{name} in full\n\
         [manufacturers]\nZZZ|active|Nobody, Inc.\n[products]\n{code}|NEWFLU|ZZZ|active\n"
    );
    let path = folder.join(format!("{code}.txt"));
    fs::write(&path, text).unwrap();
    path
}

fn found(clinic: &Clinic, token: &str, typed: &str) -> Value {
    clinic.plain(token, "GET", &format!("/api/v1/iris/vaccines?q={typed}&limit=1"), &Value::Null).expect(200).json()
}

/// The audit log in the open.
fn log(clinic: &Clinic, folder: &Path) -> String {
    let file = folder.join("audit.export");
    let _ = clinic.command(&["audit", "export", file.to_str().unwrap(), "--open", "-o", "json"]);
    fs::read_to_string(file).unwrap()
}

/// Runs a command that must fail and gives what it says.
#[track_caller]
fn refused(folder: &Path, arguments: &[&str]) -> Value {
    let output = Server::run(BINARY, folder, &[arguments, &["-o", "json"]].concat());
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_loaded_table_is_used_at_once_and_after_a_restart() {
    let mut clinic = Clinic::open(BINARY);
    let nurse = clinic.user("nora", "nurse");
    let files = tempfile::tempdir().unwrap();
    assert_eq!(found(&clinic, &nurse, "tdap")["items"][0]["cvx"], "115");

    let new = table(files.path(), "900", "Flu 2030");
    let new = new.to_str().unwrap();
    let counts = json!({"edition": "2030-02-01", "source": "a test", "vaccines": 1, "manufacturers": 1, "products": 1});
    assert_eq!(clinic.command(&["vaccines", "check", new, "-o", "json"]), counts);
    assert_eq!(found(&clinic, &nurse, "tdap")["items"][0]["cvx"], "115", "a check changes nothing");
    assert_eq!(clinic.command(&["vaccines", "load", new, "-o", "json"]), counts);
    let list = found(&clinic, &nurse, "newflu%20nobody");
    assert_eq!((&list["items"][0]["cvx"], &list["edition"]), (&json!("900"), &json!("2030-02-01")));
    assert_eq!(found(&clinic, &nurse, "tdap")["total"], 0);

    let log = log(&clinic, files.path());
    assert!(log.contains("config.change") && log.contains("edition 2030-02-01, 1 vaccines"), "{log}");

    let bad = files.path().join("bad.txt");
    fs::write(&bad, "iris-vaccines|1\nedition|2030-02-01\nsource|x\n[vaccines]\n1\n").unwrap();
    let said = refused(clinic.data(), &["vaccines", "load", bad.to_str().unwrap()]);
    assert!(said.to_string().contains("line 5: has 1 columns instead of 6"), "{said}");
    assert_eq!(found(&clinic, &nurse, "flu")["items"][0]["cvx"], "900", "the table in use stays");

    clinic.crash_and_restart();
    let nurse = clinic.user("nils", "nurse");
    assert_eq!(found(&clinic, &nurse, "flu")["items"][0]["cvx"], "900");
    assert!(!clinic.data().join("vaccines.txt.new").exists());
}

#[test]
fn a_table_that_cannot_be_kept_is_not_used() {
    let clinic = Clinic::open(BINARY);
    let nurse = clinic.user("nora", "nurse");
    let files = tempfile::tempdir().unwrap();
    let new = table(files.path(), "900", "Flu 2030");
    // Where the new file would be written there is something that is no file.
    fs::create_dir(clinic.data().join("vaccines.txt.new")).unwrap();
    let said = refused(clinic.data(), &["vaccines", "load", new.to_str().unwrap()]).to_string();
    assert!(said.contains("cannot be kept"), "{said}");
    assert_eq!(found(&clinic, &nurse, "tdap")["items"][0]["cvx"], "115");
    assert!(log(&clinic, files.path()).contains("could not be kept, and the table before it stays"));
}

#[test]
fn a_damaged_table_in_the_folder_keeps_the_server_from_starting() {
    let folder = tempfile::tempdir().unwrap();
    let files = tempfile::tempdir().unwrap();
    let made = Server::run(BINARY, folder.path(), &["user", "create", "--name", "ada", "--role", "nurse"]);
    assert!(made.status.success());
    let new = table(files.path(), "900", "Flu 2030");
    let loaded = Server::run(BINARY, folder.path(), &["vaccines", "load", new.to_str().unwrap()]);
    assert!(loaded.status.success(), "without a server too: {}", String::from_utf8_lossy(&loaded.stderr));
    let kept = folder.path().join("vaccines.txt");
    let text = fs::read_to_string(&kept).unwrap();
    fs::write(&kept, text.replace("900|active|1", "900|activ|1")).unwrap();
    let said = refused(folder.path(), &["index", "verify"]).to_string();
    assert!(said.contains("vaccines.txt") && said.contains("line 5: the status must be one of"), "{said}");
    // The way out that it names: another table, or the one that ships.
    assert!(said.contains("iris vaccines reset"), "{said}");
    let reset = Server::run(BINARY, folder.path(), &["vaccines", "reset", "-o", "json"]);
    assert!(reset.status.success(), "{}", String::from_utf8_lossy(&reset.stderr));
    assert!(!kept.exists());
    assert!(Server::run(BINARY, folder.path(), &["index", "verify"]).status.success());
    fs::write(&kept, "nothing of the kind").unwrap();
    let bad = Server::run(BINARY, folder.path(), &["vaccines", "load", kept.to_str().unwrap()]);
    assert!(!bad.status.success() && kept.exists(), "what cannot be read replaces nothing");
    let loaded = Server::run(BINARY, folder.path(), &["vaccines", "load", new.to_str().unwrap()]);
    assert!(loaded.status.success(), "{}", String::from_utf8_lossy(&loaded.stderr));
    assert_eq!(fs::read_to_string(&kept).unwrap(), text);
}

#[test]
fn a_server_goes_back_to_the_table_that_ships() {
    let clinic = Clinic::open(BINARY);
    let files = tempfile::tempdir().unwrap();
    let nurse = clinic.user("nora", "nurse");
    let shipped = found(&clinic, &nurse, "flu");
    let new = table(files.path(), "900", "Flu 2030");
    let told = clinic.command(&["vaccines", "load", new.to_str().unwrap(), "-o", "json"]);
    assert_eq!(told["vaccines"], 1);
    assert_eq!(found(&clinic, &nurse, "flu")["items"][0]["cvx"], "900");
    for again in 0..2 {
        let told = clinic.command(&["vaccines", "reset", "-o", "json"]);
        assert!(told["vaccines"].as_u64().unwrap() > 200, "{again}: {told}");
        assert_eq!(found(&clinic, &nurse, "flu"), shipped);
    }
}

#[test]
fn a_setting_names_the_table_and_every_fault_of_it() {
    let files = tempfile::tempdir().unwrap();
    let new = table(files.path(), "901", "Flu 2031");
    let clinic = Clinic::with(BINARY, &[("IRIS_VACCINES", new.to_str().unwrap())]);
    let nurse = clinic.user("nora", "nurse");
    assert_eq!(found(&clinic, &nurse, "flu")["items"][0]["cvx"], "901");
    let other = table(files.path(), "902", "Flu 2032");
    let said = refused(clinic.data(), &["vaccines", "load", other.to_str().unwrap()]).to_string();
    assert!(said.contains("IRIS_VACCINES"), "{said}");
    let said = refused(clinic.data(), &["vaccines", "reset"]).to_string();
    assert!(said.contains("IRIS_VACCINES"), "{said}");
    assert_eq!(found(&clinic, &nurse, "flu")["items"][0]["cvx"], "901");

    let bad = files.path().join("bad.txt");
    fs::write(&bad, "iris-vaccines|1\nedition|soon\nsource|x\n[vaccines]\n1\n[odd]\n").unwrap();
    for (path, said) in [
        (bad, &["line 2: ", "line 5: ", "line 6: ", "vaccines: there is not one"][..]),
        (files.path().join("absent.txt"), &["cannot be read"]),
    ] {
        let folder = files.path().join("data");
        let output =
            Server::command(BINARY, &folder, &[("IRIS_VACCINES", path.to_str().unwrap())]).arg("serve").output();
        let output = output.unwrap();
        assert_eq!(output.status.code(), Some(2));
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(errors.contains("IRIS_VACCINES") && said.iter().all(|what| errors.contains(what)), "{errors}");
        assert!(!folder.exists(), "nothing was made");
    }
    let checked = refused(files.path(), &["vaccines", "check", files.path().join("bad.txt").to_str().unwrap()]);
    assert!(checked.to_string().contains("line 6: there is no such section"), "{checked}");
}
