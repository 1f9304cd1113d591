//! What the examples of the specification are found by: how many parameters have a value somewhere. Skipped where the test data are not.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "the helpers of tests fail like tests, and this one tells a count"
)]

use std::collections::BTreeSet;

use iris_fhir::Resource;
use iris_kernel::Timestamp;
use iris_search::{extract, served, term};

#[test]
fn most_parameters_of_r4_have_a_value_in_some_example() {
    let Some(all) = iris_testkit::examples() else { return };
    let (mut with_values, mut asked, mut examples, mut terms) = (BTreeSet::new(), BTreeSet::new(), 0, 0);
    for (name, text) in all {
        let resource = Resource::parse(text).unwrap();
        let document = extract(&resource, Timestamp(1_795_253_400_000_000));
        examples += 1;
        terms += document.terms.len();
        for param in served(resource.kind()) {
            asked.insert(param.url);
            let head = param.index.to_be_bytes();
            let at = document.terms.partition_point(|term| term[..] < head[..]);
            let has_value = document.terms.get(at).is_some_and(|term| term.starts_with(&head));
            if has_value {
                with_values.insert(param.url);
            }
            // Whatever has a value is found by having one, and nothing else is.
            let is_composite = param.kind == iris_fhir::definitions::ParamKind::Composite;
            let present = term::present(param.index);
            let is_present =
                [&present, &term::guarded(&present)].iter().any(|term| document.terms.binary_search(term).is_ok());
            assert!(is_composite || !has_value || is_present, "{} in {}", param.url, name);
        }
    }
    println!("{examples} examples, {terms} terms: {} of {} parameters have a value", with_values.len(), asked.len());
    assert!(examples >= 500 && with_values.len() >= 848, "{} of {}", with_values.len(), asked.len());
}
