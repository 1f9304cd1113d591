//! Disks that fill up, bytes that flip, ports that are taken, tenants that must not meet.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where something is not as it must be")]

use std::path::Path;
use std::process::Command;

use iris_testkit::{Clinic, Server};
use serde_json::{Value, json};

const BINARY: &str = env!("CARGO_BIN_EXE_iris");

#[test]
fn a_full_disk_refuses_writes_and_goes_on_when_there_is_room() {
    let place = tempfile::tempdir().unwrap();
    let mount =
        Command::new("mount").args(["-t", "tmpfs", "-o", "size=96m", "tmpfs"]).arg(place.path()).output().unwrap();
    if !mount.status.success() {
        println!("skipped: only root can make a small disk");
        return;
    }
    let _unmount = Unmount(place.path());
    let mut clinic = Clinic::at(BINARY, place.path().join("data"));
    let first = clinic.fhir("POST", "/fhir/Patient", br#"{"resourceType":"Patient","active":true}"#).expect(201);
    let first = format!("/fhir/Patient/{}", first.json()["id"].as_str().unwrap());
    let ballast = place.path().join("ballast");
    let free = free_bytes(place.path());
    std::fs::write(&ballast, vec![7; usize::try_from(free - (1 << 20)).unwrap()]).unwrap();
    let large = json!({ "resourceType": "Patient", "text": { "status": "generated",
        "div": format!("<div xmlns=\"http://www.w3.org/1999/xhtml\">{}</div>", noise(200_000)) } });
    let refused = (0..40).find_map(|_| {
        let answer = clinic.fhir("POST", "/fhir/Patient", large.to_string().as_bytes());
        (answer.status != 201).then_some(answer)
    });
    let refused = refused.expect("the disk fills up");
    assert_eq!(refused.status, 507, "{}", String::from_utf8_lossy(&refused.body));
    let live = clinic.server.get("/health/live", &[]);
    assert_eq!(live.status, 200);
    std::fs::remove_file(&ballast).unwrap();
    let again = clinic.fhir("POST", "/fhir/Patient", large.to_string().as_bytes());
    if again.status == 503 {
        // The audit journal does not go on after a failed flush: it says so, and a restart does.
        clinic.crash_and_restart();
    }
    let _ = clinic.fhir("POST", "/fhir/Patient", large.to_string().as_bytes()).expect(201);
    let _ = clinic.get(&first).expect(200);
    assert_eq!(clinic.server.terminate(), Some(0));
    for check in ["index", "audit", "store"] {
        let output = clinic.run(&[check, "verify"]);
        assert!(output.status.success(), "{check}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

struct Unmount<'a>(&'a Path);

impl Drop for Unmount<'_> {
    fn drop(&mut self) {
        let status = Command::new("umount").arg("--lazy").arg(self.0).status();
        if !status.is_ok_and(|status| status.success()) {
            println!("could not unmount {}", self.0.display());
        }
    }
}

fn free_bytes(folder: &Path) -> u64 {
    let output = Command::new("df").args(["--output=avail", "-B1"]).arg(folder).output().unwrap();
    String::from_utf8(output.stdout).unwrap().lines().nth(1).unwrap().trim().parse().unwrap()
}

/// Text that does not compress.
fn noise(length: usize) -> String {
    let chance = iris_testkit::SeededEntropy::new(1);
    (0..length).map(|_| char::from(b'a' + u8::try_from(chance.below(26)).unwrap())).collect()
}

#[test]
fn a_flipped_byte_in_the_database_is_named_and_never_shown() {
    let mut clinic = Clinic::open(BINARY);
    let mut paths = Vec::new();
    for number in 0..200 {
        let body =
            format!(r#"{{"resourceType":"Patient","name":[{{"family":"Flip{number}","text":"{}"}}]}}"#, noise(600));
        let id = clinic.fhir("POST", "/fhir/Patient", body.as_bytes()).expect(201).json()["id"].clone();
        paths.push(format!("/fhir/Patient/{}", id.as_str().unwrap()));
    }
    assert_eq!(clinic.server.terminate(), Some(0));
    let database = clinic.data().join("iris.db");
    let mut content = std::fs::read(&database).unwrap();
    let sound = content.clone();
    // The middle of the file is in the table of sealed rows; every 64 KiB from there on one byte is flipped.
    let middle = content.len() / 3;
    for at in (middle..content.len()).step_by(64 << 10) {
        content[at + 900] ^= 0x10;
    }
    std::fs::write(&database, &content).unwrap();
    let verify = clinic.run(&["store", "verify", "-o", "json"]);
    assert!(!verify.status.success(), "{}", String::from_utf8_lossy(&verify.stdout));
    let started = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| clinic.restart()));
    if started.is_ok() {
        for path in &paths {
            let answer = clinic.get(path);
            match answer.status {
                200 => assert!(answer.json()["name"][0]["family"].as_str().unwrap().starts_with("Flip")),
                status => assert!(matches!(status, 500 | 503), "{status} at {path}"),
            }
        }
        clinic.server.kill();
    }
    std::fs::write(&database, &sound).unwrap();
    for extra in ["iris.db-wal", "iris.db-shm"] {
        let _ = std::fs::remove_file(clinic.data().join(extra));
    }
}

#[test]
fn a_damaged_index_is_rebuilt_and_answers_the_same() {
    let mut clinic = Clinic::open(BINARY);
    for number in 0..50 {
        let body = format!(r#"{{"resourceType":"Patient","name":[{{"family":"Index{number}"}}]}}"#);
        let _ = clinic.fhir("POST", "/fhir/Patient", body.as_bytes()).expect(201);
    }
    assert_eq!(clinic.server.terminate(), Some(0));
    for entry in std::fs::read_dir(clinic.data().join("index")).unwrap() {
        let path = entry.unwrap().path();
        let mut content = std::fs::read(&path).unwrap();
        if let Some(byte) = content.last_mut() {
            *byte ^= 1;
            std::fs::write(&path, content).unwrap();
        }
    }
    clinic.restart();
    // While it is being rebuilt a search is refused; it never answers with less.
    let total = std::iter::repeat_with(|| clinic.get("/fhir/Patient?family=index&_summary=count"))
        .find(|answer| answer.status != 503)
        .unwrap();
    assert_eq!(total.expect(200).json()["total"], 50);
    assert_eq!(clinic.server.terminate(), Some(0));
    let verify = clinic.run(&["index", "verify"]);
    assert!(verify.status.success(), "{}", String::from_utf8_lossy(&verify.stderr));
}

#[test]
fn a_second_server_and_a_taken_port_are_refused_with_the_reason() {
    let clinic = Clinic::open(BINARY);
    let second = clinic.run(&["serve"]);
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(!second.status.success() && said.contains("IRIS_DATA_DIR"), "{said}");
    let elsewhere = tempfile::tempdir().unwrap();
    let port = clinic.server.base.strip_prefix("http://").unwrap();
    let taken = Server::command(BINARY, elsewhere.path(), &[("IRIS_HTTP_LISTEN", port)]).arg("serve").output().unwrap();
    let said = String::from_utf8_lossy(&taken.stderr).into_owned();
    assert!(!taken.status.success() && said.contains(port), "{said}");
}

#[test]
fn another_tenants_records_are_not_there() {
    let clinic = Clinic::open(BINARY);
    let made = clinic.fhir("POST", "/fhir/Patient", br#"{"resourceType":"Patient","name":[{"family":"Ours"}]}"#);
    let id = made.expect(201).json()["id"].as_str().unwrap().to_owned();
    let tenant = clinic.command(&["tenant", "create", "--name", "other", "-o", "json"])["tenant"].to_string();
    let other = clinic.user_with("other.doc", &["--role", "physician", "--tenant", &tenant], Some("other"));
    let get = |path: &str| clinic.server.get(path, &[("authorization", &other)]);
    assert_eq!(get(&format!("/fhir/Patient/{id}")).status, 404);
    assert_eq!(get(&format!("/fhir/Patient/{id}/_history")).status, 404);
    assert_eq!(get(&format!("/api/v1/patients/{id}")).status, 404);
    assert_eq!(get("/fhir/Patient?family=ours").expect(200).json()["total"], 0);
    let body = json!({ "resourceType": "Observation", "status": "final", "code": { "text": "x" },
        "subject": { "reference": format!("Patient/{id}") } });
    let bundle = json!({ "resourceType": "Bundle", "type": "transaction",
        "entry": [{ "resource": body, "request": { "method": "POST", "url": "Observation" } }] });
    let answer = clinic.plain(&other, "POST", "/fhir", &bundle);
    assert_eq!(answer.status, 422, "{}", String::from_utf8_lossy(&answer.body));
    assert_ne!(answer.json()["resourceType"], Value::Null);
}
