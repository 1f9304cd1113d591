//! Real documents: the specification's examples, Synthea's patients, the reference validator's cases. They are not part of the
//! project; without them these tests say so and pass.
#![allow(clippy::unwrap_used, clippy::panic, reason = "the helpers of tests fail like tests")]

use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use iris_fhir::Resource;
use iris_validation::{Issue, Markup, Settings, Severity, Valid, validate};

fn errors(resource: &Resource) -> Vec<String> {
    let shown = |issue: &Issue| format!("{}: {}", issue.expression, issue.what);
    let report = validate(resource, Settings::ALL);
    report.issues.iter().filter(|issue| issue.severity == Severity::Error).map(shown).collect()
}

#[test]
fn every_example_of_the_specification_is_valid() {
    let Some(examples) = iris_testkit::examples() else { return };
    let count = examples.len();
    let mut wrong = Vec::new();
    let mut warnings = 0;
    for (name, text) in examples {
        let resource = Resource::parse(text).unwrap();
        let report = validate(&resource, Settings::ALL);
        warnings += report.issues.iter().filter(|issue| issue.severity == Severity::Warning).count();
        wrong.extend(errors(&resource).into_iter().map(|error| format!("{name}: {error}")));
        // The write path says the same.
        assert_eq!(Valid::check(resource).is_ok(), report.is_valid(), "{name}");
    }
    println!("examples: {} of {count} valid, {warnings} warnings", count - wrong.len().min(count));
    assert_eq!(count, 526);
    assert!(wrong.is_empty(), "{} errors\n{}", wrong.len(), wrong.join("\n"));
}

fn synthea() -> Vec<(PathBuf, Resource)> {
    let bundles = iris_testkit::synthea().into_iter().flatten();
    bundles.map(|(path, text)| (path, Resource::parse(text).unwrap())).collect()
}

fn entries(bundle: &Resource) -> usize {
    bundle.root().get("entry").unwrap().items().filter(|entry| entry.get("resource").is_some()).count()
}

#[test]
fn every_synthea_resource_is_valid() {
    let bundles = synthea();
    if bundles.is_empty() {
        return;
    }
    let (mut count, mut wrong) = (0, Vec::new());
    for (path, bundle) in &bundles {
        count += entries(bundle);
        wrong.extend(errors(bundle).into_iter().map(|error| format!("{}: {error}", path.display())));
    }
    println!("Synthea: {count} entries, {} errors", wrong.len());
    assert_eq!(count, 43_516);
    wrong.truncate(60);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A figure, not a law: run by hand in release.
#[test]
#[ignore = "a figure, for a quiet machine and a release build"]
#[allow(clippy::disallowed_methods, reason = "a figure is measured by the clock")]
fn resources_per_second() {
    let bundles = synthea();
    let alone: Vec<Resource> = bundles
        .iter()
        .flat_map(|(_, bundle)| bundle.root().get("entry").unwrap().items().filter_map(|entry| entry.get("resource")))
        .map(|value| Resource::from_value(value).unwrap())
        .collect();
    let start = Instant::now();
    let valid = alone.into_iter().filter(|resource| validate(resource, Settings::WRITE).is_valid()).count();
    let seconds = start.elapsed().as_secs_f64();
    println!("validated {valid} resources in {seconds:.2} s: {:.0} a second on one core", valid as f64 / seconds);
}

/// Modules of the suite that are about what is not here: terminology servers, profiles, measures, other versions, signatures.
const OTHER_MODULES: [&str; 5] = ["tx", "profile", "measure", "xver", "dsig"];

/// Cases in which we differ from the reference validator, and why.
const DIFFERENT: [(&str, &str); 4] = [
    ("bundle-id-5", "its one error is the display text of a CVX code, which is for a terminology server"),
    ("json-comments-2-yes", "an option of the reference validator lets comments in JSON pass; JSON has none"),
    (
        "pat-example-extensions",
        "refuses an extension of example.org that it does not know; unknown extensions are accepted here",
    ),
    ("list-bad-reference", "lets a relative reference to no type of R4 pass; it leads nowhere, and is refused here"),
];

/// A path without what the reference validator puts into it (`/*Patient/1*/`), choices without their types.
fn path(expression: &str) -> String {
    let mut out = String::new();
    let mut rest = expression;
    while let Some((before, after)) = rest.split_once("/*") {
        out.push_str(before);
        rest = after.split_once("*/").map_or("", |(_, rest)| rest.trim_start_matches('/'));
    }
    out.push_str(rest);
    while let Some(at) = out.find(".ofType(") {
        let end = out[at..].find(')').map_or(out.len(), |end| at + end + 1);
        out.replace_range(at..end, "");
    }
    out
}

/// Whether two places are the same, or one is the element that holds the other. Where the reference validator looks for the entries
/// of a document it counts from one.
fn same_place(theirs: &str, ours: &str) -> bool {
    let (theirs, ours) = (path(theirs), path(ours));
    let from_one = {
        let mut out = String::new();
        let mut rest = theirs.as_str();
        while let Some((before, after)) = rest.split_once('[') {
            let (number, after) = after.split_once(']').unwrap_or((after, ""));
            let number = number.parse::<usize>().map_or(0, |number| number.saturating_sub(1));
            out.push_str(&format!("{before}[{number}]"));
            rest = after;
        }
        out + rest
    };
    // It tells what is wrong with any entry's full URL at the first entry.
    if theirs == "Bundle.entry[0]" && ours.ends_with("].fullUrl") {
        return true;
    }
    let holds = |one: &str, other: &str| {
        one == other || one.strip_prefix(other).is_some_and(|rest| rest.starts_with(['.', '[']))
    };
    [theirs, from_one].iter().any(|theirs| holds(theirs, &ours) || holds(&ours, theirs))
}

enum Said {
    Unreadable,
    Errors(Vec<String>),
}

fn ours(file: &str, text: Vec<u8>, settings: Settings) -> Said {
    let documents: Vec<Vec<u8>> = if file.ends_with(".ndjson") {
        text.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()).map(<[u8]>::to_vec).collect()
    } else {
        vec![text]
    };
    let mut errors = Vec::new();
    for document in documents {
        let resource =
            if file.ends_with(".xml") { iris_xml::parse(&document).ok() } else { Resource::parse(document).ok() };
        let Some(resource) = resource else { return Said::Unreadable };
        let issues = validate(&resource, settings).issues.into_iter();
        errors.extend(issues.filter(|issue| issue.severity == Severity::Error).map(|issue| issue.expression));
    }
    Said::Errors(errors)
}

#[test]
fn the_reference_validator_agrees() {
    let Some(folder) = iris_testkit::archive("fhir-r4-validator-cases") else { return };
    let manifest = iris_testkit::files(folder.path(), "/manifest.json").remove(0);
    let root = manifest.parent().unwrap();
    let cases: Vec<serde_json::Value> = serde_json::from_slice(&fs::read(&manifest).unwrap()).unwrap();
    let (mut judged, mut different) = (0, Vec::new());
    for case in &cases {
        let module = case["module"].as_str().unwrap_or_default();
        if OTHER_MODULES.contains(&module) {
            continue;
        }
        let outcome: serde_json::Value = match case["outcome"].as_str() {
            Some(outcome) => serde_json::from_slice(&fs::read(root.join(outcome)).unwrap()).unwrap(),
            None if case["expect"]["outcome"].is_object() => case["expect"]["outcome"].clone(),
            None => continue,
        };
        judged += 1;
        // The cases about security are recorded under the reference validator's option for that.
        let markup = if module == "security" { Markup::Refused } else { Markup::Told };
        let file = case["file"].as_str().unwrap();
        let said = ours(file, fs::read(root.join(file)).unwrap(), Settings { markup, ..Settings::ALL });
        let issues = outcome["issue"].as_array().cloned().unwrap_or_default();
        let errors = issues.iter().filter(|issue| matches!(issue["severity"].as_str(), Some("error" | "fatal")));
        let theirs: Vec<String> =
            errors.map(|issue| issue["expression"][0].as_str().unwrap_or_default().to_owned()).collect();
        let agrees = match &said {
            Said::Unreadable => !theirs.is_empty(),
            Said::Errors(ours) if ours.is_empty() || theirs.is_empty() => ours.is_empty() && theirs.is_empty(),
            Said::Errors(ours) => theirs.iter().any(|theirs| ours.iter().any(|ours| same_place(theirs, ours))),
        };
        if !agrees {
            let shown = match said {
                Said::Unreadable => "unreadable".to_owned(),
                Said::Errors(ours) => format!("{ours:?}"),
            };
            different.push((case["name"].as_str().unwrap().to_owned(), format!("{shown} and not {theirs:?}")));
        }
    }
    let agreed = judged - different.len();
    println!("validator cases: {agreed} of {judged} agree");
    let unexplained: Vec<_> =
        different.iter().filter(|(name, _)| !DIFFERENT.iter().any(|(own, _)| own == name)).collect();
    assert!(unexplained.is_empty(), "{unexplained:#?}");
    for (name, why) in DIFFERENT {
        assert!(different.iter().any(|(own, _)| own == name), "{name} agrees by now: {why}");
    }
    assert!(judged >= 84 && agreed * 100 >= judged * 95, "{agreed} of {judged}");
}
