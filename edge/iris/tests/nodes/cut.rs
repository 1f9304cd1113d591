//! The connection to the database is cut in the middle of a request.

use iris_testkit::postgres::{Database, RUNTIME};
use iris_testkit::{Answer, Clinic, Direction, FaultProxy, wait};
use serde_json::{Value, json};

use crate::{binary, soak};

/// How long a request may be refused after a cut.
const RECOVERY_SECONDS_MAX: u64 = 15;

/// A node whose database is behind a proxy of faults.
fn open() -> Option<(Database, FaultProxy, Clinic)> {
    let database = Database::empty()?;
    let proxy = FaultProxy::to(database.endpoint().port);
    let url = database.endpoint().behind(proxy.port()).url(RUNTIME, database.name());
    let environment = [("IRIS_DATABASE_URL", url.as_str()), ("IRIS_DATABASE_MIGRATE_URL", &database.owner_url())];
    let clinic = Clinic::with(binary(), &environment);
    Some((database, proxy, clinic))
}

/// Asks until it is answered; before that, every answer must be 503 with the time to come again. Gives how often that was.
fn insist(what: &str, ask: impl Fn() -> Answer) -> (Answer, usize) {
    let mut refused = 0;
    let answer = wait::until(RECOVERY_SECONDS_MAX, what, || {
        let answer = ask();
        if answer.status < 300 {
            return Some(answer);
        }
        refused += 1;
        assert_eq!(answer.status, 503, "{what}: {}", String::from_utf8_lossy(&answer.body));
        assert!(answer.header("retry-after").is_some(), "{what}: 503 without Retry-After");
        None
    });
    (answer, refused)
}

fn bundle(round: usize) -> Value {
    let entry = |number: usize| {
        let id = format!("cut-{round}-{number}");
        json!({ "resource": { "resourceType": "Patient", "id": id, "name": [{ "family": "Cut" }] },
            "request": { "method": "PUT", "url": format!("Patient/{id}") } })
    };
    json!({ "resourceType": "Bundle", "type": "transaction", "entry": [entry(0), entry(1), entry(2)] })
}

#[test]
fn a_write_that_is_cut_is_refused_then_taken_and_never_half_there() {
    let Some((_database, proxy, mut clinic)) = open() else { return };
    let rounds = if soak() { 400 } else { 40 };
    let (mut refused, mut taken) = (0, 0);
    for round in 0..rounds {
        // From the first bytes of the transaction to beyond its end, now on the way to the database, now on the way back.
        let (direction, bytes) = match round % 2 {
            0 => (Direction::ToServer, round * 5_000 / rounds),
            _ => (Direction::ToClient, round * 1_000 / rounds),
        };
        proxy.cut_after(direction, bytes as u64);
        let answer = clinic.fhir("POST", "/fhir", bundle(round).to_string().as_bytes());
        proxy.heal();
        let path = |number: usize| format!("/fhir/Patient/cut-{round}-{number}");
        let there = || {
            let states = (0..3).map(|number| wait_for(&clinic, &path(number))).collect::<Vec<_>>();
            assert!(states.iter().all(|state| *state == states[0]), "round {round} is half there: {states:?}");
            states[0] == 200
        };
        match answer.status {
            200 => {
                taken += 1;
                assert!(there(), "round {round} was acknowledged");
            }
            503 => {
                refused += 1;
                assert!(answer.header("retry-after").is_some(), "503 without Retry-After");
                if !there() {
                    let body = bundle(round).to_string();
                    insist("the bundle to be taken", || clinic.fhir("POST", "/fhir", body.as_bytes()));
                    assert!(there(), "round {round} was acknowledged");
                }
            }
            other => panic!("round {round}: {other} {}", String::from_utf8_lossy(&answer.body)),
        }
    }
    println!("{refused} of {rounds} writes were cut and refused, {taken} taken");
    assert!(refused >= rounds / 8, "only {refused} of {rounds} were cut");
    sound(&mut clinic);
}

/// The status of a read, once the database is there again: 200, and then it is the first version, or 404.
fn wait_for(clinic: &Clinic, path: &str) -> u16 {
    wait::until(RECOVERY_SECONDS_MAX, path, || {
        let answer = clinic.get(path);
        if answer.status == 503 {
            assert!(answer.header("retry-after").is_some(), "503 without Retry-After");
            return None;
        }
        assert!(matches!(answer.status, 200 | 404), "{path}: {}", String::from_utf8_lossy(&answer.body));
        if answer.status == 200 {
            assert_eq!(answer.json()["meta"]["versionId"], "1", "{path} was written twice");
        }
        Some(answer.status)
    })
}

#[test]
fn a_read_that_is_cut_is_refused_and_then_answered() {
    let Some((_database, proxy, mut clinic)) = open() else { return };
    let made = clinic.fhir("POST", "/fhir/Patient", br#"{"resourceType":"Patient","name":[{"family":"Cut"}]}"#);
    let path = format!("/fhir/Patient/{}", made.expect(201).json()["id"].as_str().unwrap());
    let mut refused = 0;
    for bytes in (0..800).step_by(20) {
        proxy.cut_after(Direction::ToServer, bytes);
        let (answer, times) = insist("the record to be read", || clinic.get(&path));
        assert_eq!(answer.json()["name"][0]["family"], "Cut");
        refused += times;
        proxy.heal();
    }
    println!("reads were refused {refused} times");
    sound(&mut clinic);
}

#[test]
fn a_database_that_is_away_is_refused_at_once_and_found_again() {
    let Some((_database, proxy, mut clinic)) = open() else { return };
    let body = br#"{"resourceType":"Patient","name":[{"family":"Away"}]}"#;
    let path = format!(
        "/fhir/Patient/{}",
        clinic.fhir("POST", "/fhir/Patient", body).expect(201).json()["id"].as_str().unwrap()
    );
    proxy.refuse();
    proxy.cut();
    for _ in 0..20 {
        let ((read, write), took) = wait::timed(|| (clinic.get(&path), clinic.fhir("POST", "/fhir/Patient", body)));
        for answer in [read, write] {
            assert!(answer.status == 503 && answer.header("retry-after").is_some(), "{answer:?}");
        }
        assert!(took.as_secs() < 6, "refusing took {took:?}");
    }
    let ready = clinic.server.get("/health/ready", &[]);
    assert_eq!(ready.status, 503, "{}", String::from_utf8_lossy(&ready.body));
    let _ = clinic.server.get("/health/live", &[]).expect(200);
    proxy.heal();
    insist("reads to work", || clinic.get(&path));
    insist("writes to work", || clinic.fhir("POST", "/fhir/Patient", body));
    insist("the node to be ready", || clinic.server.get("/health/ready", &[]));
    sound(&mut clinic);
}

fn sound(clinic: &mut Clinic) {
    assert_eq!(clinic.server.terminate(), Some(0));
    for check in ["audit", "store"] {
        let output = clinic.run(&[check, "verify"]);
        assert!(output.status.success(), "{check}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

/// Longest wait for the answer of a node whose database says nothing any more.
const SILENCE_SECONDS_MAX: u64 = 45;

#[test]
#[ignore = "waits for time-outs"]
fn a_database_that_falls_silent_is_refused_in_time_and_found_again() {
    let Some((_database, proxy, mut clinic)) = open() else { return };
    let body = br#"{"resourceType":"Patient","name":[{"family":"Silent"}]}"#;
    let made = clinic.fhir("POST", "/fhir/Patient", body).expect(201).json();
    let path = format!("/fhir/Patient/{}", made["id"].as_str().unwrap());
    proxy.stall();
    std::thread::scope(|scope| {
        let clinic = &clinic;
        let read = scope.spawn(|| wait::timed(|| clinic.get(&path)));
        let write = scope.spawn(|| wait::timed(|| clinic.fhir("POST", "/fhir/Patient", body)));
        for asked in [read, write] {
            let (answer, took) = asked.join().unwrap();
            println!("answered {} after {took:.1?}", answer.status);
            assert!(answer.status == 503 && answer.header("retry-after").is_some(), "{answer:?}");
            assert!(took.as_secs() < SILENCE_SECONDS_MAX, "it took {took:?}");
        }
    });
    proxy.heal();
    insist("reads to work", || clinic.get(&path));
    insist("writes to work", || clinic.fhir("POST", "/fhir/Patient", body));
    sound(&mut clinic);
}
