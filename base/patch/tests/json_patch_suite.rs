//! The official JSON Patch suite of FHIR. Skipped where the test data are not.
#![allow(clippy::unwrap_used, clippy::panic, reason = "the helpers of tests fail like tests")]

use iris_fhir::Json;
use iris_patch::JsonPatch;

#[test]
fn every_case_of_the_official_suite_agrees() {
    let Some(folder) = iris_testkit::archive("fhirpath-and-patch-r4") else { return };
    let suite = Json::parse(std::fs::read(folder.path().join("r4/patch/json-patch-tests.json")).unwrap()).unwrap();
    let (mut total, mut wrong) = (0, Vec::new());
    for case in suite.root().items() {
        total += 1;
        let comment = case.str_of("comment").unwrap();
        let part = |name: &str| case.get(name).map(|value| Json::parse(value.raw().to_vec()).unwrap());
        let outcome = JsonPatch::parse(case.get("patch").unwrap().raw().to_vec())
            .map_err(|faults| faults[0].to_string())
            .and_then(|patch| patch.apply(&part("doc").unwrap()).map_err(|fault| fault.to_string()));
        let agrees = match (&outcome, part("expected")) {
            (Ok(text), Some(expected)) => Json::parse(text.clone()).unwrap().root().same_as(expected.root()),
            (Err(_), None) => case.get("error").is_some(),
            // A test that passes changes nothing; the suite says no more then.
            (Ok(text), None) => case.get("error").is_none() && text == &part("doc").unwrap().compact(),
            (Err(_), Some(_)) => false,
        };
        if !agrees {
            wrong.push(format!("{comment}: {outcome:?}"));
        }
    }
    println!("JSON Patch suite: {} of {total}", total - wrong.len());
    assert_eq!(wrong, Vec::<String>::new());
    assert_eq!(total, 16);
}
