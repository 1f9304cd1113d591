//! The examples of the R4 specification are stored and come back as they were sent, exact decimals included.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where something is not as it must be")]

use std::path::Path;

use iris_fhir::Resource;
use iris_kernel::{Timestamp, Version};
use iris_testkit::{Clinic, archive};

/// How many instance examples the archive holds.
const EXAMPLES: usize = 526;

#[test]
fn every_example_of_the_specification_comes_back_unchanged() {
    let Some(folder) = archive("fhir-r4-examples") else { return };
    let clinic = Clinic::open(env!("CARGO_BIN_EXE_iris"));
    let mut files = Vec::new();
    json_files(folder.path(), &mut files);
    files.sort();
    assert_eq!(files.len(), EXAMPLES);
    for file in &files {
        let text = std::fs::read(file).unwrap();
        let sent = Resource::parse(text.clone()).unwrap();
        // Two examples have no id; the server gives them one.
        let (method, path) = match sent.id() {
            Some(id) => ("PUT", format!("/fhir/{}/{id}", sent.kind_name())),
            None => ("POST", format!("/fhir/{}", sent.kind_name())),
        };
        let answer = clinic.fhir(method, &path, &text);
        // Two examples may share an id: the later one is then a further version.
        assert!(matches!(answer.status, 200 | 201), "{}: {}", file.display(), String::from_utf8_lossy(&answer.body));
        let made = answer.json();
        let path = format!("/fhir/{}/{}", sent.kind_name(), made["id"].as_str().unwrap());
        let stored = Resource::parse(clinic.get(&path).expect(200).body).unwrap();
        assert_eq!(without_server_fields(&stored), without_server_fields(&sent), "{}", file.display());
    }
    let report = clinic.command(&["audit", "verify", "-o", "json"]);
    assert_eq!(report["good"], true, "{report}");
}

/// The exact text of a resource, apart from white space and what the server sets.
fn without_server_fields(resource: &Resource) -> String {
    String::from_utf8(resource.with_server_fields("id", Version::FIRST, Timestamp(0))).unwrap()
}

fn json_files(folder: &Path, out: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            json_files(&path, out);
        } else if path.extension().is_some_and(|extension| extension == "json") {
            out.push(path);
        }
    }
}
