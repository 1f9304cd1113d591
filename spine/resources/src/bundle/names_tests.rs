use proptest::prelude::*;

use super::*;

const URN: &str = "urn:uuid:6f6d2bd0-0b6c-4c8f-9d2b-3b1f4b9a1a01";
const AWAY: &str = "http://elsewhere.test/fhir/Patient/7";

fn resource(text: impl Into<Vec<u8>>) -> Resource {
    Resource::parse(text.into()).unwrap()
}

/// A patient who is made, one who is there in version 4, and a value set that is called what its own URL says.
fn names() -> Names {
    let mut names = Names::default();
    let patient = resource(r#"{"resourceType":"Patient"}"#);
    names.add(URN, &patient, "new", Version::FIRST);
    names.add(AWAY, &patient, "old", Version(4));
    let values = resource(r#"{"resourceType":"ValueSet","url":"http://elsewhere.test/ValueSet/v"}"#);
    names.add("http://elsewhere.test/ValueSet/v", &values, "v", Version::FIRST);
    names
}

/// The resource with all its links to entries replaced, and what was wrong.
fn rewritten(text: &str, full_url: Option<&str>, standing: Option<&str>) -> (String, Vec<Fault>) {
    let (names, resource, standing) = (names(), resource(text), standing.map(resource));
    let site = Site::of(&resource, full_url, standing.as_ref());
    let (mut edits, mut faults) = (Edits::new(), Vec::new());
    for (value, _) in references(&resource) {
        let text = value.as_str().unwrap();
        if !site.is_inner(&text)
            && !site.stands(value)
            && let Some((_, new)) = names.target(&site, &text)
        {
            edits.replace(value, format!("\"{new}\""));
        }
    }
    names.relink(&resource, &site, &mut edits, &mut faults);
    (String::from_utf8(resource.json().edited(edits)).unwrap(), faults)
}

fn narrative(inside: &str) -> String {
    let div = format!("<div xmlns=\"http://www.w3.org/1999/xhtml\">{inside}</div>");
    let mut json = Vec::new();
    write_string(&div, &mut json);
    let json = String::from_utf8(json).unwrap();
    format!(r#"{{"resourceType":"Basic","text":{{"status":"generated","div":{json}}}}}"#)
}

#[test]
fn links_of_narrative_become_others_and_all_else_of_it_stays() {
    let of = |url: &str| {
        format!(
            "<p title=\"{URN}\">{URN} &amp; <a href='{url}'>a</a><img alt=\"x\" src=\"{url}\"/><a href=\"#c\">c</a>\
             <a href=\"http://x.test/?a=1&amp;b=2\">d</a></p>"
        )
    };
    for (sent, kept) in [
        (URN.to_owned(), "Patient/new"),
        (URN.replace(':', "&#58;"), "Patient/new"),
        (format!("{URN}#place"), "Patient/new#place"),
        (AWAY.to_owned(), "Patient/old"),
        (format!("{AWAY}/_history/9"), "Patient/old/_history/4"),
        ("http://elsewhere.test/ValueSet/v".to_owned(), "ValueSet/v"),
        ("Patient/7".to_owned(), "Patient/old"),
        (format!("{URN}1"), &format!("{URN}1")),
        ("#place".to_owned(), "#place"),
    ] {
        let (made, faults) = rewritten(&narrative(&of(&sent)), Some("http://elsewhere.test/fhir/Basic/1"), None);
        assert_eq!((made, faults.len()), (narrative(&of(kept)), 0), "{sent}");
    }
}

#[test]
fn a_link_to_a_version_leads_to_the_version_that_is_written() {
    let about = |url: &str| format!(r#"{{"resourceType":"Basic","subject":{{"reference":"{url}"}}}}"#);
    let base = Some("http://elsewhere.test/fhir/Basic/1");
    for (sent, kept) in [
        (format!("{AWAY}/_history/9"), "Patient/old/_history/4"),
        ("Patient/7/_history/1".to_owned(), "Patient/old/_history/4"),
        ("Patient/8/_history/1".to_owned(), "Patient/8/_history/1"),
        ("#7".to_owned(), "#7"),
    ] {
        assert_eq!(rewritten(&about(&sent), base, None).0, about(kept), "{sent}");
    }
    assert_eq!(rewritten(&about("Patient/7"), None, None).0, about("Patient/7"), "it is relative to nothing");
}

#[test]
fn what_a_definition_calls_itself_is_a_name_and_no_link() {
    let url = "http://elsewhere.test/ValueSet/v";
    let coded = format!(r#"{{"resourceType":"Basic","code":{{"coding":[{{"system":"{url}"}}]}}}}"#);
    assert_eq!(rewritten(&coded, None, None).0, coded);
    let linked = format!(r#"{{"resourceType":"Basic","subject":{{"reference":"{url}"}}}}"#);
    assert!(rewritten(&linked, None, None).0.contains("\"ValueSet/v\""));
}

#[test]
fn a_name_that_no_address_can_replace_is_a_fault() {
    let text = format!(r#"{{"resourceType":"Basic","extension":[{{"url":"u","valueUuid":"{URN}"}}]}}"#);
    let (made, faults) = rewritten(&text, None, None);
    assert_eq!(made, text);
    assert_eq!(faults.iter().map(|fault| fault.at.as_str()).collect::<Vec<_>>(), ["/extension/0/valueUuid"]);
}

#[test]
fn a_bundle_that_is_stored_keeps_the_names_of_its_own_entries() {
    let text = format!(
        r#"{{"resourceType":"Bundle","type":"collection","entry":[{{"fullUrl":"{URN}","resource":{{"resourceType":"Patient"}}}},
        {{"resource":{{"resourceType":"Basic","subject":{{"reference":"{URN}"}},"author":{{"reference":"{AWAY}"}}}}}}]}}"#
    );
    let (made, _) = rewritten(&text, None, None);
    assert_eq!((made.matches(URN).count(), made.matches("Patient/old").count()), (2, 1), "{made}");
}

#[test]
fn what_stood_in_a_record_before_a_patch_stays() {
    let with = |author: &str| {
        format!(
            r#"{{"resourceType":"Basic","extension":[{{"url":"u","valueUri":"{URN}"}}],"subject":{{"reference":"Patient/7"}},"author":{{"reference":"{author}"}}}}"#
        )
    };
    let (standing, base) = (with("Patient/1"), "http://elsewhere.test/fhir/Basic/1");
    assert_eq!(rewritten(&with(URN), Some(base), Some(&standing)).0, with("Patient/new"));
}

/// One place that can name an entry, as a member of an extension, and whether R4 has it rewritten.
fn place() -> impl Strategy<Value = (String, bool)> {
    let nested = |inner: String| format!(r#""extension":[{{"url":"n",{inner}}}]"#);
    let plain = prop_oneof![
        Just((format!(r#""valueReference":{{"reference":"{URN}"}}"#), true)),
        Just((format!(r#""valueUri":"{URN}""#), true)),
        Just((format!(r#""valueUrl":"{URN}#x""#), true)),
        Just((format!(r#""valueIdentifier":{{"system":"{URN}","value":"1"}}"#), true)),
        Just((format!(r#""valueAttachment":{{"url":"{URN}"}}"#), true)),
        Just((format!(r#""valueString":"{URN}""#), false)),
        Just((format!(r#""valueCanonical":"{URN}""#), false)),
        Just((format!(r#""valueMarkdown":"[a]({URN})""#), false)),
        Just((format!(r#""_valueString":{{"extension":[{{"url":"p","valueUri":"{URN}"}}]}}"#), true)),
    ];
    plain.prop_recursive(3, 8, 1, move |inner| inner.prop_map(move |(text, is_link)| (nested(text), is_link)))
}

proptest! {
    #[test]
    fn no_name_of_an_entry_is_left_where_links_are_rewritten(places in proptest::collection::vec(place(), 0..8), links in 0..4_usize) {
        let extensions: Vec<String> = places.iter().map(|(text, _)| format!(r#"{{"url":"u",{text}}}"#)).collect();
        let link = format!("<a href=\\\"{URN}\\\">x</a><img src='{URN}'/>").repeat(links);
        let contained = format!(
            r#"{{"resourceType":"Basic","id":"c","text":{{"status":"generated","div":"<div xmlns='http://www.w3.org/1999/xhtml'>{link}</div>"}},"extension":[{}]}}"#,
            extensions.join(",")
        );
        let text = format!(r#"{{"resourceType":"Basic","contained":[{contained}],"subject":{{"reference":"{URN}"}}}}"#);
        let (made, faults) = rewritten(&text, None, None);
        prop_assert!(faults.is_empty());
        let kept = places.iter().filter(|(_, is_link)| !is_link).count();
        prop_assert_eq!(made.matches(URN).count(), kept, "{}", made);
        prop_assert_eq!(made.matches("Patient/new").count(), 1 + 2 * links + places.len() - kept, "{}", made);
        let back = made.replace("Patient/new", URN);
        prop_assert_eq!(back, text, "nothing else changes");
    }
}
