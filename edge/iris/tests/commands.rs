//! The commands that scripts rely on, without a server and beside one.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where something is not as it must be")]

use std::path::Path;
use std::process::Output;

use iris_app::platform::SystemClock;
use iris_kernel::Clock as _;
use iris_testkit::{Clinic, Server, totp_code};
use serde_json::{Value, json};

const BINARY: &str = env!("CARGO_BIN_EXE_iris");

fn run(folder: &Path, arguments: &[&str]) -> Output {
    Server::run(BINARY, folder, arguments)
}

#[track_caller]
fn good(folder: &Path, arguments: &[&str]) -> Value {
    let output = run(folder, &[arguments, &["-o", "json"]].concat());
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{arguments:?}: {text} {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_str(&text).unwrap()
}

#[track_caller]
fn bad(folder: &Path, arguments: &[&str]) -> Value {
    let output = run(folder, &[arguments, &["-o", "json"]].concat());
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {text} {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_str(&text).unwrap()
}

#[test]
fn every_wrong_setting_is_named_before_anything_starts() {
    let base = tempfile::tempdir().unwrap();
    let folder = base.path().join("data");
    let output = Server::command(BINARY, &folder, &[("IRIS_REFERENCES", "maybe"), ("IRIS_LOG_LEVL", "info")])
        .args(["serve", "--set", "client_ids=perhaps"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr);
    for name in ["IRIS_REFERENCES", "IRIS_LOG_LEVL", "IRIS_CLIENT_IDS"] {
        assert!(said.contains(name), "{said}");
    }
    assert!(!folder.exists(), "nothing was made");
}

#[test]
fn accounts_without_a_server() {
    let folder = tempfile::tempdir().unwrap();
    let user = good(folder.path(), &["user", "create", "--name", "ada", "--role", "physician"]);
    assert_eq!(user["password"].as_str().unwrap().len(), 24, "a password that was made is shown once");
    let client = good(folder.path(), &["client", "create", "--name", "N", "--scope", "system/*.cruds"]);
    assert!(client["client_id"].is_string() && client["client_secret"].is_string(), "{client}");
    let tenant = good(folder.path(), &["tenant", "create", "--name", "Second"]);
    let number = tenant["tenant"].as_u64().unwrap().to_string();
    good(folder.path(), &["user", "create", "--name", "ada", "--role", "nurse", "--tenant", &number]);
    let again = bad(folder.path(), &["user", "create", "--name", "ADA", "--role", "nurse"]);
    assert!(again["error"].as_str().unwrap().contains("in use"), "{again}");
    let role = bad(folder.path(), &["user", "create", "--name", "eve", "--role", "emperor"]);
    assert_eq!(role["faults"], json!(["role: there is no role emperor"]));
}

#[test]
fn a_given_password_is_not_shown_again() {
    let folder = tempfile::tempdir().unwrap();
    let output = Server::command(BINARY, folder.path(), &[("IRIS_USER_PASSWORD", "long enough and unusual 7")])
        .args(["user", "create", "--name", "ada", "--role", "nurse", "-o", "json"])
        .output()
        .unwrap();
    let shown = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !shown.contains("unusual"), "{shown}");
}

#[test]
fn looking_at_a_folder_makes_nothing_in_it() {
    let base = tempfile::tempdir().unwrap();
    let folder = base.path().join("absent");
    for arguments in [["audit", "verify"], ["audit", "key"], ["index", "verify"], ["store", "verify"]] {
        let said = bad(&folder, &arguments);
        assert!(said["error"].as_str().unwrap().contains("no installation"), "{said}");
    }
    assert!(!folder.exists());
}

#[test]
fn a_command_beside_a_server_takes_effect_at_once_and_the_server_ends_in_order() {
    let mut clinic = Clinic::open(BINARY);
    let _bearer = clinic.user("ada", "physician");
    let lines = tempfile::tempdir().unwrap();
    let file = lines.path().join("a.ndjson");
    std::fs::write(&file, "{\"resourceType\":\"Patient\",\"id\":\"a1\",\"name\":[{\"family\":\"Okafor\"}]}\n").unwrap();
    assert_eq!(clinic.command(&["import", file.to_str().unwrap(), "-o", "json"])["stored"], 1);
    assert_eq!(clinic.get("/fhir/Patient?family=okafor&_summary=count").expect(200).json()["total"], 1);
    for arguments in [["index", "rebuild"], ["index", "verify"], ["audit", "verify"], ["store", "verify"]] {
        good(clinic.data(), &arguments);
    }
    assert_eq!(clinic.server.terminate(), Some(0));
    assert!(!clinic.data().join("admin.sock").exists());
    assert_eq!(good(clinic.data(), &["index", "verify"])["missing"], 0, "the next process finds everything in order");
}

#[test]
fn rejects_are_named_and_the_rest_is_stored() {
    let folder = tempfile::tempdir().unwrap();
    let input = tempfile::tempdir().unwrap();
    let text = concat!(
        "{\"resourceType\":\"Patient\",\"id\":\"a1\"}\n",
        "{\"resourceType\":\"Patient\",\"id\":\"a2\",\"birthDate\":\"2026-02-30\",\"shoeSize\":43}\n",
        "{\"resourceType\":\"Patient\",\"id\":\"a3\"\n",
        "{\"resourceType\":\"Patient\",\"id\":\"a4\"}\n",
    );
    std::fs::write(input.path().join("p.ndjson"), text).unwrap();
    let (input_path, rejects) = (input.path().to_str().unwrap(), input.path().join("rejects"));
    let stopped = bad(folder.path(), &["import", input_path]);
    assert_eq!((&stopped["result"]["stored"], &stopped["result"]["rejected"]), (&json!(1), &json!(1)));
    let arguments = ["import", input_path, "--keep-going", "--rejects", rejects.to_str().unwrap()];
    let went_on = bad(folder.path(), &arguments);
    let result = &went_on["result"];
    assert_eq!((&result["stored"], &result["present"], &result["rejected"]), (&json!(1), &json!(1), &json!(2)));
    let lines: Vec<Value> =
        std::fs::read_to_string(&rejects).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!((&lines[0]["line"], &lines[1]["line"]), (&json!(2), &json!(3)));
    let places: Vec<&str> = lines[0]["faults"].as_array().unwrap().iter().map(|f| f["at"].as_str().unwrap()).collect();
    assert!(places.contains(&"/birthDate") && places.contains(&"/shoeSize"), "{places:?}");
}

#[test]
fn an_exported_log_convinces_somebody_with_the_file_and_the_key_alone() {
    let folder = tempfile::tempdir().unwrap();
    good(folder.path(), &["user", "create", "--name", "ada", "--role", "physician"]);
    let elsewhere = tempfile::tempdir().unwrap();
    let file = elsewhere.path().join("log");
    let path = file.to_str().unwrap();
    let exported = good(folder.path(), &["audit", "export", path]);
    let key = exported["key"].as_str().unwrap();
    assert_eq!(good(folder.path(), &["audit", "key"])["key"], key);
    bad(folder.path(), &["audit", "export", path]);
    let nowhere = elsewhere.path().join("nowhere");
    let verified = good(&nowhere, &["audit", "verify", "--file", path, "--key", key]);
    assert_eq!(verified["size"], exported["entries"]);
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(!text.contains("\"ada\""), "details stay sealed unless asked for");
    let changed = text.replacen("user.create", "user.update", 1);
    assert_ne!(changed, text);
    std::fs::write(&file, changed).unwrap();
    let caught = bad(&nowhere, &["audit", "verify", "--file", path, "--key", key]);
    assert!(!caught["faults"].as_array().unwrap().is_empty(), "{caught}");
    let open = elsewhere.path().join("open");
    good(folder.path(), &["audit", "export", open.to_str().unwrap(), "--open"]);
    assert!(std::fs::read_to_string(&open).unwrap().contains("user.create"));
}

#[test]
fn without_the_right_passphrase_nothing_is_served_and_nothing_lost() {
    let folder = tempfile::tempdir().unwrap();
    let with = |phrase: &str, arguments: &[&str]| {
        let environment: &[(&str, &str)] = if phrase.is_empty() { &[] } else { &[("IRIS_KEY_PASSPHRASE", phrase)] };
        Server::command(BINARY, folder.path(), environment).args(arguments).output().unwrap()
    };
    assert!(with("sesame", &["tenant", "create", "--name", "Second"]).status.success());
    for wrong in ["", "Sesame"] {
        let refused = with(wrong, &["serve"]);
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success() && said.contains("passphrase"), "{said}");
    }
    assert!(with("sesame", &["store", "verify"]).status.success());
    let key = folder.path().join("root.key");
    let kept = std::fs::read(&key).unwrap();
    std::fs::remove_file(&key).unwrap();
    let missing = with("sesame", &["store", "verify"]);
    assert!(String::from_utf8_lossy(&missing.stderr).contains("root.key"));
    assert!(!key.exists(), "no new key beside existing data");
    std::fs::write(&key, kept).unwrap();
    let exposed = with("sesame", &["store", "verify"]);
    let said = String::from_utf8_lossy(&exposed.stderr).into_owned();
    assert!(!exposed.status.success() && said.contains("root.key"), "a key that others may read is refused: {said}");
}

#[test]
fn the_last_administrator_who_lost_the_factors_gets_in_from_the_machine_and_it_is_in_the_log() {
    let clinic = Clinic::open(BINARY);
    let bearer = clinic.user("root", "admin");
    let setup = clinic.plain(&bearer, "POST", "/api/v1/auth/mfa/setup", &json!({})).expect(200).json();
    let code = totp_code(setup["secret"].as_str().unwrap(), SystemClock::new().now());
    drop(clinic.plain(&bearer, "POST", "/api/v1/auth/mfa/verify", &json!({ "code": code })).expect(200));
    let nobody = bad(clinic.data(), &["user", "reset-factors", "--name", "nobody"]);
    assert!(nobody["error"].as_str().unwrap().contains("no such user"), "{nobody}");
    let elsewhere = bad(clinic.data(), &["user", "reset-factors", "--name", "root", "--tenant", "7"]);
    assert!(elsewhere["error"].as_str().unwrap().contains("no such user"), "{elsewhere}");
    let done = clinic.command(&["user", "reset-factors", "--name", "ROOT", "-o", "json"]);
    assert_eq!(
        (&done["name"], &done["authenticator_app"], &done["passkeys"]),
        (&json!("root"), &json!(true), &json!(0))
    );
    drop(clinic.plain(&bearer, "GET", "/api/v1/auth/me", &Value::Null).expect(401));
    let auditor = clinic.user("ada", "auditor");
    let path = "/api/v1/audit/logs?action=factor.remove";
    let log = clinic.plain(&auditor, "GET", path, &Value::Null).expect(200).json();
    assert!(log["items"][0].to_string().contains("iris user reset-factors"), "{log}");
}
