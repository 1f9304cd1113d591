//! Power cuts: `kill -9` in the middle of writes loses nothing that was acknowledged.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where something is not as it must be")]

use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use iris_testkit::{Clinic, Server, data_dir};
use serde_json::Value;

const BINARY: &str = env!("CARGO_BIN_EXE_iris");
const WRITERS: usize = 16;
/// How many acknowledged writes the server is killed after.
const ACKNOWLEDGED: usize = 400;

#[test]
fn every_acknowledged_write_survives_a_kill_amid_sixteen_writers() {
    let mut clinic = Clinic::open(BINARY);
    let acknowledged = Arc::new(Mutex::new(Vec::<(String, String)>::new()));
    let count = AtomicUsize::new(0);
    let pid = clinic.server.pid().to_string();
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let (clinic, acknowledged, count, pid) = (&clinic, Arc::clone(&acknowledged), &count, &pid);
            scope.spawn(move || {
                for number in 0.. {
                    let family = format!("Kill{writer}x{number}");
                    let body = format!(r#"{{"resourceType":"Patient","name":[{{"family":"{family}"}}]}}"#);
                    let headers =
                        [("authorization", clinic.bearer.as_str()), ("content-type", "application/fhir+json")];
                    let Ok(answer) = clinic.server.try_send("POST", "/fhir/Patient", &headers, Some(body.as_bytes()))
                    else {
                        return;
                    };
                    let id = answer.expect(201).json()["id"].as_str().unwrap().to_owned();
                    acknowledged.lock().unwrap().push((id, family));
                    if count.fetch_add(1, Ordering::SeqCst) == ACKNOWLEDGED {
                        let killed = std::process::Command::new("kill").args(["-9", pid]).status().unwrap();
                        assert!(killed.success());
                    }
                }
            });
        }
    });
    clinic.server.kill();
    clinic.restart();
    let acknowledged = acknowledged.lock().unwrap();
    assert!(acknowledged.len() > ACKNOWLEDGED);
    for (id, family) in acknowledged.iter() {
        let patient = clinic.get(&format!("/fhir/Patient/{id}")).expect(200).json();
        assert_eq!(patient["name"][0]["family"], **family);
        let found = clinic.get(&format!("/fhir/Patient?family:exact={family}")).expect(200).json();
        assert_eq!(found["entry"][0]["resource"]["id"], **id, "{family} is not in the index");
    }
    assert_sound(&mut clinic);
}

#[test]
fn an_import_that_was_killed_is_finished_by_running_it_again() {
    let Some(data) = data_dir() else { return };
    let folder = tempfile::tempdir().unwrap();
    let synthea = data.join("synthea");
    let mut import = Server::command(BINARY, folder.path(), &[])
        .arg("import")
        .arg(&synthea)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // Killed once something has been stored: the database then has more than its empty pages.
    let database = folder.path().join("iris.db-wal");
    while std::fs::metadata(&database).map_or(0, |file| file.len()) < 2 << 20 {
        assert!(import.try_wait().unwrap().is_none(), "the import ended before it could be killed");
        std::thread::yield_now();
    }
    import.kill().unwrap();
    import.wait().unwrap();
    let output = Server::run(BINARY, folder.path(), &["import", synthea.to_str().unwrap(), "-o", "json"]);
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(summary["rejected"], 0, "{summary}");
    assert!(summary["present"].as_u64().unwrap() > 0, "nothing was stored before the kill: {summary}");
    assert_eq!(summary["stored"].as_u64().unwrap() + summary["present"].as_u64().unwrap(), 43_516);
    for check in ["index", "audit", "store"] {
        let output = Server::run(BINARY, folder.path(), &[check, "verify"]);
        assert!(output.status.success(), "{check}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

fn assert_sound(clinic: &mut Clinic) {
    assert_eq!(clinic.server.terminate(), Some(0));
    for check in ["index", "audit", "store"] {
        let output = Server::run(BINARY, clinic.data(), &[check, "verify"]);
        assert!(output.status.success(), "{check}: {}", String::from_utf8_lossy(&output.stderr));
    }
}
