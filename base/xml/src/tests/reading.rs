use super::*;

/// Content of a Patient, and the members that it is in JSON.
#[track_caller]
fn reads(content: &str, members: &str) {
    assert_eq!(json(&patient(content)), format!("{{\"resourceType\":\"Patient\"{members}}}"), "{content}");
}

#[test]
fn elements_become_members() {
    reads("", "");
    reads(r#"<id value="a"/>"#, r#","id":"a""#);
    reads(r#"<active value="true"/><deceasedDateTime value="2020"/>"#, r#","active":true,"deceasedDateTime":"2020""#);
    reads(
        r#"<name id="n"><given value="a"/><given value="b"/></name><name><text value="c"/></name>"#,
        r#","name":[{"id":"n","given":["a","b"]},{"text":"c"}]"#,
    );
    reads("<!-- a --><?b c?>\n <id value='a'></id>\r\n", r#","id":"a""#);
    reads(r#"<multipleBirthInteger value="+2"/>"#, r#","multipleBirthInteger":2"#);
}

#[test]
fn text_is_kept_character_by_character() {
    reads("<id value=\"&lt;&#x22;\\&apos;&amp;&#10;&#9;é&#x1F600;\"/>", ",\"id\":\"<\\\"\\\\'&\\n\\té\u{1F600}\"");
    reads("<id value=\"a\n\tb\"/>", r#","id":"a  b""#);
    reads("<id value=\" a  \"/>", r#","id":" a  ""#);
    reads(r#"<id value=""/>"#, r#","id":"""#);
}

#[test]
fn numbers_are_spelt_as_in_the_document() {
    let extended = |value: &str| format!(r#"<extension url="u"><valueDecimal value="{value}"/></extension>"#);
    for number in ["6.30", "0.000", "-1.50e-10", "100000000000000000000000.1", "-0", "1E+3"] {
        reads(&extended(number), &format!(r#","extension":[{{"url":"u","valueDecimal":{number}}}]"#));
    }
    for number in ["", "1.", ".5", "01", "+1.0", "1,0", " 1", "NaN"] {
        let what = "A decimal is digits with a point, maybe a power of ten (line 1, column 71)";
        let shown = format!("Patient.extension[0].valueDecimal: {what}");
        bad(&patient(&extended(number)), XmlFaultKind::Value, &shown);
    }
}

#[test]
fn ids_and_extensions_of_primitives_stand_beside() {
    let x = r#"<extension url="u"><valueCode value="x"/></extension>"#;
    let j = r#""extension":[{"url":"u","valueCode":"x"}]"#;
    reads(
        &format!(r#"<birthDate id="b" value="1970">{x}</birthDate>"#),
        &format!(r#","birthDate":"1970","_birthDate":{{"id":"b",{j}}}"#),
    );
    reads(&format!("<birthDate>{x}</birthDate>"), &format!(r#","_birthDate":{{{j}}}"#));
    let given = |inside: &str| format!("<name>{inside}</name>");
    reads(
        &given(&format!(r#"<given value="a"/><given>{x}</given><given value="c" id="i"/><given value="d"/>"#)),
        &format!(r#","name":[{{"given":["a",null,"c","d"],"_given":[null,{{{j}}},{{"id":"i"}},null]}}]"#),
    );
    reads(&given(&format!("<given>{x}</given>")), &format!(r#","name":[{{"_given":[{{{j}}}]}}]"#));
    reads(
        &given(&format!(r#"<text value="t"/><given>{x}</given><suffix value="s"/>"#)),
        &format!(r#","name":[{{"text":"t","_given":[{{{j}}}],"suffix":["s"]}}]"#),
    );
    // The extension's own value has an extension.
    let nested = format!(r#"<extension url="v"><valueString value="y">{x}</valueString></extension>"#);
    reads(
        &format!(r#"<birthDate>{nested}</birthDate>"#),
        &format!(r#","_birthDate":{{"extension":[{{"url":"v","valueString":"y","_valueString":{{{j}}}}}]}}"#),
    );
}

#[test]
fn resources_are_nested() {
    reads(
        r#"<contained><Organization><id value="o"/></Organization></contained><contained><Device><id value="d"/></Device></contained>"#,
        r#","contained":[{"resourceType":"Organization","id":"o"},{"resourceType":"Device","id":"d"}]"#,
    );
    let bundle = r#"<Bundle xmlns="http://hl7.org/fhir"><type value="batch"/><entry><resource><Patient><active value="false"/></Patient></resource><request><method value="POST"/></request></entry></Bundle>"#;
    assert_eq!(
        json(bundle),
        r#"{"resourceType":"Bundle","type":"batch","entry":[{"resource":{"resourceType":"Patient","active":false},"request":{"method":"POST"}}]}"#
    );
    let parameters = r#"<Parameters xmlns="http://hl7.org/fhir"><parameter><name value="a"/><part><name value="b"/><resource><Basic/></resource></part></parameter></Parameters>"#;
    assert_eq!(
        json(parameters),
        r#"{"resourceType":"Parameters","parameter":[{"name":"a","part":[{"name":"b","resource":{"resourceType":"Basic"}}]}]}"#
    );
    bad(
        &patient("<contained/>"),
        XmlFaultKind::Resource,
        "Patient.contained[0]: There is no resource in this element (line 1, column 50)",
    );
    bad(
        &patient("<contained><Basic/><Basic/></contained>"),
        XmlFaultKind::Resource,
        "Patient.contained[0].Basic: There is more than one resource in this element (line 1, column 57)",
    );
    bad(
        &patient("<contained><Dog><a/></Dog></contained>"),
        XmlFaultKind::Resource,
        "Patient.contained[0].Dog: R4 has no such resource type (line 1, column 49)",
    );
}

const DIV: &str = "<div xmlns=\"http://www.w3.org/1999/xhtml\">";

#[track_caller]
fn narrates(xml: &str, div: &str) {
    let resource = parse(xml.as_bytes()).unwrap();
    assert_eq!(resource.root().get("text").unwrap().str_of("div").unwrap(), div, "{xml}");
}

#[test]
fn narrative_is_kept_as_it_stands() {
    for inside in [
        "",
        "a &amp; b &#233; &lt;p> ",
        "\r\n  <p\n class = 'x'   id=\"y\" >a</p ><br  /><br></br>",
        "<!-- c --><?pi d?><![CDATA[<e>]]>",
        "<table xml:lang=\"en\"><tr><td>1</td></tr></table>",
        "<svg:svg xmlns:svg=\"http://www.w3.org/2000/svg\" svg:a=\"1\"/>",
    ] {
        let div = format!("{DIV}{inside}</div>");
        narrates(&patient(&format!("<text><status value=\"generated\"/>\n {div} </text>")), &div);
    }
    let empty = "<div xmlns=\"http://www.w3.org/1999/xhtml\"/>";
    narrates(&patient(&format!("<text>{empty}</text>")), empty);
}

#[test]
fn narrative_by_a_prefix_is_written_without() {
    let xml = r#"<f:Patient xmlns:f="http://hl7.org/fhir" xmlns:h="http://www.w3.org/1999/xhtml"><f:text><h:div class="a"><h:p xml:lang='en'>b &amp; <h:br/></h:p ><!-- c --></h:div></f:text></f:Patient>"#;
    narrates(
        xml,
        r#"<div xmlns="http://www.w3.org/1999/xhtml" class="a"><p xml:lang='en'>b &amp; <br/></p ><!-- c --></div>"#,
    );
    let xml = r#"<f:Patient xmlns:f="http://hl7.org/fhir"><f:text xmlns="http://www.w3.org/1999/xhtml"><div><p/></div></f:text></f:Patient>"#;
    narrates(xml, r#"<div xmlns="http://www.w3.org/1999/xhtml"><p/></div>"#);
    let foreign = r#"<f:Patient xmlns:f="http://hl7.org/fhir" xmlns:h="http://www.w3.org/1999/xhtml"><f:text><h:div><f:p/></h:div></f:text></f:Patient>"#;
    assert_eq!(faults(foreign)[0].kind, XmlFaultKind::Namespace);
    let lost = format!(
        "<Patient xmlns=\"http://hl7.org/fhir\" xmlns:x=\"urn:x\"><text>{DIV}<p x:a=\"1\"/></div></text></Patient>"
    );
    bad(
        &lost,
        XmlFaultKind::Namespace,
        "Patient.text.div: Narrative uses a prefix that is declared outside of it (line 1, column 102)",
    );
}

#[test]
fn the_namespace_decides() {
    assert_eq!(
        json(r#"<f:Basic xmlns:f="http://hl7.org/fhir"><f:id value="1"/></f:Basic>"#),
        r#"{"resourceType":"Basic","id":"1"}"#
    );
    assert_eq!(json(r#"<Basic xmlns="http&#58;//hl7.org/fhir"/>"#), r#"{"resourceType":"Basic"}"#);
    bad(
        "<Patient/>",
        XmlFaultKind::Namespace,
        "Patient: A resource is in the namespace http://hl7.org/fhir (line 1, column 1)",
    );
    bad(
        &patient("<id xmlns='' value='1'/>"),
        XmlFaultKind::Namespace,
        "Patient.id: An element of FHIR is in the namespace http://hl7.org/fhir (line 1, column 38)",
    );
    bad(
        &patient("<text><div/></text>"),
        XmlFaultKind::Namespace,
        "Patient.text.div: Narrative is in the namespace http://www.w3.org/1999/xhtml (line 1, column 44)",
    );
}

#[test]
fn what_only_xml_says_is_left_out() {
    let xml = "\u{FEFF}<?xml version='1.0' encoding='utf-8' standalone=\"yes\" ?>\n<!-- a --><?xml-stylesheet href='x'?>\n<Basic xmlns=\"http://hl7.org/fhir\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:schemaLocation=\"http://hl7.org/fhir x.xsd\"/>\n<!-- b -->\n";
    assert_eq!(json(xml), r#"{"resourceType":"Basic"}"#);
}

#[test]
fn the_order_is_that_of_the_definitions() {
    bad(
        &patient(r#"<gender value="male"/><active value="true"/>"#),
        XmlFaultKind::Order,
        "Patient.active: This element stands before gender by the definitions (line 1, column 60)",
    );
    bad(
        &patient(r#"<name/><gender value="male"/><name/>"#),
        XmlFaultKind::Order,
        "Patient.name: This element stands before gender by the definitions (line 1, column 67)",
    );
    bad(
        &patient(r#"<active value="true"/><active value="true"/>"#),
        XmlFaultKind::Repeated,
        "Patient.active: This element does not repeat (line 1, column 60)",
    );
    bad(
        &patient(r#"<deceasedBoolean value="true"/><deceasedDateTime value="2020"/>"#),
        XmlFaultKind::Repeated,
        "Patient.deceasedDateTime: deceased[x] may have only one type (line 1, column 69)",
    );
    // Extensions come before what extends them, and the id of an element is an attribute.
    reads(
        r#"<extension url="u"><extension url="v"><valueCode value="x"/></extension></extension>"#,
        r#","extension":[{"url":"u","extension":[{"url":"v","valueCode":"x"}]}]"#,
    );
}

#[test]
fn what_is_unknown_is_named() {
    bad(
        &patient("<colour value='red'><a>b</a></colour>"),
        XmlFaultKind::Element,
        "Patient.colour: Patient has no such element (line 1, column 38)",
    );
    bad(
        &patient("<name><nick value='x'/></name>"),
        XmlFaultKind::Element,
        "Patient.name[0].nick: HumanName has no such element (line 1, column 44)",
    );
    bad(
        &patient("<deceased value='x'/>"),
        XmlFaultKind::Element,
        "Patient.deceased: Patient has no such element (line 1, column 38)",
    );
    bad(
        &patient("<active value='true' values='x'/>"),
        XmlFaultKind::Attribute,
        "Patient.active.@values: active has no such attribute (line 1, column 59)",
    );
    bad(
        &patient("<name value='x'/>"),
        XmlFaultKind::Attribute,
        "Patient.name[0].@value: name is no primitive: it has no attribute value (line 1, column 44)",
    );
    bad(
        r#"<Basic xmlns="http://hl7.org/fhir" id="a"/>"#,
        XmlFaultKind::Attribute,
        "Basic.@id: The id of a resource is an element (line 1, column 36)",
    );
    bad(
        &patient("<name><id value='x'/></name>"),
        XmlFaultKind::Element,
        "Patient.name[0].id: This is an attribute in XML, not an element (line 1, column 44)",
    );
    bad(
        &patient("<extension><url value='x'/></extension>"),
        XmlFaultKind::Element,
        "Patient.extension[0].url: This is an attribute in XML, not an element (line 1, column 49)",
    );
    bad(
        &patient("<birthDate value='1970'><value/></birthDate>"),
        XmlFaultKind::Element,
        "Patient.birthDate.value: Element has no such element (line 1, column 62)",
    );
    bad(&patient("some text"), XmlFaultKind::Text, "Patient: There is text between elements (line 1, column 38)");
    bad(
        &patient("<birthDate/>"),
        XmlFaultKind::Value,
        "Patient.birthDate: An element has a value, an id or extensions (line 1, column 50)",
    );
    bad(
        &patient("<active value='1'/>"),
        XmlFaultKind::Value,
        "Patient.active: A boolean is true or false (line 1, column 46)",
    );
    bad(
        "<Dog xmlns=\"http://hl7.org/fhir\"/>",
        XmlFaultKind::Resource,
        "Dog: R4 has no such resource type (line 1, column 1)",
    );
}

#[test]
fn every_fault_comes_with_its_place() {
    let xml = "<Patient xmlns=\"http://hl7.org/fhir\">\n  <colour value=\"Canary\"/>\n  <active value=\"Canary\"/>\n Canary\n  <name é=\"Canary\"><given value=\"a\"/><given/></name>\n  <id value=\"Canary\"/>\n</Patient>";
    let found: Vec<String> = faults(xml).iter().map(ToString::to_string).collect();
    assert_eq!(
        found,
        [
            "Patient.colour: Patient has no such element (line 2, column 3)",
            "Patient.active: A boolean is true or false (line 3, column 11)",
            "Patient: There is text between elements (line 4, column 2)",
            "Patient.name[0].@é: name has no such attribute (line 5, column 9)",
            "Patient.name[0].given[1]: An element has a value, an id or extensions (line 5, column 46)",
            "Patient.id: This element stands before name by the definitions (line 6, column 3)",
        ]
    );
    let fault = Fault::from(&faults(xml)[0]);
    assert_eq!((&*fault.at, &*fault.what), ("Patient.colour", "Patient has no such element (line 2, column 3)"));
    // What is not well-formed ends the reading, after what was found before.
    let found = faults(&patient("<colour/><id value=\"a\"></Id>"));
    assert_eq!(found.iter().map(|fault| fault.kind).collect::<Vec<_>>(), [XmlFaultKind::Element, XmlFaultKind::Syntax]);
    assert_eq!(found[1].path, "Patient.id");
}

#[test]
fn the_list_of_faults_is_capped_and_the_rest_counted() {
    let with = |count: usize| faults(&patient(&"<x/>\n".repeat(count)));
    assert_eq!(with(limits::FAULTS_MAX).len(), limits::FAULTS_MAX);
    let more = with(limits::FAULTS_MAX + 7);
    assert_eq!(more.len(), limits::FAULTS_MAX + 1);
    assert_eq!(more[limits::FAULTS_MAX].to_string(), "There are 7 more faults");
    assert_eq!(more[limits::FAULTS_MAX - 1].line, limits::FAULTS_MAX);
}
