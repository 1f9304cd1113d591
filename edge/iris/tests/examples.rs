//! The examples of the R4 specification are stored and come back as they were sent, exact decimals included.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where something is not as it must be")]

use iris_fhir::Resource;
use iris_kernel::{Timestamp, Version};
use iris_testkit::{Clinic, examples};

/// How many instance examples the archive holds.
const EXAMPLES: usize = 526;

#[test]
fn every_example_of_the_specification_comes_back_unchanged() {
    let Some(examples) = examples() else { return };
    let clinic = Clinic::open(env!("CARGO_BIN_EXE_iris"));
    assert_eq!(examples.len(), EXAMPLES);
    for (name, text) in examples {
        let sent = Resource::parse(text.clone()).unwrap();
        // Two examples have no id; the server gives them one.
        let (method, path) = match sent.id() {
            Some(id) => ("PUT", format!("/fhir/{}/{id}", sent.kind_name())),
            None => ("POST", format!("/fhir/{}", sent.kind_name())),
        };
        let answer = clinic.fhir(method, &path, &text);
        // Two examples may share an id: the later one is then a further version.
        assert!(matches!(answer.status, 200 | 201), "{}: {}", name, String::from_utf8_lossy(&answer.body));
        let made = answer.json();
        let path = format!("/fhir/{}/{}", sent.kind_name(), made["id"].as_str().unwrap());
        let stored = Resource::parse(clinic.get(&path).expect(200).body).unwrap();
        assert_eq!(without_server_fields(&stored), without_server_fields(&sent), "{name}");
    }
    let report = clinic.command(&["audit", "verify", "-o", "json"]);
    assert_eq!(report["good"], true, "{report}");
}

/// The exact text of a resource, apart from white space and what the server sets.
fn without_server_fields(resource: &Resource) -> String {
    String::from_utf8(resource.with_server_fields("id", Version::FIRST, Timestamp(0))).unwrap()
}
