//! Links of a narrative that become others.

use proptest::prelude::*;

use super::*;
use crate::{NarrativePart, narrative_parts, narrative_relinked};

const BEFORE: &str = "urn:uuid:1";

fn relinked(text: &str) -> Option<String> {
    narrative_relinked(text, |link| (link == BEFORE).then(|| "Patient/9".to_owned())).unwrap()
}

#[test]
fn links_and_images_become_others_and_nothing_else_changes() {
    let text = |link: &str| {
        format!(
            "<div xmlns='http://www.w3.org/1999/xhtml' title=\"urn:uuid:1\" ><!-- href=\"urn:uuid:1\" --><p>urn:uuid:1 &amp; &#233;</p>\n\
             <a  name=\"x\"  href = '{link}' >a</a><img alt=\"\" src=\"{link}\"/><a href=\"#urn:uuid:1\">b</a><q cite=\"urn:uuid:1\">c</q>\
             <h:a xmlns:h=\"http://www.w3.org/1999/xhtml\" href=\"{link}\"/><a href=\"urn:uuid:12\">d</a></div>"
        )
    };
    assert_eq!(relinked(&text(BEFORE)), Some(text("Patient/9")));
    assert_eq!(relinked(&text("urn&#58;uuid:&#x31;")), Some(text("Patient/9")), "references are what they stand for");
    assert_eq!(relinked(&text("Patient/9")), None);
    assert_eq!(relinked("<div><a href=\"urn:uuid:1\"/></div>"), None, "no XHTML");
    assert_eq!(
        relinked("<div xmlns=\"http://www.w3.org/1999/xhtml\"><img href=\"urn:uuid:1\"/><a src=\"urn:uuid:1\"/></div>"),
        None
    );
}

#[test]
fn what_is_not_well_formed_is_refused() {
    for text in ["", "x", "<div><a href=\"urn:uuid:1\"></div>", "<div a=\"&lol;\"/>", "<!DOCTYPE x><div/>"] {
        assert!(narrative_relinked(text, |_| None).is_err(), "{text}");
    }
}

/// Every link of a text, as it is read.
fn links(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    narrative_parts(text, |part| {
        if let NarrativePart::Attribute { name: "href", value } = part {
            found.push(value.into_owned());
        }
    })
    .unwrap();
    found
}

proptest! {
    #[test]
    fn a_new_link_is_read_as_it_was_given(new in "[ -~\t\n\ré]{0,12}", quote in "[\"']", rest in "(<b>x</b>|&amp;|<br/>|y){0,4}") {
        let text = format!("<div xmlns=\"{XHTML}\">{rest}<a href={quote}urn:uuid:1{quote} rel=\"z\">&lt;</a>{rest}</div>");
        let made = narrative_relinked(&text, |_| Some(new.clone())).unwrap().unwrap();
        prop_assert_eq!(links(&made), [new]);
        let back = narrative_relinked(&made, |_| Some(BEFORE.to_owned())).unwrap();
        prop_assert_eq!(back, Some(text));
    }
}
