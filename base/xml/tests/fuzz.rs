//! The XML reader against mutated documents: it ends, within bounds, and what it takes in comes back from XML as it was.
#![allow(clippy::unwrap_used, reason = "the helpers of tests fail like tests")]

use iris_fhir::Resource;
use iris_testkit::Fuzz;
use iris_xml::{Layout, to_json, write};

const SAMPLES: [&[u8]; 3] = [
    br#"<?xml version="1.0" encoding="UTF-8"?><Patient xmlns="http://hl7.org/fhir"><id value="p1"/><text><status value="generated"/><div xmlns="http://www.w3.org/1999/xhtml"><p class="a">&lt;b&gt; <b>x</b></p></div></text><contained><Organization><id value="o"/></Organization></contained><extension url="http://x.example/y"><valueDecimal value="1.50"/></extension><name id="n"><family value="&#196;ngstr&#xF6;m"/><given value="A"/><given value="B"><extension url="u"><valueBoolean value="true"/></extension></given></name><birthDate value="1980-02-29"/></Patient>"#,
    br#"<Bundle xmlns="http://hl7.org/fhir"><type value="collection"/><entry><fullUrl value="urn:uuid:61ebe359-bfdc-4613-8bf2-c5e300945f0a"/><resource><Observation><status value="final"/><code><text value="x"/></code><valueQuantity><value value="-1.0E-3"/></valueQuantity></Observation></resource></entry></Bundle>"#,
    b"<f:Basic xmlns:f=\"http://hl7.org/fhir\"><!-- c --><f:code><f:text value='a&amp;b'/></f:code></f:Basic>\n",
];
const TOKENS: [&[u8]; 22] = [
    b"<!DOCTYPE x [<!ENTITY a \"b\">]>",
    b"&a;",
    b"&#0;",
    b"&#x10FFFF;",
    b"<![CDATA[x]]>",
    b"<!--",
    b"-->",
    b"<?pi x?>",
    b"xmlns=\"\"",
    b" xmlns:q=\"http://hl7.org/fhir\"",
    b"<extension url=\"x\">",
    b"</extension>",
    b"<contained>",
    b"</contained>",
    b"<given value=\"x\"/>",
    b"/>",
    b"<",
    b"\"",
    b"\xff",
    b"<div xmlns=\"http://www.w3.org/1999/xhtml\">",
    b"</div>",
    b" value=\"1\"",
];

#[test]
fn hostile_xml_is_read_rightly_or_refused() {
    Fuzz { name: "XML", samples: &SAMPLES, tokens: &TOKENS, megabytes_max: 64 }.run(|input| {
        let Ok(json) = to_json(input) else { return false };
        let resource = Resource::parse(json.clone()).unwrap();
        if let Ok(xml) = write(resource.root(), Layout::Compact) {
            assert_eq!(String::from_utf8(to_json(&xml).unwrap()).unwrap(), String::from_utf8(json).unwrap());
        }
        true
    });
}
