//! The demo clinic, through the real binary.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where something is not as it must be")]

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use iris_testkit::{Answer, Clinic, Server};
use serde_json::{Value, json};

const BINARY: &str = env!("CARGO_BIN_EXE_iris");
const FEW: &[&str] = &["--demo", "--demo-patients", "6"];

fn credentials(folder: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(folder.join("demo-credentials.json")).unwrap()).unwrap()
}

fn sign_in(server: &Server, sign_in: &Value) -> String {
    let body = json!({ "username": sign_in["username"], "password": sign_in["password"] }).to_string();
    let headers = [("content-type", "application/json")];
    let token = server.send("POST", "/api/v1/auth/login", &headers, Some(body.as_bytes())).expect(200).json();
    format!("Bearer {}", token["access_token"].as_str().unwrap())
}

fn get(server: &Server, bearer: &str, path: &str) -> Answer {
    server.get(path, &[("authorization", bearer)])
}

/// Starts the demo, takes down what it prints up to its last line, and ends it in order.
fn printed(folder: &Path, arguments: &[&str]) -> String {
    let mut child = Server::command(BINARY, folder, &[("IRIS_HTTP_LISTEN", "127.0.0.1:0")])
        .arg("serve")
        .args(arguments)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut text = String::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        text.push_str(&line);
        text.push('\n');
        if line.ends_with("Ctrl-C closes the clinic.") {
            break;
        }
    }
    Command::new("kill").arg("-TERM").arg(child.id().to_string()).status().unwrap();
    assert!(child.wait().unwrap().success(), "{text}");
    text
}

#[track_caller]
fn refused(folder: &Path, environment: &[(&str, &str)], arguments: &[&str]) -> String {
    let output = Server::command(BINARY, folder, environment).arg("serve").args(arguments).output().unwrap();
    assert!(!output.status.success());
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn each_role_signs_in_to_the_demo_and_sees_what_it_may() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start_with(BINARY, folder.path(), &[], FEW);
    let file = folder.path().join("demo-credentials.json");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let credentials = credentials(folder.path());
    let roles: Vec<&String> = credentials.as_object().unwrap().keys().collect();
    assert_eq!(roles.len(), 12, "{roles:?}");
    let bearer = |role: &str| sign_in(&server, &credentials[role]);
    for role in roles {
        let me = get(&server, &bearer(role), "/api/v1/auth/me").expect(200).json();
        assert!(me.to_string().contains(role.as_str()), "{me}");
    }
    let found = get(&server, &bearer("nurse"), "/api/v1/patients?limit=50").expect(200).json();
    assert_eq!(found["items"].as_array().unwrap().len(), 6, "{found}");
    assert_eq!(get(&server, &bearer("auditor"), "/api/v1/patients").status, 403);
    // The patient sees the own record, which is a rich one, and no other.
    let patient = bearer("patient");
    let me = get(&server, &patient, "/api/v1/auth/me").expect(200).json();
    let own = me["patient_id"].as_str().unwrap_or_else(|| panic!("{me}")).to_owned();
    let summary = get(&server, &patient, &format!("/api/v1/patients/{own}/summary")).expect(200).json();
    for list in ["problems", "medications", "allergies", "immunizations", "vital_signs"] {
        assert!(!summary[list].as_array().unwrap().is_empty(), "{list}");
    }
    let others = found["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap());
    for other in others.filter(|other| *other != own) {
        assert!(matches!(get(&server, &patient, &format!("/api/v1/patients/{other}")).status, 403 | 404));
    }
}

#[test]
fn a_second_start_prints_the_same_and_stores_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let first = printed(folder.path(), FEW);
    assert!(first.contains("The demo clinic is open at http://localhost:"), "{first}");
    let credentials = credentials(folder.path());
    for (role, sign_in) in credentials.as_object().unwrap() {
        let line = first.lines().find(|line| line.starts_with(&format!("{role} "))).unwrap();
        assert!(line.ends_with(sign_in["password"].as_str().unwrap()), "{line}");
    }
    let table =
        |text: &str| text.lines().skip_while(|line| !line.starts_with("role")).map(str::to_owned).collect::<Vec<_>>();
    let second = printed(folder.path(), &["--demo"]);
    assert_eq!(table(&first), table(&second));
    let output = Server::run(BINARY, folder.path(), &["demo", "seed", "--patients", "6", "-o", "json"]);
    let again: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(again["stored"], 0, "the folder's own day is taken: {again}");
    assert!(again["present"].as_u64().unwrap() > 200 && again["note"].is_string(), "{again}");
    let other = refused(folder.path(), &[], &["--demo", "--demo-patients", "7"]);
    assert!(other.contains("6 patients"), "{other}");
}

#[test]
fn a_start_that_was_cut_off_is_gone_on_with() {
    let folder = tempfile::tempdir().unwrap();
    // Asked to end, and then killed, as soon as the index is there: in the middle of filling the clinic or before.
    for (signal, expected) in [("-TERM", Some(0)), ("-KILL", None)] {
        let mut child = Server::command(BINARY, folder.path(), &[])
            .args(["serve", "--demo", "--demo-patients", "40"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        while !folder.path().join("index").exists() && child.try_wait().unwrap().is_none() {
            std::thread::yield_now();
        }
        Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
        assert_eq!(child.wait().unwrap().code(), expected, "{signal}");
    }
    let before = credentials(folder.path());
    let server = Server::start_with(BINARY, folder.path(), &[], &["--demo"]);
    assert_eq!(credentials(folder.path()), before, "what was told once stays so");
    let bearer = sign_in(&server, &before["nurse"]);
    let found = get(&server, &bearer, "/fhir/Patient?_summary=count").expect(200).json();
    assert_eq!(found["total"], 40);
}

#[test]
fn a_demo_is_for_this_machine_alone() {
    let base = tempfile::tempdir().unwrap();
    let folder = base.path().join("data");
    let said = refused(&folder, &[("IRIS_HTTP_LISTEN", "0.0.0.0:0"), ("IRIS_BEHIND_PROXY", "true")], FEW);
    assert!(
        said.contains("IRIS_HTTP_LISTEN") && said.contains("IRIS_BEHIND_PROXY") && said.contains("loopback"),
        "{said}"
    );
    let said = refused(&folder, &[("IRIS_METRICS_LISTEN", "0.0.0.0:0")], FEW);
    assert!(said.contains("IRIS_METRICS_LISTEN"), "{said}");
    assert!(!folder.exists(), "nothing was made");
    let said = refused(&folder, &[], &["--demo", "--demo-patients", "0"]);
    assert!(said.contains("--demo-patients"), "{said}");
}

#[test]
fn a_clinic_that_is_none_does_not_become_a_demo() {
    let folder = tempfile::tempdir().unwrap();
    let made = Server::run(BINARY, folder.path(), &["tenant", "create", "--name", "Second"]);
    assert!(made.status.success());
    let said = refused(folder.path(), &[], FEW);
    assert!(said.contains("no demo"), "{said}");
    assert!(!folder.path().join("demo-credentials.json").exists());
}

#[test]
fn seeding_beside_a_server_is_found_at_once_and_the_same_seed_stores_nothing_twice() {
    let clinic = Clinic::open(BINARY);
    let arguments = ["demo", "seed", "--patients", "5", "--seed", "9", "-o", "json"];
    let first = clinic.command(&arguments);
    assert_eq!(first["by_type"]["Patient"], 5, "{first}");
    assert_eq!(clinic.get("/fhir/Patient?_summary=count").expect(200).json()["total"], 5);
    let again = clinic.command(&arguments);
    assert_eq!((&again["stored"], &again["present"]), (&json!(0), &first["stored"]));
    let more = clinic.command(&["demo", "seed", "--patients", "9", "--seed", "9", "-o", "json"]);
    assert_eq!(more["by_type"]["Patient"], 4, "a larger clinic begins with the same people");
    let other_day = ["demo", "seed", "--patients", "5", "--seed", "9", "--at", "2020-01-01", "-o", "json"];
    let output = clinic.run(&other_day);
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(said["error"].as_str().unwrap().contains("not overwritten"), "{said}");
    let lean = ["demo", "seed", "--patients", "30", "--seed", "10", "--detail", "demographics", "-o", "json"];
    assert_eq!(clinic.command(&lean)["by_type"], json!({ "Patient": 30 }));
    let numbered = clinic.get("/fhir/Patient?_tag=HTEST&_summary=count").expect(200).json();
    assert_eq!(numbered["total"], 39, "each of them says that it is invented");
}

#[test]
fn invented_patients_do_not_come_among_others_unasked() {
    let clinic = Clinic::open(BINARY);
    let seed = ["demo", "seed", "--patients", "5", "--detail", "demographics", "-o", "json"];
    assert_eq!(clinic.command(&seed)["stored"], 5);
    assert_eq!(clinic.command(&seed)["present"], 5, "its own people are no strangers");
    let real = json!({"resourceType": "Patient", "name": [{"family": "Real"}]});
    let _ = clinic.fhir("POST", "/fhir/Patient", real.to_string().as_bytes()).expect(201);
    let output = clinic.run(&seed);
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(!output.status.success());
    let said = said["error"].as_str().unwrap();
    assert!(said.contains("has 1 patients that nobody invented") && said.contains("--yes"), "{said}");
    assert_eq!(clinic.get("/fhir/Patient?_summary=count").expect(200).json()["total"], 6);
    assert_eq!(clinic.command(&[&seed[..], &["--yes"]].concat())["present"], 5);
    assert_eq!(clinic.get("/fhir/Patient?_summary=count").expect(200).json()["total"], 6);
}

#[test]
fn the_sign_ins_are_for_their_owner_whatever_the_mask_of_the_process() {
    for mask in ["000", "777"] {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("demo.json");
        let line = format!("umask {mask}; exec \"$0\" serve --demo --demo-patients 1 --data-dir \"$1\"");
        let mut child = Command::new("sh")
            .args(["-c", &line, BINARY, folder.path().to_str().unwrap()])
            .env("IRIS_HTTP_LISTEN", "127.0.0.1:0")
            .env("IRIS_METRICS_LISTEN", "127.0.0.1:0")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let file = folder.path().join("demo-credentials.json");
        while !file.exists() && child.try_wait().unwrap().is_none() {
            std::thread::yield_now();
        }
        for file in [&file, &state] {
            assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600, "{mask}");
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

#[test]
fn a_file_of_settings_opens_a_demo_to_nobody_either() {
    let base = tempfile::tempdir().unwrap();
    let (folder, file) = (base.path().join("data"), base.path().join("iris.toml"));
    std::fs::write(&file, "behind_proxy = true\nhttp_listen = \"[::]:0\"\nmetrics_listen = \"192.0.2.1:0\"\n").unwrap();
    let output = Command::new(BINARY)
        .args(["serve", "--demo", "--config", file.to_str().unwrap(), "--data-dir", folder.to_str().unwrap()])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("IRIS_HTTP_LISTEN") && said.contains("IRIS_METRICS_LISTEN"), "{said}");
    assert!(!output.status.success() && !folder.exists());
}
