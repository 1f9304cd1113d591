//! What operators rely on: the settings as they count, what is missing, and a stop that fails no request.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where something is not as it must be")]

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use iris_testkit::wait::{Clock, until};
use iris_testkit::{Clinic, Server};
use serde_json::{Value, json};

const BINARY: &str = env!("CARGO_BIN_EXE_iris");

fn run(folder: &Path, environment: &[(&str, &str)], arguments: &[&str]) -> (Output, Value) {
    let output = Server::command(BINARY, folder, environment).args(arguments).output().unwrap();
    let said = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
    (output, said)
}

#[test]
fn the_settings_are_printed_with_where_they_come_from_and_without_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("phrase");
    std::fs::write(&secret, "open sesame\n").unwrap();
    let environment = [("IRIS_KEY_PASSPHRASE_FILE", secret.to_str().unwrap()), ("IRIS_SLOW_REQUEST", "2s")];
    let (output, said) = run(folder.path(), &environment, &["config", "print", "--log-level", "warn", "-o", "json"]);
    assert!(output.status.success());
    let of = |name: &str| said["settings"].as_array().unwrap().iter().find(|one| one["name"] == name).unwrap().clone();
    assert_eq!(
        of("IRIS_SLOW_REQUEST"),
        json!({"name": "IRIS_SLOW_REQUEST", "value": "2s", "origin": "environment", "live": true})
    );
    assert_eq!(of("IRIS_LOG_LEVEL")["origin"], "flag --log-level");
    assert_eq!(of("IRIS_KEY_PASSPHRASE")["value"], "***");
    let (output, _) = run(folder.path(), &environment, &["config", "print"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("IRIS_SLOW_REQUEST") && !text.contains("sesame"), "{text}");
    let (output, said) =
        run(folder.path(), &[("IRIS_REFERENCES", "x"), ("IRIS_NO", "y")], &["config", "print", "-o", "json"]);
    assert_eq!((output.status.code(), said["faults"].as_array().map(Vec::len)), (Some(2), Some(2)), "{said}");
}

#[test]
fn the_doctor_says_what_is_missing_before_there_is_a_server_and_beside_one() {
    let base = tempfile::tempdir().unwrap();
    let folder = base.path().join("data");
    let check = |said: &Value, name: &str| {
        let checks = said["result"]["checks"].as_array().unwrap();
        checks.iter().find(|one| one["check"] == name).map_or(Value::Null, |one| one["state"].clone())
    };
    let (output, said) = run(&folder, &[], &["doctor", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!((check(&said, "installation.there"), check(&said, "http.tls")), (json!("missing"), json!("missing")));
    assert!(!folder.exists(), "looking made something");
    let clinic = Clinic::open(BINARY);
    // What counts is the server's own configuration, not that of the process that asks.
    let (output, said) = run(clinic.data(), &[("IRIS_LOG_LEVEL", "debug")], &["doctor", "--json"]);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert_eq!(check(&said, "key.passphrase"), "missing");
    assert_eq!(check(&said, "log.level"), "good");
    assert_eq!(check(&said, "audit.signing"), "good");
    assert_eq!(check(&said, "accounts.second_factor"), "missing");
    let (output, _) = run(clinic.data(), &[], &["doctor"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.lines().any(|line| line.starts_with("missing") && line.contains("key.passphrase")), "{text}");
    assert!(text.contains("-> IRIS_PUBLIC_URL"), "{text}");
    let rule = json!({"mfa_roles": ["admin", "administrator"]});
    drop(clinic.plain(&clinic.user("root", "admin"), "PUT", "/api/v1/admin/policy", &rule).expect(200));
    let (_, said) = run(clinic.data(), &[], &["doctor", "--json"]);
    assert_eq!(check(&said, "accounts.second_factor"), "good");
}

/// One request on a connection that stays open; the whole answer.
fn ask(stream: &mut TcpStream, path: &str) -> std::io::Result<String> {
    stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes())?;
    let mut text = String::new();
    let mut bytes = [0; 4_096];
    loop {
        let count = stream.read(&mut bytes)?;
        if count == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        text.push_str(&String::from_utf8_lossy(&bytes[..count]));
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap().parse::<usize>();
        if body.len() >= length.unwrap() {
            return Ok(text);
        }
    }
}

fn address(server: &Server) -> SocketAddr {
    server.caller().base().strip_prefix("http://").unwrap().parse().unwrap()
}

/// A caller as a proxy is one: it keeps its connection, opens another where it is asked to, and sends nothing more once the
/// server says that it is not ready.
fn call_until_told(address: SocketAddr, told: &AtomicBool, answered: &AtomicU64) {
    let mut stream = None;
    while !told.load(Ordering::SeqCst) {
        let mut connection = stream.take().unwrap_or_else(|| TcpStream::connect(address).unwrap());
        let answer = ask(&mut connection, "/health/live").unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        answered.fetch_add(1, Ordering::SeqCst);
        if !answer.contains("connection: close") {
            stream = Some(connection);
        }
    }
}

#[test]
fn a_server_that_is_told_to_stop_fails_no_request_of_who_listens_to_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(BINARY, folder.path(), &[("IRIS_DRAIN_DELAY", "2s")]);
    let address = address(&server);
    let (told, answered) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        let callers: Vec<_> = (0..4).map(|_| scope.spawn(|| call_until_told(address, &told, &answered))).collect();
        until(10, "some answers", || (answered.load(Ordering::SeqCst) > 100).then_some(()));
        assert!(Command::new("kill").args(["-TERM", &server.pid().to_string()]).status().unwrap().success());
        // As a proxy asks, only more often.
        let mut unready = 0;
        until(10, "a server that is not ready", || {
            let ready = ask(&mut TcpStream::connect(address).unwrap(), "/health/ready").unwrap();
            unready = if ready.starts_with("HTTP/1.1 503") { unready + 1 } else { 0 };
            assert!(unready == 0 || ready.contains("\"draining\""), "{ready}");
            (unready == 50).then_some(())
        });
        told.store(true, Ordering::SeqCst);
        for caller in callers {
            caller.join().unwrap();
        }
    });
    assert_eq!(server.terminate(), Some(0));
    assert!(TcpStream::connect(address).is_err());
}

/// Processor time that a process has used, in hundredths of a second.
fn cpu_used(pid: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    // Behind the name, which may hold anything: user time is field 14 of proc(5), system time field 15.
    let fields = stat.rsplit_once(')').unwrap().1.split_whitespace().collect::<Vec<_>>();
    fields[11..13].iter().map(|ticks| ticks.parse::<u64>().unwrap()).sum()
}

/// All three doors fail to accept at once then, each time anew, because the callers stay in their queues.
#[test]
fn a_server_without_descriptors_rests_until_there_are_some_and_then_answers_who_waits() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(BINARY, folder.path(), &[("IRIS_LOG_LEVEL", "error")]);
    let descriptors = |soft: &str| {
        let (pid, limit) = (server.pid().to_string(), format!("--nofile={soft}:"));
        assert!(Command::new("prlimit").args(["--pid", &pid, &limit]).status().unwrap().success());
    };
    until(10, "a server that is ready", || (server.get("/health/ready", &[]).status == 200).then_some(()));
    descriptors("3");
    let metrics = server.metrics.strip_prefix("http://").unwrap().parse::<SocketAddr>().unwrap();
    let mut waiting = [TcpStream::connect(address(&server)).unwrap(), TcpStream::connect(metrics).unwrap()];
    let _admin = UnixStream::connect(folder.path().join("admin.sock")).unwrap();
    let (clock, before) = (Clock::start(), cpu_used(server.pid()));
    clock.until(Duration::from_secs(2));
    let used = cpu_used(server.pid()) - before;
    assert!(used < 40, "{used} hundredths of a second in two seconds of waiting");
    descriptors("1024");
    for (stream, path) in waiting.iter_mut().zip(["/health/live", "/metrics"]) {
        let answer = ask(stream, path).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    let verified = Server::run(BINARY, folder.path(), &["audit", "verify"]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
}

#[test]
fn a_change_made_while_the_server_runs_counts_after_a_restart_too() {
    let mut clinic = Clinic::open(BINARY);
    let sign_in = |clinic: &Clinic, name: &str| clinic.user(name, "admin");
    let call = |clinic: &Clinic, bearer: &str, method: &str, body: Option<&[u8]>| {
        let headers = [("authorization", bearer), ("content-type", "application/json")];
        clinic.server.send(method, "/api/v1/config", &headers, body)
    };
    let bearer = sign_in(&clinic, "ada");
    let patch = json!({"slow_request": "5ms", "flag_docs": "off"}).to_string();
    let _ = call(&clinic, &bearer, "PATCH", Some(patch.as_bytes())).expect(200);
    clinic.crash_and_restart();
    until(1, "the change to count again", || (clinic.server.get("/openapi.json", &[]).status == 404).then_some(()));
    let shown = call(&clinic, &sign_in(&clinic, "eve"), "GET", None).expect(200).json();
    let slow = shown["settings"].as_array().unwrap().iter().find(|one| one["name"] == "slow_request").unwrap();
    let words = [&slow["value"], &slow["origin"], &slow["start"], &slow["changed_by_name"]];
    assert_eq!(words, ["5ms", "api", "1s", "ada"]);
}
