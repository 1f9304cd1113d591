//! How long it takes to find out what a resource is found by, and how much that is. Run by hand, in release:
//! `cargo nextest run -p iris-search --release --run-ignored only --no-capture speed`.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "the helpers of tests fail like tests, and this one tells figures of real time"
)]

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Instant;

use iris_fhir::Resource;
use iris_kernel::Timestamp;
use iris_search::extract;

const AT: Timestamp = Timestamp(1_795_253_400_000_000);
/// How many files of the folder are read: some ten thousand resources.
const FILES: usize = 24;
/// Each measurement is the best of so many rounds.
const ROUNDS: usize = 5;

fn resources() -> Option<Vec<Resource>> {
    let folder = iris_testkit::data_dir()?.join("synthea");
    let mut files: Vec<_> = std::fs::read_dir(folder).ok()?.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut resources = Vec::new();
    for file in files.iter().take(FILES) {
        let output = Command::new("bzip2").arg("-dc").arg(file).output().ok()?;
        let bundle: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        for entry in bundle["entry"].as_array().unwrap() {
            resources.push(Resource::parse(serde_json::to_vec(&entry["resource"]).unwrap()).unwrap());
        }
    }
    Some(resources)
}

#[test]
#[ignore = "a measurement"]
fn speed_of_extraction() {
    let Some(resources) = resources() else {
        println!("skipped: no Synthea data here");
        return;
    };
    let mut best = f64::INFINITY;
    let mut by_kind: BTreeMap<&str, (usize, f64, usize)> = BTreeMap::new();
    for _ in 0..ROUNDS {
        by_kind.clear();
        let start = Instant::now();
        for resource in &resources {
            let one = Instant::now();
            let document = extract(resource, AT);
            let kind = by_kind.entry(resource.kind_name()).or_default();
            *kind = (kind.0 + 1, kind.1 + one.elapsed().as_secs_f64(), kind.2 + document.terms.len());
        }
        best = best.min(start.elapsed().as_secs_f64());
    }
    let count = resources.len();
    let documents: Vec<_> = resources.iter().map(|resource| extract(resource, AT)).collect();
    let terms: usize = documents.iter().map(|document| document.terms.len()).sum();
    let bytes: usize = documents.iter().flat_map(|document| &document.terms).map(|term| term.len()).sum();
    let each = |sum: usize| sum as f64 / count as f64;
    println!(
        "{count} resources: {:.2} µs each, {:.1} terms and {:.0} bytes of terms each",
        best * 1e6 / count as f64,
        each(terms),
        each(bytes)
    );
    for (kind, (count, seconds, terms)) in by_kind {
        println!("{kind}: {count} of {:.2} µs, {:.1} terms", seconds * 1e6 / count as f64, terms as f64 / count as f64);
    }
}
