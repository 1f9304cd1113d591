//! Paging through the running server while others write: nothing twice, nothing left out that was there all the time, over both stores.
//! A few seconds in `make test`; with `IRIS_SOAK` set a minute, with the optimised binary that `IRIS_TEST_BINARY` names.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where something is not as it must be")]

use std::collections::HashSet;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use iris_testkit::postgres::Database;
use iris_testkit::{Caller, Clinic, wait};
use serde_json::{Value, json};

/// Who writes beside the reader.
const WRITERS: usize = 8;
/// Records that are there all the time; each writer changes its own share, but nothing that is searched or sorted by.
const STEADY: usize = 160;
/// Records of its own that a writer keeps before it deletes some.
const OWN_MAX: usize = 20;
/// How long it goes on.
const SPAN: Duration = Duration::from_secs(3);
const SPAN_SOAK: Duration = Duration::from_secs(60);
/// What is paged through, and the size of the pages: every record, and those of a criterion; orders by birth, text, date and id, both
/// directions, one key and several; one answer over two types.
const WALKS: [(&str, usize); 7] = [
    ("/fhir/Patient?", 7),
    ("/fhir/Patient?_sort=-birthdate", 16),
    ("/fhir/Patient?family:missing=false&_sort=family", 25),
    ("/fhir/Patient?identifier=urn:test:steady|&_sort=-_id", 11),
    ("/fhir/Patient?_sort=-family,birthdate,-given", 43),
    ("/fhir/Patient?identifier=urn:test:steady|&birthdate=ge1900&_total=none", 13),
    ("/fhir?_type=Patient,Group", 34),
];

/// The binary under test.
fn binary() -> &'static str {
    static BINARY: OnceLock<String> = OnceLock::new();
    let named = || std::env::var_os("IRIS_TEST_BINARY")?.into_string().ok();
    BINARY.get_or_init(|| named().unwrap_or_else(|| env!("CARGO_BIN_EXE_iris").to_owned()))
}

/// A patient: names, birth date and identifier say where it stands in every order, the round says nothing of that.
fn patient(id: &str, system: &str, number: usize, round: usize) -> Value {
    let given = ["Ann", "Bea", "Cy"][number % 3];
    json!({"resourceType": "Patient", "id": id, "active": round.is_multiple_of(2),
        "identifier": [{"system": system, "value": number.to_string()}],
        "name": [{"family": format!("Family{}", number % 11), "given": [given]}],
        "birthDate": format!("19{:02}-01-01", number % 17)})
}

/// Somebody who asks with the clinic's token.
struct Asking<'a>(&'a Caller, &'a str);

impl Asking<'_> {
    fn put(&self, id: &str, body: &Value, status: u16) {
        let headers = [("authorization", self.1), ("content-type", "application/fhir+json")];
        let body = body.to_string();
        let _ = self.0.send("PUT", &format!("/fhir/Patient/{id}"), &headers, Some(body.as_bytes())).expect(status);
    }

    fn delete(&self, id: &str) {
        let _ = self.0.send("DELETE", &format!("/fhir/Patient/{id}"), &[("authorization", self.1)], None).expect(204);
    }

    /// Follows the links to the end; the ids in the order in which they came, and how many pages there were.
    fn walk(&self, path: &str, size: usize) -> (Vec<String>, usize) {
        let (mut ids, mut pages) = (Vec::new(), 0);
        let mut here = Some(format!("{path}&_count={size}").replace("?&", "?"));
        while let Some(path) = here {
            let page = self.0.send("GET", &path, &[("authorization", self.1)], None).expect(200).json();
            let entries = page["entry"].as_array().cloned().unwrap_or_default();
            assert!(entries.len() <= size, "a page of {}", entries.len());
            ids.extend(entries.iter().map(|entry| entry["resource"]["id"].as_str().unwrap().to_owned()));
            let links = page["link"].as_array().unwrap();
            let next = links.iter().find(|link| link["relation"] == "next").map(|link| link["url"].as_str().unwrap());
            here = next.map(|url| url.strip_prefix(self.0.base()).unwrap().to_owned());
            pages += 1;
        }
        (ids, pages)
    }
}

/// Changes its share of the steady records, and makes and deletes records of its own, until it is told to end.
fn write(asking: &Asking<'_>, writer: usize, ends: &AtomicBool, writes: &AtomicUsize) {
    let share: Vec<usize> = (0..STEADY).filter(|number| number % WRITERS == writer).collect();
    let mut own: Vec<String> = Vec::new();
    let mut round = 0;
    while !ends.load(Ordering::Relaxed) {
        let number = share[round % share.len()];
        let id = format!("steady-{number}");
        asking.put(&id, &patient(&id, "urn:test:steady", number, round), 200);
        let id = format!("new-{writer}-{round}");
        asking.put(&id, &patient(&id, "urn:test:new", round, round), 201);
        own.push(id);
        if own.len() > OWN_MAX {
            asking.delete(&own.swap_remove(round % OWN_MAX));
        }
        writes.fetch_add(2, Ordering::Relaxed);
        round += 1;
    }
}

/// Ends the writers, also where the reader fails.
struct Ending<'a>(&'a AtomicBool);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn everything_comes_once(store: &str, clinic: &Clinic) {
    let asking = || Asking(clinic.server.caller(), &clinic.bearer);
    for number in 0..STEADY {
        let id = format!("steady-{number}");
        asking().put(&id, &patient(&id, "urn:test:steady", number, 1), 201);
    }
    let steady: HashSet<String> = (0..STEADY).map(|number| format!("steady-{number}")).collect();
    let span = if std::env::var_os("IRIS_SOAK").is_some() { SPAN_SOAK } else { SPAN };
    let (ends, writes) = (AtomicBool::new(false), AtomicUsize::new(0));
    let (mut walks, mut pages) = (0, 0);
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let (ends, writes) = (&ends, &writes);
            scope.spawn(move || write(&asking(), writer, ends, writes));
        }
        let _ending = Ending(&ends);
        let began = wait::Clock::start();
        while began.now() < span {
            for (path, size) in WALKS {
                let (found, taken) = asking().walk(path, size);
                let once: HashSet<&String> = found.iter().collect();
                assert_eq!(once.len(), found.len(), "something twice: {path}");
                let missed = steady.iter().filter(|id| !once.contains(id)).count();
                assert_eq!(missed, 0, "something left out: {path}");
                walks += 1;
                pages += taken;
            }
        }
    });
    let writes = writes.load(Ordering::Relaxed);
    println!("{store}: {walks} walks of {pages} pages beside {writes} writes by {WRITERS} writers in {span:?}");
    assert!(writes > WRITERS && pages > walks, "nobody wrote, or nothing was paged");
    let verified = clinic.command(&["index", "verify", "-o", "json"]);
    assert_eq!(verified["missing"], 0, "{verified}");
}

#[test]
fn pages_beside_eight_writers_have_everything_once_over_sqlite() {
    everything_comes_once("SQLite", &Clinic::open(binary()));
}

#[test]
fn pages_beside_eight_writers_have_everything_once_over_postgresql() {
    let Some(database) = Database::empty() else { return };
    let (url, owner) = (database.url(), database.owner_url());
    let environment = [("IRIS_DATABASE_URL", url.as_str()), ("IRIS_DATABASE_MIGRATE_URL", owner.as_str())];
    everything_comes_once("PostgreSQL", &Clinic::with(binary(), &environment));
}
