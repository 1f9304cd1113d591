//! Attacks on XML readers, by their names, and the limits.

use std::fmt::Write as _;

use super::*;

fn refused(xml: &[u8]) -> XmlFaultKind {
    let faults = to_json(xml).expect_err("this is refused");
    faults[0].kind
}

#[test]
fn attack_xxe_a_file_is_not_read() {
    let xml = r#"<?xml version="1.0"?><!DOCTYPE Patient [<!ENTITY xxe SYSTEM "file:///etc/passwd">]><Patient xmlns="http://hl7.org/fhir"><id value="&xxe;"/></Patient>"#;
    bad(
        xml,
        XmlFaultKind::Doctype,
        "There is a document type declaration, which FHIR's XML does not have: no entity is declared or fetched (line 1, column 22)",
    );
}

#[test]
fn attack_xxe_an_address_is_not_fetched() {
    for declaration in [
        r#"<!DOCTYPE Patient SYSTEM "http://localhost:9/x.dtd">"#,
        r#"<!DOCTYPE Patient PUBLIC "-//X" "http://localhost:9/x.dtd">"#,
        r#"<!DOCTYPE Patient [<!ENTITY % p SYSTEM "http://localhost:9/p"> %p;]>"#,
        "<!DOCTYPE Patient>",
    ] {
        assert_eq!(refused(format!("{declaration}{}", patient("")).as_bytes()), XmlFaultKind::Doctype);
    }
    // Including other documents and naming schemas are not heard.
    let include = r#"<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/passwd"/>"#;
    assert_eq!(refused(patient(include).as_bytes()), XmlFaultKind::Element);
}

#[test]
fn attack_billion_laughs_nothing_is_expanded() {
    let mut xml = "<!DOCTYPE lolz [<!ENTITY a0 \"lol\">".to_owned();
    for at in 1..10 {
        write!(xml, "<!ENTITY a{at} \"{}\">", format!("&a{};", at - 1).repeat(10)).unwrap();
    }
    xml.push_str("]>");
    xml.push_str(&patient("<id value=\"&a9;\"/>"));
    assert_eq!(refused(xml.as_bytes()), XmlFaultKind::Doctype);
}

#[test]
fn attack_quadratic_blowup_nothing_is_declared() {
    let xml = format!("<!DOCTYPE x [<!ENTITY a \"{}\">]>{}", "a".repeat(50_000), patient(&"&a;".repeat(50_000)));
    assert_eq!(refused(xml.as_bytes()), XmlFaultKind::Doctype);
}

#[test]
fn attack_undeclared_entities_are_named() {
    assert_eq!(refused(patient("<id value='&nbsp;'/>").as_bytes()), XmlFaultKind::Entity);
    let div = "<text><div xmlns=\"http://www.w3.org/1999/xhtml\">CPT&reg;</div></text>";
    assert_eq!(refused(patient(div).as_bytes()), XmlFaultKind::Entity);
    assert_eq!(refused(patient("&lol;").as_bytes()), XmlFaultKind::Entity);
}

#[test]
fn attack_another_encoding_is_refused() {
    let utf16: Vec<u8> = "\u{FEFF}<Patient/>".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(refused(&utf16), XmlFaultKind::NotUtf8);
    assert_eq!(refused(b"<?xml version=\"1.0\" encoding=\"UTF-7\"?><Patient/>"), XmlFaultKind::NotUtf8);
    assert_eq!(refused(b"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><Patient/>"), XmlFaultKind::NotUtf8);
    assert_eq!(
        refused(b"<Patient xmlns=\"http://hl7.org/fhir\"><id value=\"\xE9\"/></Patient>"),
        XmlFaultKind::NotUtf8
    );
    // Overlong slashes and surrogates are no UTF-8.
    assert_eq!(refused(b"<a>\xC0\xAF</a>"), XmlFaultKind::NotUtf8);
    assert_eq!(refused(b"<a>\xED\xA0\x80</a>"), XmlFaultKind::NotUtf8);
}

#[test]
fn attack_depth_is_bounded() {
    let deep = |depth: usize| format!("{}{}", "<p>".repeat(depth), "</p>".repeat(depth));
    let narrated = |depth: usize| {
        patient(&format!("<text><div xmlns=\"http://www.w3.org/1999/xhtml\">{}</div></text>", deep(depth)))
    };
    assert!(to_json(narrated(XML_DEPTH_MAX - 3).as_bytes()).is_ok());
    assert_eq!(refused(narrated(XML_DEPTH_MAX - 2).as_bytes()), XmlFaultKind::Depth);
    assert_eq!(refused("<a>".repeat(1_000_000).as_bytes()), XmlFaultKind::Namespace);
    let faults = faults(&"<a>".repeat(1_000_000));
    assert_eq!(faults.last().unwrap().kind, XmlFaultKind::Depth);
}

#[test]
fn what_is_too_deep_for_json_is_refused_at_its_place() {
    // Each level is an array and an object.
    let extended = |levels: usize, last: &str| {
        patient(&format!("{}{last}{}", "<extension url=\"u\">".repeat(levels), "</extension>".repeat(levels)))
    };
    let levels = (limits::JSON_DEPTH_MAX - 1) / 2;
    let deepest = json(&extended(levels, "<valueCode value=\"x\"/>"));
    assert!(iris_fhir::Json::parse(deepest).is_ok());
    // One object more still fits, as JSON's own limit is even.
    let with_id = json(&extended(levels, "<valueCode id=\"i\" value=\"x\"/>"));
    assert!(iris_fhir::Json::parse(with_id).is_ok());
    for too_deep in ["<extension url=\"u\"/>", "<valueCoding><code id=\"i\" value=\"x\"/></valueCoding>"] {
        let faults = faults(&extended(levels, too_deep));
        assert_eq!((faults.len(), faults[0].kind), (1, XmlFaultKind::Depth), "{too_deep}");
    }
}

#[test]
fn the_limits_hold_at_the_limit_and_one_more() {
    let attributes = |count: usize| {
        let attributes: String = (0..count).map(|at| format!(" a{at}=''")).collect();
        patient(&format!("<text><div xmlns='http://www.w3.org/1999/xhtml'{attributes}/></text>"))
    };
    assert!(to_json(attributes(ATTRIBUTES_MAX - 1).as_bytes()).is_ok());
    assert_eq!(refused(attributes(ATTRIBUTES_MAX).as_bytes()), XmlFaultKind::TooLarge);
    let namespaces = |count: usize| {
        let declared: Vec<String> = (0..count).map(|at| format!(" xmlns:n{at}='urn:{at}'")).collect();
        let (a, b) = declared.split_at(count / 2);
        format!("<Patient xmlns='http://hl7.org/fhir'{}><name{}/></Patient>", a.concat(), b.concat())
    };
    assert!(to_json(namespaces(NAMESPACES_MAX - 1).as_bytes()).is_ok());
    assert_eq!(refused(namespaces(NAMESPACES_MAX).as_bytes()), XmlFaultKind::TooLarge);
    let mut large = patient("").into_bytes();
    large.resize(XML_BYTES_MAX, b' ');
    assert!(to_json(&large).is_ok());
    large.push(b' ');
    assert_eq!(refused(&large), XmlFaultKind::TooLarge);
}

/// Documents that are not well-formed, each for a reason of its own.
const ILL_FORMED: &[&str] = &[
    "",
    " ",
    "a",
    "<",
    "<a",
    "<a/",
    "<a>",
    "</a>",
    "<a></b>",
    "<a/><b/>",
    "<a/>b",
    "b<a/>",
    "<a b>",
    "<a b=>",
    "<a b=c/>",
    "<a b='c/>",
    "<a b='<'/>",
    "<a b=''c=''/>",
    "<a b='' b=''/>",
    "<a xmlns:p='urn:p' xmlns:q='urn:p' p:b='' q:b=''/>",
    "<a xmlns='' xmlns=''/>",
    "<p:a/>",
    "<a p:b=''/>",
    "<a:b:c/>",
    "<:a/>",
    "<a:/>",
    "<1a/>",
    "< a/>",
    "<a / >",
    "<a></a b>",
    "<a>]]></a>",
    "<a>&</a>",
    "<a>&#0;</a>",
    "<a>\u{1}</a>",
    "<a>\u{FFFE}</a>",
    "<a><!-- -- --></a>",
    "<a><!-- --->",
    "<a><!--",
    "<!-- a",
    "<a><![CDATA[</a>",
    "<![CDATA[a]]><a/>",
    "<a/><![CDATA[a]]>",
    "<a><!ELEMENT a></a>",
    "<a><?xml version='1.0'?></a>",
    " <?xml version='1.0'?><a/>",
    "<?xml?><a/>",
    "<?xml version='1.1'?><a/>",
    "<?xml encoding='utf-8'?><a/>",
    "<?xml version='1.0' standalone='maybe'?><a/>",
    "<?xml version='1.0'encoding='utf-8'?><a/>",
    "<?xml version='1.0'",
    "<?a",
    "<??><a/>",
    "<?1?><a/>",
    "<a xmlns:p=''/>",
    "<a xmlns:xml='urn:x'/>",
    "<a xmlns:xmlns='urn:x'/>",
    "<a xmlns:p='http://www.w3.org/2000/xmlns/'/>",
    "<?xml version='1.0' version='1.0'?><a/>",
    "\u{FEFF}\u{FEFF}<a/>",
    "<a\u{A0}b=''/>",
];

#[test]
fn what_is_not_well_formed_is_refused() {
    for xml in ILL_FORMED {
        assert!(scan::well_formed(xml.as_bytes()).is_err(), "{xml}");
        assert!(to_json(xml.as_bytes()).is_err(), "{xml}");
    }
    for xml in [
        "<a/>",
        "<a ></a >",
        "<a b = 'c' d=\"e\"\n/>",
        "<a>&#x41;]] ></a>",
        "<a><![CDATA[<&]]]]></a>",
        "<!----><a/><?b?>",
        "<é.-_1/>",
        "<a xmlns:xml='http://www.w3.org/XML/1998/namespace' xml:b=''/>",
        "<a b='>' c=''/>",
        "<?xml version=\"1.0\"?><a/>",
    ] {
        assert!(scan::well_formed(xml.as_bytes()).is_ok(), "{xml}");
    }
}
