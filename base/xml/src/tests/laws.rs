//! Laws of the reader and the writer: against resources made from the definitions, against damaged documents, and with an
//! independent reader as the judge of what is well-formed.

use iris_fhir::{Json, Resource, validate};
use proptest::prelude::*;

use super::*;

#[path = "random.rs"]
mod random;

/// What the judge says. It has no limits of its own that matter here.
fn judge(text: &[u8]) -> Option<roxmltree::Document<'_>> {
    roxmltree::Document::parse(std::str::from_utf8(text).ok()?).ok()
}

/// We accept what the judge accepts, and nothing else, unless we refuse on purpose.
fn agree(text: &[u8]) -> Result<(), TestCaseError> {
    match (scan::well_formed(text), judge(text)) {
        (Ok(()), Some(_)) | (Err(_), None) => {}
        (Ok(()), None) => {
            let why = roxmltree::Document::parse(std::str::from_utf8(text).unwrap_or_default()).err();
            return Err(TestCaseError::fail(format!("we accept what is no XML: {why:?}")));
        }
        (Err(refusal), Some(_)) => {
            let on_purpose = matches!(
                refusal.kind,
                XmlFaultKind::Depth | XmlFaultKind::TooLarge | XmlFaultKind::Doctype | XmlFaultKind::NotUtf8
            );
            // The judge takes an empty prefix for none, and looks at little in an XML declaration.
            let no_prefix = text.get(refusal.at) == Some(&b':');
            let declaration_end = text.windows(2).position(|pair| pair == b"?>").filter(|_| text.starts_with(b"<?xml"));
            let in_declaration = declaration_end.is_some_and(|end| refusal.at <= end);
            let fine = on_purpose || no_prefix || in_declaration || lenient(refusal.what);
            prop_assert!(fine, "{:?} in {}", refusal, String::from_utf8_lossy(text));
        }
    }
    Ok(())
}

/// Where the judge lets pass what XML 1.0 does not.
fn lenient(what: &str) -> bool {
    [
        "There is no -- inside a comment",
        "An XML declaration stands at the very start, once",
        "This namespace cannot be declared so",
        // `<?a=b?>`, without white space after the name.
        "A processing instruction has a name",
    ]
    .contains(&what)
}

/// What is read takes no more memory than this for each byte of the document.
const GROWTH_MAX: usize = 8;

fn read_or_refused(text: &[u8]) -> Result<(), TestCaseError> {
    match to_json(text) {
        Ok(json) => {
            prop_assert!(json.len() <= GROWTH_MAX * text.len(), "{} bytes from {}", json.len(), text.len());
            let json = Json::parse(json).map_err(|error| TestCaseError::fail(error.to_string()))?;
            prop_assert!(Resource::from_json(json).is_ok());
        }
        Err(faults) => {
            prop_assert!(!faults.is_empty() && faults.len() <= limits::FAULTS_MAX + 1);
            let lines = 1 + text.iter().filter(|byte| **byte == b'\n').count();
            prop_assert!(faults.iter().all(|fault| fault.line <= lines));
        }
    }
    agree(text)
}

const REAL: &str = r##"<?xml version="1.0" encoding="UTF-8"?>
<Observation xmlns="http://hl7.org/fhir" xmlns:x="urn:x"><!-- c --><id value="f001"/>
<text><status value="generated"/><div xmlns="http://www.w3.org/1999/xhtml">a &amp; b<br/><p class='x'>&#233;</p><![CDATA[<]]></div></text>
<contained><Patient><id value="p"/><name><given value="a"/><given id="i"/></name></Patient></contained>
<extension url="u"><valueDecimal value="6.30"/></extension><identifier><value value="63&quot;23"/></identifier>
<status value="final"><extension url="v"><extension url="w"><valueString value="&lt;é"/></extension></extension></status>
<code><text value="t"/></code><?pi d?><subject><reference value="#p"/></subject><valueInteger value="-7"/></Observation>"##;

/// One to three bytes changed, put in, taken out, doubled or cut off.
fn damaged(text: &str, damages: Vec<(prop::sample::Index, u8, u8)>) -> Vec<u8> {
    let mut text = text.as_bytes().to_vec();
    for (place, byte, how) in damages {
        if text.is_empty() {
            break;
        }
        let at = place.index(text.len());
        match how {
            0 => text[at] = byte,
            1 => text.insert(at, byte),
            2 => drop(text.remove(at)),
            3 => {
                let end = (at + usize::from(byte)).min(text.len());
                text.extend_from_within(at..end);
            }
            4 => {
                let end = (at + usize::from(byte)).min(text.len());
                text.drain(at..end);
            }
            _ => text.truncate(at.max(1)),
        }
    }
    text
}

fn damages() -> impl Strategy<Value = Vec<(prop::sample::Index, u8, u8)>> {
    let byte = prop_oneof![any::<u8>(), proptest::sample::select(b"<>/&;'\"=: !?[]-#xa\n\0".to_vec())];
    proptest::collection::vec((any::<prop::sample::Index>(), byte, 0..6_u8), 1..4)
}

proptest! {
    /// Every resource comes back byte for byte, both ways, in both layouts.
    #[test]
    fn there_and_back_is_the_identity(seed in any::<u64>()) {
        let text = random::resource(seed);
        let resource = Resource::parse(text.clone()).map_err(|error| TestCaseError::fail(error.to_string()))?;
        let faults = validate(&resource);
        prop_assert!(faults.is_empty(), "{}\n{:?}", text, faults);
        for layout in [Layout::Compact, Layout::Pretty] {
            let xml = write(resource.root(), layout).map_err(|faults| TestCaseError::fail(format!("{faults:?}")))?;
            prop_assert!(judge(&xml).is_some());
            let back = to_json(&xml).map_err(|faults| TestCaseError::fail(format!("{faults:?}")))?;
            prop_assert_eq!(&String::from_utf8_lossy(&back), &text);
        }
    }

    /// What the judge finds in the values of attributes is what we wrote there.
    #[test]
    fn strings_of_any_characters_come_back(text in "[^\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\u{FFFE}\u{FFFF}]{1,40}") {
        let mut json = iris_fhir::Writer::new();
        json.object().member("resourceType", "Basic").member("id", &text).end();
        let json = json.finish();
        let resource = Resource::parse(json.clone()).unwrap();
        let xml = write(resource.root(), Layout::Compact).unwrap();
        let judged = judge(&xml).and_then(|document| {
            Some(document.root_element().first_element_child()?.attribute("value")?.to_owned())
        });
        prop_assert_eq!(judged.as_deref(), Some(text.as_str()));
        prop_assert_eq!(to_json(&xml).unwrap(), json);
    }

    #[test]
    fn any_bytes_are_read_or_refused(text in proptest::collection::vec(any::<u8>(), 0..200)) {
        read_or_refused(&text)?;
    }

    #[test]
    fn xml_like_bytes_are_read_or_refused(text in "(<|>|</|/>|=|\"|'|&|;|#|x|a|:|xmlns| |!--|-->|\\?|\\[|\\]|é|Patient|id){0,40}") {
        read_or_refused(text.as_bytes())?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_damaged_document_is_read_or_refused(damages in damages()) {
        read_or_refused(&damaged(REAL, damages))?;
    }

    #[test]
    fn a_damaged_random_resource_is_read_or_refused(seed in any::<u64>(), damages in damages()) {
        let resource = Resource::parse(random::resource(seed)).unwrap();
        let xml = String::from_utf8(write(resource.root(), Layout::Pretty).unwrap()).unwrap();
        read_or_refused(&damaged(&xml, damages))?;
    }
}
