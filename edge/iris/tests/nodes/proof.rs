//! What must hold after a load, whatever happened during it.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::time::Duration;

use iris_testkit::load::{Load, Outcome, Request, summary};
use iris_testkit::{Nodes, wait};
use serde_json::Value;

use crate::mix::Mix;

/// Every acknowledged write is there, as it was sent.
pub(crate) fn every_acknowledged_write_is_there(nodes: &Nodes, mix: &Mix, outcomes: &[Outcome]) {
    let written = outcomes.iter().filter_map(|outcome| mix.written(outcome)).collect::<Vec<_>>();
    assert!(!written.is_empty(), "nothing was written");
    let reading = Load {
        name: "look",
        base: &nodes.balancer.base,
        bearer: Some(&nodes.bearer),
        rate: 0,
        seconds: 1,
        connections: 8,
    };
    let reading = Load { rate: written.len() as u64, ..reading };
    let read = reading.run(&|number| Request {
        what: "look",
        method: "GET",
        path: written[usize::try_from(number).unwrap()].0.clone(),
        headers: Vec::new(),
        body: None,
    });
    for (outcome, (path, text)) in read.iter().zip(&written) {
        assert_eq!(outcome.status(), 200, "{path} was acknowledged");
        let body = String::from_utf8_lossy(&outcome.answer.as_ref().unwrap().body);
        assert!(body.contains(text), "{path} is {body}, without {text}");
    }
    println!("{} acknowledged writes are there", written.len());
}

/// Every answer with records in it has its entry in the log, and the log verifies.
pub(crate) fn every_answer_has_its_entry(nodes: &Nodes, mix: &Mix, outcomes: &[Outcome]) {
    let answered = outcomes.iter().filter(|outcome| outcome.succeeded()).count();
    let folder = tempfile::tempdir().unwrap();
    let mut file = 0;
    let entries = wait::until(60, "the log to hold every answer", || {
        file += 1;
        let known = correlations(nodes, &folder.path().join(format!("log{file}")));
        let all = outcomes.iter().filter(|outcome| outcome.succeeded());
        let missing = all.filter(|outcome| !known.contains(&format!("{}-{}", mix.name, outcome.number)));
        let missing = missing.map(|outcome| (outcome.number, outcome.what)).collect::<Vec<_>>();
        if !missing.is_empty() {
            println!(
                "{} of {answered} answers are not in the log yet: {:?}",
                missing.len(),
                &missing[..missing.len().min(5)]
            );
        }
        missing.is_empty().then_some(known.len())
    });
    println!("{answered} answers have their entries among those of {entries} requests");
    let output = nodes.run(0, &["audit", "verify"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn correlations(nodes: &Nodes, file: &std::path::Path) -> BTreeSet<String> {
    let output = nodes.run(0, &["audit", "export", "--open", &file.display().to_string()]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut known = BTreeSet::new();
    for line in BufReader::new(File::open(file).unwrap()).lines() {
        let line: Value = serde_json::from_str(&line.unwrap()).unwrap();
        known.extend(line["entry"]["opened"]["correlation"].as_str().map(str::to_owned));
    }
    known
}

/// Nobody's connection was broken; what failed was answered with 503 and when to come again; and the errors of one fault, which
/// `faults` lists by when they were done, were over within `limit`.
pub(crate) fn failures_are_503_and_short(outcomes: &[Outcome], faults: &[Duration], limit: Duration) {
    let failed = outcomes.iter().filter(|outcome| !outcome.succeeded()).collect::<Vec<_>>();
    for outcome in &failed {
        let at = format!("{} at {:.1?} for {:.1?}", outcome.what, outcome.at, outcome.took);
        let answer =
            outcome.answer.as_ref().unwrap_or_else(|error| panic!("{at} broke: {error}\n{}", summary(outcomes)));
        let timed = answer.header("retry-after").is_some();
        let body = String::from_utf8_lossy(&answer.body);
        assert!(answer.status == 503 && timed, "{at}: {} {:?} {body}", answer.status, answer.header("retry-after"));
    }
    let before = failed.iter().find(|outcome| faults.first().is_none_or(|first| outcome.at + outcome.took < *first));
    assert!(before.is_none(), "{before:?} failed before anything was done");
    for (at, fault) in faults.iter().enumerate() {
        let next = faults.get(at + 1).copied().unwrap_or(Duration::MAX);
        let own = failed.iter().filter(|outcome| (*fault..next).contains(&(outcome.at + outcome.took)));
        let last = own.map(|outcome| outcome.at + outcome.took).max();
        let errors = last.map_or(Duration::ZERO, |last| last - *fault);
        println!("fault at {fault:.1?}: errors for {errors:.1?}");
        assert!(errors <= limit, "{errors:?} of errors after the fault at {fault:?}\n{}", summary(outcomes));
    }
}

/// Every node ends in order, and its index says what the store says; every stored row opens.
pub(crate) fn every_node_is_sound(nodes: &mut Nodes) {
    let checks = (0..nodes.count()).map(|at| (at, "index")).chain([(0, "store")]);
    for at in 0..nodes.count() {
        assert_eq!(nodes.terminate(at), Some(0));
    }
    for (at, check) in checks {
        let output = nodes.run(at, &[check, "verify"]);
        assert!(output.status.success(), "{check} of node {at}: {}", String::from_utf8_lossy(&output.stderr));
    }
}
