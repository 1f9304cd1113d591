//! The official `FHIRPath` Patch suite. Skipped where the test data are not.
#![allow(clippy::unwrap_used, clippy::panic, reason = "the helpers of tests fail like tests")]

use iris_fhir::Resource;
use iris_kernel::Timestamp;
use iris_patch::FhirPathPatch;
use roxmltree::Node;

/// The resource in a part of a case.
fn resource(case: Node<'_, '_>, part: &str) -> Option<Resource> {
    let part = case.children().find(|child| child.has_tag_name(part))?;
    let element = part.first_element_child()?;
    let xml = &case.document().input_text()[element.range()];
    Some(iris_xml::parse(xml.as_bytes()).unwrap_or_else(|faults| panic!("{faults:?}")))
}

/// The outcome as a reader of XML sees it: neither the order of JSON's members matters there, nor how characters are spelt.
fn seen(resource: &Resource) -> String {
    fn show(node: Node<'_, '_>, out: &mut String) {
        match node.text().filter(|_| node.is_text()) {
            Some(text) => out.push_str(&format!("{text:?}")),
            None => {
                let attributes: Vec<(&str, &str)> = node.attributes().map(|it| (it.name(), it.value())).collect();
                out.push_str(&format!("<{:?} {attributes:?}", node.tag_name()));
                node.children().for_each(|child| show(child, out));
                out.push('>');
            }
        }
    }
    let xml = String::from_utf8(iris_xml::write(resource.root(), iris_xml::Layout::Compact).unwrap()).unwrap();
    let mut out = String::new();
    show(roxmltree::Document::parse(&xml).unwrap().root_element(), &mut out);
    out
}

#[test]
fn every_case_of_the_official_suite_agrees() {
    let Some(folder) = iris_testkit::archive("fhirpath-and-patch-r4") else { return };
    let text = std::fs::read_to_string(folder.path().join("r4/patch/fhir-patch-tests.xml")).unwrap();
    let suite = roxmltree::Document::parse(&text).unwrap();
    let (mut total, mut wrong) = (0, Vec::new());
    for case in suite.descendants().filter(|node| node.has_tag_name("case")) {
        total += 1;
        let name = case.attribute("name").unwrap();
        let before = resource(case, "input").unwrap();
        let outcome = FhirPathPatch::read(resource(case, "diff").unwrap())
            .and_then(|patch| patch.apply_to(&before, Timestamp(0)))
            .map(|outcome| seen(&outcome))
            .map_err(|faults| faults.iter().map(ToString::to_string).collect::<Vec<_>>());
        let agrees = match (&outcome, resource(case, "output")) {
            (Ok(outcome), Some(expected)) => *outcome == seen(&expected),
            (Err(_), None) => case.children().any(|child| child.has_tag_name("error")),
            (Ok(_), None) | (Err(_), Some(_)) => false,
        };
        if !agrees {
            wrong.push(format!("{name}: {outcome:?}"));
        }
    }
    println!("FHIRPath Patch suite: {} of {total}", total - wrong.len());
    assert_eq!(wrong, Vec::<String>::new());
    assert_eq!(total, 33);
}
