//! What is read, what is refused and by which name, and what is written.

use super::*;

mod attacks;
mod laws;
mod links;
mod reading;
mod writing;

/// A Patient with this content.
fn patient(content: &str) -> String {
    format!("<Patient xmlns=\"http://hl7.org/fhir\">{content}</Patient>")
}

#[track_caller]
fn json(xml: &str) -> String {
    match to_json(xml.as_bytes()) {
        Ok(json) => String::from_utf8(json).unwrap(),
        Err(faults) => panic!("{xml}\n{}", faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")),
    }
}

fn faults(xml: &str) -> Vec<XmlFault> {
    to_json(xml.as_bytes()).err().unwrap_or_default()
}

/// Exactly one fault, of this sort and so shown.
#[track_caller]
fn bad(xml: &str, kind: XmlFaultKind, shown: &str) {
    let faults = faults(xml);
    assert!(faults.len() == 1, "{xml}\n{faults:#?}");
    assert_eq!((faults[0].kind, &*faults[0].to_string()), (kind, shown), "{xml}");
}
